package parley.wire;

import java.io.DataInputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/** A bare TCP socket that speaks HTTP and WebSocket byte by byte, on either side. */
final class Raw implements AutoCloseable {
    static final String KEY = "dGhlIHNhbXBsZSBub25jZQ==";

    /** A frame as it stood on the wire, its mask taken off: the code is that of a Close, or 0. */
    record Got(int first, int code, String text, int length) {
        static Got of(int first, byte[] payload) {
            boolean closes = first == Bytes.CLOSE && payload.length >= 2;
            int code = closes ? ByteBuffer.wrap(payload).getChar() : 0;
            int skip = closes ? 2 : 0;
            return new Got(
                    first,
                    code,
                    new String(payload, skip, payload.length - skip, StandardCharsets.UTF_8),
                    payload.length);
        }
    }

    private final Socket socket;
    private final DataInputStream in;

    Raw(Socket socket) throws IOException {
        this.socket = socket;
        socket.setSoTimeout(60_000);
        socket.setTcpNoDelay(true);
        this.in = new DataInputStream(new java.io.BufferedInputStream(socket.getInputStream()));
    }

    static Raw to(HttpServer server) throws IOException {
        var socket = new Socket();
        socket.setReceiveBufferSize(64 * 1024);
        socket.connect(new InetSocketAddress(
                InetAddress.getLoopbackAddress(), server.address().getPort()));
        return new Raw(socket);
    }

    static Raw upgraded(HttpServer server) throws IOException {
        var raw = to(server);
        raw.write(upgrade());
        raw.readHead();
        return raw;
    }

    static byte[] upgrade() {
        return Bytes.utf8("GET / HTTP/1.1\r\nHost: here\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n"
                + "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: " + KEY + "\r\n\r\n");
    }

    void write(byte[]... parts) throws IOException {
        socket.getOutputStream().write(Bytes.join(parts));
    }

    void write(String text) throws IOException {
        write(Bytes.utf8(text));
    }

    /** Up to and with the empty line. */
    String readHead() throws IOException {
        var head = new StringBuilder();
        while (!head.toString().endsWith("\r\n\r\n")) {
            head.append((char) in.readUnsignedByte());
        }
        return head.toString();
    }

    String readText(int length) throws IOException {
        var text = new byte[length];
        in.readFully(text);
        return new String(text, StandardCharsets.UTF_8);
    }

    String readToEnd() throws IOException {
        return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    }

    Got readFrame() throws IOException {
        int first = in.readUnsignedByte();
        int second = in.readUnsignedByte();
        int length = second & 0x7f;
        length = length == 126 ? in.readUnsignedShort() : length == 127 ? (int) in.readLong() : length;
        var mask = new byte[4];
        if ((second & 0x80) != 0) {
            in.readFully(mask);
        }
        var payload = new byte[length];
        in.readFully(payload);
        for (int at = 0; at < length; at++) {
            payload[at] ^= mask[at % 4];
        }
        return Got.of(first, payload);
    }

    /** Whether the other side hung up, cleanly or not, with nothing more to say. */
    boolean isHungUp() throws IOException {
        try {
            return in.read() < 0;
        } catch (java.net.SocketException reset) {
            return true;
        }
    }

    /** Drops the connection with a reset, as a killed process does. */
    void kill() throws IOException {
        socket.setSoLinger(true, 0);
        socket.close();
    }

    @Override
    public void close() throws IOException {
        socket.close();
    }

    static byte[] numbered(int number, int length) {
        var text = Arrays.copyOf(Bytes.utf8("%08d".formatted(number)), length);
        Arrays.fill(text, 8, length, (byte) '.');
        return text;
    }
}
