package parley.provider.simulator;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.HashSet;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import parley.protocol.AudioFormat;

/** What the switches do inside a conversation; those of the socket are in {@code SimulatorSocketTest}. */
@Tag("unit")
class SwitchesTest {

    @Test
    void everyNameIsKnown() {
        var all = Map.ofEntries(
                Map.entry("freeze_after_ms", "1"),
                Map.entry("cut_after_ms", "2"),
                Map.entry("refuse", "429"),
                Map.entry("slow_first_token_ms", "3"),
                Map.entry("age_limit_s", "4"),
                Map.entry("fail_response", "x"),
                Map.entry("order", "shuffled"),
                Map.entry("speed", "2.5"),
                Map.entry("delta_ms", "20"),
                Map.entry("silent_created", "true"),
                Map.entry("echo", "on"),
                Map.entry("vad", "off"),
                Map.entry("long_answers", "true"));

        assertThat(all.keySet()).containsExactlyInAnyOrderElementsOf(Switches.NAMES);
        assertThat(Bench.SETTINGS.switches().with(all))
                .isEqualTo(new Switches(1, 2, 429, 3, 4, "x", true, 2.5, 20, true, true, false, true));
    }

    @ParameterizedTest
    @CsvSource({
        "no_such,1,no_such", "refuse,418,refuse: 418", "speed,fast,speed: fast", "speed,0,speed: 0.0",
        "delta_ms,1,delta_ms: 1", "vad,maybe,vad: maybe", "order,random,order: random", "age_limit_s,0,age_limit_s: 0",
        "cut_after_ms,-1,cut_after_ms: -1"
    })
    void aWrongSwitchIsNamed(String name, String value, String complaint) {
        assertThatThrownBy(() -> Bench.SETTINGS.switches().with(Map.of(name, value)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageStartingWith(complaint);
    }

    @Test
    void anUnknownSwitchIsToldWhichThereAre() {
        assertThatThrownBy(() -> Bench.SETTINGS.switches().with(Map.of("x", "1")))
                .hasMessageContaining(String.join(", ", Switches.NAMES));
    }

    @Test
    void aModelCarriesSwitchesBehindAColon() {
        assertThat(ModelName.switches("simulator:echo=true,cut_after_ms=5000"))
                .isEqualTo(Map.of("echo", "true", "cut_after_ms", "5000"));
        assertThat(ModelName.plain("simulator:echo=true,cut_after_ms=5000")).isEqualTo("simulator");
        assertThat(ModelName.switches("ft:gpt-realtime:acme")).isEmpty();
        assertThat(ModelName.plain("ft:gpt-realtime:acme")).isEqualTo("ft:gpt-realtime:acme");
        assertThat(ModelName.plain("ft:gpt-realtime:acme:speed=2")).isEqualTo("ft:gpt-realtime:acme");
    }

    @Test
    void aSessionEndsAtItsAgeLimit() {
        var bench = Bench.open("age_limit_s=2");
        bench.say("tell me a long story");
        bench.respond();
        bench.timers.advance(1_999);
        assertThat(bench.closeCode).isZero();
        bench.timers.advance(1);

        assertThat(bench.only("session.created").at("/session/expires_at").asLong())
                .isEqualTo(HeldTimers.NOON.plusSeconds(2).getEpochSecond());
        assertThat(bench.types()).endsWith("error");
        assertThat(bench.only("error").at("/error/code").asText()).isEqualTo("session_expired");
        assertThat(bench.closeCode).isEqualTo(1001);
    }

    @Test
    void responsesFailOnDemand() {
        var bench = Bench.open("fail_response=inference_rate_limit_exceeded");
        bench.respond();
        bench.timers.advance(1_000);

        var done = bench.only("response.done").path("response");
        assertThat(done.path("status").asText()).isEqualTo("failed");
        assertThat(done.at("/status_details/error/code").asText()).isEqualTo("inference_rate_limit_exceeded");
        assertThat(bench.all("error")).isEmpty();
    }

    @Test
    void sessionCreatedCanStayAway() {
        var bench = Bench.open("silent_created=true");
        bench.send("{'type':'session.update','session':{'type':'realtime'}}");

        assertThat(bench.types()).containsExactly("session.updated");
    }

    @Test
    void withoutDetectionNothingIsHeard() {
        var bench = Bench.open("vad=off");
        bench.events.clear();
        VoiceTurnTest.speakTurn(bench, AudioFormat.PCM16_24K);

        assertThat(bench.events).isEmpty();
        bench.send("{'type':'input_audio_buffer.commit'}");
        assertThat(bench.types()).startsWith("input_audio_buffer.committed");
    }

    @Test
    void longAnswersAreLongEvenToSpeech() {
        var bench = Bench.open("long_answers=true");
        VoiceTurnTest.speakTurn(bench, AudioFormat.PCM16_24K);
        bench.timers.advance(60_000);

        assertThat(bench.answer()).isEqualTo(Story.WORDS);
    }

    @Test
    void shuffledOrderGivesEachOrderThatIsAllowedAndNoOther() {
        var bench = Bench.open("order=shuffled");
        var seen = new HashSet<List<String>>();
        for (int i = 0; i < 40; i++) {
            bench.events.clear();
            bench.respond();
            bench.timers.advance(5_000);
            var ends = bench.typesWithSpeech();
            seen.add(ends.subList(ends.indexOf("speech*") + 1, ends.size()));
        }

        var audio = "response.output_audio.done";
        var words = "response.output_audio_transcript.done";
        var part = "response.content_part.done";
        var output = "response.output_item.done";
        var item = "conversation.item.done";
        var done = "response.done";
        assertThat(seen)
                .containsExactlyInAnyOrder(
                        List.of(audio, words, part, output, item, done),
                        List.of(words, audio, part, output, item, done),
                        List.of(audio, words, part, item, output, done),
                        List.of(words, audio, part, item, output, done));
    }
}
