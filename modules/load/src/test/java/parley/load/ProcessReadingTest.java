package parley.load;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("unit")
class ProcessReadingTest {
    @Test
    void sumsUserAndSystemTimeWhateverTheProgramIsCalled() {
        var stat = "17 (a ) b) S 1 17 17 0 -1 4194304 5 0 0 0 120 34 9 9 20 0 1 0 100 1000 50\n";
        var status = "Name:\ta ) b\nVmPeak:\t  99999 kB\nVmRSS:\t   20480 kB\n";

        assertThat(ProcessReading.parse(17, stat, status)).isEqualTo(new ProcessReading(17, 1_540_000, 20_480));
    }

    @Test
    void theMachineIsBusyWithAllThatIsNotWaiting() {
        var stat = "cpu  10 2 30 400 50 6 7 8 90 100\ncpu0 1 1 1 1 1 1 1 1 1 1\ncpu1 1 1 1 1 1 1 1 1 1 1\nintr 5\n";

        assertThat(MachineReading.parse(stat, "1.50 2.00 3.00 1/200 300\n"))
                .isEqualTo(new MachineReading(2, 63, 513, 1.5));
    }

    @Test
    void aProcessThatIsNotThereGivesNothing() {
        assertThat(ProcessReading.of(Integer.MAX_VALUE)).isEmpty();
    }
}
