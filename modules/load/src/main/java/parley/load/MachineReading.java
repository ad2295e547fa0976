package parley.load;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Optional;

/**
 * What the kernel says of the whole machine at one moment.
 *
 * @param busy time of all processors since the machine began, in any unit
 * @param all the same with the time they had nothing to do
 * @param load processes that want a processor, a mean of the last minute
 */
record MachineReading(int processors, long busy, long all, double load) {
    private static final int IDLE = 3;
    private static final int WAITING_FOR_DISK = 4;
    /** The fields behind these are parts of the ones before. */
    private static final int FIELDS = 8;

    /** Empty where there is no {@code /proc}. */
    static Optional<MachineReading> now() {
        try {
            return Optional.of(
                    parse(Files.readString(Path.of("/proc/stat")), Files.readString(Path.of("/proc/loadavg"))));
        } catch (IOException elsewhere) {
            return Optional.empty();
        }
    }

    static MachineReading parse(String stat, String loadavg) {
        var total = stat.lines().findFirst().orElseThrow().split(" +");
        var ticks = Arrays.stream(total)
                .skip(1)
                .limit(FIELDS)
                .mapToLong(Long::parseLong)
                .toArray();
        long all = Arrays.stream(ticks).sum();
        int processors =
                (int) stat.lines().filter(line -> line.matches("cpu[0-9].*")).count();
        return new MachineReading(
                processors,
                all - ticks[IDLE] - ticks[WAITING_FOR_DISK],
                all,
                Double.parseDouble(loadavg.substring(0, loadavg.indexOf(' '))));
    }
}
