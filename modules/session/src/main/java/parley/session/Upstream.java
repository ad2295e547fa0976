package parley.session;

import io.netty.channel.EventLoop;
import java.util.ArrayDeque;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import parley.protocol.ClientEvent;
import parley.protocol.MalformedEvent;
import parley.protocol.ServerEvent;
import parley.protocol.SessionConfig;
import parley.protocol.Wire;
import parley.provider.Provider;
import parley.provider.ProviderRefused;
import parley.wire.Frame;
import parley.wire.LogFields;
import parley.wire.Port;
import parley.wire.WebSocketClose;

/**
 * One line to one provider, from the dial to its end: dials, tells what the provider must know, and then passes frames.
 *
 * <p>It is open when the provider has taken the whole opening script, or did not answer it in time. Confined to the
 * conversation's loop.
 */
final class Upstream extends Line {
    /** Whose line it is. Called on the loop. */
    interface Owner {
        /** The provider did not take the call; nothing more comes of this line. */
        void refused(Upstream line, ProviderRefused refusal);

        /** The provider is there. Its answers to the opening are still due. */
        void answered(Upstream line, ServerEvent.SessionCreated created);

        /** @param session as it begins for the caller; null when the provider never said so */
        void opened(Upstream line, ServerEvent.@Nullable SessionCreated session);

        /** A frame of the provider, handed over; the opening's among them, see {@link Upstream#isOpening}. */
        void says(Upstream line, Frame frame);

        /** The next frame of the caller's, or null. Asked for only when open. */
        @Nullable
        Frame next(Upstream line);

        /** Whether the provider may say more. */
        boolean mayHear(Upstream line);

        /** The line has ended, and was not ended by us. */
        void lost(Upstream line, WebSocketClose close);
    }

    private final Provider provider;
    private final SessionState.Live knows;
    private final OpeningScript script;
    private final Owner owner;
    private final Room room;
    private final ArrayDeque<Frame> opening = new ArrayDeque<>();
    private @Nullable Port socket;
    private boolean open;
    private boolean done;
    private long openedAt;
    private long dialledAt;

    /** @param knows the conversation that the script tells */
    Upstream(
            EventLoop loop,
            LogFields concerned,
            Provider provider,
            SessionState.Live knows,
            OpeningScript script,
            Owner owner,
            Room room) {
        super(loop, concerned);
        this.provider = provider;
        this.knows = knows;
        this.script = script;
        this.owner = owner;
        this.room = room;
    }

    Provider provider() {
        return provider;
    }

    /** The conversation as this provider was told it. */
    SessionState.Live knows() {
        return knows;
    }

    boolean isOpen() {
        return open;
    }

    /** Milliseconds since it was opened. */
    long ageMs() {
        return open ? (System.nanoTime() - openedAt) / 1_000_000 : 0;
    }

    /** Dials. Once. */
    void dial(@Nullable String model, String safetyIdentifier) {
        CompletionStage<Port> dialling;
        dialledAt = System.nanoTime();
        try {
            dialling = provider.dial(new Provider.Call(loop(), provider.modelFor(model), safetyIdentifier));
        } catch (RuntimeException broken) {
            dialling = CompletableFuture.failedStage(broken);
        }
        dialling.whenComplete((line, failure) -> {
            if (loop().inEventLoop()) {
                answered(line, failure);
            } else {
                loop().execute(() -> answered(line, failure));
            }
        });
    }

    private void answered(@Nullable Port line, @Nullable Throwable failure) {
        if (line == null) {
            if (!done) {
                done = true;
                release();
                owner.refused(
                        this,
                        ProviderRefused.of(
                                failure == null ? new IllegalStateException("neither a line nor a failure") : failure));
            }
        } else if (done) {
            // Not within its own handshake.
            loop().execute(() -> line.close(WebSocketClose.NORMAL, ""));
        } else {
            socket = line;
            loop().schedule(this::openAnyway, room.settings().createdWait().toMillis(), TimeUnit.MILLISECONDS);
            join(line);
        }
    }

    // ---- the opening

    /** Whether an event belongs to the opening, and is nobody else's business. */
    boolean isOpening(ServerEvent event) {
        if (event instanceof ServerEvent.SessionCreated created) {
            room.metrics().dial(provider.name()).since(dialledAt);
            owner.answered(this, created);
            if (script.isEmpty() || script.hasBegun()) {
                open(created);
            } else {
                tell(script.begin(created));
            }
            return true;
        }
        if (!script.swallows(event)) {
            return false;
        }
        script.finished().ifPresent(this::open);
        return true;
    }

    /** The same of a frame that nobody has looked at; every frame is, while the line is prepared beside another. */
    void takeOpening(Frame frame) {
        try {
            if (frame.isText()) {
                isOpening(Wire.server(frame.bytes()));
            }
        } catch (MalformedEvent notOurs) {
            // Whatever it was, it was no answer to the opening.
        } finally {
            frame.release();
        }
    }

    /** Whether the provider knows this item only from having been told it. */
    boolean wasTold(String itemId) {
        return script.tells(itemId);
    }

    /** What was said since the script was written; its acknowledgements are swallowed, too. */
    void tellMore(List<ClientEvent> events) {
        if (open || script.hasBegun()) {
            tell(script.more(events));
        } else {
            script.append(events);
        }
    }

    private void tell(List<ClientEvent> events) {
        events.forEach(event -> opening.add(Frame.text(Wire.bytes(event))));
        readable();
    }

    private void openAnyway() {
        if (open || done) {
            return;
        }
        if (!script.isEmpty() && !script.hasBegun()) {
            tell(script.begin(null));
        }
        open(script.giveUp().orElse(null));
    }

    private void open(ServerEvent.@Nullable SessionCreated session) {
        if (!open && !done) {
            open = true;
            openedAt = System.nanoTime();
            owner.opened(this, session);
            readable();
        } else if (session != null && !done) {
            owner.opened(this, session);
        }
    }

    /** The session as the provider stated it last during the opening; null before it did. */
    @Nullable
    SessionConfig stated() {
        return script.effective();
    }

    // ---- the provider's end

    @Override
    public @Nullable Frame poll() {
        var first = opening.poll();
        return first != null || !open || done ? first : owner.next(this);
    }

    @Override
    public boolean isWritable() {
        return owner.mayHear(this);
    }

    @Override
    public void send(Frame frame) {
        if (done) {
            frame.release();
        } else {
            owner.says(this, frame);
        }
    }

    @Override
    void closedByPeer(WebSocketClose close) {
        finish(close);
        if (!done) {
            done = true;
            release();
            // What lies between knows the code, but not whose it was.
            var socketsOwn = socket == null ? null : socket.ending();
            owner.lost(this, socketsOwn == null ? close : socketsOwn);
        }
    }

    /** Ends the line: nothing more passes, and the owner is not told. Safe to repeat, also while the dial is under way. */
    void hangUp() {
        if (!done) {
            done = true;
            release();
            finish(new WebSocketClose(WebSocketClose.NORMAL, "", false));
            if (socket != null) {
                // At once, also when the provider takes nothing: it must not go on beside the next one.
                socket.close(WebSocketClose.NORMAL, "");
            }
        }
    }

    private void release() {
        opening.forEach(Frame::release);
        opening.clear();
    }
}
