package parley.gateway;

import java.io.BufferedInputStream;
import java.io.DataInputStream;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;

/** A bare TCP socket that speaks HTTP and WebSocket by hand, so that no client tidies up what is sent. */
final class Line implements AutoCloseable {
    private static final int TEXT = 0x81;
    private static final int CLOSE = 0x88;

    /** @param headers by lower-case name */
    record Reply(int status, Map<String, String> headers, String body) {
        String header(String name) {
            return headers.getOrDefault(name, "");
        }
    }

    /** @param code of a close frame, or 0 */
    record Heard(int code, String text) {}

    private final Socket socket;
    private final DataInputStream in;

    private Line(Socket socket) throws IOException {
        this.socket = socket;
        socket.setSoTimeout(60_000);
        this.in = new DataInputStream(new BufferedInputStream(socket.getInputStream()));
    }

    static Line to(InetSocketAddress address) throws IOException {
        return over(new Socket(address.getAddress(), address.getPort()));
    }

    static Line over(Socket socket) throws IOException {
        return new Line(socket);
    }

    /** A request without a body; an empty header leaves the Host out. */
    Reply ask(String method, String target, String... headers) throws IOException {
        write(method + " " + target + " HTTP/1.1\r\n" + host(headers) + lines(headers) + "\r\n");
        return reply(method.equals("HEAD"));
    }

    Reply post(String target, String body, String... headers) throws IOException {
        var bytes = body.getBytes(StandardCharsets.UTF_8);
        write("POST " + target + " HTTP/1.1\r\n" + host(headers) + lines(headers) + "Content-Length: " + bytes.length
                + "\r\n\r\n" + body);
        return reply(false);
    }

    /** An upgrade as a client of RFC 6455 sends it, with these headers besides. */
    Reply upgrade(String target, String... headers) throws IOException {
        return ask(
                "GET",
                target,
                and(
                        new String[] {
                            "Connection: Upgrade",
                            "Upgrade: websocket",
                            "Sec-WebSocket-Version: 13",
                            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="
                        },
                        headers));
    }

    void write(String text) throws IOException {
        socket.getOutputStream().write(text.getBytes(StandardCharsets.ISO_8859_1));
    }

    Reply reply(boolean bodiless) throws IOException {
        var head = new StringBuilder();
        while (!head.toString().endsWith("\r\n\r\n")) {
            head.append((char) in.readUnsignedByte());
        }
        var lines = head.toString().split("\r\n");
        var headers = new TreeMap<String, String>();
        for (int line = 1; line < lines.length; line++) {
            int colon = lines[line].indexOf(':');
            headers.merge(
                    lines[line].substring(0, colon).toLowerCase(Locale.ROOT),
                    lines[line].substring(colon + 1).strip(),
                    (one, other) -> one + ", " + other);
        }
        var body = new byte[bodiless ? 0 : Integer.parseInt(headers.getOrDefault("content-length", "0"))];
        in.readFully(body);
        return new Reply(Integer.parseInt(lines[0].split(" ")[1]), headers, new String(body, StandardCharsets.UTF_8));
    }

    void say(String text) throws IOException {
        frame(TEXT, text.getBytes(StandardCharsets.UTF_8));
    }

    void hangUp() throws IOException {
        frame(CLOSE, new byte[] {0x03, (byte) 0xe8});
    }

    /** With a mask of zeros, which changes nothing. */
    private void frame(int first, byte[] payload) throws IOException {
        var bytes = ByteBuffer.allocate(8 + payload.length).put((byte) first);
        if (payload.length < 126) {
            bytes.put((byte) (0x80 | payload.length));
        } else {
            bytes.put((byte) (0x80 | 126)).putShort((short) payload.length);
        }
        bytes.putInt(0).put(payload);
        socket.getOutputStream().write(bytes.array(), 0, bytes.position());
    }

    Heard hear() throws IOException {
        int first = in.readUnsignedByte();
        int length = in.readUnsignedByte();
        length = length == 126 ? in.readUnsignedShort() : length;
        var payload = new byte[length];
        in.readFully(payload);
        int skip = first == CLOSE && length >= 2 ? 2 : 0;
        int code = skip == 0 ? 0 : ByteBuffer.wrap(payload).getChar();
        return new Heard(code, new String(payload, skip, length - skip, StandardCharsets.UTF_8));
    }

    /** Drops the connection with a reset, as a killed process does. */
    void kill() throws IOException {
        socket.setSoLinger(true, 0);
        socket.close();
    }

    String host() {
        return "127.0.0.1:" + socket.getPort();
    }

    @Override
    public void close() throws IOException {
        socket.close();
    }

    private String host(String[] headers) {
        for (var header : headers) {
            if (header.toLowerCase(Locale.ROOT).startsWith("host:") || header.isEmpty()) {
                return "";
            }
        }
        return "Host: " + host() + "\r\n";
    }

    private static String lines(String[] headers) {
        var lines = new StringBuilder();
        for (var header : headers) {
            if (!header.isEmpty()) {
                lines.append(header).append("\r\n");
            }
        }
        return lines.toString();
    }

    static String[] and(String[] some, String... others) {
        return java.util.stream.Stream.concat(java.util.Arrays.stream(some), java.util.Arrays.stream(others))
                .toArray(String[]::new);
    }
}
