package parley.session;

import org.jspecify.annotations.Nullable;

/**
 * Takes out of a text what tells who somebody is or what they pay with, and puts a token in its place.
 *
 * <table>
 * <caption>What is taken out</caption>
 * <tr><td>{@code [email]}</td><td>e-mail addresses</td></tr>
 * <tr><td>{@code [card]}</td><td>13 to 19 digits in any grouping, with Luhn's check digit</td></tr>
 * <tr><td>{@code [iban]}</td><td>a country of the IBAN registry, its length, modulo 97</td></tr>
 * <tr><td>{@code [id]}</td><td>US SSN, German Steuer-ID, British NINO, Spanish DNI and NIE, French NIR, with their check
 *     digits where they have one</td></tr>
 * <tr><td>{@code [phone]}</td><td>7 to 15 digits that look like a telephone number</td></tr>
 * <tr><td>{@code [digits]}</td><td>any other 7 digits in a row; spoken ones in English, German, Spanish and French, digit
 *     by digit or in pairs, "oh" and "double seven" included</td></tr>
 * </table>
 *
 * <p>Digits are in a row when nothing but spaces, hyphens, dots, slashes, brackets, or a speaker's "uh" lies between them.
 * Left in place: fewer than 7 digits, dates and times, years, versions, decimals, prices, sizes, addresses of the network
 * and of nodes, pseudonyms of callers, and words that mix letters and digits. So a telephone number without its prefix
 * may stay, and a number that means nobody may go: in doubt it goes.
 *
 * <p>A row of digits is taken out whole or left whole, and what is decided of a text looks only at what follows. That makes
 * it idempotent: what was redacted stays as it is. Linear in the text's length; knows no line ends, so that a whole
 * transcript is one text. Pure, thread-safe.
 */
public final class Redactor {
    private Redactor() {}

    /** The text without such things; the same object when there were none. */
    public static String redact(String text) {
        return numbers(Emails.redact(text), false);
    }

    /**
     * The same of a text that is going on. A number at its end may become longer, so three digits are enough there; an
     * address may get its end, so a word with an at sign is.
     */
    static String redactBeginning(String text) {
        return numbers(Emails.redactBeginning(text), true);
    }

    private static String numbers(String text, boolean goesOn) {
        StringBuilder redacted = null;
        int copied = 0;
        int at = 0;
        while (at < text.length()) {
            if (!Chars.isWord(text.charAt(at))) {
                at += text.charAt(at) == '\\' ? Chars.escapeLength(text, at) : 1;
                continue;
            }
            int harmless = Harmless.end(text, at);
            if (harmless > at) {
                at = harmless;
                continue;
            }
            var found = find(text, at, goesOn);
            if (found == null) {
                at = Chars.endOfWord(text, at);
                continue;
            }
            if (found.token() != null) {
                redacted = redacted == null ? new StringBuilder(text.length()) : redacted;
                redacted.append(text, copied, Math.max(copied, found.start())).append(found.token());
                copied = found.end();
            }
            at = found.end();
        }
        return redacted == null
                ? text
                : redacted.append(text, copied, text.length()).toString();
    }

    private static @Nullable Found find(String text, int at, boolean goesOn) {
        var id = Ids.at(text, at);
        return id != null ? id : NumberRun.at(text, at, goesOn);
    }

    /**
     * Something from {@code start} to {@code end}.
     *
     * @param token what takes its place; null: it stays
     */
    record Found(int start, int end, @Nullable String token) {}
}
