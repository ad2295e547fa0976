package parley.provider;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import parley.wire.Port;

/** A name, and nobody behind it. */
record FakeProvider(String name) implements Provider {
    @Override
    public String defaultModel() {
        return "usual";
    }

    @Override
    public CompletionStage<Port> dial(Call call) {
        return CompletableFuture.failedFuture(new ProviderRefused("upstream_unavailable", "nobody", true));
    }
}
