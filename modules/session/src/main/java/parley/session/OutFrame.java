package parley.session;

import org.jspecify.annotations.Nullable;
import parley.wire.Frame;

/**
 * A frame that waits for the caller.
 *
 * @param speech what it is a slice of; null for everything but agent audio
 * @param ends the response of which it is the last frame; null for every other frame
 */
record OutFrame(
        Frame frame,
        long audioMs,
        @Nullable Playback speech,
        @Nullable String ends) {
    static OutFrame control(Frame frame) {
        return new OutFrame(frame, 0, null, null);
    }

    static OutFrame audio(Frame frame, long ms, @Nullable Playback speech) {
        return new OutFrame(frame, ms, speech, null);
    }
}
