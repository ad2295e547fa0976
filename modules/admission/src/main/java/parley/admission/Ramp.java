package parley.admission;

import static java.util.Comparator.comparingInt;
import static java.util.stream.Collectors.joining;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import parley.admission.Rollout.Phase;
import parley.admission.Rollout.Suspension;
import parley.admission.Rollouts.GuardrailReport;
import parley.admission.Rollouts.GuardrailView;
import parley.admission.Rollouts.SampleRatioView;
import parley.admission.Rollouts.Waiting;

/**
 * What happens by itself, and what the next step waits for. Pure: the same rollout, evidence and time give the same act.
 *
 * <p>While anybody has voice, in whatever phase, a guardrail that fails by the release's own fault takes it back; trouble
 * that all share suspends it for a while, and takes it back when it lasts. A running step is promoted when its time is over
 * <em>and</em> every guardrail passes; it is held when that takes too long, or when one tenant alone fails. No data, no
 * verdict and errors do neither. A guardrail acts at most once per cool-down, so that what flaps does not drive the
 * rollout; and every act begins a new era, whose evidence is its own.
 */
final class Ramp {
    /** A guardrail and what it says. */
    private record Finding(Guardrail guardrail, Judgement judgement) {
        boolean acts() {
            return !guardrail.observeOnly();
        }

        boolean ownFault() {
            return judgement.verdict() == Verdict.FAIL && judgement.cause().kind() == Cause.Kind.OWN;
        }

        boolean everybodys() {
            return judgement.cause().kind() == Cause.Kind.SHARED;
        }

        boolean oneTenants() {
            return judgement.cause().kind() == Cause.Kind.TENANT;
        }
    }

    /**
     * What is to be done.
     *
     * @param action as in the audit
     * @param evidence as JSON
     */
    record Act(String action, Rollout next, String evidence) {}

    private final GuardrailSettings settings;
    private final Rollout rollout;
    private final Kill kill;
    private final List<Finding> findings;
    private final @Nullable SampleRatio ratio;
    private final Duration blind;
    private final Instant now;
    private final @Nullable Instant acted;

    /**
     * @param kill while it is on nothing happens, and no step bakes
     * @param judgements of this era's evidence
     * @param ratio of the users of both arms in this era; null: there is one arm only
     * @param blind so long, in this era, not everything was measured: a step does not bake then
     * @param acted when a guardrail last did something; null: never
     */
    Ramp(
            GuardrailSettings settings,
            Rollout rollout,
            Kill kill,
            List<Judgement> judgements,
            @Nullable SampleRatio ratio,
            Duration blind,
            Instant now,
            @Nullable Instant acted) {
        this.settings = settings;
        this.rollout = rollout;
        this.kill = kill;
        this.findings = settings.list().stream()
                .flatMap(guardrail -> judgements.stream()
                        .filter(judgement -> judgement.guardrail().equals(guardrail.id()))
                        .map(judgement -> new Finding(guardrail, judgement)))
                .toList();
        this.ratio = ratio;
        this.blind = blind;
        this.now = now;
        this.acted = acted;
    }

    /** Null: nothing. */
    @Nullable
    Act act() {
        if (kill.on()) {
            return null;
        }
        if (rollout.phase() == Phase.SUSPENDED) {
            return afterSuspension();
        }
        if (rollout.effectivePercentage() == 0) {
            return null;
        }
        if (findings.stream().anyMatch(finding -> finding.acts() && (finding.ownFault() || finding.everybodys()))) {
            var act = becauseOfTrouble();
            if (act != null || rollout.phase() != Phase.RUNNING) {
                return act;
            }
        }
        return rollout.phase() == Phase.RUNNING && rollout.step() >= 0 ? whileRunning() : null;
    }

    // ---- what guardrails do

    private @Nullable Act becauseOfTrouble() {
        if (coolsDown()) {
            return null;
        }
        var guilty = worst(Finding::ownFault);
        if (guilty != null && guilty.guardrail().onFail() != OnFail.PAUSE) {
            return rollback(guilty, guilty.judgement().why());
        }
        var everybodys = worst(Finding::everybodys);
        if (everybodys != null) {
            var first = firstInARow();
            return Duration.between(first, now).compareTo(settings.outage()) > 0
                    ? rollback(
                            everybodys,
                            "trouble that all share since " + first + ", for longer than " + settings.outage() + ": "
                                    + everybodys.judgement().why())
                    : suspend(everybodys, first);
        }
        return guilty != null && (rollout.phase() == Phase.RUNNING || rollout.phase() == Phase.HOLDING)
                ? by(
                        guilty,
                        "pause",
                        Phase.PAUSED,
                        rollout.flag().percentage(),
                        null,
                        guilty.judgement().why())
                : null;
    }

    private Act rollback(Finding because, String why) {
        int percentage = because.guardrail().onFail() == OnFail.ROLLBACK_ZERO
                ? 0
                : rollout.plan().percentageBefore(rollout.step());
        return by(because, "rollback", Phase.ROLLED_BACK, percentage, null, why);
    }

    private Act suspend(Finding because, Instant first) {
        return by(
                because,
                "suspend",
                Phase.SUSPENDED,
                rollout.flag().percentage(),
                new Suspension(rollout.phase(), first),
                because.judgement().why());
    }

    /** A suspension that comes back before the rollout went on for a cool-down is the same trouble. */
    private Instant firstInARow() {
        var last = rollout.suspension();
        return last != null && now.isBefore(rollout.since().plus(settings.coolDown())) ? last.first() : now;
    }

    private boolean coolsDown() {
        return acted != null && now.isBefore(acted.plus(settings.coolDown()));
    }

    /** Who goes furthest speaks for all. */
    private @Nullable Finding worst(Predicate<Finding> which) {
        return findings.stream()
                .filter(Finding::acts)
                .filter(which)
                .max(comparingInt(finding -> switch (finding.guardrail().onFail()) {
                    case ROLLBACK_ZERO -> 2;
                    case ROLLBACK_PREVIOUS -> 1;
                    case PAUSE -> 0;
                }))
                .orElse(null);
    }

    // ---- what the plan does

    private @Nullable Act afterSuspension() {
        var suspension = rollout.suspension();
        if (now.isBefore(rollout.since().plus(settings.suspendFor()))) {
            return null;
        }
        return bySchedule(
                "resume",
                // Where nobody knows what it was before, nothing is to go on by itself.
                suspension == null ? Phase.PAUSED : suspension.before(),
                rollout.flag().percentage(),
                suspension,
                "suspended for " + settings.suspendFor() + ": tries again at the same step");
    }

    private @Nullable Act whileRunning() {
        var tenant = worst(Finding::oneTenants);
        if (tenant != null && !coolsDown()) {
            return by(
                    tenant,
                    "hold",
                    Phase.HOLDING,
                    rollout.flag().percentage(),
                    null,
                    tenant.judgement().why());
        }
        var step = step();
        var baked = bakesSince().plus(step.bake());
        if (now.isBefore(baked)) {
            return null;
        }
        if (!good() || now.isBefore(baked.plus(blind))) {
            // Without what was not measured: whoever is blind for ever is held in time.
            return now.isBefore(baked.plus(rollout.plan().maxHold()))
                    ? null
                    : bySchedule(
                            "hold",
                            Phase.HOLDING,
                            rollout.flag().percentage(),
                            null,
                            "not good to go " + rollout.plan().maxHold() + " after its bake time: "
                                    + waiting().stream()
                                            .map(each -> (each.kind() + " " + each.guardrail()).strip())
                                            .toList());
        }
        if (rollout.plan().isLast(rollout.step())) {
            return bySchedule(
                    "complete",
                    Phase.COMPLETED,
                    rollout.flag().percentage(),
                    null,
                    "the last step has baked, and every guardrail passes");
        }
        if (step.approval()) {
            return null;
        }
        int next = rollout.plan().steps().get(rollout.step() + 1).percentage();
        return bySchedule(
                "promote",
                Phase.RUNNING,
                Math.max(rollout.flag().percentage(), next),
                null,
                "baked for " + step.bake() + ", and every guardrail passes");
    }

    private Instant bakesSince() {
        return kill.at().isAfter(rollout.since()) ? kill.at() : rollout.since();
    }

    private boolean good() {
        return findings.size() == settings.list().size()
                && (ratio == null || !ratio.mismatch())
                && connections() >= step().minSessions()
                && findings.stream()
                        .filter(Finding::acts)
                        .allMatch(finding -> finding.judgement().verdict() == Verdict.PASS);
    }

    /** Sessions of this step that have been seen. */
    private long connections() {
        return findings.stream()
                .filter(finding -> finding.guardrail().signal() == Signal.CONNECTION)
                .mapToLong(finding -> finding.judgement().samples())
                .max()
                .orElse(0);
    }

    private Plan.Step step() {
        return rollout.plan().steps().get(rollout.step());
    }

    private Act by(
            Finding because, String action, Phase phase, int percentage, @Nullable Suspension suspension, String why) {
        var id = because.guardrail().id();
        return new Act(
                "rollout." + action,
                rollout.moved(phase, percentage, suspension, Actor.guardrail(id), now, id + ": " + why),
                json(List.of(because)));
    }

    private Act bySchedule(String action, Phase phase, int percentage, @Nullable Suspension suspension, String why) {
        return new Act(
                "rollout." + action,
                rollout.moved(phase, percentage, suspension, Actor.SCHEDULE, now, why),
                json(findings));
    }

    // ---- what is told

    /** With the revision that comes after none. */
    GuardrailReport report() {
        return new GuardrailReport(
                0,
                findings.stream().map(Ramp::view).toList(),
                waiting(),
                ratio == null
                        ? null
                        : new SampleRatioView(
                                ratio.voice(), ratio.control(), ratio.percentage(), ratio.p(), ratio.mismatch()));
    }

    private List<Waiting> waiting() {
        var waiting = new ArrayList<Waiting>();
        boolean running = rollout.phase() == Phase.RUNNING && rollout.step() >= 0;
        if (running) {
            waitingForThePlan(waiting);
        }
        for (var finding : findings) {
            var says = finding.judgement();
            var id = finding.guardrail().id();
            if (finding.oneTenants()) {
                waiting.add(new Waiting("tenant", id, says.cause().tenant(), ""));
            } else if (running && finding.acts() && says.verdict() != Verdict.PASS) {
                waiting.add(
                        says.verdict() == Verdict.INCONCLUSIVE && says.samples() < says.needed()
                                ? new Waiting(
                                        "evidence", id, Long.toString(says.samples()), Long.toString(says.needed()))
                                : new Waiting("verdict", id, word(says.verdict()), word(Verdict.PASS)));
            }
        }
        return waiting;
    }

    private void waitingForThePlan(List<Waiting> waiting) {
        var step = step();
        var baked = Duration.between(bakesSince().plus(blind), now);
        if (baked.compareTo(step.bake()) < 0) {
            // Whole minutes: it is not to be told every second.
            waiting.add(new Waiting(
                    "bake",
                    "",
                    Duration.ofMinutes(Math.max(0, baked.toMinutes())).toString(),
                    step.bake().toString()));
        }
        if (connections() < step.minSessions()) {
            waiting.add(
                    new Waiting("evidence", "", Long.toString(connections()), Integer.toString(step.minSessions())));
        }
        if (ratio != null && ratio.mismatch()) {
            waiting.add(new Waiting(
                    "sample_ratio",
                    "",
                    ratio.voice() + " of " + (ratio.voice() + ratio.control()),
                    ratio.percentage() + " %"));
        }
        if (step.approval() && !rollout.plan().isLast(rollout.step())) {
            waiting.add(new Waiting("approval", "", "", "promote"));
        }
    }

    private static GuardrailView view(Finding finding) {
        var guardrail = finding.guardrail();
        var says = finding.judgement();
        return new GuardrailView(
                guardrail.id(),
                guardrail.signal(),
                guardrail.bound(),
                word(guardrail.comparator()),
                word(guardrail.onFail()),
                guardrail.observeOnly(),
                word(says.verdict()),
                word(says.cause().kind()),
                says.score(),
                says.limit(),
                says.observed(),
                says.low(),
                says.high(),
                says.samples(),
                says.controlSamples(),
                says.needed(),
                says.why(),
                Power.of(
                        guardrail,
                        says.controlSamples() == 0 ? says.samples() : Math.min(says.samples(), says.controlSamples())));
    }

    private static String json(List<Finding> findings) {
        return findings.stream()
                .map(finding -> JudgementJson.of(finding.guardrail(), finding.judgement()))
                .collect(joining(",", "[", "]"));
    }

    private static String word(Enum<?> value) {
        return value.name().toLowerCase(Locale.ROOT);
    }
}
