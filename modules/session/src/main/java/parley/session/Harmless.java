package parley.session;

/** Digits that are no secret: dates, times, ids of events and nodes, pseudonyms. */
final class Harmless {
    /** As {@link parley.admission.CallerId} prints somebody. */
    private static final String PSEUDONYM = "caller-";

    private static final int[] UUID = {8, 4, 4, 4, 12};

    private Harmless() {}

    /** Where such a thing that begins here ends; {@code at} when none does. */
    static int end(String text, int at) {
        char first = text.charAt(at);
        if (first == 'c' && text.startsWith(PSEUDONYM, at)) {
            int end = Chars.endOfWord(text, at + PSEUDONYM.length());
            return end - at <= PSEUDONYM.length() + 8 ? end : at;
        }
        if (Character.digit(first, 16) >= 0 && isUuid(text, at)) {
            return at + 36;
        }
        if (!Chars.isDigit(first)) {
            return at;
        }
        int date = endOfDate(text, at);
        if (date == at) {
            return endOfTime(text, at);
        }
        boolean withTime = date + 1 < text.length() && (text.charAt(date) == 'T' || text.charAt(date) == ' ');
        int time = withTime ? endOfTime(text, date + 1) : date;
        return time > date + 1 ? time : date;
    }

    private static boolean isUuid(String text, int at) {
        int next = at;
        boolean letters = false;
        for (int part : UUID) {
            if (next != at && (next >= text.length() || text.charAt(next++) != '-')) {
                return false;
            }
            for (int end = next + part; next < end; next++) {
                if (next >= text.length() || Character.digit(text.charAt(next), 16) < 0) {
                    return false;
                }
                letters |= Chars.isLetter(text.charAt(next));
            }
        }
        return letters && !Chars.isWordAt(text, next);
    }

    /** Year, month, day, or day, month, year, with one kind of separator. */
    private static int endOfDate(String text, int at) {
        int first = Chars.endOfDigits(text, at);
        if (first >= text.length() || "-./".indexOf(text.charAt(first)) < 0) {
            return at;
        }
        char separator = text.charAt(first);
        int second = Chars.endOfDigits(text, first + 1);
        if (second >= text.length() || text.charAt(second) != separator) {
            return at;
        }
        int third = Chars.endOfDigits(text, second + 1);
        boolean goesOn =
                third + 1 < text.length() && "-./".indexOf(text.charAt(third)) >= 0 && Chars.isWordAt(text, third + 1);
        boolean joined = Chars.isWordAt(text, third) && text.charAt(third) != 'T';
        boolean isDate = isYear(text, at, first)
                ? isDayAndMonth(text, first + 1, second, second + 1, third)
                : isYear(text, second + 1, third) && isDayAndMonth(text, at, first, first + 1, second);
        return isDate && !goesOn && !joined ? third : at;
    }

    /** Hours, minutes, and perhaps seconds with a fraction. */
    private static int endOfTime(String text, int at) {
        int hours = Chars.endOfDigits(text, at);
        int minutes = Chars.endOfDigits(text, hours + 1);
        if (hours == at || hours - at > 2 || minutes - hours != 3 || text.charAt(hours) != ':') {
            return at;
        }
        int end = minutes;
        int seconds = Chars.endOfDigits(text, minutes + 1);
        if (seconds - minutes == 3 && text.charAt(minutes) == ':') {
            end = seconds;
            if (end < text.length() && ".,".indexOf(text.charAt(end)) >= 0 && Chars.isDigitAt(text, end + 1)) {
                int fraction = Chars.endOfDigits(text, end + 1);
                end = fraction - end <= 10 ? fraction : end;
            }
        }
        return end;
    }

    static boolean isYear(String text, int from, int to) {
        return to - from == 4 && (text.startsWith("19", from) || text.startsWith("20", from));
    }

    private static boolean isDayAndMonth(String text, int from, int to, int nextFrom, int nextTo) {
        int one = twoDigits(text, from, to);
        int other = twoDigits(text, nextFrom, nextTo);
        return one > 0 && other > 0 && Math.min(one, other) <= 12 && Math.max(one, other) <= 31;
    }

    private static int twoDigits(String text, int from, int to) {
        return switch (to - from) {
            case 1 -> Character.digit(text.charAt(from), 10);
            case 2 -> Character.digit(text.charAt(from), 10) * 10 + Character.digit(text.charAt(from + 1), 10);
            default -> 0;
        };
    }
}
