package parley.load.chaos;

import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** One turn of a caller, and what came of it. Confined to the caller's event loop until the caller has hung up. */
final class Turn {

    /** How the caller asks. */
    enum Kind {
        /** By a tone. */
        SPOKEN,
        /** In writing, for words to be said exactly. */
        TYPED,
        /** In writing, so that the model calls a tool of the server. */
        TOOL
    }

    /** A response that was heard of. */
    static final class Answer {
        /** {@code completed}, {@code failed}, {@code cancelled}, {@code incomplete}; empty while it runs. */
        String status = "";
        /** How much of the agent's voice came. */
        double heardMillis;
        /** Under which it enters the conversation. */
        final Set<String> items = new LinkedHashSet<>();
        /** Whether it says something, as opposed to calling a tool. */
        boolean speaks;

        boolean isWhole() {
            return status.equals("completed") && speaks;
        }

        @Override
        public String toString() {
            return (status.isEmpty() ? "unfinished" : status) + " " + (long) heardMillis + " ms";
        }

        boolean isCut() {
            return status.isEmpty() ? heardMillis > 0 : !status.equals("completed");
        }
    }

    final int number;
    final Kind kind;
    /** The items that the server made of it: more than one when it was said again. */
    final Set<String> items = new LinkedHashSet<>();

    private final Map<String, Answer> answers = new LinkedHashMap<>();
    /** How often it was said again. */
    int again;
    /** Whether its answer was only to be read afterwards, in the history. */
    boolean answeredInHistory;
    /** A fault of the answer itself, such as words of another turn. */
    @Nullable
    String mistake;

    Turn(int number, Kind kind) {
        this.number = number;
        this.kind = kind;
    }

    Answer answer(String responseId) {
        return answers.computeIfAbsent(responseId, id -> new Answer());
    }

    boolean hasAnswer(String responseId) {
        return answers.containsKey(responseId);
    }

    /** Whether an answer began and did not come to its end. */
    boolean brokeOff() {
        return answers.values().stream().anyMatch(answer -> !answer.status.equals("completed"));
    }

    boolean isAnswered() {
        return whole() > 0 || answeredInHistory;
    }

    /** Answers that were heard to their end. */
    int whole() {
        return (int) answers.values().stream().filter(Answer::isWhole).count();
    }

    /** Answers that broke off, and that another one followed, live or in the history. */
    int begunAgain() {
        return isAnswered()
                ? (int) answers.values().stream().filter(Answer::isCut).count()
                : 0;
    }

    /** Whether this item of the agent is one that broke off. */
    boolean brokeOff(String itemId) {
        return answers.values().stream().anyMatch(answer -> answer.isCut() && answer.items.contains(itemId));
    }

    /** What a caller writes for it. */
    String words(int caller) {
        return switch (kind) {
            case SPOKEN -> "";
            case TYPED -> "say exactly: " + answerWords(caller);
            case TOOL -> "caller " + caller + ", turn " + number + ": please use current_time";
        };
    }

    /** What the answer to a written turn holds. */
    String answerWords(int caller) {
        return kind == Kind.TYPED ? "this is for caller " + caller + " in turn " + number + " and for nobody else" : "";
    }

    /** For people. */
    @Override
    public String toString() {
        return "turn " + number + " " + kind.name().toLowerCase(Locale.ROOT) + " " + items + ", answers "
                + answers.values();
    }
}
