package parley.provider.simulator;

import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import parley.protocol.AudioFormat;
import parley.protocol.Content;
import parley.protocol.Ids;
import parley.protocol.Item;
import parley.protocol.ServerEvent;
import parley.protocol.TranscriptionUsage;
import parley.protocol.TurnDetection;

/**
 * Audio in: from appended base64 to turns of the conversation.
 *
 * <p>Sound is looked at in windows of {@link VoiceActivity#WINDOW_MILLIS}; positions are milliseconds of all audio ever
 * appended to the session. Decoding and measuring use buffers that live as long as the session, so a frame leaves no
 * garbage. Semantic detection is loudness with a patience that depends on the eagerness.
 */
final class Listening {

    /** What the end, the begin or the lack of a turn means for answers. */
    interface Turns {
        /** Speech began and interrupts whoever speaks. */
        void interrupted();

        /** A turn is complete and wants an answer. */
        void ended();

        /** Whether an answer is being made. */
        boolean answering();
    }

    static final double THRESHOLD = 0.5;
    static final int PREFIX_MILLIS = 300;
    static final int SILENCE_MILLIS = 500;

    private static final long SHORTEST_COMMIT_MILLIS = 100;
    private static final int LATE = 50;
    private static final int LARGEST_KEPT_SCRATCH = 256 * 1024;

    private final LiveSession session;
    private final Conversation conversation;
    private final Events events;
    private final Timers timers;
    private final Turns turns;
    private final long transcriptionDelay;
    private final Diary diary;
    private final VoiceActivity activity = new VoiceActivity();
    private final Pitch pitch = new Pitch();
    private final Turn turn;
    private byte[] scratch = {};
    private int carried;
    private AudioFormat format;
    private long base;
    private long bytes;
    private long lastCommitEnd;
    private @Nullable String comingItem;
    private Timers.@Nullable Timer idle;

    Listening(Parts parts, Turns turns) {
        this.session = parts.session();
        this.conversation = parts.conversation();
        this.events = parts.events();
        this.timers = parts.timers();
        this.turns = turns;
        this.transcriptionDelay = parts.settings().transcriptionDelay().toMillis();
        this.diary = parts.diary();
        this.turn = new Turn(parts.settings().longestTurn(), parts.counters());
        this.format = session.inputFormat();
    }

    /**
     * Takes base64 from the middle of a message.
     *
     * @return false, and nothing is taken, when it is not base64
     */
    boolean append(byte[] message, int from, int length) {
        adoptFormat();
        int need = carried + Base64Audio.room(length);
        if (scratch.length < need) scratch = Arrays.copyOf(scratch, Math.max(need, 4096));
        int decoded = Base64Audio.decode(message, from, length, scratch, carried);
        if (decoded < 0) return false;
        diary.audio(decoded * 1000L / format.bytesPerMillisecond());
        int end = carried + decoded;
        int window = VoiceActivity.WINDOW_MILLIS * format.bytesPerMillisecond();
        int at = 0;
        for (; at + window <= end; at += window) hear(at, window);
        carried = end - at;
        System.arraycopy(scratch, at, scratch, 0, carried);
        if (scratch.length > LARGEST_KEPT_SCRATCH) scratch = Arrays.copyOf(scratch, carried + window);
        return true;
    }

    /** The client ends the turn. */
    void commit(@Nullable String clientEventId) {
        adoptFormat();
        turn.add(scratch, 0, carried, false);
        bytes += carried;
        carried = 0;
        long millis = turn.bytes() / format.bytesPerMillisecond();
        if (millis < SHORTEST_COMMIT_MILLIS) {
            events.refuse(
                    clientEventId,
                    new Refusal(
                            "input_audio_buffer_commit_empty",
                            "Error committing input audio buffer: buffer too small. Expected at least 100ms of audio,"
                                    + " but buffer only has " + millis + "ms of audio.",
                            null));
            return;
        }
        activity.forget();
        commit();
    }

    void clear() {
        turn.clear();
        pitch.forget();
        carried = 0;
        activity.forget();
        comingItem = null;
        events.send(new ServerEvent.InputAudioBufferCleared(Ids.event()));
    }

    /** The session was updated: a detection that was switched off stops in the middle of a turn. */
    void sessionChanged() {
        adoptFormat();
        if (detection() == null) {
            activity.forget();
            stopWaiting();
        }
    }

    /** An answer has been sent in full, and will have been heard so many milliseconds from now. */
    void answered(long playedAfterMillis) {
        stopWaiting();
        var detection = detection();
        if (detection == null || detection.idleTimeoutMs() == null || activity.speaking()) return;
        idle = timers.after(playedAfterMillis + detection.idleTimeoutMs(), this::idleForTooLong);
    }

    private void hear(int at, int window) {
        var detection = detection();
        double threshold = detection == null ? THRESHOLD : Objects.requireNonNullElse(detection.threshold(), THRESHOLD);
        double meanSquare = Samples.meanSquare(format, scratch, at, window);
        boolean loud = meanSquare > VoiceActivity.level(threshold);
        turn.add(scratch, at, window, loud);
        if (loud) pitch.hear(format, scratch, at, window);
        bytes += window;
        if (detection == null) return;
        switch (activity.hear(meanSquare, threshold, silenceMillis(detection))) {
            case STARTED -> started(detection);
            case STOPPED -> stopped(detection);
            case NONE -> {
                if (!activity.speaking()) forgetOldSilence(detection);
                if (!activity.speaking() && !loud) pitch.forget();
            }
        }
    }

    private void started(TurnDetection detection) {
        stopWaiting();
        long newest = onsetMillis() + prefixMillis(detection);
        turn.keepNewest(newest * format.bytesPerMillisecond());
        comingItem = Ids.item();
        long start = Math.max(lastCommitEnd, position() - newest);
        events.send(new ServerEvent.InputAudioBufferSpeechStarted(Ids.event(), comingItem, Math.max(0, start)));
        if (detection.interruptResponse()) turns.interrupted();
    }

    private void stopped(TurnDetection detection) {
        var item = Objects.requireNonNullElseGet(comingItem, Ids::item);
        comingItem = item;
        events.send(new ServerEvent.InputAudioBufferSpeechStopped(Ids.event(), item, position()));
        commit();
        if (detection.createResponse()) turns.ended();
    }

    /** Makes the turn an item. */
    private void commit() {
        var id = Objects.requireNonNullElseGet(comingItem, Ids::item);
        comingItem = null;
        lastCommitEnd = position();
        long millis = turn.bytes() / format.bytesPerMillisecond();
        long speech = turn.speechBytes() / format.bytesPerMillisecond();
        var entry = userItem(id);
        entry.sounds(millis, speech);
        entry.pitched(pitch);
        pitch.forget();
        diary.heard(entry);
        conversation.keep(entry, turn.take(format));
        if (session.transcribes()) timers.after(transcriptionDelay(), () -> transcribe(entry));
    }

    private Entry userItem(String id) {
        var entry = new Entry(
                id,
                new Item.Message(
                        id, Item.Status.COMPLETED, Item.Role.USER, List.of(new Content.InputAudio(null, null))));
        events.send(new ServerEvent.InputAudioBufferCommitted(Ids.event(), conversation.last(), id));
        var previous = conversation.append(entry);
        events.send(new ServerEvent.ConversationItemAdded(Ids.event(), previous, entry.item()));
        events.send(new ServerEvent.ConversationItemDone(Ids.event(), previous, entry.item()));
        return entry;
    }

    /** The protocol lets it come at any time after the commit, even after the answer. */
    private long transcriptionDelay() {
        return events.shuffles() ? transcriptionDelay * LATE : transcriptionDelay;
    }

    /** Says what was measured; nothing here can recognise a word. */
    private void transcribe(Entry entry) {
        var transcript = transcript(entry);
        entry.become(Entry.withTranscript(entry.item(), transcript));
        events.send(new ServerEvent.ConversationItemInputAudioTranscriptionDelta(
                Ids.event(), entry.id(), 0, transcript, null));
        events.send(new ServerEvent.ConversationItemInputAudioTranscriptionCompleted(
                Ids.event(),
                entry.id(),
                0,
                transcript,
                new TranscriptionUsage.Duration(entry.audioMillis() / 1000.0),
                null,
                null));
    }

    private static String transcript(Entry entry) {
        if (entry.speechMillis() == 0) {
            return String.format(Locale.ROOT, "[silence, %.1f s]", entry.audioMillis() / 1000.0);
        }
        var pitch = entry.isTone() ? ", " + entry.hertz() + " Hz" : "";
        return String.format(Locale.ROOT, "[speech, %.1f s%s]", entry.speechMillis() / 1000.0, pitch);
    }

    private void idleForTooLong() {
        idle = null;
        if (activity.speaking() || turns.answering()) return;
        var id = Ids.item();
        events.send(new ServerEvent.InputAudioBufferTimeoutTriggered(Ids.event(), id, lastCommitEnd, position()));
        lastCommitEnd = position();
        turn.clear();
        pitch.forget();
        userItem(id);
        turns.ended();
    }

    /** Waits for nothing any more. */
    void stopWaiting() {
        if (idle != null) idle.cancel();
        idle = null;
    }

    /** What is counted as appended so far; sound shorter than a window waits for more. */
    private long position() {
        return base + bytes / format.bytesPerMillisecond();
    }

    /** A format that changed in the middle of a session begins a new turn. */
    private void adoptFormat() {
        var now = session.inputFormat();
        if (now == format) return;
        base = position();
        bytes = 0;
        carried = 0;
        turn.clear();
        pitch.forget();
        activity.forget();
        comingItem = null;
        format = now;
    }

    private @Nullable TurnDetection detection() {
        return session.turnDetection();
    }

    private void forgetOldSilence(TurnDetection detection) {
        long keep = (onsetMillis() + prefixMillis(detection)) * format.bytesPerMillisecond();
        // Moving the bytes only now and then makes it cheap.
        if (turn.bytes() > 4 * keep) turn.keepNewest(keep);
    }

    private static long onsetMillis() {
        return (long) VoiceActivity.ONSET_WINDOWS * VoiceActivity.WINDOW_MILLIS;
    }

    private static long prefixMillis(TurnDetection detection) {
        return Objects.requireNonNullElse(detection.prefixPaddingMs(), PREFIX_MILLIS);
    }

    private static long silenceMillis(TurnDetection detection) {
        if (detection.type().equals("server_vad")) {
            return Objects.requireNonNullElse(detection.silenceDurationMs(), SILENCE_MILLIS);
        }
        return switch (Objects.requireNonNullElse(detection.eagerness(), "auto")) {
            case "low" -> 1600;
            case "high" -> 400;
            default -> 800;
        };
    }
}
