package parley.session;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.typesafe.config.ConfigFactory;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import parley.protocol.TranscriptionUsage;
import parley.protocol.Usage;

@Tag("unit")
class PricesTest {
    @Test
    void aResponseCostsWhatItsTokensCostByKind() {
        var tokens = new Tokens(119, 64, 13, 0, 0, 0, 30, 91, 0);

        // 55 × 4 + 64 × 0.4 + 13 × 32 + 30 × 24 + 91 × 64 = 7205.6
        assertThat(Rig.prices().micros(tokens, "usual")).isEqualTo(7206);
    }

    @Test
    void transcriptionMayBeMeteredByTime() {
        var prices = new Prices("v1", Map.of("whisper", new Prices.Model(0, 0, 0, 0, 0, 0, 0, 0, 0.017)));
        var tokens = Tokens.of(new TranscriptionUsage.Duration(90));

        assertThat(prices.micros(tokens, "whisper")).isEqualTo(25_500);
    }

    @Test
    void switchesBehindAColonAreNotPartOfAModelsName() {
        assertThat(Rig.prices().micros(Facts.SOME, "usual:slow"))
                .isEqualTo(Rig.prices().micros(Facts.SOME, "usual"));
        assertThat(Rig.prices().knows("usual:slow")).isTrue();
    }

    @Test
    void aModelWithoutAPriceCostsNothingAndIsNotKnown() {
        assertThat(Rig.prices().micros(Facts.SOME, "unheard-of")).isZero();
        assertThat(Rig.prices().knows("unheard-of")).isFalse();
    }

    @Test
    void publishedPricesComeWithTheModule() {
        var prices = Prices.from(ConfigFactory.defaultReference().resolve());

        assertThat(prices.models().get("gpt-realtime-2.1"))
                .isEqualTo(new Prices.Model(4, 0.4, 24, 32, 0.4, 64, 5, 0.5, 0));
        assertThat(prices.version()).isEqualTo("2026-11");
    }

    @Test
    void aNegativePriceIsRefusedByName() {
        var config = ConfigFactory.parseString("parley.prices.models.\"a.b\".text-in = -1")
                .withFallback(ConfigFactory.defaultReference())
                .resolve();

        assertThatThrownBy(() -> Prices.from(config))
                .hasMessage("parley.prices: models.a.b.text-in: -1.0 (expected: 0 or more)");
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
