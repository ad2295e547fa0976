package parley.wire;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("unit")
class NoLeaksTest {
    @BeforeEach
    @AfterEach
    void forget() {
        NoLeaks.watch();
    }

    @Test
    void aBufferNobodyReleasedIsReported() throws InterruptedException {
        lose();

        assertThat(NoLeaks.reports()).hasSize(1);
    }

    private static void lose() {
        Loops.ALLOCATOR.directBuffer(10);
    }
}
