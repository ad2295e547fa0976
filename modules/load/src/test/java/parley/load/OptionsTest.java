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
    void nothingGivenMeansTheDocumentedDefaults() {
        assertThat(parse())
                .isEqualTo(new Options(
                        URI.create("ws://127.0.0.1:8080/v1/realtime?model=simulator%3Aecho%3Dtrue"),
                        Optional.empty(),
                        10,
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
        var options = parse(
                ("--url wss://host/v1/realtime?a=b --token t --model m --sessions 2 --seconds 3 --warmup 0 --mode turn"
                                + " --frame-ms=20 --connect-rate 7 --json r.json --pid 17,18 --insecure --threads 2")
                        .split(" "));

        assertThat(options)
                .isEqualTo(new Options(
                        URI.create("wss://host/v1/realtime?a=b&model=m"),
                        Optional.of(new Options.Token("t")),
                        2,
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
    void aModelInTheUrlStays() {
        assertThat(parse("--url", "ws://host/v1/realtime?model=x").url())
                .isEqualTo(URI.create("ws://host/v1/realtime?model=x"));
    }

    @Test
    void theTokenComesFromTheEnvironmentAndIsNeverShown() {
        var options = Options.parse(List.of(), Map.of("PARLEY_TOKEN", "secret"));

        assertThat(options.token()).contains(new Options.Token("secret"));
        assertThat(options.toString()).doesNotContain("secret");
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
