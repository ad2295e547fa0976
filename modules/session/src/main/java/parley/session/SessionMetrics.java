package parley.session;

import io.opentelemetry.api.trace.Tracer;
import io.opentelemetry.api.trace.TracerProvider;
import java.time.Duration;
import java.util.Locale;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.LongAdder;
import parley.admission.Arm;
import parley.admission.CallerId;
import parley.admission.Outcomes;
import parley.admission.Signal;
import parley.meter.Counter;
import parley.meter.Histogram;
import parley.meter.Meters;
import parley.meter.Unit;
import parley.protocol.Response;

/**
 * What the live halves of this node's sessions count. What happens for each frame is a plain number here, read when
 * somebody asks; the rest goes to instruments. {@code docs/telemetry.md} says what each name means.
 */
public final class SessionMetrics {
    private static final double[] FIRST_AUDIO = {.05, .1, .15, .2, .3, .4, .6, .8, 1, 1.5, 2, 3, 5, 10};
    private static final double[] LATENCY = {.05, .1, .15, .3, .5, 1, 2};
    private static final double[] BARGE_IN = {.005, .01, .02, .05, .1, .2, .5};
    private static final double[] TOOL = {.01, .05, .1, .25, .5, 1, 2.5, 5, 10, 30};
    private static final double[] PAUSE = {.05, .1, .25, .5, 1, 1.5, 2, 3, 5, 10, 30};
    private static final double[] DIAL = {.025, .05, .1, .2, .3, .4, .6, .8, 1, 2, 3, 5, 10};
    private static final double[] WRITE = {.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60};
    private static final double[] LENGTH = {5, 15, 30, 60, 120, 300, 600, 900, 1200, 1800, 3600};
    private static final double[] COST = {.05, .1, .25, .5, 1, 2, 3, 4, 5, 6, 8, 10, 15, 20};
    private static final double[] PROBE = {.25, .5, 1, 2, 3, 5, 10, 30};
    private static final int TENANTS = 20;
    private static final String FAILED = "failed";

    final AtomicInteger live = new AtomicInteger();
    final LongAdder framesIn = new LongAdder();
    final LongAdder framesOut = new LongAdder();
    final LongAdder bargeIns = new LongAdder();
    final LongAdder staleAudioMs = new LongAdder();
    final LongAdder microphoneDroppedMs = new LongAdder();
    final LongAdder framesToNobody = new LongAdder();
    final LongAdder swallowedErrors = new LongAdder();
    final LongAdder malformedFrames = new LongAdder();
    final LongAdder framesOverRate = new LongAdder();
    final LongAdder dialsRefused = new LongAdder();
    final LongAdder upstreamsLost = new LongAdder();
    final LongAdder upstreamsMute = new LongAdder();
    final LongAdder redialled = new LongAdder();
    final LongAdder rollovers = new LongAdder();
    final LongAdder fenced = new LongAdder();
    final LongAdder handedOver = new LongAdder();
    final LongAdder takenOver = new LongAdder();
    final LongAdder resumesRecovered = new LongAdder();
    final LongAdder resumesNotRecovered = new LongAdder();
    final LongAdder journalFailures = new LongAdder();
    final LongAdder relinked = new LongAdder();
    final LongAdder relinksFailed = new LongAdder();
    final LongAdder relinkDroppedMs = new LongAdder();
    final LongAdder replayedEvents = new LongAdder();
    final LongAdder replayMisses = new LongAdder();
    final LongAdder replayForgottenMs = new LongAdder();
    final LongAdder costAlerts = new LongAdder();
    final LongAdder costCaps = new LongAdder();
    final LongAdder budgetStops = new LongAdder();
    /** Of the resumes not recovered, those whose session another host had. */
    final LongAdder resumesElsewhere = new LongAdder();

    final LongAdder resumesForbidden = new LongAdder();
    final LongAdder resumesGone = new LongAdder();
    final Histogram journalWrite;
    final Histogram handOverPause;
    private final Tracer tracer;
    private final Meters meters;
    private final int mostTenants;
    private final Set<String> tenants = ConcurrentHashMap.newKeySet();

    /** Of a test: nobody reads it but by its methods. */
    SessionMetrics() {
        this(new Meters(), TENANTS, TracerProvider.noop().get(""));
    }

    /**
     * @param mostTenants that have a label of their own
     * @param tracer where sessions' spans go
     */
    SessionMetrics(Meters meters, int mostTenants, Tracer tracer) {
        this.tracer = tracer;
        this.meters = meters;
        this.mostTenants = mostTenants;
        this.journalWrite = meters.histogram(
                "voice_journal_write_seconds", "Until the journal had a batch of facts.", Unit.SECONDS, WRITE);
        this.handOverPause = meters.histogram(
                "voice_session_handover_seconds",
                "How long a caller's open connection had no session behind it.",
                Unit.SECONDS,
                PAUSE);
        count();
        expect();
    }

    private void count() {
        meters.gauge("voice_sessions_active", "Conversations that live on this node.", live::get);
        counted("voice_frames_total", "Frames relayed.", framesIn, "direction", "in");
        counted("voice_frames_total", "Frames relayed.", framesOut, "direction", "out");
        var dropped = "voice_frames_dropped_total";
        counted(dropped, "Frames dropped.", framesOverRate, "direction", "in", "cause", "rate");
        counted(dropped, "Frames dropped.", malformedFrames, "direction", "in", "cause", "malformed");
        counted(dropped, "Frames dropped.", framesToNobody, "direction", "out", "cause", "nobody");
        droppedAudio(microphoneDroppedMs, "in", "provider_slow");
        droppedAudio(relinkDroppedMs, "in", "relink");
        droppedAudio(staleAudioMs, "out", "barge_in");
        droppedAudio(replayForgottenMs, "out", "unacknowledged");
        counted("voice_barge_ins_total", "Callers who spoke over the agent.", bargeIns);
        var resumes = "voice_resumes_total";
        counted(resumes, "Callers who came back.", resumesRecovered, "outcome", "recovered");
        meters.counted(
                resumes,
                "Callers who came back.",
                () -> Math.max(0, resumesNotRecovered.sum() - resumesElsewhere.sum()),
                "outcome",
                "expired");
        counted(resumes, "Callers who came back.", resumesElsewhere, "outcome", "epoch");
        counted(resumes, "Callers who came back.", resumesForbidden, "outcome", "forbidden");
        counted(resumes, "Callers who came back.", resumesGone, "outcome", "gone");
        var moves = "voice_session_handovers_total";
        var moved = "Sessions that changed their host or their provider's line.";
        counted(moves, moved, handedOver, "cause", "drain", "outcome", "completed");
        counted(moves, moved, takenOver, "cause", "crash", "outcome", "completed");
        counted(moves, moved, rollovers, "cause", "age_limit", "outcome", "completed");
        counted("voice_relinks_total", "Sessions' lines sought again.", relinked, "outcome", "found");
        counted("voice_relinks_total", "Sessions' lines sought again.", relinksFailed, "outcome", "failed");
        counted("voice_sessions_fenced_total", "Conversations ended because another node holds them.", fenced);
        counted("voice_events_replayed_total", "Events sent again to callers who came back.", replayedEvents);
        counted("voice_upstream_dials_refused_total", "Calls that a provider did not take.", dialsRefused);
        var lost = "voice_upstreams_lost_total";
        counted(lost, "Providers' lines lost in a conversation.", upstreamsMute, "cause", "mute");
        meters.counted(
                lost,
                "Providers' lines lost in a conversation.",
                () -> Math.max(0, upstreamsLost.sum() - upstreamsMute.sum()),
                "cause",
                "closed");
        counted("voice_upstreams_found_total", "Conversations that found a provider again.", redialled);
        counted("voice_cost_limits_total", "Sessions that reached a limit of cost.", costAlerts, "limit", "alert");
        counted("voice_cost_limits_total", "Sessions that reached a limit of cost.", costCaps, "limit", "cap");
        counted("voice_cost_limits_total", "Sessions that reached a limit of cost.", budgetStops, "limit", "budget");
        counted("voice_journal_failures_total", "Writes and reads the journal did not take.", journalFailures);
    }

    private void counted(String name, String says, LongAdder number, String... labels) {
        meters.counted(name, says, number::sum, labels);
    }

    private void droppedAudio(LongAdder milliseconds, String direction, String cause) {
        meters.summed(
                "voice_audio_dropped_seconds_total",
                "Audio dropped.",
                () -> milliseconds.sum() / 1e3,
                "direction",
                direction,
                "cause",
                cause);
    }

    /** What may be told is there from the start, with 0. */
    private void expect() {
        for (var arm : Arm.values()) {
            for (var end : EndReason.values()) {
                endedBy(arm, end);
            }
            for (var signal : Signal.values()) {
                outcome(arm, signal, true);
                outcome(arm, signal, false);
            }
            for (var status : Response.Status.values()) {
                if (status != Response.Status.IN_PROGRESS) {
                    answer(arm, status);
                }
            }
            turnLatency(arm, "received");
            turnLatency(arm, "sent");
            length(arm);
        }
        latency("first_token");
        latency("partial_asr");
        latency("barge_in");
        bargeIn();
        sessionCost();
    }

    /** The same for those that this node knows from its configuration. */
    void expect(Iterable<String> providers, Iterable<String> tools) {
        for (var provider : providers) {
            for (var arm : Arm.values()) {
                firstAudio(arm, provider);
            }
            dial(provider);
            for (var kind : Bill.Kind.values()) {
                tokens(provider, kind);
                cost(provider, kind);
            }
        }
        for (var tool : tools) {
            toolCalled(tool, true);
            toolCalled(tool, false);
            toolTime(tool);
        }
    }

    Tracer tracer() {
        return tracer;
    }

    // ---- what is told seldom: once per turn, call or session

    Histogram firstAudio(Arm arm, String provider) {
        return meters.histogram(
                "voice_ttfa_seconds",
                "From an answer being due to its first audio from the provider.",
                Unit.SECONDS,
                FIRST_AUDIO,
                "arm",
                lower(arm),
                "provider",
                provider);
    }

    /** @param stage {@code received} or {@code sent} */
    Histogram turnLatency(Arm arm, String stage) {
        return meters.histogram(
                "voice_turn_latency_seconds",
                "From the end of speech to the first audio of the answer.",
                Unit.SECONDS,
                FIRST_AUDIO,
                "arm",
                lower(arm),
                "stage",
                stage);
    }

    /** @param type {@code first_token}, {@code partial_asr} or {@code barge_in} */
    Histogram latency(String type) {
        return meters.histogram("voice_latency_seconds", "Latencies by type.", Unit.SECONDS, LATENCY, "type", type);
    }

    Histogram bargeIn() {
        return meters.histogram(
                "voice_barge_in_seconds",
                "From the provider's speech_started until nothing stale leaves any more.",
                Unit.SECONDS,
                BARGE_IN);
    }

    Counter answer(Arm arm, Response.Status how) {
        return meters.counter(
                "voice_answers_total", "Answers that ended.", "arm", lower(arm), "outcome", how.wireName());
    }

    Histogram dial(String provider) {
        return meters.histogram(
                "voice_upstream_open_seconds",
                "From dialling to session.created.",
                Unit.SECONDS,
                DIAL,
                "provider",
                provider);
    }

    Counter tokens(String provider, Bill.Kind kind) {
        return meters.counter("voice_tokens_total", "Tokens by kind.", "provider", provider, "kind", kind.label());
    }

    Counter cost(String provider, Bill.Kind kind) {
        return meters.counter(
                "voice_cost_usd_total",
                "Cost by kind of token.",
                Unit.DOLLARS,
                "provider",
                provider,
                "kind",
                kind.label());
    }

    Counter toolCalled(String tool, boolean succeeded) {
        return meters.counter(
                "voice_tool_calls_total",
                "Calls of the server's tools.",
                "tool",
                tool,
                "outcome",
                succeeded ? "succeeded" : "failed");
    }

    Histogram toolTime(String tool) {
        return meters.histogram(
                "voice_tool_seconds", "How long the server's tools took.", Unit.SECONDS, TOOL, "tool", tool);
    }

    /** The same words, counted here as well. */
    Outcomes counting(Outcomes outcomes) {
        return new Outcomes() {
            @Override
            public void report(Signal signal, CallerId caller, Arm arm, boolean forced, double failed) {
                outcome(arm, signal, failed >= .5).increment();
                outcomes.report(signal, caller, arm, forced, failed);
            }

            @Override
            public void probe(Signal signal, double failed) {
                outcomes.probe(signal, failed);
            }

            @Override
            public double threshold(Signal signal) {
                return outcomes.threshold(signal);
            }
        };
    }

    /** From the question of a synthetic session to the first audio of its answer. */
    Histogram probe(String target) {
        return meters.histogram(
                "voice_probe_seconds",
                "From the question of a synthetic session to its first audio.",
                Unit.SECONDS,
                PROBE,
                "target",
                target);
    }

    private Counter outcome(Arm arm, Signal signal, boolean failed) {
        return meters.counter(
                "voice_session_outcomes_total",
                "What guardrails judge by, once per session and signal.",
                "arm",
                lower(arm),
                "signal",
                lower(signal),
                "result",
                failed ? "failed" : "ok");
    }

    void started(String tenant) {
        session(tenant, "started").increment();
        // There before they happen, so that a rate sees the first.
        session(tenant, "completed");
        session(tenant, "failed");
        session(tenant, "stopped");
    }

    /** @param costMicros what it has cost by now */
    void ended(SessionEvent.Opened opened, EndReason reason, Duration length, long costMicros) {
        endedBy(opened.arm(), reason).increment();
        session(opened.caller().tenant(), statusOf(reason)).increment();
        length(opened.arm()).record(length.toNanos());
        sessionCost().record(costMicros);
    }

    private Counter endedBy(Arm arm, EndReason reason) {
        return meters.counter(
                "voice_sessions_ended_total", "Sessions that ended.", "arm", lower(arm), "end", labelOf(reason));
    }

    private Histogram length(Arm arm) {
        return meters.histogram(
                "voice_session_seconds",
                "How long sessions lasted that ended here.",
                Unit.SECONDS,
                LENGTH,
                "arm",
                lower(arm));
    }

    private Histogram sessionCost() {
        return meters.histogram(
                "voice_session_cost_usd", "What sessions had cost that ended here.", Unit.DOLLARS, COST);
    }

    private Counter session(String tenant, String status) {
        return meters.counter(
                "voice_sessions_total",
                "Sessions by tenant and what became of them.",
                "tenant_id",
                labelOf(tenant),
                "status",
                status);
    }

    /** The first ones have a label of their own. */
    private String labelOf(String tenant) {
        if (tenants.contains(tenant)) {
            return tenant;
        }
        synchronized (this) {
            return tenants.size() < mostTenants && tenants.add(tenant) ? tenant : Meters.OTHER;
        }
    }

    private static String labelOf(EndReason reason) {
        return switch (reason) {
            case ENDED_BY_CALLER -> "completed";
            case ENDED_BY_OPERATOR -> "operator";
            case CALLER_LEFT, KILLED, MAX_LENGTH, IDLE, PROVIDER_REFUSED, PROVIDER_LOST, JOURNAL_LOST, BUDGET ->
                lower(reason);
        };
    }

    private static String statusOf(EndReason reason) {
        return switch (reason) {
            case CALLER_LEFT, ENDED_BY_CALLER, MAX_LENGTH, IDLE -> "completed";
            case PROVIDER_REFUSED, PROVIDER_LOST, JOURNAL_LOST -> FAILED;
            case ENDED_BY_OPERATOR, KILLED, BUDGET -> "stopped";
        };
    }

    /** Whether it was our fault or a provider's. */
    static boolean isFault(EndReason reason) {
        return statusOf(reason).equals(FAILED);
    }

    static String lower(Enum<?> value) {
        return value.name().toLowerCase(Locale.ROOT);
    }

    // ---- read by others

    final LongAdder probes = new LongAdder();
    final LongAdder probesFailed = new LongAdder();

    /** Synthetic sessions that were tried. */
    public long probes() {
        return probes.sum();
    }

    /** Those in which nobody would have been answered. */
    public long probesFailed() {
        return probesFailed.sum();
    }

    /** Conversations that run on this node now. */
    public int live() {
        return live.get();
    }

    /** Sessions that have cost {@code alert-usd}. */
    public long costAlerts() {
        return costAlerts.sum();
    }

    /** Sessions that were to end because they had cost {@code cap-usd}. */
    public long costCaps() {
        return costCaps.sum();
    }

    /** Sessions that were to end because the budget that they share was used up. */
    public long budgetStops() {
        return budgetStops.sum();
    }

    /** Frames relayed in both directions since the node started. */
    public long frames() {
        return framesIn.sum() + framesOut.sum();
    }

    /** Times a caller interrupted the agent. */
    public long bargeIns() {
        return bargeIns.sum();
    }

    /** Agent audio thrown away because its caller had interrupted it, in milliseconds. */
    public long staleAudioMs() {
        return staleAudioMs.sum();
    }

    /** Microphone audio dropped because the provider did not take it in time, in milliseconds. */
    public long microphoneDroppedMs() {
        return microphoneDroppedMs.sum();
    }

    /** Frames for callers that were not on the line. */
    public long framesToNobody() {
        return framesToNobody.sum();
    }

    /** Provider errors that answered something Parley itself had sent. */
    public long swallowedErrors() {
        return swallowedErrors.sum();
    }

    /** Callers' frames that were no events. */
    public long malformedFrames() {
        return malformedFrames.sum();
    }

    /** Callers' frames of audio that were dropped because they came faster than they may. */
    public long framesOverRate() {
        return framesOverRate.sum();
    }

    /** Calls that a provider did not take. */
    public long dialsRefused() {
        return dialsRefused.sum();
    }

    /** Providers that were lost in the middle of a conversation. */
    public long upstreamsLost() {
        return upstreamsLost.sum();
    }

    /** Of those lost, the ones that owed an answer and said nothing. */
    public long upstreamsMute() {
        return upstreamsMute.sum();
    }

    /** Conversations that found a provider again. */
    public long redialled() {
        return redialled.sum();
    }

    /** Providers that were replaced between two turns because of their age. */
    public long rollovers() {
        return rollovers.sum();
    }

    /** Conversations that were ended because another node holds their session. */
    public long fenced() {
        return fenced.sum();
    }

    /** Sessions that this node handed over in good order. */
    public long handedOver() {
        return handedOver.sum();
    }

    /** Sessions that this node took over from one that was lost. */
    public long takenOver() {
        return takenOver.sum();
    }

    /** Callers who came back and got everything they had missed. */
    public long resumesRecovered() {
        return resumesRecovered.sum();
    }

    /** Callers who came back and got the history, because what they had missed was gone. */
    public long resumesNotRecovered() {
        return resumesNotRecovered.sum();
    }

    /** Writes that the journal did not take; each is tried again. */
    public long journalFailures() {
        return journalFailures.sum();
    }

    /** Events sent a second time, to callers that came back. */
    public long replayedEvents() {
        return replayedEvents.sum();
    }

    /** Times a caller came back and what it missed was not kept any more. */
    public long replayMisses() {
        return replayMisses.sum();
    }

    /** Agent audio that was sent and, unacknowledged, no longer kept, because newer took its place, in milliseconds. */
    public long replayForgottenMs() {
        return replayForgottenMs.sum();
    }

    /** Times a caller's line was found again while its connection stayed open. */
    public long relinked() {
        return relinked.sum();
    }

    /** Callers that were sent away because their session's line could not be found again. */
    public long relinksFailed() {
        return relinksFailed.sum();
    }

    /** Microphone audio dropped while a session's line was sought, in milliseconds. */
    public long relinkDroppedMs() {
        return relinkDroppedMs.sum();
    }
}
