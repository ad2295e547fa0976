package parley.load;

import java.util.List;

/**
 * What a {@link Ramp} found.
 *
 * @param largest sessions of the last step that was held, 0 for none
 * @param limit what ended the ramp
 * @param steps in their order; all but perhaps the last were held
 */
record RampReport(Climb ramp, int largest, Ramp.Limit limit, String why, List<Step> steps) {
    /** @param report latencies, losses and costs of this step alone; memory since before the first caller */
    record Step(Ramp.Verdict verdict, Report report) {}

    static RampReport of(Climb climb, List<Step> steps) {
        int largest = steps.stream()
                .filter(step -> step.verdict().limit() == Ramp.Limit.NONE)
                .mapToInt(step -> step.report().setup().sessions())
                .max()
                .orElse(0);
        var last = steps.getLast().verdict();
        return new RampReport(climb, largest, last.limit(), last.why(), steps);
    }

    String json() {
        return Report.json(this);
    }
}
