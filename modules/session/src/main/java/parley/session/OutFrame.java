package parley.session;

import org.jspecify.annotations.Nullable;
import parley.wire.Frame;

/**
 * A frame that waits for the caller.
 *
 * @param speech what it is a slice of; null for everything but agent audio
 * @param begins the conversation's response of which it is the first frame; null for every other frame
 * @param ends the conversation's response of which it is the last frame; null for every other frame
 */
record OutFrame(
        Frame frame,
        long audioMs,
        @Nullable Playback speech,
        @Nullable String begins,
        @Nullable String ends) {
    static OutFrame control(Frame frame) {
        return new OutFrame(frame, 0, null, null, null);
    }

    static OutFrame begins(Frame frame, @Nullable String response) {
        return new OutFrame(frame, 0, null, response, null);
    }

    static OutFrame ends(Frame frame, @Nullable String response) {
        return new OutFrame(frame, 0, null, null, response);
    }

    static OutFrame audio(Frame frame, long ms, @Nullable Playback speech) {
        return new OutFrame(frame, ms, speech, null, null);
    }
}
