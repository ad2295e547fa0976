package parley.provider.simulator;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import parley.protocol.AudioFormat;

@Tag("unit")
class PitchTest {

    private static final AudioFormat PCM = AudioFormat.PCM16_24K;

    @ParameterizedTest
    @CsvSource({
        "PCM16_24K,100",
        "PCM16_24K,440",
        "PCM16_24K,1003",
        "PCM16_24K,3000",
        "PCMU,100",
        "PCMU,440",
        "PCMU,1500",
        "PCMA,100",
        "PCMA,440",
        "PCMA,1500"
    })
    void aToneIsHeardAsItself(AudioFormat format, int hertz) {
        var pitch = heard(format, Sound.tone(format, hertz, 300));

        assertThat(pitch.hertz()).isCloseTo(hertz, within(1));
        assertThat(pitch.isTone()).isTrue();
    }

    @ParameterizedTest
    @EnumSource(AudioFormat.class)
    void aVoiceHasAPitchButIsNoTone(AudioFormat format) {
        var pitch = heard(format, Sound.voice(format, 1_000));

        assertThat(pitch.hertz()).isCloseTo(140, within(5));
        assertThat(pitch.isTone()).isFalse();
    }

    @ParameterizedTest
    @EnumSource(AudioFormat.class)
    void noiseIsNoTone(AudioFormat format) {
        assertThat(heard(format, Sound.noise(format, 2_000)).isTone()).isFalse();
    }

    @Test
    void aToneWithPausesIsStillOne() {
        var beep = Sound.join(Sound.tone(PCM, 440, 250), Sound.room(PCM, 7));
        var pitch = heard(PCM, Sound.join(beep, beep, beep, beep));

        assertThat(pitch.hertz()).isCloseTo(440, within(10));
        assertThat(pitch.isTone()).isTrue();
    }

    @Test
    void silenceAndNoiseOfARoomHaveNone() {
        assertThat(heard(PCM, Samples.silence(PCM, 500)).hertz()).isZero();
        assertThat(heard(PCM, Sound.room(PCM, 500)).hertz()).isZero();
        assertThat(heard(PCM, Sound.room(PCM, 500)).isTone()).isFalse();
        assertThat(new Pitch().isTone()).isFalse();
    }

    @Test
    void theQuietPartsOfItsFirstAndLastWindowDoNotMatter() {
        var sound = Sound.join(Sound.room(PCM, 15), Sound.tone(PCM, 700, 200), Sound.room(PCM, 15));

        assertThat(heard(PCM, sound).hertz()).isCloseTo(700, within(1));
        assertThat(heard(PCM, sound).isTone()).isTrue();
    }

    @Test
    void whatWasForgottenDoesNotCount() {
        var pitch = heard(PCM, Sound.tone(PCM, 900, 500));
        pitch.forget();
        assertThat(pitch.hertz()).isZero();
        var next = Sound.tone(PCM, 300, 500);
        pitch.hear(PCM, next, 0, next.length);

        assertThat(pitch.hertz()).isCloseTo(300, within(1));
        assertThat(pitch.isTone()).isTrue();
    }

    private static Pitch heard(AudioFormat format, byte[] sound) {
        var pitch = new Pitch();
        int window = 20 * format.bytesPerMillisecond();
        for (int at = 0; at < sound.length; at += window) {
            pitch.hear(format, sound, at, Math.min(window, sound.length - at));
        }
        return pitch;
    }
}
