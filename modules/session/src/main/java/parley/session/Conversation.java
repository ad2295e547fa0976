package parley.session;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.databind.node.TextNode;
import io.netty.channel.EventLoop;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
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
import parley.session.SessionEvent.ItemDeleted;
import parley.session.SessionEvent.Warned;
import parley.wire.Frame;
import parley.wire.LogFields;
import parley.wire.Port;
import parley.wire.WebSocketClose;

/**
 * The live half of a session: what has to happen between the caller and whoever answers.
 *
 * <p>Its story: made when a caller takes a seat; a provider is dialled; the caller's events wait until it has taken the
 * opening; then frames pass both ways, byte for byte, and the entity is told what became a fact ({@link Witness}, {@link
 * Ledger}). Whose turn it is, {@link TurnTaking} knows. When the caller speaks over the agent, what waits to be heard is
 * thrown away ({@link Delivery}). The caller's line may end and be replaced ({@link CallerSide}), the provider's as well
 * ({@link ProviderSide}): an answer that was due is asked for again, from what was heard. Facts that the journal does not
 * take wait. It ends ({@link Ending}) when the entity says so, when no provider is to be had, when the journal is gone for
 * too long, or at a turn boundary by being handed over.
 *
 * <p>Confined to one event loop; {@link #start}, {@link #seat} and what the entity calls may be called from anywhere.
 * Bounds: to the provider {@code to-provider-frames}, then the caller is held back (a guided face's microphone drops its
 * oldest audio beyond {@code mic-buffer} instead); to the caller {@code to-caller-frames}, for a guided face {@code
 * agent-buffer} of audio, then the provider is held back; facts {@code unwritten-facts} and {@code journal-outage}.
 */
final class Conversation implements CallerSide.Listener, ProviderSide.Talk, Expiry.Talk, Spending.Talk, Ending.Talk {
    /** What the entity is told. Called on the conversation's loop. */
    interface Reports {
        /** To be answered by {@link Conversation#written}. */
        void facts(Unwritten.Batch batch);

        void callTool(String callId, String name, String arguments);

        /** It is over; what it still has to tell follows, or came before. */
        void ended(EndReason reason, String detail);

        /** It was handed over: everything is told. */
        void parted();

        /** Somebody took the seat, and talks and listens. */
        void callerSeated(String seat);

        void callerEnded(String seat, int code);
    }

    private static final Logger LOG = LoggerFactory.getLogger(Conversation.class);

    /** The close code of a session that has spent what it may. */
    private static final int BUDGET = 4500;

    private final SessionId id;
    private final Face face;
    private final EventLoop loop;
    private final Room room;
    private final SessionSettings settings;
    private final Reports reports;
    private final Witness witness;
    private final Ledger ledger;
    private final Utterance utterance;
    private final ToProvider toProvider;
    private final ToCaller toCaller;
    private final CallerSide caller;
    private final ProviderSide provider;
    private final ToolCalls tools;
    private final TurnTaking turns;
    private final Delivery delivery;
    private final Ending ending;
    private final Expiry expiry;
    private final Spending spending;
    private final SessionOutcome outcome;
    private final TurnTimes times;
    private final SessionTrace trace;
    private final LogFields concerned;
    private final Peek peek = new Peek();

    /** Whether the session has begun for the caller. */
    private boolean begun;

    /**
     * @param soFar the session as the journal has it, this host included
     * @param orderly whether there was no host before, or it let go in good order
     * @param owed what is due from before
     * @param trace looks at it
     */
    Conversation(
            SessionId id,
            EventLoop loop,
            Room room,
            Reports reports,
            SessionState.Live soFar,
            boolean orderly,
            Owed owed,
            SessionTrace trace) {
        var opened = soFar.opened();
        this.id = id;
        this.face = opened.face();
        this.loop = loop;
        this.room = room;
        this.settings = room.settings();
        this.reports = reports;
        this.trace = trace;
        this.concerned = SessionLog.of(id, opened.caller(), trace.traceId());
        this.witness = new Witness(model(soFar), room.prices(), room.clock());
        soFar.turns().forEach(turn -> witness.knows(turn.itemId()));
        witness.onSpent(this::spent);
        this.ledger = new Ledger(loop, room, soFar, witness, reports::facts, this::learned, this::journalLost);
        this.utterance = new Utterance(
                settings.utteranceLead().toMillis(), settings.utterance().toMillis(), System::nanoTime);
        this.toProvider = new ToProvider(
                settings.toProviderFrames(),
                face.guided() ? settings.micBuffer().toMillis() : Long.MAX_VALUE,
                utterance,
                room.metrics());
        this.caller = new CallerSide(
                loop, concerned, id, face, room, this, soFar.hosting().seq(), orderly);
        this.toCaller = caller.queue();
        this.provider = new ProviderSide(loop, concerned, room, this, toProvider, soFar);
        this.tools = new ToolCalls(room.tools());
        this.times = new TurnTimes(room.metrics(), opened.arm(), trace);
        this.outcome = new SessionOutcome(room.outcomes(), soFar);
        this.turns = new TurnTaking(provider, toProvider, utterance, witness, tools, times, outcome);
        this.delivery = new Delivery(loop, room, caller, provider, witness, ledger, times, owed, orderly);
        this.ending =
                new Ending(loop, room, this, reports, caller, provider, delivery, witness, ledger, outcome, trace);
        this.expiry = new Expiry(loop, settings, soFar, room.clock().instant(), this);
        this.spending = new Spending(loop, concerned, this, room, id, soFar);
    }

    private String model(SessionState.Live soFar) {
        var model = soFar.upstream() == null
                ? soFar.opened().model()
                : soFar.upstream().model();
        return model == null ? room.providers().of(soFar.opened().arm()).first().defaultModel() : model;
    }

    SessionId id() {
        return id;
    }

    EventLoop loop() {
        return loop;
    }

    /** As it is now; from any thread. */
    Answer.View view() {
        return soFar().view(id, room.node(), hasCaller(), null);
    }

    /** Whom lines of the log about it concern; from any thread. */
    LogFields concerns() {
        return concerned;
    }

    /** What it has cost so far; from any thread. */
    long costMicros() {
        return soFar().costMicros();
    }

    /** On its loop. */
    void measure(QueueWatch.Levels levels) {
        levels.toCaller(toCaller.waiting(), toCaller.fullness());
        levels.toProvider(toProvider.size(), toProvider.fullness());
        levels.unwritten(ledger.waiting());
        var replay = toCaller.replay();
        if (replay != null) {
            levels.replay(replay.size(), replay.fullness());
        }
    }

    /** Whether somebody is on the caller's line; from any thread. */
    boolean hasCaller() {
        return caller.isThere();
    }

    /** Dials, or waits a moment for the caller's first event to name the model. */
    void start() {
        room.metrics().live.incrementAndGet();
        room.conversations().started(this);
        loop.execute(trace::seeks);
        loop.execute(spending::start);
        loop.execute(() -> {
            if (soFar().opened().model() != null || soFar().upstream() != null) {
                provider.dial(null);
            } else {
                loop.schedule(() -> provider.dial(null), settings.modelWait().toMillis(), TimeUnit.MILLISECONDS);
            }
        });
    }

    /** The caller's end of the line, replacing an earlier one, which is closed as superseded. */
    CompletionStage<Port> seat(String name, Conversations.Seat seat) {
        var seated = new CompletableFuture<Port>();
        loop.execute(() -> {
            if (seat.manner() != Conversations.Manner.MOVED) {
                expiry.active();
            }
            var line = caller.seat(name, seat, begun ? session() : null, soFar());
            delivery.seated(seat.manner());
            seated.complete(line);
        });
        return seated;
    }

    /** A tool of ours has answered. */
    void answerTool(String callId, String output) {
        loop.execute(() -> {
            trace.toolEnded(callId);
            if (tools.answered(callId)) {
                provider.say(new ClientEvent.ConversationItemCreate(
                        ProviderSide.ownId(), null, new Item.FunctionCallOutput(null, null, callId, output)));
                continueAfterTools();
            }
        });
    }

    // ---- what the entity decides

    /** The journal has what was told up to this number. */
    void written(long upTo) {
        loop.execute(() -> {
            ledger.written(upTo);
            ending.written();
        });
    }

    /** The entity began anew and may not have heard what it was told last: it is told again. */
    void tellAgain(long writtenUpTo) {
        loop.execute(() -> {
            ledger.again(writtenUpTo);
            if (ending.tellAgain()) {
                return;
            }
            if (caller.isThere()) {
                reports.callerSeated(caller.seat());
            } else if (caller.hasBeenThere()) {
                reports.callerEnded(caller.seat(), caller.leftWith());
            }
        });
    }

    /** Ends both lines; what waits for the caller is sent first, audio excepted. */
    void end(EndReason reason) {
        loop.execute(() -> ending.decided(reason));
    }

    /** Another host has the session: nothing more is said to anybody, and the caller's edge finds the other one. */
    void fenced() {
        loop.execute(ending::fenced);
    }

    /** Lets go at the next turn boundary, within {@code hand-over}; answered by {@link Reports#parted}. */
    void handOver() {
        loop.execute(() -> ending.handOver(settings.handOver()));
    }

    /** The same, whatever is being said. */
    void letGoNow() {
        loop.execute(() -> ending.handOver(Duration.ZERO));
    }

    /**
     * Voice is switched off: it ends after the turn that is under way, within {@code hand-over}, or at once.
     *
     * @param atOnce whatever is being said
     */
    void kill(boolean atOnce) {
        loop.execute(() -> ending.kill(atOnce ? Duration.ZERO : settings.handOver()));
    }

    void suspend() {
        loop.execute(provider::suspend);
    }

    void resume() {
        loop.execute(provider::resume);
    }

    // ---- the caller's words

    @Override
    public boolean audio(Frame frame, Peek at) {
        if (spending.isUsedUp()) {
            frame.release();
            return false;
        }
        long ms = witness.heard(at.audioBytes());
        if (!witness.findsTurns()) {
            utterance.speaks();
            expiry.spoken();
        }
        toProvider.audio(frame, ms);
        provider.readable();
        return true;
    }

    @Override
    public boolean control(Frame frame, ObjectNode event, Peek at) {
        if (!provider.isDialled()) {
            var named = event.path("session").path("model").asText("");
            provider.dial(named.isEmpty() ? null : named);
            if (ending.isOver()) {
                frame.release();
                return false;
            }
        }
        if (at.type() != EventType.SESSION_UPDATE) {
            expiry.active();
        }
        if (at.type() == EventType.RESPONSE_CREATE || at.type() == EventType.INPUT_AUDIO_BUFFER_COMMIT) {
            spending.ask();
            if (spending.isUsedUp()) {
                frame.release();
                caller.say(Spending.refusal(event.path("event_id").asText(null)));
                return false;
            }
        }
        // A guided client that stops the agent leaves the truncation to us, as when it is spoken over.
        boolean stops = face.guided() && at.type() == EventType.RESPONSE_CANCEL && !witness.isAside(at);
        if (at.type() == EventType.RESPONSE_CREATE && !isAside(event)) {
            turns.asks(frame);
        } else if (at.type() == EventType.INPUT_AUDIO_BUFFER_COMMIT) {
            turns.commits(frame);
        } else {
            other(frame, event, at.type());
        }
        if (stops) {
            delivery.interrupted();
        }
        provider.readable();
        return true;
    }

    private void other(Frame frame, ObjectNode event, EventType type) {
        try {
            switch (type) {
                case CONVERSATION_ITEM_CREATE, SESSION_UPDATE -> toProvider.kept(frame, Wire.client(event));
                case CONVERSATION_ITEM_TRUNCATE -> {
                    if (delivery.truncated(Wire.client(event))) {
                        frame.release();
                    } else {
                        toProvider.control(frame);
                    }
                }
                default -> toProvider.control(frame);
            }
        } catch (MalformedEvent refused) {
            // The provider will say so.
            toProvider.control(frame);
        }
    }

    private static boolean isAside(ObjectNode event) {
        return "none".equals(event.path("response").path("conversation").asText());
    }

    @Override
    public boolean mayHear() {
        return !toProvider.isFull();
    }

    @Override
    public void taken() {
        if (times.awaitsSent() && toCaller.isSpeaking()) {
            times.sent(System.nanoTime());
        }
        if (soFar().answer() != null) {
            for (var response : toCaller.takeFullySent()) {
                delivery.isSent(response);
            }
            ledger.tell();
        }
    }

    @Override
    public void providerMayGoOn() {
        provider.writable();
    }

    @Override
    public void seated(String seat) {
        trace.event("caller_attached");
        reports.callerSeated(seat);
        goOn();
        expiry.look();
    }

    @Override
    public void left(String seat, int code) {
        trace.event("caller_detached", "code", Integer.toString(code));
        superseded();
        reports.callerEnded(seat, code);
    }

    @Override
    public void superseded() {
        delivery.abandoned(turns.isAnswering());
        // What was thrown away may have held the provider back.
        provider.writable();
    }

    // ---- the provider's words

    @Override
    public void says(Frame frame) {
        room.metrics().framesOut.increment();
        if (!frame.isText()) {
            // The language has none, and clients of it break on them.
            frame.release();
        } else if (!isEvent(frame)) {
            toCaller.control(frame);
        } else {
            switch (peek.type()) {
                case RESPONSE_OUTPUT_AUDIO_DELTA -> {
                    expiry.spoken();
                    if (times.awaitsAudio() && !witness.isAside(peek)) {
                        times.audio(System.nanoTime());
                    }
                    if (outcome.awaits()) {
                        outcome.heard(System.nanoTime());
                    }
                    long ms = witness.outputFormat().millis(peek.audioLength());
                    toCaller.audio(frame, peek, ms, witness);
                    delivery.speaks();
                }
                case RESPONSE_FUNCTION_CALL_ARGUMENTS_DELTA -> {
                    turns.says();
                    toCaller.event(frame, peek);
                }
                case CONVERSATION_ITEM_INPUT_AUDIO_TRANSCRIPTION_DELTA -> {
                    times.words(System.nanoTime());
                    toCaller.event(frame, peek);
                }
                default -> event(frame, peek.type());
            }
        }
        caller.readable();
    }

    /** Looks at a frame: {@link #peek} speaks of it afterwards. */
    private boolean isEvent(Frame frame) {
        var bytes = frame.view();
        return peek.scan(bytes, bytes.position(), frame.length());
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
        if (provider.isOpening(event)) {
            frame.release();
            if (event instanceof ServerEvent.SessionUpdated updated) {
                witness.saw(updated);
                ledger.tell();
            }
            return;
        }
        toProvider.untaken().saw(event);
        if (event instanceof ServerEvent.Error(var eventId, var error) && isOurTrouble(error)) {
            frame.release();
            room.metrics().swallowedErrors.increment();
            turns.refusedOwn(error);
            return;
        }
        if (type == EventType.INPUT_AUDIO_BUFFER_SPEECH_STARTED && witness.interruptible()) {
            delivery.interrupted();
        }
        witness.saw(event);
        turns.saw(event);
        delivery.saw(event);
        pass(event, frame);
        ledger.tell();
        switch (type) {
            case SESSION_CREATED, SESSION_UPDATED, RATE_LIMITS_UPDATED, ERROR -> {}
            default -> expiry.active();
        }
    }

    private void pass(ServerEvent event, Frame frame) {
        switch (event) {
            case ServerEvent.SessionUpdated updated -> {
                frame.release();
                caller.updated(updated);
            }
            case ServerEvent.InputAudioBufferCommitted committed -> {
                spending.ask();
                toCaller.event(frame, peek);
            }
            case ServerEvent.ResponseCreated created ->
                toCaller.responseCreated(created.response().id(), frame);
            case ServerEvent.ResponseOutputItemAdded added -> {
                toCaller.answersWith(String.valueOf(added.item().id()), added.responseId());
                toCaller.event(frame, peek);
            }
            case ServerEvent.ResponseOutputItemDone done -> {
                if (face.guided() && done.item() instanceof Item.FunctionCall call && tools.begins(done)) {
                    callTool(String.valueOf(call.callId()), call.name(), call.arguments());
                }
                var item = String.valueOf(done.item().id());
                toCaller.answersWith(item, done.responseId());
                toCaller.event(frame, peek);
                if (toCaller.isUnknown(done.responseId())) {
                    ledger.tell();
                    caller.learns(item, soFar());
                }
            }
            case ServerEvent.ResponseDone done -> {
                count(done.response());
                toCaller.responseDone(done.response().id(), frame);
                continueAfterTools();
                goOn();
            }
            case ServerEvent.ConversationItemAdded added -> toCaller.item(added.item(), frame);
            case ServerEvent.ConversationItemDone done -> toCaller.item(done.item(), frame);
            case ServerEvent.ConversationItemCreated created -> toCaller.item(created.item(), frame);
            default -> toCaller.event(frame, peek);
        }
    }

    /** One beside the conversation is no answer; the witness has forgotten by now which one was. */
    private void count(Response response) {
        if (response.conversationId() != null && response.status() != null) {
            room.metrics().answer(soFar().opened().arm(), response.status()).increment();
        }
    }

    /** Not before the journal has it: a call that nobody knows of would be made again. */
    private void callTool(String callId, String name, String arguments) {
        trace.toolBegan(callId, name);
        ledger.whenWritten(() -> reports.callTool(callId, name, arguments));
    }

    private void continueAfterTools() {
        if (!spending.isUsedUp()) {
            turns.goOnAfterTools();
        }
    }

    /** Complaints about what Parley said, and a provider's word that it is too old: it is replaced, and nobody's business. */
    private static boolean isOurTrouble(ServerEvent.ErrorBody error) {
        return ProviderSide.isOwn(error.eventId()) || "session_expired".equals(error.code());
    }

    // ---- providers come and go

    @Override
    public SessionState.Live soFar() {
        return ledger.soFar();
    }

    @Override
    public OpeningScript script(SessionState.Live conversation) {
        return History.of(conversation, settings.defaults(), room.tools());
    }

    @Override
    public void answered(Provider by, ServerEvent.SessionCreated created) {
        var model = by.modelFor(soFar().opened().model());
        times.provider(by.name());
        trace.found(by.name(), model);
        witness.answered(by.name(), model, created);
        ledger.tell();
    }

    @Override
    public void opened(ServerEvent.@Nullable SessionCreated session) {
        trace.opened();
        if (!begun) {
            begun = true;
            outcome.created();
            if (session != null) {
                witness.saw(session);
                ledger.tell();
            }
            caller.begun(session(), soFar());
            caller.writable();
        }
        goOn();
        provider.readable();
    }

    private SessionConfig session() {
        var session = witness.configuration();
        return session == null ? SessionConfig.EMPTY.with("type", TextNode.valueOf("realtime")) : session;
    }

    /** What is owed is done, when there are both somebody to do it and somebody to do it for. */
    private void goOn() {
        if (!begun || !provider.isOpen() || !caller.isThere() || spending.isUsedUp() || ending.isOver()) {
            return;
        }
        var due = delivery.takeOwed(turns.isAnswering() || turns.isAsked());
        if (due.answer() && turns.isOpen()) {
            var heard = due.wasHeard();
            if (heard != null) {
                provider.tell(List.of(new ClientEvent.ConversationItemCreate(ProviderSide.ownId(), null, heard)));
            }
            turns.ask(witness.findsTurns());
        } else if (!turns.isAsked()) {
            continueAfterTools();
        }
    }

    @Override
    public void lost(String why) {
        if (!ProviderSide.SUSPENDED.equals(why)) {
            // A close code or "mute"; the reason is the provider's text.
            concerned.around(() -> LOG.info("session {} lost its provider: {}", id, why.split(" ", 2)[0]));
        }
        trace.event("provider_lost");
        trace.seeks();
        times.failed("provider_lost");
        boolean saidAgain = utterance.isOpen() || toProvider.hasAsk();
        boolean due = turns.lost();
        sayAgain();
        delivery.lost(why, due, saidAgain);
    }

    @Override
    public void sayAgain() {
        var wordless = utterance.wordlessItem();
        if (wordless != null) {
            // It is said again, and will be another item.
            witness.note(new ItemDeleted(wordless, now()));
            ledger.tell();
            caller.say(new ServerEvent.ConversationItemDeleted(Ids.event(), wordless));
        }
        toProvider.again(
                witness.answersByItself()
                        ? null
                        : Frame.text(Wire.bytes(new ClientEvent.InputAudioBufferCommit(ProviderSide.ownId()))));
    }

    @Override
    public void stillLost() {
        caller.reconnecting();
    }

    @Override
    public void refused(ProviderRefused refusal) {
        var type = refusal.retryable() ? "server_error" : "invalid_request_error";
        var error = new ServerEvent.ErrorBody(type, refusal.code(), refusal.getMessage(), null, null);
        var close = refusal.retryable()
                ? new WebSocketClose(WebSocketClose.TRY_AGAIN_LATER, "no provider: " + refusal.code(), false)
                : new WebSocketClose(4000, type + "." + refusal.code(), false);
        ending.because(
                begun ? EndReason.PROVIDER_LOST : EndReason.PROVIDER_REFUSED,
                refusal.code(),
                close,
                () -> caller.say(new ServerEvent.Error(Ids.event(), error)));
    }

    /** A provider that said why has said it to the caller, too: its words and its code are passed on. */
    @Override
    public void dismissed(WebSocketClose close) {
        ending.because(EndReason.PROVIDER_LOST, close.code() + " " + close.reason(), close, () -> {});
    }

    @Override
    public void callerMayGoOn() {
        caller.writable();
    }

    @Override
    public boolean callerMayHear() {
        return !toCaller.isFull();
    }

    @Override
    public boolean isBetweenTurns() {
        return isSettled() && toCaller.isQuiet(System.nanoTime());
    }

    @Override
    public boolean isSettled() {
        return turns.isSettled();
    }

    // ---- facts

    private void spent(SessionEvent.Spent spent) {
        var by = soFar().upstream();
        trace.spent(spent.tokens());
        Bill.count(room.metrics(), room.prices(), by == null ? "none" : by.provider(), spent);
    }

    private void learned() {
        spending.look();
        outcome.cost(soFar().costMicros());
    }

    private void journalLost() {
        if (!ending.isOver()) {
            ending.because(
                    EndReason.JOURNAL_LOST,
                    "the journal did not take a fact for " + settings.journalOutage(),
                    "journal_lost",
                    WebSocketClose.TRY_AGAIN_LATER);
        }
    }

    // ---- its time and its money

    @Override
    public boolean isHeard() {
        return caller.isThere();
    }

    @Override
    public boolean isBusy() {
        return turns.isBusy() || !toCaller.isQuiet(System.nanoTime());
    }

    @Override
    public void warn(EndReason why, Duration left) {
        if (face.guided()) {
            caller.say(Wire.json(JsonNodeFactory.instance
                    .objectNode()
                    .put("type", "session.warning")
                    .put("reason", SessionMetrics.lower(why))
                    .put("ends_in_ms", left.toMillis())));
            witness.note(new Warned(why, now().plus(left), now()));
            ledger.tell();
        }
    }

    @Override
    public void idle() {
        ending.because(EndReason.IDLE, "", SessionMetrics.lower(EndReason.IDLE), WebSocketClose.NORMAL);
    }

    @Override
    public boolean isHeardOut() {
        return begun && caller.isThere() && !turns.isDue() && toCaller.isQuiet(System.nanoTime());
    }

    @Override
    public void notice(String event) {
        caller.say(event);
    }

    @Override
    public void usedUp(String detail) {
        ending.because(EndReason.BUDGET, detail, "budget", BUDGET);
    }

    // ---- the end

    @Override
    public boolean isAtTurnBoundary() {
        return !caller.isThere() || (isBetweenTurns() && delivery.isDone() && toProvider.isEmpty());
    }

    @Override
    public boolean isAwaited() {
        return !caller.isThere()
                || utterance.isOpen()
                || !toProvider.isEmpty()
                || !toProvider.untaken().isEmpty();
    }

    @Override
    public void over() {
        expiry.close();
        delivery.close();
        ledger.close();
        spending.close();
        room.metrics().live.decrementAndGet();
        room.conversations().ended(this);
    }

    @Override
    public void parted() {
        reports.parted();
        room.conversations().parted(this);
    }

    private Instant now() {
        return room.clock().instant();
    }
}
