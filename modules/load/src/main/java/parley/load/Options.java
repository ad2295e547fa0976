package parley.load;

import java.net.URI;
import java.net.URISyntaxException;
import java.net.URLDecoder;
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
import java.util.stream.Collectors;

/**
 * What the command line asked for, checked.
 *
 * @param url with the model in its query
 * @param sessions the most there will be
 * @param frameMillis length of one frame of audio, and the time between two
 * @param connectRate sockets opened per second
 * @param openAt the node where sessions are opened by REST before their callers connect
 * @param pids processes whose CPU time and memory are read from this machine
 */
record Options(
        URI url,
        Access access,
        Optional<URI> openAt,
        int sessions,
        Optional<Climb> climb,
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
                   load --compare A.json[,A2.json…] B.json[,B2.json…]

            Talks to a gateway as very many callers would, and reports what they heard.

              --url URL           ws:// or wss:// address (ws://127.0.0.1:8080/v1/realtime;
                                  another port where PARLEY_HTTP_PORT is set)
              --token TOKEN       bearer token (the environment variable PARLEY_TOKEN)
              --header 'NAME: V'  a header of the upgrade, such as 'OpenAI-Beta: realtime=v1'; may be repeated
              --subprotocol P[,P] subprotocols to offer; the server must choose one
              --model MODEL       model to ask for (duplex: simulator:echo=true, otherwise simulator;
                                  none when the URL has a query of its own)
              --sessions N        callers at the same time (10)
              --seconds N         measured time (30; of each step of a ramp: 10)
              --warmup N          seconds of talk before the measured time (5)
              --mode MODE         duplex: each frame is answered by the same audio (default)
                                  turn: speak, wait for the answer, listen to it, again
                                  idle: connect and send nothing
              --frame-ms N        length of a frame of audio (100)
              --connect-rate N    sockets opened per second (50)
              --json FILE         also write the report as JSON
              --pid P[,P…]        also report CPU time and memory of these processes
              --open-at URL       open the sessions by REST at this node of Parley, then connect to --url,
                                  another one: the sessions live one hop away
              --insecure          accept any certificate
              --threads N         event loops of this program (1)
              --help              this text

            How many it carries:

              --ramp F:T:S        F sessions, then S more with each step up to T; duplex only. Stops at the first
                                  step with a later P99 than allowed, a frame lost or not sent, or a session lost,
                                  and says whether this generator was itself too late or too busy
              --within MS         what P99 of the round trip from due may be (20)

            Two runs, or the medians of several on each side, figure by figure:

              --compare A B       reports of --json; says so when they are not comparable

            Exit code: 0 when everything was heard; 1 when anything was lost, doubled, reordered, corrupt or failed,
            or a session was refused or cut; 2 for a bad option.
            Of a ramp: 0 when it found the largest number, or came to T; 1 when its first step was too much, or it was
            interrupted; 2; 3 when this generator was the limit, so that the gateway's is not known.
            Of a comparison: 0 when the runs are comparable and were clean; 1 when not; 2 for a file that is no report.
            """;

    private static final int MOST_SESSIONS = 60_000;
    private static final Set<String> SWITCHES = Set.of("--insecure");
    private static final String REPEATED = "--header";
    private static final Set<String> VALUES = Set.of(
            "--url",
            "--token",
            "--header",
            "--subprotocol",
            "--model",
            "--sessions",
            "--ramp",
            "--within",
            "--seconds",
            "--warmup",
            "--mode",
            "--frame-ms",
            "--connect-rate",
            "--json",
            "--pid",
            "--open-at",
            "--threads");

    private record Given(Map<String, String> values, List<String> headers) {}

    /** Throws an {@link IllegalArgumentException} whose message names the value and what was expected. */
    static Options parse(List<String> arguments, Map<String, String> environment) {
        var read = read(arguments);
        var given = read.values;
        var mode = mode(given.getOrDefault("--mode", "duplex"));
        var climb = climb(given, mode);
        return new Options(
                url(
                        given.getOrDefault("--url", defaultUrl(environment)),
                        Optional.ofNullable(given.get("--model")),
                        mode),
                access(read, environment),
                Optional.ofNullable(given.get("--open-at")).map(Options::node),
                climb.map(Climb::to).orElseGet(() -> number(given, "--sessions", 10, 1, MOST_SESSIONS)),
                climb,
                number(given, "--seconds", climb.isPresent() ? 10 : 30, 1, 86_400),
                number(given, "--warmup", 5, 0, 3_600),
                mode,
                number(given, "--frame-ms", 100, 5, 1_000),
                number(given, "--connect-rate", 50, 1, 10_000),
                Optional.ofNullable(given.get("--json")).map(Path::of),
                pids(given.getOrDefault("--pid", "")),
                given.containsKey("--insecure"),
                number(given, "--threads", 1, 1, 64));
    }

    private static Given read(List<String> arguments) {
        var given = new Given(new HashMap<>(), new ArrayList<>());
        var rest = arguments.iterator();
        while (rest.hasNext()) {
            var argument = rest.next();
            int equals = argument.startsWith("--") ? argument.indexOf('=') : -1;
            var name = equals < 0 ? argument : argument.substring(0, equals);
            if (SWITCHES.contains(name) && equals < 0) {
                given.values.put(name, "");
            } else if (!VALUES.contains(name)) {
                throw new IllegalArgumentException(argument + " (expected: an option of --help)");
            } else if (equals < 0 && !rest.hasNext()) {
                throw new IllegalArgumentException(name + ": nothing (expected: a value after it)");
            } else {
                var value = equals < 0 ? rest.next() : argument.substring(equals + 1);
                if (name.equals(REPEATED)) given.headers.add(value);
                else given.values.put(name, value);
            }
        }
        return given;
    }

    private static Optional<Climb> climb(Map<String, String> given, Mode mode) {
        var ramp = Optional.ofNullable(given.get("--ramp"));
        if (ramp.isEmpty() && given.containsKey("--within")) {
            throw new IllegalArgumentException("--within: " + given.get("--within") + " (expected: with --ramp only)");
        }
        if (ramp.isPresent() && given.containsKey("--sessions")) {
            throw new IllegalArgumentException(
                    "--sessions: " + given.get("--sessions") + " (expected: no --sessions with --ramp)");
        }
        if (ramp.isPresent() && mode != Mode.DUPLEX) {
            throw new IllegalArgumentException("--mode: " + mode + " (expected: duplex with --ramp)");
        }
        return ramp.map(text -> Climb.parse(text, number(given, "--within", 20, 1, 60_000), MOST_SESSIONS));
    }

    /** The node that a run here would start. */
    private static String defaultUrl(Map<String, String> environment) {
        return "ws://127.0.0.1:" + environment.getOrDefault("PARLEY_HTTP_PORT", "8080") + "/v1/realtime";
    }

    /** A token of the environment gives way to what the command line says. */
    private static Access access(Given given, Map<String, String> environment) {
        var headers = new ArrayList<Access.Header>();
        for (var line : given.headers) {
            headers.add(Access.Header.of(line)
                    .orElseThrow(() -> new IllegalArgumentException(
                            "--header: (hidden) (expected: NAME: VALUE, visible ASCII, none of the handshake's own)")));
        }
        var subprotocols = subprotocols(given.values.getOrDefault("--subprotocol", ""));
        boolean authorized = new Access(headers, List.of()).isAuthorized();
        if (authorized && given.values.containsKey("--token")) {
            throw new IllegalArgumentException("--token: (hidden) (expected: no --header Authorization beside it)");
        }
        if (!authorized) {
            Optional.ofNullable(given.values.getOrDefault("--token", environment.get("PARLEY_TOKEN")))
                    .filter(token -> !token.isBlank())
                    .map(Options::token)
                    .ifPresent(token -> headers.addAll(Access.bearing(token).headers()));
        }
        return new Access(headers, subprotocols);
    }

    private static List<String> subprotocols(String text) {
        var names = text.isEmpty() ? List.<String>of() : List.of(text.split(",", -1));
        if (!names.stream().allMatch(Access::isSubprotocol)) {
            throw new IllegalArgumentException("--subprotocol: (hidden) (expected: names, as in realtime or a,b)");
        }
        return names;
    }

    private static Mode mode(String text) {
        return Arrays.stream(Mode.values())
                .filter(mode -> mode.toString().equals(text))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException("--mode: " + text + " (expected: duplex, turn, idle)"));
    }

    private static String token(String text) {
        if (text.chars().anyMatch(c -> c <= ' ' || c > '~')) {
            throw new IllegalArgumentException("--token: (hidden) (expected: visible ASCII without spaces)");
        }
        return text;
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
            if (model.isPresent() || query.isEmpty()) {
                var encoded = URLEncoder.encode(model.orElse(mode.model()), StandardCharsets.UTF_8);
                query += (query.isEmpty() ? "" : "&") + "model=" + encoded;
            }
            var path = url.getRawPath().isEmpty() ? "/" : url.getRawPath();
            return new URI(scheme + "://" + url.getRawAuthority() + path + "?" + query);
        } catch (URISyntaxException wrong) {
            throw new IllegalArgumentException("--url: " + text + " (expected: ws://host… or wss://host…)", wrong);
        }
    }

    private static URI node(String text) {
        try {
            var node = new URI(text);
            var scheme = node.getScheme() == null ? "" : node.getScheme().toLowerCase(Locale.ROOT);
            if (node.getHost() != null && (scheme.equals("http") || scheme.equals("https"))) return node;
        } catch (URISyntaxException wrong) {
            throw new IllegalArgumentException("--open-at: " + text + " (expected: http://host:port)", wrong);
        }
        throw new IllegalArgumentException("--open-at: " + text + " (expected: http://host:port)");
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

    /** What sessions that are opened by REST are to be. */
    String openModel() {
        return model().orElse(mode.model());
    }

    /** The address for reports: of its query only the model, for the rest may be a key. */
    String shownUrl() {
        var bare = url.getScheme() + "://" + url.getHost() + (url.getPort() < 0 ? "" : ":" + url.getPort())
                + url.getRawPath();
        var query = url.getRawQuery();
        if (query == null) return bare;
        return bare
                + "?"
                + Arrays.stream(query.split("&"))
                        .map(part -> part.startsWith("model=") ? part : part.replaceFirst("=.*", "=…"))
                        .collect(Collectors.joining("&"));
    }

    private Optional<String> model() {
        var query = url.getRawQuery() == null ? "" : url.getRawQuery();
        return Arrays.stream(query.split("&"))
                .filter(part -> part.startsWith("model="))
                .map(part -> URLDecoder.decode(part.substring("model=".length()), StandardCharsets.UTF_8))
                .findFirst();
    }
}
