package parley.admission;

/**
 * What a guardrail says, with everything that made it say so: one value for the page, the event and the metric.
 *
 * @param score of the CUSUM, and the {@code limit} beyond which it trips
 * @param observed the failed share of the samples, with its 95 % interval from {@code low} to {@code high}
 * @param needed how many samples with the present failures it takes to pass
 * @param why a sentence for whoever runs the rollout
 */
record Judgement(
        String guardrail,
        Verdict verdict,
        Cause cause,
        double score,
        double limit,
        double observed,
        double low,
        double high,
        long samples,
        long controlSamples,
        long needed,
        String why) {}
