package parley.provider.simulator;

import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;

/** A text in pieces, which together are the text again. */
final class Words {

    private static final Pattern WORD = Pattern.compile("\\s*\\S+\\s*$|\\s*\\S+");
    private static final Pattern SENTENCE = Pattern.compile(".*?[.!?](?=\\s|$)\\s*|.+$", Pattern.DOTALL);
    private static final int CHARACTERS_PER_TOKEN = 4;

    private Words() {}

    /** Words with the space before them, as many as the tokens allow; at least one. */
    static List<String> within(String text, long tokens) {
        var words = split(WORD, text);
        long characters = 0;
        int fit = 0;
        for (; fit < words.size(); fit++) {
            characters += words.get(fit).length();
            if (characters > tokens * CHARACTERS_PER_TOKEN) break;
        }
        return List.copyOf(words.subList(0, Math.min(words.size(), Math.max(1, fit))));
    }

    /** Words with the space before them. */
    static List<String> of(String text) {
        return split(WORD, text);
    }

    /** Sentences with the space behind them; what is not ended by a mark is one too. */
    static List<String> sentences(String text) {
        return split(SENTENCE, text);
    }

    /** The text as far as the tokens allow. */
    static String cut(String text, long tokens) {
        return tokens * CHARACTERS_PER_TOKEN < text.length()
                ? text.substring(0, (int) (tokens * CHARACTERS_PER_TOKEN))
                : text;
    }

    private static List<String> split(Pattern piece, String text) {
        var pieces = new ArrayList<String>();
        var matcher = piece.matcher(text);
        while (matcher.find()) pieces.add(matcher.group());
        return pieces;
    }
}
