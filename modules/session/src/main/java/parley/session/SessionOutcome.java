package parley.session;

import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import parley.admission.Outcomes;
import parley.admission.Signal;

/**
 * How a session fares, told to whoever judges the rollout: each signal once.
 *
 * <p>Whether it could be created, whether an answer came, and how soon, is told by the host it began on: coming back and
 * moving are no new session. How soon is told after three answers, or at the end, where one that is overdue was slow. A drain is no failure, nor is a caller's
 * own end. Confined to the conversation's loop.
 */
final class SessionOutcome {
    /** Rules that choose an arm whatever the percentage is: who was chosen by them is no sample. */
    private static final Set<String> FORCED = Set.of("ALLOWED", "COHORT", "TENANT", "SUSPENDED");

    private static final int ANSWERS = 3;
    /** A caller who leaves before has waited for nothing yet. */
    private static final long PATIENCE = TimeUnit.SECONDS.toNanos(10);

    private final Outcomes outcomes;
    private final SessionEvent.Opened opened;
    private final boolean beganHere;
    private final double slowAfter;
    private final double costly;
    private boolean created;
    private boolean heard;
    private boolean due;
    private boolean awaited;
    /** Whoever owed the answer is lost; the next one owes it. */
    private boolean replaced;

    private long since;
    private int answers;
    private int slow;
    private boolean timed;
    private boolean costTold;
    private boolean answerFailed;
    private boolean over;

    SessionOutcome(Outcomes outcomes, SessionState.Live soFar) {
        this.outcomes = outcomes;
        this.opened = soFar.opened();
        this.beganHere = soFar.upstream() == null && soFar.hosting().epoch() <= 1;
        this.slowAfter = outcomes.threshold(Signal.FIRST_AUDIO);
        this.costly = outcomes.threshold(Signal.COST);
        // Its host before this one has told it.
        this.costTold = isCostly(soFar.costMicros());
    }

    /** A provider has taken the session. */
    void created() {
        if (beganHere && !created) {
            tell(Signal.CREATION, 0);
        }
        created = true;
    }

    /** Whether the provider owes an answer. */
    void due(boolean now, long at) {
        if (now && !due) {
            // The caller's wait goes on, whoever ends it.
            since = replaced && awaited ? since : at;
            awaited = true;
            replaced = false;
        }
        due = now;
    }

    /** The provider is lost, and another one is sought: what is awaited is awaited still. Before {@link #due} hears. */
    void lost() {
        replaced |= due && awaited;
    }

    /** Whether agent audio says something: nearly never, so that its frames need no clock. */
    boolean awaits() {
        return awaited || (beganHere && !heard);
    }

    /** Agent audio has come. */
    void heard(long at) {
        if (beganHere && !heard) {
            heard = true;
            tell(Signal.CONNECTION, 0);
        }
        if (awaited) {
            awaited = false;
            answers++;
            slow += at - since > slowAfter * TimeUnit.SECONDS.toNanos(1) ? 1 : 0;
            if (answers == ANSWERS) {
                time();
            }
        }
    }

    /** The provider gave an answer up. */
    void answerFailed() {
        answerFailed = true;
    }

    void cost(long micros) {
        if (!costTold && isCostly(micros)) {
            costTold = true;
            tell(Signal.COST, 1);
        }
    }

    /** Once; what comes later says nothing more. */
    void ended(EndReason reason) {
        if (over) {
            return;
        }
        over = true;
        var ours = fault(reason);
        if (beganHere && !created && Boolean.TRUE.equals(ours)) {
            tell(Signal.CREATION, 1);
        }
        if (beganHere && created && !heard && (Boolean.TRUE.equals(ours) || answerFailed || waits(PATIENCE))) {
            tell(Signal.CONNECTION, 1);
        }
        if (waits((long) (slowAfter * TimeUnit.SECONDS.toNanos(1)))) {
            // It was too late before it came, if it ever had come.
            answers++;
            slow++;
        }
        time();
        if (created && ours != null) {
            tell(Signal.ERROR, ours || answerFailed ? 1 : 0);
        }
        if (created && !costTold) {
            costTold = true;
            tell(Signal.COST, 0);
        }
    }

    private void time() {
        if (beganHere && !timed && answers > 0) {
            timed = true;
            tell(Signal.FIRST_AUDIO, (double) slow / answers);
        }
    }

    private boolean waits(long longerThan) {
        return (due || replaced) && awaited && System.nanoTime() - since > longerThan;
    }

    private boolean isCostly(long micros) {
        return costly > 0 && micros >= costly * 1e6;
    }

    /** Whether it was our fault; null: it says nothing. */
    private static @Nullable Boolean fault(EndReason reason) {
        return switch (reason) {
            case PROVIDER_REFUSED, PROVIDER_LOST, JOURNAL_LOST -> true;
            case CALLER_LEFT, ENDED_BY_CALLER, IDLE, MAX_LENGTH -> false;
            case ENDED_BY_OPERATOR, KILLED, BUDGET -> null;
        };
    }

    private void tell(Signal signal, double failed) {
        outcomes.report(signal, opened.caller(), opened.arm(), FORCED.contains(String.valueOf(opened.rule())), failed);
    }
}
