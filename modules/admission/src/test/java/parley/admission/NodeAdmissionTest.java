package parley.admission;

import static org.assertj.core.api.Assertions.assertThat;

import com.typesafe.config.ConfigFactory;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import org.assertj.core.api.InstanceOfAssertFactories;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import parley.admission.Decision.Admitted;
import parley.admission.Decision.Refused;
import parley.admission.Decision.Why;

/** L1, L8. */
@Tag("unit")
class NodeAdmissionTest {
    private static final CallerId ANNA = new CallerId("anna", "default");
    private static final CallerId BEN = new CallerId("ben", "default");

    @Test
    void refusesOverCapacityAndTakesTheNextWhenOneLeaves() {
        var admission = Admission.create(settings(1, 9));

        var first = (Admitted) admission.admit(ANNA);
        var second = admission.admit(BEN);
        first.place().leave();
        first.place().leave();
        var third = admission.admit(BEN);

        assertThat(second)
                .isEqualTo(new Refused(
                        Why.NODE_FULL, "all 1 places of this node are taken", Duration.ofSeconds(5), List.of("text")));
        assertThat(third).isInstanceOf(Admitted.class);
        assertThat(admission.connections()).isEqualTo(1);
    }

    @Test
    void oneCallerCannotTakeEveryPlace() {
        var admission = Admission.create(settings(9, 1));

        admission.admit(ANNA);

        assertThat(admission.admit(ANNA))
                .asInstanceOf(InstanceOfAssertFactories.type(Refused.class))
                .extracting(Refused::why)
                .isEqualTo(Why.CALLER_FULL);
        assertThat(admission.admit(BEN)).isInstanceOf(Admitted.class);
        assertThat(admission.connections()).isEqualTo(2);
    }

    @Test
    void whoComesBackToASessionFindsAPlaceInAFullHouseButNotForEver() {
        var admission = Admission.create(settings(1, 1));

        var old = (Admitted) admission.admit(ANNA);
        var back = admission.readmit(ANNA);
        var third = admission.readmit(BEN);
        old.place().leave();
        var fourth = admission.readmit(ANNA);
        var fifth = admission.readmit(BEN);

        assertThat(back).isInstanceOf(Admitted.class);
        assertThat(third)
                .isEqualTo(new Refused(
                        Why.NODE_FULL, "all 2 places of this node are taken", Duration.ofSeconds(5), List.of("text")));
        assertThat(fourth).isInstanceOf(Admitted.class);
        assertThat(fifth).isInstanceOf(Refused.class);
        assertThat(admission.connections()).isEqualTo(2);
    }

    @Test
    void whoComesBackIsAskedForTheFlagAgain() {
        var denied = Admission.create(new AdmissionSettings(
                new Flag(true, 100, Set.of(), Set.of("anna")), 9, 9, Duration.ofSeconds(5), List.of("text")));
        var off = Admission.create(new AdmissionSettings(
                new Flag(false, 100, Set.of(), Set.of()), 9, 9, Duration.ofSeconds(5), List.of("text")));

        assertThat(denied.readmit(ANNA))
                .asInstanceOf(InstanceOfAssertFactories.type(Refused.class))
                .extracting(Refused::why)
                .isEqualTo(Why.DENIED);
        assertThat(off.readmit(ANNA))
                .asInstanceOf(InstanceOfAssertFactories.type(Refused.class))
                .extracting(Refused::why)
                .isEqualTo(Why.SWITCHED_OFF);
    }

    @Test
    void theDefaultsAreAsDocumented() {
        assertThat(AdmissionSettings.from(ConfigFactory.load()))
                .isEqualTo(new AdmissionSettings(
                        new Flag(true, 100, Set.of(), Set.of()), 1000, 1000, Duration.ofSeconds(5), List.of("text")));
    }

    @Test
    void everyKeyCanBeSet() {
        var config = ConfigFactory.parseString("""
                parley.admission {
                  enabled = false, percentage = 7, allow = [a], deny = [b], max-connections = 2
                  max-connections-per-caller = 3, retry-after = 4s, offer = [cascade]
                }""");

        assertThat(AdmissionSettings.from(config))
                .isEqualTo(new AdmissionSettings(
                        new Flag(false, 7, Set.of("a"), Set.of("b")), 2, 3, Duration.ofSeconds(4), List.of("cascade")));
    }

    private static AdmissionSettings settings(int node, int caller) {
        return new AdmissionSettings(
                new Flag(true, 100, Set.of(), Set.of()), node, caller, Duration.ofSeconds(5), List.of("text"));
    }
}
