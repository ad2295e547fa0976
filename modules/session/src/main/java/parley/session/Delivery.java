package parley.session;

import io.netty.channel.EventLoop;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import parley.protocol.ClientEvent;
import parley.protocol.Ids;
import parley.protocol.Response;
import parley.protocol.ServerEvent;
import parley.protocol.Wire;
import parley.session.SessionEvent.AnswerEnded;
import parley.session.SessionEvent.UpstreamLost;
import parley.wire.Frame;

/**
 * The agent's answers on their way to the caller's ear: how far each was heard, what cut one off, and what is owed then.
 *
 * <p>While an answer is heard, the journal learns how far; when all of it was sent, it has ended. Where the caller speaks
 * over it, it ends there: what waits is thrown away, provider and journal learn what was heard. Where a fault cuts it off,
 * or nobody is left to hear it, it has not ended: it is owed, and begins again from what was heard. Towards the caller
 * every response that began has an end. Confined to the conversation's loop.
 */
final class Delivery {
    private final EventLoop loop;
    private final Room room;
    private final boolean guided;
    private final CallerSide caller;
    private final ToCaller toCaller;
    private final ProviderSide provider;
    private final Witness witness;
    private final Ledger ledger;
    private final TurnTimes times;

    private Owed owed;
    /** Of what is lost. */
    private String cause;
    /** The answer that is begun again: it has not ended. */
    private @Nullable String cutResponse;

    /** Whether the caller of a lost host has seen that answer begin. */
    private boolean cutIsOpen;

    /** The answer that the caller has stopped. */
    private @Nullable String stopped;

    private boolean looking;
    private boolean closed;

    /**
     * @param owed what is due from before
     * @param orderly whether there was no host before, or it let go in good order
     */
    Delivery(
            EventLoop loop,
            Room room,
            CallerSide caller,
            ProviderSide provider,
            Witness witness,
            Ledger ledger,
            TurnTimes times,
            Owed owed,
            boolean orderly) {
        this.loop = loop;
        this.room = room;
        this.guided = ledger.soFar().opened().face().guided();
        this.caller = caller;
        this.toCaller = caller.queue();
        this.provider = provider;
        this.witness = witness;
        this.ledger = ledger;
        this.times = times;
        this.owed = owed;
        this.cause = orderly ? "moved" : "node_lost";
        this.cutResponse = unended();
        this.cutIsOpen = cutResponse != null;
    }

    /** The answer that has not ended, as the journal has it. */
    private @Nullable String unended() {
        var answer = ledger.soFar().answer();
        return answer == null ? null : answer.responseId();
    }

    // ---- an answer is heard

    /** An event of the provider, which the witness has seen, and which has not been passed on. */
    void saw(ServerEvent event) {
        if (event instanceof ServerEvent.ResponseCreated created
                && !witness.isAside(created.response().id())) {
            begins(created.response().id());
        }
    }

    private void begins(String responseId) {
        toCaller.responseBegun(responseId);
        ledger.tell();
        if (!guided && caller.hasBeenThere() && !caller.isThere()) {
            stopForNow();
        }
    }

    /** The agent's audio came. While it is heard, the journal learns how far: whoever takes over goes on from there. */
    void speaks() {
        if (!looking) {
            looking = true;
            loop.schedule(this::look, room.settings().heardEvery().toMillis(), TimeUnit.MILLISECONDS);
        }
    }

    private void look() {
        looking = false;
        var answer = ledger.soFar().answer();
        if (closed || answer == null) {
            return;
        }
        ToCaller.Cut last = null;
        for (var item : toCaller.heard(System.nanoTime())) {
            last = item.heardMs() > 0 ? item : last;
        }
        if (last != null && caller.isThere()) {
            var known = answer.heard();
            if (known == null || !known.itemId().equals(last.itemId()) || known.heardMs() != last.heardMs()) {
                witness.isHeard(last.itemId(), last.heardMs());
                ledger.tell();
            }
        }
        speaks();
    }

    /** A response was sent to its last frame; told with the facts that come next. */
    void isSent(String responseId) {
        if (!responseId.equals(cutResponse)) {
            ends(responseId);
        }
    }

    private void ends(String responseId) {
        witness.note(new AnswerEnded(responseId, now()));
    }

    // ---- the caller cuts it off

    /** The caller speaks over the agent, or stops it. */
    void interrupted() {
        long began = System.nanoTime();
        if (!cut(began).isEmpty()) {
            room.metrics().bargeIns.increment();
            times.bargedIn(System.nanoTime() - began);
        }
        stopped = toCaller.openResponse();
        owed = new Owed(false, null, owed.lost());
        var answer = unended();
        if (answer != null) {
            ends(answer);
        }
        ledger.tell();
        provider.writable();
    }

    /** Nothing more of what the agent was saying leaves: the provider and the journal learn what was heard. */
    private List<ToCaller.Cut> cut(long now) {
        var cuts = toCaller.interrupt(now);
        for (var cut : cuts) {
            witness.cut(cut.itemId(), cut.heardMs());
            if (provider.wasTold(cut.itemId())) {
                correct(cut.itemId());
            } else if (guided) {
                provider.say(
                        new ClientEvent.ConversationItemTruncate(ProviderSide.ownId(), cut.itemId(), 0, cut.heardMs()));
            }
        }
        return cuts;
    }

    /**
     * The caller's client says how much of an item it heard.
     *
     * @return whether that is not the provider's to know: it has not said the item itself
     */
    boolean truncated(ClientEvent event) {
        if (!(event instanceof ClientEvent.ConversationItemTruncate(var eventId, var itemId, var part, var heardMs))
                || !provider.wasTold(itemId)) {
            return false;
        }
        witness.cut(itemId, heardMs);
        correct(itemId);
        caller.say(new ServerEvent.ConversationItemTruncated(Ids.event(), itemId, part, heardMs));
        return true;
    }

    /** A provider that has not said an item cannot truncate it: it is told anew. */
    private void correct(String itemId) {
        var then = turn(itemId);
        ledger.tell();
        var now = turn(itemId);
        if (then != null && now != null) {
            provider.tell(History.corrected(then, now, null));
        }
    }

    private @Nullable Turn turn(String itemId) {
        return ledger.soFar().turns().stream()
                .filter(turn -> turn.itemId().equals(itemId))
                .findAny()
                .orElse(null);
    }

    // ---- nobody hears it

    /** A guided caller's answer waits for it; a strict one's client begins anew, and so does the answer. */
    void abandoned(boolean answering) {
        var answer = unended();
        if (guided || answer == null) {
            return;
        }
        if (answering) {
            stopForNow();
        } else {
            ends(answer);
            ledger.tell();
        }
    }

    /** It is gone on with when somebody hears it. */
    private void stopForNow() {
        cut(System.nanoTime());
        provider.say(new ClientEvent.ResponseCancel(ProviderSide.ownId(), null));
        ledger.tell();
        cutResponse = unended();
    }

    /** The session goes on elsewhere, and so does the answer: nobody is to take it for ended. */
    void letGo(long now) {
        var answer = unended();
        if (answer != null) {
            for (var item : toCaller.heard(now)) {
                if (item.heardMs() > 0) {
                    witness.isHeard(item.itemId(), item.heardMs());
                }
            }
            witness.providerLost();
            toCaller.interrupt(now);
            cutResponse = answer;
            toCaller.withhold(answer);
        }
    }

    // ---- a fault cuts it off

    /**
     * The provider is lost, with whatever it had not said yet.
     *
     * @param due whether it owed an answer
     * @param saidAgain whether the next one is told something again that it will answer anyway
     */
    void lost(String why, boolean due, boolean saidAgain) {
        var open = toCaller.openResponse();
        boolean cutOff = witness.providerLost();
        witness.note(new UpstreamLost(why, now()));
        ledger.tell();
        toCaller.upstreamLost();
        // All that was begun of it is there: only the word that it is done is missing.
        boolean whole = !cutOff && Owed.isBegun(ledger.soFar());
        boolean cut = open != null && !whole && !open.equals(stopped);
        if (cut) {
            cutResponse = open;
            closeCut(open);
        } else if (open != null) {
            close(open, whole ? Response.Status.COMPLETED : Response.Status.CANCELLED, null);
        }
        cause = switch (why) {
            case ProviderSide.SUSPENDED -> "partition";
            case ProviderSide.MUTE -> "provider_mute";
            default -> "provider_lost";
        };
        var after = Owed.after(ledger.soFar());
        // An answer that is still being heard, and was generated to its end, is not due again.
        boolean turnWaits = unended() == null && after.answer() && !saidAgain;
        owed = owed.and(new Owed(due || cut || turnWaits, cut ? after.heard() : null, cut ? after.lost() : List.of()));
    }

    /**
     * Somebody took a seat. A caller that never left, but whose host or line was lost, waits for the end of what it saw
     * begin.
     */
    void seated(Conversations.Manner manner) {
        if (manner == Conversations.Manner.MOVED) {
            var open = cutIsOpen ? cutResponse : toCaller.takeLeftOpen();
            if (open != null && open.equals(cutResponse)) {
                closeCut(open);
            } else if (open != null) {
                close(open, Response.Status.CANCELLED, null);
            }
        }
        cutIsOpen = false;
    }

    private void closeCut(String responseId) {
        close(
                responseId,
                Response.Status.FAILED,
                new Response.Failure("server_error", "upstream_lost", "cut by a fault; the answer begins again"));
    }

    private void close(String responseId, Response.Status how, Response.@Nullable Failure why) {
        var done = Response.begun(responseId, null, List.of("audio"), null)
                .ended(how, new Response.StatusDetails(how.wireName(), null, why), List.of(), null);
        toCaller.responseDone(responseId, Frame.text(Wire.bytes(new ServerEvent.ResponseDone(Ids.event(), done))));
        caller.readable();
    }

    // ---- what is owed

    /**
     * What is due now: it is owed no more. The caller is told what is lost.
     *
     * @param answered whether somebody is going to answer already
     */
    Owed takeOwed(boolean answered) {
        if (owed.equals(Owed.NOTHING) && !answered && cutResponse != null && cutResponse.equals(unended())) {
            owed = Owed.after(ledger.soFar());
        }
        var due = owed;
        owed = Owed.NOTHING;
        if (!due.lost().isEmpty()) {
            caller.say(Owed.restored(cause, due.lost()));
        }
        return due;
    }

    /** Whether every answer was heard to its end, and none is to begin again. */
    boolean isDone() {
        return !owed.answer() && ledger.soFar().answer() == null;
    }

    /** The conversation is over: the journal learns no more of what is heard. */
    void close() {
        closed = true;
    }

    private Instant now() {
        return room.clock().instant();
    }
}
