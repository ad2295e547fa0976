package parley.load;

import java.io.PrintStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * How many sessions a gateway carries: connects some, lets them talk, connects more, and so on, until a step is too much
 * or the last one is done. Those who are connected stay; between two steps nobody speaks.
 *
 * <p>The gateway's limit and this program's own are told apart: where a step was too much, and frames went out late, or an
 * event loop had no time left, nobody knows what the gateway would have done: {@link Limit#GENERATOR}.
 */
final class Ramp {
    /** Enough for a step's newcomers; the first step has the whole warm-up. */
    private static final int SECONDS_TO_SETTLE = 2;

    /** What ended a ramp. */
    enum Limit {
        /** Nothing: the last step was held. */
        NONE,
        /** A round trip too long, a frame or a session lost. */
        GATEWAY,
        /** This program. */
        GENERATOR,
        INTERRUPTED;

        @Override
        public String toString() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    /**
     * How a step ended.
     *
     * @param limit {@link Limit#NONE} when it was held
     * @param why in words
     */
    record Verdict(Limit limit, String why) {
        static Verdict of(Report step, int withinMillis) {
            var trouble = trouble(step, withinMillis);
            var own = own(step.generator());
            // Round trips count from when frames were due, so what is within the bound is so whoever was late.
            if (trouble.isEmpty()) return new Verdict(Limit.NONE, "held" + own);
            var service = step.latencies().get("service");
            boolean sentInTimeCameInTime = step.clean() && service != null && service.p99() <= withinMillis;
            if (own.isEmpty() && !sentInTimeCameInTime) return new Verdict(Limit.GATEWAY, trouble);
            return new Verdict(Limit.GENERATOR, trouble + (own.isEmpty() ? ", sent late" : own));
        }

        /** What was not as it should be; empty when nothing was. */
        private static String trouble(Report step, int withinMillis) {
            var sessions = step.sessions();
            if (sessions.failed() + sessions.cut() > 0) {
                return String.format(
                        Locale.ROOT,
                        "%d sessions failed to connect%s, %d cut",
                        sessions.failed(),
                        reasons(sessions.failures()),
                        sessions.cut());
            }
            if (sessions.connected() < step.setup().sessions()) {
                return String.format(
                        Locale.ROOT,
                        "%d of %d sessions connected",
                        sessions.connected(),
                        step.setup().sessions());
            }
            var frames = step.frames();
            if (!step.clean()) {
                return String.format(
                        Locale.ROOT,
                        "frames: %d lost, %d not sent, %d doubled, %d reordered, %d corrupt",
                        frames.lost(),
                        frames.notSent(),
                        frames.doubled(),
                        frames.reordered(),
                        frames.corrupt());
            }
            var roundTrip = step.latencies().get("round_trip");
            if (roundTrip == null) return "nothing was heard";
            return roundTrip.p99() <= withinMillis
                    ? ""
                    : String.format(Locale.ROOT, "P99 %.1f ms is over %d", roundTrip.p99(), withinMillis);
        }

        /** The commonest, with its number where there are others; empty when there is none. */
        private static String reasons(Map<String, Long> failures) {
            return failures.entrySet().stream()
                    .max(Map.Entry.comparingByValue())
                    .map(most -> failures.size() == 1
                            ? " (" + most.getKey() + ")"
                            : " (" + most.getValue() + " of them: " + most.getKey() + ")")
                    .orElse("");
        }

        /** What this program was short of, to be put behind other words; empty when of nothing. */
        private static String own(Report.Generator generator) {
            var words = new StringBuilder();
            if (generator.isLate()) {
                words.append(String.format(Locale.ROOT, ", %.1f %% sent over 5 ms late", generator.latePercent()));
            }
            if (generator.isFull()) {
                words.append(
                        String.format(Locale.ROOT, ", generator's loop %.0f %% busy", generator.busiestLoopPercent()));
            }
            return words.toString();
        }
    }

    private final Options options;
    private final Climb climb;
    private final PrintStream table;
    private final Crowd crowd;

    /**
     * @param table where each step is told as soon as it is over
     * @param progress how it goes meanwhile
     */
    Ramp(Options options, Climb climb, PrintStream table, PrintStream progress) {
        this.options = options;
        this.climb = climb;
        this.table = table;
        this.crowd = new Crowd(options, progress);
    }

    /** Ends the ramp early; the step that goes on does not count. Any thread may call it, any number of times. */
    void stop() {
        crowd.stop();
    }

    /** To be called once. */
    RampReport report() throws InterruptedException {
        var steps = new ArrayList<RampReport.Step>();
        table.print(RampTable.head(options));
        table.flush();
        try (crowd) {
            var before = crowd.mark();
            int there = 0;
            for (int sessions : climb.steps()) {
                crowd.join(sessions - there);
                var window = crowd.talk(there == 0 ? options.warmup() : SECONDS_TO_SETTLE, options.seconds());
                var report = Report.of(options, sessions, crowd.connected(), crowd.take(), before, window);
                var verdict = crowd.isStopped()
                        ? new Verdict(Limit.INTERRUPTED, "interrupted")
                        : Verdict.of(report, climb.withinMillis());
                var step = new RampReport.Step(verdict, report);
                steps.add(step);
                table.print(RampTable.line(step));
                table.flush();
                there = sessions;
                if (verdict.limit() != Limit.NONE) break;
            }
            crowd.leave();
        }
        return RampReport.of(climb, List.copyOf(steps));
    }
}
