package parley.provider.simulator;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import parley.protocol.Item;
import parley.protocol.Previous;

/**
 * The items of one session in their order, and the sound of the newest of them.
 *
 * <p>Bounded, and each time the oldest goes: items beyond {@code most-items}, or with more than {@code kept-text} letters
 * together, leave the conversation, as when a model's context is full; sound beyond {@code kept-audio} is forgotten
 * while its item stays.
 */
final class Conversation {

    /** Stands before every item. */
    static final String ROOT = "root";

    private final String id;
    private final SimulatorSettings settings;
    private final SimulatorCounters counters;
    private final List<Entry> entries = new ArrayList<>();
    private final Map<String, Entry> byId = new HashMap<>();
    private final ArrayDeque<Entry> sounding = new ArrayDeque<>();
    private long keptBytes;

    Conversation(String id, SimulatorSettings settings, SimulatorCounters counters) {
        this.id = id;
        this.settings = settings;
        this.counters = counters;
    }

    String id() {
        return id;
    }

    @Nullable
    Entry find(String itemId) {
        return byId.get(itemId);
    }

    /** What the model reads, in order; a copy. */
    List<Entry> entries() {
        return List.copyOf(entries);
    }

    /** What the next item appended will follow. */
    Previous last() {
        return entries.isEmpty()
                ? Previous.FIRST
                : Previous.item(entries.getLast().id());
    }

    /** Puts an item at the end. */
    Previous append(Entry entry) {
        return insert(entries.size(), entry);
    }

    /**
     * Puts an item behind another, or first when that is {@link #ROOT}.
     *
     * @return null when there is no such item
     */
    @Nullable
    Previous insertAfter(String previousId, Entry entry) {
        if (previousId.equals(ROOT)) return insert(0, entry);
        var previous = byId.get(previousId);
        return previous == null ? null : insert(entries.indexOf(previous) + 1, entry);
    }

    /** Whether there was such an item. */
    boolean remove(String itemId) {
        var entry = byId.remove(itemId);
        if (entry == null) return false;
        entries.remove(entry);
        sounding.remove(entry);
        release(entry);
        return true;
    }

    /** The call of that id, made by a model or put here by the client. */
    Item.@Nullable FunctionCall call(String callId) {
        for (int i = entries.size() - 1; i >= 0; i--) {
            if (entries.get(i).item() instanceof Item.FunctionCall call && callId.equals(call.callId())) return call;
        }
        return null;
    }

    /** Keeps the sound of an item that is in the conversation, and forgets older sound when there is no room. */
    void keep(Entry entry, ItemAudio sound) {
        if (byId.get(entry.id()) != entry) return;
        entry.audio(sound);
        sounding.add(entry);
        keptBytes += sound.length();
        while (keptBytes > settings.keptAudio()) {
            var oldest = sounding.remove();
            counters.forgottenAudioBytes.add(release(oldest));
            oldest.audio(null);
        }
    }

    /** Cuts the sound of an item, giving back the room it took. */
    void truncate(Entry entry, long millis) {
        long before = length(entry);
        entry.truncate(millis);
        keptBytes -= before - length(entry);
    }

    /** Bytes of sound kept now. */
    long keptBytes() {
        return keptBytes;
    }

    private Previous insert(int at, Entry entry) {
        var previous =
                at == 0 ? Previous.FIRST : Previous.item(entries.get(at - 1).id());
        entries.add(at, entry);
        byId.put(entry.id(), entry);
        dropOldest(entry);
        return previous;
    }

    /** Makes room, but never at the cost of the newest. */
    private void dropOldest(Entry newest) {
        long letters = entries.stream().mapToLong(Entry::letters).sum();
        while (entries.size() > 1 && (entries.size() > settings.mostItems() || letters > settings.keptText())) {
            var oldest = entries.getFirst() == newest ? entries.get(1) : entries.getFirst();
            letters -= oldest.letters();
            counters.forgottenItems.increment();
            remove(oldest.id());
        }
    }

    private long release(Entry entry) {
        long length = length(entry);
        keptBytes -= length;
        return length;
    }

    private static long length(Entry entry) {
        var audio = entry.audio();
        return audio == null ? 0 : audio.length();
    }
}
