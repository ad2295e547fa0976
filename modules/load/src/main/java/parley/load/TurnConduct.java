package parley.load;

import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;

/**
 * A polite caller with an open microphone: pauses, speaks a sentence, waits for the answer, listens to it for as long
 * as it sounds, and pauses again. Frames of silence go out whenever the caller does not speak.
 *
 * <p>A turn belongs to the measured window when its last voiced frame was due in it.
 */
final class TurnConduct implements Conduct {
    private static final long PATIENCE = TimeUnit.SECONDS.toNanos(15);
    private static final long LONGEST_ANSWER = TimeUnit.SECONDS.toNanos(120);
    private static final long FIRST_PAUSE = TimeUnit.SECONDS.toNanos(3);
    private static final long PAUSE = TimeUnit.MILLISECONDS.toNanos(300);
    private static final double CHARS_PER_MILLISECOND = Speech.BYTES_PER_MILLISECOND * 4 / 3.0;

    private enum Phase {
        PAUSING,
        SPEAKING,
        WAITING,
        LISTENING
    }

    /** The sound of all callers: made once, shared. */
    record Voice(List<AppendText> sentence, AppendText silence) {
        static Voice of(int frameMillis) {
            return new Voice(Speech.sentence(frameMillis), Speech.silence(frameMillis));
        }
    }

    private final Voice voice;
    private final Tally tally;
    private final SplittableRandom random;
    private final ResponseOrder order = new ResponseOrder();
    private Phase phase = Phase.PAUSING;
    private boolean begun;
    /** When the pause ends. */
    private long resumeAt;

    private int spoken;
    private long spokenAt;
    private boolean stopSeen;
    private long stopSeenAt;
    private long firstAudioAt;
    /** When a loudspeaker would fall silent. */
    private long playedAt;

    private boolean answerDone;

    TurnConduct(Voice voice, Tally tally, long seed) {
        this.voice = voice;
        this.tally = tally;
        this.random = new SplittableRandom(seed);
    }

    @Override
    public void speak(ChannelHandlerContext socket, Schedule schedule, long due) {
        switch (phase) {
            case PAUSING -> {
                if (!begun) {
                    begun = true;
                    resumeAt = due + random.nextLong(FIRST_PAUSE);
                }
                if (due - resumeAt >= 0) startSpeaking();
            }
            case SPEAKING -> {}
            case WAITING -> {
                if (due - spokenAt > PATIENCE) fail("no answer", schedule, due);
            }
            case LISTENING -> {
                if (answerDone && due - playedAt >= 0) {
                    if (schedule.measured(spokenAt)) tally.turnsCompleted++;
                    pause(due);
                } else if (due - firstAudioAt > LONGEST_ANSWER) {
                    fail("answer without end", schedule, due);
                }
            }
        }
        boolean speaking = phase == Phase.SPEAKING;
        var text = speaking ? voice.sentence().get(spoken) : voice.silence();
        if (Conduct.send(socket, text.shared(), tally)
                && speaking
                && ++spoken == voice.sentence().size()) {
            spokenAt = due;
            phase = Phase.WAITING;
        }
    }

    @Override
    public void hear(EventScan scan, EventScan.Kind kind, ByteBuf text, Schedule schedule) {
        long now = System.nanoTime();
        switch (kind) {
            case SPEECH_STOPPED -> {
                stopSeen = true;
                stopSeenAt = now;
            }
            case RESPONSE_CREATED ->
                check(order.created(
                        EventJson.read(text).path("response").path("id").asText()));
            case AUDIO_DELTA -> {
                tally.heard.increment();
                check(order.audio(scan.responseId(), scan.itemId()));
                play(scan.deltaChars(), now, schedule);
            }
            case AUDIO_DONE -> check(order.audioDone(scan.responseId(), scan.itemId()));
            case RESPONSE_DONE -> {
                var response = EventJson.read(text).path("response");
                check(order.done(response.path("id").asText()));
                answered(response.path("status").asText(), schedule, now);
            }
            case MALFORMED -> tally.corrupt++;
            default -> {}
        }
    }

    private void startSpeaking() {
        phase = Phase.SPEAKING;
        spoken = 0;
        stopSeen = false;
        answerDone = false;
    }

    private void play(int chars, long now, Schedule schedule) {
        if (phase == Phase.WAITING) {
            phase = Phase.LISTENING;
            firstAudioAt = playedAt = now;
            if (schedule.measured(spokenAt)) {
                Tally.record(tally.firstAudio, now - spokenAt);
                if (stopSeen) Tally.record(tally.firstAudioAfterStop, now - stopSeenAt);
            }
        }
        if (phase == Phase.LISTENING) {
            if (playedAt - now < 0) playedAt = now;
            playedAt += (long) (chars / CHARS_PER_MILLISECOND * 1_000_000);
        }
    }

    private void answered(String status, Schedule schedule, long now) {
        if (status.equals("cancelled")) {
            tally.bargeIns++;
            if (phase == Phase.WAITING || phase == Phase.LISTENING) pause(now);
        } else if (phase == Phase.WAITING || phase == Phase.LISTENING) {
            if (!status.equals("completed")) fail("response " + status, schedule, now);
            else if (phase == Phase.WAITING) fail("answer without audio", schedule, now);
            else answerDone = true;
        }
    }

    private void fail(String why, Schedule schedule, long now) {
        if (schedule.measured(spokenAt)) Tally.count(tally.turnFailures, why);
        pause(now);
    }

    private void pause(long now) {
        phase = Phase.PAUSING;
        resumeAt = now + PAUSE + random.nextLong(PAUSE);
    }

    private void check(Optional<String> wrong) {
        wrong.ifPresent(what -> Tally.count(tally.disorder, what));
    }

    @Override
    public void settle() {
        if (phase == Phase.WAITING || phase == Phase.LISTENING) tally.turnsUnfinished++;
    }
}
