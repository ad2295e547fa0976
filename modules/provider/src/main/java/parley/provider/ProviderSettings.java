package parley.provider;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigUtil;
import java.net.URI;
import java.net.URISyntaxException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * {@code parley.provider} in reference.conf, where each key is explained.
 *
 * @param url the base, without a trailing slash; http(s) and ws(s) mean the same
 */
public record ProviderSettings(String name, URI url, List<String> apiKeys, String model, Map<String, String> headers) {
    public ProviderSettings {
        var wrong = new ArrayList<String>();
        if (url.getScheme() == null
                || !List.of("http", "https", "ws", "wss").contains(url.getScheme())
                || url.getHost() == null) {
            wrong.add(
                    "url: " + url + " (expected: http, https, ws or wss, and a host, as in https://api.openai.com/v1)");
        }
        if (url.getRawUserInfo() != null) {
            wrong.add("url: holds a user name (expected: credentials in api-keys)");
        }
        if (model.isBlank()) {
            wrong.add("model: empty (expected: a model's name)");
        }
        if (!wrong.isEmpty()) {
            throw new IllegalArgumentException("parley.provider: " + String.join("; ", wrong));
        }
        apiKeys = List.copyOf(apiKeys);
        headers = Map.copyOf(headers);
    }

    /** Reads the block {@code parley.provider} of a whole configuration. */
    public static ProviderSettings from(Config config) {
        var provider = config.getConfig("parley.provider");
        var headers = new LinkedHashMap<String, String>();
        provider.getConfig("headers")
                .entrySet()
                .forEach(header -> headers.put(
                        String.join(".", ConfigUtil.splitPath(header.getKey())),
                        String.valueOf(header.getValue().unwrapped())));
        return new ProviderSettings(
                provider.getString("name"),
                url(provider.getString("url")),
                keys(provider.getString("api-keys")),
                provider.getString("model"),
                headers);
    }

    /** The same provider at another address. */
    public ProviderSettings at(URI other) {
        return new ProviderSettings(name, other, apiKeys, model, headers);
    }

    /** Keys stay out of everything that is printed. */
    @Override
    public String toString() {
        return "ProviderSettings[" + name + ", " + url + ", " + apiKeys.size() + " keys, " + model + "]";
    }

    private static List<String> keys(String commaSeparated) {
        return List.of(commaSeparated.split(",")).stream()
                .map(String::strip)
                .filter(key -> !key.isEmpty())
                .toList();
    }

    private static URI url(String text) {
        try {
            return new URI(text.endsWith("/") ? text.substring(0, text.length() - 1) : text);
        } catch (URISyntaxException malformed) {
            throw new IllegalArgumentException(
                    "parley.provider: url: " + text + " (expected: a URL such as https://api.openai.com/v1)",
                    malformed);
        }
    }
}
