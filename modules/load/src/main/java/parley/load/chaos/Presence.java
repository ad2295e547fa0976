package parley.load.chaos;

import com.fasterxml.jackson.databind.JsonNode;
import io.netty.buffer.ByteBuf;
import io.netty.channel.EventLoop;
import io.netty.util.concurrent.ScheduledFuture;
import java.net.URI;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import parley.load.Dial;
import parley.load.EventJson;
import parley.load.EventScan;

/**
 * Keeps a caller connected, as a good client does: comes back by itself after every end that is not final, to another
 * node when its own is in doubt; when its node asks it to move, connects there before it lets go here. Checks the numbers
 * of what it hears and hands each event up once.
 *
 * <p>Lives on the caller's event loop, and does nothing without {@link #tick}.
 */
final class Presence implements Line.Ears {

    /** The conversation that this carries. */
    interface Guest {
        /** The caller has its seat, for the first time or again; what was missed, or the history, follows. */
        void seated(boolean again, Resume how);

        /** An event that was not heard before. The scan and the text are valid during the call. */
        void event(EventScan scan, EventScan.Kind kind, ByteBuf text);

        /** There is no seat for the moment. */
        void unseated();

        /** The session is over, and the caller did not end it. */
        void over(Ending ending);
    }

    /** Until a seat: a node that takes longer is tried no more. */
    private static final long PATIENCE = TimeUnit.SECONDS.toNanos(5);
    /** The same for a new session, which nobody else has. */
    private static final long FIRST_PATIENCE = TimeUnit.SECONDS.toNanos(20);
    /** Without a sign of life from the node, its pings included. */
    private static final long SILENCE = TimeUnit.SECONDS.toNanos(5);

    private static final long PING = TimeUnit.SECONDS.toNanos(1);
    /** As long as a session waits for its caller. */
    private static final long GIVE_UP = TimeUnit.SECONDS.toNanos(120);

    private static final long FAREWELL = TimeUnit.SECONDS.toNanos(3);

    private final Talk talk;
    private final int number;
    private final Dial dial;
    private final EventLoop loop;
    private final EventScan scan;
    private final SplittableRandom random;
    private final Guest guest;
    private final Diary diary;
    private final Backoff backoff;

    private int node;
    /** The seat, or the way to one. */
    private @Nullable Line line;

    private boolean seated;
    private boolean seatedBefore;
    /** Whether the line was dialled for a session that there was. */
    private boolean comingBack;
    /** The new seat that is made before the old one breaks. */
    private @Nullable Line next;

    /** Whether the line is one that was to be the next when the last one ended. */
    private boolean underWay;

    private @Nullable ScheduledFuture<?> timer;
    private @Nullable String sessionId;
    private @Nullable String resumeToken;
    private boolean acknowledges;
    private long seen;
    /** The number of the last event that came, over whichever connection, those about a connection aside. */
    private long heard;

    private Resume resume = Resume.UNTOLD;
    private long lostAt;
    private long retryAfter;
    private long pingedAt;
    private boolean leaving;
    private boolean over;

    Presence(
            Talk talk,
            int number,
            Dial dial,
            EventLoop loop,
            EventScan scan,
            SplittableRandom random,
            Diary diary,
            Guest guest) {
        this.talk = talk;
        this.number = number;
        this.dial = dial;
        this.loop = loop;
        this.scan = scan;
        this.random = random;
        this.diary = diary;
        this.guest = guest;
        this.backoff = new Backoff(random);
        this.node = number % talk.nodes().size();
    }

    void open() {
        lostAt = System.nanoTime();
        dial();
    }

    boolean isSeated() {
        return seated;
    }

    /** Whether what is sent now leaves at once. */
    boolean isWritable() {
        return seated && line != null && line.isWritable();
    }

    /** Only while seated. */
    void send(ByteBuf text) {
        if (line == null) text.release();
        else line.send(text);
    }

    /** The number of the last event, for an {@code ack}; 0 when this server does not know the word. */
    long acknowledged() {
        return acknowledges ? seen : 0;
    }

    /** The caller's network goes away; after a time the caller comes back. */
    void drop(long away, boolean elsewhere) {
        if (over || leaving) return;
        diary.note("drops the connection for %.1f s".formatted(away / 1e9));
        discard(next);
        next = null;
        discard(line);
        line = null;
        if (elsewhere) goElsewhere();
        lost();
        dialAfter(away);
    }

    /** Ends the session for good. */
    void leave() {
        leaving = true;
        if (timer != null) timer.cancel(false);
        discard(next);
        next = null;
        if (line != null) {
            diary.numbered(line.numbering);
            line.hangUp();
            var last = line;
            loop.schedule(last::drop, FAREWELL, TimeUnit.NANOSECONDS);
        }
    }

    /** Looks after the time; to be called some times a second. */
    void tick(long now) {
        if (over || leaving) return;
        if (next != null && now - next.dialledAt > PATIENCE) next.giveUp("no seat in time");
        if (line == null) return;
        if (!seated && now - line.dialledAt > (seatedBefore ? PATIENCE : FIRST_PATIENCE)) {
            line.giveUp("no seat in time");
        } else if (seated && now - line.arrivedAt() > SILENCE) {
            line.giveUp("no sign of life");
        } else if (seated && now - pingedAt > PING) {
            pingedAt = now;
            line.ping();
        }
    }

    private void dialAfter(long wait) {
        if (timer != null) timer.cancel(false);
        timer = loop.schedule(this::dial, wait, TimeUnit.NANOSECONDS);
    }

    private void dial() {
        if (over || leaving) return;
        resume = Resume.UNTOLD;
        underWay = false;
        comingBack = sessionId != null;
        line = new Line(node, seen, this);
        line.open(dial.to(address(node), talk.tokens().apply(number)), loop);
    }

    private void dialNext() {
        if (over || leaving || !seated || next != null || line == null) return;
        resume = Resume.UNTOLD;
        int other = (line.node + 1) % talk.nodes().size();
        next = new Line(other, seen, this);
        next.open(dial.to(address(other), talk.tokens().apply(number)), loop);
    }

    private URI address(int at) {
        var query = new StringBuilder();
        if (sessionId == null) {
            query.append("model=").append(URLEncoder.encode(talk.model(), StandardCharsets.UTF_8));
        } else {
            query.append("session_id=").append(sessionId);
            if (resumeToken != null) {
                query.append("&resume_token=")
                        .append(resumeToken)
                        .append("&last_seq=")
                        .append(seen);
            }
        }
        return talk.nodes().get(at).resolve(talk.face().path() + "?" + query);
    }

    @Override
    public void heard(Line from, ByteBuf text) {
        if (from != line && from != next) return;
        var kind = scan.scan(text);
        long number = scan.seq();
        switch (kind) {
            case SESSION_CREATED -> {
                if (from != line || !seated) created(from, number, EventJson.read(text));
                else pass(from, kind, number, text);
            }
            case OTHER, ERROR -> {
                if (!connection(from, number, text)) pass(from, kind, number, text);
            }
            default -> pass(from, kind, number, text);
        }
    }

    /** Takes an event that is about the connection. */
    private boolean connection(Line from, long number, ByteBuf text) {
        if (talk.face() == Face.STRICT || !(scan.isNamed("voice-") || scan.isNamed("session."))) return false;
        var event = EventJson.read(text);
        switch (event.path("type").asText()) {
            case "voice-welcome" -> welcome(event);
            case "session.resumed" -> resumed(from, event);
            case "session.draining" -> draining(event);
            case "session.reconnecting" ->
                diary.note("hears session.reconnecting: %s"
                        .formatted(event.path("what").asText()));
            default -> {
                return false;
            }
        }
        from.numbering.position(number);
        seen = Math.max(seen, number);
        return true;
    }

    private void welcome(JsonNode event) {
        sessionId = event.path("session_id").asText();
        resumeToken = event.path("resume_token").asText();
        acknowledges |= event.has("epoch");
        diary.sessionId(sessionId);
    }

    private void resumed(Line from, JsonNode event) {
        boolean recovered = event.path("recovered").asBoolean();
        resume = recovered ? Resume.RECOVERED : Resume.NOT_RECOVERED;
        acknowledges = true;
        if (!recovered) {
            from.numbering.begin();
            diary.note("is not recovered: %s, missed %s"
                    .formatted(
                            event.path("reason").asText(), event.path("missed").toString()));
        }
    }

    private void draining(JsonNode event) {
        long after = event.path("reconnect").path("after_ms").asLong();
        diary.note("is asked to move, after %d ms".formatted(after));
        if (talk.nodes().size() > 1) loop.schedule(this::dialNext, after, TimeUnit.MILLISECONDS);
    }

    private void created(Line from, long number, JsonNode event) {
        if (talk.face() == Face.STRICT) {
            sessionId = event.path("session").path("id").asText();
            diary.sessionId(sessionId);
            resume = Resume.HISTORY;
        }
        from.numbering.heardElsewhere(heard);
        if (number >= 0) from.numbering.position(number);
        if (resume == Resume.UNTOLD) {
            // Such a server may begin to count anew.
            if (comingBack) from.numbering.begin();
            seen = Math.max(number, 0);
        } else {
            seen = Math.max(seen, number);
        }
        boolean moved = from == next || underWay;
        underWay = false;
        if (from == next) {
            var old = line;
            line = next;
            next = null;
            // The server ends the old one; nobody listens to it any more.
            if (old != null) {
                diary.numbered(old.numbering);
                loop.schedule(old::drop, FAREWELL, TimeUnit.NANOSECONDS);
            }
        }
        node = from.node;
        boolean again = seatedBefore;
        seatedBefore = true;
        seated = true;
        long now = System.nanoTime();
        if (again) {
            diary.resumed(resume, moved, now - from.dialledAt);
            diary.note("%s node %d: %s, after %.2f s"
                    .formatted(
                            moved ? "moved to" : "is back on",
                            node + 1,
                            resume,
                            lostAt == 0 ? 0 : (now - lostAt) / 1e9));
        }
        lostAt = 0;
        backoff.reset();
        guest.seated(again, resume);
    }

    private void pass(Line from, EventScan.Kind kind, long number, ByteBuf text) {
        if (kind == EventScan.Kind.SESSION_CREATED && number >= 0 && number <= seen) {
            // The session began again on another node, which took its time to find a provider: about the connection.
            from.numbering.position(number);
            return;
        }
        if (number >= 0) from.numbering.take(number);
        if (from != line || (number >= 0 && number <= seen)) return;
        if (kind == EventScan.Kind.ERROR && !seated) {
            retryAfter =
                    EventJson.read(text).path("error").path("retry_after_ms").asLong();
        }
        seen = Math.max(seen, number);
        heard = Math.max(heard, number);
        guest.event(scan, kind, text);
    }

    @Override
    public void ended(Line from, Ending ending) {
        if (leaving || (from != next && from != line)) return;
        diary.numbered(from.numbering);
        if (from == next) {
            next = null;
            diary.note("cannot move: %s".formatted(ending));
            if (!ending.isFinal()) loop.schedule(this::dialNext, backoff.next(), TimeUnit.NANOSECONDS);
            return;
        }
        line = null;
        if (over) return;
        diary.note("loses node %d: %s".formatted(from.node + 1, ending));
        if (next != null) {
            line = next;
            next = null;
            underWay = true;
            lost();
            return;
        }
        boolean waited = lostAt != 0 && System.nanoTime() - lostAt > GIVE_UP;
        lost();
        if (ending.isFinal() || waited) {
            over = true;
            guest.over(ending);
            return;
        }
        diary.ended(ending);
        if (ending.elsewhere()) goElsewhere();
        dialAfter(Math.max(backoff.next(), TimeUnit.MILLISECONDS.toNanos(retryAfter)));
        retryAfter = 0;
    }

    private void lost() {
        if (lostAt == 0) lostAt = System.nanoTime();
        if (!seated) return;
        seated = false;
        guest.unseated();
    }

    private void discard(@Nullable Line unwanted) {
        if (unwanted == null) return;
        diary.numbered(unwanted.numbering);
        unwanted.drop();
    }

    private void goElsewhere() {
        int nodes = talk.nodes().size();
        if (nodes > 1) node = (node + 1 + random.nextInt(nodes - 1)) % nodes;
    }
}
