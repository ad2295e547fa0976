package parley.session;

import static org.assertj.core.api.Assertions.assertThat;

import io.zonky.test.db.postgres.embedded.EmbeddedPostgres;
import java.io.IOException;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import parley.admission.Arm;
import parley.admission.CallerId;
import parley.session.Answer.Refusal;
import parley.session.Sessions.Join;
import parley.session.Sessions.Opening;

/**
 * F2: an interview is held in one session, and has one live connection, in a real cluster of two nodes on a real database.
 */
@Tag("cluster")
class InterviewTest {
    private static EmbeddedPostgres postgres;
    private static Journal journal;
    private static TestNode one;
    private static TestNode two;

    @BeforeAll
    static void start() throws IOException {
        postgres = Databases.start();
        journal = Databases.journal(postgres.getPort());
        journal.migrate();
        one = TestNode.start(journal);
        two = TestNode.join(one, journal);
    }

    @AfterAll
    static void stop() throws IOException {
        two.close();
        one.close();
        postgres.close();
    }

    private static Join join(CallerId caller, String interview, boolean again) {
        return new Join(
                new Opening(caller, Face.VOICE, Arm.VOICE, "usual", null, null, interview), again, null, Join.NOT_TOLD);
    }

    private static Sessions.Named named(TestNode node, String interview) {
        return Rig.await(node.sessions.interview("acme", interview, null));
    }

    private static Refusal refusal(Answer answer) {
        return answer instanceof Answer.Refused refused ? refused.why() : null;
    }

    /** Whoever comes at the same moment, on whichever node: the same session, and one seat in it. */
    @Test
    void ofTwentyWhoConnectAtOnceOneIsOnTheLine() {
        var names = IntStream.range(0, 20)
                .mapToObj(i -> (i % 2 == 0 ? one : two).sessions.interview("acme", "crowd", null))
                .toList()
                .stream()
                .map(Rig::await)
                .toList();
        assertThat(names)
                .extracting(Sessions.Named::session)
                .containsOnly(names.getFirst().session());
        assertThat(names).filteredOn(Sessions.Named::fresh).hasSize(1);
        var id = names.getFirst().session();

        var answers = IntStream.range(0, 20)
                .mapToObj(i -> {
                    var node = i % 2 == 0 ? one : two;
                    return node.sessions.conversation(id, join(Facts.ANNA, "crowd", false), node.loops.get(0));
                })
                .toList()
                .stream()
                .map(Rig::await)
                .toList();

        // Who got the line leaves it again, so that nothing is left of it.
        for (int i = 0; i < 20; i++) {
            if (answers.get(i) instanceof Answer.Joined joined) {
                (i % 2 == 0 ? one : two).talks(joined, 0).hangsUp(1006, "");
            }
        }
        assertThat(answers).filteredOn(Answer.Joined.class::isInstance).hasSize(1);
        assertThat(answers)
                .filteredOn(answer -> !(answer instanceof Answer.Joined))
                .allMatch(answer -> refusal(answer) == Refusal.TAKEN);
        Rig.await(one.sessions.end(id, Facts.ANNA));
        // Dialled by whichever node was the first.
        Rig.eventually(() -> one.provider.calledWithin(1) != null || two.provider.calledWithin(1) != null);
    }

    @Test
    void aSecondConnectionIsRefusedOnTheOtherNodeAndTheNextOneGoesOn() {
        var id = named(one, "second").session();
        var first = one.calls(id, join(Facts.ANNA, "second", false), 0);
        assertThat(first.hears()).contains("voice-welcome", id.value());
        var provider = one.provider.called().taken();
        provider.says(Events.created());
        first.hears("session.created");
        provider.says(Events.itemDone(Events.userItem("item_u", "what is up")));
        first.hears("conversation.item.done");
        assertThat(named(two, "second")).isEqualTo(new Sessions.Named(id, false, true));

        assertThat(refusal(two.asks(id, join(Facts.ANNA, "second", true), 0))).isEqualTo(Refusal.TAKEN);
        assertThat(refusal(two.asks(id, join(new CallerId("bert", "acme"), "second", true), 0)))
                .isEqualTo(Refusal.FORBIDDEN);

        // Also a page that closes in good order leaves the interview to whoever comes next.
        first.hangsUp(1000, "");
        var next = two.calls(id, join(Facts.ANNA, "second", true), 1);
        assertThat(next.hears()).contains("voice-welcome", id.value());
        assertThat(next.hears("session.resumed")).contains("\"history\":1");
        assertThat(next.hears("conversation.item.done")).contains("what is up");
        assertThat(refusal(one.asks(id, join(Facts.ANNA, "second", true), 0))).isEqualTo(Refusal.TAKEN);

        Rig.await(two.sessions.end(id, Facts.ANNA));
        assertThat(next.ended().code()).isEqualTo(1000);
        assertThat(refusal(one.asks(id, join(Facts.ANNA, "second", true), 0))).isEqualTo(Refusal.OVER);
        var another = Rig.await(one.sessions.interview("acme", "second", id));
        assertThat(another.fresh()).isTrue();
        assertThat(Rig.await(two.sessions.interview("acme", "second", id)).session())
                .isEqualTo(another.session());
        assertThat(Rig.await(two.sessions.interview("other", "second", null)).session())
                .isNotEqualTo(another.session());
    }

    @Test
    void whoShowsTheResumeTokenTakesTheLineOver() {
        var id = named(one, "resumed").session();
        var first = one.calls(id, join(Facts.ANNA, "resumed", false), 0);
        var token = first.hears().replaceFirst(".*\"resume_token\":\"([^\"]*)\".*", "$1");
        one.provider.called().taken().says(Events.created());
        first.hears("session.created");

        var again = new Join(join(Facts.ANNA, "resumed", true).opening(), true, token, 2);
        var second = two.calls(id, again, 0);

        assertThat(second.hears("session.resumed")).contains("\"recovered\":true");
        assertThat(first.ended().code()).isEqualTo(4001);
        var wrong = new Join(again.opening(), true, "another", 2);
        assertThat(refusal(one.asks(id, wrong, 0))).isEqualTo(Refusal.TAKEN);
        Rig.await(one.sessions.end(id, Facts.ANNA));
    }

    /** Nothing that was taken is given back by time: the journal says who sat there, and that nobody is there now. */
    @Test
    void afterARestartTheInterviewGoesOnInItsSession() throws IOException {
        SessionId id;
        try (var database = Databases.start()) {
            var own = Databases.journal(database.getPort());
            own.migrate();
            try (var node = TestNode.start(own)) {
                id = named(node, "restarted").session();
                var caller = node.calls(id, join(Facts.ANNA, "restarted", false), 0);
                var provider = node.provider.called().taken();
                provider.says(Events.created());
                caller.hears("session.created");
                provider.says(Events.itemDone(Events.userItem("item_u", "what is up")));
                caller.hears("conversation.item.done");
                Rig.eventually(() -> !node.describes(id(node, "restarted"), Facts.ANNA)
                        .transcript()
                        .isEmpty());
            }
            try (var node = TestNode.start(own)) {
                assertThat(named(node, "restarted").session()).isEqualTo(id);

                var caller = node.calls(id, join(Facts.ANNA, "restarted", true), 0);

                assertThat(caller.hears()).contains("voice-welcome", id.value());
                assertThat(List.of(Refusal.TAKEN))
                        .contains(refusal(node.asks(id, join(Facts.ANNA, "restarted", true), 1)));
                Rig.await(node.sessions.end(id, Facts.ANNA));
            }
        }
    }

    private static SessionId id(TestNode node, String interview) {
        return named(node, interview).session();
    }
}
