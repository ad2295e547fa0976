package parley.protocol;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Whether a client's session or response request can be understood: the type of every field that this module has an
 * accessor for, and the values of those whose range the reference closes. Null passes, except for the type of a session,
 * because null is how a client switches something off. Fields this class does not know pass.
 */
final class Check {
    private static final int MOST_METADATA = 16;
    private static final int LONGEST_METADATA_KEY = 64;
    private static final int LONGEST_METADATA_VALUE = 512;

    private Check() {}

    static void session(Fields f) {
        f.oneOf("type", "realtime", "transcription");
        f.optionalString("model");
        shared(f);
        Fields audio = f.optionalObject("audio");
        Fields input = audio == null ? null : audio.optionalObject("input");
        if (input == null) return;
        format(input.optionalObject("format"));
        Fields transcription = input.optionalObject("transcription");
        if (transcription != null) {
            for (String key : List.of("model", "language", "prompt")) transcription.optionalString(key);
        }
        turnDetection(input.optionalObject("turn_detection"));
    }

    static void response(Fields f) {
        shared(f);
        if (f.optional("conversation") != null) f.oneOf("conversation", "auto", "none");
        metadata(f.optionalObject("metadata"));
        if (f.optional("input") != null) {
            for (Fields item : f.objects("input")) ItemCodec.read(item.node(), item.path());
        }
    }

    private static void shared(Fields f) {
        f.optionalString("instructions");
        modalities(f);
        maxTokens(f);
        tools(f);
        toolChoice(f);
        Fields audio = f.optionalObject("audio");
        Fields output = audio == null ? null : audio.optionalObject("output");
        if (output == null) return;
        format(output.optionalObject("format"));
        between(output, "speed", 0.25, 1.5);
        JsonNode voice = output.optional("voice");
        if (voice instanceof ObjectNode custom) {
            new Fields(custom, output.pathOf("voice")).string("id");
        } else {
            output.optionalString("voice");
        }
    }

    private static void modalities(Fields f) {
        if (f.optional("output_modalities") == null) return;
        JsonNode modalities = f.array("output_modalities");
        boolean one = modalities.size() == 1
                && List.of("text", "audio").contains(modalities.path(0).asText());
        if (!one) throw invalid(f, "output_modalities", modalities.size() + " entries", "[\"audio\"] or [\"text\"]");
    }

    private static void maxTokens(Fields f) {
        JsonNode tokens = f.optional("max_output_tokens");
        if (tokens == null || "inf".equals(tokens.textValue())) return;
        boolean whole = tokens.canConvertToExactIntegral() && tokens.canConvertToInt();
        if (whole && tokens.intValue() >= 1) return;
        String found = tokens.isNumber() ? tokens.asText() : Fields.kind(tokens);
        throw invalid(f, "max_output_tokens", found, "an integer >= 1 or \"inf\"");
    }

    private static void tools(Fields f) {
        if (f.optional("tools") == null) return;
        for (Fields tool : f.objects("tools")) {
            switch (tool.string("type")) {
                case "function" -> tool.string("name");
                case "mcp" -> tool.string("server_label");
                default -> {}
            }
        }
    }

    private static void toolChoice(Fields f) {
        JsonNode choice = f.optional("tool_choice");
        if (choice == null) return;
        if (choice.isTextual()) {
            f.oneOf("tool_choice", "auto", "none", "required");
            return;
        }
        Fields tool = f.object("tool_choice");
        switch (tool.string("type")) {
            case "function" -> tool.string("name");
            case "mcp" -> tool.string("server_label");
            default -> {}
        }
    }

    /** Closed, because audio of another kind could not be counted. */
    private static void format(@Nullable Fields f) {
        if (f == null) return;
        f.oneOf("type", "audio/pcm", "audio/pcmu", "audio/pcma");
        if (AudioFormat.of(f.node()) == null) {
            JsonNode rate = f.node().path("rate");
            throw invalid(f, "rate", rate.isNumber() ? rate.asText() : Fields.kind(rate), "24000");
        }
    }

    private static void turnDetection(@Nullable Fields f) {
        if (f == null) return;
        f.string("type");
        between(f, "threshold", 0, 1);
        for (String key : List.of("prefix_padding_ms", "silence_duration_ms", "idle_timeout_ms")) {
            if (f.optional(key) != null) f.atLeastZero(key);
        }
        between(f, "idle_timeout_ms", 5_000, 30_000);
        if (f.optional("eagerness") != null) f.oneOf("eagerness", "low", "medium", "high", "auto");
        for (String key : List.of("create_response", "interrupt_response")) {
            if (f.optional(key) != null) f.bool(key);
        }
    }

    private static void between(Fields f, String key, double least, double most) {
        if (f.optional(key) == null) return;
        double value = f.number(key);
        if (value >= least && value <= most) return;
        throw invalid(f, key, f.node().path(key).asText(), number(least) + ".." + number(most));
    }

    private static void metadata(@Nullable Fields f) {
        if (f == null) return;
        if (f.node().size() > MOST_METADATA) {
            throw MalformedEvent.invalidValue(f.path(), f.node().size() + " pairs", "at most " + MOST_METADATA);
        }
        for (var pair : f.node().properties()) {
            if (pair.getKey().length() > LONGEST_METADATA_KEY) {
                String found = "a key of " + pair.getKey().length() + " characters";
                throw MalformedEvent.invalidValue(f.path(), found, "at most " + LONGEST_METADATA_KEY);
            }
            int length = f.string(pair.getKey()).length();
            if (length > LONGEST_METADATA_VALUE) {
                throw invalid(f, pair.getKey(), length + " characters", "at most " + LONGEST_METADATA_VALUE);
            }
        }
    }

    private static MalformedEvent invalid(Fields f, String key, String found, String expected) {
        return MalformedEvent.invalidValue(f.pathOf(key), found, expected);
    }

    private static String number(double value) {
        return value == Math.rint(value) ? Long.toString((long) value) : Double.toString(value);
    }
}
