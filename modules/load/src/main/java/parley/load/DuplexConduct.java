package parley.load;

import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import java.util.concurrent.TimeUnit;

/**
 * Sends a stamped frame whenever one is due, and expects each to come back as one delta of the same audio, in order.
 *
 * <p>The round trip counts from the moment a frame was due; the service time, from when it was really sent.
 */
final class DuplexConduct implements Conduct {
    /** One frame in so many is compared to its last character; the others by stamp and length. */
    private static final int COMPARED = 50;

    private final int run;
    private final int session;
    private final AppendText text;
    private final Tally tally;
    private final Ledger ledger = new Ledger();
    /** Missing frames that count as lost already. */
    private int told;

    /** The text is shared with the other callers of the event loop. */
    DuplexConduct(int run, int session, AppendText text, Tally tally) {
        this.run = run;
        this.session = session;
        this.text = text;
        this.tally = tally;
    }

    @Override
    public void speak(ChannelHandlerContext socket, Schedule schedule, long due) {
        if (!socket.channel().isWritable()) {
            tally.unsent++;
            return;
        }
        long late = Math.max(0, System.nanoTime() - due);
        int lateMicros = (int) Math.min(Integer.MAX_VALUE, TimeUnit.NANOSECONDS.toMicros(late));
        Conduct.send(socket, text.stamped(new Stamp(run, session, ledger.send(), due, lateMicros)), tally);
    }

    @Override
    public void hear(EventScan scan, EventScan.Kind kind, ByteBuf event, Schedule schedule) {
        if (kind == EventScan.Kind.MALFORMED) tally.corrupt++;
        if (kind != EventScan.Kind.AUDIO_DELTA) return;
        long now = System.nanoTime();
        tally.heard.increment();
        if (scan.deltaFrom() < 0 || scan.deltaChars() != text.audioChars()) {
            tally.corrupt++;
            return;
        }
        Stamp.read(event, scan.deltaFrom())
                .filter(stamp -> stamp.run() == run && stamp.session() == session && stamp.lateMicros() >= 0)
                .filter(stamp -> stamp.scheduled() - schedule.start() >= 0 && now - stamp.scheduled() >= 0)
                .ifPresentOrElse(stamp -> note(stamp, event, scan.deltaFrom(), schedule, now), () -> tally.corrupt++);
    }

    private void note(Stamp stamp, ByteBuf event, int audioAt, Schedule schedule, long now) {
        switch (ledger.hear(stamp.sequence())) {
            case IN_ORDER -> {}
            case REORDERED -> tally.reordered++;
            case DOUBLED -> {
                tally.doubled++;
                return;
            }
            case UNKNOWN -> {
                tally.corrupt++;
                return;
            }
        }
        if (stamp.sequence() % COMPARED == 0) {
            tally.compared++;
            if (!text.sameBehindStamp(event, audioAt)) tally.corrupt++;
        }
        if (schedule.measured(stamp.scheduled())) {
            long roundTrip = now - stamp.scheduled();
            Tally.record(tally.roundTrip, roundTrip);
            Tally.record(tally.service, roundTrip - TimeUnit.MICROSECONDS.toNanos(stamp.lateMicros()));
        }
    }

    @Override
    public void settle() {
        int missing = ledger.missing();
        tally.lost += missing - told;
        told = missing;
    }
}
