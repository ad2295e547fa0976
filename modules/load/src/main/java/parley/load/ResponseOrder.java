package parley.load;

import java.util.HashSet;
import java.util.Optional;
import java.util.Set;

/**
 * Holds one session's answers against the order every response promises: created, audio, end of audio, done. Each step
 * gives what was wrong with it, if anything was.
 */
final class ResponseOrder {
    private String open = "";
    private boolean sounded;
    private final Set<String> silenced = new HashSet<>();

    Optional<String> created(String response) {
        var wrong = open.isEmpty() ? Optional.<String>empty() : Optional.of("created before the last one was done");
        open = response;
        sounded = false;
        silenced.clear();
        return wrong;
    }

    Optional<String> audio(String response, String item) {
        if (open.isEmpty()) return Optional.of("audio outside any response");
        if (!response.equals(open)) return Optional.of("audio of another response");
        sounded = true;
        return silenced.contains(item) ? Optional.of("audio of an item after its end") : Optional.empty();
    }

    Optional<String> audioDone(String response, String item) {
        if (!response.equals(open)) return Optional.of("end of audio of another response");
        silenced.add(item);
        return Optional.empty();
    }

    Optional<String> done(String response) {
        if (!response.equals(open)) return Optional.of("done without created");
        open = "";
        return sounded && silenced.isEmpty() ? Optional.of("done without end of audio") : Optional.empty();
    }
}
