package parley.load.chaos;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.function.ToIntFunction;
import org.HdrHistogram.Histogram;

/**
 * What a run found out, as plain figures.
 *
 * @param sessionsLost sessions that ended although nobody hung up, or never began
 * @param answersBegunAgain answers that broke off and that another one followed
 * @param turnsSaidAgain turns that callers had to repeat
 * @param talk the pause until the next sign, of callers whose turn a fault fell in
 * @param probe the longest time that a session did not answer its ping, of all callers; none on the strict face
 * @param seating from dialling again until the session was there
 * @param resumes by what the server said, in lower case
 * @param moves resumes that were made before the old connection broke
 * @param trouble ends of sockets that callers came back from, and errors that they heard
 * @param stories of sessions that something was wrong with, for people; the first few
 */
public record Findings(
        int sessions,
        int sessionsLost,
        int turns,
        int turnsLost,
        int turnsDoubled,
        int answersBegunAgain,
        int turnsSaidAgain,
        int sessionsWithComplaints,
        Pause talk,
        Pause probe,
        Pause seating,
        Map<String, Integer> resumes,
        int moves,
        Map<String, Integer> trouble,
        List<String> stories) {

    private static final int MOST_STORIES = 5;
    private static final long LONGEST_PAUSE = TimeUnit.HOURS.toMicros(1);

    /** In milliseconds. */
    public record Pause(long count, double p50, double p99, double max) {
        static Pause of(List<Long> nanos) {
            var micros = new Histogram(LONGEST_PAUSE, 3);
            nanos.forEach(each -> micros.recordValue(Math.clamp(each / 1000, 0, LONGEST_PAUSE)));
            return new Pause(
                    micros.getTotalCount(),
                    micros.getValueAtPercentile(50) / 1000.0,
                    micros.getValueAtPercentile(99) / 1000.0,
                    micros.getMaxValue() / 1000.0);
        }
    }

    static Findings of(List<Judgement> judgements) {
        var resumes = new TreeMap<String, Integer>();
        var trouble = new TreeMap<String, Integer>();
        var talk = new ArrayList<Long>();
        var probe = new ArrayList<Long>();
        var seating = new ArrayList<Long>();
        for (var judgement : judgements) {
            var diary = judgement.diary();
            diary.resumes.forEach(
                    (how, count) -> resumes.merge(how.name().toLowerCase(java.util.Locale.ROOT), count, Integer::sum));
            diary.trouble.forEach((what, count) -> trouble.merge(what, count, Integer::sum));
            talk.addAll(diary.pauses.talk());
            probe.addAll(diary.pauses.probe());
            seating.addAll(diary.seatings);
        }
        var wrong = judgements.stream().filter(each -> !each.isClean()).toList();
        return new Findings(
                judgements.size(),
                (int) judgements.stream().filter(Judgement::sessionLost).count(),
                sum(judgements, Judgement::turns),
                sum(judgements, Judgement::lost),
                sum(judgements, Judgement::doubled),
                sum(judgements, Judgement::begunAgain),
                sum(judgements, Judgement::saidAgain),
                wrong.size(),
                Pause.of(talk),
                Pause.of(probe),
                Pause.of(seating),
                resumes,
                sum(judgements, judgement -> judgement.diary().moves()),
                trouble,
                wrong.stream().limit(MOST_STORIES).map(Findings::story).toList());
    }

    /** Whether every session went on and every turn was answered once. */
    public boolean clean() {
        return sessionsWithComplaints == 0;
    }

    private static String story(Judgement judgement) {
        var diary = judgement.diary();
        var text = new StringBuilder("caller " + diary.caller + ", session " + diary.sessionId() + "\n");
        judgement
                .complaints()
                .forEach(complaint -> text.append("  ! ").append(complaint).append('\n'));
        diary.notes().forEach(note -> text.append("  ").append(note).append('\n'));
        diary.turns.forEach(turn -> text.append("  heard: ").append(turn).append('\n'));
        judgement
                .transcript()
                .forEach(said -> text.append("  read:  ").append(said).append('\n'));
        return text.toString();
    }

    private static int sum(List<Judgement> judgements, ToIntFunction<Judgement> figure) {
        return judgements.stream().mapToInt(figure).sum();
    }
}
