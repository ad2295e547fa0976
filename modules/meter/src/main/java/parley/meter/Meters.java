package parley.meter;

import com.typesafe.config.ConfigFactory;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Consumer;
import java.util.function.DoubleSupplier;
import java.util.function.Function;
import java.util.function.LongSupplier;
import java.util.regex.Pattern;
import kamon.metric.Distribution;
import kamon.metric.Instrument;
import kamon.metric.MetricRegistry;
import kamon.tag.TagSet;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.Extension;
import org.apache.pekko.actor.typed.ExtensionId;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import parley.meter.Family.Kind;
import parley.meter.Family.Series;
import scala.Option;

/**
 * What one node counts and measures.
 *
 * <p>An instrument is made once and kept by whoever tells it something; asking for it again gives the same one. Whoever
 * knows the values of a label beforehand asks for all of them at the start, so that each is there, with 0. A name has at
 * most {@link #MOST_SERIES} series: what is more is counted together, as {@link #OTHER}. Thread-safe.
 */
public final class Meters implements Extension {
    /** The label of whatever there is too much of. */
    public static final String OTHER = "other";

    /** Series of one name. */
    public static final int MOST_SERIES = 200;

    private static final Logger LOG = LoggerFactory.getLogger(Meters.class);
    private static final Pattern NAME = Pattern.compile("[a-z][a-z0-9_]*[a-z0-9]");
    private static final Id ID = new Id();

    private final MetricRegistry registry =
            new MetricRegistry(ConfigFactory.defaultReference(kamon.metric.Metric.class.getClassLoader()), clock());
    private final Map<String, Pushed<Counter>> counters = new ConcurrentHashMap<>();
    private final Map<String, Pushed<Histogram>> histograms = new ConcurrentHashMap<>();
    private final Map<String, Polled> polled = new ConcurrentHashMap<>();
    /** What each name is: nothing else may have it. */
    private final Map<String, String> forms = new ConcurrentHashMap<>();

    private volatile long lastReadNanos;

    /** Those of the node whose actor system this is. */
    public static Meters of(ActorSystem<?> system) {
        return system.registerExtension(ID);
    }

    /** Of a node without an actor system: a test's. */
    public Meters() {
        gauge("voice_scrape_seconds", "What the scrape before this one cost.", () -> lastReadNanos / 1e9);
    }

    private static kamon.util.Clock clock() {
        return new kamon.util.Clock.Anchored();
    }

    // ---- pushed

    /**
     * @param name ends in {@code _total}
     * @param labels name, value, name, value …
     */
    public Counter counter(String name, String says, String... labels) {
        return counter(name, says, Unit.NONE, labels);
    }

    /** The same, of something measured. */
    public Counter counter(String name, String says, Unit unit, String... labels) {
        var series = Labels.of(labels);
        return counters.computeIfAbsent(
                        checked(name, Kind.COUNTER, true),
                        absent -> new Pushed<>(says, unit, new double[0], tags -> {
                            var made = registry.counter(name, Option.apply(says), Option.apply(unit.kamon()), none())
                                    .withTags(tags);
                            return new Made<>(new Counter(made), snapshotting(made));
                        }))
                .of(series);
    }

    /** @param bounds rising; what is above the last one counts, too */
    public Histogram histogram(String name, String says, Unit unit, double[] bounds, String... labels) {
        var series = Labels.of(labels);
        return histograms
                .computeIfAbsent(
                        checked(name, Kind.HISTOGRAM, true),
                        absent -> new Pushed<>(says, unit, rising(name, bounds), tags -> {
                            var made = registry.histogram(
                                            name,
                                            Option.apply(says),
                                            Option.apply(unit.kamon()),
                                            Option.apply(unit.range()),
                                            none())
                                    .withTags(tags);
                            return new Made<>(new Histogram(made, unit), snapshotting(made));
                        }))
                .of(series);
    }

    // ---- polled

    /** A number that only rises, kept elsewhere. */
    public void counted(String name, String says, LongSupplier source, String... labels) {
        summed(name, says, source::getAsLong, labels);
    }

    /** The same of a number with a fraction. */
    public void summed(String name, String says, DoubleSupplier source, String... labels) {
        var series = Labels.of(labels);
        polled(name, Kind.COUNTER, says).single.put(series, source);
    }

    /**
     * A number that rises and falls, kept elsewhere.
     *
     * @param source NaN leaves the series out
     */
    public void gauge(String name, String says, DoubleSupplier source, String... labels) {
        var series = Labels.of(labels);
        polled(name, Kind.GAUGE, says).single.put(series, source);
    }

    /** Series that are known only when they are read. */
    public void gauges(String name, String says, Consumer<Readings> source) {
        polled(name, Kind.GAUGE, says).sources.add(source);
    }

    /** The same of numbers that only rise. */
    public void allCounted(String name, String says, Consumer<Readings> source) {
        polled(name, Kind.COUNTER, says).sources.add(source);
    }

    /** Takes what a source says. */
    public static final class Readings {
        private final List<Series> series = new ArrayList<>();

        private Readings() {}

        /** @param labels name, value, name, value … */
        public Readings add(double value, String... labels) {
            return add(Labels.of(labels), value);
        }

        private Readings add(Labels labels, double value) {
            if (!Double.isNaN(value) && series.size() < MOST_SERIES) {
                series.add(new Series.Single(labels, value));
            }
            return this;
        }
    }

    // ---- read

    /** In the text format of Prometheus 0.0.4. */
    public String prometheus() {
        return Exposition.prometheus(read());
    }

    /** In OpenMetrics 1.0. */
    public String openMetrics() {
        return Exposition.openMetrics(read());
    }

    /** As JSON: {@code {"metrics":{name:{"type":…,"help":…,"series":[{"labels":{},"value":…}]}}}}. */
    public String json() {
        return Exposition.json(read());
    }

    /** Everything as it is now, by name. One at a time: whoever asks too often waits. */
    private synchronized List<Family> read() {
        long began = System.nanoTime();
        var families = new TreeMap<String, Family>();
        counters.forEach((name, pushed) ->
                families.put(name, new Family(name, Kind.COUNTER, pushed.says, pushed.read(Meters::number))));
        histograms.forEach((name, pushed) ->
                families.put(name, new Family(name, Kind.HISTOGRAM, pushed.says, pushed.read(Meters::distribution))));
        polled.forEach((name, source) -> {
            var series = source.read(name);
            if (!series.isEmpty()) {
                families.put(name, new Family(name, source.kind, source.says, series));
            }
        });
        lastReadNanos = System.nanoTime() - began;
        return List.copyOf(families.values());
    }

    private static Series number(Labels labels, Pushed<?> of, Object snapshot) {
        return new Series.Single(labels, of.unit.read(((Long) snapshot).doubleValue()));
    }

    private static Series distribution(Labels labels, Pushed<?> of, Object snapshot) {
        var told = (Distribution) snapshot;
        var upTo = new TreeMap<Double, Long>();
        for (double bound : of.bounds) {
            upTo.put(bound, 0L);
        }
        upTo.put(Double.POSITIVE_INFINITY, 0L);
        for (var buckets = told.bucketsIterator(); buckets.hasNext(); ) {
            var bucket = buckets.next();
            upTo.merge(upTo.ceilingKey(of.unit.read((double) bucket.value())), bucket.frequency(), Long::sum);
        }
        long count = 0;
        for (var bound : upTo.entrySet()) {
            count += bound.getValue();
            bound.setValue(count);
        }
        return new Series.Distribution(labels, upTo, count, of.unit.read((double) told.sum()));
    }

    // ---- inside

    private record Made<T>(T instrument, Instrument.Snapshotting<?> snapshotting) {}

    private interface Reader {
        Series read(Labels labels, Pushed<?> of, Object snapshot);
    }

    /** One name's instruments. */
    private static final class Pushed<T> {
        final String says;
        final Unit unit;
        final double[] bounds;
        private final Function<TagSet, Made<T>> maker;
        private final Map<Labels, Made<T>> made = new LinkedHashMap<>();

        Pushed(String says, Unit unit, double[] bounds, Function<TagSet, Made<T>> maker) {
            this.says = says;
            this.unit = unit;
            this.bounds = bounds;
            this.maker = maker;
        }

        synchronized T of(Labels labels) {
            var known = made.get(labels);
            if (known == null) {
                var series = made.size() < MOST_SERIES - 1 ? labels : labels.other();
                known = made.computeIfAbsent(series, absent -> maker.apply(tags(absent)));
            }
            return known.instrument();
        }

        synchronized List<Series> read(Reader reader) {
            var series = new ArrayList<Series>(made.size());
            made.forEach((labels, one) ->
                    series.add(reader.read(labels, this, one.snapshotting().snapshot(false))));
            return series;
        }

        private static TagSet tags(Labels labels) {
            var tags = TagSet.Empty();
            for (int at = 0; at < labels.names().size(); at++) {
                tags = tags.withTag(labels.names().get(at), labels.values().get(at));
            }
            return tags;
        }
    }

    private static final class Polled {
        final Kind kind;
        final String says;
        /** Whoever comes later speaks for the series. */
        final Map<Labels, DoubleSupplier> single = Collections.synchronizedMap(new LinkedHashMap<>());

        final List<Consumer<Readings>> sources = new CopyOnWriteArrayList<>();
        private volatile boolean complained;

        Polled(Kind kind, String says) {
            this.kind = kind;
            this.says = says;
        }

        /** Who cannot say is left out, and everybody else is heard. */
        List<Series> read(String name) {
            var readings = new Readings();
            synchronized (single) {
                single.forEach((labels, source) -> read(name, () -> readings.add(labels, source.getAsDouble())));
            }
            sources.forEach(source -> read(name, () -> source.accept(readings)));
            return readings.series;
        }

        private void read(String name, Runnable source) {
            try {
                source.run();
            } catch (RuntimeException failed) {
                if (!complained) {
                    complained = true;
                    LOG.warn("metric {} cannot be read, and is left out", name, failed);
                }
            }
        }
    }

    private Polled polled(String name, Kind kind, String says) {
        return polled.computeIfAbsent(checked(name, kind, false), absent -> new Polled(kind, says));
    }

    private String checked(String name, Kind kind, boolean pushed) {
        if (!NAME.matcher(name).matches() || name.endsWith("_total") != (kind == Kind.COUNTER)) {
            throw new IllegalArgumentException("metric: " + name
                    + " (expected: a-z, 0-9 and _; _total at the end of a counter's name, and only there)");
        }
        var form = (pushed ? "pushed " : "polled ") + kind.word();
        var before = forms.putIfAbsent(name, form);
        if (before != null && !before.equals(form)) {
            throw new IllegalArgumentException("metric: " + name + " is a " + before + " (expected: no " + form + ")");
        }
        return name;
    }

    private static double[] rising(String name, double[] bounds) {
        for (int at = 1; at < bounds.length; at++) {
            if (bounds[at - 1] >= bounds[at]) {
                throw new IllegalArgumentException(
                        name + ": boundaries " + Arrays.toString(bounds) + " (expected: rising)");
            }
        }
        return bounds.clone();
    }

    private static Option<java.time.Duration> none() {
        return Option.empty();
    }

    private static Instrument.Snapshotting<?> snapshotting(Object instrument) {
        return (Instrument.Snapshotting<?>) instrument;
    }

    private static final class Id extends ExtensionId<Meters> {
        @Override
        public Meters createExtension(ActorSystem<?> system) {
            return new Meters();
        }
    }
}
