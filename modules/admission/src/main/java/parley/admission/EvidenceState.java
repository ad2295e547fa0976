package parley.admission;

import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import parley.admission.EvidenceEvent.Begun;
import parley.admission.EvidenceEvent.Blind;
import parley.admission.EvidenceEvent.Seen;

/**
 * What the keeper remembers. Pure.
 *
 * @param era of the rollout that the evidence is of: the revision with which it began
 * @param evidence one for each guardrail
 * @param blind how long, in this era, some node was silent
 * @param voiceUsers of this era, and {@code controlUsers}: without those whom a list put there
 * @param lives what each node's life was last heard to say; those not heard of for {@link #REMEMBERED} are forgotten
 */
record EvidenceState(
        long era, List<Evidence> evidence, Duration blind, Map<String, Last> lives, long voiceUsers, long controlUsers)
        implements CborSerializable {
    static final Duration REMEMBERED = Duration.ofHours(1);

    /** The number of the last batch that had anything in it. */
    record Last(long number, Instant at) {}

    EvidenceState {
        evidence = List.copyOf(evidence);
        lives = Map.copyOf(lives);
    }

    static EvidenceState initial(List<Guardrail> guardrails) {
        return new EvidenceState(0, guardrails.stream().map(Evidence::of).toList(), Duration.ZERO, Map.of(), 0, 0);
    }

    EvidenceState after(EvidenceEvent event, List<Guardrail> guardrails) {
        return switch (event) {
            case Begun begun ->
                new EvidenceState(begun.era(), initial(guardrails).evidence(), Duration.ZERO, lives, 0, 0);
            case Blind(var time) -> new EvidenceState(era, evidence, blind.plus(time), lives, voiceUsers, controlUsers);
            case Seen seen -> knows(seen.life(), seen.number()) ? this : with(seen, guardrails);
        };
    }

    /** Whether a batch has been counted. */
    boolean knows(String life, long number) {
        var last = lives.get(life);
        return last != null && number <= last.number();
    }

    /** Whether the evidence can be judged by these, and by no others. */
    boolean fits(List<Guardrail> guardrails) {
        return evidence.size() == guardrails.size()
                && guardrails.stream()
                        .allMatch(guardrail -> evidence.stream()
                                .anyMatch(each -> each.guardrail().equals(guardrail.id())
                                        && each.signal() == guardrail.signal()
                                        && each.bound() == guardrail.bound()));
    }

    private EvidenceState with(Seen seen, List<Guardrail> guardrails) {
        var remembered = new HashMap<>(lives);
        remembered.values().removeIf(last -> last.at().isBefore(seen.at().minus(REMEMBERED)));
        remembered.put(seen.life(), new Last(seen.number(), seen.at()));
        var more = evidence.stream()
                .map(each -> {
                    var comparator = comparator(each, guardrails);
                    var after = each;
                    for (var observation : seen.observations()) {
                        var held = observation.heldAgainst(comparator);
                        after = held == null ? after : after.after(held);
                    }
                    return after;
                })
                .toList();
        return new EvidenceState(
                era, more, blind, remembered, voiceUsers + seen.voiceUsers(), controlUsers + seen.controlUsers());
    }

    /** Where the configuration has become another, the evidence is about to be thrown away. */
    private static Comparator comparator(Evidence evidence, List<Guardrail> guardrails) {
        return guardrails.stream()
                .filter(guardrail -> guardrail.id().equals(evidence.guardrail()))
                .findFirst()
                .map(Guardrail::comparator)
                .orElse(Comparator.ABSOLUTE);
    }
}
