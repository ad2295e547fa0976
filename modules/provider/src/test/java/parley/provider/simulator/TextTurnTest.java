package parley.provider.simulator;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import parley.protocol.AudioFormat;

@Tag("unit")
class TextTurnTest {

    private static final String TEXT = "{'type':'realtime','output_modalities':['text']}";

    @Test
    void aConnectionBeginsWithTheWholeSession() {
        var bench = Bench.open();

        assertThat(bench.types()).containsExactly("session.created");
        var session = bench.only("session.created").path("session");
        assertThat(session.path("id").asText()).startsWith("sess_");
        assertThat(session.path("object").asText()).isEqualTo("realtime.session");
        assertThat(session.path("model").asText()).isEqualTo("simulator");
        assertThat(session.path("expires_at").asLong())
                .isEqualTo(HeldTimers.NOON.plusSeconds(3600).getEpochSecond());
        assertThat(session.at("/audio/input/turn_detection/interrupt_response").isBoolean())
                .isTrue();
        assertThat(session.at("/audio/input/transcription").isNull()).isTrue();
    }

    @Test
    void anUpdateChangesOnlyWhatItStatesAndShowsAll() {
        var bench = Bench.open();
        bench.send("{'type':'session.update','session':{'type':'realtime','instructions':'Be kind.'}}");
        bench.send("{'type':'session.update','session':{'type':'realtime','audio':{'input':{'turn_detection':"
                + "{'type':'server_vad','threshold':0.3,'interrupt_response':false}}}}}");

        var session = bench.last("session.updated").path("session");
        assertThat(session.path("instructions").asText()).isEqualTo("Be kind.");
        assertThat(session.path("type").asText()).isEqualTo("realtime");
        var detection = session.at("/audio/input/turn_detection");
        assertThat(detection.path("threshold").asDouble()).isEqualTo(0.3);
        assertThat(detection.path("silence_duration_ms").asInt()).isEqualTo(500);
        assertThat(detection.path("interrupt_response").asBoolean(true)).isFalse();
        assertThat(session.at("/audio/output/voice").asText()).isEqualTo("alloy");
    }

    @Test
    void nullSwitchesTurnDetectionOff() {
        var bench = Bench.open();
        bench.send("{'type':'session.update','session':{'type':'realtime','audio':{'input':{'turn_detection':null}}}}");

        assertThat(bench.last("session.updated")
                        .at("/session/audio/input/turn_detection")
                        .isNull())
                .isTrue();
    }

    @Test
    void anotherKindOfTurnDetectionComesWithItsOwnDefaults() {
        var bench = Bench.open();
        bench.send("{'type':'session.update','session':{'type':'realtime','audio':{'input':"
                + "{'turn_detection':{'type':'semantic_vad'}}}}}");

        var detection = bench.last("session.updated").at("/session/audio/input/turn_detection");
        assertThat(detection.path("eagerness").asText()).isEqualTo("auto");
        assertThat(detection.has("threshold")).isFalse();
        assertThat(detection.path("create_response").asBoolean()).isTrue();
    }

    @Test
    void aWrittenTurnHasItsFixedOrder() {
        var bench = Bench.configured(TEXT);
        bench.say("Hello there");
        bench.respond();
        bench.timers.advance(5_000);

        assertThat(bench.types())
                .containsExactly(
                        "conversation.item.added",
                        "conversation.item.done",
                        "response.created",
                        "rate_limits.updated",
                        "response.output_item.added",
                        "conversation.item.added",
                        "response.content_part.added",
                        "response.output_text.delta*",
                        "response.output_text.done",
                        "response.content_part.done",
                        "response.output_item.done",
                        "conversation.item.done",
                        "response.done");
        assertThat(bench.answer()).isEqualTo("You wrote: Hello there.");
        assertThat(bench.only("response.content_part.done").at("/part/type").asText())
                .isEqualTo("text");
        assertThat(bench.only("response.output_item.done")
                        .at("/item/content/0/type")
                        .asText())
                .isEqualTo("output_text");
        var done = bench.only("response.done").path("response");
        assertThat(done.path("status").asText()).isEqualTo("completed");
        assertThat(done.path("status_details").isNull()).isTrue();
        assertThat(done.at("/output/0/content/0/text").asText()).isEqualTo("You wrote: Hello there.");
    }

    @Test
    void theDeltasTogetherAreTheText() {
        var bench = Bench.configured(TEXT);
        bench.say("tell me a long story");
        bench.respond();
        bench.timers.advance(60_000);

        var deltas = new StringBuilder();
        bench.all("response.output_text.delta")
                .forEach(delta -> deltas.append(delta.path("delta").asText()));

        assertThat(deltas.toString()).isEqualTo(Story.WORDS).isEqualTo(bench.answer());
    }

    @Test
    void aSpokenTurnHasItsFixedOrderAndWordsRunAhead() {
        var bench = Bench.open();
        bench.events.clear();
        bench.say("Hello there");
        bench.respond();
        bench.timers.advance(5_000);

        assertThat(bench.typesWithSpeech())
                .containsExactly(
                        "conversation.item.added",
                        "conversation.item.done",
                        "response.created",
                        "rate_limits.updated",
                        "response.output_item.added",
                        "conversation.item.added",
                        "response.content_part.added",
                        "speech*",
                        "response.output_audio.done",
                        "response.output_audio_transcript.done",
                        "response.content_part.done",
                        "response.output_item.done",
                        "conversation.item.done",
                        "response.done");
        assertThat(bench.types().get(7)).isEqualTo("response.output_audio_transcript.delta*");
        assertThat(bench.only("response.content_part.added").at("/part/type").asText())
                .isEqualTo("audio");
        assertThat(bench.only("response.output_item.done")
                        .at("/item/content/0/type")
                        .asText())
                .isEqualTo("output_audio");
        assertThat(bench.audio()).hasSize(48 * 10 * "You wrote: Hello there.".length());
    }

    @Test
    void nothingIsStreamedBeforeTheFirstTokenIsDueAndThenAtTheSetPace() {
        var bench = Bench.open("slow_first_token_ms=200", "speed=4", "delta_ms=40");
        bench.say("say exactly: 1234567890 1234567890 1234567890 1234567890");
        bench.respond();

        bench.timers.advance(199);
        assertThat(bench.all("response.output_item.added")).isEmpty();
        bench.timers.advance(1);
        assertThat(bench.all("response.output_audio.delta")).hasSize(1);
        bench.timers.advance(10);
        assertThat(bench.all("response.output_audio.delta")).hasSize(2);
        assertThat(bench.last("response.output_audio.delta").path("delta").asText())
                .hasSize(40 * 64);
        bench.timers.advance(80);
        assertThat(bench.all("response.output_audio.delta")).hasSize(10);
    }

    @Test
    void whileTheClientDoesNotReadNoAudioIsMade() {
        var bench = Bench.open();
        bench.say("say exactly: 1234567890 1234567890 1234567890 1234567890");
        bench.respond();
        bench.timers.advance(120);
        int before = bench.all("response.output_audio.delta").size();
        bench.congested = true;
        bench.timers.advance(10_000);

        assertThat(bench.all("response.output_audio.delta")).hasSize(before);
        bench.congested = false;
        bench.timers.advance(10_000);
        assertThat(bench.only("response.done").at("/response/status").asText()).isEqualTo("completed");
    }

    @Test
    void everyEventHasAnIdOfItsOwn() {
        var bench = Bench.open();
        bench.say("Hello");
        bench.respond();
        bench.timers.advance(5_000);

        assertThat(bench.events)
                .extracting(event -> event.path("event_id").asText())
                .doesNotHaveDuplicates()
                .allSatisfy(id -> assertThat(id).startsWith("event_"));
    }

    @Test
    void anItemTellsWhichOneItFollows() {
        var bench = Bench.configured(TEXT);
        bench.send("{'type':'conversation.item.create','item':{'id':'one','type':'message','role':'system',"
                + "'content':[{'type':'input_text','text':'a'}]}}");
        bench.send("{'type':'conversation.item.create','item':{'id':'two','type':'message','role':'assistant',"
                + "'content':[{'type':'output_text','text':'b'}]}}");
        bench.send("{'type':'conversation.item.create','previous_item_id':'root','item':{'id':'zero','type':'message',"
                + "'role':'user','content':[{'type':'input_text','text':'c'}]}}");
        bench.send("{'type':'conversation.item.create','previous_item_id':'one','item':{'id':'half','type':'message',"
                + "'role':'user','content':[{'type':'input_text','text':'d'}]}}");

        assertThat(bench.all("conversation.item.added"))
                .extracting(event -> event.path("previous_item_id").asText())
                .containsExactly("null", "one", "null", "one");
        bench.events.clear();
        bench.respond();
        bench.timers.advance(5_000);
        assertThat(bench.only("conversation.item.added")
                        .path("previous_item_id")
                        .asText())
                .isEqualTo("two");
    }

    @Test
    void metadataComesBack() {
        var bench = Bench.configured(TEXT);
        bench.send("{'type':'response.create','response':{'metadata':{'client_event_id':'x1'}}}");
        bench.timers.advance(5_000);

        assertThat(bench.only("response.created")
                        .at("/response/metadata/client_event_id")
                        .asText())
                .isEqualTo("x1");
        assertThat(bench.only("response.done")
                        .at("/response/metadata/client_event_id")
                        .asText())
                .isEqualTo("x1");
        assertThat(bench.only("response.created").at("/response/usage").isNull())
                .isTrue();
        assertThat(bench.only("response.created").at("/response/output")).isEmpty();
    }

    @Test
    void tooFewTokensMakeAnAnswerIncomplete() {
        var bench = Bench.configured(TEXT);
        bench.say("tell me a long story");
        bench.send("{'type':'response.create','response':{'max_output_tokens':10}}");
        bench.timers.advance(60_000);

        var done = bench.only("response.done").path("response");
        assertThat(done.path("status").asText()).isEqualTo("incomplete");
        assertThat(done.at("/status_details/reason").asText()).isEqualTo("max_output_tokens");
        assertThat(done.at("/output/0/status").asText()).isEqualTo("incomplete");
        assertThat(done.at("/usage/output_tokens").asInt()).isBetween(5, 10);
    }

    @Test
    void tooFewTokensCutSpeechToo() {
        var bench = Bench.open();
        bench.say("tell me a long story");
        bench.send("{'type':'response.create','response':{'max_output_tokens':50}}");
        bench.timers.advance(60_000);

        var done = bench.only("response.done").path("response");
        assertThat(done.path("status").asText()).isEqualTo("incomplete");
        assertThat(done.at("/usage/output_tokens").asInt()).isBetween(20, 60);
        assertThat(bench.answer()).isNotEmpty().isNotEqualTo(Story.WORDS);
    }

    @Test
    void speechComesInTheFormatOfTheSession() {
        var bench = Bench.configured("{'type':'realtime','audio':{'output':{'format':{'type':'audio/pcmu'}}}}");
        bench.say("hello");
        bench.respond();
        bench.timers.advance(5_000);

        assertThat(bench.audio()).hasSize(8 * 10 * bench.answer().length());
        assertThat(Sound.rms(AudioFormat.PCMU, bench.audio())).isGreaterThan(0.05);
        assertThat(bench.only("response.created")
                        .at("/response/audio/output/format/type")
                        .asText())
                .isEqualTo("audio/pcmu");
    }

    @Test
    void whoNamedNoModelMayStillChooseOneOnce() {
        var bench = Bench.open(new SimulatedConversation.Opening("simulator", false, null, false), Bench.SETTINGS);
        bench.send("{'type':'session.update','session':{'type':'realtime','model':'gpt-realtime'}}");
        bench.send("{'type':'session.update','session':{'type':'realtime','model':'gpt-realtime'}}");
        bench.send("{'type':'session.update','session':{'type':'realtime','model':'another'}}");

        assertThat(bench.types()).containsExactly("session.created", "session.updated", "error");
        assertThat(bench.last("session.updated").at("/session/model").asText()).isEqualTo("gpt-realtime");
    }

    @Test
    void theModelMayBeRepeatedWithoutItsSwitches() {
        var bench =
                Bench.open(new SimulatedConversation.Opening("simulator:speed=2", true, null, false), Bench.SETTINGS);
        bench.send("{'type':'session.update','session':{'type':'realtime','model':'simulator'}}");

        assertThat(bench.only("session.updated").at("/session/model").asText()).isEqualTo("simulator:speed=2");
    }
}
