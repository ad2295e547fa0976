package parley.load;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.HdrHistogram.Histogram;
import org.jspecify.annotations.Nullable;

/**
 * Everything a run found out, as plain figures: the table and the JSON show the same. Counts are of the whole run, warm-
 * up included; latencies, rates and costs are of the measured window.
 */
record Report(
        Setup setup,
        Sessions sessions,
        Map<String, Latency> latencies,
        Frames frames,
        Turns turns,
        Map<String, Long> closes,
        Map<String, Long> errors,
        Generator generator,
        @Nullable Machine machine,
        List<Cost> processes,
        boolean clean) {

    /** A run of less than this share of its seconds was cut short. */
    static final double LEAST_SHARE_RUN = 0.9;

    private static final ObjectMapper JSON = JsonMapper.builder()
            .propertyNamingStrategy(PropertyNamingStrategies.SNAKE_CASE)
            .enable(SerializationFeature.INDENT_OUTPUT, SerializationFeature.WRITE_ENUMS_USING_TO_STRING)
            .build();

    record Setup(
            String url, String mode, int sessions, int frameMs, int warmupS, int secondsAsked, double secondsRun) {}

    record Sessions(long connected, long failed, long cut, Map<String, Long> failures) {}

    /** In milliseconds. */
    record Latency(long count, double p50, double p90, double p99, double p999, double max) {
        static Latency of(Histogram micros) {
            return new Latency(
                    micros.getTotalCount(),
                    micros.getValueAtPercentile(50) / 1000.0,
                    micros.getValueAtPercentile(90) / 1000.0,
                    micros.getValueAtPercentile(99) / 1000.0,
                    micros.getValueAtPercentile(99.9) / 1000.0,
                    micros.getMaxValue() / 1000.0);
        }
    }

    /**
     * @param notSent given up because the far side had stopped reading
     * @param compared frames whose every character was compared
     */
    record Frames(
            long sent,
            long heard,
            long lost,
            long doubled,
            long reordered,
            long corrupt,
            long notSent,
            long compared,
            double sentPerSecond,
            double heardPerSecond) {}

    record Turns(
            long completed,
            long failed,
            long unfinished,
            long bargeIns,
            Map<String, Long> failures,
            Map<String, Long> disorder) {}

    /**
     * How near this program was to measuring itself.
     *
     * @param latePercent frames sent more than 5 ms after they were due, or never for want of time
     * @param cpuPercent of one processor, whatever the program did
     * @param busiestLoopPercent of one processor, by the event loop that had most to do; at 100 it is at its end
     * @param threads how many event loops there were
     */
    record Generator(
            double latePercent, double cpuPercent, double cpuMicrosPerFrame, double busiestLoopPercent, int threads) {
        private static final double MOST_LATE_PERCENT = 2;
        private static final double MOST_BUSY_PERCENT = 90;

        boolean isLate() {
            return latePercent > MOST_LATE_PERCENT;
        }

        boolean isFull() {
            return busiestLoopPercent > MOST_BUSY_PERCENT;
        }

        /** What would help it, where it was the limit. */
        String advice(int processors) {
            if (!isFull()) return "use a quieter machine";
            return threads < processors
                    ? "give it more --threads (%d now, for %d processors)".formatted(threads, processors)
                    : "use a machine with more processors: there are %d --threads for %d already"
                            .formatted(threads, processors);
        }
    }

    /**
     * @param busyPercent of all processors together, by whomever
     * @param load processes that wanted a processor, a mean of the last minute
     */
    record Machine(int processors, double busyPercent, double load) {
        private static final double FULL_PERCENT = 97;

        boolean isFull() {
            return busyPercent > FULL_PERCENT;
        }
    }

    /**
     * @param name the process id, or "all"
     * @param cpuMicrosPerFrame each frame in each direction counts as one
     */
    record Cost(
            String name,
            double cpuPercent,
            double cpuMicrosPerFrame,
            double residentMibBefore,
            double residentMibAfter,
            double kibPerSession) {}

    /**
     * @param asked sessions there were to be
     * @param connected sessions there were
     * @param tally what they saw in what is reported
     * @param before when nobody was connected yet
     */
    static Report of(Options options, int asked, long connected, Tally tally, Mark before, Mark.Window window) {
        var from = window.from();
        var to = window.to();
        double seconds = window.seconds();
        long failed = total(tally.connectFailures);
        var found = new Frames(
                tally.sent.sum(),
                tally.heard.sum(),
                tally.lost,
                tally.doubled,
                tally.reordered,
                tally.corrupt,
                tally.unsent,
                tally.compared,
                per(to.sent() - from.sent(), seconds),
                per(to.heard() - from.heard(), seconds));
        var turns = new Turns(
                tally.turnsCompleted,
                total(tally.turnFailures),
                tally.turnsUnfinished,
                tally.bargeIns,
                tally.turnFailures,
                tally.disorder);
        var costs = costs(options, connected, before, window);
        var own = costs.removeLast();
        long wrong = found.lost() + found.doubled() + found.reordered() + found.corrupt() + found.notSent();
        return new Report(
                new Setup(
                        options.shownUrl(),
                        options.mode().toString(),
                        asked,
                        options.frameMillis(),
                        options.warmup(),
                        options.seconds(),
                        seconds),
                new Sessions(connected, failed, tally.cut.sum(), tally.connectFailures),
                latencies(tally),
                found,
                turns,
                tally.closes,
                tally.errors,
                new Generator(
                        per(100.0 * tally.late, tally.due),
                        own.cpuPercent(),
                        own.cpuMicrosPerFrame(),
                        window.busiestLoopPercent(),
                        options.threads()),
                machine(window),
                List.copyOf(costs),
                wrong + failed + tally.cut.sum() + turns.failed() + total(turns.disorder()) == 0);
    }

    private static Map<String, Latency> latencies(Tally tally) {
        var latencies = new TreeMap<String, Latency>();
        Map.of(
                        "connect", tally.connect,
                        "round_trip", tally.roundTrip,
                        "service", tally.service,
                        "first_audio", tally.firstAudio,
                        "first_audio_after_stop", tally.firstAudioAfterStop)
                .forEach((name, histogram) -> {
                    if (histogram.getTotalCount() > 0) latencies.put(name, Latency.of(histogram));
                });
        return latencies;
    }

    private static @Nullable Machine machine(Mark.Window window) {
        if (window.from().machine().isEmpty() || window.to().machine().isEmpty()) return null;
        var from = window.from().machine().get();
        var to = window.to().machine().get();
        return new Machine(to.processors(), per(100.0 * (to.busy() - from.busy()), to.all() - from.all()), to.load());
    }

    /** One for each process that lived through the run, their sum when there are several, and the generator's. */
    private static ArrayList<Cost> costs(Options options, long sessions, Mark before, Mark.Window window) {
        var costs = new ArrayList<Cost>();
        var from = window.from();
        var to = window.to();
        long frames = window.frames();
        double seconds = window.seconds();
        for (int i = 0; i < to.processes().size(); i++) {
            Optional<ProcessReading> first = before.processes().get(i);
            Optional<ProcessReading> begin = from.processes().get(i);
            Optional<ProcessReading> end = to.processes().get(i);
            if (i == options.pids().size() && costs.size() > 1) costs.add(sum(costs));
            if (first.isEmpty() || begin.isEmpty() || end.isEmpty()) {
                if (i == options.pids().size()) costs.add(new Cost("load", 0, 0, 0, 0, 0));
                continue;
            }
            long micros = end.get().cpuMicros() - begin.get().cpuMicros();
            long grown = end.get().residentKiB() - first.get().residentKiB();
            costs.add(new Cost(
                    i == options.pids().size()
                            ? "load"
                            : Long.toString(options.pids().get(i)),
                    per(micros / 1e4, seconds),
                    per(micros, frames),
                    first.get().residentKiB() / 1024.0,
                    end.get().residentKiB() / 1024.0,
                    per(grown, sessions)));
        }
        return costs;
    }

    private static Cost sum(List<Cost> costs) {
        return costs.stream()
                .reduce((a, b) -> new Cost(
                        "all",
                        a.cpuPercent() + b.cpuPercent(),
                        a.cpuMicrosPerFrame() + b.cpuMicrosPerFrame(),
                        a.residentMibBefore() + b.residentMibBefore(),
                        a.residentMibAfter() + b.residentMibAfter(),
                        a.kibPerSession() + b.kibPerSession()))
                .orElseThrow();
    }

    private static long total(Map<String, Long> counts) {
        return counts.values().stream().mapToLong(Long::longValue).sum();
    }

    private static double per(Number amount, Number divisor) {
        return divisor.doubleValue() > 0 ? amount.doubleValue() / divisor.doubleValue() : 0;
    }

    /** Whether there is anything that was measured. */
    boolean isEmpty() {
        return sessions.connected() == 0;
    }

    /** Why its figures must not be compared with others', although nothing went wrong; empty when they may be. */
    List<String> reservations() {
        var reservations = new ArrayList<String>();
        if (generator.isLate()) reservations.add("the generator was late too often");
        if (setup.secondsRun() < LEAST_SHARE_RUN * setup.secondsAsked()) reservations.add("it was cut short");
        return reservations;
    }

    /** Of the machine this ran on. */
    int processors() {
        return machine == null ? Runtime.getRuntime().availableProcessors() : machine.processors();
    }

    String json() {
        return json(this);
    }

    static String json(Record report) {
        try {
            return JSON.writeValueAsString(report);
        } catch (JsonProcessingException impossible) {
            throw new IllegalStateException(impossible);
        }
    }
}
