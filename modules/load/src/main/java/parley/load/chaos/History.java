package parley.load.chaos;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The history that a server tells a caller who came back, as far as a caller looks for its turn in it. */
final class History {
    private record Told(String id, String type, String role) {}

    private final List<Told> told = new ArrayList<>();

    /** Takes the next item. */
    void add(JsonNode item) {
        told.add(new Told(
                item.path("id").asText(),
                item.path("type").asText(),
                item.path("role").asText()));
    }

    /**
     * The item that the turn is, under a name it is known by, or as speech that no turn is known to be; null when it is
     * not there.
     *
     * @param turns all of the caller's, this one among them
     */
    @Nullable
    String find(Turn turn, List<Turn> turns) {
        int at = indexOf(turn, turns);
        return at < 0 ? null : told.get(at).id();
    }

    /** Whether the agent has said something after it. */
    boolean isAnswered(Turn turn, List<Turn> turns) {
        int at = indexOf(turn, turns);
        return at >= 0
                && told.subList(at, told.size()).stream()
                        .anyMatch(each ->
                                each.type().equals("message") && each.role().equals("assistant"));
    }

    private int indexOf(Turn turn, List<Turn> turns) {
        for (int i = told.size() - 1; i >= 0; i--) {
            var each = told.get(i);
            if (!each.role().equals("user")) continue;
            if (turn.items.contains(each.id())) return i;
            boolean known = turns.stream().anyMatch(other -> other.items.contains(each.id()));
            if (!known && turn.kind == Turn.Kind.SPOKEN) return i;
        }
        return -1;
    }
}
