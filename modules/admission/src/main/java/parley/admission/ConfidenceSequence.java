package parley.admission;

import parley.admission.Evidence.Samples;

/**
 * By how much more the candidate fails than the control, with a bound that may be looked at as often as one likes: an
 * asymptotic confidence sequence (I. Waudby-Smith and others, Time-uniform central limit theory, 2021), tuned for 500
 * sessions per arm.
 *
 * @param difference of the failed shares, above 0 when the candidate fails more
 * @param halfWidth infinite while there is too little to say: fewer than 50 sessions or 20 filled sub-buckets in an arm
 */
record ConfidenceSequence(double difference, double halfWidth) {
    /** A difference that nobody minds: one percentage point. */
    static final double TOLERANCE = 0.01;

    static final double ALPHA = 0.05;

    private static final double TUNED_FOR = 500;
    private static final int LEAST_SESSIONS = 50;
    private static final int LEAST_SUB_BUCKETS = 20;

    static ConfidenceSequence between(Samples candidate, Samples control) {
        var here = candidate.total();
        var there = control.total();
        long smaller = Math.min(here.sessions(), there.sessions());
        boolean enough =
                smaller >= LEAST_SESSIONS && Math.min(candidate.filled(), control.filled()) >= LEAST_SUB_BUCKETS;
        return new ConfidenceSequence(
                here.share() - there.share(),
                enough ? halfWidth(candidate.variance() + control.variance(), smaller) : Double.POSITIVE_INFINITY);
    }

    /**
     * √(V · 2(nρ²+1)/(nρ²) · ln(√(nρ²+1)/α)) with ρ² = (−2 ln α + ln(−2 ln α + 1))/500.
     *
     * @param variance V, of the difference
     * @param sessions n, of the smaller arm
     */
    static double halfWidth(double variance, long sessions) {
        double twice = -2 * Math.log(ALPHA);
        double tuned = sessions * (twice + Math.log(twice + 1)) / TUNED_FOR;
        return Math.sqrt(variance * 2 * (tuned + 1) / tuned * Math.log(Math.sqrt(tuned + 1) / ALPHA));
    }

    /** Whether the candidate is worse by more than the tolerance. */
    boolean worse() {
        return difference - halfWidth > TOLERANCE;
    }
}
