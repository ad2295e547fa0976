package parley.wire;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import io.netty.channel.embedded.EmbeddedChannel;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

@Tag("unit")
@ExtendWith(NoLeaks.class)
class FrameReaderTest {
    private static final int MAX = 200_000;

    private sealed interface Heard {
        record Message(boolean text, List<Byte> payload) implements Heard {}

        record Ping(String payload) implements Heard {}

        record Closed(int code, String reason) implements Heard {}

        record Violated(int code, String reason) implements Heard {}
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void readsTheSameWhereverTheBytesAreCut(boolean masked) {
        var bytes = Bytes.join(
                Bytes.frame(masked, Bytes.PING, new byte[0]),
                Bytes.frame(masked, Bytes.TEXT, Bytes.utf8("hello")),
                Bytes.frame(masked, Bytes.TEXT, new byte[0]),
                Bytes.frame(masked, Bytes.PONG, Bytes.utf8("unasked")),
                Bytes.frame(masked, Bytes.BINARY, new byte[130]),
                Bytes.frame(masked, 0x01, Arrays.copyOf(Bytes.utf8("gr\u00fc\u00dfe"), 3)),
                Bytes.frame(masked, Bytes.PING, Bytes.utf8("in between")),
                Bytes.frame(masked, 0x00, new byte[0]),
                Bytes.frame(masked, 0x80, Arrays.copyOfRange(Bytes.utf8("gr\u00fc\u00dfe"), 3, 7)),
                Bytes.closing(masked, 1000, "bye"));
        var expected = List.of(
                new Heard.Ping(""),
                text("hello"),
                text(""),
                new Heard.Message(false, boxed(new byte[130])),
                new Heard.Ping("in between"),
                text("gr\u00fc\u00dfe"),
                new Heard.Closed(1000, "bye"));

        for (int cut = 0; cut <= bytes.length; cut++) {
            assertThat(read(masked, Arrays.copyOf(bytes, cut), Arrays.copyOfRange(bytes, cut, bytes.length)))
                    .as("cut at %d", cut)
                    .isEqualTo(expected);
        }
        assertThat(read(masked, singly(bytes))).isEqualTo(expected);
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void anEmptyFrameDoesNotWaitForTheBytesBehindIt(boolean masked) {
        var ping = Bytes.frame(masked, Bytes.PING, new byte[0]);

        assertThat(read(masked, singly(ping))).containsExactly(new Heard.Ping(""));
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void readsWhatTheWriterWroteHoweverItIsCut(boolean masked) {
        var lengths = new int[] {0, 1, 2, 7, 8, 31, 32, 33, 125, 126, 127, 300, 6400, 65535, 65536, 70_000, MAX};
        for (long seed = 0; seed < 8; seed++) {
            var random = new Random(seed);
            var sent = new ArrayList<Heard>();
            var channel = new EmbeddedChannel();
            var writer = new FrameWriter(masked, Loops.ALLOCATOR);
            for (int message = 0; message < 12; message++) {
                var payload = new byte[lengths[random.nextInt(lengths.length)]];
                boolean text = random.nextBoolean();
                if (text) {
                    Arrays.fill(payload, (byte) ('a' + message));
                } else {
                    random.nextBytes(payload);
                }
                sent.add(new Heard.Message(text, boxed(payload)));
                // With room for the header before it, and without.
                var buffer = random.nextBoolean()
                        ? Frame.allocate(Loops.ALLOCATOR, payload.length)
                        : Loops.ALLOCATOR.directBuffer();
                writer.write(channel, Frame.received(buffer.writeBytes(payload), text));
                if (random.nextInt(4) == 0) {
                    writer.writePing(channel);
                    sent.add(new Heard.Ping(""));
                }
            }
            writer.writeClose(channel, 4000, "over");
            sent.add(new Heard.Closed(4000, "over"));

            assertThat(read(masked, cut(written(channel), random)))
                    .as("seed %d", seed)
                    .isEqualTo(sent);
        }
    }

    @ParameterizedTest
    @MethodSource("violations")
    void refusesWhatTheStandardForbids(String what, boolean masked, byte[] bytes, int code, String reason) {
        assertThat(read(masked, bytes)).as(what).last().isEqualTo(new Heard.Violated(code, reason));
        assertThat(read(masked, singly(bytes))).as(what).last().isEqualTo(new Heard.Violated(code, reason));
    }

    static Stream<Arguments> violations() {
        var bits = "reserved bits set without an extension";
        var form = "a length not in its shortest form";
        var tooLong = "a message too long (expected: at most " + MAX + " bytes)";
        return Stream.of(
                arguments("reserved bit 1", false, Bytes.of("c1 00"), 1002, bits),
                arguments("reserved bit 2", false, Bytes.of("a1 00"), 1002, bits),
                arguments("reserved bit 3", false, Bytes.of("91 00"), 1002, bits),
                arguments("a clear client", true, Bytes.of("81 00"), 1002, "a client's frames must be masked"),
                arguments("a masked server", false, Bytes.of("81 80"), 1002, "a server's frames must not be masked"),
                arguments("opcode 3", false, Bytes.of("83 00"), 1002, "no such frame: opcode 3"),
                arguments("opcode 7", false, Bytes.of("87 00"), 1002, "no such frame: opcode 7"),
                arguments("opcode 11", false, Bytes.of("8b 00"), 1002, "no such frame: opcode 11"),
                arguments("a fragmented ping", false, Bytes.of("09 00"), 1002, "no such frame: opcode 9"),
                arguments("a long ping", false, Bytes.of("89 7e 00 7e"), 1002, "no such frame: opcode 9"),
                arguments("125 in 16 bits", false, Bytes.of("82 7e 00 7d"), 1002, form),
                arguments("65535 in 64 bits", false, Bytes.of("82 7f 00 00 00 00 00 00 ff ff"), 1002, form),
                arguments("a negative length", false, Bytes.of("82 7f 80 00 00 00 00 00 00 00"), 1002, form),
                arguments("one byte too many", false, Bytes.of("82 7f 00 00 00 00 00 03 0d 41"), 1009, tooLong),
                arguments("4 GiB and 5", false, Bytes.of("82 7f 00 00 00 01 00 00 00 05"), 1009, tooLong),
                arguments(
                        "fragments longer together than a long",
                        false,
                        Bytes.of("02 01 00 80 7f 7f ff ff ff ff ff ff ff"),
                        1009,
                        tooLong),
                arguments(
                        "fragments too long together",
                        false,
                        Bytes.join(Bytes.frame(false, 0x02, new byte[MAX]), Bytes.frame(false, 0x80, new byte[1])),
                        1009,
                        tooLong),
                arguments("a continuation of nothing", false, Bytes.of("80 00"), 1002, "a continuation of nothing"),
                arguments(
                        "a message inside a message",
                        false,
                        Bytes.of("01 00 81 00"),
                        1002,
                        "a new message inside a fragmented one"),
                arguments("bad text", false, Bytes.of("81 02 c3 28"), 1007, "text that is not UTF-8"),
                arguments("a surrogate", false, Bytes.of("81 03 ed a0 80"), 1007, "text that is not UTF-8"),
                arguments("text that ends early", false, Bytes.of("81 02 61 c3"), 1007, "text that is not UTF-8"),
                arguments(
                        "bad text over fragments",
                        false,
                        Bytes.of("01 01 c3 80 01 28"),
                        1007,
                        "text that is not UTF-8"),
                arguments("a close of one byte", false, Bytes.of("88 01 03"), 1002, "no such close code"),
                arguments(
                        "a bad close reason",
                        false,
                        Bytes.of("88 04 03 e8 c3 28"),
                        1007,
                        "a close reason that is not UTF-8"));
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65535})
    void refusesACloseCodeThatMustNotBeSent(int code) {
        assertThat(read(true, Bytes.closing(true, code, "")))
                .containsExactly(new Heard.Violated(1002, "no such close code"));
    }

    @ParameterizedTest
    @ValueSource(ints = {1000, 1001, 1002, 1003, 1007, 1011, 1014, 3000, 4999})
    void takesEveryCloseCodeThatMayBeSent(int code) {
        assertThat(read(true, Bytes.closing(true, code, "why"))).containsExactly(new Heard.Closed(code, "why"));
    }

    @Test
    void aCloseWithoutACodeHasNone() {
        assertThat(read(false, Bytes.of("88 00"))).containsExactly(new Heard.Closed(1005, ""));
    }

    @Test
    void readsNothingBehindAClose() {
        assertThat(read(false, Bytes.of("88 00 81 01 61"))).containsExactly(new Heard.Closed(1005, ""));
    }

    @Test
    void readsNothingBehindAViolation() {
        assertThat(read(false, Bytes.of("83 00 81 01 61"))).hasSize(1);
    }

    @Test
    void aMessageOfExactlyTheLimitIsTaken() {
        var bytes = Bytes.frame(true, Bytes.BINARY, new byte[MAX]);

        assertThat(read(true, bytes)).containsExactly(new Heard.Message(false, boxed(new byte[MAX])));
    }

    @Test
    void aLongReasonIsCutBetweenCharacters() {
        var channel = new EmbeddedChannel();

        new FrameWriter(false, Loops.ALLOCATOR).writeClose(channel, 1008, "x" + "\u20ac".repeat(100));

        assertThat(read(false, written(channel))).containsExactly(new Heard.Closed(1008, "x" + "\u20ac".repeat(40)));
    }

    @Test
    void aCodeThatMustNotBeSentIsNotSent() {
        var channel = new EmbeddedChannel();
        var writer = new FrameWriter(false, Loops.ALLOCATOR);

        writer.writeClose(channel, WebSocketClose.NO_CODE, "");
        assertThat(written(channel)).isEqualTo(Bytes.of("88 00"));

        writer.writeClose(channel, WebSocketClose.LOST, "");
        assertThat(written(channel)).isEqualTo(Bytes.of("88 02 03 f3"));
    }

    private static List<Heard> read(boolean masked, byte[]... segments) {
        var heard = new ArrayList<Heard>();
        var reader = new FrameReader(masked, MAX, Loops.ALLOCATOR);
        var listener = new FrameReader.Listener() {
            @Override
            public void onFrame(Frame frame) {
                heard.add(new Heard.Message(frame.isText(), boxed(frame.bytes())));
                frame.release();
            }

            @Override
            public void onPing(ByteBuf payload) {
                heard.add(new Heard.Ping(payload.toString(StandardCharsets.UTF_8)));
            }

            @Override
            public void onClose(int code, String reason) {
                heard.add(new Heard.Closed(code, reason));
            }

            @Override
            public void onViolation(int code, String reason) {
                heard.add(new Heard.Violated(code, reason));
            }
        };
        for (var segment : segments) {
            reader.read(Loops.ALLOCATOR.directBuffer().writeBytes(segment), listener);
        }
        reader.close();
        return heard;
    }

    private static byte[] written(EmbeddedChannel channel) {
        channel.flush();
        var all = Unpooled.buffer();
        for (ByteBuf part = channel.readOutbound(); part != null; part = channel.readOutbound()) {
            all.writeBytes(part);
            part.release();
        }
        return ByteBufUtil.getBytes(all);
    }

    private static byte[][] singly(byte[] bytes) {
        var parts = new byte[bytes.length][];
        for (int at = 0; at < bytes.length; at++) {
            parts[at] = new byte[] {bytes[at]};
        }
        return parts;
    }

    private static byte[][] cut(byte[] bytes, Random random) {
        var parts = new ArrayList<byte[]>();
        for (int at = 0; at < bytes.length; ) {
            int end = Math.min(bytes.length, at + 1 + random.nextInt(random.nextBoolean() ? 20 : 70_000));
            parts.add(Arrays.copyOfRange(bytes, at, end));
            at = end;
        }
        return parts.toArray(byte[][]::new);
    }

    private static Heard text(String text) {
        return new Heard.Message(true, boxed(Bytes.utf8(text)));
    }

    private static List<Byte> boxed(byte[] bytes) {
        var boxed = new Byte[bytes.length];
        Arrays.setAll(boxed, at -> bytes[at]);
        return List.of(boxed);
    }
}
