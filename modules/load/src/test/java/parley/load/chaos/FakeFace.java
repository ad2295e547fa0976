package parley.load.chaos;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.handler.codec.http.QueryStringDecoder;
import io.netty.handler.codec.http.websocketx.CloseWebSocketFrame;
import io.netty.handler.codec.http.websocketx.TextWebSocketFrame;
import io.netty.handler.codec.http.websocketx.WebSocketServerProtocolHandler.HandshakeComplete;
import java.io.IOException;
import java.net.URI;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import parley.load.EchoServer;
import parley.load.chaos.Account.Role;
import parley.load.chaos.Account.Said;

/**
 * The guided face as docs/protocol.md has it, without a model: a tone and then silence is a turn, and every turn has an
 * answer of half a second. It can be told to do wrong, so that whoever watches it can be watched. One event loop.
 */
final class FakeFace implements AutoCloseable {

    /** What it does wrong. */
    enum Sin {
        NONE,
        /** Leaves out one event when it sends again what was missed. */
        LEAVES_ONE_OUT,
        /** Sends an event again that was seen. */
        REPEATS_ONE,
        /** Answers every turn twice. */
        ANSWERS_TWICE,
        /** Loses what it has heard of a turn when the caller goes away. */
        FORGETS_HALF_TURNS,
        /** Does not write down one turn. */
        WRITES_NOTHING_DOWN,
        /** Knows nobody who comes back. */
        ENDS_SESSIONS
    }

    private static final ObjectMapper JSON = new ObjectMapper();
    private static final int DELTAS = 5;
    private static final String DELTA = "A".repeat(6400);
    private static final int QUIET_FRAMES = 3;

    private final Map<String, Session> sessions = new ConcurrentHashMap<>();
    private final EchoServer server;
    private final Sin sin;
    /** Whether those who come back get what they missed, or the history. */
    private final boolean recovers;

    private FakeFace(Sin sin, boolean recovers) throws Exception {
        this.sin = sin;
        this.recovers = recovers;
        this.server = EchoServer.start(0, Socket::new);
    }

    static FakeFace start(Sin sin, boolean recovers) throws Exception {
        return new FakeFace(sin, recovers);
    }

    URI url() {
        return URI.create("ws://127.0.0.1:" + server.port() + "/");
    }

    /** What REST would say. To be asked when nobody talks any more. */
    Account account(String sessionId) {
        return new Account(List.copyOf(sessions.get(sessionId).journal), 0.1, 0);
    }

    /** Whether every session has heard as many turns. */
    boolean hasHeard(int turns) {
        return sessions.values().stream().allMatch(session -> session.turns.get() >= turns);
    }

    /** Asks everybody to connect anew. */
    void drain() {
        List.copyOf(sessions.values()).forEach(session -> {
            var seat = session.seat;
            if (seat != null) seat.executor().execute(session::drain);
        });
    }

    @Override
    public void close() {
        server.close();
    }

    /** What lives on when a socket does not. */
    private final class Session {
        final String id = "sess_" + (sessions.size() + 1);
        final List<String> sent = new ArrayList<>();
        final List<Said> journal = new ArrayList<>();
        final List<String> history = new ArrayList<>();

        @Nullable
        ChannelHandlerContext seat;

        int loud;
        int quiet;
        int items;
        final AtomicInteger turns = new AtomicInteger();

        @Nullable
        String written;

        void sit(ChannelHandlerContext context, int seen, boolean again) {
            var old = seat;
            seat = context;
            if (!again) {
                say("\"type\":\"voice-welcome\",\"session_id\":\"" + id + "\",\"resume_token\":\"t\",\"epoch\":1");
                say("\"type\":\"session.created\",\"session\":{\"id\":\"" + id + "\"}");
                return;
            }
            if (old != null) {
                old.writeAndFlush(new CloseWebSocketFrame(4001, "resumed elsewhere"))
                        .addListener(ChannelFutureListener.CLOSE);
            }
            at(seen, "\"type\":\"voice-welcome\",\"session_id\":\"" + id + "\",\"resume_token\":\"t\",\"epoch\":1");
            at(
                    seen,
                    "\"type\":\"session.resumed\",\"recovered\":" + recovers + ",\"epoch\":1,\"reason\":\"node_lost\"");
            at(seen, "\"type\":\"session.created\",\"session\":{\"id\":\"" + id + "\"}");
            if (recovers) {
                replay(seen);
            } else {
                history.forEach(this::say);
            }
        }

        private void replay(int seen) {
            // At least two, so that there is something to leave out.
            while (sent.size() < seen + 2) sent.add("\"type\":\"pong\"");
            int from = sin == Sin.LEAVES_ONE_OUT ? seen + 1 : sin == Sin.REPEATS_ONE ? seen - 1 : seen;
            for (int i = from; i < sent.size(); i++) at(i + 1, sent.get(i));
        }

        void drain() {
            at(sent.size(), "\"type\":\"session.draining\",\"deadline_ms\":9000,\"reconnect\":{\"after_ms\":10}");
        }

        void hear(JsonNode event) {
            switch (event.path("type").asText()) {
                case "ping" -> say("\"type\":\"pong\"");
                case "input_audio_buffer.append" -> sound(event.path("audio").asText());
                case "conversation.item.create" -> {
                    written = event.path("item")
                            .path("content")
                            .path(0)
                            .path("text")
                            .asText();
                    user(event.path("item").path("id").asText());
                }
                case "response.create" -> answer(words());
                default -> {}
            }
        }

        private String words() {
            var asked = written == null ? "" : written;
            return asked.startsWith("say exactly: ") ? asked.substring("say exactly: ".length()) : "what a tool said";
        }

        private void sound(String audio) {
            if (audio.startsWith("A".repeat(100))) {
                if (loud > 0 && ++quiet == QUIET_FRAMES) {
                    var item = "item_" + ++items;
                    say("\"type\":\"input_audio_buffer.committed\",\"item_id\":\"" + item + "\"");
                    user(item);
                    loud = 0;
                    answer("so it was");
                    if (sin == Sin.ANSWERS_TWICE) answer("so it was");
                }
            } else {
                loud++;
                quiet = 0;
            }
        }

        private void user(String item) {
            turns.incrementAndGet();
            if (sin != Sin.WRITES_NOTHING_DOWN) journal.add(new Said(Role.USER, item, "", false));
            item("{\"id\":\"" + item + "\",\"type\":\"message\",\"role\":\"user\"}");
        }

        private void item(String item) {
            for (var what : List.of("added", "done")) {
                var event = "\"type\":\"conversation.item." + what + "\",\"item\":" + item;
                history.add(event);
                say(event);
            }
        }

        private void answer(String words) {
            var response = "resp_" + ++items;
            var item = "item_" + ++items;
            if (words.equals("what a tool said")) {
                journal.add(new Said(Role.TOOL_CALL, "", "c", false));
                journal.add(new Said(Role.TOOL_RESULT, "", "c", false));
            }
            journal.add(new Said(Role.AGENT, item, "", false));
            say("\"type\":\"response.created\",\"response\":{\"id\":\"" + response + "\"}");
            item("{\"id\":\"" + item + "\",\"type\":\"message\",\"role\":\"assistant\"}");
            for (int delta = 0; delta < DELTAS; delta++) {
                say("\"type\":\"response.output_audio.delta\",\"response_id\":\"" + response + "\",\"item_id\":\""
                        + item + "\",\"delta\":\"" + DELTA + "\"");
            }
            say("\"type\":\"response.done\",\"response\":{\"id\":\"" + response
                    + "\",\"status\":\"completed\",\"output\":[{\"type\":\"message\",\"content\":[{\"transcript\":\""
                    + words + "\"}]}]}");
        }

        private void say(String event) {
            sent.add(event);
            at(sent.size(), event);
        }

        private void at(int number, String event) {
            if (seat != null) seat.writeAndFlush(new TextWebSocketFrame("{\"seq\":" + number + "," + event + "}"));
        }

        void left(ChannelHandlerContext context) {
            if (!context.equals(seat)) return;
            seat = null;
            if (sin == Sin.FORGETS_HALF_TURNS) loud = 0;
        }
    }

    private final class Socket extends SimpleChannelInboundHandler<TextWebSocketFrame> {
        private @Nullable Session session;

        @Override
        public void userEventTriggered(ChannelHandlerContext context, Object event) {
            if (event instanceof HandshakeComplete handshake) {
                var query = new QueryStringDecoder(handshake.requestUri()).parameters();
                var again = query.get("session_id");
                if (again != null && sin == Sin.ENDS_SESSIONS) {
                    context.writeAndFlush(new CloseWebSocketFrame(4404, "unknown_session"))
                            .addListener(ChannelFutureListener.CLOSE);
                    return;
                }
                session = again == null ? new Session() : sessions.get(again.getFirst());
                sessions.put(session.id, session);
                var seen = query.getOrDefault("last_seq", List.of("0")).getFirst();
                session.sit(context, Integer.parseInt(seen), again != null);
            }
            context.fireUserEventTriggered(event);
        }

        @Override
        protected void channelRead0(ChannelHandlerContext context, TextWebSocketFrame frame) throws IOException {
            if (session != null && context.equals(session.seat)) session.hear(JSON.readTree(frame.text()));
        }

        @Override
        public void channelInactive(ChannelHandlerContext context) {
            if (session != null) session.left(context);
        }
    }
}
