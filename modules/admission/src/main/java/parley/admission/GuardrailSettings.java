package parley.admission;

import static java.util.Comparator.comparing;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigException;
import com.typesafe.config.ConfigUtil;
import com.typesafe.config.ConfigValueType;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;

/**
 * {@code parley.admission.guardrails} in reference.conf, where each key is explained.
 *
 * @param list in the order of their signals, then of their names; at most {@link #MOST}
 */
record GuardrailSettings(
        int warmUpSessions, int unsent, Duration coolDown, Duration suspendFor, Duration outage, List<Guardrail> list) {
    static final int MOST = 20;

    GuardrailSettings {
        var wrong = new ArrayList<String>();
        if (warmUpSessions < 0) {
            wrong.add("warm-up-sessions: " + warmUpSessions + " (expected: at least 0)");
        }
        if (unsent < 1) {
            wrong.add("unsent: " + unsent + " (expected: at least 1)");
        }
        positive("cool-down", coolDown, wrong);
        positive("suspend-for", suspendFor, wrong);
        positive("outage", outage, wrong);
        if (list.size() > MOST) {
            wrong.add("list: " + list.size() + " guardrails (expected: at most " + MOST + ")");
        }
        var thresholds = new HashMap<Signal, Guardrail>();
        for (var guardrail : list) {
            var first = thresholds.putIfAbsent(guardrail.signal(), guardrail);
            if (first != null && first.threshold() != guardrail.threshold()) {
                wrong.add("list." + guardrail.id() + ".threshold: " + guardrail.threshold() + " (expected: "
                        + first.threshold() + ", as " + first.id() + " has: a session speaks once by each signal)");
            }
        }
        if (!wrong.isEmpty()) {
            throw new IllegalArgumentException("parley.admission.guardrails: " + String.join("; ", wrong));
        }
        list = list.stream()
                .sorted(comparing(Guardrail::signal).thenComparing(Guardrail::id))
                .toList();
    }

    /** Reads the block {@code parley.admission.guardrails}. */
    static GuardrailSettings from(Config guardrails) {
        var list = new ArrayList<Guardrail>();
        guardrails.getObject("list").forEach((id, value) -> {
            // null takes a guardrail of reference.conf out.
            if (value.valueType() != ConfigValueType.NULL) {
                list.add(guardrail(id, guardrails.getConfig("list")));
            }
        });
        return new GuardrailSettings(
                guardrails.getInt("warm-up-sessions"),
                guardrails.getInt("unsent"),
                guardrails.getDuration("cool-down"),
                guardrails.getDuration("suspend-for"),
                guardrails.getDuration("outage"),
                list);
    }

    private static Guardrail guardrail(String id, Config list) {
        try {
            var of = list.getConfig(ConfigUtil.joinPath(id));
            return new Guardrail(
                    id,
                    word(Signal.class, "signal", of),
                    of.getDouble("bound"),
                    of.getDouble("threshold"),
                    of.getDouble("limit"),
                    word(Comparator.class, "comparator", of),
                    word(OnFail.class, "on-fail", of),
                    of.getBoolean("observe-only"));
        } catch (IllegalArgumentException | ConfigException wrong) {
            throw new IllegalArgumentException(
                    "parley.admission.guardrails.list." + id + ": " + wrong.getMessage(), wrong);
        }
    }

    private static <E extends Enum<E>> E word(Class<E> type, String key, Config of) {
        var word = of.getString(key);
        return Arrays.stream(type.getEnumConstants())
                .filter(value -> lowerCase(value).equals(word))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException(key + ": " + word + " (expected: "
                        + Arrays.stream(type.getEnumConstants())
                                .map(GuardrailSettings::lowerCase)
                                .collect(Collectors.joining(", "))
                        + ")"));
    }

    private static String lowerCase(Enum<?> value) {
        return value.name().toLowerCase(Locale.ROOT);
    }

    private static void positive(String key, Duration value, List<String> wrong) {
        if (!value.isPositive()) {
            wrong.add(key + ": " + value + " (expected: > 0)");
        }
    }
}
