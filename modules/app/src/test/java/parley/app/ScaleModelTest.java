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

    @Test
    void itComputesWithAnyNumberOfNodes() throws IOException, InterruptedException {
        var twenty = new Script("model-scale").run("nodes=20", "turn.seconds=20");

        assertThat(twenty.code()).isZero();
        assertThat(twenty.output()).startsWith("| part | 20 nodes | full at | at 20 nodes |\n|---|---|---|---|\n");
        assertThat(twenty.output()).contains("| journal: connections | 36 % | 56 | 180 of 500 |");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "shards=many  | shards: many (expected: a whole number, 1..4096)",
                "shards=9000  | shards: 9000 (expected: a whole number, 1..4096)",
                "away.share=2 | away.share: 2 (expected: a number, 0..1)",
                "write.seconds=-1 | write.seconds: -1 (expected: a number, 0..1000000000000)",
                "nodes=2      | nodes: 2 (expected: whole numbers, 3..1000, rising, as in 20 or 3,10,30; at most 6)",
                "nodes=20,    | nodes: 20, (expected: whole numbers, 3..1000, rising, as in 20 or 3,10,30; at most 6)",
                "--for-1000   | option: --for-1000 (expected: --for-100, input=number, --help)"
            })
    void whatItCannotComputeWithIsNamed(String argument, String complaint) throws IOException, InterruptedException {
        var ended = new Script("model-scale").run(argument);

        assertThat(ended.code()).isEqualTo(2);
        assertThat(ended.output()).isEqualTo("model-scale: " + complaint + "\n");
    }
}
