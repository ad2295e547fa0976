package parley.provider.simulator;

import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * How one connection behaves and misbehaves; what each switch does stands in {@code parley.simulator.switches}.
 *
 * <p>A switch has the same name in the settings, in the query of the connection's URL, and behind the model's name
 * ({@code simulator:echo=true,cut_after_ms=5000}); the later of these wins. A value is a number, {@code true} or
 * {@code false}, {@code on} or {@code off}, or a word. Zero, or the empty word, is "never".
 *
 * @param firstTokenMillis from the creation of a response to its first delta
 * @param speed            seconds of answer streamed in one second
 * @param refuse           an HTTP status, or 0
 */
public record Switches(
        long freezeAfterMillis,
        long cutAfterMillis,
        int refuse,
        long firstTokenMillis,
        long ageLimitSeconds,
        String failResponse,
        boolean shuffled,
        double speed,
        int deltaMillis,
        boolean silentCreated,
        boolean echo,
        boolean vad,
        boolean longAnswers) {

    /** Every name there is, in the order of this record. */
    public static final List<String> NAMES = List.of(
            "freeze_after_ms",
            "cut_after_ms",
            "refuse",
            "slow_first_token_ms",
            "age_limit_s",
            "fail_response",
            "order",
            "speed",
            "delta_ms",
            "silent_created",
            "echo",
            "vad",
            "long_answers");

    private static final Set<Integer> REFUSALS = Set.of(0, 401, 403, 404, 429, 503);
    private static final double FASTEST = 10_000;
    private static final int LONGEST_DELTA = 10_000;

    public Switches {
        require(freezeAfterMillis >= 0, "freeze_after_ms", freezeAfterMillis, "at least 0");
        require(cutAfterMillis >= 0, "cut_after_ms", cutAfterMillis, "at least 0");
        require(REFUSALS.contains(refuse), "refuse", refuse, "401, 403, 404, 429 or 503");
        require(firstTokenMillis >= 0, "slow_first_token_ms", firstTokenMillis, "at least 0");
        require(ageLimitSeconds > 0, "age_limit_s", ageLimitSeconds, "> 0");
        require(speed > 0 && speed <= FASTEST, "speed", speed, "> 0, at most 10000");
        require(deltaMillis >= 10 && deltaMillis <= LONGEST_DELTA, "delta_ms", deltaMillis, "10..10000");
    }

    /**
     * These switches, with those that are named in {@code changes} set anew.
     *
     * @throws IllegalArgumentException naming the switch that does not exist, or the value that it cannot have
     */
    public Switches with(Map<String, String> changes) {
        for (var name : changes.keySet()) {
            if (!NAMES.contains(name)) {
                throw new IllegalArgumentException(name + " (expected: one of " + String.join(", ", NAMES) + ")");
            }
        }
        return new Switches(
                whole(changes, "freeze_after_ms", freezeAfterMillis),
                whole(changes, "cut_after_ms", cutAfterMillis),
                Math.toIntExact(whole(changes, "refuse", refuse)),
                whole(changes, "slow_first_token_ms", firstTokenMillis),
                whole(changes, "age_limit_s", ageLimitSeconds),
                changes.getOrDefault("fail_response", failResponse),
                shuffled(changes),
                number(changes, "speed", speed),
                Math.toIntExact(whole(changes, "delta_ms", deltaMillis)),
                flag(changes, "silent_created", silentCreated),
                flag(changes, "echo", echo),
                flag(changes, "vad", vad),
                flag(changes, "long_answers", longAnswers));
    }

    private boolean shuffled(Map<String, String> changes) {
        var value = changes.getOrDefault("order", shuffled ? "shuffled" : "fixed");
        return switch (value) {
            case "shuffled" -> true;
            case "fixed" -> false;
            default -> throw wrong("order", value, "fixed or shuffled");
        };
    }

    private static boolean flag(Map<String, String> changes, String name, boolean otherwise) {
        var value = changes.getOrDefault(name, String.valueOf(otherwise));
        return switch (value) {
            case "true", "on" -> true;
            case "false", "off" -> false;
            default -> throw wrong(name, value, "true or false");
        };
    }

    private static long whole(Map<String, String> changes, String name, long otherwise) {
        var value = changes.get(name);
        if (value == null) return otherwise;
        if (!value.matches("\\d{1,9}")) throw wrong(name, value, "a whole number");
        return Long.parseLong(value);
    }

    private static double number(Map<String, String> changes, String name, double otherwise) {
        var value = changes.get(name);
        if (value == null) return otherwise;
        if (!value.matches("\\d{1,6}(\\.\\d{1,6})?")) throw wrong(name, value, "a number");
        return Double.parseDouble(value);
    }

    private static void require(boolean holds, String name, Object value, String expected) {
        if (!holds) throw wrong(name, String.valueOf(value), expected);
    }

    private static IllegalArgumentException wrong(String name, String value, String expected) {
        return new IllegalArgumentException(name + ": " + value + " (expected: " + expected + ")");
    }
}
