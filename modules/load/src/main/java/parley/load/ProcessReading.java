package parley.load;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/**
 * What the kernel says of a process at one moment.
 *
 * @param cpuMicros user and system time of all its threads since it began
 * @param residentKiB memory in RAM
 */
record ProcessReading(long pid, long cpuMicros, long residentKiB) {
    /** The unit of times in {@code /proc}: 1/100 s on every Linux a JVM runs on. */
    private static final long MICROS_PER_TICK = 10_000;

    /** Empty when there is no such process, or no {@code /proc}. */
    static Optional<ProcessReading> of(long pid) {
        try {
            var process = Path.of("/proc", Long.toString(pid));
            return Optional.of(
                    parse(pid, Files.readString(process.resolve("stat")), Files.readString(process.resolve("status"))));
        } catch (IOException gone) {
            return Optional.empty();
        }
    }

    static ProcessReading parse(long pid, String stat, String status) {
        // The second field is the program's name, which may itself hold spaces and parentheses.
        var fields = stat.substring(stat.lastIndexOf(')') + 2).split(" ");
        long ticks = Long.parseLong(fields[11]) + Long.parseLong(fields[12]);
        long resident = status.lines()
                .filter(line -> line.startsWith("VmRSS:"))
                .mapToLong(line -> Long.parseLong(line.replaceAll("[^0-9]", "")))
                .findFirst()
                .orElse(0);
        return new ProcessReading(pid, ticks * MICROS_PER_TICK, resident);
    }
}
