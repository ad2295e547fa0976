package parley.gateway;

import io.netty.channel.EventLoop;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicReference;
import parley.admission.Arm;
import parley.admission.CallerId;
import parley.session.Answer;
import parley.session.Answer.Refusal;
import parley.session.Face;
import parley.session.SessionId;
import parley.session.Sessions;
import parley.session.Turn;
import parley.session.Vitals;

/** Sessions that say back what they hear. The caller {@code slow} meets one that is gone, {@code broken} a fault. */
record FakeSessions(
        Map<SessionId, Opening> opened,
        Queue<Join> joins,
        Map<String, SessionId> interviews,
        AtomicReference<Vitals> health)
        implements Sessions {
    static final Instant NOON = Instant.parse("2026-01-01T12:00:00Z");

    FakeSessions() {
        this(
                new ConcurrentHashMap<>(),
                new ConcurrentLinkedQueue<>(),
                new ConcurrentHashMap<>(),
                new AtomicReference<>(new Vitals(true, true, true)));
    }

    /** The one of {@code gone} is not answered for. */
    @Override
    public CompletionStage<Named> interview(
            String tenant, String interview, @org.jspecify.annotations.Nullable SessionId over) {
        if (interview.equals("gone")) {
            return CompletableFuture.failedFuture(new IllegalStateException("silence"));
        }
        var fresh = id(100 + interviews.size() + (over == null ? 0 : 50));
        var session = interviews.compute(
                tenant + " " + interview, (name, last) -> last == null || last.equals(over) ? fresh : last);
        return CompletableFuture.completedFuture(new Named(session, session.equals(fresh), false));
    }

    @Override
    public Vitals vitals() {
        return health.get();
    }

    @Override
    public SessionId mint() {
        return id(opened.size());
    }

    static SessionId id(int number) {
        return new SessionId("sess_000%019d".formatted(number));
    }

    @Override
    public CompletionStage<Answer> open(SessionId id, Opening opening) {
        return trouble(opening.caller(), () -> {
            opened.put(id, opening);
            return new Answer.Opened(id);
        });
    }

    @Override
    public CompletionStage<Answer> conversation(SessionId id, Join join, EventLoop loop) {
        joins.add(join);
        var caller = join.opening().caller();
        return trouble(caller, () -> {
            var known = opened.get(id);
            if (join.again() && (known == null || !known.caller().equals(caller))) {
                return refused(Refusal.UNKNOWN, "no session " + id);
            }
            if ("stale".equals(join.resumeToken())) {
                return refused(Refusal.FORBIDDEN, "resume_token: not the present one");
            }
            if (known != null && join.opening().interview() != null && "over".equals(known.model())) {
                return refused(Refusal.OVER, "the session is over");
            }
            if (known != null && join.opening().interview() != null && join.resumeToken() == null) {
                return refused(Refusal.TAKEN, "the interview has a live connection");
            }
            opened.putIfAbsent(id, join.opening());
            return new Answer.Joined(id, new EchoPort(loop));
        });
    }

    @Override
    public CompletionStage<Answer> describe(SessionId id, CallerId caller) {
        return trouble(caller, () -> {
            var known = opened.get(id);
            return known == null || !known.caller().equals(caller)
                    ? refused(Refusal.UNKNOWN, "no session " + id)
                    : described(id, known);
        });
    }

    @Override
    public CompletionStage<Answer> end(SessionId id, CallerId caller) {
        return describe(id, caller);
    }

    @Override
    public CompletionStage<Answer.Census> census(String after, int limit) {
        return CompletableFuture.completedFuture(new Answer.Census(
                opened.entrySet().stream()
                        .sorted(java.util.Comparator.comparing(
                                entry -> entry.getKey().value()))
                        .filter(entry -> entry.getKey().value().compareTo(after) > 0)
                        .limit(limit)
                        .map(entry -> ((Answer.Described) described(entry.getKey(), entry.getValue())).session())
                        .toList(),
                List.of()));
    }

    @Override
    public CompletionStage<Answer> inspect(SessionId id) {
        var known = opened.get(id);
        return CompletableFuture.completedFuture(
                known == null ? refused(Refusal.UNKNOWN, "no session " + id) : described(id, known));
    }

    @Override
    public CompletionStage<Answer> stop(SessionId id) {
        return inspect(id);
    }

    private static Answer described(SessionId id, Opening opening) {
        return new Answer.Described(
                new Answer.View(
                        id,
                        opening.caller(),
                        opening.face(),
                        Arm.VOICE,
                        "live",
                        "pekko://parley@here:1",
                        "pekko://parley@there:1",
                        "simulator",
                        opening.model(),
                        true,
                        2,
                        new Answer.View.Tokens(1, 2, 3, 4, 5),
                        0.25,
                        NOON,
                        null,
                        opening.rule(),
                        opening.revision()),
                List.of(
                        new Turn(Turn.Role.USER, "item_1", "Hello", 0, 0, null, null, NOON),
                        new Turn(Turn.Role.AGENT, "item_2", "Hello to you", 1000, 500, null, null, NOON)));
    }

    private static CompletionStage<Answer> trouble(CallerId caller, java.util.function.Supplier<Answer> otherwise) {
        return switch (caller.user()) {
            case "slow" ->
                CompletableFuture.completedFuture(
                        new Answer.Refused(Refusal.UNAVAILABLE, "try again", Duration.ofSeconds(2)));
            case "broken" -> CompletableFuture.failedFuture(new IllegalStateException("a fault"));
            case "thrown" -> throw new IllegalStateException("a fault");
            default -> CompletableFuture.completedFuture(otherwise.get());
        };
    }

    private static Answer refused(Refusal why, String detail) {
        return new Answer.Refused(why, detail, null);
    }

    static Opening opening(String user, Face face) {
        return new Opening(new CallerId(user, "default"), face, Arm.VOICE, null, null, null);
    }
}
