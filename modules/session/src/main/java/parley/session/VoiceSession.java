package parley.session;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonProperty;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.PostStop;
import org.apache.pekko.actor.typed.PreRestart;
import org.apache.pekko.actor.typed.SupervisorStrategy;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.actor.typed.javadsl.TimerScheduler;
import org.apache.pekko.cluster.sharding.typed.javadsl.ClusterSharding;
import org.apache.pekko.cluster.sharding.typed.javadsl.EntityContext;
import org.apache.pekko.cluster.sharding.typed.javadsl.EntityTypeKey;
import org.apache.pekko.persistence.typed.PersistenceId;
import org.apache.pekko.persistence.typed.RecoveryCompleted;
import org.apache.pekko.persistence.typed.RecoveryFailed;
import org.apache.pekko.persistence.typed.javadsl.CommandHandlerWithReply;
import org.apache.pekko.persistence.typed.javadsl.EventHandler;
import org.apache.pekko.persistence.typed.javadsl.EventSourcedBehaviorWithEnforcedReplies;
import org.apache.pekko.persistence.typed.javadsl.ReplyEffect;
import org.apache.pekko.persistence.typed.javadsl.RetentionCriteria;
import org.apache.pekko.persistence.typed.javadsl.SignalHandler;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import parley.admission.CallerId;
import parley.session.Answer.Refusal;
import parley.session.SessionEvent.CallerAttached;
import parley.session.SessionEvent.CallerDetached;
import parley.session.SessionEvent.Ended;
import parley.session.SessionEvent.Hosted;
import parley.session.SessionEvent.Opened;
import parley.session.SessionEvent.Told;
import parley.session.SessionState.Live;
import parley.session.SessionState.Over;
import parley.session.SessionState.Vacant;
import parley.wire.LogFields;
import parley.wire.WebSocketClose;

/**
 * One session, from admission to its end: vacant, live, over, and never back.
 *
 * <p>Keeps what must survive a crash: who calls, what was said, called and spent, why it ended. It makes the {@link
 * Conversation} when a caller joins, with the history in its opening script, and journals the facts that the
 * conversation tells. Audio never passes through here.
 *
 * <p>A journal that fails restarts the entity, with backoff, and not the conversation: that goes on, keeps its facts, and
 * tells them again. Before an entity makes a conversation it writes that it is the host; one that finds another host's
 * name in the journal is not the owner any more, and falls silent. When its shard moves, the conversation is let go at a
 * turn boundary, and made again elsewhere by whoever asks for its seat.
 */
final class VoiceSession
        extends EventSourcedBehaviorWithEnforcedReplies<VoiceSession.Command, SessionEvent, SessionState> {
    private static final Logger LOG = LoggerFactory.getLogger(VoiceSession.class);

    static final EntityTypeKey<Command> KEY = EntityTypeKey.create(Command.class, "session");

    /** Tags the last fact: by its absence a session is found that nobody asks for. */
    static final String TAG_ENDED = "ended";

    /** Begins the tag of the first fact: by it a user's sessions are found. */
    private static final String TAG_OWNER = "owner:";

    private static final Duration KEPT_IN_MEMORY = Duration.ofMinutes(1);

    /** A caller that has a seat, and whose session has just moved or begun, takes it within this time, or is gone. */
    private static final Duration ON_THE_WAY = Duration.ofSeconds(2);

    private static final Duration ASK_WHO_IS_THERE = Duration.ofMillis(250);

    sealed interface Command {}

    /** Safe to repeat by the same caller. */
    record Open(Sessions.Opening opening, ActorRef<Answer> replyTo) implements Command, CborSerializable {}

    /**
     * Opens if need be, and takes a seat. {@code loop} is the caller's, on {@code node}. Safe to repeat, with the same seat.
     *
     * @param seat its name, which nobody can guess; "" when the entity is to name it
     * @param moved whether it was lost without the caller's doing: its name proves that it was theirs
     */
    record TakeSeat(Sessions.Join join, String seat, boolean moved, String node, int loop, ActorRef<Seating> replyTo)
            implements Command, CborSerializable {
        /** Also reads what a node of 0.1 sends, which names no seat. */
        @JsonCreator
        static TakeSeat read(
                @JsonProperty("join") Sessions.Join join,
                @JsonProperty("seat") @Nullable String seat,
                @JsonProperty("moved") boolean moved,
                @JsonProperty("node") String node,
                @JsonProperty("loop") int loop,
                @JsonProperty("replyTo") ActorRef<Seating> replyTo) {
            return new TakeSeat(join, seat == null ? "" : seat, moved, node, loop, replyTo);
        }

        /** Seats and tokens are nobody's to read. */
        @Override
        public String toString() {
            return "TakeSeat[moved=" + moved + ", node=" + node + "]";
        }
    }

    record Describe(CallerId caller, ActorRef<Answer> replyTo) implements Command, CborSerializable {}

    /** Safe to repeat. */
    record End(CallerId caller, ActorRef<Answer> replyTo) implements Command, CborSerializable {}

    /** What an operator may see, whoever's it is. */
    record Inspect(ActorRef<Answer> replyTo) implements Command, CborSerializable {}

    /** An operator ends it. Safe to repeat. */
    record Stop(ActorRef<Answer> replyTo) implements Command, CborSerializable {}
    /** Ends, and leaves memory without another word: it is going to be deleted. Safe to repeat. */
    record Forget(CallerId caller, ActorRef<Answer> replyTo) implements Command, CborSerializable {}

    /** Lives, so that its clocks run; somebody who watched it may be gone. */
    record Wake() implements Command, CborSerializable {}

    /** The conversation tells what became a fact. */
    record Note(Unwritten.Batch batch) implements Command {}

    record CallTool(String callId, String name, String arguments) implements Command {}

    record ToolAnswered(String callId, String output) implements Command {}

    record ConversationEnded(EndReason reason, String detail) implements Command {}

    record CallerSeated(String seat) implements Command {}

    record CallerEnded(String seat, int code) implements Command {}

    enum Move implements Command {
        /** The shard moves: the session is to be let go. */
        HAND_OVER,
        /** The conversation has let go. */
        PARTED
    }

    enum Timeout implements Command {
        MAX_LENGTH,
        /** The seat that is kept for a caller was not taken within the resume window. */
        NOBODY_CAME,
        PASSIVATE
    }

    /** Where to sit, or why not. */
    sealed interface Seating {
        /**
         * @param node the Pekko address of the node the conversation runs on
         * @param seat shown once, to take it; nobody can guess it
         */
        record Taken(String node, String linkHost, int linkPort, String seat) implements Seating, CborSerializable {}

        record Denied(Answer.Refused why) implements Seating, CborSerializable {}
    }

    private final SessionId id;
    private final Room room;
    private final SessionLink link;
    private final ActorContext<Command> context;
    private final TimerScheduler<Command> timers;
    private final ActorRef<ClusterSharding.ShardCommand> shard;
    /** The name of this life of the entity, also across restarts by its supervisor. */
    private final String host;

    private @Nullable Conversation conversation;
    /** Given since this life began. */
    private long seats;
    /** When this life of the entity knew what was before, or gave a seat: the caller may be on its way back to it. */
    private long expectedSince = System.nanoTime();

    /** Whether it is going to be deleted: it writes nothing more. */
    private boolean forgotten;

    static Behavior<Command> create(EntityContext<Command> entity, Room room, SessionLink link) {
        return Behaviors.setup(context -> Behaviors.withTimers(timers ->
                new VoiceSession(new SessionId(entity.getEntityId()), room, link, context, timers, entity.getShard())));
    }

    VoiceSession(
            SessionId id,
            Room room,
            SessionLink link,
            ActorContext<Command> context,
            TimerScheduler<Command> timers,
            ActorRef<ClusterSharding.ShardCommand> shard) {
        super(
                PersistenceId.of(KEY.name(), id.value()),
                SupervisorStrategy.restartWithBackoff(Duration.ofMillis(200), Duration.ofSeconds(1), 0.2)
                        .withLoggingEnabled(false));
        this.id = id;
        this.room = room;
        this.link = link;
        this.context = context;
        this.timers = timers;
        this.shard = shard;
        this.host = room.node() + "/" + Secret.random().substring(0, 12);
    }

    @Override
    public SessionState emptyState() {
        return new Vacant();
    }

    @Override
    public EventHandler<SessionState, SessionEvent> eventHandler() {
        return SessionState::after;
    }

    @Override
    public Set<String> tagsFor(SessionEvent event) {
        return switch (event) {
            case Opened opened -> Set.of(ownerTag(opened.caller()), Projections.slice(id));
            case Ended ended -> Set.of(TAG_ENDED, Projections.slice(id));
            case Told told
            when told.facts().stream().anyMatch(Ended.class::isInstance) -> Set.of(TAG_ENDED, Projections.slice(id));
            default -> SessionTables.tellOf(event) ? Set.of(Projections.slice(id)) : Set.of();
        };
    }

    /** The same for all sessions of a caller, and not who it is. */
    static String ownerTag(CallerId caller) {
        return TAG_OWNER + Secret.hash(caller.tenant() + "\n" + caller.user());
    }

    @Override
    public RetentionCriteria retentionCriteria() {
        return RetentionCriteria.snapshotEvery(200, 1);
    }

    @Override
    public SignalHandler<SessionState> signalHandler() {
        return newSignalHandlerBuilder()
                .onSignal(RecoveryCompleted.instance(), this::recovered)
                .onSignal(
                        PreRestart.instance(),
                        state -> room.metrics().journalFailures.increment())
                .onSignal(
                        RecoveryFailed.class,
                        (state, failed) -> room.metrics().journalFailures.increment())
                .onSignal(PostStop.instance(), state -> leaveConversation())
                .build();
    }

    @Override
    public CommandHandlerWithReply<Command, SessionEvent, SessionState> commandHandler() {
        return (state, command) -> switch (state) {
            case Vacant vacant -> whenVacant(command);
            case Live live -> whenLive(live, command);
            case Over over -> whenOver(over, command);
        };
    }

    private ReplyEffect<SessionEvent, SessionState> whenVacant(Command command) {
        return switch (command) {
            case Open c ->
                Effect()
                        .persist(opened(c.opening()))
                        .thenRun(state -> began(c.opening()))
                        .thenReply(c.replyTo(), state -> new Answer.Opened(id));
            case TakeSeat c when c.join().again() -> deny(c, Refusal.UNKNOWN, "no session " + id);
            case TakeSeat c -> {
                var opened = opened(c.join().opening());
                yield seat(c, Live.opened(opened), List.of(opened));
            }
            // Asked for by anybody, and nothing to remember: it does not stay.
            case Describe c -> {
                passivate();
                yield refuse(c.replyTo(), Refusal.UNKNOWN);
            }
            case End c -> {
                passivate();
                yield refuse(c.replyTo(), Refusal.UNKNOWN);
            }
            case Inspect c -> {
                passivate();
                yield refuse(c.replyTo(), Refusal.UNKNOWN);
            }
            case Stop c -> {
                passivate();
                yield refuse(c.replyTo(), Refusal.UNKNOWN);
            }
            case Forget c -> {
                passivate();
                yield refuse(c.replyTo(), Refusal.UNKNOWN);
            }
            case Note n -> Effect().noReply();
            case CallTool c -> Effect().noReply();
            case ToolAnswered c -> Effect().noReply();
            case ConversationEnded c -> Effect().noReply();
            case CallerSeated c -> Effect().noReply();
            case CallerEnded c -> Effect().noReply();
            case Wake wake -> passivate();
            case Move move -> Effect().stop().thenNoReply();
            case Timeout timeout -> passivate();
        };
    }

    private ReplyEffect<SessionEvent, SessionState> whenLive(Live live, Command command) {
        return switch (command) {
            case Open c when isOwner(live, c.opening().caller()) -> Effect().reply(c.replyTo(), new Answer.Opened(id));
            case Open c -> refuse(c.replyTo(), Refusal.UNKNOWN);
            case TakeSeat c
            when !isOwner(live, c.join().opening().caller()) ->
                isForInterview(c)
                        ? deny(c, Refusal.FORBIDDEN, "the interview is another caller's")
                        : deny(c, Refusal.UNKNOWN, "no session " + id);
            case TakeSeat c
            when isForInterview(c) && !showsToken(live, c) && live.line().attached() ->
                switch (presence()) {
                    case THERE -> taken(c, null);
                    case PERHAPS -> taken(c, ASK_WHO_IS_THERE);
                    case GONE -> seat(c, live, List.of());
                };
            case TakeSeat c
            when !isForInterview(c) && !mayResume(live, c) ->
                deny(c, Refusal.FORBIDDEN, "resume_token: not the present one (expected: the last voice-welcome's)");
            case TakeSeat c -> seat(c, live, List.of());
            case Describe c when isOwner(live, c.caller()) -> Effect().reply(c.replyTo(), described(live, null));
            case Describe c -> refuse(c.replyTo(), Refusal.UNKNOWN);
            case End c
            when isOwner(live, c.caller()) ->
                Effect()
                        .persist(ended(EndReason.ENDED_BY_CALLER, null))
                        .thenRun(state -> hangUp(live, EndReason.ENDED_BY_CALLER))
                        .thenReply(c.replyTo(), this::described);
            case End c -> refuse(c.replyTo(), Refusal.UNKNOWN);
            case Inspect c -> Effect().reply(c.replyTo(), described(live, null));
            case Stop c ->
                Effect()
                        .persist(ended(EndReason.ENDED_BY_OPERATOR, null))
                        .thenRun(state -> hangUp(live, EndReason.ENDED_BY_OPERATOR))
                        .thenReply(c.replyTo(), this::described);
            case Forget c
            when isOwner(live, c.caller()) ->
                Effect()
                        .persist(ended(EndReason.ENDED_BY_OPERATOR, null))
                        .thenRun(state -> {
                            hangUp(live, EndReason.ENDED_BY_OPERATOR);
                            forget();
                        })
                        .thenReply(c.replyTo(), this::described);
            case Forget c -> refuse(c.replyTo(), Refusal.UNKNOWN);
            case Note n -> write(live, n);
            case CallTool c -> callTool(c);
            case ToolAnswered c -> toolAnswered(c);
            case ConversationEnded c ->
                Effect()
                        .persist(ended(c.reason(), c.detail().isEmpty() ? null : c.detail()))
                        .thenRun(state -> {
                            count(live, c.reason());
                            over();
                        })
                        .thenNoReply();
            case CallerSeated c -> {
                if (c.seat().equals(live.line().seat())) {
                    timers.cancel(Timeout.NOBODY_CAME);
                }
                yield Effect().noReply();
            }
            // Another seat was given to the caller meanwhile: the old line's end says nothing any more.
            case CallerEnded c
            when !c.seat().equals(live.line().seat()) -> Effect().noReply();
            // Who closes an interview's line may have closed a page: only the next one, or nobody, tells.
            case CallerEnded c
            when c.code() == WebSocketClose.NORMAL && live.opened().interview() == null ->
                end(live, EndReason.CALLER_LEFT);
            case CallerEnded c ->
                Effect()
                        .persist(new CallerDetached(c.seat(), c.code(), now()))
                        .thenRun(state -> awaitCaller())
                        .thenNoReply();
            case Wake wake -> Effect().noReply();
            case Move move ->
                switch (move) {
                    case HAND_OVER -> handOver();
                    case PARTED -> parted();
                };
            case Timeout timeout ->
                switch (timeout) {
                    case MAX_LENGTH -> end(live, EndReason.MAX_LENGTH);
                    case NOBODY_CAME -> {
                        if (conversation == null || !conversation.hasCaller()) {
                            yield end(live, EndReason.CALLER_LEFT);
                        }
                        // On an earlier seat: the one that was given last was never taken.
                        awaitCaller();
                        yield Effect().noReply();
                    }
                    case PASSIVATE -> Effect().noReply();
                };
        };
    }

    private ReplyEffect<SessionEvent, SessionState> whenOver(Over over, Command command) {
        return switch (command) {
            case Open c -> refuse(c.replyTo(), Refusal.OVER);
            case TakeSeat c ->
                isForInterview(c) || isOwner(over.last(), c.join().opening().caller())
                        ? deny(c, Refusal.OVER, "session " + id + " is over: " + lower(over.reason()))
                        : deny(c, Refusal.UNKNOWN, "no session " + id);
            case Describe c when isOwner(over.last(), c.caller()) -> Effect().reply(c.replyTo(), described(over));
            case Describe c -> refuse(c.replyTo(), Refusal.UNKNOWN);
            case End c when isOwner(over.last(), c.caller()) -> Effect().reply(c.replyTo(), described(over));
            case End c -> refuse(c.replyTo(), Refusal.UNKNOWN);
            case Inspect c -> Effect().reply(c.replyTo(), described(over));
            case Stop c -> Effect().reply(c.replyTo(), described(over));
            case Forget c
            when isOwner(over.last(), c.caller()) -> {
                forget();
                yield Effect().reply(c.replyTo(), described(over));
            }
            case Forget c -> refuse(c.replyTo(), Refusal.UNKNOWN);
            case Note n when forgotten -> Effect().noReply();
            // The last response's cost, or the end of an item, may arrive behind the end.
            case Note n -> write(over.last(), n);
            case Wake wake -> Effect().noReply();
            case Move move -> Effect().stop().thenNoReply();
            case Timeout timeout -> passivate();
            case CallTool c -> Effect().noReply();
            case ToolAnswered c -> Effect().noReply();
            case ConversationEnded c -> Effect().noReply();
            case CallerSeated c -> Effect().noReply();
            case CallerEnded c -> Effect().noReply();
        };
    }

    // ---- facts

    private ReplyEffect<SessionEvent, SessionState> write(Live live, Note note) {
        long number = note.batch().number();
        return number <= live.hosting().told()
                ? Effect().none().thenRun(state -> written(number)).thenNoReply()
                : Effect()
                        .persist(new Told(number, note.batch().facts(), now()))
                        .thenRun(state -> written(number))
                        .thenNoReply();
    }

    private void written(long number) {
        if (conversation != null) {
            conversation.written(number);
        }
    }

    // ---- seats

    private ReplyEffect<SessionEvent, SessionState> seat(TakeSeat command, Live live, List<SessionEvent> before) {
        var line = live.line();
        boolean moved = command.moved();
        var seat = command.seat().isEmpty() ? Secret.random() : command.seat();
        if (conversation != null && line.attached() && seat.equals(line.seat())) {
            if (moved) {
                keep(conversation, seat, Conversations.Manner.MOVED, command, null);
            }
            return Effect().reply(command.replyTo(), taken(seat));
        }
        var token = live.opened().face().guided() && !moved ? Secret.random() : null;
        var shown = command.join().resumeToken();
        var manner = moved
                ? Conversations.Manner.MOVED
                : line.seat() == null ? Conversations.Manner.FIRST : Conversations.Manner.BACK;
        var facts = new ArrayList<>(before);
        if (conversation == null) {
            facts.add(new Hosted(host, now()));
            facts.addAll(Owed.facts(live, room.tools(), now()));
        }
        facts.add(new CallerAttached(
                seat,
                token == null ? line.resumeTokenHash() : Secret.hash(token),
                command.node(),
                now(),
                moved || shown == null ? line.shownTokenHash() : Secret.hash(shown)));
        return Effect()
                .persist(List.copyOf(facts))
                .thenRun(state -> {
                    if (!before.isEmpty()) {
                        began(command.join().opening());
                    }
                    var running = conversation == null ? startConversation(live, (Live) state, command) : conversation;
                    keep(running, seat, manner, command, token == null ? null : welcome((Live) state, token));
                    expectedSince = System.nanoTime();
                    awaitCaller();
                })
                .thenReply(command.replyTo(), state -> taken(seat));
    }

    private void keep(
            Conversation running,
            String seat,
            Conversations.Manner manner,
            TakeSeat command,
            @Nullable String welcome) {
        room.conversations()
                .keep(
                        seat,
                        new Conversations.Seat(
                                running,
                                manner,
                                ++seats,
                                command.join().lastSeq(),
                                welcome,
                                command.join().acks()));
    }

    private Seating.Taken taken(String seat) {
        return new Seating.Taken(room.node(), link.host(), link.port(), seat);
    }

    private Conversation startConversation(Live before, Live live, TakeSeat command) {
        var loop = command.node().equals(room.node())
                ? room.loops().get(command.loop())
                : room.loops().next();
        boolean orderly = before.hosting().host() == null || before.hosting().released();
        if (!orderly) {
            room.metrics().takenOver.increment();
        }
        var owed = before.hosting().host() == null
                ? Owed.NOTHING
                : Owed.after(live)
                        .and(Owed.lostCalls(before, room.tools()).stream()
                                .<Owed.Lost>map(call -> new Owed.Lost.ToolResult(String.valueOf(call.callId())))
                                .toList());
        var trace = SessionTrace.begin(
                room.metrics().tracer(),
                id,
                live.opened(),
                before.hosting().host() != null,
                room.node(),
                TraceParent.parse(command.join().trace()).orElse(null));
        var started = new Conversation(id, loop, room, new ToSelf(context.getSelf()), live, orderly, owed, trace);
        started.start();
        started.concerns()
                .around(() -> LOG.info(
                        before.hosting().host() == null ? "session {} begins" : "session {} goes on here", id));
        conversation = started;
        return started;
    }

    /** The conversation's reports, as commands. */
    private record ToSelf(ActorRef<Command> self) implements Conversation.Reports {
        @Override
        public void facts(Unwritten.Batch batch) {
            self.tell(new Note(batch));
        }

        @Override
        public void callTool(String callId, String name, String arguments) {
            self.tell(new CallTool(callId, name, arguments));
        }

        @Override
        public void ended(EndReason reason, String detail) {
            self.tell(new ConversationEnded(reason, detail));
        }

        @Override
        public void parted() {
            self.tell(Move.PARTED);
        }

        @Override
        public void callerSeated(String seat) {
            self.tell(new CallerSeated(seat));
        }

        @Override
        public void callerEnded(String seat, int code) {
            self.tell(new CallerEnded(seat, code));
        }
    }

    private static boolean isOwner(Live live, CallerId caller) {
        return live.opened().caller().equals(caller);
    }

    /** Who asks for the one line of an interview, and not for a seat that was theirs. */
    private static boolean isForInterview(TakeSeat command) {
        return command.join().opening().interview() != null && !command.moved();
    }

    private enum Presence {
        THERE,
        /** On the way to a seat, or back to one that was lost with a node: known in a moment. */
        PERHAPS,
        GONE
    }

    /** Whether the caller that the last seat was given to is on the line. */
    private Presence presence() {
        if (conversation != null && conversation.hasCaller()) {
            return Presence.THERE;
        }
        return System.nanoTime() - expectedSince < ON_THE_WAY.toNanos() ? Presence.PERHAPS : Presence.GONE;
    }

    private ReplyEffect<SessionEvent, SessionState> taken(TakeSeat command, @Nullable Duration again) {
        return Effect()
                .reply(
                        command.replyTo(),
                        new Seating.Denied(new Answer.Refused(
                                Refusal.TAKEN,
                                "the interview has a live connection (expected: that it has ended, or its resume_token)",
                                again)));
    }

    private boolean showsToken(Live live, TakeSeat command) {
        var token = command.join().resumeToken();
        return token != null && live.line().isGood(Secret.hash(token));
    }

    /** The strict face resumes with its credentials; the guided one shows the token of its last welcome. */
    private boolean mayResume(Live live, TakeSeat command) {
        if (command.moved()) {
            return Secret.isSame(command.seat(), live.line().seat());
        }
        var expected = live.line().resumeTokenHash();
        if (expected == null || !live.opened().face().guided()) {
            return true;
        }
        var token = command.join().resumeToken();
        if (token == null
                && live.line().shownTokenHash() == null
                && live.turns().isEmpty()) {
            // Nobody has shown that the first token ever arrived, and there is nothing yet that it would guard.
            return true;
        }
        return showsToken(live, command);
    }

    private String welcome(Live live, String token) {
        return "{\"type\":\"voice-welcome\",\"session_id\":\"" + id + "\",\"resume_token\":\"" + token + "\",\"epoch\":"
                + live.hosting().epoch() + "}";
    }

    private void awaitCaller() {
        timers.startSingleTimer(
                Timeout.NOBODY_CAME, Timeout.NOBODY_CAME, room.settings().resumeWindow());
    }

    // ---- moving

    private ReplyEffect<SessionEvent, SessionState> handOver() {
        if (conversation == null) {
            return Effect().stop().thenNoReply();
        }
        conversation.handOver();
        return Effect().noReply();
    }

    private ReplyEffect<SessionEvent, SessionState> parted() {
        conversation = null;
        room.metrics().handedOver.increment();
        return Effect().stop().thenNoReply();
    }

    /** The entity stops, and did not let go in good order: whoever comes next finds what is in the journal. */
    private void leaveConversation() {
        if (conversation != null) {
            conversation.fenced();
            conversation = null;
        }
    }

    // ---- tools

    private ReplyEffect<SessionEvent, SessionState> callTool(CallTool call) {
        long began = System.nanoTime();
        context.pipeToSelf(room.tools().call(call.name(), call.arguments()), (outcome, fault) -> {
            boolean succeeded = fault == null && outcome.succeeded();
            room.metrics().toolTime(call.name()).since(began);
            room.metrics().toolCalled(call.name(), succeeded).increment();
            return new ToolAnswered(call.callId(), fault == null ? outcome.output() : "the tool failed");
        });
        return Effect().noReply();
    }

    private ReplyEffect<SessionEvent, SessionState> toolAnswered(ToolAnswered answer) {
        if (conversation != null) {
            conversation.answerTool(answer.callId(), answer.output());
        }
        return Effect().noReply();
    }

    // ---- the end

    private ReplyEffect<SessionEvent, SessionState> end(Live live, EndReason reason) {
        return Effect()
                .persist(ended(reason, null))
                .thenRun(state -> hangUp(live, reason))
                .thenNoReply();
    }

    private void hangUp(Live live, EndReason reason) {
        count(live, reason);
        if (conversation != null) {
            conversation.end(reason);
        }
        over();
    }

    /** Once in the session's life: when the journal has its end. */
    private void count(Live live, EndReason reason) {
        concerns(live)
                .around(() -> LOG.info(
                        "session {} ended: {} after {} s",
                        id,
                        lower(reason),
                        Duration.between(live.opened().at(), now()).toSeconds()));
        room.metrics()
                .ended(
                        live.opened(),
                        reason,
                        Duration.between(live.opened().at(), now()),
                        conversation == null ? live.costMicros() : conversation.costMicros());
    }

    private LogFields concerns(Live live) {
        return conversation == null ? SessionLog.of(id, live.opened().caller(), "") : conversation.concerns();
    }

    private void over() {
        timers.cancelAll();
        timers.startSingleTimer(Timeout.PASSIVATE, Timeout.PASSIVATE, KEPT_IN_MEMORY);
    }

    /** What the conversation still tells finds nobody. */
    private void forget() {
        forgotten = true;
        conversation = null;
        passivate();
    }

    private ReplyEffect<SessionEvent, SessionState> passivate() {
        shard.tell(new ClusterSharding.Passivate<>(context.getSelf()));
        return Effect().noReply();
    }

    // ---- clock and recovery

    private void recovered(SessionState state) {
        switch (state) {
            case Vacant vacant -> timers.startSingleTimer(Timeout.PASSIVATE, Timeout.PASSIVATE, KEPT_IN_MEMORY);
            case Live live -> {
                startClock(live.opened().at());
                awaitCaller();
                expectedSince = System.nanoTime();
                if (conversation != null && host.equals(live.hosting().host())) {
                    conversation.tellAgain(live.hosting().told());
                } else if (conversation != null) {
                    leaveConversation();
                    shard.tell(new ClusterSharding.Passivate<>(context.getSelf()));
                }
            }
            case Over over -> {
                if (conversation != null) {
                    conversation.end(over.reason());
                    conversation.tellAgain(over.last().hosting().told());
                }
                over();
            }
        }
    }

    private void began(Sessions.Opening opening) {
        room.metrics().started(opening.caller().tenant());
        startClock();
    }

    private void startClock() {
        startClock(now());
        awaitCaller();
    }

    private void startClock(Instant opened) {
        var left = Duration.between(now(), opened.plus(room.settings().maxLength()));
        timers.startSingleTimer(
                Timeout.MAX_LENGTH, Timeout.MAX_LENGTH, left.isNegative() ? Duration.ofMillis(1) : left);
        timers.cancel(Timeout.PASSIVATE);
    }

    private Instant now() {
        return room.clock().instant();
    }

    // ---- answers

    private Opened opened(Sessions.Opening opening) {
        return new Opened(
                opening.caller(),
                opening.face(),
                opening.arm(),
                opening.model(),
                now(),
                opening.rule(),
                opening.revision(),
                opening.interview());
    }

    private Ended ended(EndReason reason, @Nullable String detail) {
        return new Ended(reason, detail, now());
    }

    private ReplyEffect<SessionEvent, SessionState> refuse(ActorRef<Answer> replyTo, Refusal why) {
        return Effect().reply(replyTo, refused(why, "no session " + id));
    }

    private ReplyEffect<SessionEvent, SessionState> deny(TakeSeat command, Refusal why, String detail) {
        return Effect().reply(command.replyTo(), new Seating.Denied(refused(why, detail)));
    }

    private static Answer.Refused refused(Refusal why, String detail) {
        return new Answer.Refused(why, detail, null);
    }

    private Answer described(SessionState state) {
        return switch (state) {
            case Vacant vacant -> refused(Refusal.UNKNOWN, "no session " + id);
            case Live live -> described(live, null);
            case Over over -> described(over.last(), over.reason());
        };
    }

    private Answer.Described described(Live live, @Nullable EndReason reason) {
        boolean attached = live.line().attached() && conversation != null && reason == null;
        return new Answer.Described(live.view(id, room.node(), attached, reason), live.turns());
    }

    private static String lower(EndReason reason) {
        return reason.name().toLowerCase(Locale.ROOT);
    }
}
