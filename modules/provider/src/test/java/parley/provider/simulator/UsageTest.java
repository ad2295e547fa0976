package parley.provider.simulator;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.typesafe.config.ConfigFactory;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import parley.protocol.AudioFormat;

@Tag("unit")
class UsageTest {

    @Test
    void textIsAQuarterTokenALetterAndTheWholeConversationIsReadEachTime() {
        var bench = Bench.configured("{'type':'realtime','output_modalities':['text'],'instructions':'12345678'}");
        bench.say("say exactly: 12345678901");
        var first = answered(bench);
        bench.say("say exactly: 123");
        var second = answered(bench);

        // "say exactly: 12345678901" are 24 letters, "say exactly: 123" are 16; the instructions 8.
        assertThat(first.path("input_tokens").asLong()).isEqualTo(2 + 6);
        assertThat(first.path("output_tokens").asLong()).isEqualTo(3);
        assertThat(first.path("total_tokens").asLong()).isEqualTo(11);
        assertThat(first.at("/input_token_details/cached_tokens").asLong()).isZero();
        assertThat(second.path("input_tokens").asLong()).isEqualTo(2 + 6 + 3 + 4);
        assertThat(second.at("/input_token_details/cached_tokens").asLong()).isEqualTo(2 + 6 + 3);
        assertThat(second.at("/input_token_details/cached_tokens_details/text_tokens")
                        .asLong())
                .isEqualTo(11);
    }

    @Test
    void soundIsCountedByItsLength() {
        var bench = Bench.configured(
                VoiceTurnTest.MANUAL.replace("'type':'realtime'", "'type':'realtime','instructions':''"));
        bench.hear(AudioFormat.PCM16_24K, Sound.voice(AudioFormat.PCM16_24K, 2_050));
        bench.send("{'type':'input_audio_buffer.commit'}");
        var usage = answered(bench);

        var words = bench.answer();
        long spokenMillis = Bench.MILLIS_PER_LETTER * words.length();
        assertThat(usage.at("/input_token_details/audio_tokens").asLong()).isEqualTo(21);
        assertThat(usage.at("/input_token_details/text_tokens").asLong()).isZero();
        assertThat(usage.at("/output_token_details/audio_tokens").asLong()).isEqualTo((spokenMillis + 49) / 50);
        assertThat(usage.at("/output_token_details/text_tokens").asLong()).isEqualTo((words.length() + 3) / 4);
        var second = answered(bench);
        assertThat(second.at("/input_token_details/cached_tokens_details/audio_tokens")
                        .asLong())
                .isEqualTo(21 + (spokenMillis + 49) / 50);
    }

    @Test
    void otherInstructionsAreNotCached() {
        var bench = Bench.configured("{'type':'realtime','output_modalities':['text'],'instructions':'12345678'}");
        answered(bench);
        bench.send("{'type':'response.create','response':{'instructions':'say exactly: hi'}}");
        bench.timers.advance(10_000);

        var usage = bench.last("response.done").at("/response/usage");
        assertThat(bench.answer()).isEqualTo("hi");
        assertThat(usage.at("/input_token_details/cached_tokens").asLong())
                .isEqualTo(usage.path("input_tokens").asLong() - 4);
    }

    @Test
    void limitsAreToldAtTheBeginningOfAResponse() {
        var bench = Bench.open();
        bench.respond();

        var limits = bench.only("rate_limits.updated").path("rate_limits");
        assertThat(limits.get(0).path("name").asText()).isEqualTo("requests");
        assertThat(limits.get(0).path("remaining").asLong())
                .isEqualTo(limits.get(0).path("limit").asLong() - 1);
        assertThat(limits.get(1).path("name").asText()).isEqualTo("tokens");
        assertThat(limits.get(1).path("reset_seconds").asDouble()).isEqualTo(60);
    }

    @Test
    void boundsHoldAndAreCounted() {
        var settings = SimulatorSettings.from(ConfigFactory.parseString(
                        "parley.simulator { kept-audio = 60000, longest-turn = 50000, most-items = 3, most-responses = 1 }")
                .withFallback(ConfigFactory.load()));
        var bench = Bench.open(new SimulatedConversation.Opening("simulator", true, null, false), settings);
        bench.send("{'type':'session.update','session':" + VoiceTurnTest.MANUAL + "}");
        for (int i = 0; i < 4; i++) {
            bench.append(Sound.voice(AudioFormat.PCM16_24K, 2_000));
            bench.send("{'type':'input_audio_buffer.commit'}");
        }
        bench.events.clear();
        for (int i = 0; i < 2; i++) bench.send("{'type':'response.create','response':{'conversation':'none'}}");

        // Each turn of 96,000 bytes is kept to 50,000, and only one such fits.
        assertThat(bench.counters.forgottenAudioBytes()).isEqualTo(4 * 46_000 + 3 * 50_000);
        assertThat(bench.counters.forgottenItems()).isEqualTo(1);
        assertThat(bench.only("error").at("/error/code").asText()).isEqualTo("rate_limit_exceeded");
    }

    @Test
    void tooMuchTextPushesTheOldestItemsOut() {
        var settings = SimulatorSettings.from(
                ConfigFactory.parseString("parley.simulator.kept-text = 25").withFallback(ConfigFactory.load()));
        var bench = Bench.open(new SimulatedConversation.Opening("simulator", true, null, false), settings);
        for (var id : new String[] {"a", "b", "c"}) {
            bench.send("{'type':'conversation.item.create','item':{'id':'" + id + "','type':'message','role':'user',"
                    + "'content':[{'type':'input_text','text':'1234567890'}]}}");
        }
        bench.events.clear();
        for (var id : new String[] {"a", "b", "c"}) {
            bench.send("{'type':'conversation.item.retrieve','item_id':'" + id + "'}");
        }

        assertThat(bench.types()).containsExactly("error", "conversation.item.retrieved");
        assertThat(bench.all("conversation.item.retrieved")).hasSize(2);
        assertThat(bench.counters.forgottenItems()).isEqualTo(1);
    }

    private static JsonNode answered(Bench bench) {
        bench.respond();
        bench.timers.advance(20_000);
        return bench.last("response.done").at("/response/usage");
    }
}
