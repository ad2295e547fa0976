package parley.wire;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.typesafe.config.ConfigFactory;
import java.time.Duration;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@Tag("unit")
class WireSettingsTest {
    @Test
    void theDefaultsAreTheDocumentedOnes() {
        assertThat(WireSettings.from(ConfigFactory.load()))
                .isEqualTo(new WireSettings(
                        21 * 1024 * 1024,
                        16,
                        Duration.ofSeconds(20),
                        Duration.ofSeconds(15),
                        Duration.ofSeconds(3),
                        Duration.ofSeconds(5),
                        Duration.ofMinutes(1),
                        1024 * 1024,
                        64 * 1024,
                        256 * 1024));
    }

    @Test
    void everyKeyCanBeSet() {
        assertThat(with("""
                max-message = 2 KiB
                inbox-frames = 3
                ping-interval = 4s
                pong-timeout = 2s
                close-timeout = 5s
                connect-timeout = 6s
                request-timeout = 7s
                max-request = 8 KiB
                low-water-mark = 9 KiB
                high-water-mark = 10 KiB
                """))
                .isEqualTo(new WireSettings(
                        2048,
                        3,
                        Duration.ofSeconds(4),
                        Duration.ofSeconds(2),
                        Duration.ofSeconds(5),
                        Duration.ofSeconds(6),
                        Duration.ofSeconds(7),
                        8192,
                        9216,
                        10240));
    }

    @Test
    void aProvidersSocketIsProbedSoonerAndIsLikeTheOthersOtherwise() {
        var config = ConfigFactory.parseString("parley.wire.inbox-frames = 7").withFallback(ConfigFactory.load());

        var upstream = WireSettings.upstream(config);

        assertThat(upstream.pingInterval()).isEqualTo(Duration.ofSeconds(4));
        assertThat(upstream.pongTimeout()).isEqualTo(Duration.ofSeconds(3));
        assertThat(upstream.inboxFrames()).isEqualTo(7);
    }

    @ParameterizedTest
    @CsvSource({
        "max-message = 1023 B, max-message: 1023 (expected: 1 KiB to 1 GiB)",
        "max-message = 5 GiB, max-message: 2147483647 (expected: 1 KiB to 1 GiB)",
        "inbox-frames = 1, inbox-frames: 1 (expected: at least 2)",
        "ping-interval = 0s, ping-interval: PT0S (expected: at least 1 ms)",
        "pong-timeout = 30s, 'pong-timeout: PT30S (expected: at most ping-interval, PT20S)'",
        "low-water-mark = 1 MiB, 'low-water-mark: 1048576 (expected: at most high-water-mark, 262144)'"
    })
    void aWrongValueIsNamed(String setting, String complaint) {
        assertThatThrownBy(() -> with(setting))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining(complaint);
    }

    @Test
    void theLoopsDefaultsAreTheDocumentedOnes() {
        assertThat(LoopSettings.from(ConfigFactory.load())).isEqualTo(new LoopSettings(0, 2000, 0.5, 500));
    }

    @ParameterizedTest
    @CsvSource({
        "count = -1, count: -1 (expected: 0 to 1024)",
        "sockets = 0, sockets: 0 (expected: at least 1)",
        "busy = 0, 'busy: 0.0 (expected: above 0, at most 1)'",
        "busy = 1.5, 'busy: 1.5 (expected: above 0, at most 1)'",
        "burst = 0, burst: 0 (expected: at least 1)"
    })
    void aWrongValueOfTheLoopsIsNamed(String setting, String complaint) {
        var config = ConfigFactory.parseString("parley.wire.loops { " + setting + " }")
                .withFallback(ConfigFactory.load());

        assertThatThrownBy(() -> LoopSettings.from(config))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining(complaint);
    }

    @Test
    void aKeyThatIsGoneIsNotPassedOverInSilence() {
        var config = ConfigFactory.parseString("parley.wire.event-loops = 1").withFallback(ConfigFactory.load());

        assertThatThrownBy(() -> LoopSettings.from(config))
                .hasMessage("parley.wire.event-loops: no such key any more (expected: parley.wire.loops.count)");
    }

    static WireSettings with(String settings) {
        return WireSettings.from(
                ConfigFactory.parseString("parley.wire {\n" + settings + "\n}").withFallback(ConfigFactory.load()));
    }
}
