package parley.tool;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.typesafe.config.ConfigFactory;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import parley.protocol.Tool;
import parley.tool.Tools.Outcome;

/** B5. */
@Tag("unit")
class ToolsTest {
    private static final Clock NOON = Clock.fixed(Instant.parse("2026-01-02T12:00:00Z"), ZoneOffset.UTC);

    private final Tools tools = Tools.create(ToolSettings.from(ConfigFactory.load()), NOON);

    @Test
    void tellsTheTimeInTheZoneAskedFor() {
        assertThat(call("current_time", "{\"zone\":\"Europe/Berlin\"}"))
                .isEqualTo(new Outcome(true, "Friday, 2 January 2026, 13:00 CET"));
        assertThat(call("current_time", "{}")).isEqualTo(new Outcome(true, "Friday, 2 January 2026, 12:00 UTC"));
    }

    @Test
    void anUnknownZoneIsNamedInTheAnswer() {
        assertThat(call("current_time", "{\"zone\":\"Mars\"}"))
                .isEqualTo(new Outcome(false, "zone: Mars (expected: an IANA time zone such as Europe/Berlin)"));
    }

    @Test
    void brokenArgumentsAreAnsweredAndNotThrown() {
        assertThat(call("current_time", "{\"zone\":"))
                .isEqualTo(new Outcome(true, "Friday, 2 January 2026, 12:00 UTC"));
        assertThat(call("launch", "{}")).isEqualTo(new Outcome(false, "there is no tool named launch"));
    }

    @Test
    void offersWhatIsEnabledAndNothingElse() {
        assertThat(tools.offered()).extracting(Tool.Function::name).containsExactly("current_time");
        assertThat(Tools.none().offered()).isEmpty();
        assertThat(Tools.none().knows("current_time")).isFalse();
    }

    @Test
    void theDefaultsAreAsDocumentedAndEveryKeyCanBeSet() {
        assertThat(ToolSettings.from(ConfigFactory.load()))
                .isEqualTo(new ToolSettings(List.of("current_time"), Duration.ofSeconds(5)));
        assertThat(ToolSettings.from(ConfigFactory.parseString("parley.tool { enabled = [], timeout = 1s }")))
                .isEqualTo(new ToolSettings(List.of(), Duration.ofSeconds(1)));
        assertThatThrownBy(() -> new ToolSettings(List.of("shell"), Duration.ofSeconds(1)))
                .hasMessage("parley.tool: enabled: [shell] (expected: names out of [current_time])");
    }

    private Outcome call(String name, String arguments) {
        return tools.call(name, arguments)
                .toCompletableFuture()
                .orTimeout(5, TimeUnit.SECONDS)
                .join();
    }
}
