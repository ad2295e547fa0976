package parley.provider.simulator;

/** Numbers in English words, because a transcript must hold the words that are heard. */
final class SpokenNumber {

    private static final String[] SMALL =
            ("zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen"
                            + " seventeen eighteen nineteen")
                    .split(" ");
    private static final String[] TENS = "zero ten twenty thirty forty fifty sixty seventy eighty ninety".split(" ");
    private static final long LARGEST = 999_999;

    private SpokenNumber() {}

    /** Milliseconds as seconds with one decimal: "two point four seconds", "one second". */
    static String seconds(long millis) {
        long tenths = (millis + 50) / 100;
        var whole = of(tenths / 10);
        if (tenths == 10) return "one second";
        return (tenths % 10 == 0 ? whole : whole + " point " + of(tenths % 10)) + " seconds";
    }

    static String of(long number) {
        if (number > LARGEST) return "very many";
        if (number < 20) return SMALL[(int) number];
        if (number < 100) {
            var tens = TENS[(int) number / 10];
            return number % 10 == 0 ? tens : tens + " " + SMALL[(int) number % 10];
        }
        if (number < 1000) return of(number / 100) + " hundred" + rest(number % 100);
        return of(number / 1000) + " thousand" + rest(number % 1000);
    }

    private static String rest(long number) {
        return number == 0 ? "" : " " + of(number);
    }
}
