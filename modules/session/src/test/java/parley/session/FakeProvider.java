package parley.session;

import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import parley.provider.Provider;
import parley.provider.ProviderRefused;
import parley.wire.Port;

/** Takes calls and leaves it to the test what becomes of them. */
final class FakeProvider implements Provider {
    private final LinkedBlockingQueue<Dialled> calls = new LinkedBlockingQueue<>();
    private final String name;
    private volatile Duration maxAge = Duration.ZERO;

    FakeProvider() {
        this("fake");
    }

    FakeProvider(String name) {
        this.name = name;
    }

    /** A call that waits to be taken or refused. */
    record Dialled(Call call, CompletableFuture<Port> line) {
        FakePort taken() {
            var port = new FakePort(call.loop());
            call.loop().execute(() -> line.complete(port));
            return port;
        }

        void refused(String code, boolean retryable) {
            line.completeExceptionally(new ProviderRefused(code, "no", retryable));
        }
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public String defaultModel() {
        return "usual";
    }

    @Override
    public String modelFor(@Nullable String asked) {
        return asked == null ? defaultModel() : asked;
    }

    @Override
    public Duration maxAge() {
        return maxAge;
    }

    /** From now on it lets no conversation become older; zero: any. */
    void agesAt(Duration age) {
        maxAge = age;
    }

    @Override
    public CompletionStage<Port> dial(Call call) {
        var line = new CompletableFuture<Port>();
        calls.add(new Dialled(call, line));
        return line;
    }

    Dialled called() {
        try {
            var call = calls.poll(60, TimeUnit.SECONDS);
            if (call == null) {
                throw new AssertionError("nobody dialled " + name + " within 60 s");
            }
            return call;
        } catch (InterruptedException interrupted) {
            throw new IllegalStateException(interrupted);
        }
    }

    /** A call that comes within so many milliseconds; null when none does. */
    @Nullable
    Dialled calledWithin(long millis) {
        try {
            return calls.poll(millis, TimeUnit.MILLISECONDS);
        } catch (InterruptedException interrupted) {
            throw new IllegalStateException(interrupted);
        }
    }

    /** Calls of an earlier test that nobody took. */
    void forget() {
        calls.clear();
        maxAge = Duration.ZERO;
    }
}
