package parley.admission;

import java.time.Duration;
import java.time.Instant;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;
import parley.admission.QuotaEvent.GivenBack;
import parley.admission.QuotaEvent.Taken;

/**
 * The sessions that a user was granted within the hour before the last one. Pure: no clock, no actor, no I/O. No longer than
 * the number of sessions that an hour allows.
 *
 * @param taken the oldest first
 */
record LastHour(List<Taken> taken) implements CborSerializable {
    static final LastHour EMPTY = new LastHour(List.of());

    private static final Duration HOUR = Duration.ofHours(1);

    LastHour {
        taken = List.copyOf(taken);
    }

    LastHour after(QuotaEvent event) {
        return switch (event) {
            case Taken e ->
                new LastHour(Stream.concat(within(e.at()), Stream.of(e))
                        .sorted(Comparator.comparing(Taken::at))
                        .toList());
            case GivenBack e ->
                new LastHour(taken.stream()
                        .filter(one -> !one.session().equals(e.session()))
                        .toList());
        };
    }

    boolean has(String session) {
        return taken.stream().anyMatch(one -> one.session().equals(session));
    }

    /** How long until another session may begin; zero: at once. */
    Duration untilNext(int perHour, Instant now) {
        var counted = within(now).toList();
        return counted.size() < perHour
                ? Duration.ZERO
                : Duration.between(
                        now, counted.get(counted.size() - perHour).at().plus(HOUR));
    }

    private Stream<Taken> within(Instant now) {
        return taken.stream().filter(one -> one.at().plus(HOUR).isAfter(now));
    }
}
