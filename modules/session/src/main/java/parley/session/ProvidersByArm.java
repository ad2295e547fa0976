package parley.session;

import parley.admission.Arm;
import parley.provider.ProviderPool;

/**
 * Who answers which arm of the rollout. A session keeps its arm, and so its providers, for its life: when it is dialled
 * again, rolled over, resumed or hosted by another node.
 *
 * @param voice those of the candidate
 * @param control those of everybody else; the very same where nothing else is configured
 */
public record ProvidersByArm(ProviderPool voice, ProviderPool control) {
    /** Both arms have the same. */
    public static ProvidersByArm alike(ProviderPool pool) {
        return new ProvidersByArm(pool, pool);
    }

    ProviderPool of(Arm arm) {
        return switch (arm) {
            case VOICE -> voice;
            case CONTROL -> control;
        };
    }

    boolean isAlike() {
        return voice == control;
    }
}
