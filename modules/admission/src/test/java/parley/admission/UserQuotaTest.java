package parley.admission;

import static org.assertj.core.api.Assertions.assertThat;

import com.typesafe.config.ConfigFactory;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.util.List;
import org.apache.pekko.actor.testkit.typed.javadsl.ActorTestKit;
import org.apache.pekko.actor.testkit.typed.javadsl.TestProbe;
import org.apache.pekko.cluster.sharding.typed.javadsl.ClusterSharding;
import org.apache.pekko.cluster.sharding.typed.javadsl.EntityContext;
import org.apache.pekko.persistence.testkit.javadsl.EventSourcedBehaviorTestKit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import parley.admission.QuotaEvent.GivenBack;
import parley.admission.QuotaEvent.Taken;
import parley.admission.Quotas.Answer;
import parley.admission.UserQuota.Command;

/** L7. */
@Tag("entity")
class UserQuotaTest {
    private static final Instant NOON = Instant.parse("2026-11-20T12:00:00Z");
    private static ActorTestKit kit;

    private final HeldClock clock = new HeldClock();
    private TestProbe<ClusterSharding.ShardCommand> shard;
    private EventSourcedBehaviorTestKit<Command, QuotaEvent, LastHour> quota;

    /** Stands still until the test moves it on. */
    private static final class HeldClock extends Clock {
        private Instant now = NOON;

        void moves(Duration on) {
            now = now.plus(on);
        }

        @Override
        public Instant instant() {
            return now;
        }

        @Override
        public ZoneId getZone() {
            return ZoneOffset.UTC;
        }

        @Override
        public Clock withZone(ZoneId zone) {
            return this;
        }
    }

    @BeforeAll
    static void start() {
        kit = ActorTestKit.create(ConfigFactory.parseString("pekko.actor.testkit.typed.timefactor = 10")
                .withFallback(EventSourcedBehaviorTestKit.config())
                .withFallback(ConfigFactory.load()));
    }

    @AfterAll
    static void stop() {
        kit.shutdownTestKit();
    }

    @BeforeEach
    void fresh() {
        open(settings(2, Duration.ofHours(1)));
    }

    private static QuotaSettings settings(int perHour, Duration passivateAfter) {
        return new QuotaSettings(perHour, Duration.ofSeconds(4), false, passivateAfter, 10, Duration.ofSeconds(5));
    }

    private void open(QuotaSettings settings) {
        shard = kit.createTestProbe();
        quota = EventSourcedBehaviorTestKit.create(
                kit.system(),
                UserQuota.create(new EntityContext<>(UserQuota.KEY, "somebody", shard.getRef()), settings, clock));
    }

    private EventSourcedBehaviorTestKit.CommandResultWithReply<Command, QuotaEvent, LastHour, Answer> takes(
            String session) {
        return quota.<Answer>runCommand(to -> new UserQuota.Take(session, to));
    }

    private Answer looks() {
        return quota.<Answer>runCommand(UserQuota.Look::new).reply();
    }

    @Test
    void soManyAreGrantedAndThenNoneUntilTheOldestIsAnHourOld() {
        var first = takes("a");
        clock.moves(Duration.ofMinutes(10));
        var second = takes("b");
        clock.moves(Duration.ofMinutes(20));
        var third = takes("c");

        assertThat(first.reply()).isEqualTo(new Answer.Granted());
        assertThat(first.event()).isEqualTo(new Taken("a", NOON));
        assertThat(second.reply()).isEqualTo(new Answer.Granted());
        assertThat(third.reply()).isEqualTo(new Answer.Refused(2, Duration.ofMinutes(30)));
        assertThat(third.hasNoEvents()).isTrue();

        clock.moves(Duration.ofMinutes(30));
        assertThat(takes("c").reply()).isEqualTo(new Answer.Granted());
        assertThat(takes("d").reply()).isEqualTo(new Answer.Refused(2, Duration.ofMinutes(10)));
    }

    @Test
    void aSessionTakenTwiceCountsOnce() {
        takes("a");
        var again = takes("a");

        assertThat(again.reply()).isEqualTo(new Answer.Granted());
        assertThat(again.hasNoEvents()).isTrue();
        takes("b");
        assertThat(takes("a").reply()).as("also when nothing is left").isEqualTo(new Answer.Granted());
    }

    @Test
    void whoeverOnlyLooksCountsNothing() {
        assertThat(looks()).isEqualTo(new Answer.Granted());
        assertThat(quota.getState()).isEqualTo(LastHour.EMPTY);

        takes("a");
        takes("b");

        assertThat(looks()).isEqualTo(new Answer.Refused(2, Duration.ofHours(1)));
    }

    @Test
    void aSessionThatNeverBeganIsGivenBackOnce() {
        takes("a");
        takes("b");
        var given = quota.runCommand(new UserQuota.GiveBack("a"));
        var again = quota.runCommand(new UserQuota.GiveBack("a"));

        assertThat(given.event()).isEqualTo(new GivenBack("a", NOON));
        assertThat(again.hasNoEvents()).isTrue();
        assertThat(takes("c").reply()).isEqualTo(new Answer.Granted());
        assertThat(takes("d").reply()).isEqualTo(new Answer.Refused(2, Duration.ofHours(1)));
    }

    @Test
    void whatWasTakenIsKeptOverARestart() {
        takes("a");
        takes("b");
        quota.restart();

        assertThat(takes("c").reply()).isEqualTo(new Answer.Refused(2, Duration.ofHours(1)));
        assertThat(quota.getState()).isEqualTo(new LastHour(List.of(new Taken("a", NOON), new Taken("b", NOON))));
    }

    @Test
    void whereNothingIsLimitedNothingIsRefused() {
        open(settings(0, Duration.ofHours(1)));

        for (int i = 0; i < 50; i++) {
            assertThat(takes("s" + i).reply()).isEqualTo(new Answer.Granted());
        }
    }

    @Test
    void whatIsKeptStaysSmall() {
        for (int i = 0; i < 45; i++) {
            takes("s" + i);
            clock.moves(Duration.ofMinutes(31));
        }

        assertThat(quota.getState().taken()).hasSize(2);
        var probe = kit.createTestProbe();
        // The events behind a snapshot are deleted while the entity goes on.
        probe.awaitAssert(Duration.ofMinutes(1), () -> {
            assertThat(quota.persistenceTestKit().persistedInStorage("quota|somebody"))
                    .hasSizeLessThan(20);
            return null;
        });
    }

    @Test
    void aUserWhoIsQuietCostsNoMemory() {
        open(settings(2, Duration.ofMillis(50)));
        takes("a");

        assertThat(shard.receiveMessage(Duration.ofMinutes(1))).isInstanceOf(ClusterSharding.Passivate.class);
    }

    @Test
    void theNameOfAnEntityTellsNothingAndIsNobodyElses() {
        var name = ClusterQuotas.name(new CallerId("anna", "acme"));

        assertThat(name).hasSize(64).doesNotContain("anna", "acme");
        assertThat(name)
                .isEqualTo(ClusterQuotas.name(new CallerId("anna", "acme")))
                .isNotEqualTo(ClusterQuotas.name(new CallerId("anna", "default")))
                .isNotEqualTo(ClusterQuotas.name(new CallerId("a", "acmeann")))
                .isNotEqualTo(ClusterQuotas.name(new CallerId("eanna", "acm")));
    }
}
