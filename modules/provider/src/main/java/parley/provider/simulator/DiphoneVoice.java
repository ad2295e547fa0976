package parley.provider.simulator;

import com.sun.speech.freetts.Voice;
import com.sun.speech.freetts.audio.AudioPlayer;
import com.sun.speech.freetts.en.us.cmu_us_kal.KevinVoiceDirectory;
import java.io.ByteArrayOutputStream;
import java.util.Arrays;
import javax.sound.sampled.AudioFormat;
import org.jspecify.annotations.Nullable;

/**
 * An English diphone voice inside the JVM: 16 kHz, hundreds of times faster than real time, no device, no network.
 *
 * <p>Not safe for two threads: each thread makes its own, which costs some tenths of a second.
 */
final class DiphoneVoice {

    /** Samples per second of what {@link #speak} gives. */
    static final int RATE = 16_000;

    private static final float WORDS_PER_MINUTE = 150;
    private static final int LOWEST_PITCH = 85;
    private static final int PITCHES = 50;

    private final Voice voice;
    private final Recorder recorder = new Recorder();

    DiphoneVoice() {
        this.voice = Arrays.stream(new KevinVoiceDirectory().getVoices())
                .filter(each -> each.getName().equals("kevin16"))
                .findFirst()
                .orElseThrow(() -> new IllegalStateException("voice: kevin16 (expected: in the FreeTTS jar)"));
        voice.allocate();
        voice.setAudioPlayer(recorder);
    }

    /** The words as samples; an empty array when there is nothing to pronounce. */
    short[] speak(String words, String name, double speed) {
        recorder.bytes.reset();
        voice.setRate((float) (WORDS_PER_MINUTE * speed));
        voice.setPitch(LOWEST_PITCH + Math.floorMod(name.hashCode(), PITCHES));
        voice.speak(words);
        var bytes = recorder.bytes.toByteArray();
        var samples = new short[bytes.length / 2];
        for (int i = 0; i < samples.length; i++) {
            samples[i] = (short) ((bytes[2 * i] << 8) | (bytes[2 * i + 1] & 0xff));
        }
        return samples;
    }

    /** Collects what would have been played: big-endian samples. */
    private static final class Recorder implements AudioPlayer {
        private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        private @Nullable AudioFormat format;

        @Override
        public boolean write(byte[] audio) {
            return write(audio, 0, audio.length);
        }

        @Override
        public boolean write(byte[] audio, int from, int length) {
            bytes.write(audio, from, length);
            return true;
        }

        @Override
        public void setAudioFormat(AudioFormat format) {
            this.format = format;
        }

        @Override
        public @Nullable AudioFormat getAudioFormat() {
            return format;
        }

        @Override
        public void pause() {}

        @Override
        public void resume() {}

        @Override
        public void reset() {}

        @Override
        public boolean drain() {
            return true;
        }

        @Override
        public void begin(int size) {}

        @Override
        public boolean end() {
            return true;
        }

        @Override
        public void cancel() {}

        @Override
        public void close() {}

        @Override
        public float getVolume() {
            return 1;
        }

        @Override
        public void setVolume(float volume) {}

        @Override
        public long getTime() {
            return 0;
        }

        @Override
        public void resetTime() {}

        @Override
        public void startFirstSampleTimer() {}

        @Override
        public void showMetrics() {}
    }
}
