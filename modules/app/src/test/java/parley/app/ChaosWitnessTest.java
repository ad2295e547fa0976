package parley.app;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Instant;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import parley.load.chaos.Conversations.Asked;
import parley.provider.simulator.ConnectionStory;
import parley.provider.simulator.ConnectionStory.Answered;
import parley.provider.simulator.ConnectionStory.Heard;
import parley.provider.simulator.ConnectionStory.Moment;

@Tag("unit")
class ChaosWitnessTest {
    private static final List<Asked> ONE_TURN = List.of(new Asked(4, 1, Set.of("item_1"), 325));

    @Test
    void oneConnectionAfterTheOtherIsFine() {
        assertThat(witness(story(0, 5_000, heard(1_000), "completed"), story(5_200, 9_000, null, null)))
                .isEqualTo(new ChaosWitness(0, List.of()));
    }

    @Test
    void oneThatIsPreparedAndSilentIsFine() {
        var prepared = new ConnectionStory(
                "c", "m", at(4_000), null, null, 0, at(6_000), at(9_000), 3_000, List.of(), List.of(), List.of(), 0);

        assertThat(witness(story(0, 5_000, heard(1_000), "completed"), prepared).twoUpstreams())
                .isZero();
    }

    @Test
    void twoThatWorkAtTheSameTimeAreNot() {
        assertThat(witness(story(0, 5_000, heard(1_000), "completed"), story(3_000, 9_000, null, null)))
                .isEqualTo(new ChaosWitness(1, List.of("caller 4: two connections worked at once, for 2.0 s")));
    }

    @Test
    void aTurnThatIsHeardAgainWhereItWasNotAnsweredIsFine() {
        assertThat(witness(story(0, 5_000, heard(4_000), "cancelled"), story(5_200, 9_000, heard(5_500), "completed")))
                .isEqualTo(new ChaosWitness(0, List.of()));
    }

    @Test
    void aTurnThatIsAnsweredTwiceIsNot() {
        assertThat(witness(story(0, 5_000, heard(3_000), "completed"), story(5_200, 9_000, heard(5_500), "completed"))
                        .complaints())
                .containsExactly("caller 4: turn 1 was answered 2 times by the provider");
    }

    @Test
    void strangersAreNobodysBusiness() {
        assertThat(ChaosWitness.of(
                        List.of(story(0, 5_000, null, null), story(3_000, 9_000, null, null)),
                        List.of(new Asked(4, 1, Set.of("item_2"), 325))))
                .isEqualTo(new ChaosWitness(0, List.of()));
    }

    private static ChaosWitness witness(ConnectionStory... stories) {
        return ChaosWitness.of(List.of(stories), ONE_TURN);
    }

    private static ConnectionStory story(
            long from, long to, @org.jspecify.annotations.Nullable Heard heard, String status) {
        var answered = heard == null
                ? List.<Answered>of()
                : List.of(new Answered(
                        "r",
                        heard.at(),
                        new Moment(heard.at().nanos() + 1, heard.at().at()),
                        status,
                        null));
        return new ConnectionStory(
                "c",
                "m",
                at(from),
                null,
                at(to),
                1006,
                at(from),
                at(to),
                to - from,
                heard == null ? List.of() : List.of(heard),
                answered,
                List.of(),
                0);
    }

    private static Heard heard(long millis) {
        return new Heard("item_1", at(millis), 1_500, 1_000, 324, true);
    }

    private static Moment at(long millis) {
        return new Moment(millis * 1_000_000, Instant.EPOCH.plusMillis(millis));
    }
}
