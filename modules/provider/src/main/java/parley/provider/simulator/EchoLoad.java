package parley.provider.simulator;

import io.netty.buffer.ByteBuf;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;
import parley.protocol.EventType;
import parley.protocol.Ids;
import parley.protocol.Peek;
import parley.protocol.ServerEvent;
import parley.protocol.Wire;
import parley.wire.Frame;
import parley.wire.Loops;

/**
 * Load mode: the base64 of an append is copied, undecoded, behind the head of a delta that was written once.
 *
 * <p>All deltas of a connection have the same response and item; event id and {@code output_index} count up from 0.
 */
final class EchoLoad {

    private static final String EVENT_MARK = "event_mark";
    private static final int INDEX_MARK = 999_999_999;
    private static final String AUDIO_MARK = "AUDIO";
    private static final int LONGEST_NUMBER = 20;

    private final Peek peek = new Peek();
    private final byte[] beforeEventId;
    private final byte[] beforeIndex;
    private final byte[] beforeAudio;
    private final byte[] end;
    private long count;

    EchoLoad() {
        var event = Wire.json(new ServerEvent.ResponseOutputAudioDelta(
                EVENT_MARK, Ids.response(), Ids.item(), INDEX_MARK, 0, AUDIO_MARK));
        int eventId = event.indexOf(EVENT_MARK);
        int index = event.indexOf(String.valueOf(INDEX_MARK), eventId);
        int audio = event.indexOf(AUDIO_MARK, index);
        if (eventId < 0 || index < 0 || audio < 0) throw new IllegalStateException("delta: fields in another order");
        beforeEventId = utf8(event.substring(0, eventId) + "event_");
        beforeIndex = utf8(event.substring(eventId + EVENT_MARK.length(), index));
        beforeAudio = utf8(event.substring(index + String.valueOf(INDEX_MARK).length(), audio));
        end = utf8(event.substring(audio + AUDIO_MARK.length()));
    }

    /** The same audio as a delta, or null when the frame is something else. The frame stays the caller's. */
    @Nullable
    Frame echo(Frame frame) {
        var view = frame.view();
        int start = view.position();
        boolean audio = peek.scan(view, start, frame.length())
                && peek.type() == EventType.INPUT_AUDIO_BUFFER_APPEND
                && peek.hasAudio();
        if (!audio) return null;
        int heads = beforeEventId.length + beforeIndex.length + beforeAudio.length + end.length;
        var out = Frame.allocate(Loops.ALLOCATOR, heads + 2 * LONGEST_NUMBER + peek.audioLength());
        out.writeBytes(beforeEventId);
        write(out, count);
        out.writeBytes(beforeIndex);
        write(out, count);
        out.writeBytes(beforeAudio);
        var buffer = frame.buffer();
        out.writeBytes(buffer, buffer.readerIndex() + peek.audioOffset() - start, peek.audioLength());
        out.writeBytes(end);
        count++;
        return Frame.text(out);
    }

    private static void write(ByteBuf out, long number) {
        long power = 1;
        while (number / power >= 10) power *= 10;
        for (; power > 0; power /= 10) out.writeByte((int) ('0' + number / power % 10));
    }

    private static byte[] utf8(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }
}
