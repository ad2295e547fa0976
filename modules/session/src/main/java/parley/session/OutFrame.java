package parley.session;

import org.jspecify.annotations.Nullable;
import parley.wire.Frame;

/**
 * A frame that waits for the caller.
 *
 * @param speech what it is a slice of; null for everything but agent audio
 */
record OutFrame(Frame frame, long audioMs, @Nullable Playback speech) {}
