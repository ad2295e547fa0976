package parley.admission;

import java.util.Locale;

/** A judgement as the audit keeps it: for whoever asks, years later, why something happened by itself. */
final class JudgementJson {
    private JudgementJson() {}

    static String of(Guardrail guardrail, Judgement judgement) {
        var cause = judgement.cause();
        return "{\"guardrail\":" + text(guardrail.id())
                + ",\"verdict\":" + word(judgement.verdict())
                + ",\"cause\":" + word(cause.kind())
                + (cause.tenant().isEmpty() ? "" : ",\"tenant\":" + text(cause.tenant()))
                + ",\"score\":" + judgement.score()
                + ",\"limit\":" + judgement.limit()
                + ",\"samples\":" + judgement.samples()
                + ",\"control_samples\":" + judgement.controlSamples()
                + ",\"observed\":" + judgement.observed()
                + ",\"interval\":[" + judgement.low() + "," + judgement.high() + "]"
                + ",\"bound\":" + guardrail.bound()
                + ",\"why\":" + text(judgement.why()) + "}";
    }

    private static String word(Enum<?> value) {
        return text(value.name().toLowerCase(Locale.ROOT));
    }

    /** With what a tenant may be called. */
    private static String text(String value) {
        var quoted = new StringBuilder("\"");
        value.chars().forEach(character -> {
            if (character == '"' || character == '\\') {
                quoted.append('\\').append((char) character);
            } else if (character < ' ') {
                quoted.append(String.format(Locale.ROOT, "\\u%04x", character));
            } else {
                quoted.append((char) character);
            }
        });
        return quoted.append('"').toString();
    }
}
