package parley.wire;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;

/** Frames put together by hand, so that a test does not believe the code it tests. */
final class Bytes {
    static final int TEXT = 0x81;
    static final int BINARY = 0x82;
    static final int CLOSE = 0x88;
    static final int PING = 0x89;
    static final int PONG = 0x8a;
    private static final int MASK = 0x37fa213d;

    private Bytes() {}

    static byte[] of(String hex) {
        return HexFormat.of().parseHex(hex.replace(" ", ""));
    }

    static byte[] utf8(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    static byte[] frame(boolean masked, int first, byte[] payload) {
        var bytes = ByteBuffer.allocate(14 + payload.length).put((byte) first);
        int maskBit = masked ? 0x80 : 0;
        if (payload.length < 126) {
            bytes.put((byte) (maskBit | payload.length));
        } else if (payload.length < 65536) {
            bytes.put((byte) (maskBit | 126)).putShort((short) payload.length);
        } else {
            bytes.put((byte) (maskBit | 127)).putLong(payload.length);
        }
        if (masked) {
            bytes.putInt(MASK);
            var key = ByteBuffer.allocate(4).putInt(MASK).array();
            for (int at = 0; at < payload.length; at++) {
                bytes.put((byte) (payload[at] ^ key[at % 4]));
            }
        } else {
            bytes.put(payload);
        }
        var whole = new byte[bytes.position()];
        bytes.flip().get(whole);
        return whole;
    }

    static byte[] closing(boolean masked, int code, String reason) {
        return frame(masked, CLOSE, join(new byte[] {(byte) (code >> 8), (byte) code}, utf8(reason)));
    }

    static byte[] join(byte[]... parts) {
        int length = 0;
        for (var part : parts) {
            length += part.length;
        }
        var whole = ByteBuffer.allocate(length);
        for (var part : parts) {
            whole.put(part);
        }
        return whole.array();
    }
}
