package parley.session;

import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** Numbers up to 99 as they are spoken, in English, German, Spanish and French, without their accents. */
final class NumberWords {
    /** Longer than any word that counts here. */
    static final int LONGEST = 20;

    private static final Map<String, String> DIGITS = digits();

    private static final Map<String, Integer> TIMES =
            Map.of("double", 2, "triple", 3, "treble", 3, "doppel", 2, "doppelt", 2, "dreifach", 3, "doble", 2);

    /** What people say between digits without ending the number. */
    private static final Set<String> PAUSES = Set.of(
            "uh",
            "um",
            "uhm",
            "er",
            "erm",
            "hm",
            "hmm",
            "ah",
            "ahm",
            "eh",
            "ehm",
            "euh",
            "heu",
            "este",
            "dash",
            "hyphen",
            "space",
            "bindestrich",
            "strich",
            "guion",
            "espacio",
            "tiret",
            "espace");

    /** By first and last letter, the lengths of the words that count, a bit each: most words fail here. */
    private static final int[] LENGTHS = lengths();

    private NumberWords() {}

    private static int[] lengths() {
        var lengths = new int[26 * 26];
        Stream.of(DIGITS.keySet(), TIMES.keySet(), PAUSES)
                .flatMap(Set::stream)
                .forEach(word -> lengths[place(word.charAt(0), word.charAt(word.length() - 1))] |= 1 << word.length());
        return lengths;
    }

    private static int place(char first, char last) {
        return (first - 'a') * 26 + last - 'a';
    }

    /** Whether it is worth looking closer: it may be one of the words, or one with accents. */
    static boolean mayCount(CharSequence text, int from, int to) {
        if (to - from > LONGEST) {
            return false;
        }
        for (int at = from; at < to; at++) {
            if (!Chars.isLetter(text.charAt(at))) {
                return text.charAt(at) >= 128;
            }
        }
        int place = place(Character.toLowerCase(text.charAt(from)), Character.toLowerCase(text.charAt(to - 1)));
        return (LENGTHS[place] >> (to - from) & 1) != 0;
    }

    private static Map<String, String> digits() {
        var words = new HashMap<String, String>();
        enter(words, 0, "zero oh nought naught null cero");
        enumerate(
                words,
                1,
                1,
                "one two three four five six seven eight nine ten eleven twelve thirteen fourteen"
                        + " fifteen sixteen seventeen eighteen nineteen");
        enumerate(words, 20, 10, "twenty thirty forty fifty sixty seventy eighty ninety");
        enumerate(
                words,
                1,
                1,
                "eins zwei drei vier funf sechs sieben acht neun zehn elf zwolf dreizehn vierzehn"
                        + " funfzehn sechzehn siebzehn achtzehn neunzehn");
        enumerate(words, 20, 10, "zwanzig dreissig vierzig funfzig sechzig siebzig achtzig neunzig");
        enter(words, 2, "zwo");
        enter(words, 5, "fuenf");
        enter(words, 12, "zwoelf");
        enumerate(
                words,
                1,
                1,
                "uno dos tres cuatro cinco seis siete ocho nueve diez once doce trece catorce quince"
                        + " dieciseis diecisiete dieciocho diecinueve veinte veintiuno veintidos veintitres veinticuatro"
                        + " veinticinco veintiseis veintisiete veintiocho veintinueve");
        enumerate(words, 30, 10, "treinta cuarenta cincuenta sesenta setenta ochenta noventa");
        enumerate(
                words,
                1,
                1,
                "un deux trois quatre cinq six sept huit neuf dix onze douze treize quatorze quinze" + " seize");
        enumerate(words, 20, 10, "vingt trente quarante cinquante soixante septante octante nonante");
        enter(words, 80, "huitante");
        var units = "ein zwei drei vier funf sechs sieben acht neun".split(" ");
        var tens = "zwanzig dreissig vierzig funfzig sechzig siebzig achtzig neunzig".split(" ");
        for (int ten = 0; ten < tens.length; ten++) {
            for (int unit = 0; unit < units.length; unit++) {
                enter(words, (ten + 2) * 10 + unit + 1, units[unit] + "und" + tens[ten]);
            }
        }
        return Map.copyOf(words);
    }

    private static void enumerate(Map<String, String> words, int from, int step, String inOrder) {
        int number = from;
        for (var word : inOrder.split(" ")) {
            enter(words, number, word);
            number += step;
        }
    }

    private static void enter(Map<String, String> words, int number, String synonyms) {
        for (var word : synonyms.split(" ")) {
            words.put(word, Integer.toString(number));
        }
    }

    /** The digits of a number's word; null when it is none. */
    static @Nullable String digits(String word) {
        return DIGITS.get(word);
    }

    /** How often the next digit is meant; 0 when the word says nothing of it. */
    static int times(String word) {
        return TIMES.getOrDefault(word, 0);
    }

    static boolean isPause(String word) {
        return PAUSES.contains(word);
    }

    /** "and", between tens and units. */
    static boolean isAnd(String word) {
        return word.equals("y") || word.equals("et");
    }

    /** Of two words that follow each other, the number they are together, as in "twenty one"; null: two numbers. */
    static @Nullable String together(String before, String word, String digits) {
        if (before.length() == 1) {
            return before.equals("4") && word.startsWith("vingt") ? "80" : null;
        }
        if (before.length() != 2 || before.charAt(1) != '0' || before.charAt(0) < '2') {
            return null;
        }
        int number = Integer.parseInt(digits);
        boolean french = before.equals("60") || before.equals("80");
        return number > 0 && (number < 10 || (french && number < 20))
                ? Integer.toString(Integer.parseInt(before) + number)
                : null;
    }

    /** The word in lower case and without accents; empty when it is longer than any that counts. */
    static String folded(CharSequence text, int from, int to) {
        if (to - from > LONGEST) {
            return "";
        }
        var word = new StringBuilder(to - from + 1);
        for (int at = from; at < to; at++) {
            char letter = Character.toLowerCase(text.charAt(at));
            switch (letter) {
                case 'á', 'à', 'â', 'ä' -> word.append('a');
                case 'é', 'è', 'ê', 'ë' -> word.append('e');
                case 'í', 'ì', 'î', 'ï' -> word.append('i');
                case 'ó', 'ò', 'ô', 'ö' -> word.append('o');
                case 'ú', 'ù', 'û', 'ü' -> word.append('u');
                case 'ß' -> word.append("ss");
                default -> {
                    if (Character.getType(letter) != Character.NON_SPACING_MARK) {
                        word.append(letter);
                    }
                }
            }
        }
        return word.toString();
    }
}
