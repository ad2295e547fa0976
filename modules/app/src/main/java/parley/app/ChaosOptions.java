package parley.app;

import java.net.URI;
import java.net.URISyntaxException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import parley.load.chaos.Face;

/**
 * What the command line of {@code chaos} asked for, checked.
 *
 * @param nodes of the cluster that is started; its size when {@code urls} is empty
 * @param urls of a cluster that runs already; empty: one is started
 * @param token for that cluster; null: each caller's is signed with JWT_SECRET
 */
record ChaosOptions(
        List<Fault> faults,
        int sessions,
        int seconds,
        int nodes,
        Face face,
        long seed,
        @Nullable Path json,
        List<URI> urls,
        @Nullable String token,
        boolean insecure) {

    static final String HELP = """
            usage: scripts/parley chaos [option…]

            Lets callers talk to a cluster, breaks something, and finds out from outside whether every conversation
            went on: no session lost, every turn answered once.

              --fault F          what to break; repeatable, one after the other; all: everything (none)
                                 %s
              --sessions N       callers at the same time (200)
              --seconds N        how long they talk at least, for each fault (120)
              --nodes N          nodes of the cluster that is started for it (3)
              --face F           guided or realtime (guided)
              --seed N           fixes who says what, and which node is hit (1)
              --json FILE        also write the report as JSON
              --url URL          a node of a cluster that runs already, ws:// or wss://; repeatable. Only faults of
                                 the callers are possible then: %s
              --token TOKEN      with --url: bearer token (the environment variable PARLEY_TOKEN; else each caller
                                 gets one of its own, signed with JWT_SECRET)
              --insecure         with --url: accept any certificate
              --help             this text

            partition and partition-database need root, ip and nft: the cluster then runs in network namespaces of its own.

            Exit code: 0 when nothing was lost and nothing doubled, 1 otherwise.
            """.formatted(
                    wrapped(Fault.words()),
                    Arrays.stream(Fault.values())
                            .filter(fault -> fault.reach() == Fault.Reach.CALLERS)
                            .map(Fault::word)
                            .collect(Collectors.joining(", ")));

    private static final int MOST_SESSIONS = 5000;
    private static final int WORDS_PER_LINE = 5;

    ChaosOptions {
        faults = List.copyOf(faults);
        urls = List.copyOf(urls);
    }

    /** Throws a {@link StartFailure} that names the value and what was expected. */
    static ChaosOptions parse(List<String> arguments, @Nullable String environmentToken) {
        var faults = new ArrayList<Fault>();
        var urls = new ArrayList<URI>();
        boolean all = false;
        boolean insecure = false;
        int sessions = 200;
        int seconds = 120;
        int nodes = 3;
        var face = Face.GUIDED;
        long seed = 1;
        Path json = null;
        var token = environmentToken == null || environmentToken.isBlank() ? null : environmentToken;
        var rest = new ArrayList<>(arguments);
        while (!rest.isEmpty()) {
            var word = rest.removeFirst();
            if (word.equals("--insecure")) {
                insecure = true;
                continue;
            }
            int equals = word.indexOf('=');
            var name = equals < 0 ? word : word.substring(0, equals);
            if (!name.startsWith("--")) {
                throw new StartFailure("option: " + word + " (expected: an option of chaos --help)");
            }
            if (equals < 0 && rest.isEmpty()) {
                throw new StartFailure(name + ": no value");
            }
            var value = equals < 0 ? rest.removeFirst() : word.substring(equals + 1);
            switch (name) {
                case "--fault" -> {
                    all |= value.equals("all");
                    if (!value.equals("all")) {
                        faults.add(fault(value));
                    }
                }
                case "--sessions" -> sessions = number(name, value, 1, MOST_SESSIONS);
                case "--seconds" -> seconds = number(name, value, 5, 86_400);
                case "--nodes" -> nodes = number(name, value, 1, 9);
                case "--face" -> face = face(value);
                case "--seed" -> seed = number(name, value, 0, 999_999);
                case "--json" -> json = Path.of(value);
                case "--url" -> urls.add(url(value));
                case "--token" -> token = value;
                default -> throw new StartFailure("option: " + word + " (expected: an option of chaos --help)");
            }
        }
        if (all) {
            faults.addAll(Arrays.stream(Fault.values())
                    .filter(fault -> urls.isEmpty() || fault.reach() == Fault.Reach.CALLERS)
                    .toList());
        }
        for (var fault : faults) {
            if (!urls.isEmpty() && fault.reach() != Fault.Reach.CALLERS) {
                throw new StartFailure(
                        "--fault: " + fault.word()
                                + " (expected with --url: a fault of the callers; the rest of that cluster is not ours to break)");
            }
        }
        return new ChaosOptions(
                faults.isEmpty() ? List.of(Fault.NONE) : faults,
                sessions,
                seconds,
                nodes,
                face,
                seed,
                json,
                urls,
                token,
                insecure);
    }

    boolean needsNetwork() {
        return faults.stream().anyMatch(fault -> fault.reach() == Fault.Reach.NETWORK);
    }

    private static Fault fault(String word) {
        return Fault.named(word)
                .orElseThrow(() -> new StartFailure(
                        "--fault: " + word + " (expected: all, or one of " + String.join(", ", Fault.words()) + ")"));
    }

    private static Face face(String word) {
        return switch (word) {
            case "guided" -> Face.GUIDED;
            case "realtime" -> Face.STRICT;
            default -> throw new StartFailure("--face: " + word + " (expected: guided or realtime)");
        };
    }

    private static URI url(String text) {
        try {
            var url = new URI(text);
            if (url.getHost() != null && ("ws".equals(url.getScheme()) || "wss".equals(url.getScheme()))) {
                return URI.create(url.getScheme() + "://" + url.getRawAuthority() + "/");
            }
        } catch (URISyntaxException malformed) {
            // Told below, with everything else that is no address.
        }
        throw new StartFailure("--url: " + text + " (expected: ws://host:port or wss://host:port)");
    }

    private static int number(String name, String text, int least, int most) {
        if (!text.matches("\\d{1,6}") || Integer.parseInt(text) < least || Integer.parseInt(text) > most) {
            throw new StartFailure(name + ": " + text + " (expected: " + least + ".." + most + ")");
        }
        return Integer.parseInt(text);
    }

    private static String wrapped(List<String> words) {
        var text = new StringBuilder();
        for (int i = 0; i < words.size(); i++) {
            text.append(words.get(i));
            if (i < words.size() - 1) {
                text.append(i % WORDS_PER_LINE == WORDS_PER_LINE - 1 ? ",\n" + " ".repeat(21) : ", ");
            }
        }
        return text.toString();
    }
}
