package parley.admission;

/** What a number of failures among independent sessions says about the failure share, exactly. */
final class Binomial {
    /** One-sided: a claim that is made at this level is wrong in at most one of twenty cases. */
    static final double ALPHA = 0.05;

    private static final double Z_TWO_SIDED = 1.959964;
    private static final double TINY = 1e-300;
    private static final int MAX_TERMS = 100_000;
    private static final double[] LANCZOS = {
        676.5203681218851,
        -1259.1392167224028,
        771.3234287776531,
        -176.6150291621406,
        12.507343278686905,
        -0.13857109526572012,
        9.984369578019572e-6,
        1.5056327351493116e-7
    };

    private Binomial() {}

    /** The probability of at most {@code failures} in {@code sessions} that each fail with {@code share}. */
    static double atMost(long failures, long sessions, double share) {
        if (failures < 0) {
            return 0;
        }
        if (failures >= sessions || share <= 0) {
            return 1;
        }
        return share >= 1 ? 0 : regularizedBeta(1 - share, (double) (sessions - failures), failures + 1.0);
    }

    /** The probability of at least {@code failures} in {@code sessions} that each fail with {@code share}. */
    static double atLeast(long failures, long sessions, double share) {
        if (failures <= 0) {
            return 1;
        }
        if (failures > sessions || share <= 0) {
            return 0;
        }
        return share >= 1 ? 1 : regularizedBeta(share, (double) failures, sessions - failures + 1.0);
    }

    /**
     * How many sessions with so many failures it takes to claim, at 95 %, that no more than {@code bound} fail: the
     * smallest n with P(X ≤ failures | n, bound) ≤ 0.05, as Clopper and Pearson have it (1934).
     */
    static long needed(double bound, long failures) {
        // At the share observed, half of all cases have no more failures: that is never enough.
        long tooFew = Math.max(failures, (long) (failures / bound));
        long more = (long) Math.ceil(1 / bound);
        while (atMost(failures, tooFew + more, bound) > ALPHA) {
            more *= 2;
        }
        long enough = tooFew + more;
        while (enough - tooFew > 1) {
            long middle = (enough + tooFew) >>> 1;
            if (atMost(failures, middle, bound) > ALPHA) {
                tooFew = middle;
            } else {
                enough = middle;
            }
        }
        return enough;
    }

    /** A range of shares. */
    record Interval(double low, double high) {}

    /** E. B. Wilson's interval for the failed share, 95 % two-sided (1927); everything when there are no sessions. */
    static Interval wilson(double failed, long sessions) {
        if (sessions == 0) {
            return new Interval(0, 1);
        }
        double share = failed / sessions;
        double square = Z_TWO_SIDED * Z_TWO_SIDED / sessions;
        double centre = share + square / 2;
        double half = Math.sqrt(square * (share * (1 - share) + square / 4));
        return new Interval(Math.max(0, (centre - half) / (1 + square)), Math.min(1, (centre + half) / (1 + square)));
    }

    /** ln n!, by C. Lanczos' approximation of the gamma function (1964; g = 7, nine terms), to about 15 digits. */
    static double lnFactorial(double n) {
        double sum = 0.9999999999998099;
        for (int term = 0; term < LANCZOS.length; term++) {
            sum += LANCZOS[term] / (n + term + 1);
        }
        double base = n + LANCZOS.length - 0.5;
        return 0.5 * Math.log(2 * Math.PI) + (n + 0.5) * Math.log(base) - base + Math.log(sum);
    }

    /** I_x(a, b) by its continued fraction (Abramowitz and Stegun 26.5.8), evaluated as W. J. Lentz does (1976). */
    private static double regularizedBeta(double x, double a, double b) {
        if (x > (a + 1) / (a + b + 2)) {
            return 1 - regularizedBeta(1 - x, b, a);
        }
        double front = Math.exp(lnFactorial(a + b - 1)
                - lnFactorial(a - 1)
                - lnFactorial(b - 1)
                + a * Math.log(x)
                + b * Math.log1p(-x));
        double c = 1;
        double d = 1 / awayFromZero(1 - (a + b) * x / (a + 1));
        double fraction = d;
        for (int m = 1; m <= MAX_TERMS; m++) {
            double even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
            d = 1 / awayFromZero(1 + even * d);
            c = awayFromZero(1 + even / c);
            fraction *= c * d;
            double odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
            d = 1 / awayFromZero(1 + odd * d);
            c = awayFromZero(1 + odd / c);
            fraction *= c * d;
            if (Math.abs(c * d - 1) < 1e-14) {
                break;
            }
        }
        return front * fraction / a;
    }

    private static double awayFromZero(double value) {
        return Math.abs(value) < TINY ? TINY : value;
    }
}
