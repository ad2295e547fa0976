package parley.admission;

import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * The rollout as everybody sees it: a revision of it is never changed. Pure.
 *
 * @param revision one more with each change; 0: what the configuration says, before anybody changed anything
 * @param step the stage of the plan that is reached; -1: none
 * @param since when this phase and step began
 * @param suspension the one it is in, or came from by itself; null: neither
 * @param proposed waits for a second pair of eyes; any change takes it away; null: nothing
 * @param baked users whose bucket is below have been in for a whole stage's bake time; 0: nobody, or everybody who is in
 */
public record Rollout(
        long revision,
        Phase phase,
        Flag flag,
        Plan plan,
        int step,
        Instant since,
        Change changed,
        @Nullable Suspension suspension,
        @Nullable Proposed proposed,
        int baked)
        implements CborSerializable {
    /** Where a rollout is. */
    public enum Phase {
        /** Nothing happens by itself but a rollback. */
        PAUSED,
        /** A step bakes; the next one begins by itself when its time is over and the evidence is there. */
        RUNNING,
        /** Evidence is missing for too long: as paused, and somebody should look. */
        HOLDING,
        /** Everybody's trouble, not the rollout's: new sessions do without voice until it is over. */
        SUSPENDED,
        /** A guardrail or an operator took it back. Stays until a person with a reason goes on. */
        ROLLED_BACK,
        /** The last step is reached, and has baked. */
        COMPLETED
    }

    /** The last change: who, when, why. */
    public record Change(Actor by, Instant at, String reason) {}

    /**
     * Everybody's trouble.
     *
     * @param before the phase to go back to
     * @param first when it began: before this suspension, where others came before in a row
     */
    public record Suspension(Phase before, Instant first) {}

    /**
     * What somebody wants and somebody else has to approve.
     *
     * @param begins whether evidence begins anew with it
     */
    public record Proposed(Phase phase, Flag flag, Plan plan, int step, boolean begins, Change by) {}

    /** One value that changed; both as text. */
    public record Diff(String path, String from, String to) {}

    /** Not suspended, and not lately. */
    public Rollout(long revision, Phase phase, Flag flag, Plan plan, int step, Instant since, Change changed) {
        this(revision, phase, flag, plan, step, since, changed, null, null, 0);
    }

    /** Nobody has been in for long. */
    public Rollout(
            long revision,
            Phase phase,
            Flag flag,
            Plan plan,
            int step,
            Instant since,
            Change changed,
            @Nullable Suspension suspension,
            @Nullable Proposed proposed) {
        this(revision, phase, flag, plan, step, since, changed, suspension, proposed, 0);
    }

    /** Whether somebody who is in has been in since before this stage, and for a whole stage's bake time. */
    boolean isBaked(CallerId caller) {
        return flag.bucketOf(caller) < baked;
    }

    /** {@link #baked} when the flag becomes another: who is in now is baked when this stage has lasted its time. */
    int bakedAfter(Flag next, Instant at) {
        if (!next.salt().equals(flag.salt())) {
            return 0;
        }
        if (next.percentage() > flag.percentage()) {
            return hasBaked(at) ? flag.percentage() : baked;
        }
        // Somebody must be left who is held against them.
        return next.percentage() > baked ? baked : 0;
    }

    private boolean hasBaked(Instant at) {
        return step >= 0
                && effectivePercentage() > 0
                && !at.isBefore(since.plus(plan.steps().get(step).bake()));
    }

    /** The share of users that get voice now, 0..100: that of the flag, unless nobody gets it. */
    public int effectivePercentage() {
        return flag.enabled() && phase != Phase.SUSPENDED ? flag.percentage() : 0;
    }

    /** Which arm, by which rule. */
    public Flag.Assignment assign(CallerId caller, java.util.Set<String> memberOf) {
        var assigned = flag.assign(caller, memberOf);
        return phase == Phase.SUSPENDED && assigned.arm() == Arm.VOICE
                ? new Flag.Assignment(Arm.CONTROL, Decision.Why.SUSPENDED)
                : assigned;
    }

    /** The next revision: another phase, and a percentage with the step that it reaches. */
    Rollout moved(Phase to, int percentage, @Nullable Suspension because, Actor by, Instant at, String reason) {
        return new Rollout(
                revision + 1,
                to,
                flag.withPercentage(percentage),
                plan,
                percentage == flag.percentage() ? step : plan.stepAt(percentage),
                at,
                new Change(by, at, reason),
                because,
                null,
                bakedAfter(flag.withPercentage(percentage), at));
    }

    /** The next revision: as it is, and {@code wanted} waits for somebody else than who wants it. */
    Rollout proposing(Rollout wanted) {
        return new Rollout(
                revision + 1,
                phase,
                flag,
                plan,
                step,
                since,
                wanted.changed,
                suspension,
                new Proposed(
                        wanted.phase,
                        wanted.flag,
                        wanted.plan,
                        wanted.step,
                        !wanted.since.equals(since),
                        wanted.changed),
                baked);
    }

    /** The next revision: as {@link #proposed} says, or as it is where nothing is. */
    Rollout decided(boolean approved, Change by) {
        return approved && proposed != null
                ? new Rollout(
                        revision + 1,
                        proposed.phase,
                        proposed.flag,
                        proposed.plan,
                        proposed.step,
                        proposed.begins ? by.at() : since,
                        by,
                        proposed.begins ? null : suspension,
                        null,
                        bakedAfter(proposed.flag, by.at()))
                : new Rollout(revision + 1, phase, flag, plan, step, since, by, suspension, null, baked);
    }

    /** What would be different if {@link #proposed} were approved. */
    public List<Diff> proposedDiff() {
        return proposed == null ? List.of() : diff(decided(true, changed));
    }

    /** Whether {@code later} may let somebody in who is not in now: at once, or by its plan. */
    boolean letsMoreIn(Rollout later) {
        return later.flag.enabled() && (entering(later) > 0 || !plan.equals(later.plan) || flag.mayLetIn(later.flag));
    }

    /** Whether what was seen at {@code before} says nothing of this. */
    boolean beginsAfter(Rollout before) {
        return phase != before.phase
                || step != before.step
                || effectivePercentage() != before.effectivePercentage()
                || !since.equals(before.since);
    }

    /** What differs in {@code later}. */
    List<Diff> diff(Rollout later) {
        var before = described();
        var diffs = new ArrayList<Diff>();
        later.described().forEach((path, value) -> {
            if (!Objects.equals(before.get(path), value)) {
                diffs.add(new Diff(path, String.valueOf(before.get(path)), String.valueOf(value)));
            }
        });
        return List.copyOf(diffs);
    }

    /**
     * Users, in per cent of all, that are in at {@code later} and were not; negative numbers do not occur. Exact, because
     * there are 100 buckets.
     */
    int entering(Rollout later) {
        return Math.max(0, later.effectivePercentage() - effectivePercentage());
    }

    private TreeMap<String, Object> described() {
        var described = new TreeMap<>(flag.described());
        described.put("/state", phase);
        described.put("/plan/steps", plan.steps().stream().map(Plan.Step::said).toList());
        described.put("/plan/max_hold", plan.maxHold());
        described.put("/plan/step", step);
        return described;
    }
}
