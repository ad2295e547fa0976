package parley.provider.simulator;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.Base64;
import java.util.Random;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import parley.protocol.AudioFormat;

@Tag("unit")
class SamplesTest {

    @ParameterizedTest
    @EnumSource(AudioFormat.class)
    void aToneHasTheLoudnessItWasMadeWith(AudioFormat format) {
        var tone = Samples.encode(format, tone(440, Samples.rate(format), 0.5));

        assertThat(Sound.rms(format, tone)).isCloseTo(0.5 / Math.sqrt(2), within(0.01));
        assertThat(Sound.rms(format, Samples.silence(format, 100))).isLessThan(0.001);
    }

    /** Codes from the tables of ITU-T G.711. */
    @ParameterizedTest
    @CsvSource({"0,255,213", "32767,128,170", "-32768,0,42", "1000,206,250", "-1000,78,122"})
    void samplesHaveTheirCodes(short sample, int muLaw, int aLaw) {
        assertThat(Samples.encode(AudioFormat.PCMU, new short[] {sample})[0] & 0xff)
                .isEqualTo(muLaw);
        assertThat(Samples.encode(AudioFormat.PCMA, new short[] {sample})[0] & 0xff)
                .isEqualTo(aLaw);
    }

    @Test
    void base64IsReadAsTheJdkReadsIt() {
        var random = new Random(3);
        for (int length = 0; length < 200; length++) {
            var bytes = new byte[length];
            random.nextBytes(bytes);
            var text = Base64.getEncoder().encode(bytes);
            var target = new byte[7 + Base64Audio.room(text.length)];

            assertThat(Base64Audio.decode(text, 0, text.length, target, 7)).isEqualTo(length);
            assertThat(java.util.Arrays.copyOfRange(target, 7, 7 + length)).isEqualTo(bytes);
        }
    }

    @ParameterizedTest
    @CsvSource({"A", "AB", "ABC", "A===", "====", "AB=C", "A B=", "ABC*", "'ABC '", "ABCÄ"})
    void whatIsNotBase64IsRefused(String text) {
        var bytes = text.getBytes(java.nio.charset.StandardCharsets.UTF_8);

        assertThat(Base64Audio.decode(bytes, 0, bytes.length, new byte[64], 0)).isEqualTo(-1);
    }

    @ParameterizedTest
    @CsvSource({"16000,24000,997", "16000,24000,5500", "16000,8000,997", "16000,8000,2700"})
    void aToneInTheBandSurvivesResampling(int from, int to, double hertz) {
        var out = new Resampler(from, to).resample(tone(hertz, from, 0.5));

        assertThat(out).hasSize(to);
        assertThat(amplitude(out, to, hertz)).isCloseTo(0.5, within(0.01));
        assertThat(energyBeside(out, to, hertz)).isLessThan(1e-3);
    }

    @Test
    void aToneAboveTheBandDoesNotFoldBack() {
        var out = new Resampler(16_000, 8_000).resample(tone(5_500, 16_000, 0.5));

        assertThat(amplitude(out, 8_000, 2_500)).isLessThan(0.5 / 1_000);
    }

    private static short[] tone(double hertz, int rate, double amplitude) {
        var samples = new short[rate];
        for (int i = 0; i < rate; i++) {
            samples[i] = (short) Math.round(32_767 * amplitude * Math.sin(2 * Math.PI * hertz * i / rate));
        }
        return samples;
    }

    /** Of the middle half, by correlation: whole periods for whole frequencies. */
    private static double amplitude(short[] samples, int rate, double hertz) {
        double sine = 0;
        double cosine = 0;
        int from = samples.length / 4;
        int count = samples.length / 2;
        for (int i = from; i < from + count; i++) {
            double angle = 2 * Math.PI * hertz * i / rate;
            sine += samples[i] / 32_767.0 * Math.sin(angle);
            cosine += samples[i] / 32_767.0 * Math.cos(angle);
        }
        return 2 * Math.hypot(sine, cosine) / count;
    }

    private static double energyBeside(short[] samples, int rate, double hertz) {
        double amplitude = amplitude(samples, rate, hertz);
        double all = 0;
        int count = samples.length / 2;
        for (int i = samples.length / 4; i < samples.length / 4 + count; i++) {
            all += samples[i] / 32_767.0 * samples[i] / 32_767.0;
        }
        return Math.abs(all / count - amplitude * amplitude / 2);
    }
}
