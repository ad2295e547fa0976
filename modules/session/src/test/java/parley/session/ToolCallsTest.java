package parley.session;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import parley.protocol.ServerEvent;
import parley.protocol.Wire;

@Tag("unit")
class ToolCallsTest {
    private final ToolCalls calls = new ToolCalls(new Rig.FakeTools());

    private boolean begins(String item) {
        return calls.begins((ServerEvent.ResponseOutputItemDone) Wire.server(Events.outputItemDone("r1", item)));
    }

    @Test
    void aCallOfOursIsExecutedOnce() {
        assertThat(begins(Events.call("c", "call_1", "completed"))).isTrue();
        assertThat(begins(Events.call("c", "call_1", "completed"))).isFalse();
        assertThat(begins(Events.call("c", "call_2", "incomplete"))).isFalse();
        assertThat(begins(Events.call("c", "call_3", "completed").replace("\"time\"", "\"theirs\"")))
                .isFalse();
        assertThat(begins(Events.agentItem("a", "completed", "hi"))).isFalse();
        assertThat(calls.isRunning()).isTrue();
    }

    @Test
    void theModelGoesOnOnceWhenAllAreAnswered() {
        begins(Events.call("c1", "call_1", "completed"));
        begins(Events.call("c2", "call_2", "completed"));

        assertThat(calls.answered("call_1")).isTrue();
        assertThat(calls.takeGoOn()).isFalse();
        assertThat(calls.answered("call_2")).isTrue();
        assertThat(calls.isIdle()).isFalse();
        assertThat(calls.takeGoOn()).isTrue();
        assertThat(calls.takeGoOn()).isFalse();
        assertThat(calls.isIdle()).isTrue();
    }

    @Test
    void anAnswerNobodyWaitsForIsNotWanted() {
        begins(Events.call("c1", "call_1", "completed"));
        calls.answered("call_1");

        assertThat(calls.answered("call_1")).isFalse();
        assertThat(calls.answered("call_9")).isFalse();
    }

    @Test
    void afterACancelledResponseTheResultIsToldAndTheModelNotAsked() {
        begins(Events.call("c1", "call_1", "completed"));
        calls.cancelled("r1");

        assertThat(calls.answered("call_1")).isTrue();
        assertThat(calls.takeGoOn()).isFalse();
    }

    @Test
    void whoWasAskedToSpeakAnywayIsNotAskedAgainForTheResult() {
        begins(Events.call("c1", "call_1", "completed"));
        calls.answered("call_1");
        calls.asked();

        assertThat(calls.takeGoOn()).isFalse();
    }
}
