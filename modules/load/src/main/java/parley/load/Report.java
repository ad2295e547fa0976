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
        List<Cost> processes,
        boolean clean) {

    private static final ObjectMapper JSON = JsonMapper.builder()
            .propertyNamingStrategy(PropertyNamingStrategies.SNAKE_CASE)
            .enable(SerializationFeature.INDENT_OUTPUT)
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

    /** @param latePercent frames sent more than 5 ms after they were due, or never for want of time */
    record Generator(double latePercent, double cpuPercent, double cpuMicrosPerFrame) {}

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

    static Report of(Options options, Tally tally, Run.Mark before, Run.Mark from, Run.Mark to) {
        double seconds = (to.nanos() - from.nanos()) / 1e9;
        long frames = to.sent() - from.sent() + to.heard() - from.heard();
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
        var costs = costs(options, tally.connected.sum(), frames, before, from, to);
        var own = costs.removeLast();
        long wrong = found.lost() + found.doubled() + found.reordered() + found.corrupt() + found.notSent();
        return new Report(
                new Setup(
                        options.url().toString(),
                        options.mode().toString(),
                        options.sessions(),
                        options.frameMillis(),
                        options.warmup(),
                        options.seconds(),
                        seconds),
                new Sessions(tally.connected.sum(), failed, tally.cut.sum(), tally.connectFailures),
                latencies(tally),
                found,
                turns,
                tally.closes,
                tally.errors,
                new Generator(per(100.0 * tally.late, tally.due), own.cpuPercent(), own.cpuMicrosPerFrame()),
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

    /** One for each process that lived through the run, their sum when there are several, and the generator's. */
    private static ArrayList<Cost> costs(
            Options options, long sessions, long frames, Run.Mark before, Run.Mark from, Run.Mark to) {
        var costs = new ArrayList<Cost>();
        double seconds = (to.nanos() - from.nanos()) / 1e9;
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

    String json() {
        try {
            return JSON.writeValueAsString(this);
        } catch (JsonProcessingException impossible) {
            throw new IllegalStateException(impossible);
        }
    }
}
