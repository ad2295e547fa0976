package parley.provider.simulator;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.List;
import org.jspecify.annotations.Nullable;
import parley.protocol.Content;
import parley.protocol.Item;
import parley.protocol.Tool;
import parley.protocol.Usage;

/**
 * Counts tokens by the published rules: audio in 1 per 100 ms, audio of the assistant 1 per 50 ms, text about 1 per 4
 * characters. An image counts a flat amount.
 *
 * @param text  of words in any form
 * @param audio of sound, either side's
 * @param image of pictures
 */
record Tokens(long text, long audio, long image) {

    static final Tokens NONE = new Tokens(0, 0, 0);

    private static final int CHARACTERS = 4;
    private static final int IN_MILLIS = 100;
    private static final int OUT_MILLIS = 50;
    private static final long PER_IMAGE = 170;

    static Tokens ofText(@Nullable String words) {
        return words == null ? NONE : new Tokens(parts(words.length(), CHARACTERS), 0, 0);
    }

    static Tokens heard(long millis) {
        return new Tokens(0, parts(millis, IN_MILLIS), 0);
    }

    static Tokens spoken(long millis) {
        return new Tokens(0, parts(millis, OUT_MILLIS), 0);
    }

    static Tokens of(Entry entry) {
        return switch (entry.item()) {
            case Item.Message message -> {
                var sound = message.role() == Item.Role.ASSISTANT
                        ? spoken(entry.audioMillis())
                        : heard(entry.audioMillis());
                yield message.content().stream().map(Tokens::of).reduce(sound, Tokens::plus);
            }
            case Item.FunctionCall call -> ofText(call.name()).plus(ofText(call.arguments()));
            case Item.FunctionCallOutput output -> ofText(output.output());
            default -> NONE;
        };
    }

    /** What a model reads besides the items. */
    static Tokens of(String instructions, List<Tool> tools) {
        var sum = ofText(instructions);
        for (var tool : tools) {
            if (tool instanceof Tool.Function function) {
                JsonNode parameters = function.parameters();
                sum = sum.plus(ofText(function.name()))
                        .plus(ofText(function.description()))
                        .plus(ofText(parameters == null ? null : parameters.toString()));
            }
        }
        return sum;
    }

    Tokens plus(Tokens other) {
        return new Tokens(text + other.text, audio + other.audio, image + other.image);
    }

    long total() {
        return text + audio + image;
    }

    /** The bill of one response. */
    static Usage usage(Tokens input, Tokens cached, Tokens output) {
        return new Usage(
                input.total() + output.total(),
                input.total(),
                output.total(),
                new Usage.InputTokenDetails(
                        input.text,
                        input.audio,
                        input.image,
                        cached.total(),
                        new Usage.CachedTokensDetails(cached.text, cached.audio, cached.image)),
                new Usage.OutputTokenDetails(output.text, output.audio));
    }

    private static Tokens of(Content part) {
        return switch (part) {
            case Content.InputText text -> ofText(text.text());
            case Content.OutputText text -> ofText(text.text());
            case Content.Text text -> ofText(text.text());
            case Content.OutputAudio spoken -> ofText(spoken.transcript());
            case Content.Audio spoken -> ofText(spoken.transcript());
            case Content.InputImage image -> new Tokens(0, 0, PER_IMAGE);
            // What a user said is read as sound; the transcript is a courtesy to the client.
            case Content.InputAudio spoken -> NONE;
            case Content.Unknown unknown -> NONE;
        };
    }

    private static long parts(long amount, int size) {
        return (amount + size - 1) / size;
    }
}
