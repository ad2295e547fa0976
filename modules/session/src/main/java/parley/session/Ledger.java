package parley.session;

import io.netty.channel.EventLoop;
import java.util.ArrayDeque;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import parley.session.Unwritten.Batch;

/**
 * The facts of a conversation, from the moment they are known until they are in the journal.
 *
 * <p>What is known counts at once: {@link #soFar} is the session as it is, not as it is written. Facts are handed on in
 * numbered batches, one at a time. When the journal takes none for {@code journal-outage}, or more than {@code
 * unwritten-facts} wait for it, it is taken for lost. Confined to the conversation's loop.
 */
final class Ledger {
    private record Afterwards(long number, Runnable action) {}

    private final EventLoop loop;
    private final Room room;
    private final Witness witness;
    private final Consumer<Batch> writer;
    private final Runnable learned;
    private final Runnable lost;
    private final Unwritten unwritten = new Unwritten();
    private final ArrayDeque<Afterwards> afterwards = new ArrayDeque<>();
    /** Read by others, too; written on the loop only. */
    private volatile SessionState.Live soFar;

    private long writtenUpTo;
    /** When the batch under way was handed on first; 0: none is. */
    private long handedAt;

    private boolean watching;
    private boolean closed;

    /**
     * @param soFar the session as the journal has it
     * @param witness where the facts come from
     * @param writer gets each batch, and answers by {@link #written}
     * @param learned called when more is known
     * @param lost called when the journal is taken for lost, unless closed
     */
    Ledger(
            EventLoop loop,
            Room room,
            SessionState.Live soFar,
            Witness witness,
            Consumer<Batch> writer,
            Runnable learned,
            Runnable lost) {
        this.loop = loop;
        this.room = room;
        this.soFar = soFar;
        this.witness = witness;
        this.writer = writer;
        this.learned = learned;
        this.lost = lost;
    }

    /** The session with everything that is known of it; from any thread. */
    SessionState.Live soFar() {
        return soFar;
    }

    /** Whatever the witness has learned since is known now, and on its way to the journal. */
    void tell() {
        boolean more = witness.hasFacts();
        if (more) {
            know(witness.takeFacts().stream().map(room.transcripts()::kept).toList());
        }
        var batch = unwritten.next(System.nanoTime());
        if (batch != null) {
            hand(batch);
            watch(room.settings().journalOutage().toNanos());
        }
        if (more) {
            learned.run();
        }
    }

    private void know(List<SessionEvent> facts) {
        for (var fact : facts) {
            if (soFar.after(fact) instanceof SessionState.Live later) {
                soFar = later;
            }
        }
        unwritten.add(facts);
        if (unwritten.size() > room.settings().unwrittenFacts()) {
            giveUp();
        }
    }

    private void hand(Batch batch) {
        handedAt = handedAt == 0 ? System.nanoTime() : handedAt;
        writer.accept(batch);
    }

    /** Does something when all facts so far, those not told yet included, are in the journal. Never, once closed. */
    void whenWritten(Runnable action) {
        long number = unwritten.lastNumber(witness.hasFacts());
        if (number <= writtenUpTo) {
            action.run();
        } else {
            afterwards.add(new Afterwards(number, action));
        }
    }

    /** The journal has what was told up to this number. */
    void written(long upTo) {
        if (handedAt != 0) {
            room.metrics().journalWrite.since(handedAt);
            handedAt = 0;
        }
        goOn(upTo);
    }

    /** The same, and what was told after that may never have arrived: it is told again. */
    void again(long upTo) {
        unwritten.written(upTo);
        var batch = unwritten.again();
        if (batch != null) {
            hand(batch);
        }
        goOn(upTo);
    }

    private void goOn(long upTo) {
        unwritten.written(upTo);
        writtenUpTo = Math.max(writtenUpTo, upTo);
        while (!closed && !afterwards.isEmpty() && afterwards.peek().number() <= upTo) {
            afterwards.poll().action().run();
        }
        tell();
    }

    /** Facts that are not known to be written. */
    int waiting() {
        return unwritten.size();
    }

    /** Whether the journal has every fact. */
    boolean isWritten() {
        return unwritten.isEmpty();
    }

    /** The conversation is over: facts still find their way, and nothing follows from that. */
    void close() {
        closed = true;
    }

    private void watch(long nanos) {
        if (watching) {
            return;
        }
        watching = true;
        loop.schedule(
                () -> {
                    watching = false;
                    long left = room.settings().journalOutage().toNanos() - unwritten.waitedNanos(System.nanoTime());
                    if (left <= 0) {
                        giveUp();
                    } else if (!unwritten.isEmpty()) {
                        watch(left);
                    }
                },
                nanos,
                TimeUnit.NANOSECONDS);
    }

    private void giveUp() {
        if (!closed) {
            lost.run();
        }
    }
}
