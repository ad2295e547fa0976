package parley.session;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import parley.session.Redactor.Found;

/**
 * Digits in a row, written or spoken, and what they probably are.
 *
 * <p>A run is as long as it can be: groups of digits and words of numbers, and between them what people put between the
 * parts of one number. It is judged as a whole: one secret in it hides it all, so that nothing that is left can become
 * another run.
 */
final class NumberRun {
    private static final int SECRET = 7;
    /** Of a text that goes on, at its end. */
    private static final int BEGUN_SECRET = 3;

    private static final int LONGEST_PHONE = 15;
    private static final int SHORTEST_CARD = 13;
    private static final int LONGEST_CARD = 19;
    private static final int LONGEST_GAP = 5;

    /** Words behind a number that say that it counts something. */
    private static final Set<String> MEASURES = Set.of(
            "eur", "euro", "euros", "usd", "dollar", "dollars", "gbp", "pound", "pounds", "chf", "franken", "cent",
            "cents", "bytes", "byte", "kb", "mb", "kib", "mib", "ms", "ns", "us", "percent", "prozent");

    private enum Gap {
        /** Between the parts of one number. */
        TIGHT,
        /** A comma or a full stop: the number may go on, or be another one. */
        PAUSE
    }

    /** @param before the gap in front of it, which the first has as well */
    private record Part(int start, int end, String digits, boolean spoken, Gap before) {}

    private record Next(int start, Gap gap) {}

    private final String text;
    private final boolean goesOn;
    private final List<Part> parts = new ArrayList<>();
    private final StringBuilder digits = new StringBuilder();

    private NumberRun(String text, boolean goesOn) {
        this.text = text;
        this.goesOn = goesOn;
    }

    /** The run that begins with this word; null when the word is no number. */
    static @Nullable Found at(String text, int at, boolean goesOn) {
        if (!Chars.isDigit(text.charAt(at)) && !NumberWords.mayCount(text, at, Chars.endOfWord(text, at))) {
            return null;
        }
        var run = new NumberRun(text, goesOn);
        return run.read(at) ? new Found(run.start(), run.end(), run.token()) : null;
    }

    // ---- reading

    private boolean read(int at) {
        var part = part(at, Gap.TIGHT);
        while (part != null) {
            add(part);
            var next = next(part);
            part = next == null ? null : part(next.start(), next.gap());
        }
        parts.forEach(known -> digits.append(known.digits()));
        return !parts.isEmpty();
    }

    private void add(Part part) {
        var before = parts.isEmpty() ? null : parts.getLast();
        var together = before != null && before.spoken() && part.spoken()
                ? NumberWords.together(before.digits(), folded(part.start(), part.end()), part.digits())
                : null;
        if (before != null && together != null) {
            parts.set(parts.size() - 1, new Part(before.start(), part.end(), together, true, before.before()));
        } else {
            parts.add(part);
        }
    }

    private @Nullable Part part(int at, Gap gap) {
        if (!parts.isEmpty() && isSomethingElse(at)) {
            return null;
        }
        int from = !parts.isEmpty() && isExtension(at) ? at + 1 : at;
        if (!Chars.isDigitAt(text, from)) {
            return word(at, gap);
        }
        int end = Chars.endOfDigits(text, from);
        return Chars.isWordAt(text, end) && !isExtension(end) ? null : new Part(at, end, ascii(from, end), false, gap);
    }

    /** What is known for itself, behind a number, is no part of it. */
    private boolean isSomethingElse(int at) {
        return Chars.isDigitAt(text, at) && (Harmless.end(text, at) > at || Ids.at(text, at) != null);
    }

    private boolean isExtension(int at) {
        return at < text.length() && Character.toLowerCase(text.charAt(at)) == 'x' && Chars.isDigitAt(text, at + 1);
    }

    private @Nullable Part word(int at, Gap gap) {
        int end = Chars.endOfWord(text, at);
        var word = folded(at, end);
        var number = NumberWords.digits(word);
        if (number != null) {
            return new Part(at, end, number, true, gap);
        }
        int times = NumberWords.times(word);
        int next = times > 0 ? skipGap(end) : end;
        if (next == end) {
            return null;
        }
        int nextEnd = Chars.endOfWord(text, next);
        var repeated = Chars.endOfDigits(text, next) == nextEnd && nextEnd == next + 1
                ? ascii(next, nextEnd)
                : NumberWords.digits(folded(next, nextEnd));
        return repeated == null || repeated.length() != 1
                ? null
                : new Part(at, nextEnd, repeated.repeat(times), true, gap);
    }

    /** Where the run may go on; a speaker's pauses in between do not count. */
    private @Nullable Next next(Part part) {
        int from = part.end();
        if (!part.spoken() && isExtension(from)) {
            return new Next(from, Gap.TIGHT);
        }
        int start = skipGap(from);
        var gap = gap(from, start);
        for (int pauses = 0; pauses < 2 && start > from && !Chars.isDigitAt(text, start); pauses++) {
            int end = Chars.endOfWord(text, start);
            var word = folded(start, end);
            boolean and = part.spoken() && part.digits().endsWith("0") && NumberWords.isAnd(word);
            if (!NumberWords.isPause(word) && !and) {
                break;
            }
            int next = skipGap(end);
            if (next == end) {
                return null;
            }
            start = next;
            gap = Gap.TIGHT;
        }
        if (start == from) {
            return null;
        }
        boolean spoken = part.spoken() || !(Chars.isDigitAt(text, start) || isExtension(start));
        return spoken ? new Next(start, Gap.TIGHT) : gap == null ? null : new Next(start, gap);
    }

    /** The next word, if nothing but a gap lies before it; {@code from} otherwise. */
    private int skipGap(int from) {
        int at = from;
        while (at < text.length() && at - from <= LONGEST_GAP && !Chars.isWord(text.charAt(at))) {
            char c = text.charAt(at);
            if (!Chars.isSpace(c) && !Chars.isHyphen(c) && "()./,;…".indexOf(c) < 0) {
                return from;
            }
            at++;
        }
        return at - from <= LONGEST_GAP && Chars.isWordAt(text, at) ? at : from;
    }

    /** Between two groups of written digits; null when they cannot be of one number. */
    private @Nullable Gap gap(int from, int to) {
        boolean pause = false;
        boolean spaced = false;
        for (int at = from; at < to; at++) {
            char c = text.charAt(at);
            pause |= c == ',' || c == ';' || c == '…' || (c == '.' && to - from > 1);
            spaced |= Chars.isSpace(c);
        }
        // A comma without a space is in the middle of an amount.
        return !pause ? Gap.TIGHT : spaced ? Gap.PAUSE : null;
    }

    private String folded(int from, int to) {
        return NumberWords.folded(text, from, to);
    }

    private String ascii(int from, int to) {
        var ascii = new StringBuilder(to - from);
        for (int at = from; at < to; at++) {
            ascii.append((char) ('0' + Character.digit(text.charAt(at), 10)));
        }
        return ascii.toString();
    }

    // ---- where it is

    /** With the plus and the bracket in front of it. */
    private int start() {
        int start = parts.getFirst().start();
        start = hasPlus() ? start - 1 : start;
        return start > 0
                        && text.charAt(start - 1) == '('
                        && text.substring(start, end()).indexOf(')') >= 0
                ? start - 1
                : start;
    }

    private int end() {
        return parts.getLast().end();
    }

    private boolean hasPlus() {
        int start = parts.getFirst().start();
        return start > 0 && text.charAt(start - 1) == '+';
    }

    // ---- what it is

    private @Nullable String token() {
        if (goesOn && digits.length() >= BEGUN_SECRET && isAtEnd()) {
            return "[digits]";
        }
        if (digits.length() < SECRET) {
            return null;
        }
        if (hasCard()) {
            return "[card]";
        }
        if (hasId()) {
            return "[id]";
        }
        return isSecret() || isSpelled() ? label() : null;
    }

    private boolean isAtEnd() {
        int at = end();
        while (at < text.length() && !Chars.isWord(text.charAt(at))) {
            at++;
        }
        return at == text.length();
    }

    /** Some parts that follow each other are the number of a card, as the industry's first digits go. */
    private boolean hasCard() {
        int from = 0;
        for (int first = 0; first < parts.size(); first++) {
            int to = from;
            for (int last = first; last < parts.size() && to - from < LONGEST_CARD; last++) {
                to += parts.get(last).digits().length();
                if (to - from >= SHORTEST_CARD
                        && to - from <= LONGEST_CARD
                        && digits.charAt(from) >= '2'
                        && digits.charAt(from) <= '6'
                        && CheckDigits.isLuhn(digits, from, to)) {
                    return true;
                }
            }
            from += parts.get(first).digits().length();
        }
        return false;
    }

    private boolean hasId() {
        for (int at = 0; at + 2 < parts.size(); at++) {
            var area = parts.get(at).digits();
            var group = parts.get(at + 1).digits();
            var serial = parts.get(at + 2).digits();
            if (area.length() == 3
                    && group.length() == 2
                    && serial.length() == 4
                    && CheckDigits.isSsn(area, group, serial)) {
                return true;
            }
        }
        boolean german = digits.length() == 11 && !hasPlus() && CheckDigits.isSteuerId(digits);
        boolean french = digits.length() == 15
                && "12".indexOf(digits.charAt(0)) >= 0
                && CheckDigits.isNir(digits.substring(0, 13), Integer.parseInt(digits.substring(13)));
        return german || french;
    }

    /** Seven digits one by one, whatever is between them. */
    private boolean isSpelled() {
        int inARow = 0;
        for (var part : parts) {
            inARow = part.digits().length() == 1 ? inARow + 1 : 0;
            if (inARow == SECRET) {
                return true;
            }
        }
        return false;
    }

    private boolean isSecret() {
        int from = 0;
        for (int to = 1; to <= parts.size(); to++) {
            if (to == parts.size() || parts.get(to).before() == Gap.PAUSE) {
                if (isSecret(parts.subList(from, to))) {
                    return true;
                }
                from = to;
            }
        }
        return false;
    }

    private boolean isSecret(List<Part> number) {
        int length = number.stream().mapToInt(part -> part.digits().length()).sum();
        return length >= SECRET && (number.stream().anyMatch(Part::spoken) || !isHarmless(number));
    }

    private boolean isHarmless(List<Part> number) {
        var first = number.getFirst();
        boolean plus = first.start() > 0 && text.charAt(first.start() - 1) == '+';
        boolean prefixed =
                plus || (first.digits().charAt(0) == '0' && first.digits().length() > 1);
        return !prefixed && (isDotted(number) || isYears(number) || isAmount(number));
    }

    /** A decimal, a version, an address of the network, or a number with dots for its thousands. */
    private boolean isDotted(List<Part> number) {
        for (int at = 1; at < number.size(); at++) {
            if (number.get(at).start() - number.get(at - 1).end() != 1
                    || text.charAt(number.get(at).start() - 1) != '.') {
                return false;
            }
        }
        return number.size() == 2
                || (number.size() == 4 && number.stream().allMatch(NumberRun::isByte))
                || (number.size() > 2
                        && number.stream().anyMatch(part -> part.digits().length() == 1))
                || (number.size() > 2 && number.getFirst().digits().length() < 3 && isInThousands(number));
    }

    private static boolean isByte(Part part) {
        var digits = part.digits();
        return digits.length() <= 3
                && Integer.parseInt(digits) < 256
                && (digits.length() == 1 || digits.charAt(0) != '0');
    }

    private static boolean isInThousands(List<Part> number) {
        return number.getFirst().digits().length() <= 3
                && number.stream().skip(1).allMatch(part -> part.digits().length() == 3);
    }

    private boolean isYears(List<Part> number) {
        return number.size() == 2
                && number.stream()
                        .allMatch(part ->
                                Harmless.isYear(part.digits(), 0, part.digits().length()))
                && number.get(1).start() - number.get(0).end() == 1
                && Chars.isHyphen(text.charAt(number.get(0).end()));
    }

    private boolean isAmount(List<Part> number) {
        return (number.size() == 1 || isInThousands(number))
                && (isCurrencyBefore(number.getFirst().start())
                        || isMeasureBehind(number.getLast().end()));
    }

    private boolean isCurrencyBefore(int start) {
        int at = start > 0 && Chars.isSpace(text.charAt(start - 1)) ? start - 2 : start - 1;
        if (at < 0) {
            return false;
        }
        return isCurrency(text.charAt(at))
                || (at >= 2
                        && Set.of("EUR", "USD", "GBP", "CHF").contains(text.substring(at - 2, at + 1))
                        && !Chars.isWordAt(text, at - 3));
    }

    private boolean isMeasureBehind(int end) {
        int at = end < text.length() && Chars.isSpace(text.charAt(end)) ? end + 1 : end;
        return at < text.length()
                && (isCurrency(text.charAt(at)) || MEASURES.contains(folded(at, Chars.endOfWord(text, at))));
    }

    private static boolean isCurrency(char c) {
        return "$€£¥".indexOf(c) >= 0;
    }

    private String label() {
        if (parts.stream().anyMatch(Part::spoken)) {
            return "[digits]";
        }
        boolean grouped = parts.size() > 1 || hasPlus() || digits.charAt(0) == '0';
        return digits.length() <= LONGEST_PHONE && (grouped || (digits.length() >= 9 && digits.length() <= 11))
                ? "[phone]"
                : "[digits]";
    }
}
