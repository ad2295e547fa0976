package parley.provider;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigException;
import com.typesafe.config.ConfigFactory;
import com.typesafe.config.ConfigUtil;
import java.net.URI;
import java.net.URISyntaxException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * {@code parley.provider}, or one of its {@code fallbacks} or of {@code control}, in reference.conf, where each key is explained.
 *
 * @param url the base, without a trailing slash; http(s) and ws(s) mean the same
 * @param models names that are passed on as asked, {@value #ANY_MODEL} among them for all; for another name {@code
 *     model} is taken
 * @param maxAge zero for none
 */
public record ProviderSettings(
        String name,
        URI url,
        List<String> apiKeys,
        String model,
        List<String> models,
        Map<String, String> headers,
        Duration maxAge) {

    public static final String ANY_MODEL = "*";

    private static final String PATH = "parley.provider";
    private static final Config FALLBACK =
            ConfigFactory.parseString("name = \"\", url = \"\", api-keys = \"\", models = [], headers {}");

    /** @throws IllegalArgumentException naming every key that is wrong */
    public ProviderSettings {
        var wrong = new ArrayList<String>();
        if (name.isBlank()) {
            wrong.add("name: empty (expected: what the journal and the metrics shall call it)");
        }
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
        if (maxAge.isNegative()) {
            wrong.add("max-age: " + maxAge + " (expected: not negative)");
        }
        if (!wrong.isEmpty()) {
            throw new IllegalArgumentException(String.join("; ", wrong));
        }
        apiKeys = List.copyOf(apiKeys);
        models = List.copyOf(models);
        headers = Map.copyOf(headers);
    }

    /** Reads the first provider: the block {@code parley.provider} of a whole configuration, without its fallbacks. */
    public static ProviderSettings from(Config config) {
        return read(config.getConfig(PATH), PATH);
    }

    /**
     * Reads all providers in the order in which they are tried: {@code parley.provider}, then its {@code fallbacks}. A
     * fallback without a URL is none.
     *
     * @throws IllegalArgumentException naming all that is wrong with any of them
     */
    public static List<ProviderSettings> all(Config config) {
        var all = new ArrayList<ProviderSettings>();
        var wrong = new ArrayList<String>();
        gather(config.getConfig(PATH), PATH, all, wrong);
        gatherList(config, "fallbacks", all, wrong);
        return named(all, wrong);
    }

    /**
     * Reads who answers the control arm of a rollout, in the order in which they are tried: {@code
     * parley.provider.control}. Empty: the same as everybody. One without a URL is none.
     *
     * @throws IllegalArgumentException naming all that is wrong with any of them
     */
    public static List<ProviderSettings> control(Config config) {
        var control = new ArrayList<ProviderSettings>();
        var wrong = new ArrayList<String>();
        gatherList(config, "control", control, wrong);
        // One name, one breaker, one line in every table.
        var others = new ArrayList<>(control);
        gather(config.getConfig(PATH), PATH, others, new ArrayList<>());
        gatherList(config, "fallbacks", others, new ArrayList<>());
        named(others, wrong);
        return List.copyOf(control);
    }

    private static void gatherList(Config config, String key, List<ProviderSettings> all, List<String> wrong) {
        var first = config.getConfig(PATH);
        var inherited = first.withOnlyPath("model").withFallback(first.withOnlyPath("max-age"));
        int index = 0;
        for (var each : first.getConfigList(key)) {
            var path = PATH + "." + key + "[" + index++ + "]";
            var provider = each.withFallback(FALLBACK).withFallback(inherited);
            if (!provider.getString("url").isBlank()) gather(provider, path, all, wrong);
        }
    }

    private static List<ProviderSettings> named(List<ProviderSettings> all, List<String> wrong) {
        var names = all.stream().collect(Collectors.groupingBy(ProviderSettings::name, Collectors.counting()));
        names.forEach((name, times) -> {
            if (times > 1) {
                wrong.add(PATH + ": name: " + name + " " + times + " times (expected: a name of its own for each)");
            }
        });
        if (!wrong.isEmpty()) {
            throw new IllegalArgumentException(String.join("; ", wrong));
        }
        return List.copyOf(all);
    }

    /** The same provider at another address. */
    public ProviderSettings at(URI other) {
        return new ProviderSettings(name, other, apiKeys, model, models, headers, maxAge);
    }

    /** Keys and headers stay out of everything that is printed. */
    @Override
    public String toString() {
        return "ProviderSettings[" + name + ", " + url + ", " + apiKeys.size() + " keys, " + model + "]";
    }

    private static void gather(Config block, String path, List<ProviderSettings> all, List<String> wrong) {
        try {
            all.add(read(block, path));
        } catch (IllegalArgumentException refused) {
            wrong.add(String.valueOf(refused.getMessage()));
        }
    }

    private static ProviderSettings read(Config block, String path) {
        try {
            return new ProviderSettings(
                    block.getString("name"),
                    url(block.getString("url")),
                    keys(block.getString("api-keys")),
                    block.getString("model"),
                    block.getStringList("models"),
                    headers(block.getConfig("headers")),
                    block.getDuration("max-age"));
        } catch (ConfigException | IllegalArgumentException wrong) {
            throw new IllegalArgumentException(path + ": " + wrong.getMessage(), wrong);
        }
    }

    private static Map<String, String> headers(Config block) {
        var headers = new LinkedHashMap<String, String>();
        block.entrySet()
                .forEach(header -> headers.put(
                        String.join(".", ConfigUtil.splitPath(header.getKey())),
                        String.valueOf(header.getValue().unwrapped())));
        return headers;
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
                    "url: " + text + " (expected: a URL such as https://api.openai.com/v1)", malformed);
        }
    }
}
