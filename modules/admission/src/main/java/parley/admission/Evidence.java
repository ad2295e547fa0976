package parley.admission;

import static java.util.Comparator.comparingDouble;

import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * All that one guardrail has learnt since it was last reset: constant in size, plain values, fit for a snapshot.
 *
 * <p>The score depends on the order of the sessions; every count of samples does not, so nodes may report in any order.
 * Whoever keeps it resets it at every step, at every rollback and when a suspended rollout resumes.
 *
 * @param guardrail the guardrail's id; evidence is of no use to another
 * @param bound the bound that the score was counted with
 * @param score of {@link Cusum}, over the candidate's sessions
 * @param changePoint how many sessions the candidate had when the score last left zero; the total while it is zero
 * @param candidate the sessions of {@link Arm#VOICE}
 * @param control the sessions of {@link Arm#CONTROL}
 * @param probes synthetic sessions of either arm
 * @param tenants at most {@link #TENANTS} of them, by name
 * @param others everyone else
 */
record Evidence(
        String guardrail,
        Signal signal,
        double bound,
        double score,
        long changePoint,
        Samples candidate,
        Samples control,
        Samples probes,
        Map<String, Tenant> tenants,
        Tenant others) {
    static final int TENANTS = 32;

    Evidence {
        tenants = Map.copyOf(tenants);
    }

    /** How many sessions, and how many of them failed. A session may fail in part. */
    record Tally(long sessions, double failed) {
        static final Tally NONE = new Tally(0, 0);

        Tally plus(double failure) {
            return new Tally(sessions + 1, failed + failure);
        }

        Tally plus(Tally more) {
            return new Tally(sessions + more.sessions, failed + more.failed);
        }

        /** What remains without {@code part} of it. */
        Tally minus(Tally part) {
            return new Tally(sessions - part.sessions, Math.max(0, failed - part.failed));
        }

        /** The failed share; 0 of nothing. */
        double share() {
            return sessions == 0 ? 0 : failed / sessions;
        }
    }

    /**
     * The sessions of one arm.
     *
     * @param bySubBucket {@link Observation#SUB_BUCKETS} tallies
     * @param sinceChange those since the change point of the candidate's score
     */
    record Samples(List<Tally> bySubBucket, Tally sinceChange) {
        static final Samples NONE = new Samples(Collections.nCopies(Observation.SUB_BUCKETS, Tally.NONE), Tally.NONE);

        Samples {
            bySubBucket = List.copyOf(bySubBucket);
            if (bySubBucket.size() != Observation.SUB_BUCKETS) {
                throw new IllegalArgumentException("bySubBucket: " + bySubBucket.size() + " (expected: 64 tallies)");
            }
        }

        Tally total() {
            long sessions = 0;
            double failed = 0;
            for (var tally : bySubBucket) {
                sessions += tally.sessions();
                failed += tally.failed();
            }
            return new Tally(sessions, failed);
        }

        /** How many sub-buckets have a session. */
        int filled() {
            return (int)
                    bySubBucket.stream().filter(tally -> tally.sessions() > 0).count();
        }

        /**
         * The variance of the failed share when users and not sessions are independent: K/(K−1) · Σ(Fⱼ − r·Nⱼ)²/N² over
         * the K filled sub-buckets, and never less than r(1−r)/N, that of independent sessions.
         */
        double variance() {
            var total = total();
            if (total.sessions() == 0) {
                return 0;
            }
            double share = total.share();
            double squares = 0;
            for (var tally : bySubBucket) {
                double apart = tally.failed() - share * tally.sessions();
                squares += apart * apart;
            }
            double filled = filled();
            double sessions = total.sessions();
            double ofUsers = filled < 2 ? 0 : filled / (filled - 1) * squares / (sessions * sessions);
            return Math.max(ofUsers, share * (1 - share) / sessions);
        }

        private Samples plus(Observation observation, boolean changed) {
            var tallies = new ArrayList<>(bySubBucket);
            tallies.set(
                    observation.subBucket(),
                    tallies.get(observation.subBucket()).plus(observation.failed()));
            return new Samples(tallies, changed ? sinceChange.plus(observation.failed()) : sinceChange);
        }

        private Samples unchanged() {
            return sinceChange.sessions() == 0 ? this : new Samples(bySubBucket, Tally.NONE);
        }
    }

    /**
     * One tenant's part.
     *
     * @param scoreWithout the score that the candidate's other sessions have by themselves
     * @param rank its failures, with those of whoever had its place before: who fails most keeps a place (the
     *     Space-Saving algorithm of Metwally, Agrawal and El Abbadi, 2005)
     */
    record Tenant(Tally candidate, Tally control, double scoreWithout, double rank) {
        static final Tenant NONE = new Tenant(Tally.NONE, Tally.NONE, 0, 0);

        private Tenant plus(Observation observation) {
            return observation.arm() == Arm.VOICE
                    ? new Tenant(
                            candidate.plus(observation.failed()), control, scoreWithout, rank + observation.failed())
                    : new Tenant(candidate, control.plus(observation.failed()), scoreWithout, rank);
        }

        private Tenant plus(Tenant more) {
            return new Tenant(candidate.plus(more.candidate), control.plus(more.control), scoreWithout, rank);
        }

        private Tenant whileOthersScored(Cusum cusum, double failed) {
            return new Tenant(candidate, control, cusum.step(scoreWithout, failed), rank);
        }
    }

    static Evidence of(Guardrail guardrail) {
        return of(guardrail.id(), guardrail.signal(), guardrail.bound());
    }

    private static Evidence of(String guardrail, Signal signal, double bound) {
        return new Evidence(
                guardrail, signal, bound, 0, 0, Samples.NONE, Samples.NONE, Samples.NONE, Map.of(), Tenant.NONE);
    }

    Evidence reset() {
        return of(guardrail, signal, bound);
    }

    /** Total: an observation of another signal, or one that is no sample, changes nothing. */
    Evidence after(Observation observation) {
        if (observation.signal() != signal) {
            return this;
        }
        if (observation.probeSample()) {
            return new Evidence(
                    guardrail,
                    signal,
                    bound,
                    score,
                    changePoint,
                    candidate,
                    control,
                    probes.plus(observation, score > 0),
                    tenants,
                    others);
        }
        if (!observation.sample()) {
            return this;
        }
        return switch (observation.arm()) {
            case VOICE -> afterCandidate(observation);
            case CONTROL ->
                new Evidence(
                        guardrail,
                        signal,
                        bound,
                        score,
                        changePoint,
                        candidate,
                        control.plus(observation, score > 0),
                        probes,
                        tenantsAfter(observation),
                        othersAfter(observation));
        };
    }

    private Evidence afterCandidate(Observation observation) {
        double next = Cusum.of(bound).step(score, observation.failed());
        var more = candidate.plus(observation, next > 0);
        return new Evidence(
                guardrail,
                signal,
                bound,
                next,
                score == 0 || next == 0 ? candidate.total().sessions() + (next > 0 ? 0 : 1) : changePoint,
                next > 0 ? more : more.unchanged(),
                next > 0 ? control : control.unchanged(),
                next > 0 ? probes : probes.unchanged(),
                tenantsAfter(observation),
                othersAfter(observation));
    }

    private Map<String, Tenant> tenantsAfter(Observation observation) {
        var after = new HashMap<>(tenants);
        if (observation.arm() == Arm.VOICE) {
            var cusum = Cusum.of(bound);
            after.replaceAll((name, tenant) ->
                    name.equals(observation.tenant()) ? tenant : tenant.whileOthersScored(cusum, observation.failed()));
        }
        var known = tenants.get(observation.tenant());
        if (known != null) {
            after.put(observation.tenant(), known.plus(observation));
        } else if (tenants.size() < TENANTS) {
            after.put(observation.tenant(), newcomer(0).plus(observation));
        } else if (displaces(observation)) {
            var leaves = leastFailing();
            after.remove(leaves.getKey());
            after.put(observation.tenant(), newcomer(leaves.getValue().rank()).plus(observation));
        }
        return after;
    }

    private Tenant othersAfter(Observation observation) {
        if (tenants.containsKey(observation.tenant()) || tenants.size() < TENANTS) {
            return others;
        }
        return displaces(observation) ? others.plus(leastFailing().getValue()) : others.plus(observation);
    }

    /** Nothing that is known of before was a newcomer's, so the others' score is everyone's. */
    private Tenant newcomer(double rank) {
        return new Tenant(Tally.NONE, Tally.NONE, score, rank);
    }

    private static boolean displaces(Observation observation) {
        return observation.arm() == Arm.VOICE && observation.failed() > 0;
    }

    private Map.Entry<String, Tenant> leastFailing() {
        return Collections.min(
                tenants.entrySet(),
                comparingDouble((Map.Entry<String, Tenant> tenant) ->
                                tenant.getValue().rank())
                        .thenComparing(Map.Entry::getKey));
    }
}
