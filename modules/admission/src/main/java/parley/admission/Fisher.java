package parley.admission;

import parley.admission.Evidence.Tally;

/** R. A. Fisher's exact test: does the candidate fail more often than the control, whatever the share of both? */
final class Fisher {
    private Fisher() {}

    /**
     * The probability that so many or more of all failures fall upon the candidate by chance (one-sided). Parts of a
     * failure are rounded against the alarm. No sessions on either side: 1.
     */
    static double worse(Tally candidate, Tally control) {
        return worse(
                (long) Math.floor(candidate.failed()),
                candidate.sessions(),
                Math.min(control.sessions(), (long) Math.ceil(control.failed())),
                control.sessions());
    }

    private static double worse(long failed, long sessions, long controlFailed, long controlSessions) {
        long allFailed = failed + controlFailed;
        long most = Math.min(sessions, allFailed);
        double term = Math.exp(lnChoose(sessions, failed)
                + lnChoose(controlSessions, controlFailed)
                - lnChoose(sessions + controlSessions, allFailed));
        double sum = 0;
        // The next term of the hypergeometric distribution from the last, until the rest does not count.
        for (long x = failed; x <= most; x++) {
            sum += term;
            double ratio = (double) (sessions - x) / (x + 1) * (allFailed - x) / (controlSessions - allFailed + x + 1);
            if (ratio < 1 && term * ratio / (1 - ratio) < 1e-12 * sum) {
                break;
            }
            term *= ratio;
        }
        return Math.min(1, sum);
    }

    private static double lnChoose(long n, long k) {
        return Binomial.lnFactorial((double) n)
                - Binomial.lnFactorial((double) k)
                - Binomial.lnFactorial((double) (n - k));
    }
}
