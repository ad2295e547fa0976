package parley.admission;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.typesafe.config.ConfigFactory;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Set;
import org.assertj.core.api.InstanceOfAssertFactories;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
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

        var first = (Admitted) admission.admit(ANNA, Set.of());
        var second = admission.admit(BEN, Set.of());
        first.place().leave();
        first.place().leave();
        var third = admission.admit(BEN, Set.of());

        assertThat(second)
                .isEqualTo(new Refused(
                        Why.NODE_FULL, "all 1 places of this node are taken", Duration.ofSeconds(5), List.of("text")));
        assertThat(third).isInstanceOf(Admitted.class);
        assertThat(admission.connections()).isEqualTo(1);
    }

    @Test
    void oneCallerCannotTakeEveryPlace() {
        var admission = Admission.create(settings(9, 1));

        admission.admit(ANNA, Set.of());

        assertThat(admission.admit(ANNA, Set.of()))
                .asInstanceOf(InstanceOfAssertFactories.type(Refused.class))
                .extracting(Refused::why)
                .isEqualTo(Why.CALLER_FULL);
        assertThat(admission.admit(BEN, Set.of())).isInstanceOf(Admitted.class);
        assertThat(admission.connections()).isEqualTo(2);
    }

    @Test
    void whoComesBackToASessionFindsAPlaceInAFullHouseButNotForEver() {
        var admission = Admission.create(settings(1, 1));

        var old = (Admitted) admission.admit(ANNA, Set.of());
        var back = admission.readmit(ANNA, Set.of());
        var third = admission.readmit(BEN, Set.of());
        old.place().leave();
        var fourth = admission.readmit(ANNA, Set.of());
        var fifth = admission.readmit(BEN, Set.of());

        assertThat(back).isInstanceOf(Admitted.class);
        assertThat(third)
                .isEqualTo(new Refused(
                        Why.NODE_FULL, "all 2 places of this node are taken", Duration.ofSeconds(5), List.of("text")));
        assertThat(fourth).isInstanceOf(Admitted.class);
        assertThat(fifth).isInstanceOf(Refused.class);
        assertThat(admission.connections()).isEqualTo(2);
    }

    @Test
    void whoComesBackIsAskedForTheDenyListAgainAndForNothingElse() {
        var denied = Admission.create(settings("deny = [anna]"));
        var off = Admission.create(settings("enabled = false"));
        var lowered = Admission.create(settings("percentage = 0"));

        assertThat(why(denied.readmit(ANNA, Set.of()))).isEqualTo(Why.DENIED);
        assertThat(off.readmit(ANNA, Set.of())).isInstanceOf(Admitted.class);
        assertThat(lowered.readmit(ANNA, Set.of())).isInstanceOf(Admitted.class);
        assertThat(why(off.admit(ANNA, Set.of()))).isEqualTo(Why.SWITCHED_OFF);
        assertThat(why(lowered.admit(ANNA, Set.of()))).isEqualTo(Why.BUCKET);
    }

    @Test
    void whomThePercentageLeavesOutIsServedAsControlWhereThatIsSaid() {
        var admission = Admission.create(settings("percentage = 0, deny = [ben], control = serve"));

        assertThat(admission.admit(ANNA, Set.of()))
                .asInstanceOf(InstanceOfAssertFactories.type(Admitted.class))
                .extracting(Admitted::arm, Admitted::why)
                .containsExactly(Arm.CONTROL, Why.BUCKET);
        assertThat(admission.connections()).isEqualTo(1);
        assertThat(why(admission.admit(BEN, Set.of()))).isEqualTo(Why.DENIED);
        assertThat(why(Admission.create(settings("enabled = false, control = serve"))
                        .admit(ANNA, Set.of())))
                .isEqualTo(Why.SWITCHED_OFF);
        assertThat(why(Admission.create(settings("node-off = true, control = serve"))
                        .admit(ANNA, Set.of())))
                .isEqualTo(Why.NODE_OFF);
    }

    @Test
    void whatIsNeitherRefusedNorServedIsNamed() {
        assertThatThrownBy(() -> settings("control = maybe"))
                .hasMessage("parley.admission: control: maybe (expected: refuse or serve)");
    }

    @Test
    void aKillRefusesTheControlArmAsWellAndASuspensionServesEverybodyAsControl() {
        var served = settings("percentage = 100, control = serve");
        var view = RolloutView.of(served.initial());
        var admission = new NodeAdmission(served, view);

        view.learn(served.initial()
                .moved(Rollout.Phase.SUSPENDED, 100, null, Actor.SCHEDULE, Instant.parse("2026-09-01T12:00:00Z"), ""));
        var suspended = admission.admit(ANNA, Set.of());
        view.learn(kill(1, true, Kill.Live.GO_ON));

        assertThat(suspended)
                .asInstanceOf(InstanceOfAssertFactories.type(Admitted.class))
                .extracting(Admitted::arm, Admitted::why)
                .containsExactly(Arm.CONTROL, Why.SUSPENDED);
        assertThat(why(admission.admit(ANNA, Set.of()))).isEqualTo(Why.KILLED);
    }

    @Test
    void aNodeThatIsSwitchedOffRefusesEvenTheAllowedAndThoseWhoComeBack() {
        var admission = Admission.create(settings("node-off = true, allow = [anna]"));

        assertThat(why(admission.admit(ANNA, Set.of()))).isEqualTo(Why.NODE_OFF);
        assertThat(why(admission.readmit(ANNA, Set.of()))).isEqualTo(Why.NODE_OFF);
    }

    @Test
    void aKillBeatsTheAllowListAndLetsBackInOnlyWhoMayGoOn() {
        var view = RolloutView.of(settings("allow = [anna]").initial());
        var admission = new NodeAdmission(settings("allow = [anna]"), view);

        view.learn(kill(1, true, Kill.Live.GO_ON));
        var whileTheyGoOn = admission.readmit(ANNA, Set.of());
        var fresh = admission.admit(ANNA, Set.of());
        view.learn(kill(2, true, Kill.Live.CLOSE));
        var whileTheyAreClosed = admission.readmit(ANNA, Set.of());
        view.learn(kill(3, false, Kill.Live.GO_ON));
        var released = admission.admit(ANNA, Set.of());

        assertThat(whileTheyGoOn).isInstanceOf(Admitted.class);
        assertThat(why(fresh)).isEqualTo(Why.KILLED);
        assertThat(why(whileTheyAreClosed)).isEqualTo(Why.KILLED);
        assertThat(released).isInstanceOf(Admitted.class);
    }

    @Test
    void anOlderOrderNeverUndoesALaterOne() {
        var view = RolloutView.of(settings().initial());

        view.learn(kill(5, true, Kill.Live.GO_ON));
        view.learn(kill(4, false, Kill.Live.GO_ON));
        view.learn(kill(5, false, Kill.Live.GO_ON));

        assertThat(view.kill().on()).isTrue();
    }

    @Test
    void whatALaterJournalSaysCountsWhateverTheDiskKnowsOfTheOneBefore() {
        var view = RolloutView.of(revision(41, Instant.parse("2026-09-01T12:00:00Z")));

        view.learn(revision(40, Instant.parse("2026-09-01T11:59:00Z")));
        assertThat(view.rollout().revision()).isEqualTo(41);
        view.learn(revision(1, Instant.parse("2026-09-02T12:00:00Z")));
        assertThat(view.rollout().revision()).isEqualTo(1);
        view.learn(revision(2, Instant.parse("2026-09-02T11:59:59Z")));
        assertThat(view.rollout().revision()).isEqualTo(2);
    }

    private static Rollout revision(long revision, Instant at) {
        var initial = settings().initial();
        return new Rollout(
                revision,
                initial.phase(),
                initial.flag(),
                initial.plan(),
                initial.step(),
                at,
                new Rollout.Change(initial.changed().by(), at, ""));
    }

    @Test
    void theDefaultsAreAsDocumented() {
        assertThat(AdmissionSettings.from(ConfigFactory.load()))
                .isEqualTo(new AdmissionSettings(
                        false,
                        new Flag(true, 100, Set.of(), Set.of()),
                        new Plan(
                                List.of(
                                        new Plan.Step(5, Duration.ofMinutes(15), 59, false),
                                        new Plan.Step(25, Duration.ofMinutes(15), 59, false),
                                        new Plan.Step(50, Duration.ofMinutes(15), 124, false),
                                        new Plan.Step(100, Duration.ofDays(1), 124, false)),
                                Duration.ofDays(1)),
                        1000,
                        1000,
                        Duration.ofSeconds(5),
                        List.of("text"),
                        Duration.ofSeconds(5),
                        1000,
                        256,
                        "jdbc-read-journal",
                        new GuardrailSettings(
                                20,
                                10_000,
                                Duration.ofMinutes(10),
                                Duration.ofMinutes(5),
                                Duration.ofMinutes(30),
                                Guardrail.DEFAULTS),
                        false,
                        ControlArm.REFUSE));
    }

    @Test
    void everyKeyCanBeSet() {
        var settings = settings("""
                node-off = true, enabled = false, percentage = 7, allow = [a], deny = [b], max-connections = 2
                plan { steps = [{percentage = 9, bake = 1 minute, min-sessions = 3, approval = true}], max-hold = 1 hour }
                max-connections-per-caller = 3, retry-after = 4s, offer = [cascade], controller-timeout = 6s
                unwritten-notes = 8, watch-buffer = 10, read-journal = elsewhere, four-eyes = true, control = serve
                guardrails {
                  warm-up-sessions = 3, unsent = 5, cool-down = 7m, suspend-for = 8m, outage = 9m
                  list { connection_success = null, first_audio = null, error_rate = null, session_creation = null
                    session_cost { signal = creation, bound = 0.2, threshold = 2.5, limit = 9, comparator = probe
                      on-fail = rollback_zero, observe-only = true } } }""");

        assertThat(settings)
                .isEqualTo(new AdmissionSettings(
                        true,
                        new Flag(false, 7, Set.of("a"), Set.of("b")),
                        new Plan(List.of(new Plan.Step(9, Duration.ofMinutes(1), 3, true)), Duration.ofHours(1)),
                        2,
                        3,
                        Duration.ofSeconds(4),
                        List.of("cascade"),
                        Duration.ofSeconds(6),
                        8,
                        10,
                        "elsewhere",
                        new GuardrailSettings(
                                3,
                                5,
                                Duration.ofMinutes(7),
                                Duration.ofMinutes(8),
                                Duration.ofMinutes(9),
                                List.of(new Guardrail(
                                        "session_cost",
                                        Signal.CREATION,
                                        0.2,
                                        2.5,
                                        9,
                                        Comparator.PROBE,
                                        OnFail.ROLLBACK_ZERO,
                                        true))),
                        true,
                        ControlArm.SERVE));
        assertThat(settings.threshold(Signal.CREATION)).isEqualTo(2.5);
        assertThat(settings.threshold(Signal.FIRST_AUDIO)).isEqualTo(3);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "unsent = 0 | parley.admission.guardrails: unsent: 0 (expected: at least 1)",
                "cool-down = 0s | parley.admission.guardrails: cool-down: PT0S (expected: > 0)",
                "list.error_rate.signal = eror | parley.admission.guardrails.list.error_rate: signal: eror (expected:"
                        + " connection, first_audio, error, creation, cost)",
                "list.error_rate.bound = 0.5 | parley.admission.guardrails.list.error_rate: guardrail error_rate: bound:"
                        + " 0.5 (expected: > 0 and < 0.4)",
                "list.slow = ${parley.admission.guardrails.list.first_audio} {threshold = 2} |"
                        + " parley.admission.guardrails: list.slow.threshold: 2.0 (expected: 3.0, as first_audio has: a"
                        + " session speaks once by each signal)"
            })
    void aWrongGuardrailIsNamedWithWhatIsExpected(String change, String expected) {
        assertThatThrownBy(
                        () -> AdmissionSettings.from(ConfigFactory.parseString("parley.admission.guardrails." + change)
                                .withFallback(ConfigFactory.load())
                                .resolve()))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage(expected);
    }

    private static Kill kill(long epoch, boolean on, Kill.Live live) {
        return new Kill(on, epoch, live, "amir", "", Instant.EPOCH);
    }

    private static Why why(Decision decision) {
        return ((Refused) decision).why();
    }

    private static AdmissionSettings settings(int node, int caller) {
        return settings("max-connections = " + node + ", max-connections-per-caller = " + caller);
    }

    private static AdmissionSettings settings(String... changes) {
        return AdmissionSettings.from(
                ConfigFactory.parseString("parley.admission {\n" + String.join("\n", changes) + "\n}")
                        .withFallback(ConfigFactory.load()));
    }
}
