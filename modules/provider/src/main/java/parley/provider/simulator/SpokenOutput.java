package parley.provider.simulator;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import parley.protocol.Content;
import parley.protocol.Ids;
import parley.protocol.Item;
import parley.protocol.ServerEvent;

/**
 * A spoken answer: one slice of sound a step, its words a little ahead of it.
 *
 * <p>A word is taken to be spoken where its letters stand in its sentence. So what the transcript says of an answer that
 * was stopped is at most {@link #AHEAD_MILLIS} ahead of its sound.
 */
final class SpokenOutput implements Output {

    static final long AHEAD_MILLIS = 300;

    /** Words and the byte of the whole sound at which they begin. */
    private record Cue(String word, long at) {}

    private final Place place;
    private final Events events;
    private final Entry entry;
    private final Asked asked;
    private final AudioDeltas deltas;
    private final List<byte[]> sounds;
    private final List<Cue> cues = new ArrayList<>();
    private final StringBuilder transcript = new StringBuilder();
    private final int slice;
    private boolean limited;
    private long total;
    private long sent;
    private int nextCue;
    private int sound;
    private int soundAt;

    /**
     * @param sentences the words, one for each of the sounds
     * @param most      tokens that may be made
     */
    SpokenOutput(
            Place place,
            Events events,
            Entry entry,
            Asked asked,
            List<String> sentences,
            List<byte[]> sounds,
            int deltaMillis,
            long most) {
        this.place = place;
        this.events = events;
        this.entry = entry;
        this.asked = asked;
        this.deltas = new AudioDeltas(place.responseId(), place.itemId(), Place.OUTPUT);
        this.sounds = List.copyOf(sounds);
        this.slice = deltaMillis * bytesPerMillisecond();
        for (int i = 0; i < sounds.size(); i++) cue(sentences.get(i), sounds.get(i).length);
        limit(
                Tokens.ofText(String.join("", sentences))
                        .plus(Tokens.spoken(millis(total)))
                        .total(),
                most);
    }

    @Override
    public Item empty() {
        return new Item.Message(place.itemId(), Item.Status.IN_PROGRESS, Item.Role.ASSISTANT, List.of());
    }

    @Override
    public void begin() {
        events.send(new ServerEvent.ResponseContentPartAdded(
                Ids.event(),
                place.responseId(),
                place.itemId(),
                Place.OUTPUT,
                Place.CONTENT,
                new Content.Audio(null, "")));
    }

    @Override
    public boolean step() {
        int length = (int) Math.min(slice, total - sent);
        if (length <= 0) return false;
        sayUpTo(sent + length + AHEAD_MILLIS * bytesPerMillisecond());
        events.send(deltas.event(next(length)));
        sent += length;
        if (!entry.truncated()) entry.sounds(millis(sent), 0);
        return sent < total;
    }

    @Override
    public Item finish(Item.Status status) {
        if (sent >= total && status == Item.Status.COMPLETED) sayUpTo(Long.MAX_VALUE);
        var words = transcript.toString();
        events.sendEither(
                new ServerEvent.ResponseOutputAudioDone(
                        Ids.event(), place.responseId(), place.itemId(), Place.OUTPUT, Place.CONTENT),
                new ServerEvent.ResponseOutputAudioTranscriptDone(
                        Ids.event(), place.responseId(), place.itemId(), Place.OUTPUT, Place.CONTENT, words));
        events.send(new ServerEvent.ResponseContentPartDone(
                Ids.event(),
                place.responseId(),
                place.itemId(),
                Place.OUTPUT,
                Place.CONTENT,
                new Content.Audio(null, words)));
        return new Item.Message(
                place.itemId(), status, Item.Role.ASSISTANT, List.of(new Content.OutputAudio(null, words)));
    }

    @Override
    public boolean limited() {
        return limited;
    }

    @Override
    public Tokens tokens() {
        return Tokens.ofText(transcript.toString()).plus(Tokens.spoken(millis(sent)));
    }

    /** The sound that was sent. */
    ItemAudio audio() {
        return new ItemAudio(asked.format(), sounds, sent);
    }

    private void cue(String sentence, int length) {
        int letters = 0;
        for (var word : Words.of(sentence)) {
            cues.add(new Cue(word, total + (long) length * letters / sentence.length()));
            letters += word.length();
        }
        total += length;
    }

    private void limit(long tokens, long most) {
        limited = tokens > most;
        if (limited) total = Math.min(total, Math.max(slice, total * most / tokens / slice * slice));
    }

    private void sayUpTo(long at) {
        for (; nextCue < cues.size() && cues.get(nextCue).at() < at; nextCue++) {
            var word = cues.get(nextCue).word();
            transcript.append(word);
            events.send(new ServerEvent.ResponseOutputAudioTranscriptDelta(
                    Ids.event(), place.responseId(), place.itemId(), Place.OUTPUT, Place.CONTENT, word));
        }
    }

    /** The next bytes, across the borders of the sounds. */
    private byte[] next(int length) {
        var bytes = Arrays.copyOfRange(sounds.get(sound), soundAt, soundAt + length);
        int filled = Math.min(length, sounds.get(sound).length - soundAt);
        soundAt += filled;
        while (filled < length) {
            var following = sounds.get(++sound);
            int part = Math.min(length - filled, following.length);
            System.arraycopy(following, 0, bytes, filled, part);
            filled += part;
            soundAt = part;
        }
        return bytes;
    }

    private long millis(long bytes) {
        return bytes / bytesPerMillisecond();
    }

    private int bytesPerMillisecond() {
        return asked.format().bytesPerMillisecond();
    }
}
