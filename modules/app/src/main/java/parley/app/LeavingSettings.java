package parley.app;

import com.typesafe.config.Config;
import java.time.Duration;
import java.util.ArrayList;

/**
 * {@code parley.app.leaving} in reference.conf, where each key is explained, and the times it must fit.
 *
 * @param preStop how long the platform waits before it sends SIGTERM
 * @param terminationGrace from then on, {@code preStop} included, the platform waits so long before it kills; zero: not
 *     known
 */
record LeavingSettings(
        Duration readyGrace,
        Duration callers,
        Duration permitWait,
        Duration handOver,
        Duration exitWithin,
        Duration preStop,
        Duration terminationGrace) {
    private static final String EXITING = "pekko.coordinated-shutdown.phases.cluster-exiting.timeout";
    /** For the phases that do not wait for anything, and the rest of the program. */
    private static final Duration REST = Duration.ofSeconds(10);

    /**
     * Reads the block of a whole configuration.
     *
     * @throws IllegalArgumentException when one step may take longer than the one around it waits; names both
     */
    static LeavingSettings from(Config config) {
        var leaving = new LeavingSettings(
                config.getDuration("parley.app.leaving.ready-grace"),
                config.getDuration("parley.session.drain.callers"),
                config.getDuration("parley.app.leaving.permit-wait"),
                config.getDuration("parley.app.leaving.hand-over"),
                config.getDuration("parley.app.leaving.exit-within"),
                config.getDuration("parley.app.leaving.pre-stop"),
                config.getDuration("parley.app.leaving.termination-grace"));
        var wrong = new ArrayList<String>();
        var session = config.getDuration("parley.session.hand-over");
        below(wrong, "parley.session.hand-over", session, "parley.app.leaving.hand-over", leaving.handOver);
        below(
                wrong,
                "parley.session.hand-over",
                session,
                "pekko.cluster.sharding.handoff-timeout",
                config.getDuration("pekko.cluster.sharding.handoff-timeout"));
        below(
                wrong,
                "parley.app.leaving.ready-grace, parley.session.drain.callers, parley.app.leaving.permit-wait,"
                        + " parley.app.leaving.hand-over, " + EXITING + " and " + REST,
                leaving.readyGrace
                        .plus(leaving.callers)
                        .plus(leaving.permitWait)
                        .plus(leaving.handOver)
                        .plus(config.getDuration(EXITING))
                        .plus(REST),
                "parley.app.leaving.exit-within",
                leaving.exitWithin);
        if (!leaving.terminationGrace.isZero()) {
            below(
                    wrong,
                    "parley.app.leaving.pre-stop, parley.app.leaving.exit-within and " + REST,
                    leaving.preStop.plus(leaving.exitWithin).plus(REST),
                    "parley.app.leaving.termination-grace",
                    leaving.terminationGrace);
        }
        if (!wrong.isEmpty()) {
            throw new IllegalArgumentException(String.join("; ", wrong));
        }
        return leaving;
    }

    /** Who waits how long for whom while a node leaves, from the inside out. */
    String ladder() {
        return "callers " + seconds(callers) + ", permit " + seconds(permitWait) + ", hand-over " + seconds(handOver)
                + ", exit " + seconds(exitWithin)
                + (terminationGrace.isZero()
                        ? ""
                        : ", pre-stop " + seconds(preStop) + ", platform " + seconds(terminationGrace));
    }

    private static String seconds(Duration time) {
        return time.toSeconds() + " s";
    }

    private static void below(ArrayList<String> wrong, String inner, Duration takes, String outer, Duration waits) {
        if (takes.compareTo(waits) > 0) {
            wrong.add(outer + ": " + waits + " (expected: at least " + takes + ", for " + inner + ")");
        }
    }
}
