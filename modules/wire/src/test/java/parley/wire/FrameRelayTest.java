package parley.wire;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import io.netty.channel.embedded.EmbeddedChannel;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What is read in one role and written in the other, without a copy between. */
@Tag("unit")
@ExtendWith(NoLeaks.class)
class FrameRelayTest {
    @ParameterizedTest
    @CsvSource({"true, 1", "true, 5", "false, 1", "false, 5"})
    void framesThatCameInOneReadKeepOutOfEachOthersBytes(boolean towardsServer, int count) {
        var said = IntStream.range(0, count)
                .mapToObj(number -> Integer.toString(number).repeat(50 + 400 * number))
                .toList();
        // A server's frames have short headers, which a client's longer ones must not outgrow into a neighbour.
        var received = read(!towardsServer, write(!towardsServer, said));

        var passedOn = read(towardsServer, write(towardsServer, received));

        assertThat(passedOn.stream().map(FrameRelayTest::taken)).containsExactlyElementsOf(said);
    }

    private static ByteBuf write(boolean masks, List<?> messages) {
        var channel = new EmbeddedChannel();
        var writer = new FrameWriter(masks, Loops.ALLOCATOR);
        // All are written before any is looked at: a header in a neighbour's bytes would show.
        messages.forEach(message ->
                writer.write(channel, message instanceof Frame frame ? frame : Frame.text(message.toString())));
        channel.flush();
        var all = Loops.ALLOCATOR.directBuffer();
        for (ByteBuf part = channel.readOutbound(); part != null; part = channel.readOutbound()) {
            all.writeBytes(part);
            part.release();
        }
        return all;
    }

    private static List<Frame> read(boolean masked, ByteBuf bytes) {
        var frames = new ArrayList<Frame>();
        new FrameReader(masked, 1 << 20, Loops.ALLOCATOR).read(bytes, new FrameReader.Listener() {
            @Override
            public void onFrame(Frame frame) {
                frames.add(frame);
            }

            @Override
            public void onPing(ByteBuf payload) {
                throw new AssertionError("a ping");
            }

            @Override
            public void onClose(int code, String reason) {
                throw new AssertionError("a close");
            }

            @Override
            public void onViolation(int code, String reason) {
                throw new AssertionError(reason);
            }
        });
        return frames;
    }

    private static String taken(Frame frame) {
        var text = frame.utf8();
        frame.release();
        return text;
    }
}
