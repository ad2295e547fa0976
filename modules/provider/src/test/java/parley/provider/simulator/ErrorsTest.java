package parley.provider.simulator;

import static org.assertj.core.api.Assertions.assertThat;

import com.typesafe.config.ConfigFactory;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import parley.protocol.AudioFormat;

@Tag("unit")
class ErrorsTest {

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "{'type':'session.update','session':{'instructions':'x'}}|missing_required_parameter|session.type",
                "{'type':'session.update'}|missing_required_parameter|session",
                "{'type':'session.update','session':{'type':'transcription'}}|invalid_value|session.type",
                "{'type':'session.update','session':{'type':'realtime','model':'other'}}|invalid_value|session.model",
                "{'type':'session.update','session':{'type':'realtime','modalities':['text']}}|unknown_parameter|session.modalities",
                "{'type':'session.update','session':{'type':'realtime','output_modalities':['text','audio']}}|invalid_value|session.output_modalities",
                "{'type':'session.update','session':{'type':'realtime','audio':{'input':{'format':{'type':'audio/opus'}}}}}|invalid_value|session.audio.input.format.type",
                "{'type':'session.update','session':{'type':'realtime','audio':{'input':{'turn_detection':{'type':'psychic'}}}}}|invalid_value|session.audio.input.turn_detection.type",
                "{'type':'session.update','session':{'type':'realtime','audio':{'output':{'voice':'nobody'}}}}|invalid_value|session.audio.output.voice",
                "{'type':'input_audio_buffer.append','audio':'not base64!'}|invalid_value|audio",
                "{'type':'input_audio_buffer.append','audio':'abc'}|invalid_value|audio",
                "{'type':'input_audio_buffer.append'}|missing_required_parameter|audio",
                "{'type':'input_audio_buffer.append','audio':5}|invalid_value|audio",
                "{'type':'conversation.item.retrieve','item_id':'nobody'}|item_retrieve_invalid_item_id|item_id",
                "{'type':'conversation.item.delete','item_id':'nobody'}|item_delete_invalid_item_id|item_id",
                "{'type':'conversation.item.create','item':{'type':'function_call_output','call_id':'call_x','output':'1'}}|invalid_value|item.call_id",
                "{'type':'conversation.item.create','previous_item_id':'nobody','item':{'type':'message','role':'user','content':[]}}|invalid_value|previous_item_id",
                "{'type':'conversation.item.create','item':{'id':'012345678901234567890123456789012','type':'message','role':'user','content':[]}}|invalid_value|item.id",
                "{'type':'conversation.item.create','item':{'type':'message','role':'assistant','content':[{'type':'output_audio','transcript':'x'}]}}|missing_required_parameter|item.content[0].text",
                "{'type':'conversation.item.create','item':{'type':'message','role':'user','content':[{'type':'output_text','text':'x'}]}}|invalid_value|item.content[0].type",
                "{'type':'conversation.item.create','item':{'type':'message','role':'user','content':[{'type':'input_audio','audio':'?'}]}}|invalid_value|item.content[0].audio",
                "{'type':'conversation.item.create','item':{'type':'poem'}}|invalid_value|item.type",
                "{'type':'response.create','response':{'conversation':'none','input':[{'type':'item_reference','id':'nobody'}]}}|invalid_value|response.input[0].id",
                "{'type':'no.such.event'}|invalid_value|type",
                "{'type':'output_audio_buffer.clear'}|invalid_event|type",
                "{'nothing':1}|missing_required_parameter|type",
            })
    void aFaultNamesItsCodeItsFieldAndTheClientsEvent(String event, String code, String param) {
        var bench = Bench.open();
        bench.events.clear();
        bench.send(event.replaceFirst("\\{", "{'event_id':'mine',"));

        var error = bench.only("error").path("error");
        assertThat(error.path("type").asText()).isEqualTo("invalid_request_error");
        assertThat(error.path("code").asText()).isEqualTo(code);
        assertThat(error.path("param").asText()).isEqualTo(param);
        assertThat(error.path("event_id").asText()).isEqualTo("mine");
        assertThat(bench.events).hasSize(1);
        assertThat(bench.counters.errors()).isEqualTo(1);
        assertThat(bench.counters.faults()).isZero();
    }

    @ParameterizedTest
    @CsvSource({"nonsense", "[]", "{", "''", "42", "{\"type\":\"a\" \"b\"}"})
    void whatIsNoEventIsAnsweredAndTheSessionLivesOn(String nonsense) {
        var bench = Bench.open();
        bench.raw(nonsense);
        bench.conversation.receiveBinary();
        bench.say("still there?");

        assertThat(bench.all("error"))
                .extracting(error -> error.at("/error/code").asText())
                .containsExactly("invalid_event", "invalid_event");
        assertThat(bench.types()).endsWith("conversation.item.done");
    }

    @Test
    void aVoiceCannotChangeOnceItWasHeardButMayBeRepeated() {
        var bench = Bench.open();
        bench.send("{'type':'session.update','session':{'type':'realtime','audio':{'output':{'voice':'marin'}}}}");
        bench.say("hello");
        bench.respond();
        bench.timers.advance(10_000);
        bench.events.clear();
        bench.send("{'type':'session.update','event_id':'v','session':{'type':'realtime','instructions':'new',"
                + "'audio':{'output':{'voice':'cedar'}}}}");
        bench.send("{'type':'session.update','session':{'type':'realtime','audio':{'output':{'voice':'marin'}}}}");

        assertThat(bench.only("error").at("/error/code").asText()).isEqualTo("cannot_update_voice");
        assertThat(bench.only("error").at("/error/param").asText()).isEqualTo("session.audio.output.voice");
        assertThat(bench.only("session.updated").at("/session/instructions").asText())
                .isNotEqualTo("new");
    }

    @Test
    void idsOfTheClientAreKeptAndTakenOnlyOnce() {
        var bench = Bench.open();
        var create = "{'type':'conversation.item.create','item':{'id':'01234567890123456789012345678901',"
                + "'type':'message','role':'user','content':[{'type':'input_text','text':'a'}]}}";
        bench.send(create);
        bench.send(create);

        assertThat(bench.only("conversation.item.added").at("/item/id").asText())
                .hasSize(32);
        assertThat(bench.only("error").at("/error/param").asText()).isEqualTo("item.id");
    }

    @Test
    void aDeletedItemIsGone() {
        var bench = Bench.open();
        bench.send("{'type':'conversation.item.create','item':{'id':'a','type':'message','role':'user',"
                + "'content':[{'type':'input_text','text':'say exactly: a'}]}}");
        bench.send("{'type':'conversation.item.delete','item_id':'a'}");
        bench.send("{'type':'conversation.item.retrieve','item_id':'a'}");

        assertThat(bench.types()).endsWith("conversation.item.deleted", "error");
    }

    @Test
    void audioOfAClientsItemIsKeptForRetrieval() {
        var bench = Bench.open();
        var audio = java.util.Base64.getEncoder().encodeToString(Sound.voice(AudioFormat.PCM16_24K, 500));
        bench.send("{'type':'conversation.item.create','item':{'id':'a','type':'message','role':'user','content':"
                + "[{'type':'input_audio','audio':'" + audio + "'}]}}");
        bench.send("{'type':'conversation.item.retrieve','item_id':'a'}");

        assertThat(bench.only("conversation.item.added").at("/item/content/0").has("audio"))
                .isFalse();
        assertThat(bench.only("conversation.item.retrieved")
                        .at("/item/content/0/audio")
                        .asText())
                .isEqualTo(audio);
    }

    @Test
    void base64WithEscapedSlashesIsStillAudio() {
        var bench = Bench.configured(VoiceTurnTest.MANUAL);
        var audio = java.util.Base64.getEncoder().encodeToString(Sound.voice(AudioFormat.PCM16_24K, 200));
        assertThat(audio).contains("/");
        bench.raw("{\"type\":\"input_audio_buffer.append\",\"audio\":\"" + audio.replace("/", "\\/") + "\"}");
        bench.send("{'type':'input_audio_buffer.commit'}");

        assertThat(bench.types()).startsWith("input_audio_buffer.committed");
    }

    @ParameterizedTest
    @CsvSource({
        "gpt-realtime,,true,beta_api_shape_disabled",
        "gpt-realtime,telepathy,false,invalid_intent",
        "'',,false,invalid_model",
        "no-such-model,,false,model_not_found"
    })
    void whoMayNotConverseIsToldAndClosed(String model, String intent, boolean beta, String code) {
        var settings = SimulatorSettings.from(ConfigFactory.parseString("parley.simulator.models=[gpt-realtime]")
                .withFallback(ConfigFactory.load()));
        var bench = Bench.open(new SimulatedConversation.Opening(model, true, intent, beta), settings);

        assertThat(bench.types()).containsExactly("error");
        assertThat(bench.only("error").at("/error/code").asText()).isEqualTo(code);
        assertThat(bench.closeCode).isEqualTo(4000);
        assertThat(bench.closeReason).isEqualTo("invalid_request_error." + code);
    }

    @Test
    void aVoiceThatFailsMakesTheResponseFailNotTheSession() {
        var bench = Bench.open();
        bench.speech.broken = true;
        bench.say("hello");
        bench.respond();
        bench.timers.advance(10_000);

        assertThat(bench.only("response.done").at("/response/status").asText()).isEqualTo("failed");
        bench.speech.broken = false;
        bench.respond();
        bench.timers.advance(10_000);
        assertThat(bench.last("response.done").at("/response/status").asText()).isEqualTo("completed");
    }

    @Test
    void nothingIsWaitedForWhenTheConnectionIsGone() {
        var bench = Bench.configured(VoiceTurnTest.detection("'idle_timeout_ms':5000"), "speed=1000");
        bench.say("hello");
        bench.respond();
        bench.timers.advance(1_000);
        bench.respond();
        bench.conversation.end();

        assertThat(bench.timers.waiting()).isZero();
    }
}
