package parley.session;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import parley.wire.Frame;

@Tag("unit")
@ExtendWith(NoLeaks.class)
class ToProviderTest {
    private final SessionMetrics metrics = new SessionMetrics();

    private static List<String> drained(ToProvider queue, boolean all) {
        var texts = new ArrayList<String>();
        for (var frame = queue.next(all); frame != null; frame = queue.next(all)) {
            texts.add(frame.utf8());
            frame.release();
        }
        return texts;
    }

    @Test
    void openingEventsGoFirstAndAloneUntilTheCallersMayPass() {
        var queue = new ToProvider(16, Long.MAX_VALUE, metrics);
        queue.control(Frame.text("caller"));
        queue.first(Frame.text("opening"));

        assertThat(drained(queue, false)).containsExactly("opening");
        assertThat(drained(queue, true)).containsExactly("caller");
    }

    @Test
    void theOldestAudioIsDroppedAndCountedButNoEvent() {
        var queue = new ToProvider(16, 200, metrics);
        queue.audio(Frame.text("a1"), 100);
        queue.control(Frame.text("commit"));
        queue.audio(Frame.text("a2"), 100);
        queue.audio(Frame.text("a3"), 100);
        queue.audio(Frame.text("a4"), 50);

        assertThat(drained(queue, true)).containsExactly("commit", "a3", "a4");
        assertThat(metrics.microphoneDroppedMs()).isEqualTo(200);
    }

    @Test
    void theStrictCallerIsHeldBackByFramesOfAnyKind() {
        var queue = new ToProvider(2, Long.MAX_VALUE, metrics);
        queue.audio(Frame.text("a"), 100);
        assertThat(queue.isFull()).isFalse();
        queue.control(Frame.text("c"));

        assertThat(queue.isFull()).isTrue();
        drained(queue, true);
        assertThat(queue.isFull()).isFalse();
    }

    @Test
    void theGuidedCallerIsHeldBackByWhatCannotBeDropped() {
        var queue = new ToProvider(2, 1000, metrics);
        for (int i = 0; i < 9; i++) {
            queue.audio(Frame.text("a"), 100);
        }
        assertThat(queue.isFull()).isFalse();
        queue.control(Frame.text("c"));
        queue.audio(Frame.text("empty"), 0);

        assertThat(queue.isFull()).isTrue();
        queue.release();
        assertThat(queue.isFull()).isFalse();
    }
}
