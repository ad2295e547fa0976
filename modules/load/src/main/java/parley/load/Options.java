package parley.load;

import java.net.URI;
import java.net.URISyntaxException;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * What the command line asked for, checked.
 *
 * @param url with the model in its query
 * @param frameMillis length of one frame of audio, and the time between two
 * @param connectRate sockets opened per second
 * @param pids processes whose CPU time and memory are read from this machine
 */
record Options(
        URI url,
        Optional<Token> token,
        int sessions,
        int seconds,
        int warmup,
        Mode mode,
        int frameMillis,
        int connectRate,
        Optional<Path> json,
        List<Long> pids,
        boolean insecure,
        int threads) {

    static final String HELP = """
            Usage: load [option…]

            Talks to a gateway as very many callers would, and reports what they heard.

              --url URL           ws:// or wss:// address (ws://127.0.0.1:8080/v1/realtime)
              --token TOKEN       bearer token (the environment variable PARLEY_TOKEN)
              --model MODEL       model to ask for (duplex: simulator:echo=true, otherwise simulator;
                                  unless the URL already names one)
              --sessions N        callers at the same time (10)
              --seconds N         measured time (30)
              --warmup N          seconds of talk before the measured time (5)
              --mode MODE         duplex: each frame is answered by the same audio (default)
                                  turn: speak, wait for the answer, listen to it, again
                                  idle: connect and send nothing
              --frame-ms N        length of a frame of audio (100)
              --connect-rate N    sockets opened per second (50)
              --json FILE         also write the report as JSON
              --pid P[,P…]        also report CPU time and memory of these processes
              --insecure          accept any certificate
              --threads N         event loops of this program (1)
              --help              this text

            Exit code: 0 when everything was heard; 1 when anything was lost, doubled, reordered, corrupt or failed,
            or a session was refused or cut; 2 for a bad option.
            """;

    private static final String DEFAULT_URL = "ws://127.0.0.1:8080/v1/realtime";
    private static final Set<String> SWITCHES = Set.of("--insecure");
    private static final Set<String> VALUES = Set.of(
            "--url",
            "--token",
            "--model",
            "--sessions",
            "--seconds",
            "--warmup",
            "--mode",
            "--frame-ms",
            "--connect-rate",
            "--json",
            "--pid",
            "--threads");

    /** A secret that does not show itself. */
    record Token(String value) {
        @Override
        public String toString() {
            return "(hidden)";
        }
    }

    /** Throws an {@link IllegalArgumentException} whose message names the value and what was expected. */
    static Options parse(List<String> arguments, Map<String, String> environment) {
        var given = read(arguments);
        var mode = mode(given.getOrDefault("--mode", "duplex"));
        return new Options(
                url(given.getOrDefault("--url", DEFAULT_URL), Optional.ofNullable(given.get("--model")), mode),
                Optional.ofNullable(given.getOrDefault("--token", environment.get("PARLEY_TOKEN")))
                        .filter(token -> !token.isBlank())
                        .map(Options::token),
                number(given, "--sessions", 10, 1, 60_000),
                number(given, "--seconds", 30, 1, 86_400),
                number(given, "--warmup", 5, 0, 3_600),
                mode,
                number(given, "--frame-ms", 100, 5, 1_000),
                number(given, "--connect-rate", 50, 1, 10_000),
                Optional.ofNullable(given.get("--json")).map(Path::of),
                pids(given.getOrDefault("--pid", "")),
                given.containsKey("--insecure"),
                number(given, "--threads", 1, 1, 64));
    }

    private static Map<String, String> read(List<String> arguments) {
        var given = new HashMap<String, String>();
        var rest = arguments.iterator();
        while (rest.hasNext()) {
            var argument = rest.next();
            int equals = argument.startsWith("--") ? argument.indexOf('=') : -1;
            var name = equals < 0 ? argument : argument.substring(0, equals);
            if (SWITCHES.contains(name) && equals < 0) {
                given.put(name, "");
            } else if (!VALUES.contains(name)) {
                throw new IllegalArgumentException(argument + " (expected: an option of --help)");
            } else if (equals >= 0) {
                given.put(name, argument.substring(equals + 1));
            } else if (rest.hasNext()) {
                given.put(name, rest.next());
            } else {
                throw new IllegalArgumentException(name + ": nothing (expected: a value after it)");
            }
        }
        return given;
    }

    private static Mode mode(String text) {
        return Arrays.stream(Mode.values())
                .filter(mode -> mode.toString().equals(text))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException("--mode: " + text + " (expected: duplex, turn, idle)"));
    }

    private static Token token(String text) {
        if (text.chars().anyMatch(c -> c <= ' ' || c > '~')) {
            throw new IllegalArgumentException("--token: (hidden) (expected: visible ASCII without spaces)");
        }
        return new Token(text);
    }

    private static URI url(String text, Optional<String> model, Mode mode) {
        try {
            var url = new URI(text);
            var scheme = url.getScheme() == null ? "" : url.getScheme().toLowerCase(Locale.ROOT);
            if (url.getHost() == null || !(scheme.equals("ws") || scheme.equals("wss"))) {
                throw new IllegalArgumentException("--url: " + text + " (expected: ws://host… or wss://host…)");
            }
            var query = url.getRawQuery() == null ? "" : url.getRawQuery();
            boolean named = Arrays.stream(query.split("&")).anyMatch(part -> part.startsWith("model="));
            if (named && model.isPresent()) {
                throw new IllegalArgumentException(
                        "--model: " + model.get() + " (expected: no model in --url, or no --model)");
            }
            if (!named) {
                var encoded = URLEncoder.encode(model.orElse(mode.model()), StandardCharsets.UTF_8);
                query += (query.isEmpty() ? "" : "&") + "model=" + encoded;
            }
            var path = url.getRawPath().isEmpty() ? "/" : url.getRawPath();
            return new URI(scheme + "://" + url.getRawAuthority() + path + "?" + query);
        } catch (URISyntaxException wrong) {
            throw new IllegalArgumentException("--url: " + text + " (expected: ws://host… or wss://host…)", wrong);
        }
    }

    private static int number(Map<String, String> given, String name, int otherwise, int least, int most) {
        var text = given.get(name);
        if (text == null) return otherwise;
        int value = text.matches("[0-9]{1,9}") ? Integer.parseInt(text) : -1;
        if (value < least || value > most) {
            throw new IllegalArgumentException(
                    name + ": " + text + " (expected: a whole number, " + least + ".." + most + ")");
        }
        return value;
    }

    private static List<Long> pids(String text) {
        var pids = new ArrayList<Long>();
        for (var part : text.isEmpty() ? new String[0] : text.split(",", -1)) {
            if (!part.matches("[1-9][0-9]{0,8}")) {
                throw new IllegalArgumentException("--pid: " + text + " (expected: process ids, as in 17 or 17,18)");
            }
            pids.add(Long.parseLong(part));
        }
        return List.copyOf(pids);
    }

    int port() {
        return Dial.port(url);
    }
}
