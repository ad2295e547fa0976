package parley.session;

import java.util.Locale;
import org.jspecify.annotations.Nullable;
import parley.session.Redactor.Found;

/** Numbers that hold letters, each with the check that its issuer gave it: IBAN, NINO, NIE, DNI, and Corsica's NIR. */
final class Ids {
    private static final int LONGEST_IBAN = 34;

    private Ids() {}

    /** What begins with this word; null when it is nothing of that kind. */
    static @Nullable Found at(String text, int at) {
        if (Chars.isDigit(text.charAt(at))) {
            int end = endOfDni(text, at);
            end = end > at ? end : endOfCorsican(text, at);
            return end > at ? new Found(at, end, "[id]") : null;
        }
        if (!Chars.isLetter(text.charAt(at))) {
            return null;
        }
        int iban = endOfIban(text, at);
        if (iban > at) {
            return new Found(at, iban, "[iban]");
        }
        int end = endOfNie(text, at);
        end = end > at ? end : endOfNino(text, at);
        return end > at ? new Found(at, end, "[id]") : null;
    }

    /** In one piece, or in groups with a space or a hyphen between them. */
    private static int endOfIban(String text, int at) {
        if (at + 4 > text.length()
                || !Chars.isLetter(text.charAt(at + 1))
                || !Chars.isDigit(text.charAt(at + 2))
                || !Chars.isDigit(text.charAt(at + 3))) {
            return at;
        }
        int length = CheckDigits.ibanLength(text.substring(at, at + 2).toUpperCase(Locale.ROOT));
        var iban = new StringBuilder(LONGEST_IBAN);
        int next = at;
        while (iban.length() < length && next < text.length()) {
            char c = text.charAt(next);
            if (c < 128 && Chars.isWord(c)) {
                iban.append(Character.toUpperCase(c));
            } else if (!isSeparator(c) || !Chars.isWordAt(text, next + 1)) {
                return at;
            }
            next++;
        }
        return length > 0 && iban.length() == length && !Chars.isWordAt(text, next) && CheckDigits.isIban(iban)
                ? next
                : at;
    }

    /** Two letters, six digits, a letter; in pairs only in capitals, because short words look like them. */
    private static int endOfNino(String text, int at) {
        if (!Chars.isDigitAt(text, at + 2) && !Chars.isDigitAt(text, at + 3)) {
            return at;
        }
        var letters = new StringBuilder(9);
        int next = at;
        boolean spaced = false;
        while (letters.length() < 9 && next < text.length()) {
            char c = text.charAt(next);
            if (c < 128 && Chars.isWord(c)) {
                letters.append(c);
            } else if (isSeparator(c) && letters.length() % 2 == 0 && Chars.isWordAt(text, next + 1)) {
                spaced = true;
            } else {
                return at;
            }
            next++;
        }
        if (letters.length() < 9 || Chars.isWordAt(text, next)) {
            return at;
        }
        var nino = letters.toString().toUpperCase(Locale.ROOT);
        boolean capital = nino.contentEquals(letters);
        return (capital || !spaced) && isNino(nino) ? next : at;
    }

    private static boolean isNino(String nino) {
        var prefix = nino.substring(0, 2);
        for (int i = 2; i < 8; i++) {
            if (!Chars.isDigit(nino.charAt(i))) {
                return false;
            }
        }
        return Chars.isLetter(nino.charAt(0))
                && Chars.isLetter(nino.charAt(1))
                && "DFIQUV".indexOf(nino.charAt(0)) < 0
                && "DFIOQUV".indexOf(nino.charAt(1)) < 0
                && !"BG GB KN NK NT TN ZZ".contains(prefix)
                && "ABCD".indexOf(nino.charAt(8)) >= 0;
    }

    /** X, Y or Z, seven digits, and the letter that they check to. */
    private static int endOfNie(String text, int at) {
        int prefix = "XYZ".indexOf(Character.toUpperCase(text.charAt(at)));
        int digits = at + 1 < text.length() && isSeparator(text.charAt(at + 1)) ? at + 2 : at + 1;
        return prefix >= 0 && Chars.endOfDigits(text, digits) == digits + 7
                ? endOfLetter(text, at, digits + 7, number(text, digits, digits + 7, prefix))
                : at;
    }

    /** Eight digits, with or without dots, and the letter that they check to. */
    private static int endOfDni(String text, int at) {
        int end = Chars.endOfDigits(text, at);
        if (end - at == 2
                && end < text.length()
                && text.charAt(end) == '.'
                && Chars.endOfDigits(text, end + 1) == end + 4
                && end + 4 < text.length()
                && text.charAt(end + 4) == '.'
                && Chars.endOfDigits(text, end + 5) == end + 8) {
            int millions = number(text, at, end, 0);
            return endOfLetter(
                    text, at, end + 8, number(text, end + 5, end + 8, number(text, end + 1, end + 4, millions)));
        }
        return end - at == 8 ? endOfLetter(text, at, end, number(text, at, end, 0)) : at;
    }

    private static int endOfLetter(String text, int at, int digitsEnd, int number) {
        int letter = digitsEnd < text.length() && isSeparator(text.charAt(digitsEnd)) ? digitsEnd + 1 : digitsEnd;
        return letter < text.length()
                        && Character.toUpperCase(text.charAt(letter)) == CheckDigits.dniLetter(number)
                        && !Chars.isWordAt(text, letter + 1)
                ? letter + 1
                : at;
    }

    /** Sex, year, month, 2A or 2B, commune, order and key; what has digits alone is a {@link NumberRun}. */
    private static int endOfCorsican(String text, int at) {
        var nir = new StringBuilder(15);
        int next = at;
        while (nir.length() < 15 && next < text.length()) {
            char c = Character.toUpperCase(text.charAt(next));
            if ((c >= '0' && c <= '9') || ((c == 'A' || c == 'B') && nir.length() == 6 && nir.charAt(5) == '2')) {
                nir.append(c);
            } else if (!isSeparator(c) || !Chars.isWordAt(text, next + 1)) {
                return at;
            }
            next++;
        }
        return nir.length() == 15
                        && Chars.isLetter(nir.charAt(6))
                        && !Chars.isWordAt(text, next)
                        && CheckDigits.isNir(nir.substring(0, 13), Integer.parseInt(nir.substring(13)))
                ? next
                : at;
    }

    private static int number(String text, int from, int to, int before) {
        int number = before;
        for (int at = from; at < to; at++) {
            number = number * 10 + Character.digit(text.charAt(at), 10);
        }
        return number;
    }

    private static boolean isSeparator(char c) {
        return Chars.isSpace(c) || Chars.isHyphen(c) || c == '.';
    }
}
