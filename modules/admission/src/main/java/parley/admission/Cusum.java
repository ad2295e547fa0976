package parley.admission;

/**
 * A Bernoulli CUSUM over sessions: adds to a score what each session says for <em>broken</em> against <em>healthy</em>,
 * and never lets the score fall below zero, so that a long good past does not hide a bad present.
 *
 * <p>With a bound θ, healthy is a failure share of p₀ = θ/2 and broken one of p₁ = 2.5 θ: {@code S ← max(0, S +
 * ln(p₁/p₀))} when a session failed, {@code S ← max(0, S + ln((1−p₁)/(1−p₀)))} when it did not (E. S. Page, Continuous
 * inspection schemes, Biometrika 41, 1954). A failure always adds ln 5 = 1.609: five in a row pass a limit of 7, whatever
 * the bound. Sessions are counted and not minutes, so it works at 5 sessions per hour as it does at 5,000.
 *
 * @param failure what a failed session adds, above 0
 * @param success what a good session adds, below 0
 */
record Cusum(double failure, double success) {
    /** @param bound the allowed failure share, above 0 and below 0.4 */
    static Cusum of(double bound) {
        double healthy = bound / 2;
        double broken = 2.5 * bound;
        return new Cusum(Math.log(broken / healthy), Math.log((1 - broken) / (1 - healthy)));
    }

    /** @param failed 0..1: a session that failed in part adds the same part of both */
    double step(double score, double failed) {
        return Math.max(0, score + failed * failure + (1 - failed) * success);
    }
}
