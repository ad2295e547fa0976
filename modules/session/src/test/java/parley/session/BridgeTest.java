package parley.session;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import parley.wire.Loops;
import parley.wire.WebSocketClose;

@Tag("stream")
@ExtendWith(NoLeaks.class)
class BridgeTest {
    private static Loops loops;

    private final FakePort one = new FakePort(loops.get(0));
    private final FakePort other = new FakePort(loops.get(0));

    @BeforeAll
    static void start() {
        loops = Loops.create(1);
    }

    @AfterAll
    static void stop() {
        loops.close();
    }

    private void join() {
        Rig.await(CompletableFuture.runAsync(() -> Bridge.between(one, other), loops.get(0)));
    }

    @Test
    void whatEachSaysTheOtherHearsAlsoWhatWasSaidBefore() {
        one.says("a");
        join();
        one.says("b");
        other.says("c");

        assertThat(other.hears()).isEqualTo("a");
        assertThat(other.hears()).isEqualTo("b");
        assertThat(one.hears()).isEqualTo("c");
    }

    @Test
    void nothingIsTakenForWhomItCannotBeGiven() {
        join();
        other.stopsReading();
        one.says("a");
        other.says("b");
        one.hears();
        assertThat(one.untaken()).isEqualTo(1);
        other.readsOn();

        assertThat(other.hears()).isEqualTo("a");
    }

    @Test
    void whenOneEndsTheOtherHearsTheRestAndHow() {
        join();
        other.stopsReading();
        one.says("a");
        one.hangsUp(4000, "because");

        assertThat(other.hears()).isEqualTo("a");
        assertThat(other.ended()).isEqualTo(new WebSocketClose(4000, "because", false));
    }

    @Test
    void anEndWithoutACodeIsANormalOne() {
        join();
        one.hangsUp(1005, "");

        assertThat(other.ended().code()).isEqualTo(1000);
    }

    @Test
    void whatIsSaidToOneThatHasEndedIsNotTaken() {
        join();
        other.stopsReading();
        one.says("a");
        other.hangsUp(1012, "moved");

        assertThat(one.ended().code()).isEqualTo(1012);
        assertThat(one.untaken()).isEqualTo(1);
    }
}
