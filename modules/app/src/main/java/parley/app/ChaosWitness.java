package parley.app;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalLong;
import java.util.stream.Collectors;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import parley.load.chaos.Conversations.Asked;
import parley.provider.simulator.ConnectionStory;
import parley.provider.simulator.ConnectionStory.Heard;
import parley.provider.simulator.ConnectionStory.Moment;

/**
 * What the provider saw of the callers: whether two connections worked for one of them at the same time, and whether a
 * spoken turn was answered twice.
 *
 * <p>A connection works from its first audio or response to its last. One that is prepared and silent does not.
 *
 * @param twoUpstreams pairs of connections that worked at the same time
 * @param complaints in words; the first few
 */
record ChaosWitness(int twoUpstreams, List<String> complaints) {
    private static final int MOST_COMPLAINTS = 20;
    /** How late things are noticed here: two connections that overlap by less follow each other. */
    private static final Duration GRACE = Duration.ofMillis(300);
    /** Pitches of turns are further apart. */
    private static final int HERTZ = 10;

    ChaosWitness {
        complaints = List.copyOf(complaints);
    }

    /** @param stories of these callers, and perhaps of others */
    static ChaosWitness of(List<ConnectionStory> stories, List<Asked> everyTurn) {
        var callers = new HashMap<String, Integer>();
        for (var asked : everyTurn) {
            asked.items().forEach(item -> callers.put(item, asked.caller()));
        }
        var turns = everyTurn.stream().collect(Collectors.groupingBy(Asked::caller));
        var complaints = new ArrayList<String>();
        int two = 0;
        for (var one : stories.stream()
                .collect(Collectors.groupingBy(ConnectionStory::caller))
                .values()) {
            var caller = callerOf(one, callers);
            if (caller.isEmpty()) {
                continue;
            }
            int number = (int) caller.getAsLong();
            two += overlaps(one, number, complaints);
            answeredTwice(one, turns.getOrDefault(number, List.of()), number, complaints);
        }
        return new ChaosWitness(two, complaints.stream().limit(MOST_COMPLAINTS).toList());
    }

    /** Known by any item that both sides have seen. */
    private static OptionalLong callerOf(Collection<ConnectionStory> stories, Map<String, Integer> callers) {
        return stories.stream()
                .flatMap(story -> Stream.concat(
                        story.turns().stream().map(Heard::itemId),
                        story.items().stream().map(ConnectionStory.Given::itemId)))
                .filter(callers::containsKey)
                .mapToLong(callers::get)
                .findFirst();
    }

    private static int overlaps(List<ConnectionStory> stories, int caller, List<String> complaints) {
        int overlaps = 0;
        for (int i = 0; i < stories.size(); i++) {
            for (int j = i + 1; j < stories.size(); j++) {
                var one = work(stories.get(i));
                var other = work(stories.get(j));
                long both = Math.min(one.to(), other.to()) - Math.max(one.from(), other.from());
                if (both > GRACE.toNanos()) {
                    overlaps++;
                    complaints.add(String.format(
                            Locale.ROOT, "caller %d: two connections worked at once, for %.1f s", caller, both / 1e9));
                }
            }
        }
        return overlaps;
    }

    /** Times of {@link System#nanoTime}; empty when {@code to} is before {@code from}. */
    private record Work(long from, long to) {}

    private static Work work(ConnectionStory story) {
        long opened = story.opened().nanos();
        var audio = Stream.ofNullable(story.firstAudio()).map(Moment::nanos);
        var lastAudio = Stream.ofNullable(story.lastAudio()).map(Moment::nanos);
        var created = story.responses().stream().map(each -> each.created().nanos());
        var done = story.responses().stream()
                .flatMap(each -> Stream.ofNullable(each.done()))
                .map(Moment::nanos);
        var starts =
                Stream.concat(audio, created).mapToLong(nanos -> nanos - opened).min();
        var ends = Stream.concat(lastAudio, done)
                .mapToLong(nanos -> nanos - opened)
                .max();
        if (starts.isEmpty() || ends.isEmpty()) {
            return new Work(opened, opened - 1);
        }
        long end = LongStream.concat(
                        LongStream.of(ends.getAsLong()),
                        Stream.concat(Stream.ofNullable(story.frozen()), Stream.ofNullable(story.closed()))
                                .mapToLong(moment -> moment.nanos() - opened))
                .min()
                .getAsLong();
        return new Work(opened + starts.getAsLong(), opened + end);
    }

    private static void answeredTwice(
            List<ConnectionStory> stories, List<Asked> turns, int caller, List<String> complaints) {
        turns.stream()
                .filter(asked -> asked.hertz() > 0)
                .collect(Collectors.groupingBy(Asked::hertz))
                .forEach((hertz, those) -> {
                    long answered = stories.stream()
                            .mapToLong(story -> story.turns().stream()
                                    .filter(heard -> Math.abs(heard.hertz() - hertz) <= HERTZ)
                                    .filter(heard -> isAnswered(story, heard))
                                    .count())
                            .sum();
                    if (answered > those.size()) {
                        complaints.add("caller " + caller + ": turn "
                                + those.getFirst().turn() + " was answered " + answered + " times by the provider");
                    }
                });
    }

    private static boolean isAnswered(ConnectionStory story, Heard heard) {
        return story.responses().stream()
                .anyMatch(each -> "completed".equals(each.status())
                        && each.created().nanos() - heard.at().nanos() >= 0);
    }
}
