package parley.gateway;

import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CopyOnWriteArrayList;
import org.jspecify.annotations.Nullable;
import parley.admission.Rollouts;
import parley.admission.SharedToken;
import parley.admission.SharedTokens;

/** A shared token of one process: every gateway of the rig is told at once, as the nodes of a cluster are. */
final class FakeSharedTokens implements SharedTokens {
    private final List<Runnable> watchers = new CopyOnWriteArrayList<>();
    private volatile @Nullable SharedToken current = SharedToken.CONFIGURED;

    /** Nobody has told this node. */
    void forget() {
        current = null;
    }

    @Override
    public @Nullable SharedToken current() {
        return current;
    }

    @Override
    public CompletionStage<Rotated> rotate(Rotation rotation) {
        var now = current == null ? SharedToken.CONFIGURED : current;
        if (rotation.expectedRevision() != now.revision()) {
            return CompletableFuture.completedFuture(
                    new Rotated.Refused(Rollouts.Refusal.STALE, "revision: rotated by otto"));
        }
        var earlier = new ArrayList<SharedToken.Earlier>();
        if (!rotation.overlap().isZero()) {
            earlier.add(new SharedToken.Earlier(
                    now.revision() == 0 ? rotation.configured() : now.hash(),
                    Instant.now().plus(rotation.overlap())));
        }
        var next = new SharedToken(
                now.revision() + 1, rotation.hash(), earlier, rotation.actor(), Instant.now(), rotation.reason());
        current = next;
        watchers.forEach(Runnable::run);
        return CompletableFuture.completedFuture(new Rotated.Done(next));
    }

    @Override
    public Runnable watch(Runnable changed) {
        watchers.add(changed);
        return () -> watchers.remove(changed);
    }
}
