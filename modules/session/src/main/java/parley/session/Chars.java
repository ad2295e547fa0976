package parley.session;

/** Where words begin and end, for the {@link Redactor}. */
final class Chars {
    /** From here on scripts are written without spaces between a word and a number. */
    private static final char IDEOGRAPHS = '\u2e80';

    private Chars() {}

    /** Whether it is part of a word: a letter, a digit, an accent. */
    static boolean isWord(char c) {
        if (c < 128) {
            return (c >= '0' && c <= '9') || isLetter(c);
        }
        return Character.isDigit(c)
                || (c < IDEOGRAPHS && (Character.isLetter(c) || Character.getType(c) == Character.NON_SPACING_MARK));
    }

    static boolean isLetter(char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    }

    static boolean isDigit(char c) {
        return c < 128 ? c >= '0' && c <= '9' : Character.isDigit(c);
    }

    static boolean isSpace(char c) {
        return c == ' ' || (c >= '\t' && c <= '\r') || c == '\u00a0' || c == '\u2009' || c == '\u202f';
    }

    static boolean isHyphen(char c) {
        return c == '-' || (c >= '\u2010' && c <= '\u2014');
    }

    static boolean isDigitAt(CharSequence text, int at) {
        return at >= 0 && at < text.length() && isDigit(text.charAt(at));
    }

    static boolean isWordAt(CharSequence text, int at) {
        return at >= 0 && at < text.length() && isWord(text.charAt(at));
    }

    static int endOfWord(CharSequence text, int at) {
        int end = at;
        while (isWordAt(text, end)) {
            end++;
        }
        return end;
    }

    static int endOfDigits(CharSequence text, int at) {
        int end = at;
        while (isDigitAt(text, end)) {
            end++;
        }
        return end;
    }

    /** Of an escape in JSON or source: its letter belongs to no word. */
    static int escapeLength(CharSequence text, int at) {
        char next = at + 1 < text.length() ? text.charAt(at + 1) : ' ';
        return "nrtbf".indexOf(next) >= 0 ? 2 : 1;
    }
}
