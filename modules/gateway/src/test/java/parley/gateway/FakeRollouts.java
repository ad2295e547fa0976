package parley.gateway;

import com.typesafe.config.ConfigFactory;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CopyOnWriteArrayList;
import org.apache.pekko.NotUsed;
import org.apache.pekko.stream.javadsl.Source;
import parley.admission.Actor;
import parley.admission.AdmissionSettings;
import parley.admission.Arm;
import parley.admission.CallerId;
import parley.admission.Decision;
import parley.admission.Kill;
import parley.admission.Rollout;
import parley.admission.Rollouts;

/** A rollout that remembers what it was asked, and says what it is told to say. */
final class FakeRollouts implements Rollouts {
    final List<Object> asked = new CopyOnWriteArrayList<>();
    volatile Rollout current = AdmissionSettings.from(ConfigFactory.load()).initial();
    volatile Kill kill = Kill.NEVER;
    volatile GuardrailReport guardrails = GuardrailReport.NONE;
    volatile Decision.Why rule = Decision.Why.BUCKET;
    volatile Changed answer = new Changed.Applied(current, List.of(), 25, 0, false, false, false);

    @Override
    public Rollout current() {
        return current;
    }

    @Override
    public Kill kill() {
        return kill;
    }

    @Override
    public GuardrailReport guardrails() {
        return guardrails;
    }

    @Override
    public Explained explain(CallerId caller, Set<String> cohorts) {
        return new Explained(caller, 7, 25, Arm.VOICE, true, rule, current.revision(), List.of());
    }

    @Override
    public CompletionStage<Changed> change(Proposal proposal, Request request) {
        asked.add(proposal);
        asked.add(request);
        return CompletableFuture.completedFuture(answer);
    }

    @Override
    public CompletionStage<Changed> act(Action action, Request request) {
        asked.add(action);
        asked.add(request);
        return CompletableFuture.completedFuture(answer);
    }

    @Override
    public CompletionStage<Killed> kill(boolean on, Kill.Live live, Actor by, String reason) {
        kill = new Kill(on, kill.epoch() + 1, live, by.id(), reason, Instant.EPOCH);
        asked.add(kill);
        return CompletableFuture.completedFuture(
                new Killed(kill, List.of("n1"), on ? List.of() : List.of("n2"), Duration.ofMillis(41)));
    }

    @Override
    public void denied(Actor actor, String action, String why) {
        asked.add(actor.id() + " " + action);
    }

    @Override
    public CompletionStage<List<Recorded>> latest(long before, int limit) {
        long last = Math.min(5, before - 1);
        long after = Math.max(0, last - limit);
        return history(after, (int) (last - after)).thenApply(List::reversed);
    }

    @Override
    public CompletionStage<List<Recorded>> history(long after, int limit) {
        var lines = new ArrayList<Recorded>();
        for (long seq = after + 1; seq <= Math.min(5, after + limit); seq++) {
            lines.add(new Recorded(
                    seq,
                    Instant.EPOCH,
                    new Actor("user", "amir", "operator", "api"),
                    "rollout.change",
                    "applied",
                    "why",
                    seq - 1,
                    seq,
                    List.of(new Rollout.Diff("/percentage", "5", "25")),
                    "",
                    List.of(),
                    "hash"));
        }
        return CompletableFuture.completedFuture(lines);
    }

    @Override
    public CompletionStage<Verified> verify() {
        return CompletableFuture.completedFuture(new Verified(5, 0));
    }

    @Override
    public Source<Happening, NotUsed> watch() {
        return Source.from(List.of(
                new Happening.RolloutChanged(current),
                new Happening.KillChanged(kill),
                new Happening.GuardrailsJudged(guardrails)));
    }
}
