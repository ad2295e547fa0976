package parley.admission;

import static java.lang.String.format;
import static java.util.Comparator.comparingDouble;
import static java.util.Locale.ROOT;

import java.util.Map;
import org.jspecify.annotations.Nullable;
import parley.admission.Evidence.Samples;
import parley.admission.Evidence.Tally;
import parley.admission.Evidence.Tenant;

/**
 * What the evidence says about one guardrail, at any time and as often as one likes.
 *
 * <p>The alarm is cheap and fast: the CUSUM's score passes the limit, or the confidence sequence says that the candidate
 * is worse than its comparison. Then three questions decide, in this order. Is it one tenant, and the rest is well? Then
 * it is held and the tenant named. Is there something to compare with? When not, the alarm stands. Did the comparison do
 * better since the change point, by Fisher's exact test? Then it is the release; else, when the comparison is bad as
 * well, the cause is shared. Without an alarm only evidence passes: sessions enough to exclude, at 95 %, that more than
 * the bound fail.
 */
final class Judge {
    /** A comparison confirms an alarm below this p. It is asked again and again, hence so small. */
    static final double CONFIRMED = 1e-4;

    /** Where the comparison is bad as well, two causes at once are less likely than one: below this p. */
    static final double CONFIRMED_BESIDE_A_SHARED_CAUSE = 1e-6;

    /** A comparison counts as bad below this p of being healthy. */
    static final double UNHEALTHY = 0.01;

    /** A tenant counts as worse than the rest below this p. */
    static final double SINGLED_OUT = 0.01;

    /** Where the rest is certainly a smaller part of the sessions than this, the tenant is the service. */
    static final double LEAST_REST = 0.2;

    /** So many expected and none seen: the comparison has fallen silent. By chance once in a million cases. */
    static final double SILENCE = 20;

    private static final Tally OPENING = new Tally(1, 1);

    private final Guardrail guardrail;
    private final Evidence evidence;
    private final Samples comparison;
    private final Tally candidate;
    private final Tally compared;
    private final long needed;
    private final @Nullable SampleRatio mismatch;

    private Judge(Guardrail guardrail, Evidence evidence, @Nullable SampleRatio ratio) {
        this.guardrail = guardrail;
        this.evidence = evidence;
        this.mismatch =
                guardrail.comparator() == Comparator.CONTROL && ratio != null && ratio.mismatch() ? ratio : null;
        this.comparison = switch (guardrail.comparator()) {
            case CONTROL, BAKED -> mismatch == null ? evidence.control() : Samples.NONE;
            case PROBE -> evidence.probes();
            case ABSOLUTE -> Samples.NONE;
        };
        this.candidate = evidence.candidate().total();
        this.compared = comparison.total();
        this.needed = Binomial.needed(guardrail.bound(), (long) Math.ceil(candidate.failed()));
    }

    /** @param complete every node has reported lately; without that nothing passes, but what is bad stays bad */
    static Judgement judge(Guardrail guardrail, Evidence evidence, boolean complete) {
        return judge(guardrail, evidence, complete, null);
    }

    /** @param ratio of the users of both arms; null: there is one arm only. Where they do not fit, none is compared */
    static Judgement judge(Guardrail guardrail, Evidence evidence, boolean complete, @Nullable SampleRatio ratio) {
        return new Judge(guardrail, evidence, ratio).judge(complete);
    }

    private Judgement judge(boolean complete) {
        if (!evidence.guardrail().equals(guardrail.id())
                || evidence.signal() != guardrail.signal()
                || evidence.bound() != guardrail.bound()) {
            return say(
                    Verdict.ERROR,
                    Cause.NONE,
                    format(
                            ROOT,
                            "the evidence is of %s, %s, bound %s (expected: %s, %s, %s): reset it",
                            evidence.guardrail(),
                            evidence.signal(),
                            evidence.bound(),
                            guardrail.id(),
                            guardrail.signal(),
                            guardrail.bound()));
        }
        if (candidate.sessions() == 0) {
            return say(Verdict.NO_DATA, Cause.NONE, "no session yet");
        }
        var difference = guardrail.comparator() == Comparator.PROBE
                ? new ConfidenceSequence(0, Double.POSITIVE_INFINITY)
                : ConfidenceSequence.between(evidence.candidate(), comparison);
        boolean tripped = evidence.score() > guardrail.limit();
        if (!tripped && !difference.worse()) {
            return withoutAlarm(complete);
        }
        var tenant = tripped ? toBlameForScore() : toBlameForDifference(difference);
        if (tenant != null) {
            return say(
                    Verdict.INCONCLUSIVE,
                    Cause.tenant(tenant),
                    format(ROOT, "only tenant %s fails: without it there is no alarm", tenant));
        }
        return difference.worse()
                ? say(
                        Verdict.FAIL,
                        Cause.OWN,
                        format(
                                ROOT,
                                "fails %.1f points more often than the comparison, give or take %.1f; one point is tolerated",
                                100 * difference.difference(),
                                100 * difference.halfWidth()))
                : afterTrip();
    }

    private Judgement withoutAlarm(boolean complete) {
        if (!complete) {
            return say(Verdict.NO_DATA, Cause.NONE, "not every node has reported");
        }
        return candidate.sessions() < needed
                ? say(
                        Verdict.INCONCLUSIVE,
                        Cause.NONE,
                        format(ROOT, "%d sessions of the %d that it takes to pass", candidate.sessions(), needed))
                : say(
                        Verdict.PASS,
                        Cause.NONE,
                        format(ROOT, "at most %s %% fail, with 95 %% confidence", number(100 * guardrail.bound())));
    }

    private Judgement afterTrip() {
        if (guardrail.comparator() == Comparator.ABSOLUTE) {
            return say(Verdict.FAIL, Cause.OWN, trip("judged by the bound alone"));
        }
        if (compared.sessions() == 0) {
            return say(Verdict.FAIL, Cause.OWN, trip("there is no comparison: judged by the bound alone"));
        }
        var here = evidence.candidate().sinceChange();
        var there = comparison.sinceChange();
        if (silent(here, there)) {
            return say(Verdict.FAIL, Cause.OWN, trip("the comparison fell silent: judged by the bound alone"));
        }
        // The session that opened the window failed, or there were no window: it proves nothing.
        double p = Fisher.worse(here.minus(OPENING), there);
        boolean shared = Binomial.atLeast((long) Math.floor(there.failed()), there.sessions(), guardrail.bound() / 2)
                < UNHEALTHY;
        if (p < (shared ? CONFIRMED_BESIDE_A_SHARED_CAUSE : CONFIRMED)) {
            return say(Verdict.FAIL, Cause.OWN, trip(format(ROOT, "the comparison does better, p = %.1e", p)));
        }
        return shared
                ? say(Verdict.INCONCLUSIVE, Cause.SHARED, trip("the comparison fails as well"))
                : say(
                        Verdict.INCONCLUSIVE,
                        Cause.NONE,
                        trip(format(ROOT, "not confirmed by the comparison yet, p = %.1e", p)));
    }

    /** Whether the comparison, which had sessions in this step, has none any more. */
    private boolean silent(Tally here, Tally there) {
        double expected = (double) here.sessions() * compared.sessions() / candidate.sessions();
        return there.sessions() == 0 && expected > SILENCE;
    }

    /** The tenant without which the score is not even half way to the limit, when it is not the service itself. */
    private @Nullable String toBlameForScore() {
        return evidence.tenants().entrySet().stream()
                .filter(tenant -> tenant.getValue().scoreWithout() <= guardrail.limit() / 2)
                .filter(tenant -> !isTheService(tenant.getValue()))
                .min(comparingDouble((Map.Entry<String, Tenant> tenant) ->
                                tenant.getValue().scoreWithout())
                        .thenComparing(Map.Entry::getKey))
                .map(Map.Entry::getKey)
                .orElse(null);
    }

    /** The tenant that fails more than the rest does, and without which the difference proves nothing. */
    private @Nullable String toBlameForDifference(ConfidenceSequence all) {
        return evidence.tenants().entrySet().stream()
                .filter(tenant -> !isTheService(tenant.getValue()))
                .filter(tenant -> makesTheDifference(all, tenant.getValue()))
                .max(comparingDouble((Map.Entry<String, Tenant> tenant) ->
                                tenant.getValue().candidate().failed())
                        .thenComparing(Map.Entry::getKey))
                .map(Map.Entry::getKey)
                .orElse(null);
    }

    private boolean makesTheDifference(ConfidenceSequence all, Tenant tenant) {
        var here = candidate.minus(tenant.candidate());
        var there = compared.minus(tenant.control());
        if (Fisher.worse(tenant.candidate(), here) >= SINGLED_OUT) {
            return false;
        }
        double smaller = Math.min(here.sessions(), there.sessions());
        double before = Math.min(candidate.sessions(), compared.sessions());
        // Sub-buckets are not kept per tenant: the rest is taken to scatter as all did, over fewer sessions.
        double half = all.halfWidth() * Math.sqrt(before / smaller);
        return here.share() - there.share() - half <= ConfidenceSequence.TOLERANCE;
    }

    private boolean isTheService(Tenant tenant) {
        long rest = candidate.sessions() - tenant.candidate().sessions();
        long elsewhere =
                evidence.control().total().sessions() - tenant.control().sessions();
        return (rest == 0 && elsewhere == 0)
                || Binomial.atMost(rest, candidate.sessions(), LEAST_REST) < Binomial.ALPHA;
    }

    private String trip(String and) {
        return format(
                ROOT,
                "score %.1f passed %.1f, %s failed of %d since the change point; %s",
                evidence.score(),
                guardrail.limit(),
                number(evidence.candidate().sinceChange().failed()),
                evidence.candidate().sinceChange().sessions(),
                and);
    }

    private Judgement say(Verdict verdict, Cause cause, String why) {
        var interval = Binomial.wilson(candidate.failed(), candidate.sessions());
        return new Judgement(
                guardrail.id(),
                verdict,
                cause,
                evidence.score(),
                guardrail.limit(),
                candidate.share(),
                interval.low(),
                interval.high(),
                candidate.sessions(),
                compared.sessions(),
                needed,
                mismatch == null ? why : why + "; " + mismatch.says());
    }

    /** Without decimals where there are none. */
    private static String number(double value) {
        return value == Math.rint(value) ? format(ROOT, "%.0f", value) : format(ROOT, "%.1f", value);
    }
}
