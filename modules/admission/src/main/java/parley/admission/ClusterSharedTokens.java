package parley.admission;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.javadsl.AskPattern;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The shared token of a cluster, seen from one of its nodes.
 *
 * <p>A node that starts knows nothing until the keeper has told it: neither its configuration nor its disk can say whether
 * the token was rotated meanwhile. From then on Distributed Data tells it of each rotation.
 */
final class ClusterSharedTokens implements SharedTokens {
    private static final Logger LOG = LoggerFactory.getLogger(ClusterSharedTokens.class);
    private static final Duration ASK = Duration.ofSeconds(2);
    private static final long ASK_AGAIN_MS = 200;

    /** Writes a line of the audit. */
    @FunctionalInterface
    interface AuditLine {
        void write(Actor actor, String action, String outcome, String reason, List<Rollout.Diff> diff);
    }

    private final ActorSystem<?> system;
    private final Duration answerWithin;
    private final CopyOnWriteArrayList<Runnable> watchers = new CopyOnWriteArrayList<>();
    private volatile @Nullable SharedToken current;
    private volatile @Nullable ActorRef<SharedTokenKeeper.Command> keeper;
    private volatile AuditLine audit = (actor, action, outcome, reason, diff) -> {};

    ClusterSharedTokens(ActorSystem<?> system, Duration answerWithin) {
        this.system = system;
        this.answerWithin = answerWithin;
    }

    /** Begins to follow the keeper. */
    void follow(ActorRef<SharedTokenKeeper.Command> found, AuditLine line) {
        audit = line;
        keeper = found;
        ask(found);
    }

    private void ask(ActorRef<SharedTokenKeeper.Command> found) {
        AskPattern.<SharedTokenKeeper.Command, SharedToken>ask(
                        found, SharedTokenKeeper.Tell::new, ASK, system.scheduler())
                .whenComplete((told, silence) -> {
                    if (told != null) {
                        learn(told);
                    } else if (current == null
                            && !system.getWhenTerminated().toCompletableFuture().isDone()) {
                        CompletableFuture.delayedExecutor(ASK_AGAIN_MS, TimeUnit.MILLISECONDS)
                                .execute(() -> ask(found));
                    }
                });
    }

    /** Takes what is newer than what is known. */
    void learn(SharedToken told) {
        synchronized (this) {
            var known = current;
            if (known != null && told.revision() <= known.revision()) {
                return;
            }
            current = told;
        }
        if (told.revision() > 0) {
            LOG.info(
                    "VOICE_WS_TOKEN: revision {}, {} earlier ones are good for a while; what the environment names does"
                            + " not count any more",
                    told.revision(),
                    told.earlier().size());
        }
        watchers.forEach(Runnable::run);
    }

    @Override
    public @Nullable SharedToken current() {
        return current;
    }

    @Override
    public Runnable watch(Runnable changed) {
        watchers.add(changed);
        return () -> watchers.remove(changed);
    }

    @Override
    public CompletionStage<Rotated> rotate(Rotation rotation) {
        var known = keeper;
        if (known == null) {
            return CompletableFuture.completedFuture(unanswered());
        }
        return AskPattern.<SharedTokenKeeper.Command, Rotated>ask(
                        known,
                        replyTo -> new SharedTokenKeeper.Rotate(rotation, replyTo),
                        answerWithin,
                        system.scheduler())
                .exceptionally(silence -> unanswered())
                .thenApply(rotated -> {
                    switch (rotated) {
                        case Rotated.Done(var now) -> {
                            // Whoever asks this node next meets it.
                            learn(now);
                            write(rotation, "applied", rotation.reason(), changed(rotation, now));
                        }
                        case Rotated.Refused(var why, var detail) -> write(rotation, "failed", detail, List.of());
                    }
                    return rotated;
                });
    }

    private void write(Rotation rotation, String outcome, String reason, List<Rollout.Diff> diff) {
        audit.write(rotation.actor(), "token.rotate", outcome, reason, diff);
    }

    private static List<Rollout.Diff> changed(Rotation rotation, SharedToken now) {
        return List.of(
                new Rollout.Diff("/token/revision", Long.toString(now.revision() - 1), Long.toString(now.revision())),
                new Rollout.Diff("/token/overlap", "", rotation.overlap().toString()));
    }

    private Rotated unanswered() {
        return new Rotated.Refused(
                Rollouts.Refusal.UNAVAILABLE,
                "the token's keeper or its journal does not answer within " + answerWithin
                        + "; it is not known whether this was done (expected: look at the revision, and ask again)");
    }
}
