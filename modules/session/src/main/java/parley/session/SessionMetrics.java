package parley.session;

import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.LongAdder;

/** What the live halves of this node's sessions count. */
public final class SessionMetrics {
    final AtomicInteger live = new AtomicInteger();
    final LongAdder framesIn = new LongAdder();
    final LongAdder framesOut = new LongAdder();
    final LongAdder bargeIns = new LongAdder();
    final LongAdder staleAudioMs = new LongAdder();
    final LongAdder microphoneDroppedMs = new LongAdder();
    final LongAdder framesToNobody = new LongAdder();
    final LongAdder swallowedErrors = new LongAdder();
    final LongAdder malformedFrames = new LongAdder();

    /** Conversations that run on this node now. */
    public int live() {
        return live.get();
    }

    /** Frames relayed in both directions since the node started. */
    public long frames() {
        return framesIn.sum() + framesOut.sum();
    }

    /** Times a caller interrupted the agent. */
    public long bargeIns() {
        return bargeIns.sum();
    }

    /** Agent audio thrown away because its caller had interrupted it, in milliseconds. */
    public long staleAudioMs() {
        return staleAudioMs.sum();
    }

    /** Microphone audio dropped because the provider did not take it in time, in milliseconds. */
    public long microphoneDroppedMs() {
        return microphoneDroppedMs.sum();
    }

    /** Frames for callers that were not on the line. */
    public long framesToNobody() {
        return framesToNobody.sum();
    }

    /** Provider errors that answered something Parley itself had sent. */
    public long swallowedErrors() {
        return swallowedErrors.sum();
    }

    /** Callers' frames that were no events. */
    public long malformedFrames() {
        return malformedFrames.sum();
    }
}
