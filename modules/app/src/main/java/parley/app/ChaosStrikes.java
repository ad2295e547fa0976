package parley.app;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import parley.load.chaos.Callers;

/** Breaks things, and makes them whole again. Each takes its time. */
final class ChaosStrikes {
    private static final Duration BETWEEN = Duration.ofSeconds(20);
    /** A node has its own bound, {@code parley.app.leaving.exit-within}. */
    private static final Duration LEAVE = Duration.ofSeconds(160);
    /** The others have taken over by then: a node that starts takes the processor that they need, when it is the same. */
    private static final Duration UNTIL_RESTART = Duration.ofSeconds(15);

    /** Before the next node is touched: minReadySeconds of a Deployment. */
    private static final Duration MIN_READY = Duration.ofSeconds(20);

    private static final Duration FROZEN_NODE = Duration.ofSeconds(15);
    private static final Duration CUT_OFF = Duration.ofSeconds(30);
    /** For a node that was thought dead to end itself. */
    private static final Duration REMORSE = Duration.ofSeconds(15);

    private static final Duration REFUSING = Duration.ofSeconds(8);
    private static final Duration PROVIDER_DOWN = Duration.ofSeconds(30);
    private static final Duration NO_DATABASE = Duration.ofSeconds(30);
    private static final Duration SLOW_DATABASE = Duration.ofSeconds(30);
    private static final Duration PER_PIECE = Duration.ofMillis(200);

    private final @Nullable ChaosCluster cluster;
    private final @Nullable ChaosNetwork network;
    private final Random random;
    private final int shorter;
    private final List<String> complaints = new ArrayList<>();

    /**
     * @param cluster null: only callers can be dropped
     * @param shorter what takes its time takes so many times less
     */
    ChaosStrikes(@Nullable ChaosCluster cluster, @Nullable ChaosNetwork network, Random random, int shorter) {
        this.cluster = cluster;
        this.network = network;
        this.random = random;
        this.shorter = shorter;
    }

    /**
     * Returns when everything is whole again.
     *
     * @param time what is over in a moment is repeated for most of it
     */
    void strike(Fault fault, Callers callers, Duration time) throws InterruptedException {
        switch (fault) {
            case NONE -> callers.stroke(false);
            case DROP_1S -> drop(callers, Duration.ofSeconds(1), false, time);
            case DROP_30S -> drop(callers, Duration.ofSeconds(30), false, time);
            case DROP_ELSEWHERE -> drop(callers, Duration.ZERO, true, time);
            case ROLLING -> rolling(callers);
            case KILL -> kill(callers);
            case FREEZE -> freeze(callers);
            case PARTITION -> partition(callers, false);
            case PARTITION_DATABASE -> partition(callers, true);
            case PROVIDER_CUT ->
                repeated(time, () -> {
                    callers.stroke(true);
                    ours().toProvider().cut();
                });
            case PROVIDER_FREEZE ->
                repeated(time.dividedBy(2), () -> {
                    callers.stroke(true);
                    ours().toProvider().mute();
                });
            case PROVIDER_429 -> refused(callers, Relay.Welcome.TOO_MANY_REQUESTS, REFUSING);
            case PROVIDER_DOWN -> refused(callers, Relay.Welcome.RESET, PROVIDER_DOWN);
            case PROVIDER_AGE -> callers.stroke(false);
            case DATABASE_STOP -> {
                callers.stroke(false);
                ours().database().stop();
                sleep(NO_DATABASE.dividedBy(shorter));
                ours().database().startAgain();
            }
            case DATABASE_FREEZE -> {
                callers.stroke(false);
                ours().database().freeze();
                sleep(NO_DATABASE.dividedBy(shorter));
                ours().database().thaw();
            }
            case DATABASE_SLOW -> {
                callers.stroke(false);
                ours().toDatabase().delay(PER_PIECE);
                sleep(SLOW_DATABASE.dividedBy(shorter));
                ours().toDatabase().delay(Duration.ZERO);
            }
        }
    }

    /** What the cluster did wrong, apart from what callers noticed. */
    List<String> complaints() {
        return List.copyOf(complaints);
    }

    private void drop(Callers callers, Duration away, boolean elsewhere, Duration time) throws InterruptedException {
        repeated(time.minus(away), () -> {
            callers.stroke(true);
            callers.drop(away, elsewhere);
        });
        sleep(away);
    }

    private static void repeated(Duration time, Runnable strike) throws InterruptedException {
        long end = System.nanoTime() + time.minus(BETWEEN).toNanos();
        strike.run();
        while (System.nanoTime() + BETWEEN.toNanos() - end < 0) {
            sleep(BETWEEN);
            strike.run();
        }
    }

    /** The youngest first, as a platform does that is told what each node is worth: the oldest coordinates. */
    private void rolling(Callers callers) throws InterruptedException {
        var nodes = ours().nodes();
        callers.stroke(false);
        for (int number = nodes.nodes().size() - 1; number >= 0; number--) {
            if (!nodes.stop(number, LEAVE)) {
                complaints.add("node " + (number + 1) + " did not leave within " + LEAVE.toSeconds() + " s");
            }
            nodes.restart(number);
            sleep(MIN_READY.dividedBy(shorter));
        }
    }

    /** The oldest node, which coordinates, and a younger one: they are missed in different ways. */
    private void kill(Callers callers) throws InterruptedException {
        var nodes = ours().nodes();
        for (int number :
                new int[] {0, 1 + random.nextInt(Math.max(1, nodes.nodes().size() - 1))}) {
            callers.stroke(true);
            nodes.kill(number % nodes.nodes().size());
            sleep(UNTIL_RESTART.dividedBy(shorter));
            nodes.restart(number % nodes.nodes().size());
            sleep(MIN_READY.dividedBy(shorter));
        }
    }

    private void freeze(Callers callers) throws InterruptedException {
        var nodes = ours().nodes();
        int number = any(nodes);
        callers.stroke(true);
        nodes.freeze(number);
        sleep(FROZEN_NODE.dividedBy(shorter));
        nodes.thaw(number);
        restartIfItEnds(nodes, number);
    }

    private void partition(Callers callers, boolean fromDatabaseToo) throws InterruptedException {
        if (network == null) {
            throw new IllegalStateException("no network of our own");
        }
        var nodes = ours().nodes();
        int number = any(nodes);
        callers.stroke(true);
        network.cutOff(number, fromDatabaseToo);
        sleep(CUT_OFF.dividedBy(shorter));
        network.heal(number);
        restartIfItEnds(nodes, number);
    }

    private void refused(Callers callers, Relay.Welcome how, Duration time) throws InterruptedException {
        callers.stroke(true);
        ours().toProvider().welcome(how);
        ours().toProvider().cut();
        sleep(time.dividedBy(shorter));
        ours().toProvider().welcome(Relay.Welcome.PASS);
    }

    /** A node that was thought dead has to end itself, or to serve again. */
    private void restartIfItEnds(LocalCluster nodes, int number) throws InterruptedException {
        long until = System.nanoTime() + REMORSE.toNanos();
        while (nodes.isRunning(number) && System.nanoTime() - until < 0) {
            TimeUnit.MILLISECONDS.sleep(200);
        }
        if (nodes.isRunning(number) && !ours().serves(number)) {
            complaints.add("node " + (number + 1) + " came to itself, did not end, and served nobody");
            nodes.kill(number);
        }
        if (!nodes.isRunning(number)) {
            nodes.restart(number);
        }
    }

    private int any(LocalCluster nodes) {
        return random.nextInt(nodes.nodes().size());
    }

    private ChaosCluster ours() {
        if (cluster == null) {
            throw new IllegalStateException("that cluster is not ours to break");
        }
        return cluster;
    }

    private static void sleep(Duration time) throws InterruptedException {
        TimeUnit.NANOSECONDS.sleep(time.toNanos());
    }
}
