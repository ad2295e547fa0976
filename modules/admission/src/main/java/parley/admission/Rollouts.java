package parley.admission;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Objects;
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

    /** What the guardrails say, as this node knows it: at most a few seconds old while the cluster has a controller. */
    GuardrailReport guardrails();

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

    /** Writes into the audit that somebody was refused: one line for each call. */
    void denied(Actor actor, String action, String why);

    /** Lines of the audit behind {@code after}, in order, at most {@code limit}; fails when the journal does not answer. */
    CompletionStage<List<Recorded>> history(long after, int limit);

    /**
     * Lines of the audit before {@code before}, the newest first, at most {@code limit}; fails when the journal does not
     * answer.
     *
     * @param before more than there are: from the end
     */
    CompletionStage<List<Recorded>> latest(long before, int limit);

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
        ROLLBACK,
        /** What somebody else has proposed is done. */
        APPROVE,
        /** What is proposed is dropped. */
        REJECT
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
         * @param waits whether it is, or with {@code dryRun} would be, only proposed: somebody else has to approve it
         */
        record Applied(
                Rollout now,
                List<Rollout.Diff> diff,
                int entering,
                int leaving,
                boolean dryRun,
                boolean repeated,
                boolean waits)
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
     * @param served whether it is let in: in {@link Arm#CONTROL} only where that is served
     * @param rules in the order in which they are asked; the first that matched decided
     */
    record Explained(
            CallerId caller,
            int bucket,
            int percentage,
            Arm arm,
            boolean served,
            Decision.Why rule,
            long revision,
            List<Rule> rules) {
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

    /**
     * All guardrails, and what the next step waits for.
     *
     * @param revision rises with each report; 0: nobody has judged yet
     * @param sampleRatio null while there is one arm only
     */
    record GuardrailReport(
            long revision,
            List<GuardrailView> guardrails,
            List<Waiting> waitingFor,
            @Nullable SampleRatioView sampleRatio)
            implements CborSerializable {
        public static final GuardrailReport NONE = new GuardrailReport(0, List.of(), List.of());

        /** Of one arm. */
        public GuardrailReport(long revision, List<GuardrailView> guardrails, List<Waiting> waitingFor) {
            this(revision, guardrails, waitingFor, null);
        }

        public GuardrailReport {
            guardrails = List.copyOf(guardrails);
            waitingFor = List.copyOf(waitingFor);
        }

        GuardrailReport after(GuardrailReport before) {
            return new GuardrailReport(before.revision + 1, guardrails, waitingFor, sampleRatio);
        }

        boolean saysTheSameAs(GuardrailReport other) {
            return guardrails.equals(other.guardrails)
                    && waitingFor.equals(other.waitingFor)
                    && Objects.equals(sampleRatio, other.sampleRatio);
        }
    }

    /**
     * How many users were counted in each arm since this step began, without those whom a list put there.
     *
     * @param percentage that should be {@code voice}
     * @param p how often chance alone is so far off
     * @param mismatch whether that is too seldom to be chance: nothing is promoted, and the arms are not compared
     */
    record SampleRatioView(long voice, long control, int percentage, double p, boolean mismatch) {}

    /**
     * A guardrail and what it says now.
     *
     * @param bound the allowed failure share
     * @param comparator {@code control}, {@code baked}, {@code probe} or {@code absolute}
     * @param onFail what it does beyond its limit, as in the configuration
     * @param verdict {@code pass}, {@code fail}, {@code inconclusive}, {@code no_data} or {@code error}
     * @param cause {@code none}, {@code own}, {@code shared} or {@code tenant}, which {@code why} names
     * @param score beyond {@code limit} there is an alarm
     * @param observed the failed share, with its 95 % interval from {@code low} to {@code high}
     * @param needed how many samples it takes to pass
     * @param detects what it is able to see; null when a node of an older release judged
     */
    record GuardrailView(
            String id,
            Signal signal,
            double bound,
            String comparator,
            String onFail,
            boolean observeOnly,
            String verdict,
            String cause,
            double score,
            double limit,
            double observed,
            double low,
            double high,
            long samples,
            long controlSamples,
            long needed,
            String why,
            @Nullable Detection detects) {}

    /**
     * Which drop of the success share can be seen at all: in four of five cases, with one false alarm in twenty, by
     * sessions that were counted beforehand. A guardrail looks all the time and needs more.
     *
     * @param from the success share of a service that is well, as a fraction
     * @param to the one at the guardrail's bound
     * @param sessions how many it takes of each arm to see the drop from the one to the other
     * @param visible the highest success share that is seen to be worse by the sessions so far; 0: none
     */
    record Detection(double from, double to, long sessions, double visible) {}

    /**
     * What a step waits for.
     *
     * @param kind {@code bake}: its time; {@code evidence}: sessions; {@code verdict}: a guardrail that passes; {@code
     *     approval}: a person; {@code tenant}: one that fails alone; {@code sample_ratio}: users as the percentage says
     * @param guardrail whose it is; empty: the plan's
     * @param have a number of sessions, an ISO-8601 time, a verdict, or a tenant's name; empty where there is nothing yet
     * @param need the same
     */
    record Waiting(String kind, String guardrail, String have, String need) {}

    /** Something that happened. */
    sealed interface Happening {
        record RolloutChanged(Rollout now) implements Happening {}

        record KillChanged(Kill now) implements Happening {}

        /** At most once a second, and only when something in it is different. */
        record GuardrailsJudged(GuardrailReport now) implements Happening {}
    }
}
