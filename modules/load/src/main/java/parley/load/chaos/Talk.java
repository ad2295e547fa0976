package parley.load.chaos;

import java.net.URI;
import java.util.List;
import java.util.function.IntFunction;

/**
 * Who talks to whom.
 *
 * @param nodes {@code ws:} or {@code wss:} addresses without a path, one per node; callers begin on all of them in turn
 * @param model asked for by each caller
 * @param tokens the bearer token of a caller's number; callers that have one each can be told apart at the provider
 * @param seed fixes who says what when, as far as a network lets it
 * @param perSecond new callers per second
 */
public record Talk(
        List<URI> nodes,
        Face face,
        String model,
        int sessions,
        IntFunction<String> tokens,
        long seed,
        boolean insecure,
        int perSecond) {
    public Talk {
        nodes = List.copyOf(nodes);
    }
}
