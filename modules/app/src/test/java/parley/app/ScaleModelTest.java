package parley.app;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** docs/scale.md shows what the model computes. */
@Tag("unit")
class ScaleModelTest {
    private static String document() throws IOException {
        return Files.readString(TestNode.home().resolve("docs/scale.md"));
    }

    @Test
    void theDocumentsTableIsTheModels() throws IOException, InterruptedException {
        var shipped = new Script("model-scale").run();

        assertThat(shipped.code()).isZero();
        assertThat(document()).contains(shipped.output());
    }

    @Test
    void soIsTheOneForAHundredNodes() throws IOException, InterruptedException {
        var proposed = new Script("model-scale").run("--for-100");

        assertThat(proposed.code()).isZero();
        assertThat(document()).contains(proposed.output());
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "shards=many  | shards: many (expected: a number, 0 or more)",
                "--for-1000   | option: --for-1000 (expected: --for-100, input=number, --help)"
            })
    void whatItCannotComputeWithIsNamed(String argument, String complaint) throws IOException, InterruptedException {
        var ended = new Script("model-scale").run(argument);

        assertThat(ended.code()).isEqualTo(2);
        assertThat(ended.output()).isEqualTo("model-scale: " + complaint + "\n");
    }
}
