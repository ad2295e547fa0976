package parley.provider.simulator;

import io.netty.channel.ChannelException;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.SplittableRandom;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import parley.wire.Frame;
import parley.wire.WebSocket;
import parley.wire.WebSocketClose;

/**
 * One client's socket and what is behind it, on the event loop of the socket.
 *
 * <p>What the client does not read waits here, up to {@code most-unread} bytes; audio is not even made while anything
 * waits. A client that lets more pile up is closed with 1008. In load mode nothing waits: while the socket is not
 * writable, it is not read.
 */
final class Connection implements Outlet {

    private static final int LARGEST_KEPT_BUFFER = 256 * 1024;
    private static final int FIRST_BUFFER = 4 * 1024;

    private final WebSocket socket;
    private final Switches switches;
    private final Diary diary;
    private final House house;
    private final Timers timers;
    private final SimulatedConversation conversation;
    private final @Nullable EchoLoad echo;
    private final ArrayDeque<byte[]> waiting = new ArrayDeque<>();
    private ByteBuffer inbound = ByteBuffer.allocate(FIRST_BUFFER);
    private long waitingBytes;
    private boolean frozen;
    private boolean gone;
    private @Nullable WebSocketClose closing;

    Connection(WebSocket socket, SimulatedConversation.Opening opening, Switches switches, Diary diary, House house) {
        this.socket = socket;
        this.switches = switches;
        this.diary = diary;
        this.house = house;
        this.timers = new LoopTimers(socket.loop(), () -> !gone);
        this.echo = switches.echo() ? new EchoLoad() : null;
        this.conversation = new SimulatedConversation(
                opening,
                switches,
                house.settings(),
                house.speech(),
                timers,
                new SplittableRandom(),
                this,
                diary,
                house.counters());
    }

    /** Begins to serve. On the socket's loop, once. */
    void open() {
        house.counters().connections.increment();
        house.crowd().join(this);
        socket.closed().thenAccept(close -> {
            house.crowd().leave(this);
            diary.closed(close.code());
        });
        socket.onReadable(this::read);
        socket.onWritable(this::write);
        if (switches.freezeAfterMillis() > 0) timers.after(switches.freezeAfterMillis(), this::freeze);
        if (switches.cutAfterMillis() > 0) timers.after(switches.cutAfterMillis(), this::cut);
        conversation.open();
        read();
    }

    /** Has something done to it, within a moment. Any thread. */
    void suffer(Consumer<Connection> fault) {
        socket.loop().execute(() -> {
            if (!gone) fault.accept(this);
        });
    }

    @Override
    public void send(byte[] event) {
        if (frozen || gone || closing != null) return;
        if (waiting.isEmpty() && socket.isWritable()) {
            socket.send(Frame.text(event));
            return;
        }
        waiting.add(event);
        waitingBytes += event.length;
        if (waitingBytes > house.settings().mostUnread()) {
            house.counters().overflows.increment();
            waiting.clear();
            waitingBytes = 0;
            close(WebSocketClose.POLICY, "the client does not read");
        }
    }

    @Override
    public boolean congested() {
        return !waiting.isEmpty() || !socket.isWritable();
    }

    @Override
    public void close(int code, String reason) {
        if (closing != null) return;
        closing = new WebSocketClose(code, reason, false);
        conversation.end();
        write();
    }

    private void read() {
        while (!frozen && closing == null && (echo == null || socket.isWritable())) {
            var frame = socket.poll();
            if (frame == null) break;
            try {
                take(frame);
            } finally {
                frame.release();
            }
        }
        if (socket.ending() != null) end();
    }

    private void take(Frame frame) {
        if (!frame.isText()) {
            conversation.receiveBinary();
            return;
        }
        if (echo != null) {
            var delta = echo.echo(frame);
            if (delta != null) {
                socket.send(delta);
                return;
            }
        }
        int length = frame.length();
        if (inbound.capacity() < length) inbound = ByteBuffer.allocate(Math.max(length, 2 * inbound.capacity()));
        inbound.clear().limit(length);
        frame.buffer().getBytes(frame.buffer().readerIndex(), inbound.array(), 0, length);
        conversation.receive(inbound);
        if (inbound.capacity() > LARGEST_KEPT_BUFFER) inbound = ByteBuffer.allocate(FIRST_BUFFER);
    }

    private void write() {
        if (frozen || gone) return;
        while (!waiting.isEmpty() && socket.isWritable()) {
            var event = waiting.remove();
            waitingBytes -= event.length;
            socket.send(Frame.text(event));
        }
        if (closing != null && waiting.isEmpty()) {
            socket.close(closing.code(), closing.reason());
        } else if (echo != null) {
            read();
        }
    }

    /** Open but mute, and deaf: what the client sends stays in its socket. */
    void freeze() {
        if (frozen) return;
        frozen = true;
        diary.froze();
        waiting.clear();
        waitingBytes = 0;
        conversation.end();
    }

    /** Lost without a closing handshake. */
    void cut() {
        conversation.end();
        try {
            socket.abort();
        } catch (ChannelException closed) {
            // Somebody else was a moment faster, and the socket has not told yet.
        }
    }

    private void end() {
        if (gone) return;
        gone = true;
        socket.onReadable(null);
        socket.onWritable(null);
        socket.discard();
        waiting.clear();
        conversation.end();
    }
}
