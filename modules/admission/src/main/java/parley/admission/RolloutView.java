package parley.admission;

import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import parley.admission.Rollouts.GuardrailReport;
import parley.admission.Rollouts.Happening;

/** What this node knows of the rollout: a decision reads two fields and asks nobody. Thread-safe. */
final class RolloutView {
    private static final Logger LOG = LoggerFactory.getLogger(RolloutView.class);

    private final @Nullable Memory memory;
    private final CopyOnWriteArrayList<Consumer<Happening>> watchers = new CopyOnWriteArrayList<>();
    private volatile Rollout rollout;
    private volatile Kill kill;
    private volatile GuardrailReport report = GuardrailReport.NONE;

    /** @param configured what counts until the cluster or this node's disk says otherwise */
    RolloutView(@Nullable Memory memory, Rollout configured) {
        this.memory = memory;
        var kept = memory == null ? null : memory.rollout();
        this.rollout = kept == null ? configured : kept;
        this.kill = memory == null ? Kill.NEVER : memory.kill();
        if (kill.on()) {
            LOG.warn(
                    "voice is switched off, epoch {}, since before this start; who and why is in the audit",
                    kill.epoch());
        }
    }

    /** Knows only what it is told, and keeps it nowhere. */
    static RolloutView of(Rollout configured) {
        return new RolloutView(null, configured);
    }

    Rollout rollout() {
        return rollout;
    }

    Kill kill() {
        return kill;
    }

    GuardrailReport report() {
        return report;
    }

    /** A later change with a lower number is of another journal: this node's disk is of the one before it. */
    private boolean isNews(Rollout told) {
        return told.revision() > rollout.revision()
                || told.changed().at().isAfter(rollout.changed().at());
    }

    /** Takes what is newer than what is known. */
    void learn(Rollout told) {
        synchronized (this) {
            if (!isNews(told)) {
                return;
            }
            rollout = told;
        }
        LOG.info(
                "rollout: revision {}, {} at {} %; who and why is in the audit",
                told.revision(), told.phase(), told.flag().percentage());
        watchers.forEach(watcher -> watcher.accept(new Happening.RolloutChanged(told)));
        if (memory != null) {
            memory.keepRollout(this::rollout);
        }
    }

    /** The same; whoever asks for a place from now on meets it. On disk when this returns, as far as the disk takes it. */
    void learn(Kill told) {
        synchronized (this) {
            if (!told.isAfter(kill)) {
                return;
            }
            kill = told;
        }
        // Operators' names and reasons are in the audit, which says who may read them.
        LOG.warn(
                told.on()
                        ? "voice is switched off, epoch {}; who and why is in the audit"
                        : "voice is switched on again, epoch {}; who and why is in the audit",
                told.epoch());
        watchers.forEach(watcher -> watcher.accept(new Happening.KillChanged(told)));
        if (memory != null) {
            memory.keepKill(this::kill);
        }
    }

    void learn(GuardrailReport told) {
        synchronized (this) {
            if (told.revision() <= report.revision()) {
                return;
            }
            report = told;
        }
        watchers.forEach(watcher -> watcher.accept(new Happening.GuardrailsJudged(told)));
    }

    /** @return stops it */
    Runnable watch(Consumer<Happening> watcher) {
        watchers.add(watcher);
        return () -> watchers.remove(watcher);
    }
}
