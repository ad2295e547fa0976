package parley.admission;

import java.util.Locale;

/**
 * Whether as many users were admitted to each arm as the percentage says. When not, something chooses who is counted, and
 * no comparison of the arms means anything: the rollout holds.
 *
 * @param voice users of {@link Arm#VOICE}, without those a list put there
 * @param control users of {@link Arm#CONTROL}, likewise
 * @param percentage 0..100, in force while they came
 */
record SampleRatio(long voice, long control, int percentage) implements CborSerializable {
    static final double ALPHA = 0.001;
    static final long LEAST_USERS = 100;

    private static final double[] ERFC = {
        0.17087277,
        -0.82215223,
        1.48851587,
        -1.13520398,
        0.27886807,
        -0.18628806,
        0.09678418,
        0.37409196,
        1.00002368,
        -1.26551223
    };

    SampleRatio {
        if (voice < 0 || control < 0) {
            throw new IllegalArgumentException(
                    "voice, control: " + voice + ", " + control + " (expected: numbers of users)");
        }
        if (percentage < 0 || percentage > 100) {
            throw new IllegalArgumentException("percentage: " + percentage + " (expected: 0..100)");
        }
    }

    boolean mismatch() {
        return voice + control >= LEAST_USERS && p() < ALPHA;
    }

    /** For whoever runs the rollout. */
    String says() {
        return String.format(
                Locale.ROOT,
                "of %d users %d have voice where %d %% should (p = %.1e): the arms cannot be compared",
                voice + control,
                voice,
                percentage,
                p());
    }

    /** Of Pearson's χ² test, one degree of freedom: how often chance alone is so far off or farther. */
    double p() {
        double users = voice + control;
        double expected = users * percentage / 100.0;
        double apart = voice - expected;
        if (apart == 0) {
            return 1;
        }
        double variance = expected * (100 - percentage) / 100.0;
        return variance == 0 ? 0 : twoSidedTail(Math.abs(apart) / Math.sqrt(variance));
    }

    /** P(|Z| > z) of the normal distribution: erfc(z/√2) by Chebyshev fitting (Numerical Recipes §6.2), to 1.2e-7 of it. */
    private static double twoSidedTail(double z) {
        double t = 1 / (1 + z / Math.sqrt(2) / 2);
        double series = 0;
        for (double coefficient : ERFC) {
            series = series * t + coefficient;
        }
        return t * Math.exp(-z * z / 2 + series);
    }
}
