package parley.load;

import java.net.URI;
import java.net.URISyntaxException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** What {@code barge-in} is told. */
record BargeInOptions(URI url, String token, int sessions, int runs, int delay, int providerPort) {
    static final String HELP = """
            Usage: barge-in [option…]

            How fast a node lets the agent fall silent when the caller speaks. It is the provider and the callers at
            once, so start the node with PARLEY_PROVIDER_URL=http://127.0.0.1:19200/v1 REALTIME_API_MODEL=simulator.

              --url URL           the voice face (ws://127.0.0.1:8080/v1/ws/voice?model=simulator;
                                  another port where PARLEY_HTTP_PORT is set)
              --token TOKEN       bearer token (the environment variable PARLEY_TOKEN)
              --sessions N        callers at the same time (20)
              --runs N            interruptions of each (15)
              --delay S           seconds until they come, in which to load the node otherwise (10)
              --provider-port P   where the provider listens (19200)
              --help              this text

            Exit code: 0 when no stale audio came; 1 when any did, or a caller was lost; 2 for a bad option.
            """;

    private static final Set<String> NAMES =
            Set.of("--url", "--token", "--sessions", "--runs", "--delay", "--provider-port");

    /** @throws IllegalArgumentException naming what is wrong, and what was expected */
    static BargeInOptions parse(List<String> arguments, Map<String, String> environment) {
        var given = new HashMap<String, String>();
        for (int at = 0; at < arguments.size(); at += 2) {
            var name = arguments.get(at);
            if (!NAMES.contains(name)) {
                throw new IllegalArgumentException(name + " (expected: an option of --help)");
            }
            if (at + 1 == arguments.size()) {
                throw new IllegalArgumentException(name + ": nothing (expected: a value after it)");
            }
            given.put(name, arguments.get(at + 1));
        }
        var url = "ws://127.0.0.1:" + environment.getOrDefault("PARLEY_HTTP_PORT", "8080")
                + "/v1/ws/voice?model=simulator";
        return new BargeInOptions(
                url(given.getOrDefault("--url", url)),
                token(given.getOrDefault("--token", environment.getOrDefault("PARLEY_TOKEN", ""))),
                number(given, "--sessions", 20, 1, 1_000),
                number(given, "--runs", 15, 1, 10_000),
                number(given, "--delay", 10, 0, 3_600),
                number(given, "--provider-port", 19200, 1, 65_535));
    }

    private static URI url(String text) {
        try {
            var url = new URI(text);
            if (url.getHost() != null && ("ws".equals(url.getScheme()) || "wss".equals(url.getScheme()))) return url;
        } catch (URISyntaxException wrong) {
            throw new IllegalArgumentException("--url: " + text + " (expected: ws://host… or wss://host…)", wrong);
        }
        throw new IllegalArgumentException("--url: " + text + " (expected: ws://host… or wss://host…)");
    }

    private static String token(String text) {
        if (text.isEmpty()) {
            throw new IllegalArgumentException("--token: nothing (expected: a token, or PARLEY_TOKEN)");
        }
        if (text.chars().anyMatch(c -> c <= ' ' || c > '~')) {
            throw new IllegalArgumentException("--token: (hidden) (expected: visible ASCII without spaces)");
        }
        return text;
    }

    private static int number(Map<String, String> given, String name, int otherwise, int least, int most) {
        var text = given.get(name);
        if (text == null) return otherwise;
        int number = text.matches("\\d{1,9}") ? Integer.parseInt(text) : -1;
        if (number < least || number > most) {
            throw new IllegalArgumentException(name + ": " + text + " (expected: " + least + " to " + most + ")");
        }
        return number;
    }

    @Override
    public String toString() {
        return "BargeInOptions[" + url + "]";
    }
}
