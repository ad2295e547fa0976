package parley.admission;

import java.time.Clock;
import java.time.Duration;
import java.util.EnumMap;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.function.Consumer;
import org.apache.pekko.cluster.MemberStatus;
import org.apache.pekko.cluster.typed.Cluster;
import parley.admission.Decision.Admitted;
import parley.admission.Decision.Refused;
import parley.admission.Decision.Why;
import parley.admission.Rollout.Phase;
import parley.admission.Rollouts.Happening;
import parley.meter.Counter;
import parley.meter.Histogram;
import parley.meter.Meters;
import parley.meter.Unit;

/** What admission and rollout tell the metrics. {@code docs/telemetry.md} says what each name means. */
public final class AdmissionMetrics {
    private static final double[] PROPAGATION = {.005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5};

    private AdmissionMetrics() {}

    /** The same decisions, counted by their reasons; and how many of this node's places are taken. */
    public static Admission counted(Admission admission, CapacitySettings places, Meters meters) {
        meters.gauge("voice_active_sessions", "Connections that hold a place on this node.", admission::connections);
        meters.gauge("voice_max_sessions", "Places of this node.", places::maxConnections);
        return new Counted(admission, meters);
    }

    private static final class Counted implements Admission {
        private final Admission admission;
        private final Map<Why, Counter> voice = new EnumMap<>(Why.class);
        private final Map<Why, Counter> control = new EnumMap<>(Why.class);

        Counted(Admission admission, Meters meters) {
            this.admission = admission;
            for (var why : Why.values()) {
                voice.put(why, counter(meters, Arm.VOICE, why));
                control.put(why, counter(meters, Arm.CONTROL, why));
            }
        }

        private static Counter counter(Meters meters, Arm arm, Why why) {
            return meters.counter(
                    "voice_flag_evaluations_total", "Decisions by reason.", "arm", lower(arm), "reason", lower(why));
        }

        @Override
        public Decision admit(CallerId caller, Set<String> cohorts) {
            return count(admission.admit(caller, cohorts));
        }

        @Override
        public Decision readmit(CallerId caller, Set<String> cohorts) {
            return count(admission.readmit(caller, cohorts));
        }

        private Decision count(Decision decision) {
            var counters = decision instanceof Admitted in && in.arm() == Arm.VOICE ? voice : control;
            var why = switch (decision) {
                case Admitted in -> in.why();
                case Refused out -> out.why();
            };
            Objects.requireNonNull(counters.get(why)).increment();
            return decision;
        }

        @Override
        public int connections() {
            return admission.connections();
        }

        @Override
        public void onKill(Consumer<Kill> action) {
            admission.onKill(action);
        }
    }

    static Histogram killPropagation(Meters meters) {
        return meters.histogram(
                "voice_kill_propagation_seconds", "Until every node had a kill order.", Unit.SECONDS, PROPAGATION);
    }

    static void budget(Meters meters, BudgetSettings settings, java.util.function.LongSupplier spentMicros) {
        meters.gauge("voice_budget_spent_usd", "Spent this month.", () -> spentMicros.getAsLong() / 1e6);
        if (settings.monthlyMicros() > 0) {
            meters.gauge("voice_budget_usd", "The month's budget.", () -> settings.monthlyMicros() / 1e6);
            meters.gauge(
                    "voice_budget_remaining_usd",
                    "Left of the month's budget.",
                    () -> Math.max(0, settings.monthlyMicros() - spentMicros.getAsLong()) / 1e6);
        }
    }

    static void quotas(Meters meters, ClusterQuotas quotas) {
        meters.counted(
                "voice_quota_refused_total", "Sessions refused because their user had begun enough.", quotas::refused);
        meters.counted("voice_quota_unanswered_total", "Quotas that did not answer in time.", quotas::unanswered);
    }

    static void outcomes(Meters meters, UnsentOutcomes outcomes) {
        meters.gauge("voice_outcomes_unsent", "Outcomes not with the controller yet.", outcomes::size);
        meters.counted(
                "voice_outcomes_lost_total", "Outcomes dropped because nobody took them for long.", outcomes::lost);
    }

    static void rollout(Meters meters, RolloutView view, Cluster cluster, Clock clock) {
        var node = node(cluster);
        meters.gauge(
                "voice_rollout_percentage",
                "Share of users that get voice.",
                () -> view.rollout().effectivePercentage());
        meters.gauge(
                "voice_rollout_enabled",
                "1: the flag is on.",
                () -> view.rollout().flag().enabled() ? 1 : 0);
        meters.gauge(
                "voice_rollout_step",
                "Stage of the plan; -1: none.",
                () -> view.rollout().step());
        meters.gauge(
                "voice_rollout_revision",
                "Newest revision this node knows of.",
                () -> view.rollout().revision());
        meters.gauge(
                "voice_rollout_revision_applied",
                "Revision this node decides by.",
                () -> view.rollout().revision(),
                "node",
                node);
        for (var phase : Phase.values()) {
            meters.gauge(
                    "voice_rollout_state",
                    "1 for the state the rollout is in.",
                    () -> view.rollout().phase() == phase ? 1 : 0,
                    "state",
                    lower(phase));
        }
        meters.gauge(
                "voice_kill_active",
                "1: the kill switch is on.",
                () -> view.kill().on() ? 1 : 0);
        new Phases(meters, view, clock);
        guardrails(meters, view);
        var reach = new Reach(cluster);
        meters.gauge(
                "voice_flag_state_age_seconds",
                "How long this node has not had the cluster's majority in reach.",
                reach::ageSeconds,
                "node",
                node);
    }

    private static void guardrails(Meters meters, RolloutView view) {
        meters.gauges("voice_guardrail_verdict", "1 for what the guardrail says.", out -> {
            for (var guardrail : view.report().guardrails()) {
                for (var verdict : Verdict.values()) {
                    out.add(
                            guardrail.verdict().equals(lower(verdict)) ? 1 : 0,
                            "guardrail",
                            guardrail.id(),
                            "verdict",
                            lower(verdict));
                }
            }
        });
        meters.gauges(
                "voice_guardrail_score",
                "Trips above its limit.",
                out -> view.report()
                        .guardrails()
                        .forEach(guardrail -> out.add(guardrail.score(), "guardrail", guardrail.id())));
        meters.gauges(
                "voice_guardrail_limit",
                "The score at which it trips.",
                out -> view.report()
                        .guardrails()
                        .forEach(guardrail -> out.add(guardrail.limit(), "guardrail", guardrail.id())));
        meters.gauges(
                "voice_guardrail_observed_ratio",
                "Failed share of the samples.",
                out -> view.report()
                        .guardrails()
                        .forEach(guardrail -> out.add(guardrail.observed(), "guardrail", guardrail.id())));
        meters.gauges(
                "voice_guardrail_samples",
                "Sessions counted.",
                out -> view.report()
                        .guardrails()
                        .forEach(guardrail -> out.add(
                                        (double) guardrail.samples(),
                                        "guardrail",
                                        guardrail.id(),
                                        "arm",
                                        lower(Arm.VOICE))
                                .add(
                                        (double) guardrail.controlSamples(),
                                        "guardrail",
                                        guardrail.id(),
                                        "arm",
                                        lower(Arm.CONTROL))));
    }

    /** How long the rollout was in each state, and how it got there, as this node saw it. Thread-safe. */
    private static final class Phases {
        private final Meters meters;
        private final Clock clock;
        private final EnumMap<Phase, Duration> spent = new EnumMap<>(Phase.class);
        private Phase phase;
        private long since;

        @SuppressWarnings("this-escape")
        Phases(Meters meters, RolloutView view, Clock clock) {
            this.meters = meters;
            this.clock = clock;
            this.phase = view.rollout().phase();
            this.since = clock.millis();
            for (var state : Phase.values()) {
                meters.summed(
                        "voice_rollout_state_seconds_total",
                        "Time in each state.",
                        () -> seconds(state),
                        "state",
                        lower(state));
            }
            view.watch(happening -> {
                if (happening instanceof Happening.RolloutChanged(var now)) {
                    changed(now);
                }
            });
        }

        private synchronized void changed(Rollout now) {
            if (now.phase() != phase) {
                long at = clock.millis();
                spent.merge(phase, Duration.ofMillis(Math.max(0, at - since)), Duration::plus);
                meters.counter(
                                "voice_rollout_transitions_total",
                                "Changes of the state that this node saw.",
                                "from",
                                lower(phase),
                                "to",
                                lower(now.phase()),
                                "cause",
                                now.changed().by().type())
                        .increment();
                phase = now.phase();
                since = at;
            }
        }

        private synchronized double seconds(Phase of) {
            long running = of == phase ? Math.max(0, clock.millis() - since) : 0;
            return (spent.getOrDefault(of, Duration.ZERO).toMillis() + running) / 1e3;
        }
    }

    /** Since when this node may not hear what the cluster decides. Looks when it is asked. */
    private static final class Reach {
        private final Cluster cluster;
        private long lastGood = System.nanoTime();

        Reach(Cluster cluster) {
            this.cluster = cluster;
        }

        synchronized double ageSeconds() {
            long now = System.nanoTime();
            if (hasMajority()) {
                lastGood = now;
            }
            return (now - lastGood) / 1e9;
        }

        private boolean hasMajority() {
            var state = cluster.state();
            var unreachable = state.getUnreachable();
            int members = 0;
            int reached = 0;
            for (var member : state.getMembers()) {
                if (member.status().equals(MemberStatus.up())) {
                    members++;
                    reached += unreachable.contains(member) ? 0 : 1;
                }
            }
            return 2 * reached > members;
        }
    }

    /** Host and port: what an operator knows a node by. */
    static String node(Cluster cluster) {
        var address = cluster.selfMember().address();
        return address.getHost().orElse("") + ":" + address.getPort().orElse(0);
    }

    private static String lower(Enum<?> value) {
        return value.name().toLowerCase(Locale.ROOT);
    }
}
