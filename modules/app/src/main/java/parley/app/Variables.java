package parley.app;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigException;
import com.typesafe.config.ConfigFactory;
import com.typesafe.config.ConfigResolveOptions;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;

/**
 * Which environment variable sets which key, as the files of {@code cluster-config} say it.
 *
 * @param byKey what sets a key; the last one, where several do
 * @param known every variable that Parley reads
 */
record Variables(Map<String, String> byKey, Set<String> known) {
    /** Read by the start itself or by the scripts: no file refers to them. */
    private static final Set<String> WITHOUT_A_KEY = Set.of(
            "PARLEY_ENV",
            "PARLEY_JDK",
            "PARLEY_APP",
            "PARLEY_SEEDS",
            "PARLEY_PARENT",
            "PARLEY_TOKEN",
            "PARLEY_URL",
            "PARLEY_MANAGEMENT_URL");

    private static final Pattern REFERENCE = Pattern.compile("\\$\\{\\??([A-Z][A-Z0-9_]*)}");
    private static final String MARK = "variable:";

    Variables {
        byKey = Map.copyOf(byKey);
        known = Set.copyOf(known);
    }

    /** None: keys are called by their own names. */
    static Variables none() {
        return new Variables(Map.of(), Set.of());
    }

    /**
     * Those of an environment's file and of all that it includes.
     *
     * @param environment the name of a file that is there
     */
    static Variables of(Path home, String environment) {
        var directory = home.resolve("cluster-config");
        var names = new TreeSet<String>();
        try (var files = Files.list(directory)) {
            for (var file :
                    files.filter(path -> path.toString().endsWith(".conf")).toList()) {
                var text = REFERENCE.matcher(Files.readString(file));
                while (text.find()) {
                    names.add(text.group(1));
                }
            }
        } catch (IOException unreadable) {
            throw new StartFailure(directory + ": " + unreadable.getMessage() + " (expected: files that can be read)");
        }
        var byKey = new HashMap<String, String>();
        marked(directory.resolve(environment + ".conf"), names).entrySet().forEach(entry -> {
            var value = String.valueOf(entry.getValue().unwrapped());
            if (value.startsWith(MARK) && names.contains(value.substring(MARK.length()))) {
                byKey.put(entry.getKey(), value.substring(MARK.length()));
            }
        });
        byKey.put("pekko.cluster.seed-nodes", "PARLEY_SEEDS");
        names.addAll(WITHOUT_A_KEY);
        return new Variables(byKey, names);
    }

    /** The file as it would be if each variable were set to its own name. */
    private static Config marked(Path file, Set<String> names) {
        var marks = new HashMap<String, String>();
        names.forEach(name -> marks.put(name, MARK + name));
        try {
            return ConfigFactory.parseMap(marks)
                    .withFallback(ConfigFactory.parseFile(file.toFile()))
                    .withFallback(ConfigFactory.defaultReference())
                    .resolve(ConfigResolveOptions.noSystem());
        } catch (ConfigException wrong) {
            throw new StartFailure(String.valueOf(wrong.getMessage()));
        }
    }

    /** What an operator calls this key: its variable, or its path. */
    String name(String key) {
        return byKey.getOrDefault(key, key);
    }

    /** The known variable that somebody who wrote this one may have meant. */
    Optional<String> meant(String unknown) {
        return known.stream()
                .filter(name -> distance(name, unknown) <= 2)
                .min((one, other) -> Integer.compare(distance(one, unknown), distance(other, unknown)));
    }

    /** Letters to change, add or leave out. */
    private static int distance(String from, String to) {
        var last = new int[to.length() + 1];
        for (int column = 0; column <= to.length(); column++) {
            last[column] = column;
        }
        for (int row = 1; row <= from.length(); row++) {
            var now = new int[to.length() + 1];
            now[0] = row;
            for (int column = 1; column <= to.length(); column++) {
                int change = from.charAt(row - 1) == to.charAt(column - 1) ? 0 : 1;
                now[column] = Math.min(Math.min(now[column - 1], last[column]) + 1, last[column - 1] + change);
            }
            last = now;
        }
        return last[to.length()];
    }
}
