package parley.session;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.databind.node.TextNode;
import io.netty.channel.EventLoop;
import java.io.UncheckedIOException;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import parley.protocol.EventType;
import parley.protocol.Ids;
import parley.protocol.MalformedEvent;
import parley.protocol.Peek;
import parley.protocol.ServerEvent;
import parley.protocol.SessionConfig;
import parley.protocol.Wire;
import parley.wire.Frame;
import parley.wire.LogFields;
import parley.wire.Port;
import parley.wire.WebSocketClose;

/**
 * A conversation's side towards the caller: one line, or none for a while, and what waits for whoever sits there.
 *
 * <p>Who comes back is told what was missed; who never left but whose node lost the session, only that. Reads what the
 * caller says, answers what is nobody else's business, and passes on the rest. Confined to the conversation's loop.
 */
final class CallerSide {
    /** Who listens to the caller. Called on the loop. */
    interface Listener {
        /** @return whether it goes on to whoever answers */
        boolean audio(Frame frame, Peek peek);

        /**
         * An event that is no audio; {@code event} is what the frame holds.
         *
         * @return whether it was taken
         */
        boolean control(Frame frame, ObjectNode event, Peek peek);

        /** Whether the caller may say more now. */
        boolean mayHear();

        /** A frame has left for the caller. */
        void taken();

        /** There is room again for what the provider says. */
        void providerMayGoOn();

        /** Somebody sits there, and listens. */
        void seated(String seat);

        /** Another caller takes the place of the one that was there. */
        void superseded();

        /** Nobody does any more. */
        void left(String seat, int code);
    }

    /** What a caller is told when the session has begun, apart from going on. */
    private record Introduction(boolean created, boolean again, boolean history, Set<String> toldAnew) {
        static final Introduction NONE = new Introduction(false, false, false, Set.of());
    }

    /** The same for all: nothing is made of it for each frame. */
    private static final String AUDIO_TAKEN = "{\"type\":\"ack\",\"acked\":\"input_audio_buffer.append\"}";

    private static final WebSocketClose TOO_FAST = new WebSocketClose(4429, "rate_limited", false);
    private static final WebSocketClose SUPERSEDED = new WebSocketClose(4001, "resumed elsewhere", false);

    private final EventLoop loop;
    private final LogFields concerned;
    private final SessionId id;
    private final Face face;
    private final SessionSettings settings;
    private final SessionMetrics metrics;
    private final Listener listener;
    private final boolean orderly;
    private final ToCaller toCaller;
    private final Peek peek = new Peek();
    private final CallerLine nobody;
    private final Runnable readable = this::readable;
    private volatile CallerLine line;
    private Introduction introduction = Introduction.NONE;
    private String lastSeat = "";
    private int leftWith = WebSocketClose.LOST;
    private long order;
    private boolean seatedOnce;
    private @Nullable WebSocketClose closing;

    /**
     * @param seq the number of the last event that an earlier host of the session gave
     * @param orderly whether there was none, or it let go in good order
     */
    CallerSide(
            EventLoop loop,
            LogFields concerned,
            SessionId id,
            Face face,
            Room room,
            Listener listener,
            long seq,
            boolean orderly) {
        this.loop = loop;
        this.concerned = concerned;
        this.id = id;
        this.face = face;
        this.settings = room.settings();
        this.metrics = room.metrics();
        this.listener = listener;
        this.orderly = orderly;
        this.toCaller = new ToCaller(face, room.settings(), room.metrics(), seq);
        this.nobody = new CallerLine("", false);
        this.line = nobody;
    }

    /** What waits for the caller. Whoever adds to it calls {@link #readable}. */
    ToCaller queue() {
        return toCaller;
    }

    boolean isThere() {
        return line != nobody;
    }

    boolean hasBeenThere() {
        return seatedOnce;
    }

    /** The seat that was taken last; "" before the first. */
    String seat() {
        return lastSeat;
    }

    /** How the last line ended, when nobody is there. */
    int leftWith() {
        return leftWith;
    }

    // ---- coming and going

    /**
     * The caller's end of the line, replacing an earlier one, which is closed as superseded.
     *
     * @param begun the session as the caller knows it; null when it has not begun yet
     */
    Port seat(String name, Conversations.Seat seat, @Nullable SessionConfig begun, SessionState.Live soFar) {
        if (seat.order() < order) {
            var late = new CallerLine(name, false);
            late.finish(SUPERSEDED);
            return late;
        }
        order = seat.order();
        if (line != nobody) {
            line.finish(SUPERSEDED);
            listener.superseded();
        }
        if (!face.guided() && seatedOnce && seat.manner() == Conversations.Manner.BACK) {
            toCaller.anotherClient();
        }
        line = new CallerLine(name, seat.acks() && face.guided());
        lastSeat = name;
        introduction = introduce(seat, soFar);
        if (begun != null && closing == null) {
            begun(begun, soFar);
        }
        seatedOnce = true;
        if (closing != null) {
            line.finishWhenDrained(closing);
        }
        return line;
    }

    private Introduction introduce(Conversations.Seat seat, SessionState.Live soFar) {
        if (seat.manner() == Conversations.Manner.FIRST) {
            toCaller.present(seat.lastSeq());
            if (seat.welcome() != null) {
                toCaller.first(Frame.text(seat.welcome()));
            }
            return new Introduction(true, false, false, Set.of());
        }
        var resumption = toCaller.present(seat.lastSeq(), orderly || seatedOnce, seatedOnce, System.nanoTime());
        if (!face.guided()) {
            return seat.manner() == Conversations.Manner.BACK
                    ? new Introduction(true, true, true, Set.of())
                    : Introduction.NONE;
        }
        boolean recovered = resumption.recovered();
        boolean back = seat.manner() == Conversations.Manner.BACK;
        if (back && seat.welcome() != null) {
            toCaller.aboutConnection(seat.welcome());
        }
        if (back || !recovered) {
            toCaller.aboutConnection(resumed(resumption, recovered, soFar));
        }
        (recovered ? metrics.resumesRecovered : metrics.resumesNotRecovered).increment();
        if (!recovered && resumption.elsewhere()) {
            metrics.resumesElsewhere.increment();
        }
        return new Introduction(back || !recovered, true, !recovered, resumption.toldAnew());
    }

    private String resumed(ToCaller.Resumption resumption, boolean recovered, SessionState.Live soFar) {
        var event = JsonNodeFactory.instance.objectNode().put("type", "session.resumed");
        event.put("recovered", recovered).put("epoch", soFar.hosting().epoch());
        if (recovered) {
            event.put("replayed", resumption.replayed());
        } else {
            event.put("reason", resumption.elsewhere() ? "node_lost" : "window_exceeded");
            event.put("history", History.turns(soFar, resumption.toldAnew()).size());
            if (!resumption.elsewhere() && resumption.missedEvents() >= 0) {
                var missed = event.putObject("missed").put("events", resumption.missedEvents());
                if (resumption.missedAudioMs() >= 0) {
                    missed.put("audio_ms", resumption.missedAudioMs());
                } else {
                    missed.putNull("audio_ms");
                }
            } else {
                event.putNull("missed");
            }
        }
        return Wire.json(event);
    }

    /** The session has begun: whoever was introduced before hears of it. */
    void begun(SessionConfig session, SessionState.Live soFar) {
        var due = introduction;
        introduction = Introduction.NONE;
        if (due.created()) {
            var created = new ServerEvent.SessionCreated(Ids.event(), ours(session));
            if (face.guided() && due.again()) {
                toCaller.aboutConnection(Wire.json(created));
            } else {
                toCaller.inHistory(Frame.text(Wire.bytes(created)));
            }
        }
        if (due.history()) {
            History.forCaller(soFar, due.toldAnew())
                    .forEach(event -> toCaller.inHistory(Frame.text(Wire.bytes(event))));
        }
        readable();
    }

    /** An item of an answer that this caller did not hear begin: it is told of it as the history would. */
    void learns(String itemId, SessionState.Live soFar) {
        History.ofItem(soFar, itemId).forEach(event -> toCaller.inHistory(Frame.text(Wire.bytes(event))));
        readable();
    }

    /** The provider states the session anew. */
    void updated(ServerEvent.SessionUpdated event) {
        var updated = new ServerEvent.SessionUpdated(event.eventId(), ours(event.session()));
        toCaller.fromOutside(Frame.text(Wire.bytes(updated)));
        readable();
    }

    /** Towards the caller a session has one name for all its life, whoever serves it. */
    private SessionConfig ours(SessionConfig session) {
        return session.with("id", TextNode.valueOf(id.value()));
    }

    /** It takes longer than a moment to find a provider. */
    void reconnecting() {
        if (face.guided() && isThere()) {
            toCaller.aboutConnection("{\"type\":\"session.reconnecting\",\"what\":\"provider\"}");
            readable();
        }
    }

    /** An event about the session, ahead of what waits. */
    void say(ServerEvent event) {
        toCaller.urgent(Frame.text(Wire.bytes(event)));
        readable();
    }

    /** The same of an event that the protocol does not know; only a guided caller does. */
    void say(String event) {
        if (face.guided()) {
            toCaller.urgent(Frame.text(event));
            readable();
        }
    }

    /** Something waits for the caller. */
    void readable() {
        if (line == nobody && seatedOnce && !face.guided()) {
            toCaller.nobodyListens();
        } else {
            line.readable();
        }
    }

    /** The caller may say more. */
    void writable() {
        line.writable();
    }

    /** Ends the line when what waits has been taken; who is on the way to a first seat shall still hear it. */
    void end(WebSocketClose close) {
        closing = close;
        if (line != nobody) {
            line.finishWhenDrained(close);
        } else if (seatedOnce) {
            toCaller.nobodyListens();
        } else {
            loop.schedule(this::forgetLastWords, 30, TimeUnit.SECONDS);
        }
    }

    /** Ends the line at once: whoever holds the session now talks to the caller. */
    void drop(WebSocketClose close) {
        closing = close;
        toCaller.nobodyListens();
        line.finish(close);
        line = nobody;
    }

    private void forgetLastWords() {
        if (line == nobody) {
            toCaller.nobodyListens();
        }
    }

    // ---- what the caller says

    private void hear(Frame frame) {
        metrics.framesIn.increment();
        if (!frame.isText()) {
            frame.release();
            line.dismiss(new WebSocketClose(
                    WebSocketClose.UNSUPPORTED_DATA, "binary frame (expected: one JSON event per text frame)", false));
            return;
        }
        var bytes = frame.view();
        if (!peek.scan(bytes, bytes.position(), frame.length())) {
            complain(frame);
        } else if (peek.type() == EventType.INPUT_AUDIO_BUFFER_APPEND) {
            audio(frame);
        } else {
            control(frame);
        }
    }

    private void audio(Frame frame) {
        var speaker = line;
        if (!speaker.isInTime()) {
            metrics.framesOverRate.increment();
            frame.release();
        } else if (listener.audio(frame, peek)) {
            speaker.ack(AUDIO_TAKEN);
        }
    }

    private void control(Frame frame) {
        try {
            var event = Wire.parse(frame.bytes());
            var speaker = line;
            if (face.guided() && isForUs(event)) {
                frame.release();
                // A ping has its answer, and an ack wants none.
                if (speaker.acks && event.path("type").asText().equals("playback")) {
                    speaker.ack(taken(event));
                }
            } else if (listener.control(frame, event, peek) && speaker.acks) {
                speaker.ack(taken(event));
            }
        } catch (MalformedEvent malformed) {
            complain(frame);
        }
    }

    /** What a guided client says to Parley and not to the provider. */
    private boolean isForUs(ObjectNode event) {
        switch (peek.typeName()) {
            case "ping" -> say("{\"type\":\"pong\"}");
            case "playback" ->
                toCaller.playback(
                        event.path("item_id").asText(), event.path("played_ms").asLong(-1), System.nanoTime());
            case "ack" -> toCaller.acked(event.path("seq").asLong(0));
            default -> {
                return false;
            }
        }
        return true;
    }

    /** Names what was taken, by its type and, where it had one, its id. */
    private static String taken(ObjectNode event) {
        var ack = JsonNodeFactory.instance.objectNode().put("type", "ack");
        ack.set("acked", event.path("type"));
        var id = event.path("event_id");
        if (id.isTextual()) {
            ack.set("event_id", id);
        }
        return Wire.json(ack);
    }

    /** Tells the caller what is wrong with a frame that no provider should see. */
    private void complain(Frame frame) {
        metrics.malformedFrames.increment();
        var body = trouble(frame.bytes());
        frame.release();
        say(new ServerEvent.Error(Ids.event(), body));
    }

    private static ServerEvent.ErrorBody trouble(byte[] event) {
        try {
            Wire.client(event);
        } catch (MalformedEvent malformed) {
            return malformed.body();
        } catch (UncheckedIOException noText) {
            // Said below.
        }
        return new ServerEvent.ErrorBody(
                "invalid_request_error", "invalid_event", "not an event of the realtime protocol", null, null);
    }

    /** What the caller talks to. */
    private final class CallerLine extends Line {
        private final String seat;
        private final boolean acks;
        private final FrameRate rate = new FrameRate(settings.limits(), settings.relinkAudio(), System::nanoTime);
        private boolean heldBack;
        private @Nullable WebSocketClose afterTheRest;

        CallerLine(String seat, boolean acks) {
            super(CallerSide.this.loop, concerned);
            this.seat = seat;
            this.acks = acks;
        }

        /** Ahead of what waits. Held back with the caller, who may say no more while it does not take what it is told. */
        void ack(String event) {
            if (acks && this == line) {
                toCaller.aboutConnection(event);
                CallerSide.this.readable();
            }
        }

        @Override
        public @Nullable Frame poll() {
            if (this != line || ending() != null) {
                return null;
            }
            boolean held = toCaller.isFull();
            boolean flooded = toCaller.isFlooded();
            var frame = toCaller.next(System.nanoTime(), loop(), readable);
            if (frame != null) {
                listener.taken();
                if (held && !toCaller.isFull()) {
                    listener.providerMayGoOn();
                }
                if (flooded && !toCaller.isFlooded()) {
                    writable();
                }
            } else if (afterTheRest != null) {
                finish(afterTheRest);
                toCaller.nobodyListens();
            }
            return frame;
        }

        @Override
        public boolean isWritable() {
            return this == line
                    && closing == null
                    && ending() == null
                    && !heldBack
                    && listener.mayHear()
                    && !toCaller.isFlooded();
        }

        /** Whether a frame of audio is not too early. A strict caller's never is: it is held back instead. */
        boolean isInTime() {
            if (!face.guided()) {
                holdBack(rate.pass());
                return true;
            }
            return switch (rate.take()) {
                case IN_TIME -> true;
                case BEYOND -> {
                    say(tooFast());
                    yield false;
                }
                case STILL_BEYOND -> false;
                case ABUSE -> {
                    dismiss(TOO_FAST);
                    yield false;
                }
            };
        }

        private void holdBack(long nanos) {
            if (nanos > 0 && !heldBack) {
                heldBack = true;
                loop().schedule(
                                () -> {
                                    heldBack = false;
                                    writable();
                                },
                                nanos,
                                TimeUnit.NANOSECONDS);
            }
        }

        private ServerEvent.Error tooFast() {
            return new ServerEvent.Error(
                    Ids.event(),
                    new ServerEvent.ErrorBody(
                            "invalid_request_error",
                            "rate_limited",
                            "audio comes faster than " + settings.limits().framesPerSecond()
                                    + " frames per second: what is more is dropped (expected: longer frames, or fewer)",
                            null,
                            null));
        }

        @Override
        public void send(Frame frame) {
            if (this == line && closing == null) {
                hear(frame);
            } else {
                frame.release();
            }
        }

        /** Whoever sits is there when the line is first listened to. */
        @Override
        public void onReadable(@Nullable Runnable listening) {
            super.onReadable(listening);
            if (listening != null && this == line && closing == null) {
                listener.seated(seat);
            }
        }

        @Override
        void closedByPeer(WebSocketClose close) {
            dismiss(close);
        }

        void dismiss(WebSocketClose close) {
            if (ending() == null) {
                finish(close);
                if (this == line) {
                    leftWith = close.code();
                    line = nobody;
                    if (closing == null) {
                        toCaller.absent();
                    } else {
                        toCaller.nobodyListens();
                    }
                    listener.left(seat, close.code());
                }
            }
        }

        void finishWhenDrained(WebSocketClose close) {
            afterTheRest = close;
            readable();
        }
    }
}
