package parley.load;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("unit")
class ResponseOrderTest {
    private final ResponseOrder order = new ResponseOrder();

    @Test
    void aWholeAnswerIsInOrder() {
        assertThat(order.created("r1")).isEmpty();
        assertThat(order.audio("r1", "i1")).isEmpty();
        assertThat(order.audioDone("r1", "i1")).isEmpty();
        assertThat(order.done("r1")).isEmpty();
        assertThat(order.created("r2")).isEmpty();
    }

    @Test
    void aSecondItemMaySoundAfterTheEndOfTheFirst() {
        order.created("r1");
        order.audio("r1", "i1");
        order.audioDone("r1", "i1");

        assertThat(order.audio("r1", "i2")).isEmpty();
        assertThat(order.audio("r1", "i1")).contains("audio of an item after its end");
    }

    @Test
    void audioBelongsToTheOpenResponse() {
        assertThat(order.audio("r1", "i1")).contains("audio outside any response");
        order.created("r1");
        assertThat(order.audio("r0", "i0")).contains("audio of another response");
        order.audio("r1", "i1");
        order.audioDone("r1", "i1");
        order.done("r1");
        assertThat(order.audio("r1", "i1")).contains("audio outside any response");
    }

    @Test
    void eachResponseEndsOnceAndAfterItsAudio() {
        order.created("r1");
        assertThat(order.created("r2")).contains("created before the last one was done");
        order.audio("r2", "i2");
        assertThat(order.done("r2")).contains("done without end of audio");
        assertThat(order.done("r2")).contains("done without created");
    }
}
