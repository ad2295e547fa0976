package parley.load.chaos;

import com.fasterxml.jackson.databind.JsonNode;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.EventLoop;
import io.netty.util.concurrent.ScheduledFuture;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import parley.load.AppendText;
import parley.load.Dial;
import parley.load.EventJson;
import parley.load.EventScan;

/**
 * Holds a conversation for as long as it is let: says a turn, listens to its answer for as long as it sounds, pauses one
 * to three seconds, says the next. Its microphone is always on, and runs on for 5 s while nobody listens.
 *
 * <p>What may have been lost is said again: a turn that is not in the history the server tells, or that the server
 * calls lost, or that the server has not acknowledged some seconds after the caller came back. Everything else is the
 * server's business: an answer that was cut is only waited for.
 *
 * <p>Lives on one event loop.
 */
final class TalkingCaller implements Presence.Guest {
    private static final long FRAME = TimeUnit.MILLISECONDS.toNanos(Sound.FRAME_MILLIS);
    private static final int KEPT_FRAMES = 50;
    private static final double TYPED_SHARE = 0.2;
    private static final double TOOL_SHARE = 0.1;
    private static final long SHORTEST_PAUSE = TimeUnit.SECONDS.toNanos(1);
    private static final long LONGEST_PAUSE = TimeUnit.SECONDS.toNanos(3);
    /** Without anything that belongs to the answer: then the turn is lost, and the next one comes. */
    private static final long PATIENCE = TimeUnit.SECONDS.toNanos(60);
    /** After coming back, until the server must have acknowledged what was said. */
    private static final long ACKNOWLEDGED = TimeUnit.SECONDS.toNanos(4);
    /** Without any event, pongs included: the session is not there, whatever the connection says. */
    private static final long ASLEEP = TimeUnit.SECONDS.toNanos(1);
    /** The same when nothing seemed to happen: nobody repeats themselves sooner. */
    private static final long ACKNOWLEDGED_CALMLY = TimeUnit.SECONDS.toNanos(20);

    private static final int MOST_AGAIN = 3;
    /** A history is told at once; what comes later is the conversation. */
    private static final long HISTORY = TimeUnit.MILLISECONDS.toNanos(1500);
    /** How long an answer that stands in the history may still begin again. */
    private static final long BEGIN_AGAIN = TimeUnit.SECONDS.toNanos(5);

    private static final long ACK = TimeUnit.SECONDS.toNanos(2);
    private static final double CHARS_PER_MILLISECOND = 64;

    private static final ByteBuf PING = shared("{\"type\":\"ping\"}");
    private static final ByteBuf TRANSCRIBE = shared("{\"type\":\"session.update\",\"session\":{\"type\":\"realtime\","
            + "\"audio\":{\"input\":{\"transcription\":{\"model\":\"gpt-4o-mini-transcribe\"}}}}}");

    private enum Phase {
        /** Nothing to say yet. */
        QUIET,
        SPEAKING,
        WAITING,
        /** The answer has come and still sounds. */
        LISTENING
    }

    final Diary diary;
    private final int number;
    private final Face face;
    private final EventLoop loop;
    private final SplittableRandom random;
    private final Presence presence;
    private final Progress progress;
    private final Loudspeaker loudspeaker = new Loudspeaker();
    private final ArrayDeque<AppendText> kept = new ArrayDeque<>();

    private @Nullable ScheduledFuture<?> clock;
    private Phase phase = Phase.QUIET;
    private @Nullable Turn turn;
    private long quietUntil;
    private int frame;
    /** When the turn was said, for the last time. */
    private long saidAt;

    private boolean acknowledged;
    private boolean speechLost;
    private long progressAt;
    private long seatedAt;
    private long cameBackAt;
    private long heardAt;
    /** When the session last was back after some silence. */
    private long wokeAt;

    private long settlesAt;
    private boolean finishing;
    private boolean over;
    /** The history that is being told, or null. */
    private @Nullable History history;

    private long historyEndsAt;

    private long ackAt;

    TalkingCaller(Talk talk, int number, Dial dial, EventLoop loop, EventScan scan, long beganAt, Progress progress) {
        this.number = number;
        this.face = talk.face();
        this.loop = loop;
        this.progress = progress;
        this.random = new SplittableRandom(talk.seed() * 1_000_003 + number);
        this.diary = new Diary(number, beganAt);
        this.presence = new Presence(talk, number, dial, loop, scan, random, diary, this);
    }

    void begin() {
        presence.open();
        clock = loop.scheduleAtFixedRate(this::tick, random.nextLong(FRAME), FRAME, TimeUnit.NANOSECONDS);
    }

    void stroke(boolean onOneMoment) {
        if (!over) diary.pauses.stroke(System.nanoTime(), onOneMoment, turn != null && phase != Phase.QUIET);
    }

    void closePauses() {
        diary.pauses.close(System.nanoTime());
    }

    void drop(long away, boolean elsewhere) {
        if (!over) presence.drop(away, elsewhere);
    }

    /** The turn that was begun is the last one. */
    void finish() {
        finishing = true;
    }

    /** Whether the last turn is answered, or there is nobody left to answer it. */
    boolean isFinished() {
        return over || (finishing && phase == Phase.QUIET && settlesAt == 0);
    }

    void hangUp() {
        if (clock != null) clock.cancel(false);
        diary.pauses.close(System.nanoTime());
        if (!over) presence.leave();
        over = true;
    }

    private void tick() {
        if (over) return;
        long now = System.nanoTime();
        presence.tick(now);
        if (historyEndsAt != 0 && now >= historyEndsAt) compare(now);
        speak(now);
        if (presence.isSeated()) {
            if (face == Face.GUIDED) tellTheServer(now);
            sayAgainWhatIsLost(now);
        }
        moveOn(now);
    }

    private void speak(long now) {
        if (phase == Phase.QUIET && seatedAt != 0 && history == null && now >= quietUntil && !finishing) say(now);
        var next = Sound.SHARED.silence();
        if (phase == Phase.SPEAKING && turn != null) {
            next = Sound.SHARED.tone(turn.number, frame++);
            if (frame == Sound.FRAMES) said(now);
        }
        if (history == null && presence.isWritable()) {
            presence.send(next.shared());
        } else {
            if (kept.size() == KEPT_FRAMES) kept.removeFirst();
            kept.add(next);
        }
    }

    private void say(long now) {
        double kind = random.nextDouble();
        var next = new Turn(
                diary.turns.size() + 1,
                diary.turns.isEmpty() || kind >= TYPED_SHARE + TOOL_SHARE
                        ? Turn.Kind.SPOKEN
                        : kind < TYPED_SHARE || face == Face.STRICT ? Turn.Kind.TYPED : Turn.Kind.TOOL);
        if (next.kind != Turn.Kind.SPOKEN && !presence.isSeated()) return;
        turn = next;
        diary.turns.add(next);
        diary.note("turn %d begins, %s".formatted(next.number, next.kind));
        settlesAt = 0;
        begin(next, now);
    }

    private void begin(Turn next, long now) {
        acknowledged = false;
        speechLost = false;
        if (next.kind == Turn.Kind.SPOKEN) {
            phase = Phase.SPEAKING;
            frame = 0;
        } else {
            write(next);
            said(now);
        }
    }

    private void said(long now) {
        phase = Phase.WAITING;
        saidAt = now;
        progressAt = now;
        diary.pauses.owed(now);
    }

    private void write(Turn written) {
        var id = itemId(written);
        written.items.add(id);
        presence.send(text("{\"type\":\"conversation.item.create\",\"item\":{\"id\":\"" + id
                + "\",\"type\":\"message\",\"role\":\"user\",\"content\":[{\"type\":\"input_text\",\"text\":\""
                + written.words(number) + "\"}]}}"));
        presence.send(text("{\"type\":\"response.create\"}"));
    }

    /** The caller names its written turns, so that one that is sent again is known. */
    private String itemId(Turn written) {
        return "item_c" + number + "t" + written.number;
    }

    private void sayAgain(String why, long now) {
        var lost = turn;
        if (lost == null || lost.again == MOST_AGAIN) return;
        lost.again++;
        kept.clear();
        diary.note("says turn %d again: %s".formatted(lost.number, why));
        begin(lost, now);
    }

    private void sayAgainWhatIsLost(long now) {
        if (history != null || turn == null || turn.isAnswered()) return;
        if (phase == Phase.SPEAKING || phase == Phase.WAITING) {
            if (speechLost && !acknowledged) sayAgain("the server lost it", now);
        }
        if (phase != Phase.WAITING || acknowledged) return;
        long backAt = Math.max(cameBackAt, wokeAt);
        boolean cameBack = backAt > saidAt - TimeUnit.SECONDS.toNanos(2);
        long since = now - Math.max(saidAt, backAt);
        // A session that does not even answer a ping has not heard anything yet: it may still have it.
        if (face == Face.GUIDED && now - heardAt > ASLEEP) return;
        if (since > (cameBack ? ACKNOWLEDGED : ACKNOWLEDGED_CALMLY)) sayAgain("nobody acknowledged it", now);
    }

    private void tellTheServer(long now) {
        presence.send(PING.duplicate());
        tellPlayback(now);
        if (now - ackAt >= ACK && presence.acknowledged() > 0) {
            ackAt = now;
            presence.send(text("{\"type\":\"ack\",\"seq\":" + presence.acknowledged() + "}"));
        }
    }

    private void tellPlayback(long now) {
        var playback = loudspeaker.report(now);
        if (playback != null) presence.send(text(playback));
    }

    private void moveOn(long now) {
        if (phase == Phase.LISTENING && loudspeaker.isSilent(now)) quiet(now);
        if (settlesAt != 0 && now >= settlesAt) {
            settlesAt = 0;
            if (turn != null && !turn.isAnswered()) {
                turn.answeredInHistory = true;
                answered(now);
                quiet(now);
            }
        }
        if (phase == Phase.WAITING && presence.isSeated() && settlesAt == 0 && now - progressAt > PATIENCE) {
            if (turn != null) diary.note("gives turn %d up: no answer".formatted(turn.number));
            progress.givenUp.increment();
            diary.pauses.settled(now);
            quiet(now);
        }
    }

    private void quiet(long now) {
        phase = Phase.QUIET;
        quietUntil = now + random.nextLong(SHORTEST_PAUSE, LONGEST_PAUSE);
    }

    private void answered(long now) {
        progress.answered.increment();
        diary.pauses.settled(now);
    }

    @Override
    public void seated(boolean again, Resume how) {
        long now = System.nanoTime();
        seatedAt = now;
        progressAt = now;
        if (!again) {
            quietUntil = now + random.nextLong(LONGEST_PAUSE);
            presence.send(TRANSCRIBE.duplicate());
            progress.connected.increment();
            kept.clear();
            return;
        }
        cameBackAt = now;
        progress.resumed.increment();
        // The last report may have gone down with the old connection.
        if (face == Face.GUIDED) {
            loudspeaker.reportAnew();
            tellPlayback(now);
        }
        if (how == Resume.NOT_RECOVERED || how == Resume.HISTORY) {
            history = new History();
            historyEndsAt = now + HISTORY;
        } else {
            flush();
        }
    }

    private void flush() {
        for (var each : kept) presence.send(each.shared());
        kept.clear();
    }

    @Override
    public void unseated() {
        history = null;
        historyEndsAt = 0;
        progress.unseated.increment();
    }

    @Override
    public void over(Ending ending) {
        over = true;
        if (clock != null) clock.cancel(false);
        diary.pauses.close(System.nanoTime());
        diary.lost(ending);
        progress.lost.increment();
    }

    @Override
    public void event(EventScan scan, EventScan.Kind kind, ByteBuf text) {
        long now = System.nanoTime();
        if (heardAt != 0 && now - heardAt > ASLEEP) wokeAt = now;
        heardAt = now;
        if (kind == EventScan.Kind.PONG) {
            diary.pauses.pong(now);
            return;
        }
        diary.pauses.sign(now);
        switch (kind) {
            case AUDIO_DELTA -> audio(scan, now);
            case SPEECH_STARTED -> {
                if (phase == Phase.SPEAKING || phase == Phase.WAITING) progressAt = now;
            }
            case RESPONSE_CREATED ->
                responds(EventJson.read(text).path("response").path("id").asText(), now);
            case RESPONSE_DONE -> done(EventJson.read(text).path("response"), now);
            case ERROR -> diary.error(EventJson.errorCode(text));
            case OTHER -> {
                if (scan.isNamed("input_audio_buffer.committed")) {
                    committed(EventJson.read(text).path("item_id").asText(), now);
                } else if (scan.isNamed("conversation.item.added")) {
                    added(EventJson.read(text).path("item"), now);
                } else if (scan.isNamed("session.restored")) {
                    restored(EventJson.read(text));
                }
            }
            default -> {}
        }
    }

    private void audio(EventScan scan, long now) {
        progressAt = now;
        double millis = scan.deltaChars() / CHARS_PER_MILLISECOND;
        var answer = turnOf(scan.responseId()).answer(scan.responseId());
        answer.heardMillis += millis;
        answer.items.add(scan.itemId());
        loudspeaker.play(scan.itemId(), millis, now);
    }

    private void responds(String responseId, long now) {
        if (history != null) compare(now);
        progressAt = now;
        settlesAt = 0;
        var asked = turnOf(responseId);
        asked.answer(responseId);
        diary.note("turn %d: answer %s begins".formatted(asked.number, responseId));
    }

    private void done(JsonNode response, long now) {
        progressAt = now;
        var id = response.path("id").asText();
        var asked = turnOf(id);
        var answer = asked.answer(id);
        answer.status = response.path("status").asText();
        diary.outputTokens += response.path("usage").path("output_tokens").asLong();
        var words = new StringBuilder();
        for (var item : response.path("output")) {
            if (item.path("type").asText().equals("message")) answer.speaks = true;
            for (var part : item.path("content")) {
                words.append(part.path("transcript").asText())
                        .append(part.path("text").asText());
            }
        }
        diary.note("turn %d: answer %s is %s, %.1f s of voice"
                .formatted(asked.number, id, answer.status, answer.heardMillis / 1e3));
        if (!answer.isWhole()) return;
        // One that goes on where another broke off need not say again what was heard.
        boolean goesOn = asked.brokeOff();
        if (!goesOn && !words.toString().contains(asked.answerWords(number)))
            asked.mistake = "answered with other words";
        if (asked == turn && phase != Phase.QUIET && asked.whole() == 1) {
            answered(now);
            phase = Phase.LISTENING;
        }
    }

    /** The turn that a response belongs to: the newest, unless the server cannot have heard of it yet. */
    private Turn turnOf(String responseId) {
        for (int i = diary.turns.size() - 1; i >= Math.max(0, diary.turns.size() - 3); i--) {
            if (diary.turns.get(i).hasAnswer(responseId)) return diary.turns.get(i);
        }
        int last = diary.turns.size() - 1;
        if (last < 0) return new Turn(0, Turn.Kind.SPOKEN);
        var newest = diary.turns.get(last);
        return last > 0 && newest.items.isEmpty() ? diary.turns.get(last - 1) : newest;
    }

    private void committed(String itemId, long now) {
        if (history != null) compare(now);
        progressAt = now;
        if (turn == null || turn.kind != Turn.Kind.SPOKEN || phase == Phase.QUIET || phase == Phase.LISTENING) {
            diary.note("a turn is committed that nobody said: %s".formatted(itemId));
            return;
        }
        acknowledged = true;
        turn.items.add(itemId);
        diary.note("turn %d is committed".formatted(turn.number));
    }

    private void added(JsonNode item, long now) {
        if (history != null) {
            history.add(item);
        } else if (turn != null
                && turn.kind != Turn.Kind.SPOKEN
                && item.path("id").asText().equals(itemId(turn))) {
            acknowledged = true;
            progressAt = now;
        }
    }

    private void restored(JsonNode event) {
        diary.note("hears session.restored after %s, lost %s"
                .formatted(event.path("cause").asText(), kinds(event.path("lost"))));
        for (var lost : event.path("lost")) {
            switch (lost.path("kind").asText()) {
                case "speech" -> speechLost = true;
                case "answer" -> diary.answersLost++;
                default -> {}
            }
        }
    }

    private static List<String> kinds(JsonNode lost) {
        var kinds = new ArrayList<String>();
        lost.forEach(each -> kinds.add(each.path("kind").asText()));
        return kinds;
    }

    /** The history has been told: is the turn in it, and its answer? */
    private void compare(long now) {
        var told = history;
        history = null;
        historyEndsAt = 0;
        if (told == null) return;
        var asked = turn;
        if (asked == null || asked.isAnswered()) {
            flush();
            return;
        }
        var item = told.find(asked, diary.turns);
        if (item == null) {
            if (phase == Phase.SPEAKING || phase == Phase.WAITING) sayAgain("it is not in the history", now);
            flush();
            return;
        }
        if (told.isAnswered(asked, diary.turns)) settlesAt = now + BEGIN_AGAIN;
        acknowledged = true;
        asked.items.add(item);
        if (phase == Phase.SPEAKING) said(now);
        kept.clear();
    }

    private static ByteBuf text(String json) {
        return Unpooled.copiedBuffer(json, StandardCharsets.UTF_8);
    }

    private static ByteBuf shared(String json) {
        return Unpooled.unreleasableBuffer(text(json));
    }
}
