package parley.load.chaos;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import parley.load.chaos.Account.Role;
import parley.load.chaos.Account.Said;

/**
 * One conversation, judged: what its caller heard against what can be read of it afterwards.
 *
 * <p>A turn is lost when no answer to it was heard to its end and none stands in the history that the server told, when
 * the answer was one to something else, or when the transcript lacks the turn or its answer. It is doubled when two
 * answers were heard to their end, or when the transcript holds the turn, a whole answer, or a tool's result twice. An
 * answer that broke off and was begun again is neither, and its beginning is no whole answer in the transcript; it is
 * counted.
 *
 * @param turns how many the caller began
 * @param complaints everything that was wrong, in words
 * @param transcript empty when it could not be read
 */
record Judgement(
        Diary diary,
        boolean sessionLost,
        int turns,
        int lost,
        int doubled,
        int begunAgain,
        int saidAgain,
        List<String> complaints,
        List<Said> transcript) {

    /** @param account null when it could not be read */
    static Judgement of(Diary diary, @Nullable Account account) {
        return new Reader(diary).read(account);
    }

    boolean isClean() {
        return complaints.isEmpty();
    }

    private static final class Reader {
        private final Diary diary;
        private final List<String> complaints = new ArrayList<>();
        private int lost;
        private int doubled;

        Reader(Diary diary) {
            this.diary = diary;
        }

        Judgement read(@Nullable Account account) {
            var ending = diary.lost();
            if (ending != null) complaints.add("the session was lost: " + ending);
            if (diary.sessionId() == null) complaints.add("the session never began");
            if (diary.missingNumbers() > 0) complaints.add(diary.missingNumbers() + " events are missing");
            if (diary.doubledNumbers() > 0) complaints.add(diary.doubledNumbers() + " events came twice");
            var written = account == null ? null : new Written(diary, account, complaints);
            if (written == null && diary.sessionId() != null) complaints.add("its transcript cannot be read");
            for (var turn : diary.turns) judge(turn, written);
            if (account != null) money(account);
            return new Judgement(
                    diary,
                    ending != null || diary.sessionId() == null,
                    diary.turns.size(),
                    lost,
                    doubled,
                    diary.turns.stream().mapToInt(Turn::begunAgain).sum(),
                    diary.turns.stream().mapToInt(turn -> turn.again).sum(),
                    List.copyOf(complaints),
                    account == null ? List.of() : account.transcript());
        }

        private void judge(Turn turn, @Nullable Written written) {
            var missing = new ArrayList<String>();
            var twice = new ArrayList<String>();
            if (!turn.isAnswered()) missing.add("was not answered");
            if (turn.mistake != null) missing.add(turn.mistake);
            if (turn.whole() > 1) twice.add("was answered " + turn.whole() + " times");
            if (written != null) written.look(turn, missing, twice);
            if (!missing.isEmpty()) lost++;
            if (!twice.isEmpty()) doubled++;
            missing.addAll(twice);
            for (var words : missing) complaints.add("turn " + turn.number + " " + words);
        }

        /** Only where everything was heard can what was paid be compared with it. */
        private void money(Account account) {
            if (account.costUsd() <= 0 && diary.turns.stream().anyMatch(Turn::isAnswered)) {
                complaints.add("cost nothing");
            }
            boolean heardAll = diary.resumes.keySet().stream().allMatch(how -> how == Resume.RECOVERED)
                    && diary.answersLost == 0
                    && diary.turns.stream().allMatch(turn -> turn.begunAgain() == 0);
            if (heardAll && account.outputTokens() > diary.outputTokens) {
                complaints.add(
                        "paid for " + account.outputTokens() + " tokens of answers, and heard " + diary.outputTokens);
            }
        }
    }

    /** The transcript, cut at the caller's turns. */
    private static final class Written {
        private final Map<Turn, List<Said>> asked = new HashMap<>();
        private final Map<Turn, List<Said>> answered = new HashMap<>();

        Written(Diary diary, Account account, List<String> complaints) {
            Turn at = null;
            int unknown = 0;
            boolean disordered = false;
            for (var said : account.transcript()) {
                if (said.role() == Role.USER) {
                    var turn = turnOf(diary, said.itemId());
                    if (turn == null) {
                        unknown++;
                        continue;
                    }
                    disordered |= at != null && turn.number < at.number;
                    at = turn;
                    asked.computeIfAbsent(turn, each -> new ArrayList<>()).add(said);
                } else if (at != null) {
                    answered.computeIfAbsent(at, each -> new ArrayList<>()).add(said);
                }
            }
            if (unknown > 0) complaints.add("the transcript holds " + unknown + " turns that nobody said");
            if (disordered) complaints.add("the transcript is out of order");
        }

        void look(Turn turn, List<String> missing, List<String> twice) {
            var questions = asked.getOrDefault(turn, List.of());
            var answers = answered.getOrDefault(turn, List.of());
            if (questions.isEmpty()) missing.add("is not in the transcript");
            if (questions.size() > 1) twice.add("stands " + questions.size() + " times in the transcript");
            long whole = answers.stream()
                    .filter(said -> said.role() == Role.AGENT && !said.interrupted() && !turn.brokeOff(said.itemId()))
                    .count();
            if (!questions.isEmpty() && turn.isAnswered() && whole == 0) {
                missing.add("has no answer in the transcript");
            }
            if (whole > 1) twice.add("has " + whole + " answers in the transcript");
            long results = answers.stream()
                    .filter(said -> said.role() == Role.TOOL_RESULT)
                    .count();
            if (turn.kind == Turn.Kind.TOOL && turn.isAnswered() && results == 0) missing.add("has no tool's result");
            if (results > 1) twice.add("has " + results + " results of the tool");
        }

        private static @Nullable Turn turnOf(Diary diary, String itemId) {
            for (var turn : diary.turns) {
                if (turn.items.contains(itemId)) return turn;
            }
            return null;
        }
    }
}
