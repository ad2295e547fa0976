package parley.session;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import parley.provider.Provider;
import parley.provider.ProviderRefused;
import parley.wire.Port;

/** Takes calls and leaves it to the test what becomes of them. */
final class FakeProvider implements Provider {
    private final LinkedBlockingQueue<Dialled> calls = new LinkedBlockingQueue<>();

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
        return "fake";
    }

    @Override
    public String defaultModel() {
        return "usual";
    }

    @Override
    public CompletionStage<Port> dial(Call call) {
        var line = new CompletableFuture<Port>();
        calls.add(new Dialled(call, line));
        return line;
    }

    Dialled called() {
        try {
            var call = calls.poll(5, TimeUnit.SECONDS);
            if (call == null) {
                throw new AssertionError("nobody dialled within 5 s");
            }
            return call;
        } catch (InterruptedException interrupted) {
            throw new IllegalStateException(interrupted);
        }
    }

    /** Calls of an earlier test that nobody took. */
    void forget() {
        calls.clear();
    }
}
