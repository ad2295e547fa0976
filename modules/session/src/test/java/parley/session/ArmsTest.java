package parley.session;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import parley.admission.Arm;
import parley.wire.WebSocketClose;

/** R5, R6: an arm has providers of its own, and a session keeps them. */
@Tag("stream")
@ExtendWith(NoLeaks.class)
class ArmsTest {
    private static Rig rig;
    private final Stage stage = new Stage(rig);

    @BeforeAll
    static void start() {
        rig = new Rig();
        rig.control = rig.second;
    }

    @AfterAll
    static void stop() {
        rig.close();
    }

    @AfterEach
    void end() {
        stage.close();
        rig.provider.forget();
        rig.second.forget();
    }

    @Test
    void theControlArmIsAnsweredByItsOwnProviderAlsoWhenThatIsDialledAgainAndOnTheNextHost() {
        stage.goesOn(opened(Arm.CONTROL));
        var first = rig.second.called().taken();
        first.says(Events.created());
        first.hangsUp(WebSocketClose.LOST, "");
        var again = rig.second.called();

        assertThat(again.call().model()).isEqualTo("usual");
        assertThat(rig.provider.calledWithin(0)).isNull();
    }

    @Test
    void theCandidateIsNotAnsweredByTheControlsProviderWhenItsOwnIsGone() {
        stage.goesOn(opened(Arm.VOICE));
        rig.provider.called().refused("upstream_unavailable", true);

        // It comes from another host: its own provider is asked again and again.
        rig.provider.called();
        assertThat(rig.second.calledWithin(0)).isNull();
    }

    private static List<SessionEvent> opened(Arm arm) {
        return List.of(
                new SessionEvent.Opened(Facts.ANNA, Face.REALTIME, arm, "usual", Rig.NOON, "BUCKET", 1L),
                new SessionEvent.Hosted("first", Rig.NOON),
                Facts.ATTACHED);
    }
}
