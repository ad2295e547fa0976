package parley.session;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.typesafe.config.ConfigFactory;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import parley.admission.Arm;
import parley.admission.CallerId;
import parley.admission.Outcomes;
import parley.admission.Signal;
import parley.provider.ProviderPool;

/** R18: whether a caller would be answered, when there is none. */
@Tag("stream")
@ExtendWith(NoLeaks.class)
class ProbesTest {
    private final Rig rig = new Rig();
    private final List<String> told = new CopyOnWriteArrayList<>();
    private final Room room = room();
    private final CompletableFuture<Probed> result = new CompletableFuture<>();

    @AfterEach
    void stop() {
        rig.close();
    }

    @Test
    void oneSentenceIsAskedAndItIsToldHowSoonItWasAnsweredAndWhatThatCost() {
        call(Duration.ofMinutes(1));
        var call = rig.provider.called();
        var line = call.taken();
        line.says(Events.created());
        var sentence = line.hears("conversation.item.create");
        var asked = line.hears("response.create");
        line.says(Events.begun("r"), Events.audio("r", "a", 100), Events.audio("r", "a", 100));
        line.says(Events.done("r", "completed"));
        var probed = Rig.await(result);

        assertThat(call.call().safetyIdentifier()).isEqualTo(ProbeCall.NAME);
        assertThat(sentence).contains("Say yes.");
        assertThat(asked).contains("\"max_output_tokens\":7");
        assertThat(probed.success()).isTrue();
        assertThat(probed.created()).isTrue();
        assertThat(probed.firstAudio()).isNotNull().isPositive();
        assertThat(probed.provider()).isEqualTo("fake");
        assertThat(probed.costMicros()).isPositive();
        assertThat(line.ended().byPeer()).isFalse();
        assertThat(room.providers().of(Arm.VOICE).state("fake")).isEqualTo(ProviderPool.State.CLOSED);
        assertThat(told).as("by the call itself").isEmpty();
        assertThat(rig.metrics.live()).isZero();
    }

    @Test
    void whoRefusesIsFollowedByTheNextAndWhenAllDoTheLastRefusalIsTold() {
        call(Duration.ofMinutes(1));
        rig.provider.called().refused("rate_limited", true);
        rig.second.called().refused("upstream_refused", false);
        var probed = Rig.await(result);

        assertThat(probed.success()).isFalse();
        assertThat(probed.created()).isFalse();
        assertThat(probed.provider()).isEqualTo("second");
        assertThat(probed.why()).isEqualTo("upstream_refused");
    }

    @Test
    void aProviderThatFallsSilentHasFailed() {
        call(Duration.ofMillis(200));
        var line = rig.provider.called().taken();
        line.says(Events.created());
        line.hears("response.create");
        var probed = Rig.await(result);

        assertThat(probed.created()).isTrue();
        assertThat(probed.firstAudio()).isNull();
        assertThat(probed.why()).isEqualTo("mute");
    }

    @Test
    void anAnswerThatIsGivenUpHasFailedAndSoHasOneWithoutSound() {
        call(Duration.ofMinutes(1));
        var line = rig.provider.called().taken();
        line.says(Events.created(), Events.begun("r"), Events.done("r", "failed"));

        assertThat(Rig.await(result).why()).isEqualTo("answer_failed");
    }

    @Test
    void theGuardrailsAreToldAndWhenTheDaysMoneyIsSpentThereIsNoOther() {
        var probes = Probes.start(room, new ProbeSettings(Duration.ofHours(1), Duration.ofMinutes(1), 1, "Hm?", 7));
        probe(probes);
        var line = rig.provider.called().taken();
        line.says(Events.created(), Events.begun("r"), Events.audio("r", "a", 100), Events.done("r", "completed"));
        line.ended();
        Rig.eventually(() -> !probes.last().isEmpty());
        probe(probes);
        probes.close();

        assertThat(told).containsExactly("CREATION 0.0", "CONNECTION 0.0", "ERROR 0.0", "FIRST_AUDIO 0.0");
        assertThat(probes.last()).singleElement().extracting(Probed::arm).isEqualTo(Arm.CONTROL);
        assertThat(rig.metrics.probes()).isEqualTo(1);
        assertThat(rig.provider.calledWithin(0)).isNull();
    }

    @Test
    void whereTheControlHasProvidersOfItsOwnOnlyThoseSpeakForTheComparison() {
        rig.control = rig.second;
        var probes =
                Probes.start(rig.room(rig.settings, rig.conversations, rig.provider), settings(Duration.ofMinutes(1)));
        probe(probes);
        rig.provider.called().refused("upstream_unavailable", true);
        Rig.eventually(() -> probes.last().size() == 1);
        assertThat(told).isEmpty();
        probe(probes);
        rig.second.called().refused("upstream_unavailable", true);
        Rig.eventually(() -> probes.last().size() == 2 && !told.isEmpty());
        probes.close();

        assertThat(told).containsExactly("CREATION 1.0");
        assertThat(rig.metrics.probesFailed()).isEqualTo(2);
    }

    @Test
    void theDefaultsAreThoseThatAreDocumentedAndWhatIsWrongIsNamed() {
        assertThat(ProbeSettings.from(ConfigFactory.load()))
                .isEqualTo(new ProbeSettings(Duration.ZERO, Duration.ofSeconds(15), 1_000_000, "Say yes.", 64));
        assertThatThrownBy(() -> new ProbeSettings(Duration.ofMillis(3), Duration.ZERO, 0, "", 0))
                .hasMessage("parley.session.probe: every: PT0.003S (expected: 0, or at least 1 second);"
                        + " patience: PT0S (expected: > 0); cap-usd-per-day: 0.0 (expected: > 0);"
                        + " says: empty (expected: what the provider shall answer);"
                        + " max-output-tokens: 0 (expected: 1..4096)");
    }

    /** Not after the interval, but now; and until it has looked. */
    private void probe(Probes probes) {
        CompletableFuture.runAsync(probes::probe, probes.loop())
                .orTimeout(60, TimeUnit.SECONDS)
                .join();
    }

    private void call(Duration patience) {
        new ProbeCall(rig.loops.get(0), room, Arm.CONTROL, settings(patience), result::complete).start();
    }

    private static ProbeSettings settings(Duration patience) {
        return new ProbeSettings(Duration.ofHours(1), patience, 1_000_000, "Say yes.", 7);
    }

    private Room room() {
        rig.outcomes = new Outcomes() {
            @Override
            public void report(Signal signal, CallerId caller, Arm arm, boolean forced, double failed) {
                throw new AssertionError("a probe is nobody's session");
            }

            @Override
            public void probe(Signal signal, double failed) {
                told.add(signal + " " + failed);
            }
        };
        return rig.room(rig.settings, rig.conversations, rig.provider, rig.second);
    }
}
