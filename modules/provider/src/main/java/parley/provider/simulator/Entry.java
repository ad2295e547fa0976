package parley.provider.simulator;

import java.util.List;
import org.jspecify.annotations.Nullable;
import parley.protocol.Content;
import parley.protocol.Item;

/** An item as the conversation keeps it: what the wire shows of it, and what only the server knows. */
final class Entry {

    private final String id;
    private Item item;
    private long audioMillis;
    private long speechMillis;
    private int hertz;
    private boolean tone;
    private @Nullable ItemAudio audio;
    private boolean seen;
    private boolean truncated;

    /** @param item without audio bytes */
    Entry(String id, Item item) {
        this.id = id;
        this.item = item;
    }

    String id() {
        return id;
    }

    Item item() {
        return item;
    }

    /** Replaces what the wire shows; the words of speech that was cut do not come back. */
    void become(Item now) {
        item = truncated ? withoutTranscript(now) : now;
    }

    /** How long the item sounds; 0 for one without sound. */
    long audioMillis() {
        return audioMillis;
    }

    /** How much of that was loud enough for speech; known for users only. */
    long speechMillis() {
        return speechMillis;
    }

    void sounds(long millis, long ofItSpeech) {
        audioMillis = millis;
        speechMillis = ofItSpeech;
    }

    /** How high that speech was; 0 when it is not known. */
    int hertz() {
        return hertz;
    }

    /** Whether it was no speech at all but a tone. */
    boolean isTone() {
        return tone;
    }

    void pitched(Pitch pitch) {
        hertz = pitch.hertz();
        tone = pitch.isTone();
    }

    /** The sound itself, while there is room to keep it. */
    @Nullable
    ItemAudio audio() {
        return audio;
    }

    void audio(@Nullable ItemAudio sound) {
        audio = sound;
    }

    /** Whether a model has read it before, so that reading it again is cheap. */
    boolean seen() {
        return seen;
    }

    void see() {
        seen = true;
    }

    /** Nothing after so many milliseconds was heard; what the words before them were is not known. */
    void truncate(long millis) {
        audioMillis = millis;
        truncated = true;
        item = withoutTranscript(item);
        if (audio != null) audio = audio.cut(millis * audio.format().bytesPerMillisecond());
    }

    boolean truncated() {
        return truncated;
    }

    /** Letters of all texts in the item: what it costs to keep, apart from its sound. */
    long letters() {
        return switch (item) {
            case Item.Message message ->
                message.content().stream().mapToLong(Entry::letters).sum();
            case Item.FunctionCall call ->
                call.name().length() + call.arguments().length();
            case Item.FunctionCallOutput output -> output.output().length();
            default -> 0;
        };
    }

    /** The item with its sound, as far as it was kept. */
    Item itemWithAudio() {
        return audio != null && item instanceof Item.Message message
                ? withContent(message, withAudio(message.content(), audio.base64()))
                : item;
    }

    /** The user's item with a transcript. */
    static Item withTranscript(Item item, String transcript) {
        return item instanceof Item.Message message
                ? withContent(
                        message,
                        message.content().stream()
                                .map(part -> part instanceof Content.InputAudio spoken
                                        ? new Content.InputAudio(spoken.audio(), transcript)
                                        : part)
                                .toList())
                : item;
    }

    private static long letters(Content part) {
        return switch (part) {
            case Content.InputText text -> text.text().length();
            case Content.OutputText text -> text.text().length();
            case Content.InputImage image -> image.imageUrl().length();
            case Content.InputAudio spoken -> length(spoken.transcript());
            case Content.OutputAudio spoken -> length(spoken.transcript());
            default -> 0;
        };
    }

    private static int length(@Nullable String text) {
        return text == null ? 0 : text.length();
    }

    private static Item withoutTranscript(Item item) {
        return item instanceof Item.Message message
                ? withContent(
                        message,
                        message.content().stream()
                                .map(part -> part instanceof Content.OutputAudio spoken
                                        ? new Content.OutputAudio(spoken.audio(), null)
                                        : part)
                                .toList())
                : item;
    }

    private static List<Content> withAudio(List<Content> content, String base64) {
        return content.stream()
                .map(part -> switch (part) {
                    case Content.InputAudio spoken -> new Content.InputAudio(base64, spoken.transcript());
                    case Content.OutputAudio spoken -> new Content.OutputAudio(base64, spoken.transcript());
                    default -> part;
                })
                .toList();
    }

    private static Item withContent(Item.Message message, List<Content> content) {
        return new Item.Message(message.id(), message.status(), message.role(), content);
    }
}
