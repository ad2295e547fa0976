package parley.admission;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletionStage;
import org.apache.pekko.NotUsed;
import org.apache.pekko.stream.javadsl.Source;
import org.jspecify.annotations.Nullable;

/**
 * The rollout's door for operators, on every node. What is read comes from this node's memory; what is changed goes to the
 * one controller of the cluster, except the kill switch, which needs neither it nor the journal. Thread-safe.
 */
public interface Rollouts {
    /** As this node knows it. */
    Rollout current();

    /** As this node knows it. */
    Kill kill();

    /** How this node would decide, and by which rule. */
    Explained explain(CallerId caller, Set<String> cohorts);

    /** Changes what {@code proposal} names and leaves the rest. Completed, never failed. */
    CompletionStage<Changed> change(Proposal proposal, Request request);

    /** Completed, never failed. */
    CompletionStage<Changed> act(Action action, Request request);

    /**
     * Switches voice off on every node, or on again. Completed, never failed, when every node has said that it knows, or
     * after a second; nodes that have not said so by then are told again until they do, or are gone.
     */
    CompletionStage<Killed> kill(boolean on, Kill.Live live, Actor by, String reason);

    /** Writes into the audit that somebody was refused. */
    void denied(Actor actor, String action, String why);

    /** Lines of the audit behind {@code after}, in order, at most {@code limit}; fails when the journal does not answer. */
    CompletionStage<List<Recorded>> history(long after, int limit);

    /** Whether every line of the audit is as it was written; fails when the journal does not answer. */
    CompletionStage<Verified> verify();

    /**
     * What happens from now on: each change once, and the present state first. Ends when the node stops; a watcher that is
     * too slow for {@code watch-buffer} is ended.
     */
    Source<Happening, NotUsed> watch();

    /** What an operator can do besides changing values. */
    enum Action {
        /** To the next step; ends a pause. */
        PROMOTE,
        PAUSE,
        /** Goes on at the present step. */
        RESUME,
        /** To the step before, or to nobody from the first. Latches. */
        ROLLBACK
    }

    /**
     * With what right and condition something is asked.
     *
     * @param expectedRevision the revision the operator saw; null: whatever it is
     * @param idempotencyKey the same key with the same question is answered once
     * @param dryRun only told what would happen
     */
    record Request(
            Actor actor,
            String reason,
            @Nullable Long expectedRevision,
            @Nullable String idempotencyKey,
            boolean dryRun)
            implements CborSerializable {}

    /** New values; null keeps the present one. */
    record Proposal(
            @Nullable Boolean enabled,
            @Nullable Integer percentage,
            @Nullable String salt,
            @Nullable Set<String> allow,
            @Nullable Set<String> deny,
            @Nullable Set<String> cohorts,
            @Nullable Map<String, Flag.Tenant> tenants,
            @Nullable Plan plan)
            implements CborSerializable {}

    /** What became of a change. */
    sealed interface Changed extends CborSerializable {
        /**
         * @param entering users, in per cent of all, that get voice now and did not before; {@code leaving} the reverse
         * @param repeated whether it had been done before, for the same key
         */
        record Applied(
                Rollout now, List<Rollout.Diff> diff, int entering, int leaving, boolean dryRun, boolean repeated)
                implements Changed {}

        record Refused(Refusal why, String detail, Rollout now) implements Changed {}
    }

    /** The kinds of refusal. */
    enum Refusal {
        /** Somebody else was faster. */
        STALE,
        INVALID,
        /** Not in this phase. */
        NOT_NOW,
        /** The key was used for another question. */
        KEY_REUSED,
        /** The controller or its journal does not answer. Whether it was done is not known: ask again with the key. */
        UNAVAILABLE
    }

    /**
     * Who knows of a kill.
     *
     * @param missing nodes that had not said so when this was answered
     */
    record Killed(Kill kill, List<String> acked, List<String> missing, Duration elapsed) {}

    /**
     * A decision and where it comes from.
     *
     * @param rules in the order in which they are asked; the first that matched decided
     */
    record Explained(
            CallerId caller, int bucket, int percentage, Arm arm, Decision.Why rule, long revision, List<Rule> rules) {
        /** Whether a rule matched, and what it says. */
        public record Rule(Decision.Why rule, boolean matched, String says) {}
    }

    /** One line of the audit, as told. */
    record Recorded(
            long seq,
            java.time.Instant at,
            Actor actor,
            String action,
            String outcome,
            String reason,
            long revisionFrom,
            long revisionTo,
            List<Rollout.Diff> diff,
            String evidence,
            List<String> nodes,
            String hash) {}

    /** @param firstBroken the number of the first line that is not as it was written; 0: none */
    record Verified(long lines, long firstBroken) {}

    /** Something that happened. */
    sealed interface Happening {
        record RolloutChanged(Rollout now) implements Happening {}

        record KillChanged(Kill now) implements Happening {}
    }
}
