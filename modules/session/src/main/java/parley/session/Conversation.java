package parley.session;

import io.netty.channel.EventLoop;
import java.io.UncheckedIOException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import org.apache.pekko.stream.ActorAttributes;
import org.jspecify.annotations.Nullable;
import parley.protocol.ClientEvent;
import parley.protocol.EventType;
import parley.protocol.Ids;
import parley.protocol.Item;
import parley.protocol.MalformedEvent;
import parley.protocol.Peek;
import parley.protocol.Response;
import parley.protocol.ServerEvent;
import parley.protocol.SessionConfig;
import parley.protocol.Wire;
import parley.provider.Provider;
import parley.provider.ProviderRefused;
import parley.wire.Frame;
import parley.wire.Port;
import parley.wire.WebSocketClose;

/**
 * The live half of a session: a line to the caller, a line to the provider, and what has to happen between them.
 *
 * <p>Its story: made when a caller joins; dials; holds the caller's events until the provider's {@code session.created};
 * then passes frames both ways, byte for byte, and tells the entity what became a fact. When the caller speaks over the
 * agent, what waits to be heard is thrown away. It ends when the provider's line ends or the entity says so; the
 * caller's line may end and be replaced meanwhile.
 *
 * <p>Confined to one event loop; {@link #start}, {@link #seat}, {@link #say}, {@link #end} may be called from anywhere.
 * Bounds: to the provider {@code to-provider-frames}, then the caller is held back (a guided face's microphone drops its
 * oldest audio beyond {@code mic-buffer} instead); to the caller {@code to-caller-frames}, for a guided face {@code
 * agent-buffer} of audio, then the provider is held back. Frames for a caller who is not on the line are dropped.
 */
final class Conversation {
    /** What the entity is told. Called on the conversation's loop. */
    interface Reports {
        void facts(List<SessionEvent> facts);

        void callTool(String callId, String name, String arguments);

        void providerEnded(EndReason reason, String detail);

        /** Somebody took the seat, and talks and listens. */
        void callerSeated(String seat);

        void callerEnded(String seat, int code);
    }

    /** Ids of events that Parley sends by itself, so that complaints about them are not the caller's. */
    private static final String OWN = "parley_";

    private final SessionId id;
    private final Face face;
    private final EventLoop loop;
    private final Room room;
    private final SessionSettings settings;
    private final Reports reports;
    private final OpeningScript script;
    private final Witness witness;
    private final Peek peek = new Peek();
    private final ToProvider toProvider;
    private final ToCaller toCaller;
    private final CallerLine nobody = new CallerLine("");
    private final ProviderLine providerLine = new ProviderLine();
    /** Calls of ours without an answer, and the response each came in; "" when that was cancelled. */
    private final Map<String, String> openCalls = new HashMap<>();

    private final String safetyIdentifier;
    private CallerLine callerLine = nobody;
    private @Nullable String model;
    private boolean dialled;
    private boolean seatedOnce;
    private boolean begun;
    /** Whether the provider has said {@code session.created}, and the caller's events may pass. */
    private boolean ready;

    private boolean answering;
    private boolean toolAnswered;
    private boolean over;
    private @Nullable WebSocketClose closing;

    Conversation(
            SessionId id,
            Face face,
            EventLoop loop,
            Room room,
            Reports reports,
            OpeningScript script,
            @Nullable String model,
            String safetyIdentifier) {
        this.id = id;
        this.face = face;
        this.loop = loop;
        this.room = room;
        this.settings = room.settings();
        this.reports = reports;
        this.script = script;
        this.model = model;
        this.safetyIdentifier = safetyIdentifier;
        this.witness = new Witness(model == null ? room.provider().defaultModel() : model, room.prices(), room.clock());
        this.toProvider = new ToProvider(
                settings.toProviderFrames(),
                face.guided() ? settings.micBuffer().toMillis() : Long.MAX_VALUE,
                room.metrics());
        this.toCaller = new ToCaller(face, settings, room.metrics());
    }

    EventLoop loop() {
        return loop;
    }

    Face face() {
        return face;
    }

    /** Dials, or waits a moment for the caller's first event to name the model. */
    void start() {
        room.metrics().live.incrementAndGet();
        loop.execute(() -> {
            if (model != null) {
                dial(model);
            } else {
                loop.schedule(
                        () -> dial(room.provider().defaultModel()),
                        settings.modelWait().toMillis(),
                        TimeUnit.MILLISECONDS);
            }
        });
    }

    /**
     * The caller's end of the line, replacing an earlier one, which is closed as superseded.
     *
     * @param welcome sent first; null for none
     */
    CompletionStage<Port> seat(String seat, @Nullable String welcome) {
        var seated = new CompletableFuture<Port>();
        loop.execute(() -> {
            if (callerLine != nobody) {
                callerLine.finish(new WebSocketClose(4001, "resumed elsewhere", false));
            }
            callerLine = new CallerLine(seat);
            var session = witness.configuration();
            if (seatedOnce && begun && session != null && closing == null) {
                // On every connection a client waits for it.
                toCaller.first(Frame.text(Wire.bytes(new ServerEvent.SessionCreated(Ids.event(), ours(session)))));
            }
            if (welcome != null) {
                toCaller.first(Frame.text(welcome));
            }
            seatedOnce = true;
            if (closing != null) {
                callerLine.finishWhenDrained(closing);
            }
            seated.complete(callerLine);
        });
        return seated;
    }

    /** A tool of ours has answered. */
    void answerTool(String callId, String output) {
        loop.execute(() -> {
            var response = openCalls.remove(callId);
            if (response != null) {
                // After a cancelled response the caller's next turn, or its client, makes the model go on.
                toolAnswered |= !response.isEmpty();
                own(new ClientEvent.ConversationItemCreate(
                        ownId(), null, new Item.FunctionCallOutput(null, null, callId, output)));
                continueAfterTools();
            }
        });
    }

    /** Says something to the caller, ahead of what waits. */
    void say(String event) {
        loop.execute(() -> {
            if (callerLine != nobody && !over) {
                toCaller.urgent(Frame.text(event));
                callerLine.readable();
            }
        });
    }

    /** Ends both lines; what waits for the caller is sent first, audio excepted. */
    void end(WebSocketClose toTheCaller, @Nullable String lastWords) {
        loop.execute(() -> end(toTheCaller, lastWords == null ? List.of() : List.of(Frame.text(lastWords))));
    }

    // ---- the provider's side

    private void dial(String wanted) {
        if (dialled || over) {
            return;
        }
        dialled = true;
        model = wanted;
        CompletionStage<Port> dialling;
        try {
            dialling = room.provider().dial(new Provider.Call(loop, wanted, safetyIdentifier));
        } catch (RuntimeException broken) {
            dialling = CompletableFuture.failedStage(broken);
        }
        dialling.whenComplete((line, failure) -> {
            if (loop.inEventLoop()) {
                answered(line, failure);
            } else {
                loop.execute(() -> answered(line, failure));
            }
        });
    }

    private void answered(@Nullable Port line, @Nullable Throwable failure) {
        if (line == null) {
            refused(ProviderRefused.of(
                    failure == null ? new IllegalStateException("neither a line nor a failure") : failure));
        } else if (over) {
            line.close(WebSocketClose.NORMAL, "");
        } else {
            talk(line);
        }
    }

    private void talk(Port line) {
        loop.schedule(this::readyAnyway, settings.createdWait().toMillis(), TimeUnit.MILLISECONDS);
        providerLine
                .flow()
                .join(line.flow())
                .withAttributes(ActorAttributes.dispatcher(room.loops().dispatcherOf(loop)))
                .run(room.materializer());
    }

    private void refused(ProviderRefused refusal) {
        if (over) {
            return;
        }
        var type = refusal.retryable() ? "server_error" : "invalid_request_error";
        var error = new ServerEvent.Error(
                Ids.event(), new ServerEvent.ErrorBody(type, refusal.code(), refusal.getMessage(), null, null));
        var close = refusal.retryable()
                ? new WebSocketClose(WebSocketClose.TRY_AGAIN_LATER, "no provider: " + refusal.code(), false)
                : new WebSocketClose(4000, type + "." + refusal.code(), false);
        end(close, List.of(Frame.text(Wire.bytes(error))));
        reports.providerEnded(EndReason.PROVIDER_REFUSED, refusal.code());
    }

    private void providerEnded(WebSocketClose close) {
        if (over) {
            return;
        }
        var lost = new ServerEvent.Error(
                Ids.event(),
                new ServerEvent.ErrorBody(
                        "server_error", "upstream_lost", "the provider ended the conversation", null, null));
        // A provider that said why has said it to the caller, too: its words and its code are passed on.
        boolean said = close.byPeer() && close.code() != WebSocketClose.LOST;
        end(
                said ? close : new WebSocketClose(WebSocketClose.INTERNAL_ERROR, "provider lost", false),
                said ? List.of() : List.of(Frame.text(Wire.bytes(lost))));
        reports.providerEnded(EndReason.PROVIDER_LOST, close.code() + " " + close.reason());
    }

    private void readyAnyway() {
        if (ready || over) {
            return;
        }
        if (!script.isEmpty() && !script.hasBegun()) {
            recite(null);
        }
        script.giveUp().ifPresent(this::begin);
        ready = true;
        providerLine.readable();
    }

    private void fromProvider(Frame frame) {
        room.metrics().framesOut.increment();
        if (!frame.isText()) {
            // The language has none, and clients of it break on them.
            frame.release();
        } else if (!isEvent(frame)) {
            toCaller.control(frame);
        } else {
            switch (peek.type()) {
                case RESPONSE_OUTPUT_AUDIO_DELTA -> agentAudio(frame);
                case RESPONSE_OUTPUT_AUDIO_TRANSCRIPT_DELTA,
                        RESPONSE_OUTPUT_TEXT_DELTA,
                        RESPONSE_FUNCTION_CALL_ARGUMENTS_DELTA -> toCaller.control(frame);
                case CONVERSATION_ITEM_INPUT_AUDIO_TRANSCRIPTION_DELTA -> toCaller.event(frame, peek.type());
                default -> event(frame, peek.type());
            }
        }
        if (seatedOnce && callerLine == nobody) {
            toCaller.nobodyListens();
        } else {
            callerLine.readable();
        }
    }

    /** Looks at a frame: {@link #peek} speaks of it afterwards. */
    private boolean isEvent(Frame frame) {
        var bytes = frame.view();
        return peek.scan(bytes, bytes.position(), frame.length());
    }

    private void agentAudio(Frame frame) {
        long ms = witness.outputFormat().millis(peek.audioLength());
        toCaller.audio(frame, peek, ms, witness);
    }

    private void event(Frame frame, EventType type) {
        ServerEvent event;
        try {
            event = Wire.server(frame.bytes());
        } catch (MalformedEvent malformed) {
            // Not ours to judge: a provider's dialect may know more than we do.
            toCaller.control(frame);
            return;
        }
        if (script.swallows(event) || isOwnComplaint(event)) {
            frame.release();
            openScriptedSession(event);
            return;
        }
        if (type == EventType.INPUT_AUDIO_BUFFER_SPEECH_STARTED && witness.interruptible()) {
            bargeIn();
        }
        witness.saw(event);
        switch (event) {
            case ServerEvent.SessionCreated created -> created(frame, created);
            case ServerEvent.SessionUpdated updated ->
                toCaller.event(
                        named(frame, new ServerEvent.SessionUpdated(updated.eventId(), ours(updated.session()))), type);
            case ServerEvent.ResponseCreated response -> {
                if (!witness.isAside(response.response().id())) {
                    answering = true;
                    toCaller.responseBegun(response.response().id());
                }
                toCaller.control(frame);
            }
            case ServerEvent.ResponseOutputItemDone done -> {
                callOurs(done);
                toCaller.control(frame);
            }
            case ServerEvent.ResponseDone done -> {
                answering &= done.response().conversationId() == null;
                if (done.response().status() == Response.Status.CANCELLED) {
                    cancelled(done.response().id());
                }
                toCaller.responseDone(done.response().id(), frame);
                continueAfterTools();
            }
            // What the caller wrote is no part of an answer, and does not wait behind one.
            case ServerEvent.ConversationItemAdded added when isCallers(added.item()) -> toCaller.fromOutside(frame);
            case ServerEvent.ConversationItemDone done when isCallers(done.item()) -> toCaller.fromOutside(frame);
            default -> toCaller.event(frame, type);
        }
        tellFacts();
    }

    private void tellFacts() {
        if (witness.hasFacts()) {
            reports.facts(witness.takeFacts());
        }
    }

    private void created(Frame frame, ServerEvent.SessionCreated created) {
        var upstreamId = created.session().id();
        reports.facts(List.of(new SessionEvent.UpstreamOpened(
                room.provider().name(),
                created.session().model() == null
                        ? String.valueOf(model)
                        : created.session().model(),
                upstreamId == null ? "" : upstreamId,
                room.clock().instant())));
        frame.release();
        if (script.isEmpty() || script.hasBegun()) {
            begin(created);
        } else {
            recite(created);
        }
    }

    private void recite(ServerEvent.@Nullable SessionCreated created) {
        script.begin(created).forEach(event -> toProvider.first(Frame.text(Wire.bytes(event))));
        providerLine.readable();
    }

    /** The session begins for the caller. */
    private void begin(ServerEvent.SessionCreated created) {
        ready = true;
        begun = true;
        toCaller.urgent(
                Frame.text(Wire.bytes(new ServerEvent.SessionCreated(created.eventId(), ours(created.session())))));
        callerLine.readable();
        providerLine.readable();
    }

    /** The provider has taken the whole script: only now does the session begin for the caller. */
    private void openScriptedSession(ServerEvent event) {
        if (event instanceof ServerEvent.SessionUpdated updated) {
            witness.saw(updated);
            tellFacts();
        }
        script.finished().ifPresent(this::begin);
    }

    private void bargeIn() {
        var cuts = toCaller.interrupt(System.nanoTime());
        if (!cuts.isEmpty()) {
            room.metrics().bargeIns.increment();
        }
        for (var cut : cuts) {
            witness.cut(cut.itemId(), cut.heardMs());
            if (face.guided()) {
                own(new ClientEvent.ConversationItemTruncate(ownId(), cut.itemId(), 0, cut.heardMs()));
            }
        }
        tellFacts();
        providerLine.writable();
    }

    private static boolean isCallers(Item item) {
        return item instanceof Item.FunctionCallOutput
                || (item instanceof Item.Message message && message.role() != Item.Role.ASSISTANT);
    }

    private void callOurs(ServerEvent.ResponseOutputItemDone done) {
        if (face.guided()
                && done.item() instanceof Item.FunctionCall call
                && call.status() != Item.Status.INCOMPLETE
                && call.callId() != null
                && room.tools().knows(call.name())
                && openCalls.putIfAbsent(call.callId(), done.responseId()) == null) {
            reports.callTool(call.callId(), call.name(), call.arguments());
        }
    }

    /** The caller went on, or wanted nothing more: the calls are answered, but the model is not asked to speak. */
    private void cancelled(String responseId) {
        openCalls.replaceAll((call, response) -> response.equals(responseId) ? "" : response);
        toolAnswered = false;
    }

    /** A model goes on only when asked, and may be asked only when its response is done and every call is answered. */
    private void continueAfterTools() {
        if (toolAnswered && openCalls.isEmpty() && !answering) {
            toolAnswered = false;
            own(new ClientEvent.ResponseCreate(ownId(), null));
        }
    }

    private boolean isOwnComplaint(ServerEvent event) {
        boolean own = event instanceof ServerEvent.Error(var eventId, var error)
                && error.eventId() != null
                && error.eventId().startsWith(OWN);
        if (own) {
            room.metrics().swallowedErrors.increment();
        }
        return own;
    }

    private void own(ClientEvent event) {
        if (over) {
            return;
        }
        toProvider.control(Frame.text(Wire.bytes(event)));
        providerLine.readable();
    }

    private static String ownId() {
        return OWN + Ids.event();
    }

    /** Towards the caller a session has one name for all its life, whoever serves it. */
    private SessionConfig ours(SessionConfig session) {
        return session.with("id", com.fasterxml.jackson.databind.node.TextNode.valueOf(id.value()));
    }

    private static Frame named(Frame original, ServerEvent event) {
        original.release();
        return Frame.text(Wire.bytes(event));
    }

    // ---- the caller's side

    private void fromCaller(Frame frame) {
        room.metrics().framesIn.increment();
        if (!frame.isText()) {
            frame.release();
            callerLine.dismiss(new WebSocketClose(
                    WebSocketClose.UNSUPPORTED_DATA, "binary frame (expected: one JSON event per text frame)", false));
            return;
        }
        if (!isEvent(frame)) {
            complain(frame);
            return;
        }
        if (peek.type() == EventType.INPUT_AUDIO_BUFFER_APPEND) {
            long ms = witness.inputFormat().millis(peek.audioLength());
            witness.heard(ms);
            toProvider.audio(frame, ms);
        } else if (!face.guided() || !toUs(frame)) {
            control(frame);
        }
        providerLine.readable();
    }

    private void control(Frame frame) {
        try {
            var event = Wire.parse(frame.bytes());
            if (!dialled) {
                var named = event.path("session").path("model").asText("");
                dial(named.isEmpty() ? room.provider().defaultModel() : named);
                if (over) {
                    frame.release();
                    return;
                }
            }
            // A guided client that stops the agent leaves the truncation to us, as when it is spoken over.
            boolean stops = face.guided() && peek.type() == EventType.RESPONSE_CANCEL && !witness.isAside(peek);
            toProvider.control(frame);
            if (stops) {
                bargeIn();
            }
        } catch (MalformedEvent malformed) {
            complain(frame);
        }
    }

    /** What a guided client says to Parley and not to the provider. */
    private boolean toUs(Frame frame) {
        return switch (peek.typeName()) {
            case "ping" -> {
                frame.release();
                toCaller.urgent(Frame.text("{\"type\":\"pong\"}"));
                callerLine.readable();
                yield true;
            }
            case "playback" -> {
                playback(frame);
                yield true;
            }
            default -> false;
        };
    }

    private void playback(Frame frame) {
        try {
            var event = Wire.parse(frame.bytes());
            toCaller.playback(
                    event.path("item_id").asText(), event.path("played_ms").asLong(-1), System.nanoTime());
            frame.release();
        } catch (MalformedEvent malformed) {
            complain(frame);
        }
    }

    /** Tells the caller what is wrong with a frame that no provider should see. */
    private void complain(Frame frame) {
        room.metrics().malformedFrames.increment();
        MalformedEvent trouble;
        try {
            Wire.client(frame.bytes());
            trouble = null;
        } catch (MalformedEvent malformed) {
            trouble = malformed;
        } catch (UncheckedIOException noText) {
            trouble = null;
        }
        var body = trouble == null
                ? new ServerEvent.ErrorBody(
                        "invalid_request_error", "invalid_event", "not an event of the realtime protocol", null, null)
                : trouble.body();
        frame.release();
        toCaller.urgent(Frame.text(Wire.bytes(new ServerEvent.Error(Ids.event(), body))));
        callerLine.readable();
    }

    /** When the time of the next audio has come: for whoever is on the line by then. */
    private void wakeCaller() {
        callerLine.readable();
    }

    private void callerEnded(CallerLine line, int code) {
        if (line == callerLine) {
            callerLine = nobody;
            toCaller.nobodyListens();
            providerLine.writable();
            reports.callerEnded(line.seat, code);
        }
    }

    private void end(WebSocketClose toTheCaller, List<Frame> lastWords) {
        if (over) {
            lastWords.forEach(Frame::release);
            return;
        }
        over = true;
        closing = toTheCaller;
        tellFacts();
        room.metrics().live.decrementAndGet();
        toCaller.dropAudio();
        lastWords.forEach(toCaller::control);
        toProvider.release();
        providerLine.finish(new WebSocketClose(WebSocketClose.NORMAL, "", false));
        if (callerLine != nobody) {
            callerLine.finishWhenDrained(toTheCaller);
        } else if (seatedOnce) {
            toCaller.nobodyListens();
        } else {
            // The caller is on the way and shall hear it.
            loop.schedule(this::forgetLastWords, 30, TimeUnit.SECONDS);
        }
    }

    private void forgetLastWords() {
        if (callerLine == nobody) {
            toCaller.nobodyListens();
        }
    }

    // ---- the two lines, as whoever is at their other end sees them

    private abstract class Line implements Port {
        private final CompletableFuture<WebSocketClose> closed = new CompletableFuture<>();
        private @Nullable WebSocketClose ending;
        private @Nullable Runnable onReadable;
        private @Nullable Runnable onWritable;

        @Override
        public EventLoop loop() {
            return loop;
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
        public void discard() {}

        @Override
        public CompletionStage<WebSocketClose> closed() {
            return closed.minimalCompletionStage();
        }

        final void readable() {
            if (onReadable != null) {
                onReadable.run();
            }
        }

        final void writable() {
            if (onWritable != null) {
                onWritable.run();
            }
        }

        final void finish(WebSocketClose close) {
            if (ending == null) {
                ending = close;
                closed.complete(close);
                readable();
                writable();
            }
        }
    }

    /** What the caller talks to. */
    private final class CallerLine extends Line {
        private final String seat;
        private @Nullable WebSocketClose afterTheRest;

        CallerLine(String seat) {
            this.seat = seat;
        }

        @Override
        public @Nullable Frame poll() {
            if (this != callerLine || ending() != null) {
                return null;
            }
            boolean held = toCaller.isFull();
            boolean flooded = toCaller.isFlooded();
            var frame = toCaller.next(System.nanoTime(), loop, Conversation.this::wakeCaller);
            if (frame != null) {
                if (held && !toCaller.isFull()) {
                    providerLine.writable();
                }
                if (flooded && !toCaller.isFlooded()) {
                    writable();
                }
                return frame;
            }
            if (afterTheRest != null) {
                finish(afterTheRest);
            }
            return null;
        }

        @Override
        public boolean isWritable() {
            return !toProvider.isFull() && !toCaller.isFlooded();
        }

        @Override
        public void send(Frame frame) {
            if (this == callerLine && !over) {
                fromCaller(frame);
            } else {
                frame.release();
            }
        }

        @Override
        public void close(int code, String reason) {
            if (loop.inEventLoop()) {
                left(code, reason);
            } else {
                loop.execute(() -> left(code, reason));
            }
        }

        /** Whoever sits is there when the line is first listened to. */
        @Override
        public void onReadable(@Nullable Runnable listener) {
            super.onReadable(listener);
            if (listener != null && this == callerLine && !over) {
                reports.callerSeated(seat);
            }
        }

        private void left(int code, String reason) {
            dismiss(new WebSocketClose(code, reason, true));
        }

        void dismiss(WebSocketClose close) {
            if (ending() == null) {
                finish(close);
                callerEnded(this, close.code());
            }
        }

        void finishWhenDrained(WebSocketClose close) {
            afterTheRest = close;
            readable();
        }
    }

    /** What the provider talks to. */
    private final class ProviderLine extends Line {
        @Override
        public @Nullable Frame poll() {
            boolean held = toProvider.isFull();
            var frame = toProvider.next(ready);
            if (frame != null && held && !toProvider.isFull()) {
                callerLine.writable();
            }
            return frame;
        }

        @Override
        public boolean isWritable() {
            return !toCaller.isFull();
        }

        @Override
        public void send(Frame frame) {
            if (over) {
                frame.release();
            } else {
                fromProvider(frame);
            }
        }

        @Override
        public void close(int code, String reason) {
            var close = new WebSocketClose(code, reason, true);
            if (loop.inEventLoop()) {
                gone(close);
            } else {
                loop.execute(() -> gone(close));
            }
        }

        private void gone(WebSocketClose close) {
            finish(close);
            providerEnded(close);
        }
    }
}
