package parley.provider.simulator;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.Base64;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import parley.protocol.AudioFormat;

@Tag("unit")
class VoiceTurnTest {

    private static final AudioFormat PCM = AudioFormat.PCM16_24K;

    @Test
    void aSpokenTurnFoundByLoudnessHasItsFixedOrder() {
        var bench = Bench.configured("{'type':'realtime','audio':{'input':{'transcription':{'model':'whisper-1'}}}}");
        speakTurn(bench, PCM);
        bench.timers.advance(20_000);

        assertThat(bench.typesWithSpeech())
                .containsExactly(
                        "input_audio_buffer.speech_started",
                        "input_audio_buffer.speech_stopped",
                        "input_audio_buffer.committed",
                        "conversation.item.added",
                        "conversation.item.done",
                        "response.created",
                        "rate_limits.updated",
                        "conversation.item.input_audio_transcription.delta*",
                        "conversation.item.input_audio_transcription.completed",
                        "response.output_item.added",
                        "conversation.item.added",
                        "response.content_part.added",
                        "speech*",
                        "response.output_audio.done",
                        "response.output_audio_transcript.done",
                        "response.content_part.done",
                        "response.output_item.done",
                        "conversation.item.done",
                        "response.done");
        var item =
                bench.only("input_audio_buffer.speech_started").path("item_id").asText();
        assertThat(bench.only("input_audio_buffer.speech_stopped")
                        .path("item_id")
                        .asText())
                .isEqualTo(item);
        assertThat(bench.only("input_audio_buffer.committed").path("item_id").asText())
                .isEqualTo(item);
        assertThat(bench.only("input_audio_buffer.committed")
                        .path("previous_item_id")
                        .isNull())
                .isTrue();
        var part = bench.all("conversation.item.added").getFirst().at("/item/content/0");
        assertThat(part.path("type").asText()).isEqualTo("input_audio");
        assertThat(part.has("transcript")).isTrue();
        assertThat(part.has("audio")).isFalse();
    }

    @ParameterizedTest
    @EnumSource(AudioFormat.class)
    void aTurnIsFoundWhereItIsInEveryFormat(AudioFormat format) {
        var bench = Bench.configured("{'type':'realtime','audio':{'input':{'format':" + json(format) + "}}}");
        speakTurn(bench, format);

        // One second of room, two of voice, then half a second of silence until the end is noticed.
        assertThat(bench.only("input_audio_buffer.speech_started")
                        .path("audio_start_ms")
                        .asLong())
                .isCloseTo(1_000 - 300, within(40L));
        assertThat(bench.only("input_audio_buffer.speech_stopped")
                        .path("audio_end_ms")
                        .asLong())
                .isCloseTo(3_000 + 500, within(40L));
    }

    @ParameterizedTest
    @EnumSource(AudioFormat.class)
    void aRoomIsNotAVoice(AudioFormat format) {
        var bench = Bench.configured("{'type':'realtime','audio':{'input':{'format':" + json(format) + "}}}");
        bench.hear(format, Sound.room(format, 5_000));
        bench.hear(format, Samples.silence(format, 5_000));

        assertThat(bench.events).isEmpty();
    }

    @Test
    void aClickIsNotAVoice() {
        var bench = Bench.configured("{'type':'realtime'}");
        bench.hear(PCM, Sound.join(Sound.room(PCM, 500), Sound.voice(PCM, 40), Sound.room(PCM, 500)));

        assertThat(bench.events).isEmpty();
    }

    @Test
    void theThresholdDecidesWhatIsLoud() {
        var deaf = Bench.configured(detection("'threshold':1.0"));
        deaf.hear(PCM, quietVoice());
        var keen = Bench.configured(detection("'threshold':0.2"));
        keen.hear(PCM, quietVoice());

        assertThat(deaf.events).isEmpty();
        assertThat(keen.types()).containsExactly("input_audio_buffer.speech_started");
    }

    @Test
    void paddingAndSilenceAreThoseOfTheSession() {
        var bench = Bench.configured(detection("'prefix_padding_ms':100,'silence_duration_ms':200"));
        speakTurn(bench, PCM);

        assertThat(bench.only("input_audio_buffer.speech_started")
                        .path("audio_start_ms")
                        .asLong())
                .isCloseTo(900, within(40L));
        assertThat(bench.only("input_audio_buffer.speech_stopped")
                        .path("audio_end_ms")
                        .asLong())
                .isCloseTo(3_200, within(40L));
    }

    @Test
    void theNextTurnBeginsNoEarlierThanTheLastOneEnded() {
        var bench = Bench.configured(
                detection("'prefix_padding_ms':1000,'silence_duration_ms':200,'create_response':false"));
        bench.hear(PCM, Sound.join(Sound.voice(PCM, 1_000), Sound.room(PCM, 300), Sound.voice(PCM, 500)));

        assertThat(bench.last("input_audio_buffer.speech_started")
                        .path("audio_start_ms")
                        .asLong())
                .isEqualTo(bench.only("input_audio_buffer.speech_stopped")
                        .path("audio_end_ms")
                        .asLong());
    }

    @Test
    void eagernessIsPatience() {
        var low = Bench.configured(semantic("low"));
        speakTurn(low, PCM);
        low.hear(PCM, Sound.room(PCM, 2_000));
        var high = Bench.configured(semantic("high"));
        speakTurn(high, PCM);

        assertThat(low.only("input_audio_buffer.speech_stopped")
                        .path("audio_end_ms")
                        .asLong())
                .isCloseTo(4_600, within(40L));
        assertThat(high.only("input_audio_buffer.speech_stopped")
                        .path("audio_end_ms")
                        .asLong())
                .isCloseTo(3_400, within(40L));
    }

    @Test
    void withoutCreateResponseTheClientDecides() {
        var bench = Bench.configured(detection("'create_response':false"));
        speakTurn(bench, PCM);
        bench.timers.advance(10_000);

        assertThat(bench.types()).endsWith("conversation.item.done").doesNotContain("response.created");
    }

    @Test
    void framesOfAnyLengthGiveTheSameTurn() {
        var bench = Bench.configured("{'type':'realtime'}");
        var all = turn(PCM);
        for (int at = 0; at < all.length; at += 1_000) {
            bench.append(java.util.Arrays.copyOfRange(all, at, Math.min(all.length, at + 1_000)));
        }
        var whole = Bench.configured("{'type':'realtime'}");
        whole.append(all);

        for (var each : java.util.List.of(bench, whole)) {
            assertThat(each.only("input_audio_buffer.speech_started")
                            .path("audio_start_ms")
                            .asLong())
                    .isEqualTo(700);
            assertThat(each.only("input_audio_buffer.speech_stopped")
                            .path("audio_end_ms")
                            .asLong())
                    .isCloseTo(3_500, within(20L));
        }
    }

    @Test
    void theAnswerAndTheTranscriptSayWhatWasMeasured() {
        var bench = Bench.configured("{'type':'realtime','audio':{'input':{'transcription':{'model':'whisper-1'}}}}");
        speakTurn(bench, PCM);
        bench.timers.advance(20_000);

        assertThat(bench.answer()).isEqualTo("I heard you speak for two seconds.");
        var completed = bench.only("conversation.item.input_audio_transcription.completed");
        assertThat(completed.path("transcript").asText()).isEqualTo("[speech, 2.0 s]");
        assertThat(completed.at("/usage/type").asText()).isEqualTo("duration");
        assertThat(completed.at("/usage/seconds").asDouble()).isCloseTo(2.8, within(0.05));
    }

    @Test
    void theAudioOfATurnCanBeHadAgain() {
        var bench = Bench.configured("{'type':'realtime','audio':{'input':{'transcription':{'model':'whisper-1'}}}}");
        speakTurn(bench, PCM);
        bench.timers.advance(20_000);
        var item = bench.only("input_audio_buffer.committed").path("item_id").asText();
        bench.send("{'type':'conversation.item.retrieve','item_id':'" + item + "'}");

        var part = bench.only("conversation.item.retrieved").at("/item/content/0");
        var audio = Base64.getDecoder().decode(part.path("audio").asText());
        assertThat(audio.length / 48).isCloseTo(2_800, within(40));
        assertThat(Sound.rms(PCM, audio)).isGreaterThan(0.05);
        assertThat(part.path("transcript").asText()).isEqualTo("[speech, 2.0 s]");
    }

    @Test
    void aClientCommitsWhatItAppended() {
        var bench = Bench.configured(MANUAL);
        bench.hear(PCM, Sound.voice(PCM, 1_010));
        bench.send("{'type':'input_audio_buffer.commit'}");

        assertThat(bench.types())
                .containsExactly("input_audio_buffer.committed", "conversation.item.added", "conversation.item.done");
        bench.respond();
        bench.timers.advance(10_000);
        assertThat(bench.answer()).isEqualTo("I heard you speak for one second.");
    }

    @Test
    void lessThanATenthOfASecondIsNothingToCommit() {
        var bench = Bench.configured(MANUAL);
        bench.append(Sound.voice(PCM, 99));
        bench.send("{'type':'input_audio_buffer.commit','event_id':'c1'}");

        var error = bench.only("error").path("error");
        assertThat(error.path("code").asText()).isEqualTo("input_audio_buffer_commit_empty");
        assertThat(error.path("event_id").asText()).isEqualTo("c1");
        bench.append(Sound.voice(PCM, 1));
        bench.send("{'type':'input_audio_buffer.commit'}");
        assertThat(bench.all("input_audio_buffer.committed")).hasSize(1);
    }

    @Test
    void clearForgetsWhatWasAppended() {
        var bench = Bench.configured(MANUAL);
        bench.append(Sound.voice(PCM, 500));
        bench.send("{'type':'input_audio_buffer.clear'}");
        bench.send("{'type':'input_audio_buffer.commit'}");

        assertThat(bench.types()).containsExactly("input_audio_buffer.cleared", "error");
    }

    @Test
    void commitAfterTheDetectionHasCommittedFindsNothing() {
        var bench = Bench.configured(detection("'create_response':false"));
        bench.hear(PCM, Sound.join(Sound.voice(PCM, 1_000), Sound.room(PCM, 500)));
        bench.send("{'type':'input_audio_buffer.commit'}");

        assertThat(bench.types())
                .endsWith("conversation.item.done", "error")
                .containsOnlyOnce("input_audio_buffer.committed");
    }

    @Test
    void silenceAfterAnAnswerIsNoticed() {
        var bench = Bench.configured(detection("'idle_timeout_ms':5000"), "speed=1000");
        speakTurn(bench, PCM);
        bench.timers.advance(1_000);
        assertThat(bench.last("response.done").at("/response/status").asText()).isEqualTo("completed");
        long answer = bench.audio().length / 48;
        bench.events.clear();
        bench.timers.advance(answer + 5_000 - 1_000 + 200);

        assertThat(bench.types())
                .startsWith(
                        "input_audio_buffer.timeout_triggered",
                        "input_audio_buffer.committed",
                        "conversation.item.added",
                        "conversation.item.done",
                        "response.created");
        bench.timers.advance(1_000);
        assertThat(bench.answer()).contains("silence");
    }

    @Test
    void whoSpeaksIsNotIdle() {
        var bench = Bench.configured(detection("'idle_timeout_ms':5000"), "speed=1000");
        speakTurn(bench, PCM);
        bench.timers.advance(1_000);
        bench.hear(PCM, Sound.voice(PCM, 200));
        bench.timers.advance(30_000);

        assertThat(bench.types()).doesNotContain("input_audio_buffer.timeout_triggered");
    }

    @Test
    void aTranscriptionSessionOnlyWritesDown() {
        var bench = Bench.open(
                new SimulatedConversation.Opening("simulator", true, "transcription", false), Bench.SETTINGS);
        bench.send("{'type':'session.update','session':{'type':'transcription','audio':{'input':{'transcription':"
                + "{'model':'whisper-1'}}}}}");
        speakTurn(bench, PCM);
        bench.timers.advance(10_000);

        assertThat(bench.types())
                .containsExactly(
                        "session.created",
                        "session.updated",
                        "input_audio_buffer.speech_started",
                        "input_audio_buffer.speech_stopped",
                        "input_audio_buffer.committed",
                        "conversation.item.added",
                        "conversation.item.done",
                        "conversation.item.input_audio_transcription.delta*",
                        "conversation.item.input_audio_transcription.completed");
    }

    static final String MANUAL = "{'type':'realtime','audio':{'input':{'turn_detection':null}}}";

    static void speakTurn(Bench bench, AudioFormat format) {
        bench.hear(format, turn(format));
    }

    private static byte[] turn(AudioFormat format) {
        return Sound.join(Sound.room(format, 1_000), Sound.voice(format, 2_000), Sound.room(format, 700));
    }

    private static byte[] quietVoice() {
        var samples = new short[24_000];
        for (int i = 0; i < samples.length; i++) samples[i] = (short) (200 * Math.sin(i * 0.05));
        return Samples.encode(PCM, samples);
    }

    static String detection(String fields) {
        return "{'type':'realtime','audio':{'input':{'turn_detection':{'type':'server_vad'," + fields + "}}}}";
    }

    private static String semantic(String eagerness) {
        return "{'type':'realtime','audio':{'input':{'turn_detection':{'type':'semantic_vad','eagerness':'" + eagerness
                + "'}}}}";
    }

    private static String json(AudioFormat format) {
        return format.json().toString();
    }
}
