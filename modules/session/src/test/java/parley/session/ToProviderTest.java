package parley.session;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import parley.wire.Frame;

@Tag("unit")
@ExtendWith(NoLeaks.class)
class ToProviderTest {
    private final SessionMetrics metrics = new SessionMetrics();

    private final Utterance utterance = new Utterance(200, 1000, System::nanoTime);

    private ToProvider queue(int maxFrames, long maxAudioMs) {
        return new ToProvider(maxFrames, maxAudioMs, utterance, metrics);
    }

    private static List<String> drained(ToProvider queue) {
        var texts = new ArrayList<String>();
        for (var frame = queue.next(); frame != null; frame = queue.next()) {
            texts.add(frame.utf8());
            frame.release();
        }
        return texts;
    }

    @AfterEach
    void release() {
        utterance.release();
    }

    @Test
    void theOldestAudioIsDroppedAndCountedButNoEvent() {
        var queue = queue(16, 200);
        queue.audio(Frame.text("a1"), 100);
        queue.control(Frame.text("commit"));
        queue.audio(Frame.text("a2"), 100);
        queue.audio(Frame.text("a3"), 100);
        queue.audio(Frame.text("a4"), 50);

        assertThat(drained(queue)).containsExactly("commit", "a3", "a4");
        assertThat(metrics.microphoneDroppedMs()).isEqualTo(200);
    }

    @Test
    void theStrictCallerIsHeldBackByFramesOfAnyKind() {
        var queue = queue(2, Long.MAX_VALUE);
        queue.audio(Frame.text("a"), 100);
        assertThat(queue.isFull()).isFalse();
        queue.control(Frame.text("c"));

        assertThat(queue.isFull()).isTrue();
        drained(queue);
        assertThat(queue.isFull()).isFalse();
    }

    @Test
    void theGuidedCallerIsHeldBackByWhatCannotBeDropped() {
        var queue = queue(2, 1000);
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
