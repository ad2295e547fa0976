package parley.load.chaos;

import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** Plays what the agent says, at the pace of hearing, and tells the server now and then how far it is. */
final class Loudspeaker {
    private static final long TELL = TimeUnit.MILLISECONDS.toNanos(500);

    private String item = "";
    private double millis;
    private double told;
    private long toldAt;
    private long silentAt;

    /** Sound of an item came; it is played behind what came before. */
    void play(String itemId, double length, long now) {
        if (!itemId.equals(item)) {
            item = itemId;
            millis = 0;
            told = 0;
        }
        millis += length;
        silentAt = Math.max(silentAt, now) + (long) (length * 1e6);
    }

    boolean isSilent(long now) {
        return now >= silentAt;
    }

    /** What was reported last may never have arrived: it is reported again. */
    void reportAnew() {
        told = 0;
        toldAt = 0;
    }

    /** A {@code playback} event when one is due: twice a second, and when an item has been played. */
    @Nullable
    String report(long now) {
        double played = Math.max(0, millis - Math.max(0, silentAt - now) / 1e6);
        if (played <= told || (played < millis && now - toldAt < TELL)) return null;
        told = played;
        toldAt = now;
        return "{\"type\":\"playback\",\"item_id\":\"" + item + "\",\"played_ms\":" + (long) Math.ceil(played) + "}";
    }
}
