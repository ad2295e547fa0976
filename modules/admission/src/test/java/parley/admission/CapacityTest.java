package parley.admission;

import static org.assertj.core.api.Assertions.assertThat;

import com.typesafe.config.ConfigFactory;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import parley.admission.Decision.Admitted;
import parley.admission.Decision.Refused;
import parley.admission.Decision.Why;

/** L8. */
@Tag("unit")
class CapacityTest {
    private static final CallerId ANNA = new CallerId("anna", "acme");
    private static final CallerId BEN = new CallerId("ben", "acme");
    private static final CallerId CARL = new CallerId("carl", "other");

    private static Capacity capacity(int node, int tenant) {
        var config = ConfigFactory.parseString("parley.admission { max-connections = " + node
                        + ", max-connections-per-tenant = " + tenant + " }")
                .withFallback(ConfigFactory.load());
        return Capacity.of(Admission.create(AdmissionSettings.from(config)), CapacitySettings.from(config));
    }

    @Test
    void aTenantHasItsPlacesAndTheOthersHaveTheirs() {
        var capacity = capacity(9, 1);

        var first = (Admitted) capacity.admit(ANNA, Set.of());
        var second = capacity.admit(BEN, Set.of());
        var other = capacity.admit(CARL, Set.of());
        first.place().leave();
        first.place().leave();
        var third = capacity.admit(BEN, Set.of());

        assertThat(second)
                .isEqualTo(new Refused(
                        Why.TENANT_FULL,
                        "this tenant has 1 live connections on this node, which is the limit",
                        Duration.ofSeconds(5),
                        List.of("text")));
        assertThat(other).isInstanceOf(Admitted.class);
        assertThat(third).isInstanceOf(Admitted.class);
        assertThat(capacity.connections()).as("whom it refuses holds no place").isEqualTo(2);
    }

    @Test
    void whoComesBackFindsAPlaceUpToTwiceTheLimit() {
        var capacity = capacity(9, 1);
        capacity.admit(ANNA, Set.of());

        assertThat(capacity.readmit(ANNA, Set.of())).isInstanceOf(Admitted.class);
        assertThat(capacity.readmit(BEN, Set.of())).isInstanceOf(Refused.class);
    }

    @Test
    void zeroIsAnyNumber() {
        var capacity = capacity(3, 0);
        capacity.admit(ANNA, Set.of());
        capacity.admit(ANNA, Set.of());
        capacity.admit(BEN, Set.of());

        assertThat(capacity.connections()).isEqualTo(3);
        assertThat(((Refused) capacity.admit(BEN, Set.of())).why()).isEqualTo(Why.NODE_FULL);
    }

    @Test
    void aNodeSaysWhenItsPlacesBecomeFew() {
        var capacity = capacity(5, 0);
        for (int i = 0; i < 4; i++) {
            capacity.admit(ANNA, Set.of());
        }
        assertThat(capacity.used()).isEqualTo(0.8);
        assertThat(capacity.isNear()).isFalse();

        var fifth = (Admitted) capacity.admit(ANNA, Set.of());
        assertThat(capacity.isNear()).isTrue();

        fifth.place().leave();
        assertThat(capacity.isNear()).isFalse();
    }
}
