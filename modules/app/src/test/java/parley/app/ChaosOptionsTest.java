package parley.app;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.net.URI;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import parley.load.chaos.Face;

@Tag("unit")
class ChaosOptionsTest {

    @Test
    void withoutOptionsTwoHundredTalkToThreeNodesAndNothingBreaks() {
        assertThat(parse())
                .isEqualTo(new ChaosOptions(
                        List.of(Fault.NONE), 200, 120, 3, Face.GUIDED, 1, null, List.of(), null, false));
    }

    @Test
    void everyOptionCanBeSet() {
        assertThat(parse(
                        "--fault",
                        "drop-1s",
                        "--fault=none",
                        "--sessions",
                        "7",
                        "--seconds=30",
                        "--nodes",
                        "5",
                        "--face",
                        "realtime",
                        "--seed",
                        "9",
                        "--json",
                        "/tmp/x.json",
                        "--url",
                        "wss://a.example/v1/ws/voice",
                        "--url",
                        "ws://b.example:81",
                        "--token",
                        "t",
                        "--insecure"))
                .isEqualTo(new ChaosOptions(
                        List.of(Fault.DROP_1S, Fault.NONE),
                        7,
                        30,
                        5,
                        Face.STRICT,
                        9,
                        Path.of("/tmp/x.json"),
                        List.of(URI.create("wss://a.example/"), URI.create("ws://b.example:81/")),
                        "t",
                        true));
    }

    @Test
    void allIsEverythingThatCanBeReached() {
        assertThat(parse("--fault", "all").faults()).containsExactly(Fault.values());
        assertThat(parse("--fault", "all", "--url", "ws://a:1").faults())
                .containsExactly(Fault.NONE, Fault.DROP_1S, Fault.DROP_30S, Fault.DROP_ELSEWHERE);
    }

    @Test
    void onlyAPartitionNeedsANetworkOfItsOwn() {
        assertThat(parse("--fault", "kill").needsNetwork()).isFalse();
        assertThat(parse("--fault", "kill", "--fault", "partition").needsNetwork())
                .isTrue();
    }

    @Test
    void aClusterThatIsNotOursIsNotBroken() {
        assertThatThrownBy(() -> parse("--fault", "kill", "--url", "ws://a:1"))
                .isInstanceOf(StartFailure.class)
                .hasMessageStartingWith("--fault: kill (expected with --url: a fault of the callers");
    }

    @Test
    void theTokenOfTheEnvironmentIsTaken() {
        assertThat(ChaosOptions.parse(List.of(), "from-outside").token()).isEqualTo("from-outside");
        assertThat(ChaosOptions.parse(List.of("--token", "mine"), "from-outside")
                        .token())
                .isEqualTo("mine");
    }

    @ParameterizedTest
    @CsvSource({
        "--fault, flood, --fault: flood (expected: all",
        "--sessions, 0, --sessions: 0 (expected: 1..5000)",
        "--nodes, 10, --nodes: 10 (expected: 1..9)",
        "--face, phone, --face: phone (expected: guided or realtime)",
        "--url, http://a, --url: http://a (expected: ws://host:port or wss://host:port)",
        "--what, ever, option: --what"
    })
    void whatIsWrongIsNamed(String name, String value, String message) {
        assertThatThrownBy(() -> parse(name, value))
                .isInstanceOf(StartFailure.class)
                .hasMessageStartingWith(message);
    }

    private static ChaosOptions parse(String... arguments) {
        return ChaosOptions.parse(List.of(arguments), null);
    }
}
