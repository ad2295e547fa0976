package parley.provider.simulator;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Base64;
import parley.protocol.Ids;
import parley.protocol.ServerEvent;
import parley.protocol.Wire;

/**
 * {@code response.output_audio.delta} around a head that is written once: a delta costs one array and one encoding.
 *
 * <p>The text before the base64, and the two characters after it, are cut out of an event that {@link Wire} wrote.
 */
final class AudioDeltas {

    private static final String MARK = "AUDIO";

    private final byte[] beforeId;
    private final byte[] afterId;
    private final byte[] tail;

    AudioDeltas(String responseId, String itemId, int outputIndex) {
        var id = "ID";
        var event = Wire.json(new ServerEvent.ResponseOutputAudioDelta(id, responseId, itemId, outputIndex, 0, MARK));
        int idAt = event.indexOf("\"" + id + "\"") + 1;
        int audioAt = event.lastIndexOf(MARK);
        if (idAt > audioAt) throw new IllegalStateException("event_id: after delta (expected: before it)");
        this.beforeId = utf8(event.substring(0, idAt));
        this.afterId = utf8(event.substring(idAt + id.length(), audioAt));
        this.tail = utf8(event.substring(audioAt + MARK.length()));
    }

    /** An event that carries these bytes. */
    byte[] event(byte[] audio) {
        var id = utf8(Ids.event());
        int head = beforeId.length + id.length + afterId.length;
        var base64 = Base64.getEncoder().encode(audio);
        var event = Arrays.copyOf(beforeId, head + base64.length + tail.length);
        System.arraycopy(id, 0, event, beforeId.length, id.length);
        System.arraycopy(afterId, 0, event, beforeId.length + id.length, afterId.length);
        System.arraycopy(base64, 0, event, head, base64.length);
        System.arraycopy(tail, 0, event, head + base64.length, tail.length);
        return event;
    }

    private static byte[] utf8(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }
}
