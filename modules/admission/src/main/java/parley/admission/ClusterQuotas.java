package parley.admission;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Clock;
import java.util.HexFormat;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Function;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.cluster.sharding.typed.HashCodeMessageExtractor;
import org.apache.pekko.cluster.sharding.typed.javadsl.ClusterSharding;
import org.apache.pekko.cluster.sharding.typed.javadsl.Entity;
import org.apache.pekko.cluster.sharding.typed.javadsl.EntityRef;
import parley.admission.UserQuota.Command;
import parley.meter.Meters;

/** Quotas as sharded entities of a Pekko cluster, one per user; and what this node has heard from them. */
public final class ClusterQuotas implements Quotas {
    /** What is asked of a shard that moves may be lost, and each question may be repeated: so it is asked twice. */
    private static final int ASKS = 2;

    private final ClusterSharding sharding;
    private final QuotaSettings settings;
    private final LongAdder refused = new LongAdder();
    private final LongAdder unanswered = new LongAdder();

    private ClusterQuotas(ClusterSharding sharding, QuotaSettings settings) {
        this.sharding = sharding;
        this.settings = settings;
    }

    /** Makes this node a home of quotas, also when it asks none. Before it joins its cluster. */
    public static ClusterQuotas start(ActorSystem<?> system, QuotaSettings settings, Clock clock) {
        var sharding = ClusterSharding.get(system);
        sharding.init(Entity.of(UserQuota.KEY, entity -> UserQuota.create(entity, settings, clock))
                .withMessageExtractor(new HashCodeMessageExtractor<>(settings.shards())));
        var quotas = new ClusterQuotas(sharding, settings);
        AdmissionMetrics.quotas(Meters.of(system), quotas);
        return quotas;
    }

    @Override
    public CompletionStage<Answer> take(CallerId caller, String session) {
        return ask(caller, to -> new UserQuota.Take(session, to)).thenApply(answer -> {
            switch (answer) {
                case Answer.Granted granted -> {}
                case Answer.Refused most -> refused.increment();
                // It may have been counted, and will never begin.
                case Answer.Unanswered late -> giveBack(caller, session);
            }
            return answer;
        });
    }

    @Override
    public CompletionStage<Answer> look(CallerId caller) {
        return ask(caller, UserQuota.Look::new);
    }

    @Override
    public void giveBack(CallerId caller, String session) {
        if (settings.sessionsPerHour() > 0) {
            quotaOf(caller).tell(new UserQuota.GiveBack(session));
        }
    }

    /** Sessions that were refused because their user had begun enough, since this node started. */
    public long refused() {
        return refused.sum();
    }

    /** Questions that were not answered in time. */
    public long unanswered() {
        return unanswered.sum();
    }

    private CompletionStage<Answer> ask(CallerId caller, Function<ActorRef<Answer>, Command> question) {
        return settings.sessionsPerHour() == 0
                ? CompletableFuture.completedFuture(new Answer.Granted())
                : ask(quotaOf(caller), question, ASKS);
    }

    private CompletionStage<Answer> ask(
            EntityRef<Command> quota, Function<ActorRef<Answer>, Command> question, int asks) {
        return quota.<Answer>ask(question::apply, settings.askTimeout().dividedBy(ASKS))
                .handle((answer, silent) -> {
                    if (silent != null && asks > 1) {
                        return ask(quota, question, asks - 1);
                    }
                    return CompletableFuture.completedFuture(silent == null ? answer : unheard());
                })
                .thenCompose(Function.identity());
    }

    private Answer unheard() {
        unanswered.increment();
        return settings.admitWhenSilent() ? new Answer.Granted() : new Answer.Unanswered(settings.retryAfter());
    }

    private EntityRef<Command> quotaOf(CallerId caller) {
        return sharding.entityRefFor(UserQuota.KEY, name(caller));
    }

    /** Of any length and any characters a user's id may be, and it is nobody's to read in the journal. */
    static String name(CallerId caller) {
        var text = caller.tenant().length() + ":" + caller.tenant() + caller.user();
        try {
            return HexFormat.of()
                    .formatHex(MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8)));
        } catch (NoSuchAlgorithmException impossible) {
            throw new IllegalStateException("every JVM has SHA-256", impossible);
        }
    }
}
