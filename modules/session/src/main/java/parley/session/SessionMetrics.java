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
    final LongAdder framesOverRate = new LongAdder();
    final LongAdder dialsRefused = new LongAdder();
    final LongAdder upstreamsLost = new LongAdder();
    final LongAdder upstreamsMute = new LongAdder();
    final LongAdder redialled = new LongAdder();
    final LongAdder rollovers = new LongAdder();
    final LongAdder fenced = new LongAdder();
    final LongAdder handedOver = new LongAdder();
    final LongAdder takenOver = new LongAdder();
    final LongAdder resumesRecovered = new LongAdder();
    final LongAdder resumesNotRecovered = new LongAdder();
    final LongAdder journalFailures = new LongAdder();
    final LongAdder relinked = new LongAdder();
    final LongAdder relinksFailed = new LongAdder();
    final LongAdder relinkDroppedMs = new LongAdder();
    final LongAdder replayedEvents = new LongAdder();
    final LongAdder replayMisses = new LongAdder();
    final LongAdder replayForgottenMs = new LongAdder();
    final LongAdder costAlerts = new LongAdder();
    final LongAdder costCaps = new LongAdder();
    final LongAdder budgetStops = new LongAdder();

    final LongAdder probes = new LongAdder();
    final LongAdder probesFailed = new LongAdder();

    /** Synthetic sessions that were tried. */
    public long probes() {
        return probes.sum();
    }

    /** Those in which nobody would have been answered. */
    public long probesFailed() {
        return probesFailed.sum();
    }

    /** Conversations that run on this node now. */
    public int live() {
        return live.get();
    }

    /** Sessions that have cost {@code alert-usd}. */
    public long costAlerts() {
        return costAlerts.sum();
    }

    /** Sessions that were to end because they had cost {@code cap-usd}. */
    public long costCaps() {
        return costCaps.sum();
    }

    /** Sessions that were to end because the budget that they share was used up. */
    public long budgetStops() {
        return budgetStops.sum();
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

    /** Callers' frames of audio that were dropped because they came faster than they may. */
    public long framesOverRate() {
        return framesOverRate.sum();
    }

    /** Calls that a provider did not take. */
    public long dialsRefused() {
        return dialsRefused.sum();
    }

    /** Providers that were lost in the middle of a conversation. */
    public long upstreamsLost() {
        return upstreamsLost.sum();
    }

    /** Of those lost, the ones that owed an answer and said nothing. */
    public long upstreamsMute() {
        return upstreamsMute.sum();
    }

    /** Conversations that found a provider again. */
    public long redialled() {
        return redialled.sum();
    }

    /** Providers that were replaced between two turns because of their age. */
    public long rollovers() {
        return rollovers.sum();
    }

    /** Conversations that were ended because another node holds their session. */
    public long fenced() {
        return fenced.sum();
    }

    /** Sessions that this node handed over in good order. */
    public long handedOver() {
        return handedOver.sum();
    }

    /** Sessions that this node took over from one that was lost. */
    public long takenOver() {
        return takenOver.sum();
    }

    /** Callers who came back and got everything they had missed. */
    public long resumesRecovered() {
        return resumesRecovered.sum();
    }

    /** Callers who came back and got the history, because what they had missed was gone. */
    public long resumesNotRecovered() {
        return resumesNotRecovered.sum();
    }

    /** Writes that the journal did not take; each is tried again. */
    public long journalFailures() {
        return journalFailures.sum();
    }

    /** Events sent a second time, to callers that came back. */
    public long replayedEvents() {
        return replayedEvents.sum();
    }

    /** Times a caller came back and what it missed was not kept any more. */
    public long replayMisses() {
        return replayMisses.sum();
    }

    /** Agent audio that was sent and, unacknowledged, no longer kept, because newer took its place, in milliseconds. */
    public long replayForgottenMs() {
        return replayForgottenMs.sum();
    }

    /** Times a caller's line was found again while its connection stayed open. */
    public long relinked() {
        return relinked.sum();
    }

    /** Callers that were sent away because their session's line could not be found again. */
    public long relinksFailed() {
        return relinksFailed.sum();
    }

    /** Microphone audio dropped while a session's line was sought, in milliseconds. */
    public long relinkDroppedMs() {
        return relinkDroppedMs.sum();
    }
}
