package parley.app;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.OptionalInt;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import parley.admission.CallerId;
import parley.gateway.Gateway;
import parley.gateway.Tokens;
import parley.load.chaos.Callers;
import parley.load.chaos.ChaosReport;
import parley.load.chaos.Face;
import parley.load.chaos.Inspection;
import parley.load.chaos.Talk;

/**
 * A small version of what {@code scripts/parley chaos} does with hundreds of callers: one talk, one fault after the other.
 *
 * <p>B3, B12, R1, R7: whatever breaks, the conversation goes on.
 */
@Tag("cluster")
class ChaosTest {
    private static final List<Fault> FAULTS =
            List.of(Fault.DROP_1S, Fault.PROVIDER_CUT, Fault.KILL, Fault.ROLLING, Fault.DATABASE_STOP);
    private static final int CALLERS = 12;
    /** Of what a fault takes otherwise. */
    private static final int A_QUARTER = 4;

    @TempDir
    Path directory;

    @BeforeAll
    static void home() {
        System.setProperty("parley.home", TestNode.home().toString());
    }

    @Test
    @Timeout(900)
    void conversationsOutliveTheirConnectionsTheirNodesTheProviderAndTheDatabase() throws InterruptedException {
        try (var cluster = ChaosCluster.start(3, ChaosCluster.Kind.PLAIN, null, new Scratch(directory))) {
            var talk = talk(cluster);
            try (var callers = Callers.call(talk)) {
                assertThat(callers.awaitTalk(Duration.ofMinutes(2)))
                        .as(callers.progress())
                        .isTrue();
                var strikes = new ChaosStrikes(cluster, null, new Random(1), A_QUARTER);
                for (var fault : FAULTS) {
                    strikes.strike(fault, callers, Duration.ZERO);
                    TimeUnit.SECONDS.sleep(3);
                }
                callers.recovered();
                var conversations = callers.hangUp(Duration.ofMinutes(2));
                var witness = ChaosWitness.of(cluster.story(), conversations.asked());
                var report = new ChaosReport(List.of(ChaosReport.Row.of(
                        "everything",
                        Inspection.of(talk, conversations),
                        OptionalInt.of(witness.twoUpstreams()),
                        witness.complaints())));

                assertThat(report.clean()).as(report.table()).isTrue();
                assertThat(strikes.complaints()).isEmpty();
            }
        }
    }

    private static Talk talk(ChaosCluster cluster) {
        var tokens = Gateway.tokens(cluster.settings().gateway());
        return new Talk(
                cluster.addresses(),
                Face.GUIDED,
                ChaosCluster.MODEL,
                CALLERS,
                caller -> tokens.sign(
                        new Tokens.Bearer(new CallerId("caller-" + caller, "default"), List.of()), Duration.ofHours(1)),
                1,
                false,
                50);
    }
}
