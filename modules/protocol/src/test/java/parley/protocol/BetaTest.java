package parley.protocol;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

@Tag("unit")
class BetaTest {
    private static final String BETA_SESSION =
            "{'modalities':['audio','text'],'instructions':'Hi','voice':'alloy','speed':1.2,"
                    + "'input_audio_format':'pcm16','output_audio_format':'g711_ulaw',"
                    + "'input_audio_transcription':{'model':'whisper-1'},"
                    + "'input_audio_noise_reduction':{'type':'near_field'},"
                    + "'turn_detection':{'type':'server_vad','threshold':0.5},'max_response_output_tokens':'inf',"
                    + "'tools':[],'tool_choice':'auto'}";
    private static final String GA_SESSION = "{'type':'realtime','output_modalities':['audio'],'instructions':'Hi',"
            + "'audio':{'input':{'format':{'type':'audio/pcm','rate':24000},'transcription':{'model':'whisper-1'},"
            + "'noise_reduction':{'type':'near_field'},'turn_detection':{'type':'server_vad','threshold':0.5}},"
            + "'output':{'format':{'type':'audio/pcmu'},'voice':'alloy','speed':1.2}},"
            + "'max_output_tokens':'inf','tools':[],'tool_choice':'auto'}";

    static List<Golden> everyEvent() {
        return Golden.all();
    }

    @Test
    void aSessionTurnsIntoTheOtherDialectAndBack() {
        assertThat(Beta.sessionToGa(parse(BETA_SESSION), "realtime")).isEqualTo(parse(GA_SESSION));
        assertThat(Beta.sessionFromGa(parse(GA_SESSION))).isEqualTo(parse(BETA_SESSION));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "{'modalities':['text']}|{'type':'realtime','output_modalities':['text']}",
                "{'voice':'alloy'}|{'type':'realtime','audio':{'output':{'voice':'alloy'}}}",
                "{'speed':1}|{'type':'realtime','audio':{'output':{'speed':1}}}",
                "{'input_audio_format':'g711_alaw'}|{'type':'realtime','audio':{'input':{'format':{'type':'audio/pcma'}}}}",
                "{'input_audio_transcription':null}|{'type':'realtime','audio':{'input':{'transcription':null}}}",
                "{'turn_detection':null}|{'type':'realtime','audio':{'input':{'turn_detection':null}}}",
                "{'max_response_output_tokens':7}|{'type':'realtime','max_output_tokens':7}",
                "{'vendor':[1]}|{'type':'realtime','vendor':[1]}"
            })
    void aFieldOfASessionMovesBothWays(String beta, String ga) {
        assertThat(Beta.toGa(parse("{'type':'session.update','session':" + beta + "}")))
                .isEqualTo(parse("{'type':'session.update','session':" + ga + "}"));
        assertThat(Beta.fromGa(parse("{'type':'session.update','session':" + ga + "}")))
                .isEqualTo(parse("{'type':'session.update','session':" + beta + "}"));
    }

    @Test
    void theTemperatureIsGone() {
        assertThat(Beta.toGa(parse("{'type':'session.update','session':{'temperature':0.8}}")))
                .isEqualTo(parse("{'type':'session.update','session':{'type':'realtime'}}"));
        assertThat(Beta.toGa(parse("{'type':'response.create','response':{'temperature':0.8}}")))
                .isEqualTo(parse("{'type':'response.create','response':{}}"));
    }

    @Test
    void whatIsNewInGaDoesNotReachABetaServer() {
        assertThat(Beta.fromGa(parse("{'type':'session.update','session':{'type':'realtime','truncation':'auto',"
                        + "'reasoning':{'effort':'low'},'parallel_tool_calls':true,'audio':{'input':{'turn_detection':"
                        + "{'type':'server_vad','idle_timeout_ms':6000}}}}}")))
                .isEqualTo(parse("{'type':'session.update','session':{'turn_detection':{'type':'server_vad'}}}"));
    }

    @Test
    void aTranscriptionSessionIsATypeOfSession() {
        String beta = "{'type':'transcription_session.update','session':{'input_audio_format':'pcm16'}}";
        String ga = "{'type':'session.update','session':{'type':'transcription','audio':{'input':{'format':"
                + "{'type':'audio/pcm','rate':24000}}}}}";

        assertThat(Beta.toGa(parse(beta))).isEqualTo(parse(ga));
        assertThat(Beta.fromGa(parse(ga))).isEqualTo(parse(beta));
    }

    @Test
    void aResponseRequestTurnsIntoTheOtherDialectAndBack() {
        String beta = "{'type':'response.create','response':{'modalities':['audio','text'],'voice':'alloy',"
                + "'output_audio_format':'pcm16','max_response_output_tokens':9,'input':[{'type':'message',"
                + "'role':'assistant','content':[{'type':'text','text':'a'}]}]}}";
        String ga = "{'type':'response.create','response':{'output_modalities':['audio'],'audio':{'output':{"
                + "'voice':'alloy','format':{'type':'audio/pcm','rate':24000}}},'max_output_tokens':9,"
                + "'input':[{'type':'message','role':'assistant','content':[{'type':'output_text','text':'a'}]}]}}";

        assertThat(Beta.toGa(parse(beta))).isEqualTo(parse(ga));
        assertThat(Beta.fromGa(parse(ga))).isEqualTo(parse(beta));
    }

    @Test
    void onlyAnAssistantsPartsChangeTheirType() {
        String beta = "{'type':'conversation.item.create','item':{'type':'message','role':'%s','content':["
                + "{'type':'text','text':'a'},{'type':'audio','transcript':'b'}]}}";
        String ga = beta.replace("'text','", "'output_text','").replace("'audio'", "'output_audio'");

        assertThat(Beta.toGa(parse(beta.formatted("assistant")))).isEqualTo(parse(ga.formatted("assistant")));
        assertThat(Beta.fromGa(parse(ga.formatted("assistant")))).isEqualTo(parse(beta.formatted("assistant")));
        assertThat(Beta.toGa(parse(beta.formatted("user")))).isEqualTo(parse(beta.formatted("user")));
    }

    @ParameterizedTest
    @ValueSource(strings = {"text", "audio", "audio_transcript"})
    void theStreamOfAResponseHasOtherNames(String kind) {
        for (String end : List.of("delta", "done")) {
            JsonNode beta = parse("{'type':'response." + kind + "." + end + "','event_id':'e','delta':'x'}");
            JsonNode ga = parse("{'type':'response.output_" + kind + "." + end + "','event_id':'e','delta':'x'}");

            assertThat(Beta.serverToGa(beta)).containsExactly(ga);
            assertThat(Beta.serverFromGa(ga)).containsExactly(beta);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"created", "updated"})
    void aServersSessionTurnsIntoTheOtherDialectAndBack(String end) {
        JsonNode beta = parse("{'type':'session." + end + "','event_id':'e','session':" + BETA_SESSION + "}");
        JsonNode ga = parse("{'type':'session." + end + "','event_id':'e','session':" + GA_SESSION + "}");
        JsonNode betaTranscription = parse("{'type':'transcription_session." + end + "','session':{}}");
        JsonNode gaTranscription = parse("{'type':'session." + end + "','session':{'type':'transcription'}}");

        assertThat(Beta.serverToGa(beta)).containsExactly(ga);
        assertThat(Beta.serverFromGa(ga)).containsExactly(beta);
        assertThat(Beta.serverToGa(betaTranscription)).containsExactly(gaTranscription);
        assertThat(Beta.serverFromGa(gaTranscription)).containsExactly(betaTranscription);
    }

    @Test
    void anItemThatIsCompleteIsAddedAndDoneAtOnce() {
        JsonNode created = parse("{'type':'conversation.item.created','event_id':'e','previous_item_id':null,"
                + "'item':{'id':'i','type':'message','role':'user','status':'completed','content':[]}}");

        List<JsonNode> ga = Beta.serverToGa(created);

        assertThat(ga)
                .extracting(e -> e.get("type").textValue())
                .containsExactly("conversation.item.added", "conversation.item.done");
        assertThat(ga).allSatisfy(e -> assertThat(e.get("item")).isEqualTo(created.get("item")));
        assertThat(ga).allSatisfy(e -> assertThat(e.has("previous_item_id")).isTrue());
        assertThat(ga)
                .extracting(e -> e.get("event_id").textValue())
                .doesNotHaveDuplicates()
                .contains("e");
    }

    @Test
    void anItemInProgressIsDoneWithTheOutput() {
        JsonNode created =
                parse("{'type':'conversation.item.created','event_id':'e1','item':{'id':'i','type':'message',"
                        + "'role':'assistant','status':'in_progress','content':[]}}");
        JsonNode output = parse(
                "{'type':'response.output_item.done','event_id':'e2','response_id':'r','item':{'id':'i',"
                        + "'type':'message','role':'assistant','status':'completed','content':[{'type':'text','text':'a'}]}}");

        assertThat(Beta.serverToGa(created))
                .singleElement()
                .satisfies(e -> assertThat(e.get("type").textValue()).isEqualTo("conversation.item.added"));
        List<JsonNode> ga = Beta.serverToGa(output);
        assertThat(ga)
                .extracting(e -> e.get("type").textValue())
                .containsExactly("response.output_item.done", "conversation.item.done");
        assertThat(ga)
                .allSatisfy(e ->
                        assertThat(e.at("/item/content/0/type").textValue()).isEqualTo("output_text"));
        assertThat(ga.get(1).has("response_id")).isFalse();
    }

    @Test
    void anItemIsCreatedForABetaClientWhenItIsAdded() {
        JsonNode added = parse("{'type':'conversation.item.added','event_id':'e','item':{'id':'i'}}");
        JsonNode done = parse("{'type':'conversation.item.done','event_id':'e','item':{'id':'i'}}");

        assertThat(Beta.serverFromGa(added))
                .containsExactly(parse("{'type':'conversation.item.created','event_id':'e','item':{'id':'i'}}"));
        assertThat(Beta.serverFromGa(done)).isEmpty();
    }

    @Test
    void aResponseTurnsIntoTheOtherDialectAndBack() {
        String beta = "{'type':'response.done','response':{'id':'r','modalities':['audio','text'],'voice':'alloy',"
                + "'output_audio_format':'pcm16','max_output_tokens':'inf','output':[{'role':'assistant',"
                + "'content':[{'type':'audio','transcript':'a'}]}],'usage':{'total_tokens':3}}}";
        String ga = "{'type':'response.done','response':{'id':'r','output_modalities':['audio'],'audio':{'output':{"
                + "'voice':'alloy','format':{'type':'audio/pcm','rate':24000}}},'max_output_tokens':'inf','output':["
                + "{'role':'assistant','content':[{'type':'output_audio','transcript':'a'}]}],"
                + "'usage':{'total_tokens':3}}}";

        assertThat(Beta.serverToGa(parse(beta))).containsExactly(parse(ga));
        assertThat(Beta.serverFromGa(parse(ga))).containsExactly(parse(beta));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "input_audio_buffer.timeout_triggered",
                "input_audio_buffer.dtmf_event_received",
                "output_audio_buffer.started",
                "mcp_list_tools.completed",
                "response.mcp_call.failed",
                "response.mcp_call_arguments.delta"
            })
    void whatIsNewInGaDoesNotReachABetaClient(String type) {
        assertThat(Beta.serverFromGa(parse("{'type':'" + type + "'}"))).isEmpty();
    }

    @ParameterizedTest
    @MethodSource("everyEvent")
    void translatingChangesNoArgument(Golden golden) {
        JsonNode event = Wire.parse(golden.bytes());

        if (golden.type().direction() == EventType.Direction.CLIENT) {
            Beta.fromGa(event);
            Beta.toGa(event);
        } else {
            Beta.serverFromGa(event);
            Beta.serverToGa(event);
        }

        assertThat(event).isEqualTo(Wire.parse(golden.bytes()));
    }

    private static ObjectNode parse(String json) {
        return Wire.parse(json.replace('\'', '"'));
    }
}
