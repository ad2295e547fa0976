package parley.session;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import io.netty.channel.EventLoop;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import parley.protocol.Wire;
import parley.session.SessionEvent.HandedOver;
import parley.wire.WebSocketClose;

/**
 * The end of a conversation, which comes once: the entity has decided it, the conversation may or can not go on, it is let
 * go of for another host, or another host has it already.
 *
 * <p>Who hands it over, or switches voice off, waits for a turn boundary, within {@code hand-over}. The caller hears why,
 * and gets what waits for it, audio excepted; facts still find their way to the journal. Confined to the conversation's
 * loop.
 */
final class Ending {
    /** Whose end it is. Called on the loop. */
    interface Talk {
        /** Nobody would notice: all was said and heard, and nothing is due; or nobody is there. */
        boolean isAtTurnBoundary();

        /** Whether the caller is away, or something of what it said has not been taken. */
        boolean isAwaited();

        /** It is over: its clocks stop, and it does not count any more. */
        void over();

        /** Everything of it is told. */
        void parted();
    }

    private record Told(EndReason reason, String detail) {}

    private static final WebSocketClose MOVED = new WebSocketClose(WebSocketClose.RESTART, "the session moves", false);
    private static final long LOOK_FOR_QUIET_MS = 20;

    private final EventLoop loop;
    private final Room room;
    private final Talk talk;
    private final Conversation.Reports reports;
    private final CallerSide caller;
    private final ProviderSide provider;
    private final Delivery delivery;
    private final Witness witness;
    private final Ledger ledger;
    private final SessionOutcome outcome;
    private final SessionTrace trace;

    private boolean parting;
    private boolean over;
    private @Nullable Told told;

    Ending(
            EventLoop loop,
            Room room,
            Talk talk,
            Conversation.Reports reports,
            CallerSide caller,
            ProviderSide provider,
            Delivery delivery,
            Witness witness,
            Ledger ledger,
            SessionOutcome outcome,
            SessionTrace trace) {
        this.loop = loop;
        this.room = room;
        this.talk = talk;
        this.reports = reports;
        this.caller = caller;
        this.provider = provider;
        this.delivery = delivery;
        this.witness = witness;
        this.ledger = ledger;
        this.outcome = outcome;
        this.trace = trace;
    }

    boolean isOver() {
        return over;
    }

    // ---- it ends

    /** The entity has decided it. */
    void decided(EndReason reason) {
        told = new Told(reason, "");
        outcome.ended(reason);
        trace.ended(SessionMetrics.lower(reason), false);
        end(SessionMetrics.lower(reason), WebSocketClose.NORMAL);
    }

    /** It does not go on: the caller hears why, the line ends with this code and word, and the entity is told. */
    void because(EndReason reason, String detail, String why, int code) {
        end(why, code);
        tell(reason, detail);
    }

    /** The same, in other words. */
    void because(EndReason reason, String detail, WebSocketClose close, Runnable lastWords) {
        end(close, lastWords);
        tell(reason, detail);
    }

    /** Voice is switched off: it ends at the next turn boundary, within this time. */
    void kill(Duration within) {
        kill(System.nanoTime() + within.toNanos());
    }

    private void kill(long deadline) {
        if (over) {
            return;
        }
        if (isPast(deadline) || talk.isAtTurnBoundary()) {
            because(EndReason.KILLED, "", "killed", 4503);
        } else {
            loop.schedule(() -> kill(deadline), LOOK_FOR_QUIET_MS, TimeUnit.MILLISECONDS);
        }
    }

    /** @return whether there was something to tell the entity again */
    boolean tellAgain() {
        if (told == null) {
            return false;
        }
        reports.ended(told.reason(), told.detail());
        return true;
    }

    private void tell(EndReason reason, String detail) {
        told = new Told(reason, detail);
        outcome.ended(reason);
        trace.ended(SessionMetrics.lower(reason), SessionMetrics.isFault(reason));
        reports.ended(reason, detail);
    }

    private void end(String why, int code) {
        end(
                new WebSocketClose(code, why, false),
                () -> caller.say(Wire.json(JsonNodeFactory.instance
                        .objectNode()
                        .put("type", "voice-ended")
                        .put("reason", why))));
    }

    private void end(WebSocketClose close, Runnable lastWords) {
        if (over) {
            return;
        }
        over();
        ledger.tell();
        caller.queue().dropAudio();
        lastWords.run();
        provider.end();
        caller.end(close);
    }

    private void over() {
        over = true;
        talk.over();
    }

    // ---- it goes on elsewhere

    /** It is let go of at the next turn boundary, within this time; answered by {@link Talk#parted}. */
    void handOver(Duration within) {
        if (!parting) {
            parting = true;
            part(System.nanoTime() + within.toNanos());
        }
    }

    private void part(long deadline) {
        if (over) {
            written();
        } else if (isPast(deadline)
                || (talk.isAtTurnBoundary()
                        && room.conversations()
                                .mayHandOver(System.nanoTime(), room.settings().handOver()))) {
            letGo();
        } else {
            loop.schedule(() -> part(deadline), LOOK_FOR_QUIET_MS, TimeUnit.MILLISECONDS);
        }
    }

    private void letGo() {
        boolean waits = talk.isAwaited();
        delivery.letGo(System.nanoTime());
        trace.event("handed_over");
        trace.ended("handed_over", false);
        over();
        provider.end();
        caller.end(MOVED);
        var toCaller = caller.queue();
        witness.note(new HandedOver(
                toCaller.seq() + toCaller.waiting() + (waits ? 1 : 0),
                room.clock().instant()));
        ledger.tell();
        written();
    }

    /** The journal has facts: who lets go has done so when it has them all. */
    void written() {
        if (parting && over && ledger.isWritten()) {
            talk.parted();
        }
    }

    /** Another host has the session: nothing more is said to anybody, and the caller's edge finds the other one. */
    void fenced() {
        if (!over) {
            room.metrics().fenced.increment();
            trace.ended("fenced", true);
            over();
            provider.end();
            caller.drop(MOVED);
        }
    }

    private static boolean isPast(long deadline) {
        return System.nanoTime() - deadline >= 0;
    }
}
