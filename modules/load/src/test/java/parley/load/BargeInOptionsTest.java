package parley.load;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.net.URI;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@Tag("unit")
class BargeInOptionsTest {
    private static final Map<String, String> ENVIRONMENT = Map.of("PARLEY_TOKEN", "t", "PARLEY_HTTP_PORT", "9090");

    @Test
    void withoutOptionsItIsTheNodeThatARunHereWouldStart() {
        assertThat(BargeInOptions.parse(List.of(), ENVIRONMENT))
                .isEqualTo(new BargeInOptions(
                        URI.create("ws://127.0.0.1:9090/v1/ws/voice?model=simulator"), "t", 20, 15, 10, 19200));
    }

    @Test
    void eachOptionIsTaken() {
        assertThat(BargeInOptions.parse(
                        List.of(
                                "--url",
                                "wss://there/v1/ws/voice",
                                "--token",
                                "other",
                                "--sessions",
                                "3",
                                "--runs",
                                "4",
                                "--delay",
                                "0",
                                "--provider-port",
                                "5"),
                        ENVIRONMENT))
                .isEqualTo(new BargeInOptions(URI.create("wss://there/v1/ws/voice"), "other", 3, 4, 0, 5));
    }

    @ParameterizedTest
    @CsvSource({
        "--session 1, --session (expected: an option of --help)",
        "--runs, --runs: nothing (expected: a value after it)",
        "--runs many, '--runs: many (expected: 1 to 10000)'",
        "--sessions 0, '--sessions: 0 (expected: 1 to 1000)'",
        "--provider-port 70000, '--provider-port: 70000 (expected: 1 to 65535)'",
        "--url http://there, '--url: http://there (expected: ws://host… or wss://host…)'"
    })
    void aWrongOneIsNamed(String arguments, String complaint) {
        assertThatThrownBy(() -> BargeInOptions.parse(List.of(arguments.split(" ")), ENVIRONMENT))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage(complaint);
    }

    @Test
    void aTokenIsNeeded() {
        assertThatThrownBy(() -> BargeInOptions.parse(List.of(), Map.of()))
                .hasMessage("--token: nothing (expected: a token, or PARLEY_TOKEN)");
    }
}
