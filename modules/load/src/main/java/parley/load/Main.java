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
        Options options;
        try {
            options = Options.parse(arguments, System.getenv());
            options.pids().forEach(Main::mustRun);
            options.json().ifPresent(Main::mustBeWritable);
        } catch (IllegalArgumentException wrong) {
            System.err.println("load: " + wrong.getMessage());
            return BAD_OPTION;
        }
        var run = new Run(options, System.err);
        var reported = new CountDownLatch(1);
        Runtime.getRuntime().addShutdownHook(new Thread(() -> stop(run, reported), "interrupt"));
        try {
            var report = run.report();
            System.out.print(ReportTable.of(report));
            System.out.flush();
            return written(options, report) && report.clean() ? CLEAN : NOT_CLEAN;
        } finally {
            reported.countDown();
        }
    }

    /** Runs at every end; after an interrupt it holds the JVM until the report so far is printed. */
    private static void stop(Run run, CountDownLatch reported) {
        run.stop();
        try {
            if (!reported.await(SECONDS_TO_REPORT, TimeUnit.SECONDS)) System.err.println("load: no report in time");
        } catch (InterruptedException twice) {
            Thread.currentThread().interrupt();
        }
    }

    private static boolean written(Options options, Report report) {
        if (options.json().isEmpty()) return true;
        try {
            Files.writeString(options.json().get(), report.json() + "\n");
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
