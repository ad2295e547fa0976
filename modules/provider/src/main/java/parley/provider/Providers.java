package parley.provider;

import parley.provider.openai.OpenAiProvider;
import parley.wire.WebSocketClient;
import parley.wire.WireSettings;

/** The one place that knows every kind of provider. */
public final class Providers {
    private Providers() {}

    /** The provider these settings describe. */
    public static Provider from(ProviderSettings settings, WireSettings wire) {
        return new OpenAiProvider(settings, new WebSocketClient(wire));
    }
}
