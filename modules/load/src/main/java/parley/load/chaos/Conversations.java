package parley.load.chaos;

import java.util.List;
import java.util.Set;

/** What all callers of a run lived through, to be judged by an {@link Inspection}. */
public final class Conversations {

    /**
     * A turn, as the provider may know it.
     *
     * @param items under which it entered the conversation; more than one when it was said again
     * @param hertz pitch of a spoken turn; 0 for one in writing
     */
    public record Asked(int caller, int turn, Set<String> items, int hertz) {
        public Asked {
            items = Set.copyOf(items);
        }
    }

    private final List<Diary> diaries;

    Conversations(List<Diary> diaries) {
        this.diaries = List.copyOf(diaries);
    }

    List<Diary> diaries() {
        return diaries;
    }

    /** Every turn of every caller. */
    public List<Asked> asked() {
        return diaries.stream()
                .flatMap(diary -> diary.turns.stream()
                        .map(turn -> new Asked(
                                diary.caller,
                                turn.number,
                                turn.items,
                                turn.kind == Turn.Kind.SPOKEN ? Sound.hertz(turn.number) : 0)))
                .toList();
    }
}
