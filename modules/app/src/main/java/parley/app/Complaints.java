package parley.app;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigValueType;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * What is wrong with a configuration, one line each: the variable or key, what was found, what is expected. No line holds
 * a secret.
 */
final class Complaints {
    private final Config config;
    private final Variables variables;
    private final Confidential confidential;
    private final List<String> lines = new ArrayList<>();

    Complaints(Config config, Variables variables) {
        this.config = config;
        this.variables = variables;
        this.confidential = Confidential.of(config);
    }

    /** About a key: the operator is told the variable that sets it, where there is one. */
    void about(String key, String what) {
        line(named(key) + ": " + what);
    }

    void line(String line) {
        var hidden = confidential.hide(line);
        if (!lines.contains(hidden)) {
            lines.add(hidden);
        }
    }

    /**
     * What a module says about its block, {@code parley.gateway: port: 99999 (expected: …); jwt.secret: …}, told key by key.
     */
    void block(String message) {
        int colon = message.indexOf(": ");
        var path = colon < 0 ? "" : message.substring(0, colon);
        if (!isBlock(path)) {
            clauses(message).forEach(this::standalone);
            return;
        }
        for (var clause : clauses(message.substring(colon + 2))) {
            int end = clause.indexOf(": ");
            var key = path + "." + (end < 0 ? clause : clause.substring(0, end));
            if (end > 0 && isKey(key)) {
                about(key, clause.substring(end + 2));
            } else {
                line(path + ": " + clause);
            }
        }
    }

    List<String> lines() {
        return List.copyOf(lines);
    }

    private void standalone(String clause) {
        int end = clause.indexOf(": ");
        if (end > 0 && isKey(clause.substring(0, end))) {
            about(clause.substring(0, end), clause.substring(end + 2));
        } else {
            line(clause);
        }
    }

    /** Its variable; or its path, with the line where the operator's file sets it. */
    private String named(String key) {
        var variable = variables.name(key);
        var origin = isKey(key) && variable.equals(key) ? config.getValue(key).origin() : null;
        var file = origin == null || origin.filename() == null ? null : Path.of(origin.filename());
        return origin == null || file == null || !file.toString().contains("cluster-config")
                ? variable
                : key + " (" + file.getFileName() + ": " + origin.lineNumber() + ")";
    }

    private boolean isBlock(String path) {
        return path.matches("[a-z][a-z0-9.-]*")
                && config.hasPath(path)
                && config.getValue(path).valueType() == ConfigValueType.OBJECT;
    }

    private boolean isKey(String path) {
        return path.matches("[a-z][a-zA-Z0-9._-]*") && config.hasPath(path) && !isBlock(path);
    }

    /** At the semicolons that are in no brackets. */
    private static List<String> clauses(String text) {
        var clauses = new ArrayList<String>();
        int depth = 0;
        int from = 0;
        for (int at = 0; at < text.length(); at++) {
            switch (text.charAt(at)) {
                case '(' -> depth++;
                case ')' -> depth = Math.max(0, depth - 1);
                case ';' -> {
                    if (depth == 0) {
                        clauses.add(text.substring(from, at).strip());
                        from = at + 1;
                    }
                }
                default -> {}
            }
        }
        clauses.add(text.substring(from).strip());
        return clauses;
    }
}
