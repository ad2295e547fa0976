package parley.session;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.typesafe.config.ConfigFactory;
import io.opentelemetry.api.trace.TracerProvider;
import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import parley.admission.Arm;
import parley.admission.CallerId;
import parley.meter.Meters;

/** O2: what is told of sessions and turns, and under which labels. */
@Tag("unit")
class SessionMetricsTest {
    private static final Instant NOON = Instant.parse("2026-01-01T12:00:00Z");

    private final Meters meters = new Meters();
    private final SessionMetrics metrics =
            new SessionMetrics(meters, 2, TracerProvider.noop().get(""));
    private final TurnTimes times = new TurnTimes(metrics, Arm.VOICE, SessionTrace.none());

    private static long ms(long milliseconds) {
        return TimeUnit.MILLISECONDS.toNanos(milliseconds);
    }

    private void tells(String... lines) {
        assertThat(meters.prometheus().lines()).contains(lines);
    }

    @Test
    void aSpokenTurnIsTimedFromTheEndOfSpeechAndFromWhenTheAnswerIsDue() {
        times.provider("p");
        times.speechEnded(ms(1000));
        times.committed(ms(1100));
        times.due(true, ms(1100));
        times.words(ms(1150));
        times.words(ms(9999));
        times.first(ms(1200));
        assertThat(times.awaitsAudio()).isTrue();
        times.audio(ms(1350));
        assertThat(times.awaitsSent()).isTrue();
        times.sent(ms(1360));
        times.due(false, ms(3000));

        assertThat(times.awaitsAudio() || times.awaitsSent() || times.awaitsFirst())
                .isFalse();
        tells(
                "voice_ttfa_seconds_bucket{arm=\"voice\",provider=\"p\",le=\"0.2\"} 0",
                "voice_ttfa_seconds_bucket{arm=\"voice\",provider=\"p\",le=\"0.3\"} 1",
                "voice_turn_latency_seconds_bucket{arm=\"voice\",stage=\"received\",le=\"0.3\"} 0",
                "voice_turn_latency_seconds_bucket{arm=\"voice\",stage=\"received\",le=\"0.4\"} 1",
                "voice_turn_latency_seconds_count{arm=\"voice\",stage=\"sent\"} 1",
                "voice_latency_seconds_bucket{type=\"first_token\",le=\"0.15\"} 1",
                "voice_latency_seconds_bucket{type=\"partial_asr\",le=\"0.05\"} 1",
                "voice_latency_seconds_count{type=\"partial_asr\"} 1");
    }

    @Test
    void aTypedTurnHasNoEndOfSpeech() {
        times.due(true, ms(1000));
        times.audio(ms(1100));

        assertThat(times.awaitsSent()).isFalse();
        tells(
                "voice_ttfa_seconds_count{arm=\"voice\",provider=\"none\"} 1",
                "voice_turn_latency_seconds_count{arm=\"voice\",stage=\"received\"} 0");
    }

    @Test
    void anAnswerThatNeverCameIsNotTimed() {
        times.committed(ms(1000));
        times.due(true, ms(1000));
        times.due(false, ms(1500));
        times.due(true, ms(60_000));
        times.audio(ms(60_100));

        // And the next one is not its.
        tells(
                "voice_ttfa_seconds_bucket{arm=\"voice\",provider=\"none\",le=\"0.1\"} 1",
                "voice_turn_latency_seconds_count{arm=\"voice\",stage=\"received\"} 0");
    }

    @Test
    void theFirstTenantsHaveALabelAndTheOthersShareOne() {
        for (var tenant : new String[] {"a", "b", "c", "d", "a"}) {
            metrics.started(tenant);
        }

        tells(
                "voice_sessions_total{tenant_id=\"a\",status=\"started\"} 2",
                "voice_sessions_total{tenant_id=\"b\",status=\"started\"} 1",
                "voice_sessions_total{tenant_id=\"b\",status=\"failed\"} 0",
                "voice_sessions_total{tenant_id=\"other\",status=\"started\"} 2");
        assertThat(meters.prometheus()).doesNotContain("tenant_id=\"c\"");
    }

    @Test
    void anEndIsCountedByWhoseFaultItWas() {
        var opened = new SessionEvent.Opened(new CallerId("anna", "a"), Face.VOICE, Arm.VOICE, "m", NOON, null, null);
        metrics.ended(opened, EndReason.PROVIDER_LOST, Duration.ofSeconds(40), 1_500_000);
        metrics.ended(opened, EndReason.ENDED_BY_CALLER, Duration.ofSeconds(4), 0);
        metrics.ended(opened, EndReason.KILLED, Duration.ofSeconds(4), 0);

        tells(
                "voice_sessions_total{tenant_id=\"a\",status=\"failed\"} 1",
                "voice_sessions_total{tenant_id=\"a\",status=\"completed\"} 1",
                "voice_sessions_total{tenant_id=\"a\",status=\"stopped\"} 1",
                "voice_sessions_ended_total{arm=\"voice\",end=\"provider_lost\"} 1",
                "voice_sessions_ended_total{arm=\"voice\",end=\"completed\"} 1",
                "voice_session_cost_usd_bucket{le=\"2\"} 3",
                "voice_session_seconds_bucket{arm=\"voice\",le=\"30\"} 2");
        assertThat(meters.prometheus()).doesNotContain("anna");
    }

    @Test
    void aBillIsMadeByKindAndAddsUp() {
        var prices = Rig.prices();
        var tokens = new Tokens(1000, 400, 2000, 500, 0, 0, 300, 4000, 0);
        long micros = prices.micros(tokens, "usual", NOON);
        Bill.count(metrics, prices, "p", new SessionEvent.Spent("resp", tokens, "usual", "v1", micros, NOON));

        tells(
                "voice_tokens_total{provider=\"p\",kind=\"text_in\"} 600",
                "voice_tokens_total{provider=\"p\",kind=\"text_in_cached\"} 400",
                "voice_tokens_total{provider=\"p\",kind=\"audio_in\"} 1500",
                "voice_tokens_total{provider=\"p\",kind=\"audio_out\"} 4000");
        double sum = meters.prometheus()
                .lines()
                .filter(line -> line.startsWith("voice_cost_usd_total{provider=\"p\""))
                .mapToDouble(line -> Double.parseDouble(line.substring(line.lastIndexOf(' ') + 1)))
                .sum();
        assertThat(sum).isCloseTo(micros / 1e6, org.assertj.core.api.Assertions.within(1e-5));
    }

    @Test
    void theSettingIsBounded() {
        assertThat(MetricsSettings.from(ConfigFactory.defaultReference().resolve()))
                .isEqualTo(new MetricsSettings(20));
        assertThatThrownBy(() -> new MetricsSettings(50)).hasMessageContaining("tenants: 50 (expected: 0..49)");
    }
}
