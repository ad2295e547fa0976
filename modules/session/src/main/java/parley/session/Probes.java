package parley.session;

import io.netty.channel.EventLoop;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import parley.admission.Arm;
import parley.admission.Signal;

/**
 * The synthetic sessions of a node: one after the other, by each way there is, so that somebody knows whether a caller
 * would be answered when there is no caller.
 *
 * <p>The one by the control's providers, or by the only ones, is told to the guardrails as a probe. What they cost is
 * bounded per day of UTC.
 */
final class Probes {
    private static final Logger LOG = LoggerFactory.getLogger(Probes.class);

    private final EventLoop loop;
    private final Room room;
    private final ProbeSettings settings;
    private final List<Arm> ways;
    private final Map<Arm, Probed> last = new ConcurrentHashMap<>();
    private LocalDate day;
    private long spentMicros;
    private int next;
    private @Nullable ProbeCall call;
    private volatile boolean closed;

    private Probes(EventLoop loop, Room room, ProbeSettings settings) {
        this.loop = loop;
        this.room = room;
        this.settings = settings;
        this.ways = room.providers().isAlike() ? List.of(Arm.CONTROL) : List.of(Arm.values());
        this.day = today();
    }

    /** Begins after the first interval; does nothing where they are off. */
    static Probes start(Room room, ProbeSettings settings) {
        var probes = new Probes(room.loops().next(), room, settings);
        if (settings.isOn()) {
            probes.later();
        }
        return probes;
    }

    /** The last by each way, if there was one. */
    List<Probed> last() {
        return Arrays.stream(Arm.values())
                .map(last::get)
                .filter(Objects::nonNull)
                .toList();
    }

    EventLoop loop() {
        return loop;
    }

    /** No more of them. Safe to repeat. */
    void close() {
        closed = true;
        loop.execute(() -> {
            if (call != null) {
                call.cancel();
            }
        });
    }

    private void later() {
        loop.schedule(this::probe, settings.every().toMillis() / ways.size(), TimeUnit.MILLISECONDS);
    }

    /** One, now. On the loop. */
    void probe() {
        if (closed) {
            return;
        }
        if (!day.equals(today())) {
            day = today();
            spentMicros = 0;
        }
        if (spentMicros >= settings.dayMicros()) {
            later();
            return;
        }
        call = new ProbeCall(loop, room, ways.get(next++ % ways.size()), settings, this::told);
        call.start();
    }

    private void told(Probed probed) {
        call = null;
        spentMicros += probed.costMicros();
        room.metrics().probes.increment();
        if (probed.provider() != null && probed.firstAudio() != null) {
            room.metrics().probe(probed.provider()).record(probed.firstAudio().toNanos());
        }
        if (!probed.success()) {
            room.metrics().probesFailed.increment();
        }
        var before = last.put(probed.arm(), probed);
        if (!probed.success() && (before == null || before.success())) {
            LOG.warn("a synthetic session by {} failed: {}", probed.provider(), probed.why());
        } else if (probed.success() && before != null && !before.success()) {
            LOG.info("synthetic sessions by {} are answered again", probed.provider());
        }
        if (spentMicros >= settings.dayMicros()) {
            LOG.warn("synthetic sessions have cost {} US dollars: no more of them today", spentMicros / 1e6);
        }
        if (probed.arm() == Arm.CONTROL) {
            report(probed);
        }
        later();
    }

    private void report(Probed probed) {
        var outcomes = room.outcomes();
        outcomes.probe(Signal.CREATION, probed.created() ? 0 : 1);
        if (!probed.created()) {
            return;
        }
        var firstAudio = probed.firstAudio();
        outcomes.probe(Signal.CONNECTION, firstAudio == null ? 1 : 0);
        outcomes.probe(Signal.ERROR, probed.success() ? 0 : 1);
        if (firstAudio != null) {
            outcomes.probe(
                    Signal.FIRST_AUDIO,
                    firstAudio.toNanos() > outcomes.threshold(Signal.FIRST_AUDIO) * TimeUnit.SECONDS.toNanos(1)
                            ? 1
                            : 0);
        }
    }

    private LocalDate today() {
        return room.clock().instant().atOffset(ZoneOffset.UTC).toLocalDate();
    }
}
