package parley.app;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigValueType;
import java.util.Comparator;
import java.util.List;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * Takes credentials out of a text: those of this deployment, whatever they look like, and whatever looks like one.
 *
 * @param own this deployment's, the longest first
 */
record Confidential(List<String> own) {
    static final String INSTEAD = "[secret]";

    /** A shorter one would be found in words that are none. */
    private static final int SHORTEST = 6;

    private static final Pattern SECRET_KEY =
            Pattern.compile("(?:^|[.-])(?:secret|token|api-keys?|password|dsn)$", Pattern.CASE_INSENSITIVE);

    private static final Pattern PASSWORD = Pattern.compile("^[a-z]+://[^/@:]*:([^/]+)@.*");

    /** What each begins with is kept, so that a reader knows what was there. */
    private static final List<Pattern> LOOKS_LIKE_ONE = List.of(
            // JSON Web Tokens: three parts, or what is left of them.
            Pattern.compile("()\\beyJ[A-Za-z0-9_-]{8,}(?:\\.[A-Za-z0-9_-]*){0,2}"),
            // Keys of providers, and what development makes.
            Pattern.compile("\\b(sk-|ek_|dev-)[A-Za-z0-9_-]{12,}"),
            Pattern.compile("(?i)\\b(bearer\\s+|basic\\s+)[A-Za-z0-9._~+/=-]{6,}"),
            Pattern.compile("(?i)\\b((?:[a-z]+[_-])?(?:token|ticket|key|secret|password)=)[^&\\s\"'\\]})]+"),
            Pattern.compile("(\\b[a-z][a-z0-9+]*://)(?!user:password@)[^\\s/@:\"']*:[^\\s/@\"']+(?=@)"));

    Confidential {
        own = own.stream()
                .filter(secret -> secret.length() >= SHORTEST)
                .distinct()
                .sorted(Comparator.comparingInt(String::length).reversed())
                .toList();
    }

    /** Knows no deployment. */
    static Confidential none() {
        return new Confidential(List.of());
    }

    /** Those of a whole configuration: every key under {@code parley} that is named like one. */
    static Confidential of(Config config) {
        var own = new TreeSet<String>();
        config.getConfig("parley").entrySet().forEach(entry -> {
            if (entry.getValue().valueType() == ConfigValueType.STRING
                    && SECRET_KEY.matcher(entry.getKey()).find()) {
                own.addAll(parts(entry.getValue().unwrapped().toString()));
            }
        });
        for (var list : List.of("parley.provider.fallbacks", "parley.provider.control")) {
            if (config.hasPath(list)) {
                config.getConfigList(list).stream()
                        .filter(provider -> provider.hasPath("api-keys"))
                        .forEach(provider -> own.addAll(parts(provider.getString("api-keys"))));
            }
        }
        if (config.hasPath("parley.app.database-url")) {
            var password = PASSWORD.matcher(config.getString("parley.app.database-url"));
            if (password.matches()) {
                own.add(password.group(1));
            }
        }
        return new Confidential(List.copyOf(own));
    }

    /** The text without them; the same object when there were none. */
    String hide(String text) {
        var hidden = text;
        for (var secret : own) {
            hidden = hidden.replace(secret, INSTEAD);
        }
        for (var pattern : LOOKS_LIKE_ONE) {
            var found = pattern.matcher(hidden);
            if (found.find()) {
                hidden = found.replaceAll("$1" + INSTEAD);
            }
        }
        return hidden;
    }

    /** How many there are says nothing about them. */
    @Override
    public String toString() {
        return "Confidential[" + own.size() + "]";
    }

    private static List<String> parts(String commaSeparated) {
        return Stream.concat(Stream.of(commaSeparated), Stream.of(commaSeparated.split(",")))
                .map(String::strip)
                .filter(part -> !part.isEmpty())
                .toList();
    }
}
