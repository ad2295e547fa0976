package parley.session;

import org.jspecify.annotations.Nullable;
import parley.session.Redactor.Found;

/** E-mail addresses as people write them: no quotes, no comments, a domain with a dot and letters at its end. */
final class Emails {
    private static final String TOKEN = "[email]";
    /** The addresses of nodes look like those of people. */
    private static final String NODE = "pekko://";

    private Emails() {}

    static String redact(String text) {
        return redact(text, false);
    }

    static String redactBeginning(String text) {
        return redact(text, true);
    }

    private static String redact(String text, boolean goesOn) {
        int sign = text.indexOf('@');
        if (sign < 0) {
            return text;
        }
        StringBuilder redacted = null;
        int copied = 0;
        int from = 0;
        while (sign >= 0) {
            var found = at(text, from, sign, goesOn);
            from = sign + 1;
            if (found != null) {
                redacted = redacted == null ? new StringBuilder(text.length()) : redacted;
                redacted.append(text, copied, found.start()).append(TOKEN);
                copied = found.end();
                from = found.end();
            }
            sign = text.indexOf('@', from);
        }
        return redacted == null
                ? text
                : redacted.append(text, copied, text.length()).toString();
    }

    private static @Nullable Found at(String text, int from, int sign, boolean goesOn) {
        int start = sign;
        while (start > from && isLocal(text.charAt(start - 1))) {
            start--;
        }
        // The letter of an escape: it begins no address, and to leave it in place keeps the text readable.
        if (start > 0
                && start < sign - 1
                && text.charAt(start - 1) == '\\'
                && Chars.escapeLength(text, start - 1) == 2) {
            start++;
        }
        int reach = sign + 1;
        while (reach < text.length() && isDomain(text.charAt(reach))) {
            reach++;
        }
        int end = goesOn && reach == text.length() ? reach : endOfDomain(text, sign + 1, reach);
        return start == sign
                        || end < 0
                        || (start - NODE.length() >= from && text.startsWith(NODE, start - NODE.length()))
                ? null
                : new Found(start, end, TOKEN);
    }

    /** Behind the last dot with a top-level domain: what follows it is not of the address. Below 0 without one. */
    private static int endOfDomain(String text, int from, int to) {
        int labelEnd = to;
        for (int dot = to - 1; dot > from; dot--) {
            if (text.charAt(dot) == '.') {
                int end = endOfTopLevel(text, dot + 1, labelEnd);
                if (end > 0) {
                    return end;
                }
                labelEnd = dot;
            }
        }
        return -1;
    }

    private static int endOfTopLevel(String text, int from, int to) {
        int end = from;
        while (end < to && Character.isLetter(text.charAt(end))) {
            end++;
        }
        return text.startsWith("xn--", from) ? to : end - from >= 2 ? end : -1;
    }

    private static boolean isLocal(char c) {
        return Character.isLetterOrDigit(c) || "._%+-'".indexOf(c) >= 0;
    }

    private static boolean isDomain(char c) {
        return Character.isLetterOrDigit(c) || c == '.' || c == '-';
    }
}
