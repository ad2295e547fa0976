package parley.session;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.typesafe.config.ConfigFactory;
import java.time.Instant;
import java.time.LocalDate;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import parley.protocol.TranscriptionUsage;
import parley.protocol.Usage;

@Tag("unit")
class PricesTest {
    @Test
    void aResponseCostsWhatItsTokensCostByKind() {
        var tokens = new Tokens(119, 64, 13, 0, 0, 0, 30, 91, 0);

        // 55 × 4 + 64 × 0.4 + 13 × 32 + 30 × 24 + 91 × 64 = 7205.6
        assertThat(Rig.prices().micros(tokens, "usual", Rig.NOON)).isEqualTo(7206);
    }

    @Test
    void transcriptionMayBeMeteredByTime() {
        var prices = Prices.undated("v1", Map.of("whisper", new Prices.Model(0, 0, 0, 0, 0, 0, 0, 0, 0.017)));
        var tokens = Tokens.of(new TranscriptionUsage.Duration(90));

        assertThat(prices.micros(tokens, "whisper", Rig.NOON)).isEqualTo(25_500);
    }

    @Test
    void switchesBehindAColonAreNotPartOfAModelsName() {
        assertThat(Rig.prices().micros(Facts.SOME, "usual:slow", Rig.NOON))
                .isEqualTo(Rig.prices().micros(Facts.SOME, "usual", Rig.NOON));
        assertThat(Rig.prices().knows("usual:slow")).isTrue();
    }

    @Test
    void aModelWithoutAPriceCostsNothingAndIsNotKnown() {
        assertThat(Rig.prices().micros(Facts.SOME, "unheard-of", Rig.NOON)).isZero();
        assertThat(Rig.prices().knows("unheard-of")).isFalse();
    }

    @Test
    void publishedPricesComeWithTheModule() {
        var prices = Prices.from(ConfigFactory.defaultReference().resolve());

        assertThat(prices.models().get("gpt-realtime-2.1"))
                .isEqualTo(
                        List.of(new Prices.Dated(LocalDate.MIN, new Prices.Model(4, 0.4, 24, 32, 0.4, 64, 5, 0.5, 0))));
        assertThat(prices.version()).isEqualTo("2026-11");
        assertThat(prices.unknown()).isEqualTo(Prices.Unknown.DEFAULT);
        assertThat(prices.stated()).isEqualTo("gpt-realtime-2.1");
    }

    private static Prices priced(String block) {
        return Prices.from(ConfigFactory.parseString("parley.prices { " + block + " }")
                .withFallback(ConfigFactory.defaultReference())
                .resolve());
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "models.\"a.b\".text-in = -1 | models.a.b.text-in: -1.0 (expected: 0 or more, and at most 100000)",
                "models.a.text-in = 1e9 | models.a.text-in: 1.0E9 (expected: 0 or more, and at most 100000)",
                "models.a.txt-in = 1 | models.a: txt-in (expected: from, or one of [audio-cached, audio-in, audio-out, image-cached, image-in, per-minute, text-cached, text-in, text-out])",
                "models.a = 3 | models.a: no price (expected: prices by kind, or a list of them)",
                "models.a = [] | models.a: no price (expected: prices by kind, or a list of them)",
                "models.a = [1] | models.a: a list of something else (expected: a list of prices by kind)",
                "models.a.from = May | models.a.from: May (expected: a day such as 2026-05-01)",
                "models.a = [{ from = 2026-05-02 }, { from = 2026-05-01 }] | models.a.from: 2026-05-01 (expected: later than the entry before)",
                "models.a = [{ from = 2026-05-02 }, {}] | models.a.from: none (expected: later than the entry before)",
                "unknown = guess | unknown: guess (expected: refuse, default or free)",
                "default = nobody | default: nobody (expected: one of models)",
            })
    void aBadPriceIsRefusedByName(String block, String complaint) {
        assertThatThrownBy(() -> priced(block)).hasMessage("parley.prices: " + complaint);
    }

    /** L9: the price of the day counts. */
    @ParameterizedTest
    @CsvSource({
        "2020-01-01T00:00:00Z, 4",
        "2026-04-30T23:59:59.999Z, 4",
        "2026-05-01T00:00:00Z, 3",
        "2026-08-31T23:59:59Z, 3",
        "2026-09-01T00:00:00Z, 5",
        "2030-01-01T00:00:00Z, 5"
    })
    void thePriceOfTheMomentCounts(Instant at, long micros) {
        var prices = priced("models.a = [{ from = 2026-01-01, text-in = 4 }, { from = 2026-05-01, text-in = 3 },"
                + " { from = 2026-09-01, text-in = 5 }]");

        assertThat(prices.micros(new Tokens(1, 0, 0, 0, 0, 0, 0, 0, 0), "a", at))
                .isEqualTo(micros);
    }

    @Test
    void aDatedSnapshotCostsWhatItsModelDoesUnlessItHasAnEntry() {
        var prices = priced("models.a.text-in = 4, models.\"a-2025-12-15\".text-in = 6, unknown = refuse");
        var one = new Tokens(1, 0, 0, 0, 0, 0, 0, 0, 0);

        assertThat(prices.micros(one, "a-2025-08-28", Rig.NOON)).isEqualTo(4);
        assertThat(prices.micros(one, "a-2025-08-28:slow", Rig.NOON)).isEqualTo(4);
        assertThat(prices.micros(one, "a-2025-12-15", Rig.NOON)).isEqualTo(6);
        assertThat(prices.refuses("a-2025-08-28")).isFalse();
        assertThat(prices.refuses("a-mini")).isTrue();
    }

    @Test
    void whatHasNoPriceIsRefusedOrCostsWhatIsStatedOrNothing() {
        var one = new Tokens(1, 0, 0, 0, 0, 0, 0, 0, 0);
        var refusing = priced("unknown = refuse");
        var stating = priced("unknown = default, default = a, models.a.text-in = 7");
        var free = priced("unknown = free");

        assertThat(refusing.refuses("unheard-of")).isTrue();
        assertThat(refusing.micros(one, "unheard-of", Rig.NOON)).isZero();
        assertThat(stating.refuses("unheard-of")).isFalse();
        assertThat(stating.micros(one, "unheard-of", Rig.NOON)).isEqualTo(7);
        assertThat(free.refuses("unheard-of")).isFalse();
        assertThat(free.micros(one, "unheard-of", Rig.NOON)).isZero();
    }

    /** The sums are made by hand from the published prices. */
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                // 55 * 4 + 64 * 0.4 + 13 * 32 + 30 * 24 + 91 * 64 = 7205.6
                "gpt-realtime-2.1 | 119 | 64 | 13 | 0 | 0 | 0 | 30 | 91 | 7206",
                // Audio that was cached: 100 * 4 + 200 * 32 + 800 * 0.4 + 50 * 64 = 400 + 6400 + 320 + 3200
                "gpt-realtime-2.1 | 100 | 0 | 1000 | 800 | 0 | 0 | 0 | 50 | 10320",
                // Images: 60 * 5 + 40 * 0.5 + 10 * 24 = 300 + 20 + 240
                "gpt-realtime-2.1 | 0 | 0 | 0 | 0 | 100 | 40 | 10 | 0 | 560",
                // 55 * 0.6 + 64 * 0.06 + 13 * 10 + 30 * 2.4 + 91 * 20 = 33 + 3.84 + 130 + 72 + 1820 = 2058.84
                "gpt-realtime-2.1-mini | 119 | 64 | 13 | 0 | 0 | 0 | 30 | 91 | 2059",
                // 500 * 10 + 500 * 0.3 + 10 * 0.8 + 10 * 0.08 = 5000 + 150 + 8 + 0.8 = 5158.8
                "gpt-realtime-2.1-mini | 0 | 0 | 1000 | 500 | 20 | 10 | 0 | 0 | 5159",
                // 55 * 4 + 64 * 0.4 + 13 * 32 + 30 * 16 + 91 * 64 = 6965.6
                "gpt-realtime | 119 | 64 | 13 | 0 | 0 | 0 | 30 | 91 | 6966",
                // 5 * 2.5 + 15 * 6 + 10 * 10 = 12.5 + 90 + 100
                "gpt-4o-transcribe | 5 | 0 | 15 | 0 | 0 | 0 | 10 | 0 | 203",
            })
    void publishedPricesMakeTheseCosts(
            String model,
            long textIn,
            long textCached,
            long audioIn,
            long audioCached,
            long imageIn,
            long imageCached,
            long textOut,
            long audioOut,
            long micros) {
        var tokens = new Tokens(textIn, textCached, audioIn, audioCached, imageIn, imageCached, textOut, audioOut, 0);

        assertThat(priced("").micros(tokens, model, Rig.NOON)).isEqualTo(micros);
    }

    @Test
    void transcriptionByTheMinuteHasAPublishedPrice() {
        // 90 s at 0.017 a minute
        assertThat(priced("").micros(Tokens.of(new TranscriptionUsage.Duration(90)), "gpt-realtime-whisper", Rig.NOON))
                .isEqualTo(25_500);
    }

    @Test
    void cachedTokensOfNoKindAreTextFirstThenAudioThenImages() {
        assertThat(Tokens.of(usage(100, 50, 10, 120, null))).isEqualTo(new Tokens(100, 100, 50, 20, 10, 0, 0, 0, 0));
        assertThat(Tokens.of(usage(100, 50, 10, 155, null))).isEqualTo(new Tokens(100, 100, 50, 50, 10, 5, 0, 0, 0));
    }

    @Test
    void noMoreOfAKindIsCachedThanThereIs() {
        assertThat(Tokens.of(usage(100, 50, 10, 999, null))).isEqualTo(new Tokens(100, 100, 50, 50, 10, 10, 0, 0, 0));
        assertThat(Tokens.of(usage(100, 50, 10, 0, new Usage.CachedTokensDetails(200, 200, 200))))
                .isEqualTo(new Tokens(100, 100, 50, 50, 10, 10, 0, 0, 0));
    }

    private static Usage usage(
            long text, long audio, long image, long cached, Usage.@Nullable CachedTokensDetails details) {
        return new Usage(
                text + audio + image,
                text + audio + image,
                0,
                new Usage.InputTokenDetails(text, audio, image, cached, details),
                null);
    }

    @Test
    void whatIsInTheSumAndOfNoKindIsText() {
        var usage = new Usage(
                150, 100, 50, new Usage.InputTokenDetails(0, 30, 0, 20, null), new Usage.OutputTokenDetails(0, 40));

        assertThat(Tokens.of(usage)).isEqualTo(new Tokens(70, 20, 30, 0, 0, 0, 10, 40, 0));
        assertThat(Tokens.of(
                        new TranscriptionUsage.Tokens(30, 20, 10, new TranscriptionUsage.InputTokenDetails(0, 15))))
                .isEqualTo(new Tokens(5, 0, 15, 0, 0, 0, 10, 0, 0));
    }

    @Test
    void countsThatAreMadeUpDoNotSpoilTheSums() {
        assertThat(Tokens.of(new Usage(0, Long.MAX_VALUE, -5, null, null)))
                .isEqualTo(new Tokens(1_000_000_000, 0, 0, 0, 0, 0, 0, 0, 0));
        assertThat(Tokens.of(new TranscriptionUsage.Duration(-3))).isEqualTo(Tokens.NONE);
    }

    @Test
    void tokensAreCountedByKind() {
        var usage = new Usage(
                253,
                132,
                121,
                new Usage.InputTokenDetails(119, 13, 0, 64, new Usage.CachedTokensDetails(64, 0, 0)),
                new Usage.OutputTokenDetails(30, 91));

        assertThat(Tokens.of(usage)).isEqualTo(new Tokens(119, 64, 13, 0, 0, 0, 30, 91, 0));
    }

    @Test
    void tokensOfNoKindAreText() {
        assertThat(Tokens.of(new Usage(10, 7, 3, null, null))).isEqualTo(new Tokens(7, 0, 0, 0, 0, 0, 3, 0, 0));
    }

    @Test
    void transcriptionTokensAreCountedByKind() {
        var usage = new TranscriptionUsage.Tokens(30, 20, 10, new TranscriptionUsage.InputTokenDetails(5, 15));

        assertThat(Tokens.of(usage)).isEqualTo(new Tokens(5, 0, 15, 0, 0, 0, 10, 0, 0));
        assertThat(Tokens.of(new TranscriptionUsage.Tokens(30, 20, 10, null)))
                .isEqualTo(new Tokens(20, 0, 0, 0, 0, 0, 10, 0, 0));
    }

    @Test
    void sumsAreKindByKind() {
        var one = new Tokens(1, 2, 3, 4, 5, 6, 7, 8, 9);

        assertThat(one.plus(one)).isEqualTo(new Tokens(2, 4, 6, 8, 10, 12, 14, 16, 18));
    }
}
