package parley.provider.simulator;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.TextNode;
import com.typesafe.config.ConfigFactory;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import parley.protocol.AudioFormat;
import parley.protocol.Wire;

/** A client at the table of one conversation: no socket, no thread, held time, and speech of ten milliseconds a letter. */
final class Bench implements Outlet {

    static final SimulatorSettings SETTINGS = SimulatorSettings.from(ConfigFactory.load());
    static final long MILLIS_PER_LETTER = 10;

    final HeldTimers timers = new HeldTimers();
    final SimulatorCounters counters = new SimulatorCounters();
    final List<JsonNode> events = new ArrayList<>();
    final Diary diary;
    final SimulatedConversation conversation;
    final Talk speech = new Talk();
    boolean congested;
    int closeCode;
    String closeReason = "";

    static final class Talk implements Speech {
        boolean broken;

        @Override
        public CompletionStage<byte[]> say(Phrase phrase) {
            if (broken) return CompletableFuture.failedFuture(new IllegalStateException("no voice"));
            return CompletableFuture.completedFuture(Sound.voice(
                    phrase.format(), MILLIS_PER_LETTER * phrase.words().length()));
        }
    }

    private Bench(SimulatedConversation.Opening opening, SimulatorSettings settings, String... switches) {
        this.diary = new Diary(
                "caller-1",
                opening.model(),
                settings,
                counters,
                () -> TimeUnit.MILLISECONDS.toNanos(timers.millis()),
                timers.now());
        this.conversation = new SimulatedConversation(
                opening,
                settings.switches().with(changes(switches)),
                settings,
                speech,
                timers,
                new SplittableRandom(42),
                this,
                diary,
                counters);
        conversation.open();
    }

    static Bench open(String... switches) {
        return new Bench(new SimulatedConversation.Opening("simulator", true, null, false), SETTINGS, switches);
    }

    static Bench open(SimulatedConversation.Opening opening, SimulatorSettings settings) {
        return new Bench(opening, settings);
    }

    /** A session that is configured and has nothing to read any more. */
    static Bench configured(String session, String... switches) {
        var bench = open(switches);
        bench.send("{'type':'session.update','session':" + session + "}");
        bench.events.clear();
        return bench;
    }

    /** Sends an event; apostrophes stand for quotes. */
    void send(String json) {
        raw(json.replace('\'', '"'));
    }

    void raw(String json) {
        conversation.receive(ByteBuffer.wrap(json.getBytes(StandardCharsets.UTF_8)));
    }

    /** Appends sound in frames of 20 ms. */
    void hear(AudioFormat format, byte[] sound) {
        int frame = 20 * format.bytesPerMillisecond();
        for (int at = 0; at < sound.length; at += frame) {
            append(Arrays.copyOfRange(sound, at, Math.min(sound.length, at + frame)));
        }
    }

    void append(byte[] sound) {
        send("{'type':'input_audio_buffer.append','audio':'"
                + Base64.getEncoder().encodeToString(sound) + "'}");
    }

    void say(String text) {
        raw("{\"type\":\"conversation.item.create\",\"item\":{\"type\":\"message\",\"role\":\"user\","
                + "\"content\":[{\"type\":\"input_text\",\"text\":" + TextNode.valueOf(text) + "}]}}");
    }

    void respond() {
        send("{'type':'response.create'}");
    }

    @Override
    public void send(byte[] event) {
        events.add(Wire.parse(event));
    }

    @Override
    public boolean congested() {
        return congested;
    }

    @Override
    public void close(int code, String reason) {
        closeCode = code;
        closeReason = reason;
    }

    /** The types of what came, the same one many times in a row counted once and marked with a star. */
    List<String> types() {
        return types(events);
    }

    static List<String> types(List<JsonNode> events) {
        var types = new ArrayList<String>();
        for (var event : events) {
            var type = event.path("type").asText();
            if (type.endsWith(".delta")) type += "*";
            if (types.isEmpty() || !types.getLast().equals(type)) types.add(type);
        }
        return types;
    }

    /** The types in which transcript and audio deltas, which alternate, are one. */
    List<String> typesWithSpeech() {
        var types = new ArrayList<String>();
        for (var type : types()) {
            var shown = type.startsWith("response.output_audio") && type.endsWith("*") ? "speech*" : type;
            if (types.isEmpty() || !types.getLast().equals(shown)) types.add(shown);
        }
        return types;
    }

    List<JsonNode> all(String type) {
        return events.stream()
                .filter(event -> event.path("type").asText().equals(type))
                .toList();
    }

    JsonNode only(String type) {
        var all = all(type);
        if (all.size() != 1) throw new AssertionError(type + ": " + all.size() + " times in " + types());
        return all.getFirst();
    }

    JsonNode last(String type) {
        var all = all(type);
        if (all.isEmpty()) throw new AssertionError(type + ": not in " + types());
        return all.getLast();
    }

    /** The text of an answer, written or spoken. */
    String answer() {
        for (var event : events.reversed()) {
            if (event.path("type").asText().equals("response.output_text.done"))
                return event.path("text").asText();
            if (event.path("type").asText().equals("response.output_audio_transcript.done")) {
                return event.path("transcript").asText();
            }
        }
        throw new AssertionError("no answer in " + types());
    }

    byte[] audio() {
        return Sound.join(all("response.output_audio.delta").stream()
                .map(event -> Base64.getDecoder().decode(event.path("delta").asText()))
                .toArray(byte[][]::new));
    }

    private static Map<String, String> changes(String... switches) {
        var changes = new HashMap<String, String>();
        for (var each : switches) changes.put(each.split("=", 2)[0], each.split("=", 2)[1]);
        return changes;
    }
}
