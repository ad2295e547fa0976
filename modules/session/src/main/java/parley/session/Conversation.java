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
import parley.protocol.ClientEvent;
import parley.protocol.Content;
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
import parley.session.SessionEvent.AnswerEnded;
import parley.session.SessionEvent.HandedOver;
import parley.session.SessionEvent.ItemDeleted;
import parley.session.SessionEvent.UpstreamLost;
import parley.session.SessionEvent.UpstreamOpened;
import parley.session.SessionEvent.Warned;
import parley.wire.Frame;
import parley.wire.Port;
import parley.wire.WebSocketClose;

/**
 * The live half of a session: what has to happen between the caller and whoever answers.
 *
 * <p>Its story: made when a caller takes a seat; a provider is dialled; the caller's events wait until it has taken the
 * opening; then frames pass both ways, byte for byte, and the entity is told what became a fact. When the caller speaks
 * over the agent, what waits to be heard is thrown away. The caller's line may end and be replaced ({@link CallerSide}),
 * the provider's as well ({@link ProviderSide}): an answer that was due is asked for again, from what was heard. Facts that
 * the journal does not take wait. It ends when the entity says so, when no provider is to be had, when the journal is gone
 * for too long, or at a turn boundary by being handed over.
 *
 * <p>Confined to one event loop; {@link #start}, {@link #seat} and what the entity calls may be called from anywhere.
 * Bounds: to the provider {@code to-provider-frames}, then the caller is held back (a guided face's microphone drops its
 * oldest audio beyond {@code mic-buffer} instead); to the caller {@code to-caller-frames}, for a guided face {@code
 * agent-buffer} of audio, then the provider is held back; facts {@code unwritten-facts} and {@code journal-outage}.
 */
final class Conversation implements CallerSide.Listener, ProviderSide.Talk, Expiry.Talk, Spending.Talk {
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

    /** Ids of events that Parley sends by itself, so that complaints about them are not the caller's. */
    private static final String OWN = "parley_";

    private static final WebSocketClose SWITCHED_OFF = new WebSocketClose(4503, "killed", false);
    private static final WebSocketClose MOVED = new WebSocketClose(WebSocketClose.RESTART, "the session moves", false);
    /** The close code of a session that has spent what it may. */
    private static final int BUDGET = 4500;

    private static final long LOOK_FOR_QUIET_MS = 20;

    private final SessionId id;
    private final Face face;
    private final EventLoop loop;
    private final Room room;
    private final SessionSettings settings;
    private final Reports reports;
    private final Witness witness;
    private final Utterance utterance;
    private final ToProvider toProvider;
    private final ToCaller toCaller;
    private final CallerSide caller;
    private final ProviderSide provider;
    private final ToolCalls tools;
    private final Ledger ledger;
    private final Expiry expiry;
    private final Spending spending;
    private final SessionOutcome outcome;
    private final TurnTimes times;
    private SessionTrace trace = SessionTrace.none();
    private final Peek peek = new Peek();

    private Owed owed;
    private String cause;
    /** The answer that was cut by a fault and is begun again: it has not ended. */
    private @Nullable String cutResponse;

    /** Whether the caller of a lost host has seen that answer begin. */
    private boolean cutIsOpen;

    /** The answer that the caller has stopped. */
    private @Nullable String stopped;

    /** The id of the event by which Parley itself asked for an answer last. */
    private String asked = "";

    /** Whether the session has begun for the caller. */
    private boolean begun;

    private boolean answering;
    private boolean answerAsked;
    private boolean turnTaken;
    /** Of the caller, that the provider has not confirmed. */
    private int commits;

    /** When the batch of facts under way was told; 0: none is. */
    private long toldAt;

    private boolean checking;
    private boolean parting;
    private boolean over;
    private @Nullable Ending ending;

    private record Ending(EndReason reason, String detail) {}

    /**
     * @param soFar the session as the journal has it, this host included
     * @param orderly whether there was no host before, or it let go in good order
     * @param owed what is due from before
     */
    Conversation(
            SessionId id,
            EventLoop loop,
            Room room,
            Reports reports,
            SessionState.Live soFar,
            boolean orderly,
            Owed owed,
            String safetyIdentifier) {
        this.id = id;
        this.face = soFar.opened().face();
        this.loop = loop;
        this.room = room;
        this.settings = room.settings();
        this.reports = reports;
        this.owed = owed;
        this.cause = orderly ? "moved" : "node_lost";
        this.cutResponse = soFar.answer() == null ? null : soFar.answer().responseId();
        this.cutIsOpen = cutResponse != null;
        var model = soFar.upstream() == null
                ? soFar.opened().model()
                : soFar.upstream().model();
        var providers = room.providers().of(soFar.opened().arm());
        this.witness =
                new Witness(model == null ? providers.first().defaultModel() : model, room.prices(), room.clock());
        soFar.turns().forEach(turn -> witness.knows(turn.itemId()));
        this.ledger = new Ledger(loop, settings, soFar, witness, room.transcripts(), this::write, this::journalLost);
        this.utterance = new Utterance(
                settings.utteranceLead().toMillis(), settings.utterance().toMillis());
        this.toProvider = new ToProvider(
                settings.toProviderFrames(),
                face.guided() ? settings.micBuffer().toMillis() : Long.MAX_VALUE,
                utterance,
                room.metrics());
        this.caller = new CallerSide(loop, id, face, room, this, soFar.hosting().seq(), orderly);
        this.toCaller = caller.queue();
        this.provider = new ProviderSide(
                loop,
                room,
                providers,
                this,
                toProvider,
                soFar.opened().model(),
                soFar.upstream() != null || soFar.hosting().epoch() > 1,
                safetyIdentifier);
        this.tools = new ToolCalls(room.tools());
        this.expiry = new Expiry(loop, settings, soFar, room.clock().instant(), this);
        this.spending = new Spending(loop, this, room, id, soFar);
        this.outcome = new SessionOutcome(room.outcomes(), soFar);
        this.times = new TurnTimes(room.metrics(), soFar.opened().arm());
        witness.onSpent(this::spent);
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

    /** The trace of the connection that it began with; "": none. From any thread. */
    String traceId() {
        return trace.traceId();
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

    /** Who looks at it. Before {@link #start}. */
    void traced(SessionTrace by) {
        trace = by;
        times.traced(by);
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
            if (cutResponse != null && cutIsOpen && seat.manner() == Conversations.Manner.MOVED) {
                closeCutResponse(cutResponse);
            }
            cutIsOpen = false;
            if (seat.manner() != Conversations.Manner.MOVED) {
                expiry.active();
            }
            seated.complete(caller.seat(name, seat, begun ? sessionForCaller() : null, soFar()));
        });
        return seated;
    }

    /** A tool of ours has answered. */
    void answerTool(String callId, String output) {
        loop.execute(() -> {
            trace.toolEnded(callId);
            if (tools.answered(callId)) {
                tellResult(callId, output);
                continueAfterTools();
            }
        });
    }

    // ---- what the entity decides

    /** The journal has what was told up to this number. */
    void written(long upTo) {
        loop.execute(() -> {
            if (toldAt != 0) {
                room.metrics().journalWrite.since(toldAt);
                toldAt = 0;
            }
            ledger.written(upTo);
            parted();
        });
    }

    /** The entity began anew and may not have heard what it was told last: it is told again. */
    void tellAgain(long writtenUpTo) {
        loop.execute(() -> {
            ledger.again(writtenUpTo);
            if (ending != null) {
                reports.ended(ending.reason(), ending.detail());
            } else if (caller.isThere()) {
                reports.callerSeated(caller.seat());
            } else if (caller.hasBeenThere()) {
                reports.callerEnded(caller.seat(), caller.leftWith());
            }
        });
    }

    /** Ends both lines; what waits for the caller is sent first, audio excepted. */
    void end(EndReason reason) {
        var why = lower(reason);
        loop.execute(() -> {
            ending = new Ending(reason, "");
            outcome.ended(reason);
            trace.ended(lower(reason), false);
            end(new WebSocketClose(WebSocketClose.NORMAL, why, false), () -> sayEnded(why));
        });
    }

    /** Another host has the session: nothing more is said to anybody, and the caller's edge finds the other one. */
    void fenced() {
        loop.execute(() -> {
            if (!over) {
                room.metrics().fenced.increment();
                trace.ended("fenced", true);
                over();
                provider.end();
                caller.drop(MOVED);
            }
        });
    }

    /** Lets go at the next turn boundary, within {@code hand-over}; answered by {@link Reports#parted}. */
    void handOver() {
        loop.execute(() -> {
            if (!parting) {
                parting = true;
                part(System.nanoTime() + settings.handOver().toNanos());
            }
        });
    }

    /** The same, whatever is being said. */
    void letGoNow() {
        loop.execute(() -> {
            if (!parting) {
                parting = true;
                part(System.nanoTime());
            }
        });
    }

    /**
     * Voice is switched off: it ends after the turn that is under way, within {@code hand-over}, or at once.
     *
     * @param atOnce whatever is being said
     */
    void kill(boolean atOnce) {
        loop.execute(
                () -> kill(System.nanoTime() + (atOnce ? 0 : settings.handOver().toNanos())));
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
        long ms = witness.inputFormat().millis(at.audioLength());
        witness.heard(ms);
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
            if (over) {
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
                refuseTurn(event);
                return false;
            }
        }
        // A guided client that stops the agent leaves the truncation to us, as when it is spoken over.
        boolean stops = face.guided() && at.type() == EventType.RESPONSE_CANCEL && !witness.isAside(at);
        if (at.type() == EventType.RESPONSE_CREATE && !isAside(event)) {
            answerAsked = true;
            isDue();
            toProvider.ask(frame);
        } else if (at.type() == EventType.INPUT_AUDIO_BUFFER_COMMIT) {
            commits++;
            toProvider.commit(frame);
        } else {
            other(frame, event, at.type());
        }
        if (stops) {
            bargeIn();
        }
        provider.readable();
        return true;
    }

    private void refuseTurn(ObjectNode event) {
        caller.say(new ServerEvent.Error(
                Ids.event(),
                new ServerEvent.ErrorBody(
                        "invalid_request_error",
                        "budget_used_up",
                        "no further turn begins: the session's budget is used up, and it ends",
                        null,
                        event.path("event_id").asText(null))));
    }

    private void other(Frame frame, ObjectNode event, EventType type) {
        try {
            switch (type) {
                case CONVERSATION_ITEM_CREATE, SESSION_UPDATE -> toProvider.kept(frame, Wire.client(event));
                case CONVERSATION_ITEM_TRUNCATE -> truncate(frame, Wire.client(event));
                default -> toProvider.control(frame);
            }
        } catch (MalformedEvent refused) {
            // The provider will say so.
            toProvider.control(frame);
        }
    }

    /** A provider that has not said an item cannot truncate it: it is told anew. */
    private void truncate(Frame frame, ClientEvent event) {
        if (event instanceof ClientEvent.ConversationItemTruncate(var eventId, var itemId, var part, var heardMs)
                && provider.wasTold(itemId)) {
            frame.release();
            witness.cut(itemId, heardMs);
            correct(itemId);
            caller.say(new ServerEvent.ConversationItemTruncated(Ids.event(), itemId, part, heardMs));
        } else {
            toProvider.control(frame);
        }
    }

    private void correct(String itemId) {
        var then = turn(itemId);
        tellFacts();
        var now = turn(itemId);
        if (then != null && now != null) {
            provider.tell(History.corrected(then, now, null));
        }
    }

    private @Nullable Turn turn(String itemId) {
        return soFar().turns().stream()
                .filter(turn -> turn.itemId().equals(itemId))
                .findAny()
                .orElse(null);
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
                if (!response.equals(cutResponse)) {
                    witness.note(new AnswerEnded(response, now()));
                }
            }
            tellFacts();
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

    /** A guided caller's answer waits for it; a strict one's client begins anew, and so does the answer. */
    @Override
    public void left(String seat, int code) {
        trace.event("caller_detached", "code", Integer.toString(code));
        superseded();
        reports.callerEnded(seat, code);
    }

    @Override
    public void superseded() {
        if (!face.guided() && soFar().answer() != null) {
            if (answering) {
                stopForNow();
            } else {
                witness.note(new AnswerEnded(soFar().answer().responseId(), now()));
                tellFacts();
            }
        }
        // What was thrown away may have held the provider back.
        provider.writable();
    }

    /** Nobody hears the answer: it is gone on with when somebody does. */
    private void stopForNow() {
        cut(System.nanoTime());
        own(new ClientEvent.ResponseCancel(ownId(), null));
        tellFacts();
        cutResponse = soFar().answer() == null ? null : soFar().answer().responseId();
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
                    checkHeard();
                }
                case RESPONSE_FUNCTION_CALL_ARGUMENTS_DELTA -> {
                    first();
                    toCaller.control(frame);
                }
                case CONVERSATION_ITEM_INPUT_AUDIO_TRANSCRIPTION_DELTA -> {
                    times.words(System.nanoTime());
                    toCaller.event(frame, peek.type());
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
                tellFacts();
            }
            return;
        }
        if (event instanceof ServerEvent.Error(var eventId, var error)) {
            toProvider.untaken().refused(error);
            if (isOurTrouble(error)) {
                frame.release();
                swallowed(error);
                return;
            }
        }
        if (type == EventType.INPUT_AUDIO_BUFFER_SPEECH_STARTED && witness.interruptible()) {
            bargeIn();
        }
        witness.saw(event);
        pass(event, frame, type);
        tellFacts();
        switch (type) {
            case SESSION_CREATED, SESSION_UPDATED, RATE_LIMITS_UPDATED, ERROR -> {}
            default -> expiry.active();
        }
    }

    private void pass(ServerEvent event, Frame frame, EventType type) {
        switch (event) {
            case ServerEvent.SessionUpdated updated -> {
                toProvider.untaken().configured();
                toCaller.event(
                        named(frame, new ServerEvent.SessionUpdated(updated.eventId(), ours(updated.session()))), type);
            }
            case ServerEvent.InputAudioBufferSpeechStarted started -> {
                utterance.speaks();
                toCaller.event(frame, type);
            }
            case ServerEvent.InputAudioBufferSpeechStopped stopped -> {
                times.speechEnded(System.nanoTime());
                toCaller.event(frame, type);
            }
            case ServerEvent.InputAudioBufferCommitted committed -> {
                times.committed(System.nanoTime());
                utterance.committed();
                // Only a turn that the provider has ended itself makes it answer.
                turnTaken = witness.answersByItself() && commits == 0;
                commits = Math.max(0, commits - 1);
                spending.ask();
                isDue();
                toCaller.event(frame, type);
            }
            case ServerEvent.InputAudioBufferCleared cleared -> {
                utterance.cleared();
                toCaller.event(frame, type);
            }
            case ServerEvent.ResponseCreated created -> {
                if (!witness.isAside(created.response().id())) {
                    utterance.settled();
                    answerAsked = false;
                    turnTaken = false;
                    answering = true;
                    isDue();
                    toCaller.responseBegun(created.response().id());
                    tellFacts();
                    if (!face.guided() && caller.hasBeenThere() && !caller.isThere()) {
                        stopForNow();
                    }
                }
                toCaller.control(frame);
            }
            case ServerEvent.ResponseOutputAudioTranscriptDelta delta -> {
                first();
                witness.spelled(delta.responseId(), delta.itemId(), delta.delta());
                toCaller.control(frame);
            }
            case ServerEvent.ResponseOutputTextDelta delta -> {
                first();
                witness.spelled(delta.responseId(), delta.itemId(), delta.delta());
                toCaller.control(frame);
            }
            case ServerEvent.ResponseOutputItemDone done -> {
                if (face.guided() && done.item() instanceof Item.FunctionCall call && tools.begins(done)) {
                    // Not before the journal has it: a call that nobody knows of would be made again.
                    trace.toolBegan(String.valueOf(call.callId()), call.name());
                    ledger.whenWritten(
                            () -> reports.callTool(String.valueOf(call.callId()), call.name(), call.arguments()));
                }
                toCaller.control(frame);
            }
            case ServerEvent.ResponseDone done -> {
                if (!witness.isAside(done.response().id()) && done.response().status() != null) {
                    room.metrics()
                            .answer(soFar().opened().arm(), done.response().status())
                            .increment();
                }
                if (done.response().status() == Response.Status.FAILED) {
                    times.failed("answer_failed");
                }
                answering &= done.response().conversationId() == null;
                isDue();
                if (done.response().status() == Response.Status.CANCELLED) {
                    tools.cancelled(done.response().id());
                } else if (done.response().status() == Response.Status.FAILED) {
                    outcome.answerFailed();
                }
                toCaller.responseDone(done.response().id(), frame);
                continueAfterTools();
                goOn();
            }
            case ServerEvent.ConversationItemAdded added -> item(added.item(), frame, false);
            case ServerEvent.ConversationItemDone done -> item(done.item(), frame, true);
            case ServerEvent.ConversationItemCreated created -> item(created.item(), frame, true);
            case ServerEvent.Error refused -> {
                // Whatever was asked for may have been refused: it is not waited for.
                answerAsked = false;
                turnTaken = false;
                utterance.settled();
                if (String.valueOf(refused.error().code()).startsWith("input_audio_buffer")) {
                    commits = 0;
                }
                isDue();
                toCaller.event(frame, type);
            }
            case ServerEvent.ConversationItemInputAudioTranscriptionCompleted written -> {
                times.words(System.nanoTime());
                utterance.isWritten(written.itemId());
                toCaller.event(frame, type);
            }
            default -> toCaller.event(frame, type);
        }
    }

    /** What the caller said is no part of an answer, and does not wait behind one. */
    private void item(Item item, Frame frame, boolean done) {
        boolean callers = item instanceof Item.FunctionCallOutput
                || (item instanceof Item.Message message && message.role() != Item.Role.ASSISTANT);
        if (done && item instanceof Item.Message message && message.role() == Item.Role.USER) {
            if (message.content().stream().anyMatch(Content.InputAudio.class::isInstance)) {
                utterance.isItem(String.valueOf(message.id()));
                if (answering || !(answerAsked || turnTaken)) {
                    // It is being answered already, or nobody waits for an answer.
                    utterance.settled();
                }
            }
        }
        if (done) {
            toProvider.untaken().taken(item);
        }
        if (callers) {
            toCaller.fromOutside(frame);
        } else {
            toCaller.control(frame);
        }
    }

    private void first() {
        if (times.awaitsFirst()) {
            times.first(System.nanoTime());
        }
    }

    private void bargeIn() {
        long began = System.nanoTime();
        if (!cut(began).isEmpty()) {
            room.metrics().bargeIns.increment();
            times.bargedIn(System.nanoTime() - began);
        }
        stopped = toCaller.openResponse();
        owed = new Owed(false, null, owed.lost());
        if (soFar().answer() != null) {
            witness.note(new AnswerEnded(soFar().answer().responseId(), now()));
        }
        tellFacts();
        provider.writable();
    }

    /** Nothing more of what the agent was saying leaves: the provider and the journal learn what was heard. */
    private List<ToCaller.Cut> cut(long now) {
        var cuts = toCaller.interrupt(now);
        for (var cut : cuts) {
            witness.cut(cut.itemId(), cut.heardMs());
            if (provider.wasTold(cut.itemId())) {
                correct(cut.itemId());
            } else if (face.guided()) {
                own(new ClientEvent.ConversationItemTruncate(ownId(), cut.itemId(), 0, cut.heardMs()));
            }
        }
        return cuts;
    }

    /** A model goes on only when asked, and may be asked only when its response is done and every call is answered. */
    private void continueAfterTools() {
        if (!answering && !spending.isUsedUp() && tools.takeGoOn()) {
            ask(false);
        }
    }

    private void tellResult(String callId, String output) {
        if (!over) {
            var result = new ClientEvent.ConversationItemCreate(
                    ownId(), null, new Item.FunctionCallOutput(null, null, callId, output));
            toProvider.kept(Frame.text(Wire.bytes(result)), result);
            provider.readable();
        }
    }

    /** Complaints about what Parley said, and a provider's word that it is too old: it is replaced, and nobody's business. */
    private static boolean isOurTrouble(ServerEvent.ErrorBody error) {
        return (error.eventId() != null && error.eventId().startsWith(OWN)) || "session_expired".equals(error.code());
    }

    private void swallowed(ServerEvent.ErrorBody error) {
        room.metrics().swallowedErrors.increment();
        if (asked.equals(error.eventId())) {
            answerAsked = false;
            utterance.settled();
            isDue();
        }
    }

    /** @param first whether ahead of the audio that waits */
    private void ask(boolean first) {
        answerAsked = true;
        isDue();
        tools.asked();
        asked = ownId();
        if (!over) {
            var frame = Frame.text(Wire.bytes(new ClientEvent.ResponseCreate(asked, null)));
            if (first) {
                toProvider.askFirst(frame);
            } else {
                toProvider.ask(frame);
            }
            provider.readable();
        }
    }

    private void own(ClientEvent event) {
        if (!over) {
            toProvider.control(Frame.text(Wire.bytes(event)));
            provider.readable();
        }
    }

    private static String ownId() {
        return OWN + Ids.event();
    }

    /** Towards the caller a session has one name for all its life, whoever serves it. */
    private SessionConfig ours(SessionConfig session) {
        return session.with("id", TextNode.valueOf(id.value()));
    }

    private SessionConfig sessionForCaller() {
        var session = witness.configuration();
        return ours(session == null ? SessionConfig.EMPTY.with("type", TextNode.valueOf("realtime")) : session);
    }

    private static Frame named(Frame original, ServerEvent event) {
        original.release();
        return Frame.text(Wire.bytes(event));
    }

    /** Whether the provider owes something, and must not stay silent. */
    private void isDue() {
        provider.due(answering || answerAsked || turnTaken);
        long now = System.nanoTime();
        outcome.due(answering || answerAsked || turnTaken, now);
        times.due(answering || answerAsked || turnTaken, now);
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
        times.provider(by.name());
        trace.found(by.name(), by.modelFor(soFar().opened().model()));
        witness.saw(created);
        var upstreamId = created.session().id();
        var model = created.session().model();
        witness.note(new UpstreamOpened(
                by.name(),
                model == null ? by.modelFor(soFar().opened().model()) : model,
                upstreamId == null ? "" : upstreamId,
                now()));
        tellFacts();
    }

    @Override
    public void opened(ServerEvent.@Nullable SessionCreated session) {
        trace.opened();
        if (!begun) {
            begun = true;
            outcome.created();
            if (session != null) {
                witness.saw(session);
                tellFacts();
            }
            caller.begun(sessionForCaller(), soFar());
            caller.writable();
        }
        goOn();
        provider.readable();
    }

    /** What is owed is done, when there are both somebody to do it and somebody to do it for. */
    private void goOn() {
        if (!begun || !provider.isOpen() || !caller.isThere() || spending.isUsedUp() || over) {
            return;
        }
        if (owed.equals(Owed.NOTHING)
                && !answering
                && !answerAsked
                && soFar().answer() != null
                && soFar().answer().responseId().equals(cutResponse)) {
            owed = Owed.after(soFar());
        }
        var due = owed;
        owed = Owed.NOTHING;
        if (!due.lost().isEmpty()) {
            caller.say(Owed.restored(cause, due.lost()));
        }
        if (due.answer() && !answering && !answerAsked && !turnTaken && !tools.isRunning()) {
            if (due.heard() != null) {
                provider.tell(List.of(new ClientEvent.ConversationItemCreate(ownId(), null, wasCutAfter(due.heard()))));
            }
            ask(witness.findsTurns());
        } else if (!answerAsked) {
            continueAfterTools();
        }
    }

    private static Item wasCutAfter(String heard) {
        return new Item.Message(
                Ids.item(),
                null,
                Item.Role.SYSTEM,
                List.of(new Content.InputText(
                        "A technical fault cut your last answer off. The caller heard it up to: \"" + heard
                                + "\". Go on from there. Do not greet, do not repeat, do not mention the fault.")));
    }

    @Override
    public void lost(String why) {
        trace.event("provider_lost");
        trace.seeks();
        times.failed("provider_lost");
        var open = toCaller.openResponse();
        boolean asksAgain = toProvider.hasAsk();
        boolean speaks = utterance.isOpen();
        boolean due = (answerAsked && !asksAgain) || (turnTaken && !speaks);
        answering = false;
        answerAsked = asksAgain;
        turnTaken = false;
        commits = 0;
        outcome.lost();
        isDue();
        sayAgain();
        boolean cutOff = witness.providerLost();
        witness.note(new UpstreamLost(why, now()));
        tellFacts();
        toCaller.upstreamLost();
        // All that was begun of it is there: only the word that it is done is missing.
        boolean whole = !cutOff && Owed.isBegun(soFar());
        boolean cut = open != null && !whole && !open.equals(stopped);
        if (cut) {
            cutResponse = open;
            closeCutResponse(open);
        } else if (open != null) {
            closeResponse(open, whole ? Response.Status.COMPLETED : Response.Status.CANCELLED, null);
        }
        var after = Owed.after(soFar());
        cause = switch (why) {
            case ProviderSide.SUSPENDED -> "partition";
            case ProviderSide.MUTE -> "provider_mute";
            default -> "provider_lost";
        };
        // An answer that is still being heard, and was generated to its end, is not due again.
        boolean turnWaits = soFar().answer() == null && after.answer() && !speaks && !asksAgain;
        owed = owed.and(new Owed(due || cut || turnWaits, cut ? after.heard() : null, cut ? after.lost() : List.of()));
    }

    @Override
    public void sayAgain() {
        var wordless = utterance.wordlessItem();
        if (wordless != null) {
            // It is said again, and will be another item.
            witness.note(new ItemDeleted(wordless, now()));
            tellFacts();
            caller.say(new ServerEvent.ConversationItemDeleted(Ids.event(), wordless));
        }
        toProvider.again(
                witness.answersByItself()
                        ? null
                        : Frame.text(Wire.bytes(new ClientEvent.InputAudioBufferCommit(ownId()))));
    }

    /** Towards the caller every response that began has an end. */
    private void closeCutResponse(String responseId) {
        closeResponse(
                responseId,
                Response.Status.FAILED,
                new Response.Failure("server_error", "upstream_lost", "cut by a fault; the answer begins again"));
    }

    private void closeResponse(String responseId, Response.Status how, Response.@Nullable Failure why) {
        var done = Response.begun(responseId, null, List.of("audio"), null)
                .ended(how, new Response.StatusDetails(how.wireName(), null, why), List.of(), null);
        toCaller.responseDone(responseId, Frame.text(Wire.bytes(new ServerEvent.ResponseDone(Ids.event(), done))));
        caller.readable();
    }

    @Override
    public void stillLost() {
        if (face.guided() && caller.isThere()) {
            toCaller.aboutConnection("{\"type\":\"session.reconnecting\",\"what\":\"provider\"}");
            caller.readable();
        }
    }

    @Override
    public void refused(ProviderRefused refusal) {
        var type = refusal.retryable() ? "server_error" : "invalid_request_error";
        var error = new ServerEvent.ErrorBody(type, refusal.code(), refusal.getMessage(), null, null);
        var close = refusal.retryable()
                ? new WebSocketClose(WebSocketClose.TRY_AGAIN_LATER, "no provider: " + refusal.code(), false)
                : new WebSocketClose(4000, type + "." + refusal.code(), false);
        end(close, () -> caller.say(new ServerEvent.Error(Ids.event(), error)));
        ended(begun ? EndReason.PROVIDER_LOST : EndReason.PROVIDER_REFUSED, refusal.code());
    }

    /** A provider that said why has said it to the caller, too: its words and its code are passed on. */
    @Override
    public void dismissed(WebSocketClose close) {
        end(close, () -> {});
        ended(EndReason.PROVIDER_LOST, close.code() + " " + close.reason());
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
        return !answering
                && !answerAsked
                && !turnTaken
                && !witness.isSpokenTo()
                && !utterance.isOpen()
                && tools.isIdle();
    }

    // ---- the end of its time

    @Override
    public boolean isBusy() {
        return answering
                || answerAsked
                || turnTaken
                || witness.isSpokenTo()
                || !tools.isIdle()
                || !toCaller.isQuiet(System.nanoTime());
    }

    @Override
    public boolean isHeard() {
        return caller.isThere();
    }

    @Override
    public void warn(EndReason why, Duration left) {
        if (face.guided()) {
            caller.say(Wire.json(JsonNodeFactory.instance
                    .objectNode()
                    .put("type", "session.warning")
                    .put("reason", lower(why))
                    .put("ends_in_ms", left.toMillis())));
            witness.note(new Warned(why, now().plus(left), now()));
            tellFacts();
        }
    }

    @Override
    public void idle() {
        var why = lower(EndReason.IDLE);
        end(new WebSocketClose(WebSocketClose.NORMAL, why, false), () -> sayEnded(why));
        ended(EndReason.IDLE, "");
    }

    // ---- facts

    private void write(Unwritten.Batch batch) {
        toldAt = toldAt == 0 ? System.nanoTime() : toldAt;
        reports.facts(batch);
    }

    private void spent(SessionEvent.Spent spent) {
        var by = soFar().upstream();
        trace.spent(spent.tokens());
        Bill.count(room.metrics(), room.prices(), by == null ? "none" : by.provider(), spent);
    }

    private void tellFacts() {
        ledger.tell();
        spending.look();
        outcome.cost(soFar().costMicros());
    }

    @Override
    public boolean isHeardOut() {
        return begun
                && caller.isThere()
                && !answering
                && !answerAsked
                && !turnTaken
                && toCaller.isQuiet(System.nanoTime());
    }

    @Override
    public void notice(String event) {
        caller.say(event);
    }

    @Override
    public void usedUp(String detail) {
        end(new WebSocketClose(BUDGET, "budget", false), () -> sayEnded("budget"));
        ended(EndReason.BUDGET, detail);
    }

    private void journalLost() {
        if (!over) {
            end(
                    new WebSocketClose(WebSocketClose.TRY_AGAIN_LATER, "journal_lost", false),
                    () -> sayEnded("journal_lost"));
            ended(EndReason.JOURNAL_LOST, "the journal did not take a fact for " + settings.journalOutage());
        }
    }

    /** While the agent is heard, the journal learns how far: whoever takes over goes on from there. */
    private void checkHeard() {
        if (!checking && !over) {
            checking = true;
            loop.schedule(this::noteHeard, settings.heardEvery().toMillis(), TimeUnit.MILLISECONDS);
        }
    }

    private void noteHeard() {
        checking = false;
        if (over || soFar().answer() == null) {
            return;
        }
        ToCaller.Cut last = null;
        for (var item : toCaller.heard(System.nanoTime())) {
            last = item.heardMs() > 0 ? item : last;
        }
        if (last != null && caller.isThere()) {
            var known = soFar().answer().heard();
            if (known == null || !known.itemId().equals(last.itemId()) || known.heardMs() != last.heardMs()) {
                witness.isHeard(last.itemId(), last.heardMs());
                tellFacts();
            }
        }
        checkHeard();
    }

    // ---- the end

    /** At a turn boundary, or when the time is over, the session is let go. */
    private void part(long deadline) {
        if (over) {
            parted();
        } else if (System.nanoTime() - deadline >= 0
                || (isAtTurnBoundary() && room.conversations().mayHandOver(System.nanoTime(), settings.handOver()))) {
            letGo();
        } else {
            loop.schedule(() -> part(deadline), LOOK_FOR_QUIET_MS, TimeUnit.MILLISECONDS);
        }
    }

    private boolean isAtTurnBoundary() {
        return !caller.isThere()
                || (isBetweenTurns() && !owed.answer() && soFar().answer() == null && toProvider.isEmpty());
    }

    private void letGo() {
        long now = System.nanoTime();
        boolean waits = !caller.isThere()
                || utterance.isOpen()
                || !toProvider.isEmpty()
                || !toProvider.untaken().isEmpty();
        if (soFar().answer() != null) {
            for (var item : toCaller.heard(now)) {
                if (item.heardMs() > 0) {
                    witness.isHeard(item.itemId(), item.heardMs());
                }
            }
            witness.providerLost();
            toCaller.interrupt(now);
            // It goes on elsewhere: nobody is to take it for ended.
            cutResponse = soFar().answer().responseId();
            toCaller.withhold(cutResponse);
        }
        trace.event("handed_over");
        trace.ended("handed_over", false);
        over();
        provider.end();
        caller.end(MOVED);
        witness.note(new HandedOver(toCaller.seq() + toCaller.waiting() + (waits ? 1 : 0), now()));
        tellFacts();
        parted();
    }

    private void parted() {
        if (parting && over && ledger.isWritten()) {
            reports.parted();
            room.conversations().parted(this);
        }
    }

    private void kill(long deadline) {
        if (over) {
            return;
        }
        if (System.nanoTime() - deadline >= 0 || isAtTurnBoundary()) {
            ended(EndReason.KILLED, "");
            end(SWITCHED_OFF, () -> sayEnded("killed"));
        } else {
            loop.schedule(() -> kill(deadline), LOOK_FOR_QUIET_MS, TimeUnit.MILLISECONDS);
        }
    }

    private void sayEnded(String why) {
        caller.say(Wire.json(
                JsonNodeFactory.instance.objectNode().put("type", "voice-ended").put("reason", why)));
    }

    private void ended(EndReason reason, String detail) {
        ending = new Ending(reason, detail);
        outcome.ended(reason);
        trace.ended(lower(reason), SessionMetrics.isFault(reason));
        reports.ended(reason, detail);
    }

    private void end(WebSocketClose toTheCaller, Runnable lastWords) {
        if (over) {
            return;
        }
        over();
        tellFacts();
        toCaller.dropAudio();
        lastWords.run();
        provider.end();
        caller.end(toTheCaller);
    }

    private static String lower(EndReason reason) {
        return reason.name().toLowerCase(java.util.Locale.ROOT);
    }

    private Instant now() {
        return room.clock().instant();
    }

    private void over() {
        over = true;
        expiry.close();
        ledger.close();
        spending.close();
        room.metrics().live.decrementAndGet();
        room.conversations().ended(this);
    }
}
