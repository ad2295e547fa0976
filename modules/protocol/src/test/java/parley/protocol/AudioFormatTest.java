package parley.protocol;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

@Tag("unit")
class AudioFormatTest {

    @ParameterizedTest
    @EnumSource
    void aFormatIsReadFromBothItsForms(AudioFormat format) {
        assertThat(AudioFormat.of(format.json())).isEqualTo(format);
        assertThat(AudioFormat.ofBetaName(format.betaName())).isEqualTo(format);
    }

    @ParameterizedTest
    @ValueSource(strings = {"{\"type\":\"audio/pcm\",\"rate\":16000}", "{\"type\":\"audio/opus\"}", "{}"})
    void otherAudioHasNoFormat(String json) {
        assertThat(AudioFormat.of(Wire.parse(json))).isNull();
    }

    @ParameterizedTest
    @CsvSource({
        "PCM16_24K,64000,1000",
        "PCM16_24K,1280,20",
        "PCMU,10668,1000",
        "PCMA,0,0",
        "PCM16_24K,4000000000,62500000"
    })
    void base64PlaysSoManyMilliseconds(AudioFormat format, long characters, long milliseconds) {
        assertThat(format.millis(characters)).isEqualTo(milliseconds);
    }
}
