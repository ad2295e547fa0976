package parley.load;

import java.io.PrintStream;

/**
 * One run, in order: connect everybody, let them speak through the warm-up and the measured window, wait a little for
 * the last answers, hang up, report. {@link #stop} cuts any of these short; the report is then of what was so far.
 */
final class Run {
    private final Options options;
    private final Crowd crowd;

    Run(Options options, PrintStream progress) {
        this.options = options;
        this.crowd = new Crowd(options, progress);
    }

    /** Ends the run early. Any thread may call it, any number of times. */
    void stop() {
        crowd.stop();
    }

    /** Takes as long as the options say, and a bounded time more; to be called once. */
    Report report() throws InterruptedException {
        try (crowd) {
            var before = crowd.mark();
            crowd.join(options.sessions());
            var window = crowd.talk(options.warmup(), options.seconds());
            crowd.leave();
            return Report.of(options, options.sessions(), crowd.connected(), crowd.take(), before, window);
        }
    }
}
