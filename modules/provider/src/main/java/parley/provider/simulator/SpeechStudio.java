package parley.provider.simulator;

import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import parley.protocol.AudioFormat;

/**
 * Speech made on a few threads of its own and remembered by the phrase.
 *
 * <p>Bounded twice: a phrase that finds the queue full fails at once ({@link RejectedExecutionException}, counted), and
 * the phrases least recently asked for are forgotten when the memory for sound is full. Two who ask for the same phrase
 * at the same time share one synthesis.
 */
final class SpeechStudio implements Speech, AutoCloseable {

    /** What is heard in place of a phrase in which nothing can be pronounced. */
    private static final int WORDLESS_MILLIS = 200;

    private final ThreadPoolExecutor threads;
    private final ThreadLocal<DiphoneVoice> voices = ThreadLocal.withInitial(DiphoneVoice::new);
    private final Map<AudioFormat, Resampler> resamplers = new EnumMap<>(AudioFormat.class);
    private final LinkedHashMap<Phrase, CompletableFuture<byte[]>> phrases = new LinkedHashMap<>(64, 0.75f, true);
    private final long room;
    private final SimulatorCounters counters;
    private long used;

    SpeechStudio(SimulatorSettings settings, SimulatorCounters counters) {
        this.room = settings.speechMemory();
        this.counters = counters;
        for (var format : AudioFormat.values()) {
            resamplers.put(format, new Resampler(DiphoneVoice.RATE, Samples.rate(format)));
        }
        this.threads = new ThreadPoolExecutor(
                settings.speechThreads(),
                settings.speechThreads(),
                10,
                TimeUnit.SECONDS,
                new ArrayBlockingQueue<>(settings.speechQueue()),
                Thread.ofPlatform().daemon().name("simulator-speech-", 0).factory());
        threads.allowCoreThreadTimeOut(true);
    }

    @Override
    public CompletionStage<byte[]> say(Phrase phrase) {
        CompletableFuture<byte[]> sound;
        synchronized (phrases) {
            var known = phrases.get(phrase);
            if (known != null) return known;
            sound = new CompletableFuture<>();
            phrases.put(phrase, sound);
        }
        try {
            threads.execute(() -> synthesise(phrase, sound));
        } catch (RejectedExecutionException full) {
            counters.speechRefused.increment();
            fail(phrase, sound, full);
        }
        return sound;
    }

    /** Bytes of sound held now. */
    long used() {
        synchronized (phrases) {
            return used;
        }
    }

    @Override
    public void close() {
        threads.shutdownNow();
    }

    private void synthesise(Phrase phrase, CompletableFuture<byte[]> sound) {
        byte[] bytes;
        try {
            var spoken = voices.get().speak(phrase.words(), phrase.voice(), phrase.speed());
            bytes = spoken.length == 0
                    ? Samples.silence(phrase.format(), WORDLESS_MILLIS)
                    : Samples.encode(
                            phrase.format(), resamplers.get(phrase.format()).resample(spoken));
        } catch (RuntimeException | LinkageError broken) {
            fail(phrase, sound, broken);
            return;
        }
        synchronized (phrases) {
            used += bytes.length;
            makeRoom(phrase);
        }
        sound.complete(bytes);
    }

    /** Forgets the oldest finished phrases; the newest stays even when it alone is too large. */
    private void makeRoom(Phrase newest) {
        var oldest = phrases.entrySet().iterator();
        while (used > room && oldest.hasNext()) {
            var entry = oldest.next();
            var known = entry.getValue();
            if (entry.getKey().equals(newest) || !known.isDone() || known.isCompletedExceptionally()) continue;
            used -= known.join().length;
            oldest.remove();
        }
    }

    private void fail(Phrase phrase, CompletableFuture<byte[]> sound, Throwable why) {
        synchronized (phrases) {
            phrases.remove(phrase);
        }
        sound.completeExceptionally(why);
    }
}
