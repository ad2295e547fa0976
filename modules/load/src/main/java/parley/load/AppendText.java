package parley.load;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import java.nio.charset.StandardCharsets;
import java.util.Base64;

/** The text of an {@code input_audio_buffer.append}, built once and sent many times. */
public final class AppendText {
    private static final String HEAD = "{\"type\":\"input_audio_buffer.append\",\"audio\":\"";
    private static final String TAIL = "\"}";

    private final ByteBuf text;
    private final int audioChars;

    /** The audio must fill whole groups of three bytes, and begin with room for a {@link Stamp}. */
    public AppendText(byte[] pcm) {
        var audio = Base64.getEncoder().encodeToString(pcm);
        var bytes = (HEAD + audio + TAIL).getBytes(StandardCharsets.US_ASCII);
        this.text = Unpooled.unreleasableBuffer(
                Unpooled.directBuffer(bytes.length, bytes.length).writeBytes(bytes));
        this.audioChars = audio.length();
    }

    int audioChars() {
        return audioChars;
    }

    /** A view for one send. The codec masks into a buffer of its own before the send returns, so all sends share it. */
    public ByteBuf shared() {
        return text.duplicate();
    }

    /** As {@link #shared}, after changing the stamp: only for the one event loop that owns this text. */
    ByteBuf stamped(Stamp stamp) {
        stamp.write(text, HEAD.length());
        return text.duplicate();
    }

    /** Whether heard audio equals this one from behind the stamp to its end. */
    boolean sameBehindStamp(ByteBuf heard, int audioAt) {
        return ByteBufUtil.equals(
                text, HEAD.length() + Stamp.CHARS, heard, audioAt + Stamp.CHARS, audioChars - Stamp.CHARS);
    }
}
