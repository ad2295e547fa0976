package parley.provider;

import java.util.List;
import parley.provider.openai.OpenAiProvider;
import parley.wire.WebSocketClient;
import parley.wire.WireSettings;

/** The one place that knows every kind of provider. */
public final class Providers {
    private Providers() {}

    /**
     * The providers these settings describe, to be tried in this order.
     *
     * @param settings as {@link ProviderSettings#all} reads them
     */
    public static ProviderPool pool(List<ProviderSettings> settings, BreakerSettings breaker, WireSettings wire) {
        var client = new WebSocketClient(wire);
        return new ProviderPool(
                settings.stream().map(each -> new OpenAiProvider(each, client)).toList(), breaker, System::nanoTime);
    }
}
