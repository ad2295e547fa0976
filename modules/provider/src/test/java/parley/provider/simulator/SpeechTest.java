package parley.provider.simulator;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import com.typesafe.config.ConfigFactory;
import java.util.ArrayList;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import parley.protocol.AudioFormat;

@Tag("unit")
class SpeechTest {

    private static final String SENTENCE = "I heard you speak for two point four seconds.";

    private final SimulatorCounters counters = new SimulatorCounters();
    private SpeechStudio studio = new SpeechStudio(Bench.SETTINGS, counters);

    @AfterEach
    void closeStudio() {
        studio.close();
    }

    @ParameterizedTest
    @EnumSource(AudioFormat.class)
    void wordsBecomeAudibleSpeechOfTheirLength(AudioFormat format) {
        var sound = say(SENTENCE, 1, format);

        assertThat(Sound.rms(format, sound)).isBetween(0.03, 0.3);
        assertThat(sound.length / (double) format.bytesPerMillisecond()).isCloseTo(2_680, within(150.0));
    }

    @Test
    void moreWordsTakeLonger() {
        var one = say("One.", 1, AudioFormat.PCMU);
        var many = say("One two three four five six seven eight nine ten eleven twelve.", 1, AudioFormat.PCMU);

        assertThat(many.length).isGreaterThan(4 * one.length);
    }

    @Test
    void speechHasPausesAndPeaks() {
        var sound = say(SENTENCE, 1, AudioFormat.PCM16_24K);
        var loudness = new ArrayList<Double>();
        for (int at = 0; at + 960 <= sound.length; at += 960) {
            loudness.add(Math.sqrt(Samples.meanSquare(AudioFormat.PCM16_24K, sound, at, 960)));
        }

        assertThat(loudness).anyMatch(rms -> rms > 0.1).anyMatch(rms -> rms < 0.01);
    }

    @Test
    void theStoryLastsAtLeastHalfAMinute() {
        long millis = Words.sentences(Story.WORDS).stream()
                .mapToLong(sentence -> say(sentence.strip(), 1, AudioFormat.PCMU).length / 8)
                .sum();

        assertThat(millis).isBetween(30_000L, 90_000L);
    }

    @Test
    void speedIsHeard() {
        var natural = say(SENTENCE, 1, AudioFormat.PCMU);
        var fast = say(SENTENCE, 1.5, AudioFormat.PCMU);

        assertThat(fast.length).isLessThan((int) (natural.length * 0.8));
    }

    @Test
    void voicesDiffer() {
        assertThat(join(new Speech.Phrase("Hello.", "alloy", 1, AudioFormat.PCMU)))
                .isNotEqualTo(join(new Speech.Phrase("Hello.", "cedar", 1, AudioFormat.PCMU)));
    }

    @Test
    void whatCannotBePronouncedIsAShortSilence() {
        var sound = say("", 1, AudioFormat.PCM16_24K);

        assertThat(sound).hasSize(200 * 48).containsOnly(0);
    }

    @Test
    void aPhraseIsSynthesisedOnceAndForgottenWhenTheMemoryIsFull() {
        studio.close();
        var small = SimulatorSettings.from(ConfigFactory.parseString("parley.simulator.speech-memory = 30000")
                .withFallback(ConfigFactory.load()));
        studio = new SpeechStudio(small, counters);
        var first = say("One two three.", 1, AudioFormat.PCMU);

        assertThat(say("One two three.", 1, AudioFormat.PCMU)).isSameAs(first);
        for (var words : new String[] {"Four five six.", "Seven eight nine.", "Ten eleven twelve."}) {
            say(words, 1, AudioFormat.PCMU);
        }
        assertThat(studio.used()).isLessThanOrEqualTo(30_000);
        assertThat(say("One two three.", 1, AudioFormat.PCMU)).isEqualTo(first).isNotSameAs(first);
    }

    @Test
    void tooManyPhrasesAtOnceAreRefusedAndCounted() {
        studio.close();
        var small = SimulatorSettings.from(
                ConfigFactory.parseString("parley.simulator.speech-queue = 1").withFallback(ConfigFactory.load()));
        studio = new SpeechStudio(small, counters);
        var asked = new ArrayList<CompletableFuture<byte[]>>();
        for (int i = 0; i < 20; i++) {
            asked.add(studio.say(new Speech.Phrase("Number " + i + ".", "alloy", 1, AudioFormat.PCMU))
                    .toCompletableFuture());
        }

        assertThat(counters.speechRefused()).isPositive();
        assertThat(asked)
                .anySatisfy(phrase -> assertThatThrownBy(() -> phrase.get(60, TimeUnit.SECONDS))
                        .hasCauseInstanceOf(RejectedExecutionException.class));
        assertThat(asked.getFirst().orTimeout(60, TimeUnit.SECONDS).join()).isNotEmpty();
    }

    private byte[] say(String words, double speed, AudioFormat format) {
        return join(new Speech.Phrase(words, "alloy", speed, format));
    }

    private byte[] join(Speech.Phrase phrase) {
        return studio.say(phrase)
                .toCompletableFuture()
                .orTimeout(60, TimeUnit.SECONDS)
                .join();
    }
}
