package parley.session;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("stream")
class ConversationsTest {
    private static Rig rig;
    private final Conversations conversations = new Conversations();
    private final long now = System.nanoTime();

    @BeforeAll
    static void start() {
        rig = new Rig();
    }

    @AfterAll
    static void stop() {
        rig.close();
    }

    private final List<Conversation> started = new ArrayList<>();

    private void run(int many) {
        for (int i = 0; i < many; i++) {
            var conversation = new Conversation(
                    SessionId.mint(1),
                    rig.loops.get(0),
                    rig.room(rig.settings, conversations, rig.provider),
                    new Stage.Reported(),
                    Stage.state(Stage.fresh(Face.VOICE, "usual")),
                    true,
                    Owed.NOTHING,
                    SessionTrace.none());
            started.add(conversation);
            conversations.started(conversation);
        }
    }

    private boolean mayHandOver(int afterMs) {
        return conversations.mayHandOver(now + afterMs * 1_000_000L, Duration.ofSeconds(10));
    }

    @Test
    void sessionsAreHandedOverOneAfterTheOther() {
        assertThat(mayHandOver(0)).isTrue();
        assertThat(mayHandOver(0)).isFalse();
        assertThat(mayHandOver(99)).isFalse();
        assertThat(mayHandOver(100)).isTrue();
        assertThat(mayHandOver(100)).isFalse();
    }

    @Test
    void ofManySessionsEachGetsItsTurnWithinHalfOfTheTime() {
        run(200);

        assertThat(mayHandOver(0)).isTrue();
        assertThat(mayHandOver(24)).isFalse();
        assertThat(mayHandOver(25)).isTrue();
        assertThat(mayHandOver(25)).isFalse();
        started.forEach(conversations::ended);
        assertThat(mayHandOver(49)).as("as many as there were in the beginning").isFalse();
        assertThat(mayHandOver(50)).isTrue();
    }
}
