package parley.session;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.List;
import java.util.stream.Stream;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.Tag;
import org.junit.jupiter.api.Assertions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** B7, O4: what goes, and what stays. Numbers are the issuers' own examples, or made up with the right check digits. */
@Tag("unit")
@org.junit.jupiter.api.Tag("unit")
class RedactorTest {
    /** Each is taken out whole. */
    private static final List<String> SECRETS = List.of(
            // e-mail addresses
            "anna@example.com",
            "Anna.Müller+work@mail.example.co.uk",
            "o'neil_77%x@sub-domain.example.museum",
            "用户@例子.公司",
            "anna@xn--bcher-kva.xn--p1ai",
            // cards: Visa, Mastercard, Amex, Maestro with 19 digits, Diners
            "4111 1111 1111 1111",
            "4111111111111111",
            "5555-5555-5555-4444",
            "3782 822463 10005",
            "6304 0000 0000 0000 000",
            "3056 9309 0259 04",
            "4111, 1111, 1111, 1111",
            "4 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1",
            "4111\n1111\n1111\n1111",
            // IBANs
            "DE89370400440532013000",
            "DE89 3704 0044 0532 0130 00",
            "GB29 NWBK 6016 1331 9268 19",
            "fr14 2004 1010 0505 0001 3m02 606",
            "ES91-2100-0418-4502-0005-1332",
            "NO93 8601 1117 947",
            "MT84MALT011000012345MTLCAST001S",
            // national ids
            "123-45-6789",
            "078 05 1120",
            "86095742719",
            "86 095 742 719",
            "AB123456C",
            "AB 12 34 56 C",
            "ab123456c",
            "12345678Z",
            "12345678-Z",
            "12.345.678-Z",
            "X1234567L",
            "X-1234567-L",
            "2 55 08 14 168 025 38",
            "255081416802538",
            "1 84 12 2A 451 089 33",
            // telephone numbers
            "+49 151 23456789",
            "+1 (212) 555-0123",
            "(212) 555-0123",
            "212.555.0123",
            "0151/23456789",
            "0151 / 2345 6789",
            "+44 20 7946 0958",
            "07946 0958",
            "06 12 34 56 78",
            "01.23.45.67.89",
            "612 345 678",
            "5551234567",
            "555-1234",
            "+34 612‑345‑678",
            "٠١٢٣٤٥٦٧٨٩",
            "212 555 0123 x45",
            // spoken
            "four one one one one one one one one one one one one one one one",
            "Four, one, one, one. One, one, one, one",
            "five five five, double seven, oh three",
            "five five five uh one two um three four",
            "triple five one two three four",
            "double 5 one two 3 four five",
            "null eins fünf eins zwei drei vier",
            "zwo drei fuenf sechs sieben acht neun",
            "doppel sieben drei vier fünf sechs neun",
            "einundzwanzig dreiundvierzig fünf sechs sieben",
            "seis uno dos tres cuatro cinco seis siete ocho",
            "seis doble uno dos tres cuatro cinco",
            "treinta y uno cuarenta y dos cinco seis siete",
            "zéro six douze trente-quatre cinquante-six soixante-dix-huit",
            "zéro un deux trois quatre cinq six",
            "quatre-vingt-dix-neuf vingt et un trente deux quarante",
            "twenty one thirty two forty three nine",
            "seven seven 0 9 00 12 34");

    /** Each stays as it is. */
    private static final List<String> HARMLESS = List.of(
            "",
            "one two three go",
            "three, two, one, zero, lift-off",
            "no one knows",
            "oh well, two of them",
            "double trouble",
            "nineteen eighty four",
            "eins zwei drei",
            "dos o tres",
            "un deux trois",
            "order 123456",
            "room 12, floor 3, house 456",
            "table 12-34-56",
            "at 12:30",
            "from 9:00 to 17:45:30",
            "05:09:02.123456789 UTC",
            "2026-11-20",
            "on 20.11.2026 at 14:30",
            "11/20/2026",
            "2026-11-20T12:00:00.123456789Z",
            "2026-11-20 12:00:00,123 INFO",
            "room 5, 2026-11-20, 12:30",
            "1999-2026",
            "in 2025, 2026 and 2027",
            "$19.99",
            "1.234.567,89 EUR",
            "€ 1 234 567",
            "12 345 678 €",
            "1,234,567.89",
            "$1,234,567",
            "1234567.89",
            "3.14159265358979",
            "0.123456789",
            "version 1.2.345678",
            "Chrome 115.0.5790.170",
            "postgres 18.6.0",
            "192.168.100.200:8443",
            "12345678 bytes",
            "in 1234567 ns",
            "sess_0010123456789abcdefghij",
            "item_a1b2c3d4e5f6",
            "550e8400-e29b-41d4-a716-446655440000",
            "caller-12345678",
            "pekko://parley@node-1.example.com:17355",
            "parley@127.0.0.1",
            "anna at example",
            "a @ b",
            "user@localhost",
            "DE89370400440532013001",
            "ES12",
            "AB1234",
            "BG123456A",
            "to 12 34 56 a",
            "it is 100 % and 20 °C",
            "{\"text-in\":4,\"text-cached\":0.4,\"audio-out\":64}");

    private static final List<String> WORDS = List.of(
            "my",
            "number",
            "is",
            "please",
            "call",
            "back",
            "the",
            "agent",
            "said",
            "thanks",
            "Straße",
            "déjà",
            "señor",
            "order 123456",
            "at 12:30",
            "in 2026",
            "item",
            "und",
            "et",
            "y",
            "\"",
            "(",
            ")",
            ",",
            ".",
            "…",
            "-",
            "\n",
            "user:",
            "5",
            "12",
            "one",
            "zwei",
            "[email]",
            "[digits]",
            "电话",
            "a@",
            "@",
            "+",
            "\\n",
            "caller-1");

    static Stream<String> secrets() {
        return SECRETS.stream();
    }

    static Stream<String> harmless() {
        return HARMLESS.stream();
    }

    @ParameterizedTest
    @MethodSource("secrets")
    void aSecretGoesWhole(String secret) {
        assertThat(Redactor.redact("before " + secret + " behind")).matches("before \\[[a-z]+] behind");
        assertThat(Redactor.redact(secret)).matches("\\[[a-z]+]\\.?");
    }

    @ParameterizedTest
    @MethodSource("harmless")
    void whatTellsNothingStays(String text) {
        assertThat(Redactor.redact(text)).isSameAs(text);
        assertThat(Redactor.redact("well " + text + " then")).isEqualTo("well " + text + " then");
    }

    @Test
    void theTokenTellsWhatItWas() {
        assertThat(Redactor.redact("anna@example.com, 4111 1111 1111 1111, DE89 3704 0044 0532 0130 00"))
                .isEqualTo("[email], [card], [iban]");
        assertThat(Redactor.redact("tel: +49 (0) 151 2345-6789")).isEqualTo("tel: [phone]");
        assertThat(Redactor.redact("SSN 123-45-6789; DNI 12345678Z")).isEqualTo("SSN [id]; DNI [id]");
        assertThat(Redactor.redact("four one one one two two two two")).isEqualTo("[digits]");
        assertThat(Redactor.redact("order 12345678")).isEqualTo("order [digits]");
        assertThat(Redactor.redact("(call 555-1234)")).isEqualTo("(call [phone])");
        assertThat(Redactor.redact("mail anna@example.com.")).isEqualTo("mail [email].");
        assertThat(Redactor.redact("postgresql://parley:geheim@db.example.com/x"))
                .isEqualTo("postgresql://parley:[email]/x");
    }

    @Test
    void theEscapesOfJsonHideNothing() {
        assertThat(Redactor.redact(
                        "{\"note\":\"card\\n4111111111111111\\nmail\\nanna@example.com\\tDE89370400440532013000\"}"))
                .isEqualTo("{\"note\":\"card\\n[card]\\nmail\\n[email]\\t[iban]\"}");
    }

    @Test
    void aWholeTranscriptIsOneText() {
        assertThat(Redactor.redact("user: my card is 4111 1111\n1111 1111\nagent: thank you\nuser: anna@example.com\n"))
                .isEqualTo("user: my card is [card]\nagent: thank you\nuser: [email]\n");
    }

    @Test
    void aTextThatGoesOnIsHeldBackWhereItMayBecomeASecret() {
        assertThat(Redactor.redactBeginning("your card is 4111 1")).isEqualTo("your card is [digits]");
        assertThat(Redactor.redactBeginning("it is four one one,")).isEqualTo("it is [digits],");
        assertThat(Redactor.redactBeginning("write to anna@exam")).isEqualTo("write to [email]");
        assertThat(Redactor.redactBeginning("you have 12")).isEqualTo("you have 12");
        assertThat(Redactor.redactBeginning("order 12345 is ready")).isEqualTo("order 12345 is ready");
    }

    /** A regular expression would think for hours about some of these. */
    @Test
    void aLongTextTakesTimeInProportion() {
        int length = 300_000;
        var adversarial = Stream.of(
                        "1",
                        "1 ",
                        "1.",
                        "1,",
                        "1, ",
                        "a",
                        "a@",
                        "@",
                        "a.",
                        "a@b.",
                        "a@b ",
                        "one ",
                        "oh-",
                        "double ",
                        "+(",
                        "DE89 ",
                        "AB 12 ",
                        "12345678-",
                        "2026-",
                        "12:",
                        "uh ",
                        "one uh ",
                        "\\",
                        "\\n",
                        "(1",
                        "1x",
                        "550e8400-",
                        "caller-",
                        "pekko://a@",
                        "1 2A ",
                        "vingt ",
                        "\n",
                        "\u00a0",
                        "é",
                        "\ud83d\ude00",
                        "4111 1111 1111 111 ")
                .map(part -> part.repeat(length / part.length()))
                .toList();

        Assertions.assertTimeout(
                Duration.ofMinutes(1),
                () -> adversarial.forEach(text -> {
                    Redactor.redact(text);
                    Redactor.redactBeginning(text);
                }));
    }

    @Provide
    Arbitrary<String> sentences() {
        return words().list().ofMaxSize(8).map(words -> String.join(" ", words));
    }

    /** Without spaces, or with odd ones, and with whole secrets in between. */
    @Provide
    Arbitrary<String> texts() {
        var parts = Arbitraries.frequencyOf(
                net.jqwik.api.Tuple.of(6, words()),
                net.jqwik.api.Tuple.of(3, Arbitraries.of(SECRETS)),
                net.jqwik.api.Tuple.of(2, Arbitraries.of(HARMLESS)),
                net.jqwik.api.Tuple.of(
                        4,
                        Arbitraries.strings()
                                .withChars("0123456789 .,-/()+@:abcX$€x\\n")
                                .ofMaxLength(12)));
        var gaps = Arbitraries.of(" ", " ", " ", "", ", ", ". ", "-", ".", "\n", " uh ", ":", "/");
        return Combinators.combine(parts, gaps)
                .as((part, gap) -> part + gap)
                .list()
                .ofMaxSize(12)
                .map(all -> String.join("", all));
    }

    private static Arbitrary<String> words() {
        return Arbitraries.of(WORDS);
    }

    @Provide
    Arbitrary<String> samples() {
        return Arbitraries.of(SECRETS);
    }

    @Property(tries = 4000)
    void aSecretIsHiddenInAnySentence(
            @ForAll("sentences") String before, @ForAll("samples") String secret, @ForAll("sentences") String behind) {
        assertThat(Redactor.redact(before + " " + secret + " " + behind)).doesNotContain(secret);
    }

    @Property(tries = 8000)
    void whatWasRedactedStaysAsItIs(@ForAll("texts") String text) {
        var once = Redactor.redact(text);

        assertThat(Redactor.redact(once)).isSameAs(once);
    }

    @Property(tries = 2000)
    void anyTextCanBeRedacted(@ForAll String text) {
        var once = Redactor.redact(text);

        assertThat(Redactor.redact(once)).isEqualTo(once);
        assertThat(Redactor.redactBeginning(text)).isNotNull();
    }
}
