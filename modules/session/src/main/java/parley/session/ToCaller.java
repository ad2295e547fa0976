package parley.session;

import io.netty.buffer.ByteBuf;
import io.netty.channel.EventLoop;
import io.netty.util.concurrent.ScheduledFuture;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import parley.protocol.EventType;
import parley.protocol.Item;
import parley.protocol.Peek;
import parley.protocol.Wire;
import parley.wire.Frame;

/**
 * What waits for the caller, and what was sent and may have to be sent again.
 *
 * <p>For a guided face agent audio is let go at most {@code agent-lead} before it can be heard, and what belongs to a
 * response keeps its place behind the audio; everything else overtakes it. For the strict face all keeps its order and
 * leaves as fast as the caller takes it. A barge-in throws the waiting audio away on both. Beyond {@code agent-buffer} of
 * audio or {@value #MAX_FRAMES} frames, for the strict face {@code to-caller-frames}, the provider is to be held back;
 * beyond {@code to-caller-frames} that overtake, the caller.
 *
 * <p>A guided caller's events are numbered, and the last of them kept ({@link Replay}). While it is away what waits
 * stays, within the same bounds; when it is back, what it missed comes first, with its old numbers, or nothing of it when
 * not all is there: the history tells it then. But a caller who heard nothing at all since something was lost gets what was
 * sent since as if it had not been, but for what the history tells. For the strict face nothing is kept. Confined to the
 * conversation's loop.
 */
final class ToCaller {
    /** An item of which the caller heard only so much. */
    record Cut(String itemId, long heardMs) {}

    /**
     * What a caller who came back gets of what it missed: all of it or nothing.
     *
     * @param replayed events that are sent again
     * @param missedEvents events that are not; -1 when unknown
     * @param missedAudioMs agent audio in them; -1 when unknown
     * @param elsewhere whether what it missed was sent by an earlier host of the session
     * @param toldAnew items that are told from their beginning, so that the history need not
     */
    record Resumption(
            boolean recovered,
            int replayed,
            long missedEvents,
            long missedAudioMs,
            boolean elsewhere,
            Set<String> toldAnew) {
        /** The strict face has no numbers. */
        static final Resumption NOTHING_KEPT = missing(-1, -1, false, Set.of());

        static Resumption complete(int replayed) {
            return new Resumption(true, replayed, 0, 0, false, Set.of());
        }

        static Resumption missing(long events, long audioMs, boolean elsewhere, Set<String> toldAnew) {
            return new Resumption(false, 0, events, audioMs, elsewhere, toldAnew);
        }
    }

    /** @param only whether nothing but this frame tells the caller */
    private record Urgent(Frame frame, boolean only) {}

    /** A guided caller's frames of any kind: more than {@code agent-buffer} of speech comes in. */
    private static final int MAX_FRAMES = 8192;

    /** Clients read numbers as doubles. No honest caller names a higher one. */
    private static final long MAX_SEQ = 1L << 52;

    /** Events about the connection, for whoever is on the line now. */
    private final ArrayDeque<String> aboutConnection = new ArrayDeque<>(0);
    /** What the caller missed. The ring keeps it meanwhile: nothing is added to it before all of this was sent. */
    private final ArrayDeque<Replay.Sent> missed = new ArrayDeque<>(0);

    private final ArrayDeque<Urgent> urgent = new ArrayDeque<>();
    private final ArrayDeque<OutFrame> inTurn = new ArrayDeque<>();
    private final boolean guided;
    private final long leadMs;
    private final long bufferMs;
    private final int bufferFrames;
    private final SessionMetrics metrics;
    /** What is being heard and what is to be heard after it, in that order. */
    private final ArrayList<Playback> speech = new ArrayList<>();

    private final @Nullable Replay replay;
    private final ArrayList<String> fullySent = new ArrayList<>(0);
    /** On the strict face: the items of the open response. */
    private final Set<String> answer = new HashSet<>(0);

    private @Nullable String responding;
    private @Nullable String interrupted;
    /** On the strict face: the response that the client there has heard begin, and not end. */
    private @Nullable String known;
    /** On the strict face: the open response of which the client there knows nothing. */
    private @Nullable String unknown;

    private @Nullable ScheduledFuture<?> wake;
    private long wakeAt;
    private long waitingMs;
    private boolean away;
    /** The last number that was given. */
    private long seq;
    /** The last number that the caller has. */
    private long position;
    /** What was sent up to here is no longer to be heard: the caller has spoken over it. */
    private long cutUpTo;
    /** Who names a lower number has heard nothing of what was sent since something was lost. */
    private long gap;
    /** Who names a lower number has missed something of an earlier host. */
    private long elsewhere;

    /** @param seq the last number that the session gave before */
    ToCaller(Face face, SessionSettings settings, SessionMetrics metrics, long seq) {
        this.guided = face.guided();
        this.leadMs = settings.agentLead().toMillis();
        this.bufferMs = settings.agentBuffer().toMillis();
        this.bufferFrames = settings.toCallerFrames();
        this.metrics = metrics;
        this.replay = guided ? new Replay(settings, metrics, seq) : null;
        this.seq = seq;
        this.position = seq;
        this.cutUpTo = seq;
        this.gap = seq;
        this.elsewhere = seq;
    }

    /** The last number that was given. */
    long seq() {
        return seq;
    }

    /** Frames that wait to be sent for the first time; a guided face's will be numbered from {@link #seq} on. */
    int waiting() {
        return urgent.size() + inTurn.size();
    }

    /** Whether the provider is to be held back. */
    boolean isFull() {
        return guided ? waitingMs >= bufferMs || waiting() >= MAX_FRAMES : waiting() >= bufferFrames;
    }

    /** How much of its bound is used, 0 to 1 and a little more. */
    double fullness() {
        return guided
                ? Math.max((double) waitingMs / Math.max(1, bufferMs), (double) waiting() / MAX_FRAMES)
                : (double) waiting() / bufferFrames;
    }

    /** What is kept in case it was lost on the way; null on the strict face. */
    @Nullable
    Replay replay() {
        return replay;
    }

    /** Whether the speech that began last is on its way to the caller. */
    boolean isSpeaking() {
        return !speech.isEmpty() && speech.getLast().sentMs() > 0;
    }

    /** Whether the caller is to be held back: it does not take the answers to what it says. */
    boolean isFlooded() {
        return urgent.size() + aboutConnection.size() >= bufferFrames;
    }

    /**
     * Ahead of everything, for the caller who is on the line now: carries the number of the last event that this caller
     * has, and is not kept for another one. Dropped when nobody is.
     *
     * @param event a JSON object that is not empty
     */
    void aboutConnection(String event) {
        if (!away) {
            aboutConnection.add(event);
        }
    }

    /** Ahead of everything that was never sent. */
    void first(Frame frame) {
        urgent.addFirst(new Urgent(frame, false));
    }

    /** Ahead of everything that has its time. */
    void urgent(Frame frame) {
        urgent.add(new Urgent(frame, true));
    }

    /** The same of what the history, or the next introduction, tells as well. */
    void inHistory(Frame frame) {
        urgent.add(new Urgent(frame, false));
    }

    /** In its place among what the response says. */
    void control(Frame frame) {
        inTurn.add(OutFrame.control(frame));
    }

    /** An event of the provider, in the place that its kind has. */
    void event(Frame frame, Peek peek) {
        if (unknown != null && peek.isResponse(unknown)) {
            toNobody(frame);
        } else if (guided && peek.type() == EventType.ERROR) {
            urgent(frame);
        } else if (overtakes(peek.type())) {
            fromOutside(frame);
        } else {
            control(frame);
        }
    }

    /** An item of the conversation: what the caller said is no part of an answer. */
    void item(Item item, Frame frame) {
        if (item instanceof Item.FunctionCallOutput
                || (item instanceof Item.Message message && message.role() != Item.Role.ASSISTANT)) {
            fromOutside(frame);
        } else if (unknown != null && answer.contains(String.valueOf(item.id()))) {
            toNobody(frame);
        } else {
            control(frame);
        }
    }

    /** What is no part of an answer does not wait for one to be heard; the strict face keeps the provider's order. */
    void fromOutside(Frame frame) {
        if (guided) {
            inHistory(frame);
        } else {
            control(frame);
        }
    }

    void audio(Frame frame, Peek peek, long ms, Witness witness) {
        if (witness.isAside(peek)) {
            add(OutFrame.audio(frame, ms, null));
            return;
        }
        if (interrupted != null && peek.isResponse(interrupted)) {
            metrics.staleAudioMs.add(ms);
            witness.unheard(String.valueOf(peek.itemId()), ms);
            frame.release();
            return;
        }
        var playback = playbackOf(peek);
        playback.generated(ms);
        witness.generated(playback.itemId, ms);
        add(OutFrame.audio(frame, ms, playback));
    }

    private Playback playbackOf(Peek peek) {
        for (int i = speech.size() - 1; i >= 0; i--) {
            if (peek.isItem(speech.get(i).itemId)) {
                return speech.get(i);
            }
        }
        var begun = new Playback(
                String.valueOf(peek.itemId()),
                String.valueOf(peek.responseId()),
                speech.isEmpty() ? null : speech.getLast());
        speech.add(begun);
        return begun;
    }

    private void add(OutFrame frame) {
        inTurn.add(frame);
        waitingMs += frame.audioMs();
    }

    /** A response of the conversation, not one beside it. */
    void responseBegun(String responseId) {
        responding = responseId;
        answer.clear();
    }

    /** An item of a response. */
    void answersWith(String itemId, String responseId) {
        if (!guided && responseId.equals(responding)) {
            answer.add(itemId);
        }
    }

    /** The provider's word that a response has begun. */
    void responseCreated(String responseId, Frame frame) {
        inTurn.add(OutFrame.begins(frame, responseId.equals(responding) ? responseId : null));
    }

    /**
     * On the strict face: another client listens, which has heard nothing. What waited, and what is still to come of the
     * conversation's open response, is not for it.
     */
    void anotherClient() {
        known = null;
        nobodyListens();
    }

    /** On the strict face: whether the client there has not heard this response begin, and so hears nothing of it. */
    boolean isUnknown(String responseId) {
        return responseId.equals(unknown);
    }

    /** On the strict face: the response that began for the client there, and whose end was lost; null when there is none. */
    @Nullable
    String takeLeftOpen() {
        var open = known;
        if (open == null
                || open.equals(responding)
                || inTurn.stream().anyMatch(waiting -> open.equals(waiting.ends()))) {
            return null;
        }
        known = null;
        return open;
    }

    void responseDone(String responseId, Frame frame) {
        if (responseId.equals(interrupted)) {
            interrupted = null;
        }
        boolean conversation = responseId.equals(responding);
        if (conversation) {
            responding = null;
        }
        for (var item : speech) {
            if (item.responseId.equals(responseId)) {
                item.completed();
            }
        }
        if (responseId.equals(unknown)) {
            unknown = null;
            toNobody(frame);
        } else {
            inTurn.add(OutFrame.ends(frame, conversation ? responseId : null));
        }
    }

    private void toNobody(Frame frame) {
        metrics.framesToNobody.increment();
        frame.release();
    }

    /** The conversation's response that was begun and is not done; null when there is none. */
    @Nullable
    String openResponse() {
        return responding;
    }

    /** Responses that are done, and sent to the last frame since the last call. */
    List<String> takeFullySent() {
        if (fullySent.isEmpty()) {
            return List.of();
        }
        var taken = List.copyOf(fullySent);
        fullySent.clear();
        return taken;
    }

    /** The provider is gone: no more comes of what it was saying. What waits is still heard. */
    void upstreamLost() {
        interrupted = null;
        speech.forEach(Playback::completed);
    }

    /** What has been heard by now of each item that is being heard or is to be heard, in that order. */
    List<Cut> heard(long now) {
        var heard = new ArrayList<Cut>();
        for (var item : speech) {
            heard.add(new Cut(item.itemId, item.heardMs(now)));
        }
        return heard;
    }

    /** A turn boundary as the caller hears it: no response is open, no audio waits and none is being heard. */
    boolean isQuiet(long now) {
        if (responding != null || waitingMs > 0 || !missed.isEmpty()) {
            return false;
        }
        return !guided || speech.stream().noneMatch(item -> item.isPlaying(now));
    }

    void playback(String itemId, long playedMs, long now) {
        for (var item : speech) {
            if (playedMs >= 0 && item.itemId.equals(itemId)) {
                item.acknowledged(playedMs, now);
            }
        }
    }

    /**
     * The caller speaks: nothing more of what the agent was saying leaves. Tells what was cut, in the order in which it
     * would have been heard.
     */
    List<Cut> interrupt(long now) {
        if (responding != null) {
            interrupted = responding;
        } else if (!speech.isEmpty() && !speech.getLast().isComplete()) {
            interrupted = speech.getLast().responseId;
        }
        drop(waiting -> waiting.speech() != null);
        int current = 0;
        for (int i = 0; i < speech.size(); i++) {
            if (speech.get(i).heardMs(now) > 0) {
                current = i;
            }
        }
        var cuts = new ArrayList<Cut>();
        for (var item : speech.subList(Math.min(current, speech.size()), speech.size())) {
            if (!item.isOver(now)) {
                cuts.add(new Cut(item.itemId, item.heardMs(now)));
            }
        }
        speech.clear();
        cutUpTo = seq;
        return cuts;
    }

    /** The word that this response is done does not leave: somebody else goes on with it. */
    void withhold(String responseId) {
        drop(waiting -> responseId.equals(waiting.ends()));
    }

    void dropAudio() {
        drop(waiting -> waiting.speech() != null || waiting.audioMs() > 0);
    }

    private void drop(Predicate<OutFrame> unwanted) {
        for (var all = inTurn.iterator(); all.hasNext(); ) {
            var waiting = all.next();
            if (unwanted.test(waiting)) {
                all.remove();
                waitingMs -= waiting.audioMs();
                metrics.staleAudioMs.add(waiting.audioMs());
                waiting.frame().release();
            }
        }
    }

    /** Nobody is on the line, nor will be: what waits is for nobody, and nothing is sent again. */
    void nobodyListens() {
        metrics.framesToNobody.add(waiting());
        urgent.forEach(waiting -> waiting.frame().release());
        urgent.clear();
        inTurn.forEach(waiting -> waiting.frame().release());
        inTurn.clear();
        if (!guided && responding != null && !responding.equals(known)) {
            unknown = responding;
        }
        waitingMs = 0;
        aboutConnection.clear();
        missed.clear();
        if (replay != null) {
            replay.clear(seq);
        }
        if (speech.size() > 1) {
            speech.subList(0, speech.size() - 1).clear();
            speech.getLast().isFirst();
        }
    }

    /** The caller has every event up to this one. */
    void acked(long upTo) {
        if (replay != null) {
            replay.acked(Math.min(upTo, position));
        }
    }

    void absent() {
        absent(System.nanoTime());
    }

    /** The caller's line has ended. What waits stays for a guided face; nothing is heard meanwhile. Safe to repeat. */
    void absent(long now) {
        if (!guided) {
            nobodyListens();
            return;
        }
        away = true;
        aboutConnection.clear();
        missed.clear();
        speech.forEach(item -> item.halted(now));
        if (wake != null) {
            wake.cancel(false);
            wake = null;
        }
    }

    Resumption present(long lastSeq) {
        return present(lastSeq, System.nanoTime());
    }

    /**
     * A caller is on the line, instead of any other. Said first: events about the connection that wait are for the one
     * before.
     *
     * @param lastSeq the number of the last event that it has; -1 when it did not say
     */
    Resumption present(long lastSeq, long now) {
        return present(lastSeq, true, true, now);
    }

    /**
     * @param whole whether everything that was ever numbered may be here; else something of it is lost
     * @param here whether a caller was on the line here before
     */
    Resumption present(long lastSeq, boolean whole, boolean here, long now) {
        if (replay == null) {
            return Resumption.NOTHING_KEPT;
        }
        // Who makes the new line before the old one breaks goes on hearing on that, and acknowledging.
        boolean stillThere = !away;
        absent(now);
        away = false;
        long named = stillThere && lastSeq >= 0 ? Math.max(lastSeq, replay.acked()) : lastSeq;
        long last = named < 0 && seq == 0 ? 0 : named;
        if (whole && last <= seq && replay.reachesBackTo(last)) {
            return recovered(replay.after(last), last, now);
        }
        boolean ofAnother = !whole || !here || (last >= 0 && last < elsewhere);
        return heardNothingSinceTheGap(replay, last)
                ? unheard(replay, ofAnother, now)
                : unrecovered(replay, last, ofAnother, now);
    }

    /** Whether its line is still there says nothing: it may be dead, and what the caller tells of its playback is not. */
    private boolean heardNothingSinceTheGap(Replay kept, long last) {
        return last >= 0
                && last < gap
                && kept.reachesBackTo(gap)
                && kept.after(gap).stream()
                        .noneMatch(
                                sent -> sent.speech() != null && sent.speech().isToldPlayed(sent.speechMs()));
    }

    private Resumption recovered(List<Replay.Sent> lost, long last, long now) {
        position = last;
        missed.addAll(lost);
        rewind(lost, now);
        return Resumption.complete(lost.size());
    }

    /** The agent goes on where the caller stopped to hear it. */
    private void rewind(List<Replay.Sent> lost, long now) {
        var heardAgain = new ArrayList<Playback>();
        for (var sent : lost) {
            var item = sent.speech();
            if (item != null && sent.seq() > cutUpTo) {
                item.unsent(sent.speechMs());
                if (!speech.contains(item) && !heardAgain.contains(item)) {
                    heardAgain.add(item);
                }
            }
        }
        speech.addAll(0, heardAgain);
        Playback first = null;
        for (var item : speech) {
            item.resumed(first, now);
            first = item;
        }
    }

    private Resumption unrecovered(Replay kept, long last, boolean ofAnother, long now) {
        boolean told = last >= 0 && last <= seq;
        var missing =
                Resumption.missing(told ? seq - last : -1, told ? kept.audioMsAfter(last) : -1, ofAnother, Set.of());
        var lost = told ? kept.after(last) : List.<Replay.Sent>of();
        for (var item : speech) {
            item.lost(firstMsOf(item, lost), now);
        }
        leaveGap(kept, last, ofAnother);
        return missing;
    }

    /**
     * What was sent since the gap is put back, without its numbers. An answer whose last frame is among it has ended for
     * whoever asks {@link #takeFullySent}, and stays so.
     */
    private Resumption unheard(Replay kept, boolean ofAnother, long now) {
        var lost = kept.after(gap);
        rewind(lost, now);
        var peek = new Peek();
        var toldAnew = new HashSet<String>();
        for (var sent : lost.reversed()) {
            if (sent.only() && sent.seq() > cutUpTo) {
                var frame = sent.anew();
                begunBy(frame, peek).ifPresent(toldAnew::add);
                inTurn.addFirst(OutFrame.audio(frame, sent.audioMs(), sent.speech()));
                waitingMs += sent.audioMs();
            }
        }
        leaveGap(kept, seq, ofAnother);
        return Resumption.missing(-1, -1, ofAnother, toldAnew);
    }

    private static Optional<String> begunBy(Frame frame, Peek peek) {
        var bytes = frame.view();
        return peek.scan(bytes, bytes.position(), frame.length()) && peek.type() == EventType.RESPONSE_OUTPUT_ITEM_ADDED
                ? Optional.ofNullable(
                        Wire.parse(frame.bytes()).path("item").path("id").textValue())
                : Optional.empty();
    }

    /** One number is left out: who comes back with an earlier one has not even heard that something was lost. */
    private void leaveGap(Replay kept, long last, boolean ofAnother) {
        metrics.replayMisses.increment();
        seq = (last > seq && last <= MAX_SEQ ? last : seq) + 1;
        position = seq;
        cutUpTo = seq;
        gap = seq;
        if (ofAnother) {
            elsewhere = seq;
        }
        kept.clear(seq);
    }

    private static long firstMsOf(Playback item, List<Replay.Sent> slices) {
        for (var sent : slices) {
            if (sent.speech() == item) {
                return sent.speechMs();
            }
        }
        return item.sentMs();
    }

    /**
     * The next frame that may leave now, or null; then {@code readable} is run when the time of the next has come.
     */
    @Nullable
    Frame next(long now, EventLoop loop, Runnable readable) {
        if (away) {
            return null;
        }
        var about = aboutConnection.poll();
        if (about != null) {
            return guided ? withNumber(Frame.text(about), position) : Frame.text(about);
        }
        var lost = missed.poll();
        if (lost != null) {
            return again(lost, now);
        }
        var first = urgent.poll();
        if (first != null) {
            return numbered(OutFrame.control(first.frame()), 0, first.only());
        }
        var waiting = inTurn.peek();
        if (waiting == null) {
            return null;
        }
        var slice = waiting.speech();
        long from = 0;
        if (slice != null) {
            long due = guided ? slice.dueIn(leadMs, now) : 0;
            if (due > 0) {
                wakeIn(due, now, loop, readable);
                return null;
            }
            from = slice.sentMs();
            slice.sent(waiting.audioMs(), now);
            forgetHeard(now);
        }
        inTurn.remove();
        waitingMs -= waiting.audioMs();
        if (waiting.ends() != null) {
            fullySent.add(waiting.ends());
            known = null;
        } else if (!guided && waiting.begins() != null) {
            known = waiting.begins();
        }
        return numbered(waiting, from, true);
    }

    /** Not paced: it had its time, and what comes after it, a barge-in perhaps, must not wait. */
    private Frame again(Replay.Sent sent, long now) {
        metrics.replayedEvents.increment();
        position = sent.seq();
        if (sent.speech() != null && sent.seq() > cutUpTo) {
            sent.speech().sent(sent.audioMs(), now);
            forgetHeard(now);
        }
        return sent.again();
    }

    /** An item is over when the next one is being heard, or nothing of it is left. */
    private void forgetHeard(long now) {
        while (speech.size() > 1
                && (speech.getFirst().isOver(now) || speech.get(1).heardMs(now) > 0)) {
            speech.removeFirst();
        }
    }

    private void wakeIn(long nanos, long now, EventLoop loop, Runnable readable) {
        if (wake != null && !wake.isDone()) {
            if (wakeAt - (now + nanos) <= 0) {
                return;
            }
            wake.cancel(false);
        }
        wakeAt = now + nanos;
        wake = loop.schedule(readable, nanos, TimeUnit.NANOSECONDS);
    }

    /** Guided faces count the events of a session, so that a caller who comes back can say what was the last. */
    private Frame numbered(OutFrame out, long speechMs, boolean only) {
        var frame = out.frame();
        if (replay == null) {
            return frame;
        }
        var numbered = withNumber(frame, seq + 1);
        if (numbered != frame) {
            seq++;
            position = seq;
            replay.keep(seq, numbered, out.audioMs(), out.speech(), speechMs, only);
        }
        return numbered;
    }

    /** What is no JSON object with a key stays as it is. */
    private static Frame withNumber(Frame frame, long number) {
        if (!frame.isText()) {
            return frame;
        }
        var bytes = frame.buffer();
        int brace = skipSpace(bytes, bytes.readerIndex());
        if (brace >= bytes.writerIndex() || bytes.getByte(brace) != '{') {
            return frame;
        }
        int key = skipSpace(bytes, brace + 1);
        if (key >= bytes.writerIndex() || bytes.getByte(key) != '"') {
            return frame;
        }
        return Frame.spliced(Replay.prefix(number), frame, brace + 1 - bytes.readerIndex());
    }

    private static int skipSpace(ByteBuf bytes, int from) {
        int at = from;
        while (at < bytes.writerIndex() && bytes.getByte(at) <= ' ' && bytes.getByte(at) >= 0) {
            at++;
        }
        return at;
    }

    private static boolean overtakes(EventType type) {
        return switch (type) {
            case INPUT_AUDIO_BUFFER_SPEECH_STARTED,
                    INPUT_AUDIO_BUFFER_SPEECH_STOPPED,
                    INPUT_AUDIO_BUFFER_COMMITTED,
                    INPUT_AUDIO_BUFFER_CLEARED,
                    INPUT_AUDIO_BUFFER_TIMEOUT_TRIGGERED,
                    CONVERSATION_ITEM_INPUT_AUDIO_TRANSCRIPTION_DELTA,
                    CONVERSATION_ITEM_INPUT_AUDIO_TRANSCRIPTION_COMPLETED,
                    CONVERSATION_ITEM_INPUT_AUDIO_TRANSCRIPTION_FAILED,
                    CONVERSATION_ITEM_TRUNCATED,
                    ERROR,
                    SESSION_UPDATED -> true;
            default -> false;
        };
    }
}
