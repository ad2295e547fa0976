package parley.admission;

import com.typesafe.config.Config;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.stream.Stream;
import parley.admission.Rollout.Phase;

/**
 * {@code parley.admission} in reference.conf, where each key is explained.
 *
 * @param nodeOff whether this node refuses everybody, whatever the cluster says
 * @param flag counts until somebody changes the rollout
 * @param plan the same
 * @param guardrails when the rollout stops
 * @param fourEyes whether what lets more users in takes two people
 * @param control what becomes of those whom the percentage leaves out
 */
public record AdmissionSettings(
        boolean nodeOff,
        Flag flag,
        Plan plan,
        int maxConnections,
        int maxConnectionsPerCaller,
        Duration retryAfter,
        List<String> offer,
        Duration controllerTimeout,
        int unwrittenNotes,
        int watchBuffer,
        String readJournal,
        GuardrailSettings guardrails,
        boolean fourEyes,
        ControlArm control) {
    public AdmissionSettings {
        var wrong = new ArrayList<String>();
        atLeastOne("max-connections", maxConnections, wrong);
        atLeastOne("max-connections-per-caller", maxConnectionsPerCaller, wrong);
        atLeastOne("unwritten-notes", unwrittenNotes, wrong);
        atLeastOne("watch-buffer", watchBuffer, wrong);
        if (!controllerTimeout.isPositive()) {
            wrong.add("controller-timeout: " + controllerTimeout + " (expected: > 0)");
        }
        if (!wrong.isEmpty()) {
            throw new IllegalArgumentException("parley.admission: " + String.join("; ", wrong));
        }
        offer = List.copyOf(offer);
    }

    /** Reads the block {@code parley.admission} of a whole configuration. */
    public static AdmissionSettings from(Config config) {
        var admission = config.getConfig("parley.admission");
        try {
            return new AdmissionSettings(
                    admission.getBoolean("node-off"),
                    new Flag(
                            admission.getBoolean("enabled"),
                            admission.getInt("percentage"),
                            Set.copyOf(admission.getStringList("allow")),
                            Set.copyOf(admission.getStringList("deny"))),
                    plan(admission.getConfig("plan")),
                    admission.getInt("max-connections"),
                    admission.getInt("max-connections-per-caller"),
                    admission.getDuration("retry-after"),
                    admission.getStringList("offer"),
                    admission.getDuration("controller-timeout"),
                    admission.getInt("unwritten-notes"),
                    admission.getInt("watch-buffer"),
                    admission.getString("read-journal"),
                    GuardrailSettings.from(admission.getConfig("guardrails")),
                    admission.getBoolean("four-eyes"),
                    control(admission.getString("control")));
        } catch (IllegalArgumentException wrong) {
            var message = String.valueOf(wrong.getMessage());
            throw message.startsWith("parley.")
                    ? wrong
                    : new IllegalArgumentException("parley.admission: " + message, wrong);
        }
    }

    /** The rollout before anybody has changed it. */
    public Rollout initial() {
        return new Rollout(
                0,
                flag.percentage() == 100 ? Phase.COMPLETED : Phase.PAUSED,
                flag,
                plan,
                plan.stepAt(flag.percentage()),
                Instant.EPOCH,
                new Rollout.Change(
                        new Actor("environment", "configuration", "", "node"), Instant.EPOCH, "the configuration"));
    }

    /**
     * Beyond what a session counts as failed by a signal, in its unit: seconds of {@link Signal#FIRST_AUDIO}, US dollars of
     * {@link Signal#COST}; 0 of signals that need none.
     */
    public double threshold(Signal signal) {
        return Stream.concat(guardrails.list().stream(), Guardrail.DEFAULTS.stream())
                .filter(guardrail -> guardrail.signal() == signal)
                .findFirst()
                .map(Guardrail::threshold)
                .orElse(0.0);
    }

    /** Whether somebody in {@link Arm#CONTROL} is let in: only whom the percentage left out, or a suspension. */
    boolean servesControl(Decision.Why why) {
        return control == ControlArm.SERVE && (why == Decision.Why.BUCKET || why == Decision.Why.SUSPENDED);
    }

    private static ControlArm control(String word) {
        return switch (word.toLowerCase(Locale.ROOT)) {
            case "refuse" -> ControlArm.REFUSE;
            case "serve" -> ControlArm.SERVE;
            default -> throw new IllegalArgumentException("control: " + word + " (expected: refuse or serve)");
        };
    }

    private static Plan plan(Config plan) {
        return new Plan(
                plan.getConfigList("steps").stream()
                        .map(step -> new Plan.Step(
                                step.getInt("percentage"),
                                step.getDuration("bake"),
                                step.getInt("min-sessions"),
                                step.getBoolean("approval")))
                        .toList(),
                plan.getDuration("max-hold"));
    }

    private static void atLeastOne(String key, int value, List<String> wrong) {
        if (value < 1) {
            wrong.add(key + ": " + value + " (expected: at least 1)");
        }
    }
}
