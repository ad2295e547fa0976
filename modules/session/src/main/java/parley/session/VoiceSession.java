package parley.session;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.actor.typed.javadsl.TimerScheduler;
import org.apache.pekko.cluster.sharding.typed.javadsl.ClusterSharding;
import org.apache.pekko.cluster.sharding.typed.javadsl.EntityContext;
import org.apache.pekko.cluster.sharding.typed.javadsl.EntityTypeKey;
import org.apache.pekko.persistence.typed.PersistenceId;
import org.apache.pekko.persistence.typed.RecoveryCompleted;
import org.apache.pekko.persistence.typed.javadsl.CommandHandlerWithReply;
import org.apache.pekko.persistence.typed.javadsl.EventHandler;
import org.apache.pekko.persistence.typed.javadsl.EventSourcedBehaviorWithEnforcedReplies;
import org.apache.pekko.persistence.typed.javadsl.ReplyEffect;
import org.apache.pekko.persistence.typed.javadsl.RetentionCriteria;
import org.apache.pekko.persistence.typed.javadsl.SignalHandler;
import org.jspecify.annotations.Nullable;
import parley.admission.CallerId;
import parley.session.Answer.Refusal;
import parley.session.SessionEvent.CallerAttached;
import parley.session.SessionEvent.CallerDetached;
import parley.session.SessionEvent.Ended;
import parley.session.SessionEvent.Opened;
import parley.session.SessionEvent.UpstreamLost;
import parley.session.SessionState.Live;
import parley.session.SessionState.Over;
import parley.session.SessionState.Vacant;
import parley.wire.WebSocketClose;

/**
 * One session, from admission to its end: vacant, live, over, and never back.
 *
 * <p>Keeps what must survive a crash: who calls, what was said, called and spent, why it ended. It makes the {@link
 * Conversation} when a caller joins, with the history in its opening script, and journals the facts that the
 * conversation tells. Audio never passes through here.
 */
final class VoiceSession
        extends EventSourcedBehaviorWithEnforcedReplies<VoiceSession.Command, SessionEvent, SessionState> {
    static final EntityTypeKey<Command> KEY = EntityTypeKey.create(Command.class, "session");

    private static final SecureRandom RANDOM = new SecureRandom();

    sealed interface Command {}

    /** Safe to repeat by the same caller. */
    record Open(Sessions.Opening opening, ActorRef<Answer> replyTo) implements Command, CborSerializable {}

    /** Opens if need be, and takes a seat. {@code loop} is the caller's, on {@code node}. */
    record TakeSeat(Sessions.Join join, String node, int loop, ActorRef<Seating> replyTo)
            implements Command, CborSerializable {}

    record Describe(CallerId caller, ActorRef<Answer> replyTo) implements Command, CborSerializable {}

    /** Safe to repeat. */
    record End(CallerId caller, ActorRef<Answer> replyTo) implements Command, CborSerializable {}

    /** The conversation tells what became a fact. */
    record Note(List<SessionEvent> facts) implements Command {}

    record CallTool(String callId, String name, String arguments) implements Command {}

    record ToolAnswered(String callId, String output) implements Command {}

    record ProviderEnded(EndReason reason, String detail) implements Command {}

    record CallerSeated(String seat) implements Command {}

    record CallerEnded(String seat, int code) implements Command {}

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
    private @Nullable Conversation conversation;
    /** The token that was shown last: good again, because whoever showed it may never have heard the new one. */
    private @Nullable String shownTokenHash;

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
        super(PersistenceId.of(KEY.name(), id.value()));
        this.id = id;
        this.room = room;
        this.link = link;
        this.context = context;
        this.timers = timers;
        this.shard = shard;
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
    public RetentionCriteria retentionCriteria() {
        return RetentionCriteria.snapshotEvery(200, 1);
    }

    @Override
    public SignalHandler<SessionState> signalHandler() {
        return newSignalHandlerBuilder()
                .onSignal(RecoveryCompleted.instance(), this::recovered)
                .onSignal(org.apache.pekko.actor.typed.PostStop.instance(), state -> stopConversation())
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
                        .thenRun(state -> startClock())
                        .thenReply(c.replyTo(), state -> new Answer.Opened(id));
            case TakeSeat c when c.join().again() -> deny(c, Refusal.UNKNOWN, "no session " + id);
            case TakeSeat c -> seat(c, List.of(opened(c.join().opening())));
            case Describe c -> refuse(c.replyTo(), Refusal.UNKNOWN);
            case End c -> refuse(c.replyTo(), Refusal.UNKNOWN);
            case Note n -> Effect().noReply();
            case CallTool c -> Effect().noReply();
            case ToolAnswered c -> Effect().noReply();
            case ProviderEnded c -> Effect().noReply();
            case CallerSeated c -> Effect().noReply();
            case CallerEnded c -> Effect().noReply();
            case Timeout timeout -> passivate();
        };
    }

    private ReplyEffect<SessionEvent, SessionState> whenLive(Live live, Command command) {
        return switch (command) {
            case Open c when isOwner(live, c.opening().caller()) -> Effect().reply(c.replyTo(), new Answer.Opened(id));
            case Open c -> refuse(c.replyTo(), Refusal.UNKNOWN);
            case TakeSeat c
            when !isOwner(live, c.join().opening().caller()) -> deny(c, Refusal.UNKNOWN, "no session " + id);
            case TakeSeat c
            when !mayResume(live, c.join()) ->
                deny(c, Refusal.FORBIDDEN, "resume_token: not the present one (expected: the last voice-welcome's)");
            case TakeSeat c -> seat(c, List.of());
            case Describe c when isOwner(live, c.caller()) -> Effect().reply(c.replyTo(), described(live, null));
            case Describe c -> refuse(c.replyTo(), Refusal.UNKNOWN);
            case End c
            when isOwner(live, c.caller()) ->
                Effect()
                        .persist(ended(EndReason.ENDED_BY_CALLER, null))
                        .thenRun(state -> hangUp(EndReason.ENDED_BY_CALLER))
                        .thenReply(c.replyTo(), this::described);
            case End c -> refuse(c.replyTo(), Refusal.UNKNOWN);
            case Note n -> Effect().persist(n.facts()).thenNoReply();
            case CallTool c -> callTool(c);
            case ToolAnswered c -> toolAnswered(c);
            case ProviderEnded c ->
                Effect()
                        .persist(List.of(new UpstreamLost(c.detail(), now()), ended(c.reason(), c.detail())))
                        .thenRun(state -> over())
                        .thenNoReply();
            case CallerSeated c -> {
                if (c.seat().equals(live.seat())) {
                    timers.cancel(Timeout.NOBODY_CAME);
                }
                yield Effect().noReply();
            }
            // Another seat was given to the caller meanwhile: the old line's end says nothing any more.
            case CallerEnded c when !c.seat().equals(live.seat()) -> Effect().noReply();
            case CallerEnded c when c.code() == WebSocketClose.NORMAL -> end(EndReason.CALLER_LEFT);
            case CallerEnded c ->
                Effect()
                        .persist(new CallerDetached(c.seat(), c.code(), now()))
                        .thenRun(state -> awaitCaller())
                        .thenNoReply();
            case Timeout timeout ->
                switch (timeout) {
                    case MAX_LENGTH -> end(EndReason.MAX_LENGTH);
                    case NOBODY_CAME -> end(EndReason.CALLER_LEFT);
                    case PASSIVATE -> Effect().noReply();
                };
        };
    }

    private ReplyEffect<SessionEvent, SessionState> whenOver(Over over, Command command) {
        return switch (command) {
            case Open c -> refuse(c.replyTo(), Refusal.OVER);
            case TakeSeat c ->
                isOwner(over.last(), c.join().opening().caller())
                        ? deny(c, Refusal.OVER, "session " + id + " is over: " + lower(over.reason()))
                        : deny(c, Refusal.UNKNOWN, "no session " + id);
            case Describe c when isOwner(over.last(), c.caller()) -> Effect().reply(c.replyTo(), described(over));
            case Describe c -> refuse(c.replyTo(), Refusal.UNKNOWN);
            case End c when isOwner(over.last(), c.caller()) -> Effect().reply(c.replyTo(), described(over));
            case End c -> refuse(c.replyTo(), Refusal.UNKNOWN);
            // The last response's cost, or the end of an item, may arrive behind the end.
            case Note n -> Effect().persist(n.facts()).thenNoReply();
            case Timeout timeout -> passivate();
            case CallTool c -> Effect().noReply();
            case ToolAnswered c -> Effect().noReply();
            case ProviderEnded c -> Effect().noReply();
            case CallerSeated c -> Effect().noReply();
            case CallerEnded c -> Effect().noReply();
        };
    }

    // ---- seats

    private ReplyEffect<SessionEvent, SessionState> seat(TakeSeat command, List<SessionEvent> before) {
        var seat = random();
        var token = random();
        var attached = new CallerAttached(seat, hash(token), command.node(), now());
        var facts = new ArrayList<>(before);
        facts.add(attached);
        return Effect()
                .persist(List.copyOf(facts))
                .thenRun(state -> {
                    if (!before.isEmpty()) {
                        startClock();
                    }
                    var running = conversation == null ? startConversation((Live) state, command) : conversation;
                    boolean guided = ((Live) state).opened().face().guided();
                    room.conversations().keep(seat, new Conversations.Seat(running, guided ? welcome(token) : null));
                    var shown = command.join().resumeToken();
                    shownTokenHash = shown == null ? null : hash(shown);
                    awaitCaller();
                })
                .thenReply(command.replyTo(), state -> new Seating.Taken(room.node(), link.host(), link.port(), seat));
    }

    private Conversation startConversation(Live live, TakeSeat command) {
        var loop = command.node().equals(room.node())
                ? room.loops().get(command.loop())
                : room.loops().next();
        var history = History.of(live, room.settings().defaults(), room.tools());
        var self = context.getSelf();
        var started = new Conversation(
                id,
                live.opened().face(),
                loop,
                room,
                new Conversation.Reports() {
                    @Override
                    public void facts(List<SessionEvent> facts) {
                        self.tell(new Note(facts));
                    }

                    @Override
                    public void callTool(String callId, String name, String arguments) {
                        self.tell(new CallTool(callId, name, arguments));
                    }

                    @Override
                    public void providerEnded(EndReason reason, String detail) {
                        self.tell(new ProviderEnded(reason, detail));
                    }

                    @Override
                    public void callerSeated(String seat) {
                        self.tell(new CallerSeated(seat));
                    }

                    @Override
                    public void callerEnded(String seat, int code) {
                        self.tell(new CallerEnded(seat, code));
                    }
                },
                history,
                live.upstream() == null
                        ? live.opened().model()
                        : live.upstream().model(),
                pseudonym(live.opened().caller()));
        started.start();
        conversation = started;
        return started;
    }

    private static boolean isOwner(Live live, CallerId caller) {
        return live.opened().caller().equals(caller);
    }

    /** The strict face resumes with its credentials; the guided one shows the token of its last welcome. */
    private boolean mayResume(Live live, Sessions.Join join) {
        var expected = live.resumeTokenHash();
        if (expected == null || !live.opened().face().guided()) {
            return true;
        }
        var token = join.resumeToken();
        return token != null && (isSame(hash(token), expected) || isSame(hash(token), shownTokenHash));
    }

    private static boolean isSame(String hash, @Nullable String other) {
        return other != null
                && MessageDigest.isEqual(
                        hash.getBytes(StandardCharsets.US_ASCII), other.getBytes(StandardCharsets.US_ASCII));
    }

    /** What a provider may know of a caller: the same for all its sessions, and nothing else. */
    private static String pseudonym(CallerId caller) {
        return "parley-" + hash(caller.tenant() + "\n" + caller.user()).substring(0, 32);
    }

    private String welcome(String token) {
        return "{\"type\":\"voice-welcome\",\"session_id\":\"" + id + "\",\"resume_token\":\"" + token + "\"}";
    }

    private void awaitCaller() {
        timers.startSingleTimer(
                Timeout.NOBODY_CAME, Timeout.NOBODY_CAME, room.settings().resumeWindow());
    }

    // ---- tools

    private ReplyEffect<SessionEvent, SessionState> callTool(CallTool call) {
        context.pipeToSelf(
                room.tools().call(call.name(), call.arguments()),
                (outcome, fault) ->
                        new ToolAnswered(call.callId(), fault == null ? outcome.output() : "the tool failed"));
        return Effect().noReply();
    }

    private ReplyEffect<SessionEvent, SessionState> toolAnswered(ToolAnswered answer) {
        if (conversation != null) {
            conversation.answerTool(answer.callId(), answer.output());
        }
        return Effect().noReply();
    }

    // ---- the end

    private ReplyEffect<SessionEvent, SessionState> end(EndReason reason) {
        return Effect()
                .persist(ended(reason, null))
                .thenRun(state -> hangUp(reason))
                .thenNoReply();
    }

    private void hangUp(EndReason reason) {
        if (conversation != null) {
            var why = lower(reason);
            conversation.end(
                    new WebSocketClose(WebSocketClose.NORMAL, why, false),
                    conversation.face().guided() ? "{\"type\":\"voice-ended\",\"reason\":\"" + why + "\"}" : null);
        }
        over();
    }

    private void over() {
        conversation = null;
        timers.cancelAll();
        timers.startSingleTimer(Timeout.PASSIVATE, Timeout.PASSIVATE, Duration.ofMinutes(1));
    }

    private ReplyEffect<SessionEvent, SessionState> passivate() {
        shard.tell(new ClusterSharding.Passivate<>(context.getSelf()));
        return Effect().noReply();
    }

    private void stopConversation() {
        if (conversation != null) {
            conversation.end(new WebSocketClose(WebSocketClose.RESTART, "the session moves", false), null);
            conversation = null;
        }
    }

    // ---- clock and recovery

    private void recovered(SessionState state) {
        switch (state) {
            case Vacant vacant -> timers.startSingleTimer(Timeout.PASSIVATE, Timeout.PASSIVATE, Duration.ofMinutes(1));
            case Live live -> {
                startClock(live.opened().at());
                awaitCaller();
            }
            case Over over -> over();
        }
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
        return new Opened(opening.caller(), opening.face(), opening.arm(), opening.model(), now());
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
        var opened = live.opened();
        var upstream = live.upstream();
        var tokens = live.tokens();
        var phase = reason != null ? "over" : upstream == null ? "opening" : "live";
        return new Answer.Described(
                new Answer.View(
                        id,
                        opened.caller(),
                        opened.face(),
                        opened.arm(),
                        phase,
                        room.node(),
                        upstream == null ? null : upstream.provider(),
                        upstream == null ? opened.model() : upstream.model(),
                        live.seat() != null && conversation != null && reason == null,
                        live.turns().size(),
                        new Answer.View.Tokens(
                                tokens.textIn(),
                                tokens.audioIn(),
                                tokens.textCached() + tokens.audioCached(),
                                tokens.textOut(),
                                tokens.audioOut()),
                        live.costMicros() / 1e6,
                        opened.at(),
                        reason),
                live.turns());
    }

    private static String lower(EndReason reason) {
        return reason.name().toLowerCase(Locale.ROOT);
    }

    private static String random() {
        var bytes = new byte[32];
        RANDOM.nextBytes(bytes);
        return Base64.getUrlEncoder().withoutPadding().encodeToString(bytes);
    }

    private static String hash(String token) {
        try {
            return HexFormat.of()
                    .formatHex(MessageDigest.getInstance("SHA-256").digest(token.getBytes(StandardCharsets.UTF_8)));
        } catch (NoSuchAlgorithmException impossible) {
            throw new IllegalStateException("every JVM has SHA-256", impossible);
        }
    }
}
