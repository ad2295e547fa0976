package parley.provider.simulator;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import parley.protocol.AudioFormat;

@Tag("unit")
class InterruptionTest {

    private static final AudioFormat PCM = AudioFormat.PCM16_24K;

    @Test
    void speechStopsTheAnswerInTheFixedOrder() {
        var bench = tellingAStory();
        bench.events.clear();
        bench.hear(PCM, Sound.voice(PCM, 100));

        assertThat(bench.types())
                .containsExactly(
                        "input_audio_buffer.speech_started",
                        "response.output_audio.done",
                        "response.output_audio_transcript.done",
                        "response.content_part.done",
                        "response.output_item.done",
                        "conversation.item.done",
                        "response.done");
        var done = bench.only("response.done").path("response");
        assertThat(done.path("status").asText()).isEqualTo("cancelled");
        assertThat(done.at("/status_details/reason").asText()).isEqualTo("turn_detected");
        assertThat(done.at("/output/0/status").asText()).isEqualTo("incomplete");
        assertThat(done.at("/usage/output_tokens").asLong()).isPositive();
        assertThat(bench.answer()).isNotEmpty().isNotEqualTo(Story.WORDS);
        assertThat(Story.WORDS).startsWith(bench.answer());
        bench.events.clear();
        bench.timers.advance(60_000);
        assertThat(bench.events).isEmpty();
    }

    @Test
    void withoutInterruptResponseTheAnswerGoesOnAndASecondIsRefused() {
        var bench = Bench.configured(VoiceTurnTest.detection("'interrupt_response':false"));
        bench.say("tell me a long story");
        bench.respond();
        bench.timers.advance(500);
        VoiceTurnTest.speakTurn(bench, PCM);

        var error = bench.only("error").path("error");
        assertThat(error.path("code").asText()).isEqualTo("conversation_already_has_active_response");
        bench.timers.advance(60_000);
        assertThat(bench.only("response.done").at("/response/status").asText()).isEqualTo("completed");
    }

    @Test
    void theClientCutsWhatItDidNotHear() {
        var bench = tellingAStory();
        var item = bench.only("response.output_item.added").at("/item/id").asText();
        bench.send("{'type':'response.cancel'}");
        bench.send(
                "{'type':'conversation.item.truncate','item_id':'" + item + "','content_index':0,'audio_end_ms':1000}");

        var truncated = bench.only("conversation.item.truncated");
        assertThat(truncated.path("item_id").asText()).isEqualTo(item);
        assertThat(truncated.path("audio_end_ms").asLong()).isEqualTo(1_000);
        assertThat(bench.only("response.done")
                        .at("/response/status_details/reason")
                        .asText())
                .isEqualTo("client_cancelled");
        bench.send("{'type':'conversation.item.retrieve','item_id':'" + item + "'}");
        var part = bench.only("conversation.item.retrieved").at("/item/content/0");
        assertThat(part.path("audio").asText()).hasSize(64_000);
        assertThat(part.has("transcript")).isFalse();
    }

    @Test
    void truncationBeforeTheEndOfTheAnswerHolds() {
        var bench = tellingAStory();
        var item = bench.only("response.output_item.added").at("/item/id").asText();
        bench.send(
                "{'type':'conversation.item.truncate','item_id':'" + item + "','content_index':0,'audio_end_ms':500}");
        bench.send("{'type':'response.cancel'}");
        bench.send("{'type':'conversation.item.retrieve','item_id':'" + item + "'}");

        assertThat(bench.only("conversation.item.retrieved")
                        .at("/item/content/0/audio")
                        .asText())
                .hasSize(32_000);
    }

    @Test
    void truncatingBeyondTheAudioIsRefused() {
        var bench = tellingAStory();
        var item = bench.only("response.output_item.added").at("/item/id").asText();
        bench.send("{'type':'response.cancel'}");
        bench.send("{'type':'conversation.item.truncate','event_id':'t1','item_id':'" + item
                + "','content_index':0,'audio_end_ms':600000}");

        var error = bench.only("error").path("error");
        assertThat(error.path("type").asText()).isEqualTo("invalid_request_error");
        assertThat(error.path("message").asText()).contains("is already shorter than 600000ms");
        assertThat(error.path("param").asText()).isEqualTo("audio_end_ms");
        assertThat(error.path("event_id").asText()).isEqualTo("t1");
    }

    @Test
    void onlyAnswersCanBeTruncated() {
        var bench = Bench.open();
        bench.say("hello");
        var item = bench.only("conversation.item.added").at("/item/id").asText();
        bench.send("{'type':'conversation.item.truncate','item_id':'" + item + "','content_index':0,'audio_end_ms':0}");
        bench.send("{'type':'conversation.item.truncate','item_id':'nobody','content_index':0,'audio_end_ms':0}");

        assertThat(bench.all("error"))
                .extracting(error -> error.at("/error/code").asText())
                .containsExactly("invalid_value", "item_truncate_invalid_item_id");
    }

    @Test
    void aSecondResponseIsRefusedWhileOneIsActive() {
        var bench = tellingAStory();
        bench.send("{'type':'response.create','event_id':'r2'}");

        var error = bench.only("error").path("error");
        assertThat(error.path("code").asText()).isEqualTo("conversation_already_has_active_response");
        assertThat(error.path("event_id").asText()).isEqualTo("r2");
        assertThat(error.path("message").asText())
                .contains(bench.only("response.created").at("/response/id").asText());
    }

    @Test
    void cancellingNothingIsAnErrorThatChangesNothing() {
        var bench = Bench.open();
        bench.send("{'type':'response.cancel','event_id':'x'}");

        var error = bench.only("error").path("error");
        assertThat(error.path("code").asText()).isEqualTo("response_cancel_not_active");
        assertThat(error.path("message").asText()).startsWith("Cancellation failed");
    }

    @Test
    void cancelBeforeTheFirstDeltaEndsWithoutOutput() {
        var bench = Bench.open();
        bench.say("hello");
        bench.respond();
        bench.send("{'type':'response.cancel'}");
        bench.timers.advance(10_000);

        var done = bench.only("response.done").path("response");
        assertThat(done.path("status").asText()).isEqualTo("cancelled");
        assertThat(done.path("output")).isEmpty();
        assertThat(bench.types()).endsWith("response.done");
    }

    @Test
    void aResponseOutsideTheConversationRunsBesideTheOtherAndLeavesNoTrace() {
        var bench = tellingAStory();
        bench.events.clear();
        bench.send("{'type':'response.create','response':{'conversation':'none','metadata':{'for':'summary'},"
                + "'output_modalities':['text'],'input':[{'type':'message','role':'user','content':"
                + "[{'type':'input_text','text':'say exactly: aside'}]}]}}");
        bench.timers.advance(400);

        var id = bench.only("response.created").at("/response/id").asText();
        assertThat(bench.only("response.created")
                        .at("/response/conversation_id")
                        .isNull())
                .isTrue();
        assertThat(bench.only("response.done").at("/response/id").asText()).isEqualTo(id);
        assertThat(bench.only("response.done").at("/response/metadata/for").asText())
                .isEqualTo("summary");
        assertThat(bench.only("response.output_text.done").path("text").asText())
                .isEqualTo("aside");
        assertThat(bench.types()).noneMatch(type -> type.startsWith("conversation.item"));
    }

    @Test
    void speechDoesNotStopAResponseOutsideTheConversation() {
        var bench = Bench.configured(VoiceTurnTest.detection("'create_response':false"));
        bench.send("{'type':'response.create','response':{'conversation':'none','input':[{'type':'message',"
                + "'role':'user','content':[{'type':'input_text','text':'tell me a long story'}]}]}}");
        bench.timers.advance(500);
        VoiceTurnTest.speakTurn(bench, PCM);
        bench.timers.advance(60_000);

        assertThat(bench.only("response.done").at("/response/status").asText()).isEqualTo("completed");
    }

    @Test
    void aCancelByIdFindsAResponseOutsideTheConversation() {
        var bench = Bench.open();
        bench.send("{'type':'response.create','response':{'conversation':'none','input':[]}}");
        var id = bench.only("response.created").at("/response/id").asText();
        bench.send("{'type':'response.cancel','response_id':'" + id + "'}");

        assertThat(bench.only("response.done").at("/response/status").asText()).isEqualTo("cancelled");
    }

    private static Bench tellingAStory() {
        var bench = Bench.configured("{'type':'realtime'}");
        bench.say("tell me a long story");
        bench.respond();
        bench.timers.advance(500);
        assertThat(bench.all("response.output_audio.delta")).isNotEmpty();
        return bench;
    }
}
