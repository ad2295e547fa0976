package parley.session;

import com.fasterxml.jackson.databind.JsonNode;
import io.netty.channel.EventLoop;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;
import parley.protocol.Wire;
import parley.provider.Provider;
import parley.provider.ProviderRefused;
import parley.wire.Frame;
import parley.wire.Port;
import parley.wire.WebSocketClose;

/**
 * A small realtime server: it hears turns (any audio but {@code z}, which is silence, and ends one), makes them items, and
 * begins to answer them; how an answer goes on is the test's. Confined to the loop of its calls.
 */
final class RealtimeServer implements Provider {
    /** A sound of silence. */
    static final char SILENCE = 'z';

    final List<Line> lines = new ArrayList<>();
    /** What was said on which line, for whoever reads a story that went wrong. */
    final List<String> log = new ArrayList<>();

    boolean refuses;
    /** Whether a line heard the caller after a later line had. */
    boolean twoHeard;

    private int hears;
    private int names;

    @Override
    public String name() {
        return "small";
    }

    @Override
    public String defaultModel() {
        return "usual";
    }

    @Override
    public CompletionStage<Port> dial(Call call) {
        if (refuses) {
            return CompletableFuture.failedFuture(new ProviderRefused("rate_limit", "no", true));
        }
        var line = new Line(call.loop());
        lines.add(line);
        call.loop().execute(() -> line.says(Events.created()));
        return CompletableFuture.completedFuture(line);
    }

    /** Lines that nobody has ended. */
    List<Line> open() {
        return lines.stream().filter(line -> line.ending == null).toList();
    }

    private void log(Line line, String what, String event) {
        log.add(lines.indexOf(line) + what + event.replaceFirst("^.*?\"type\":\"([^\"]+)\".*$", "$1"));
    }

    private String name(String kind) {
        return kind + "_" + ++names;
    }

    /** One conversation with it. */
    final class Line implements Port {
        /** What the caller said in this conversation, by its item, spoken or written, told or heard, in order. */
        final Map<String, String> users = new LinkedHashMap<>();
        /** The items of this conversation. */
        final List<String> items = new ArrayList<>();
        /** What it was asked for by Parley itself. */
        int asked;
        /** Results of tools that it was told after its opening. */
        int results;
        /** Requests for an answer while it was answering, by somebody who had heard that it was. */
        int collisions;

        boolean mute;

        @Nullable
        String answering;

        private final EventLoop loop;
        private final ArrayDeque<Frame> inbox = new ArrayDeque<>();
        private final CompletableFuture<WebSocketClose> closed = new CompletableFuture<>();
        private final StringBuilder heard = new StringBuilder();
        private @Nullable String speech;
        private @Nullable String saying;
        private int said;
        private long toldMs;
        private boolean discarding;
        private @Nullable WebSocketClose ending;
        private @Nullable Runnable onReadable;
        private @Nullable Runnable onWritable;

        Line(EventLoop loop) {
            this.loop = loop;
        }

        // ---- what the test makes it do

        /** Some more of the answer, if there is one. */
        void goesOn() {
            if (answering != null && !mute) {
                saying = saying == null ? name("item") : saying;
                says(Events.words(answering, saying, " word" + ++said));
                says(Events.audio(answering, saying, 100));
            }
        }

        void finishes() {
            if (answering != null && !mute) {
                if (saying == null) {
                    goesOn();
                }
                end("completed");
            }
        }

        /** Calls a tool instead of an answer. */
        void callsTool() {
            if (answering != null && !mute) {
                var item = name("item");
                items.add(item);
                says(Events.outputItemDone(answering, Events.call(item, name("call"), "completed")));
                end("completed");
            }
        }

        void isCut() {
            end(new WebSocketClose(WebSocketClose.LOST, "", true));
        }

        private void begins() {
            answering = name("resp");
            says(Events.begun(answering));
        }

        private void stops() {
            if (answering != null) {
                end("cancelled");
            }
        }

        private void end(String status) {
            var response = String.valueOf(answering);
            if (saying != null) {
                items.add(saying);
                var item = Events.agentItem(
                        saying, status.equals("completed") ? "completed" : "incomplete", "all the words");
                says(Events.outputItemDone(response, item));
                says(Events.itemDone(item));
            }
            saying = null;
            answering = null;
            says(Events.done(response, status));
        }

        // ---- what it hears

        private void hears(JsonNode event) {
            var id = event.path("event_id").asText();
            switch (event.path("type").asText()) {
                case "session.update" -> says(Events.updated());
                case "input_audio_buffer.append" -> {
                    var audio = event.path("audio").asText();
                    toldMs += audio.length() / 64;
                    sound(audio.charAt(0));
                }
                case "conversation.item.create" -> created(event.path("item"));
                case "conversation.item.delete" -> deleted(event.path("item_id").asText(), id);
                case "response.create" -> {
                    asked += id.startsWith("parley_") ? 1 : 0;
                    if (answering != null) {
                        collisions += inbox.isEmpty() ? 1 : 0;
                        says(Events.error(id));
                    } else {
                        begins();
                    }
                }
                case "response.cancel" -> stops();
                case "conversation.item.truncate" -> {
                    if (!items.contains(event.path("item_id").asText())) {
                        says(Events.error(id));
                    }
                }
                default -> {}
            }
        }

        private void sound(char sound) {
            twoHeard |= lines.indexOf(this) < hears;
            hears = Math.max(hears, lines.indexOf(this));
            if (sound != SILENCE) {
                if (speech == null) {
                    speech = name("item");
                    heard.setLength(0);
                    says(Events.speechStarted(speech));
                    stops();
                }
                if (heard.indexOf(String.valueOf(sound)) < 0) {
                    heard.append(sound);
                }
            } else if (speech != null) {
                var item = speech;
                speech = null;
                stops();
                says(Events.speechStopped(item, toldMs));
                says(Events.committed(item));
                items.add(item);
                users.put(item, heard.toString());
                says(Events.itemDone(Events.spokenItem(item).replace("null}]", "\"" + heard + "\"}]")));
                begins();
            }
        }

        private void created(JsonNode item) {
            var id = item.has("id") ? item.path("id").asText() : name("item");
            items.add(id);
            if (item.path("type").asText().equals("function_call_output")) {
                results++;
            }
            if (item.path("role").asText().equals("user")) {
                users.put(id, item.path("content").path(0).path("text").asText());
            }
            var done = ((com.fasterxml.jackson.databind.node.ObjectNode) item.deepCopy()).put("id", id);
            says(Events.itemDone(done.toString()));
        }

        private void deleted(String item, String about) {
            users.remove(item);
            says(items.remove(item) ? Events.itemDeleted(item) : Events.error(about));
        }

        void says(String text) {
            if (!discarding && ending == null) {
                log(this, ">", text);
                inbox.add(Frame.text(text));
                run(onReadable);
            }
        }

        // ---- Parley's end

        @Override
        public EventLoop loop() {
            return loop;
        }

        @Override
        public @Nullable Frame poll() {
            return inbox.poll();
        }

        @Override
        public boolean isWritable() {
            return ending == null;
        }

        @Override
        public void send(Frame frame) {
            var text = frame.utf8();
            frame.release();
            log(this, "<", text);
            var event = Wire.parse(text.getBytes(StandardCharsets.UTF_8));
            if (ending == null && !mute) {
                hears(event);
            }
        }

        @Override
        public @Nullable WebSocketClose ending() {
            return ending;
        }

        @Override
        public void onReadable(@Nullable Runnable listener) {
            onReadable = listener;
        }

        @Override
        public void onWritable(@Nullable Runnable listener) {
            onWritable = listener;
        }

        @Override
        public void discard() {
            discarding = true;
            inbox.forEach(Frame::release);
            inbox.clear();
        }

        @Override
        public void close(int code, String reason) {
            loop.execute(() -> end(new WebSocketClose(code, reason, false)));
        }

        @Override
        public CompletionStage<WebSocketClose> closed() {
            return closed;
        }

        private void end(WebSocketClose close) {
            if (ending == null) {
                log(this, " ends ", String.valueOf(close.code()));
                ending = close;
                closed.complete(close);
                run(onReadable);
                run(onWritable);
            }
        }

        private static void run(@Nullable Runnable listener) {
            if (listener != null) {
                listener.run();
            }
        }
    }
}
