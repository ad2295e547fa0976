package parley.load;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.net.URI;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@Tag("unit")
class OptionsTest {
    @Test
    void theNodeOfThisEnvironmentIsMeant() {
        assertThat(Options.parse(List.of(), Map.of("PARLEY_HTTP_PORT", "18080")).url())
                .hasPort(18080);
    }

    @Test
    void nothingGivenMeansTheDocumentedDefaults() {
        assertThat(parse())
                .isEqualTo(new Options(
                        URI.create("ws://127.0.0.1:8080/v1/realtime?model=simulator%3Aecho%3Dtrue"),
                        Access.NONE,
                        Optional.empty(),
                        10,
                        Optional.empty(),
                        30,
                        5,
                        Mode.DUPLEX,
                        100,
                        50,
                        Optional.empty(),
                        List.of(),
                        false,
                        1));
    }

    @Test
    void everyOptionCanBeSet() {
        var options = parse(("--url wss://host/v1/realtime?a=b --token t --header=OpenAI-Beta:realtime=v1 --header x:y"
                        + " --subprotocol realtime,p --model m --open-at http://other:1 --sessions 2 --seconds 3"
                        + " --warmup 0 --mode turn --frame-ms=20 --connect-rate 7 --json r.json --pid 17,18"
                        + " --insecure --threads 2")
                .split(" "));

        assertThat(options)
                .isEqualTo(new Options(
                        URI.create("wss://host/v1/realtime?a=b&model=m"),
                        new Access(
                                List.of(
                                        new Access.Header("OpenAI-Beta", "realtime=v1"),
                                        new Access.Header("x", "y"),
                                        new Access.Header("Authorization", "Bearer t")),
                                List.of("realtime", "p")),
                        Optional.of(URI.create("http://other:1")),
                        2,
                        Optional.empty(),
                        3,
                        0,
                        Mode.TURN,
                        20,
                        7,
                        Optional.of(Path.of("r.json")),
                        List.of(17L, 18L),
                        true,
                        2));
    }

    @Test
    void aUrlWithAQueryOfItsOwnStays() {
        for (var url :
                List.of("ws://host/v1/realtime?model=x", "wss://host/openai/realtime?api-version=1&deployment=d")) {
            assertThat(parse("--url", url).url()).isEqualTo(URI.create(url));
        }
    }

    @Test
    void aRampHasStepsUpToItsLastOne() {
        var options = parse("--ramp", "100:250:100", "--within", "5");

        assertThat(options.climb()).contains(new Climb(100, 250, 100, 5));
        assertThat(options.climb().orElseThrow().steps()).containsExactly(100, 200, 250);
        assertThat(options.sessions()).isEqualTo(250);
        assertThat(options.seconds()).isEqualTo(10);
        assertThat(parse("--ramp", "7:7:1").climb().orElseThrow().steps()).containsExactly(7);
    }

    @Test
    void theTokenComesFromTheEnvironmentUnlessAHeaderSaysWhoCalls() {
        var environment = Map.of("PARLEY_TOKEN", "secret");
        var mine = List.of("--header", "authorization: Basic mine");

        assertThat(Options.parse(List.of(), environment).access()).isEqualTo(Access.bearing("secret"));
        assertThat(Options.parse(mine, environment).access().headers())
                .containsExactly(new Access.Header("authorization", "Basic mine"));
    }

    @Test
    void whatMayBeASecretIsNotShown() {
        var options = parse(
                "--url",
                "ws://host/x?model=m&key=secret",
                "--token",
                "secret",
                "--subprotocol",
                "secret",
                "--header",
                "a:secret");

        assertThat(options.access().toString()).doesNotContain("secret");
        assertThat(options.shownUrl()).isEqualTo("ws://host/x?model=m&key=…");
        for (var line :
                List.of("--header secret", "--header host:secret", "--subprotocol secret,", "--token \u0007secret")) {
            assertThatThrownBy(() -> parse(line.split(" "))).hasMessageContaining("(hidden)");
        }
    }

    @Test
    void theSchemeDecidesThePort() {
        assertThat(parse("--url", "ws://host/x").port()).isEqualTo(80);
        assertThat(parse("--url", "wss://host/x").port()).isEqualTo(443);
        assertThat(parse("--url", "wss://host:8443/x").port()).isEqualTo(8443);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "--sessions lots         | --sessions: lots (expected: a whole number, 1..60000)",
                "--sessions 0            | --sessions: 0 (expected: a whole number, 1..60000)",
                "--sessions -5           | --sessions: -5 (expected: a whole number, 1..60000)",
                "--seconds 99999999999   | --seconds: 99999999999 (expected: a whole number, 1..86400)",
                "--frame-ms 2            | --frame-ms: 2 (expected: a whole number, 5..1000)",
                "--mode loud             | --mode: loud (expected: duplex, turn, idle)",
                "--url http://host/v1    | --url: http://host/v1 (expected: ws://host… or wss://host…)",
                "--url nowhere           | --url: nowhere (expected: ws://host… or wss://host…)",
                "--pid 17,x              | --pid: 17,x (expected: process ids, as in 17 or 17,18)",
                "--pid 17,               | --pid: 17, (expected: process ids, as in 17 or 17,18)",
                "--session 5             | --session (expected: an option of --help)",
                "--insecure=yes          | --insecure=yes (expected: an option of --help)",
                "five                    | five (expected: an option of --help)",
                "--ramp 5                | --ramp: 5 (expected: FROM:TO:STEP, numbers of sessions, FROM at most TO, TO at most 60000)",
                "--ramp 9:5:1            | --ramp: 9:5:1 (expected: FROM:TO:STEP, numbers of sessions, FROM at most TO, TO at most 60000)",
                "--ramp 5:9:0            | --ramp: 5:9:0 (expected: FROM:TO:STEP, numbers of sessions, FROM at most TO, TO at most 60000)",
                "--ramp 5:9:1 --mode turn | --mode: turn (expected: duplex with --ramp)",
                "--ramp 5:9:1 --sessions 5 | --sessions: 5 (expected: no --sessions with --ramp)",
                "--within 5              | --within: 5 (expected: with --ramp only)",
                "--open-at ws://host     | --open-at: ws://host (expected: http://host:port)",
                "--token t --header Authorization:x | --token: (hidden) (expected: no --header Authorization beside it)",
                "--sessions              | --sessions: nothing (expected: a value after it)",
            })
    void aBadOptionIsNamedWithWhatWasExpected(String line, String complaint) {
        assertThatThrownBy(() -> parse(line.split(" ")))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage(complaint);
    }

    @Test
    void twoModelsAreOneTooMany() {
        assertThatThrownBy(() -> parse("--url", "ws://host/x?model=a", "--model", "b"))
                .hasMessage("--model: b (expected: no model in --url, or no --model)");
    }

    private static Options parse(String... arguments) {
        return Options.parse(List.of(arguments), Map.of());
    }
}
