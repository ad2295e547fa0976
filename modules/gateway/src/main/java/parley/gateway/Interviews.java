package parley.gateway;

import io.netty.channel.EventLoop;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import parley.admission.Quotas;
import parley.session.Answer;
import parley.session.Answer.Refusal;
import parley.session.SessionId;
import parley.session.Sessions;
import parley.session.Sessions.Join;

/**
 * Puts a caller on an interview's only line: in the session that the interview is held in, or in a new one where there is
 * none or it is over. A new one is one of its user's hour; to go on with one is none.
 */
final class Interviews {
    private static final Logger LOG = LoggerFactory.getLogger(Interviews.class);
    private static final Duration ASK_AGAIN = Duration.ofSeconds(2);
    /** Sessions that may be found over, one after the other: only ever more than one when somebody ends them meanwhile. */
    private static final int SESSIONS = 3;

    /** What came of it. */
    sealed interface Outcome {
        record Joined(Answer.Joined joined) implements Outcome {}

        record Refused(Problem problem) implements Outcome {}
    }

    private final Sessions sessions;
    private final Quotas quotas;

    Interviews(Sessions sessions, Quotas quotas) {
        this.sessions = sessions;
        this.quotas = quotas;
    }

    /**
     * Completed, never failed.
     *
     * @param join as if the session was there; {@link Sessions.Opening#interview} names the interview
     */
    CompletionStage<Outcome> join(String interview, Join join, EventLoop loop) {
        return join(interview, join, loop, null, SESSIONS).exceptionally(fault -> {
            join.concerns(null).around(() -> LOG.warn("an interview's session is not known: {}", fault.toString()));
            return refused(
                    new Answer.Refused(Refusal.UNAVAILABLE, "the interview does not answer, try again", ASK_AGAIN));
        });
    }

    private CompletionStage<Outcome> join(
            String interview, Join join, EventLoop loop, @Nullable SessionId over, int left) {
        return sessions.interview(join.opening().caller().tenant(), interview, over)
                .thenCompose(named -> named.fresh()
                        ? begin(named.session(), join, loop)
                        : goOn(named.session(), join, loop).thenCompose(answer -> {
                            // Nobody has begun it: somebody is about to, or it was deleted long after its end.
                            boolean vacant =
                                    answer instanceof Answer.Refused refused && refused.why() == Refusal.UNKNOWN;
                            boolean isOver = answer instanceof Answer.Refused refused && refused.why() == Refusal.OVER;
                            if (vacant && named.recent()) {
                                return begin(named.session(), join, loop);
                            }
                            return (vacant || isOver) && left > 1
                                    ? join(interview, join, loop, named.session(), left - 1)
                                    : CompletableFuture.completedFuture(outcome(answer));
                        }));
    }

    private CompletionStage<Answer> goOn(SessionId id, Join join, EventLoop loop) {
        return sessions.conversation(
                id,
                new Join(join.opening(), true, join.resumeToken(), join.lastSeq(), join.acks(), join.trace()),
                loop);
    }

    /** Its place in the user's hour is that of its id: who is refused meanwhile, and comes again, counts once. */
    private CompletionStage<Outcome> begin(SessionId id, Join join, EventLoop loop) {
        var first = new Join(join.opening(), false, null, Join.NOT_TOLD, join.acks(), join.trace());
        return quotas.take(join.opening().caller(), id.value()).thenCompose(answer -> switch (answer) {
            case Quotas.Answer.Granted granted ->
                sessions.conversation(id, first, loop).thenApply(Interviews::outcome);
            case Quotas.Answer.Refused most -> CompletableFuture.completedFuture(new Outcome.Refused(Problem.of(most)));
            case Quotas.Answer.Unanswered silent ->
                CompletableFuture.completedFuture(new Outcome.Refused(Problem.of(silent)));
        });
    }

    private static Outcome outcome(Answer answer) {
        return switch (answer) {
            case Answer.Joined joined -> new Outcome.Joined(joined);
            case Answer.Refused refused -> refused(refused);
            case Answer.Opened opened -> throw new IllegalStateException("opened instead of joined");
            case Answer.Described described -> throw new IllegalStateException("described instead of joined");
        };
    }

    private static Outcome refused(Answer.Refused refused) {
        return new Outcome.Refused(Problem.of(refused));
    }
}
