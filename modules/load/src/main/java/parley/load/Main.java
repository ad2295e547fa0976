package parley.load;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/** The command {@code load}: see {@code --help}. */
public final class Main {
    private static final int CLEAN = 0;
    private static final int NOT_CLEAN = 1;
    private static final int BAD_OPTION = 2;
    private static final int GENERATOR_LIMIT = 3;
    /** Answers, closes and event loops each get two seconds after an interrupt. */
    private static final int SECONDS_TO_REPORT = 8;

    private Main() {}

    public static void main(String[] arguments) throws InterruptedException {
        System.exit(run(List.of(arguments)));
    }

    private static int run(List<String> arguments) throws InterruptedException {
        if (arguments.contains("--help")) {
            System.out.print(Options.HELP);
            return CLEAN;
        }
        try {
            if (arguments.contains("--compare")) return compare(arguments);
            var options = Options.parse(arguments, System.getenv());
            options.pids().forEach(Main::mustRun);
            options.json().ifPresent(Main::mustBeWritable);
            return options.climb().isPresent() ? climb(options, options.climb().get()) : once(options);
        } catch (IllegalArgumentException wrong) {
            System.err.println("load: " + wrong.getMessage());
            return BAD_OPTION;
        }
    }

    private static int compare(List<String> arguments) {
        if (arguments.size() != 3 || !arguments.getFirst().equals("--compare")) {
            throw new IllegalArgumentException(
                    String.join(" ", arguments) + " (expected: --compare A.json[,A2.json…] B.json[,B2.json…])");
        }
        var comparison = Comparison.of(arguments.get(1), arguments.get(2));
        System.out.print(comparison.table());
        return comparison.isSound() ? CLEAN : NOT_CLEAN;
    }

    private static int once(Options options) throws InterruptedException {
        var run = new Run(options, System.err);
        return reporting(run::stop, () -> {
            var report = run.report();
            print(ReportTable.of(report));
            return written(options, report.json()) && report.clean() ? CLEAN : NOT_CLEAN;
        });
    }

    private static int climb(Options options, Climb climb) throws InterruptedException {
        var ramp = new Ramp(options, climb, System.out, System.err);
        return reporting(ramp::stop, () -> {
            var report = ramp.report();
            print(RampTable.conclusion(report));
            if (!written(options, report.json())) return NOT_CLEAN;
            return switch (report.limit()) {
                case GENERATOR -> GENERATOR_LIMIT;
                case INTERRUPTED -> NOT_CLEAN;
                case GATEWAY, NONE -> report.largest() > 0 ? CLEAN : NOT_CLEAN;
            };
        });
    }

    /** What takes long, and gives the exit code. */
    private interface Work {
        int run() throws InterruptedException;
    }

    /** Lets an interrupt cut the work short, but not keep it from reporting. */
    private static int reporting(Runnable stop, Work work) throws InterruptedException {
        var reported = new CountDownLatch(1);
        Runtime.getRuntime().addShutdownHook(new Thread(() -> stop(stop, reported), "interrupt"));
        try {
            return work.run();
        } finally {
            reported.countDown();
        }
    }

    /** Runs at every end; after an interrupt it holds the JVM until the report so far is printed. */
    private static void stop(Runnable stop, CountDownLatch reported) {
        stop.run();
        try {
            if (!reported.await(SECONDS_TO_REPORT, TimeUnit.SECONDS)) System.err.println("load: no report in time");
        } catch (InterruptedException twice) {
            Thread.currentThread().interrupt();
        }
    }

    private static void print(String table) {
        System.out.print(table);
        System.out.flush();
    }

    private static boolean written(Options options, String json) {
        if (options.json().isEmpty()) return true;
        try {
            Files.writeString(options.json().get(), json + "\n");
            return true;
        } catch (IOException broken) {
            System.err.println("load: cannot write " + options.json().get() + ": " + broken.getMessage());
            return false;
        }
    }

    private static void mustRun(long pid) {
        if (ProcessReading.of(pid).isEmpty()) {
            throw new IllegalArgumentException("--pid: " + pid + " (expected: a running process)");
        }
    }

    private static void mustBeWritable(Path file) {
        var directory = file.toAbsolutePath().getParent();
        if (Files.isDirectory(file) || directory == null || !Files.isWritable(directory)) {
            throw new IllegalArgumentException("--json: " + file + " (expected: a file in a directory I may write to)");
        }
    }
}
