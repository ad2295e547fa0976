package parley.app;

import java.time.Duration;
import java.util.Locale;
import java.util.concurrent.atomic.AtomicLongArray;
import java.util.function.BooleanSupplier;
import java.util.function.IntSupplier;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.cluster.MemberStatus;
import org.apache.pekko.cluster.typed.Cluster;
import parley.meter.Histogram;
import parley.meter.Meters;
import parley.meter.Unit;
import parley.wire.Loops;

/** What a node as a whole says of itself: its cluster, its loops, and how far it is with leaving. Thread-safe. */
final class NodeMetrics {
    /** Where a node is on its way out, in this order. */
    enum Leaving {
        SERVING(0),
        NOT_READY(1),
        CALLERS(2),
        PERMIT(3),
        HAND_OVER(4),
        STOPPING(5);

        /** As it is told. */
        private final int number;

        Leaving(int number) {
            this.number = number;
        }
    }

    private static final double[] STEP = {1, 2, 5, 10, 20, 30, 60, 90, 120, 165};
    private static final Duration LOOK = Duration.ofSeconds(5);
    /** Looks that the worst delay is kept for. */
    private static final int LOOKS = 3;

    private final Meters meters;
    private volatile Leaving leaving = Leaving.SERVING;

    NodeMetrics(ActorSystem<?> system, Loops loops, IntSupplier live, BooleanSupplier ready) {
        this.meters = Meters.of(system);
        var cluster = Cluster.get(system);
        var address = cluster.selfMember().address();
        var node = address.getHost().orElse("") + ":" + address.getPort().orElse(0);
        meters.gauge(
                "voice_drain_state",
                "0 serving, 1 not ready, 2 callers leave, 3 waits for its turn, 4 hands over, 5 stops.",
                () -> leaving.number,
                "node",
                node);
        meters.gauge(
                "voice_drain_sessions_remaining",
                "Conversations left on a node that drains.",
                () -> leaving == Leaving.SERVING ? 0 : live.getAsInt());
        meters.gauge("voice_node_ready", "1 as /ready says 200.", () -> ready.getAsBoolean() ? 1 : 0);
        for (var step : new Leaving[] {Leaving.CALLERS, Leaving.PERMIT, Leaving.HAND_OVER}) {
            took(step);
        }
        members(cluster);
        delays(system, loops);
    }

    private void members(Cluster cluster) {
        meters.gauges("voice_cluster_members", "Members as this node sees them.", out -> {
            for (var status : new MemberStatus[] {
                MemberStatus.joining(),
                MemberStatus.weaklyUp(),
                MemberStatus.up(),
                MemberStatus.leaving(),
                MemberStatus.exiting(),
                MemberStatus.down()
            }) {
                int count = 0;
                for (var member : cluster.state().getMembers()) {
                    count += member.status().equals(status) ? 1 : 0;
                }
                out.add(count, "status", name(status));
            }
        });
        meters.gauge(
                "voice_cluster_members_unreachable",
                "Members out of reach.",
                () -> cluster.state().getUnreachable().size());
    }

    private static String name(MemberStatus status) {
        return status.equals(MemberStatus.weaklyUp())
                ? "weakly_up"
                : status.toString().toLowerCase(Locale.ROOT);
    }

    private void delays(ActorSystem<?> system, Loops loops) {
        var worst = new AtomicLongArray(LOOKS);
        var look = new java.util.concurrent.atomic.AtomicInteger();
        system.scheduler()
                .scheduleWithFixedDelay(
                        LOOK,
                        LOOK,
                        () -> worst.set(
                                look.getAndIncrement() % LOOKS,
                                loops.worstDelay().toNanos()),
                        system.executionContext());
        meters.gauge("voice_event_loop_delay_seconds", "How late the worst event loop ran lately.", () -> {
            long most = 0;
            for (int at = 0; at < LOOKS; at++) {
                most = Math.max(most, worst.get(at));
            }
            return most / 1e9;
        });
        meters.gauge(
                "voice_event_loop_busy_ratio",
                "Share of a processor that the busiest event loop took.",
                loops::busiest);
    }

    /** The node is at this step of leaving now. */
    void at(Leaving step) {
        leaving = step;
    }

    /** Runs a step of leaving, and tells how long it took. */
    void step(Leaving step, Runnable action) {
        at(step);
        long began = System.nanoTime();
        action.run();
        took(step).since(began);
    }

    private Histogram took(Leaving step) {
        return meters.histogram(
                "voice_drain_seconds",
                "How long a step of leaving took.",
                Unit.SECONDS,
                STEP,
                "step",
                step.name().toLowerCase(Locale.ROOT));
    }
}
