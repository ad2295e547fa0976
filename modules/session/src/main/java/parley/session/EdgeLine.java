package parley.session;

import io.netty.channel.EventLoop;
import io.netty.util.concurrent.Future;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import parley.wire.Frame;
import parley.wire.LogFields;
import parley.wire.Port;
import parley.wire.WebSocketClose;

/**
 * A caller's line to its session, whichever node that lives on: it survives the session's move.
 *
 * <p>Its story: frames pass both ways, untouched. When the session's line ends with 1012 (the session moves, its node or
 * the link is gone), the caller's connection stays open, the frames that the session has not taken and those that follow
 * wait, and the line is asked for again, at once and then ever more rarely, for {@code relink-for} at most; then what
 * waited goes out in its order. Every other end is the caller's, and passes through. So does the caller's own end to the
 * session, to a line that comes too late, too: a goodbye, 1000, even when it has to be fetched for that.
 *
 * <p>When this node is to stop, the caller is asked to {@link #leave}.
 *
 * <p>Confined to the caller's loop, except {@link #close}, {@link #closed}, {@link #leave} and {@link #overstayed}.
 * Bounds: {@link Backlog} towards the session; towards the caller what a line held when it ended, {@code link.frames}.
 */
final class EdgeLine implements Port {
    private static final Logger LOG = LoggerFactory.getLogger(EdgeLine.class);
    private static final long FIRST_BACKOFF_MS = 50;
    private static final long LAST_BACKOFF_MS = 1000;
    /** A pause that lasts is told. */
    private static final long PAUSE_MS = 1000;
    /** When nothing went to a strict caller for so long, it may be sent away. */
    private static final long QUIET_MS = 500;

    /** From the loss of the line until a new one has held for {@code link.dead-after}. */
    private final class Pause {
        private final long until = System.nanoTime() + settings.relinkFor().toNanos();
        private long backoffMs = FIRST_BACKOFF_MS;
        private boolean told;
        private @Nullable Future<?> end;
        private @Nullable Future<?> notice;
        private @Nullable Future<?> retry;

        private void begin() {
            end = after(TimeUnit.NANOSECONDS.toMillis(until - System.nanoTime()), EdgeLine.this::giveUp);
            if (guided && !told) {
                notice = after(PAUSE_MS, () -> {
                    told = true;
                    say("{\"type\":\"session.reconnecting\",\"what\":\"session\"}");
                });
            }
        }

        /** Half of it is chance: the callers of a node that is gone do not come back in step. */
        private void retry() {
            long ms = backoffMs / 2 + ThreadLocalRandom.current().nextLong(backoffMs / 2 + 1);
            backoffMs = Math.min(2 * backoffMs, LAST_BACKOFF_MS);
            retry = after(ms, EdgeLine.this::ask);
        }

        private void stop() {
            cancel(end);
            cancel(notice);
            cancel(retry);
        }
    }

    private final EventLoop loop;
    private final LogFields concerned;
    private final boolean guided;
    private final Reach reach;
    private final SessionSettings settings;
    private final SessionMetrics metrics;
    private final Backlog backlog;
    /** What goes to the caller before anything of the line: words of our own, and the rest of a line that ended. */
    private final ArrayDeque<Frame> toCaller = new ArrayDeque<>();

    private final CompletableFuture<WebSocketClose> closed = new CompletableFuture<>();
    /** Null while the session is away. */
    private @Nullable Port line;

    private @Nullable Pause pause;
    private @Nullable WebSocketClose ending;
    private @Nullable Runnable onReadable;
    private @Nullable Runnable onWritable;
    private long lineSince = System.nanoTime();
    private long awaySince;
    private long lastSeq;
    private boolean attached;
    private boolean discarding;
    private boolean asking;
    private boolean leaving;
    /** Whether something went to the caller; asked and reset by who waits for quiet. */
    private boolean spoke;

    private volatile boolean overstayed;

    /** @param lastSeq what the caller said it had heard when it came; 0 when it is new */
    EdgeLine(
            Port first,
            LogFields concerned,
            boolean guided,
            long lastSeq,
            Reach reach,
            SessionSettings settings,
            SessionMetrics metrics) {
        this.loop = first.loop();
        this.concerned = concerned;
        this.line = first;
        this.guided = guided;
        this.lastSeq = lastSeq;
        this.reach = reach;
        this.settings = settings;
        this.metrics = metrics;
        this.backlog = new Backlog(guided, settings, metrics);
    }

    @Override
    public EventLoop loop() {
        return loop;
    }

    @Override
    public LogFields concerns() {
        return concerned;
    }

    // ---- to the caller

    @Override
    public @Nullable Frame poll() {
        var frame = toCaller.poll();
        if (frame == null) {
            frame = fromLine();
        }
        if (frame != null) {
            spoke = true;
        }
        return frame;
    }

    private @Nullable Frame fromLine() {
        var current = line;
        if (current == null) {
            return null;
        }
        var frame = current.poll();
        if (frame != null) {
            return seen(frame);
        }
        if (line != null && current.ending() != null) {
            lineEnded(current);
            return toCaller.poll();
        }
        return null;
    }

    private Frame seen(Frame frame) {
        if (guided) {
            lastSeq = Math.max(lastSeq, Numbering.of(frame));
        }
        return frame;
    }

    @Override
    public void onReadable(@Nullable Runnable listener) {
        onReadable = listener;
        if (listener != null && !attached) {
            attached = true;
            var first = line;
            if (first != null) {
                attach(first);
            }
        }
    }

    @Override
    public void discard() {
        discarding = true;
        toCaller.forEach(Frame::release);
        toCaller.clear();
        if (line != null) {
            line.discard();
        }
    }

    // ---- from the caller

    @Override
    public boolean isWritable() {
        if (ending != null) {
            return false;
        }
        var current = line;
        boolean there = current != null && current.ending() == null;
        return there ? backlog.isEmpty() && current.isWritable() : !backlog.isFull();
    }

    /** A line that takes nothing is given nothing: one that is about to end would lose it. */
    @Override
    public void send(Frame frame) {
        var current = line;
        if (ending != null) {
            frame.release();
        } else if (current != null && current.ending() == null && backlog.isEmpty() && current.isWritable()) {
            current.send(frame);
        } else {
            backlog.add(frame);
        }
    }

    @Override
    public void onWritable(@Nullable Runnable listener) {
        onWritable = listener;
    }

    // ---- the line comes and goes

    private void attach(Port port) {
        port.joined(this);
        port.onWritable(this::writable);
        port.onReadable(this::readable);
        if (line != null && port.ending() != null) {
            lineEnded(port);
        }
    }

    private void readable() {
        var current = line;
        if (current != null && current.ending() != null) {
            lineEnded(current);
        }
        run(onReadable);
    }

    private void writable() {
        flush();
        run(onWritable);
    }

    private void flush() {
        for (var current = line; current != null && current.ending() == null && current.isWritable(); current = line) {
            var frame = backlog.poll();
            if (frame == null) {
                return;
            }
            current.send(frame);
        }
    }

    private void lineEnded(Port ended) {
        var close = ended.ending();
        if (close == null || ending != null) {
            return;
        }
        if (close.code() != WebSocketClose.RESTART) {
            untaken(ended).forEach(Frame::release);
            end(close);
        } else if (toCaller.size() < settings.linkFrames()) {
            forget(ended);
            pause();
        }
        // Otherwise the caller does not listen: when it has taken what waits, it comes by here again.
    }

    /** What it heard goes to the caller, what it did not get rid of back to what waits. */
    private void forget(Port ended) {
        line = null;
        awaySince = System.nanoTime();
        ended.onReadable(null);
        ended.onWritable(null);
        for (var frame = ended.poll(); frame != null; frame = ended.poll()) {
            toCaller.add(seen(frame));
        }
        backlog.addFirst(untaken(ended));
        ended.discard();
    }

    private static List<Frame> untaken(Port ended) {
        return ended instanceof LinkPort link ? link.untaken() : List.of();
    }

    private void pause() {
        boolean again = System.nanoTime() - lineSince < settings.linkDeadAfter().toNanos();
        var current = pause;
        if (current != null && again) {
            current.begin();
            current.retry();
        } else {
            pause = new Pause();
            pause.begin();
            ask();
        }
        run(onReadable);
        run(onWritable);
    }

    private void ask() {
        CompletionStage<Reach.Answered> answer;
        try {
            answer = reach.again(guided ? lastSeq : -1);
        } catch (RuntimeException broken) {
            answer = CompletableFuture.failedFuture(broken);
        }
        asking = true;
        // Later in any case: a line does not come in the middle of another's end.
        answer.whenComplete((answered, failure) -> loop.execute(() -> {
            asking = false;
            if (answered == null) {
                concerned.around(() -> LOG.debug("the session's line was asked for in vain", failure));
            }
            answered(answered == null ? new Reach.Answered.Later() : answered);
        }));
    }

    private void answered(Reach.Answered answered) {
        switch (answered) {
            case Reach.Answered.Line(var port) -> {
                if (ending == null) {
                    adopt(port);
                } else {
                    port.close(ending.code(), ending.reason());
                    port.discard();
                }
            }
            case Reach.Answered.Later() -> {
                var current = pause;
                boolean wanted = ending == null || ending.code() == WebSocketClose.NORMAL;
                if (current != null && wanted && current.until - System.nanoTime() > 0) {
                    current.retry();
                }
            }
            case Reach.Answered.Never(var close, var lastWords) -> {
                if (ending == null) {
                    if (lastWords != null) {
                        toCaller.add(Frame.text(guided ? numbered(lastWords) : lastWords));
                    }
                    end(close);
                }
            }
        }
    }

    private void adopt(Port port) {
        metrics.relinked.increment();
        metrics.handOverPause.since(awaySince);
        if (pause != null) {
            pause.stop();
        }
        line = port;
        lineSince = System.nanoTime();
        if (discarding) {
            port.discard();
        }
        attach(port);
        flush();
        run(onReadable);
        run(onWritable);
    }

    private void giveUp() {
        concerned.around(() -> LOG.warn(
                "a caller is sent away: its session's line could not be had again for {}", settings.relinkFor()));
        metrics.relinksFailed.increment();
        end(new WebSocketClose(WebSocketClose.RESTART, "try again", false));
    }

    // ---- the end

    @Override
    public @Nullable WebSocketClose ending() {
        return ending;
    }

    @Override
    public CompletionStage<WebSocketClose> closed() {
        return closed.minimalCompletionStage();
    }

    @Override
    public void close(int code, String reason) {
        onLoop(() -> {
            if (ending == null) {
                leaveLine(code, reason);
            }
        });
    }

    private void leaveLine(int code, String reason) {
        var current = line;
        while (current != null && current.ending() == null && !backlog.isEmpty()) {
            // Nothing follows: what waits need not wait for room.
            current.send(Objects.requireNonNull(backlog.poll()));
        }
        boolean there = current != null && current.ending() == null;
        if (ending == null) {
            end(new WebSocketClose(code, reason, false));
        }
        if (current != null) {
            current.close(code, reason);
            current.discard();
        }
        if (!there && code == WebSocketClose.NORMAL) {
            sayGoodbye();
        }
        if (onReadable == null) {
            discard();
        }
    }

    /** Without it the session would wait for its caller. */
    private void sayGoodbye() {
        if (pause == null) {
            pause = new Pause();
        }
        if (!asking) {
            ask();
        }
    }

    private void end(WebSocketClose close) {
        ending = close;
        if (pause != null) {
            pause.stop();
        }
        backlog.release();
        closed.complete(close);
        run(onReadable);
        run(onWritable);
    }

    /**
     * Asks the caller to connect elsewhere, once. A guided one is told to, and may talk on here until it has; a strict one
     * is cut off in a quiet moment; with 1012, and when the deadline has passed in any case. To the session that is a
     * lost line and no goodbye. Safe from any thread.
     *
     * @param after when a guided caller is to connect anew
     */
    void leave(Duration after, Duration deadline) {
        onLoop(() -> {
            if (leaving || ending != null) {
                return;
            }
            leaving = true;
            after(deadline.toMillis(), () -> {
                overstayed = ending == null;
                close(WebSocketClose.RESTART, "restart");
            });
            if (guided) {
                say("{\"type\":\"session.draining\",\"reason\":\"restart\",\"deadline_ms\":" + deadline.toMillis()
                        + ",\"reconnect\":{\"after_ms\":" + after.toMillis() + "}}");
            } else {
                leaveWhenQuiet();
            }
        });
    }

    private void leaveWhenQuiet() {
        spoke = false;
        after(QUIET_MS, () -> {
            if (ending == null && spoke) {
                leaveWhenQuiet();
            } else {
                close(WebSocketClose.RESTART, "restart");
            }
        });
    }

    /** Whether the caller was still there when it should have left, and was cut off. From any thread. */
    boolean overstayed() {
        return overstayed;
    }

    // ---- small things

    /** An event about the connection: it has the position, and does not advance it. */
    private void say(String event) {
        toCaller.add(Frame.text(numbered(event)));
        run(onReadable);
    }

    private String numbered(String event) {
        return "{\"seq\":" + lastSeq + "," + event.substring(1);
    }

    private Future<?> after(long ms, Runnable action) {
        return loop.schedule(action, Math.max(ms, 0), TimeUnit.MILLISECONDS);
    }

    private void onLoop(Runnable action) {
        if (loop.inEventLoop()) {
            action.run();
        } else {
            loop.execute(action);
        }
    }

    private static void cancel(@Nullable Future<?> waiting) {
        if (waiting != null) {
            waiting.cancel(false);
        }
    }

    private static void run(@Nullable Runnable listener) {
        if (listener != null) {
            listener.run();
        }
    }
}
