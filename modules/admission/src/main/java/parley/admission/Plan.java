package parley.admission;

import java.time.Duration;
import java.util.List;

/**
 * The stages of a ramp, in rising order of their percentage.
 *
 * @param steps at least one, at most 20
 * @param maxHold a step that is not good to leave this long after its bake time alarms, and never promotes by itself
 */
public record Plan(List<Step> steps, Duration maxHold) {
    private static final int MOST_STEPS = 20;

    /**
     * One stage.
     *
     * @param percentage 1..100, more than the stage before
     * @param bake time at this percentage before the next; stands still while nothing is measured
     * @param minSessions evidence that is needed besides; 0: the guardrails' own
     * @param approval whether a person has to promote it
     */
    public record Step(int percentage, Duration bake, int minSessions, boolean approval) {
        public Step {
            if (percentage < 1 || percentage > 100) {
                throw new IllegalArgumentException("plan: percentage " + percentage + " (expected: 1..100)");
            }
            if (bake.isNegative() || bake.compareTo(Duration.ofDays(90)) > 0) {
                throw new IllegalArgumentException("plan: bake " + bake + " (expected: PT0S to P90D)");
            }
            if (minSessions < 0) {
                throw new IllegalArgumentException("plan: min_sessions " + minSessions + " (expected: at least 0)");
            }
        }

        /** All of it, for people. */
        String said() {
            return percentage + " % for " + bake + (minSessions > 0 ? ", " + minSessions + " sessions" : "")
                    + (approval ? ", then by hand" : "");
        }
    }

    public Plan {
        if (steps.isEmpty() || steps.size() > MOST_STEPS) {
            throw new IllegalArgumentException("plan: " + steps.size() + " steps (expected: 1.." + MOST_STEPS + ")");
        }
        for (int number = 1; number < steps.size(); number++) {
            if (steps.get(number).percentage() <= steps.get(number - 1).percentage()) {
                throw new IllegalArgumentException("plan: " + steps.get(number).percentage() + " % after "
                        + steps.get(number - 1).percentage() + " % (expected: rising)");
            }
        }
        if (!maxHold.isPositive()) {
            throw new IllegalArgumentException("plan: max_hold " + maxHold + " (expected: > 0)");
        }
        steps = List.copyOf(steps);
    }

    /** The last stage that is reached at a percentage; -1: none. */
    int stepAt(int percentage) {
        int reached = -1;
        for (int number = 0; number < steps.size() && steps.get(number).percentage() <= percentage; number++) {
            reached = number;
        }
        return reached;
    }

    boolean isLast(int step) {
        return step == steps.size() - 1;
    }

    /** The percentage before a stage; 0 before the first. */
    int percentageBefore(int step) {
        return step <= 0 ? 0 : steps.get(step - 1).percentage();
    }
}
