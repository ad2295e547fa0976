package parley.gateway;

import java.time.Clock;
import java.time.Instant;
import java.util.EnumMap;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import parley.admission.Arm;
import parley.meter.Counter;
import parley.meter.Histogram;
import parley.meter.Meters;
import parley.meter.Unit;
import parley.session.Face;
import parley.wire.WebSocket;
import parley.wire.WebSocketClose;

/**
 * Who asked to talk and what became of it, and the sockets that are open. {@code docs/telemetry.md} says what each name
 * means. Thread-safe.
 */
final class FaceMetrics {
    /** The last thing that went wrong with a WebSocket: a code of ours, never a peer's words. */
    record Trouble(Instant at, String what) {}

    /** Codes a refusal may have: what is not among them is counted as {@code other}. */
    static final Set<String> REASONS = Set.of(
            "voice_disabled",
            "voice_suspended",
            "not_in_rollout",
            "capacity",
            "too_many_connections",
            "tenant_full",
            "budget_used_up",
            "quota_exceeded",
            "quota_unavailable",
            "unauthenticated",
            "identity_unavailable",
            "origin_not_allowed",
            "bad_request",
            "upgrade_required",
            "call_id_not_found",
            "internal_error",
            "draining",
            "rate_limited",
            "session_unavailable",
            "unknown_session",
            "session_over",
            "resume_refused",
            Meters.OTHER);

    private static final Set<Integer> CODES = Set.of(
            1000, 1001, 1002, 1003, 1005, 1006, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 4000, 4001, 4400, 4401, 4403,
            4404, 4429, 4500, 4501, 4503);
    /** Of these, what somebody should look into. */
    private static final Set<Integer> TROUBLE = Set.of(1002, 1003, 1006, 1007, 1009, 1011);

    private static final double[] PONG = {.005, .01, .025, .05, .1, .2, .5, 1, 2.5, 5};

    private final Meters meters;
    private final Clock clock;
    private final Map<Face, AtomicInteger> open = new EnumMap<>(Face.class);
    private final Histogram pong;
    private volatile @Nullable Trouble last;

    FaceMetrics(Meters meters, Clock clock) {
        this.meters = meters;
        this.clock = clock;
        this.pong = meters.histogram(
                "voice_websocket_ping_pong_seconds", "Callers' answers to our pings.", Unit.SECONDS, PONG);
        for (var face : Face.values()) {
            var count = new AtomicInteger();
            open.put(face, count);
            meters.gauge("voice_connections", "Callers' connections that are open.", count::get, "face", lower(face));
        }
        REASONS.forEach(this::refused);
        for (var arm : Arm.values()) {
            attempts(lower(arm), "admitted", "none");
        }
        for (var code : new int[] {WebSocketClose.NORMAL, WebSocketClose.LOST, WebSocketClose.RESTART}) {
            closes(code, true);
            closes(code, false);
        }
    }

    void admitted(Arm arm) {
        attempts(lower(arm), "admitted", "none").increment();
    }

    void refused(Problem problem) {
        last = new Trouble(clock.instant(), problem.code());
        refused(REASONS.contains(problem.code()) ? problem.code() : Meters.OTHER)
                .increment();
    }

    private Counter refused(String reason) {
        return attempts(reason.equals("not_in_rollout") ? lower(Arm.CONTROL) : "none", "refused", reason);
    }

    private Counter attempts(String arm, String result, String reason) {
        return meters.counter(
                "voice_session_attempts_total",
                "Callers who asked to begin or to come back.",
                "arm",
                arm,
                "result",
                result,
                "reason",
                reason);
    }

    /** A caller's socket is open, until it is closed. */
    void opened(Face face, WebSocket socket) {
        var count = open.get(face);
        count.incrementAndGet();
        socket.onPong(pong::record);
        socket.closed().thenAccept(close -> {
            count.decrementAndGet();
            closes(close.code(), close.byPeer()).increment();
            if (TROUBLE.contains(close.code())) {
                last = new Trouble(clock.instant(), "closed_" + close.code());
            }
        });
    }

    private Counter closes(int code, boolean byPeer) {
        return meters.counter(
                "voice_websocket_closes_total",
                "Callers' sockets that ended.",
                "code",
                CODES.contains(code) ? Integer.toString(code) : Meters.OTHER,
                "initiator",
                byPeer ? "peer" : "node");
    }

    /** Callers' sockets that are open now. */
    int clients() {
        return open.values().stream().mapToInt(AtomicInteger::get).sum();
    }

    /** Null: nothing ever went wrong. */
    @Nullable
    Trouble lastTrouble() {
        return last;
    }

    private static String lower(Enum<?> value) {
        return value.name().toLowerCase(Locale.ROOT);
    }
}
