package parley.provider.simulator;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import parley.protocol.AudioFormat;
import parley.protocol.Wire;

@Tag("unit")
class FunctionCallTest {

    private static final String WEATHER = "{'type':'function','name':'get_weather','parameters':{'type':'object',"
            + "'properties':{'city':{'type':'string'},'days':{'type':'integer','minimum':2},'unit':{'enum':['C','F']},"
            + "'note':{'type':'string'}},'required':['city','days','unit']}}";
    private static final String CLOCK = "{'type':'function','name':'clock'}";

    @Test
    void aCallHasItsFixedOrderAndEndsTheResponse() {
        var bench = withTools("");
        bench.say("Please get weather city=Paris");
        bench.events.clear();
        bench.respond();
        bench.timers.advance(60_000);

        assertThat(bench.types())
                .containsExactly(
                        "response.created",
                        "rate_limits.updated",
                        "response.output_item.added",
                        "conversation.item.added",
                        "response.function_call_arguments.delta*",
                        "response.function_call_arguments.done",
                        "response.output_item.done",
                        "conversation.item.done",
                        "response.done");
        var added = bench.only("response.output_item.added").path("item");
        assertThat(added.path("arguments").asText("-")).isEmpty();
        assertThat(added.path("call_id").asText()).startsWith("call_");
        var done = bench.only("response.function_call_arguments.done");
        assertThat(done.path("name").asText()).isEqualTo("get_weather");
        assertThat(Wire.parse(done.path("arguments").asText()))
                .isEqualTo(Wire.parse("{\"city\":\"Paris\",\"days\":2,\"unit\":\"C\"}"));
        var item = bench.only("response.output_item.done").path("item");
        assertThat(item.path("status").asText()).isEqualTo("completed");
        assertThat(item.path("arguments")).isEqualTo(done.path("arguments"));
        assertThat(bench.only("response.done").at("/response/status").asText()).isEqualTo("completed");
    }

    @Test
    void theOutputOfTheFunctionIsSpoken() {
        var bench = withTools("");
        bench.say("call clock");
        bench.respond();
        bench.timers.advance(10_000);
        var call = bench.only("response.function_call_arguments.done")
                .path("call_id")
                .asText();
        bench.events.clear();
        bench.send("{'type':'conversation.item.create','item':{'type':'function_call_output','call_id':'" + call
                + "','output':'ten past nine'}}");
        bench.respond();
        bench.timers.advance(10_000);

        assertThat(bench.types()).startsWith("conversation.item.added", "conversation.item.done", "response.created");
        assertThat(bench.answer()).isEqualTo("The tool clock answered: ten past nine.");
        assertThat(bench.audio()).isNotEmpty();
    }

    @ParameterizedTest
    @ValueSource(strings = {"use get_weather now", "Get Weather, please", "call get_weather"})
    void aNameInTheTextCallsIt(String text) {
        var bench = withTools("");
        bench.say(text);
        bench.respond();
        bench.timers.advance(10_000);

        assertThat(called(bench)).isEqualTo("get_weather");
    }

    @ParameterizedTest
    @ValueSource(strings = {"what a day", "forget weather", "clockwork"})
    void otherTextsCallNothing(String text) {
        var bench = withTools("");
        bench.say(text);
        bench.respond();
        bench.timers.advance(10_000);

        assertThat(bench.all("response.function_call_arguments.done")).isEmpty();
    }

    @Test
    void aRequiredToolIsCalledWhateverWasSaid() {
        var bench = withTools(",'tool_choice':'required'");
        bench.say("hello");
        bench.respond();
        bench.timers.advance(10_000);

        assertThat(called(bench)).isEqualTo("get_weather");
    }

    @Test
    void aChosenFunctionIsCalledWhateverWasSaid() {
        var bench = withTools("");
        bench.say("hello");
        bench.send("{'type':'response.create','response':{'tool_choice':{'type':'function','name':'clock'}}}");
        bench.timers.advance(10_000);

        assertThat(called(bench)).isEqualTo("clock");
    }

    @Test
    void noToolMeansNone() {
        var bench = withTools(",'tool_choice':'none'");
        bench.say("call clock");
        bench.respond();
        bench.timers.advance(10_000);

        assertThat(bench.all("response.function_call_arguments.done")).isEmpty();
    }

    @Test
    void theInstructionsCanMakeSpeechCallAFunction() {
        var bench = withTools(",'instructions':'Please call get_weather on speech.'");
        VoiceTurnTest.speakTurn(bench, AudioFormat.PCM16_24K);
        bench.timers.advance(10_000);

        assertThat(called(bench)).isEqualTo("get_weather");
    }

    @Test
    void speechAloneCallsNothing() {
        var bench = withTools("");
        VoiceTurnTest.speakTurn(bench, AudioFormat.PCM16_24K);
        bench.timers.advance(10_000);

        assertThat(bench.answer()).startsWith("I heard you speak");
    }

    @Test
    void argumentsFitTheSchema() {
        var schema = Wire.parse("""
                {"type":"object","required":["a","b","c","d","e","f","g","h"],"properties":{
                "a":{"type":"number","minimum":0.5,"maximum":0.75},"b":{"type":"boolean"},
                "c":{"type":"array","items":{"type":"string","format":"date"},"minItems":2},
                "d":{"type":"object","properties":{"x":{"const":7}},"required":["x"]},
                "e":{"type":["null","string"],"minLength":12},"f":{"anyOf":[{"type":"integer"},{"type":"null"}]},
                "g":{"type":"string","default":"G"},"i":{"type":"string"},"j":{"type":"integer"}}}
                """);

        assertThat(Wire.parse(FunctionArguments.fill(schema, "with j=5 and i = \"two words\" or f=x")
                        .toString()))
                .isEqualTo(Wire.parse("""
                                {"a":0.5,"b":true,"c":["2030-01-31","2030-01-31"],"d":{"x":7},"e":"some e......",
                                "f":"x","g":"G","i":"two words","j":5,"h":"h"}
                                """));
    }

    private static String called(Bench bench) {
        return bench.only("response.function_call_arguments.done").path("name").asText();
    }

    private static Bench withTools(String more) {
        return Bench.configured("{'type':'realtime','tools':[" + WEATHER + "," + CLOCK + "]" + more + "}");
    }
}
