package parley.provider.simulator;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.typesafe.config.ConfigFactory;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import parley.protocol.AudioFormat;
import parley.provider.simulator.ConnectionStory.Answered;
import parley.provider.simulator.ConnectionStory.Heard;
import parley.provider.simulator.ConnectionStory.Moment;

/** What the simulator can testify of one connection. */
@Tag("unit")
class ConnectionStoryTest {

    private static final AudioFormat PCM = AudioFormat.PCM16_24K;
    private static final String MANUAL = "{'type':'realtime','audio':{'input':{'turn_detection':null}}}";

    @Test
    void aConnectionOnWhichNothingHappened() {
        var story = Bench.open().diary.story();

        assertThat(story.caller()).isEqualTo("caller-1");
        assertThat(story.model()).isEqualTo("simulator");
        assertThat(story.opened()).isEqualTo(new Moment(0, HeldTimers.NOON));
        assertThat(story.firstAudio()).isNull();
        assertThat(story.lastAudio()).isNull();
        assertThat(story.turns()).isEmpty();
        assertThat(story.responses()).isEmpty();
        assertThat(story.items()).isEmpty();
        assertThat(story.closed()).isNull();
        assertThat(story.closeCode()).isZero();
    }

    @ParameterizedTest
    @EnumSource(AudioFormat.class)
    void turnsAreToldApartByTheirPitch(AudioFormat format) {
        var bench = Bench.configured("{'type':'realtime','audio':{'input':{'format':" + format.json()
                + ",'turn_detection':{'type':'server_vad','create_response':false}}}}");
        for (int hertz = 300; hertz <= 600; hertz += 100) {
            bench.hear(
                    format,
                    Sound.join(Sound.room(format, 400), Sound.tone(format, hertz, 610), Sound.room(format, 610)));
        }

        var turns = bench.diary.story().turns();
        assertThat(turns).hasSize(4).allSatisfy(turn -> {
            assertThat(turn.tone()).isTrue();
            assertThat(turn.speechMillis()).isCloseTo(610, within(40L));
            assertThat(turn.audioMillis()).isGreaterThan(turn.speechMillis());
        });
        for (int i = 0; i < 4; i++) assertThat(turns.get(i).hertz()).isCloseTo(300 + 100 * i, within(1));
        assertThat(turns)
                .extracting(Heard::itemId)
                .containsExactlyElementsOf(bench.all("input_audio_buffer.committed").stream()
                        .map(event -> event.path("item_id").asText())
                        .toList());
    }

    @Test
    void aClickBeforeATurnDoesNotChangeItsPitch() {
        var bench = Bench.configured("{'type':'realtime'}");
        bench.hear(
                PCM,
                Sound.join(
                        Sound.tone(PCM, 2_000, 40),
                        Sound.room(PCM, 100),
                        Sound.tone(PCM, 440, 800),
                        Sound.room(PCM, 700)));

        assertThat(bench.diary.story().turns())
                .hasSize(1)
                .first()
                .satisfies(turn -> assertThat(turn.hertz()).isCloseTo(440, within(1)));
    }

    @Test
    void aTurnThatTheClientCommitsHasAPitchToo() {
        var bench = Bench.configured(MANUAL);
        bench.hear(PCM, Sound.tone(PCM, 500, 300));
        bench.send("{'type':'input_audio_buffer.clear'}");
        bench.hear(PCM, Sound.tone(PCM, 700, 300));
        bench.send("{'type':'input_audio_buffer.commit'}");

        assertThat(bench.diary.story().turns()).hasSize(1).first().satisfies(turn -> {
            assertThat(turn.hertz()).isCloseTo(700, within(1));
            assertThat(turn.audioMillis()).isEqualTo(300);
        });
    }

    @Test
    void audioIsCountedAsItArrives() {
        var bench = Bench.configured(MANUAL);
        bench.timers.advance(1_000);
        bench.hear(PCM, Sound.room(PCM, 500));
        bench.timers.advance(2_000);
        bench.append(Samples.silence(PCM, 13));

        var story = bench.diary.story();
        assertThat(story.firstAudio()).isEqualTo(new Moment(1_000_000_000L, HeldTimers.NOON.plusSeconds(1)));
        assertThat(story.lastAudio()).isEqualTo(new Moment(3_000_000_000L, HeldTimers.NOON.plusSeconds(3)));
        assertThat(story.audioMillis()).isEqualTo(513);
    }

    @Test
    void responsesAreToldWithTheirEnd() {
        var bench = Bench.configured("{'type':'realtime','output_modalities':['text'],'tools':[{'type':'function',"
                + "'name':'current_time','parameters':{'type':'object','properties':{}}}]}");
        bench.say("current time");
        bench.respond();
        bench.timers.advance(5_000);
        bench.say("tell me a long story");
        bench.respond();
        bench.timers.advance(200);
        bench.send("{'type':'response.cancel'}");
        bench.respond();
        bench.conversation.end();
        bench.timers.advance(60_000);

        var ids = bench.all("response.created").stream()
                .map(event -> event.at("/response/id").asText())
                .toList();
        var callId = bench.only("response.function_call_arguments.done")
                .path("call_id")
                .asText();
        assertThat(bench.diary.story().responses())
                .satisfiesExactly(
                        called -> {
                            assertThat(called.id()).isEqualTo(ids.get(0));
                            assertThat(called.status()).isEqualTo("completed");
                            assertThat(called.callId()).isEqualTo(callId);
                        },
                        cancelled -> assertThat(cancelled)
                                .isEqualTo(new Answered(ids.get(1), moment(5_000), moment(5_200), "cancelled", null)),
                        lost -> assertThat(lost).isEqualTo(new Answered(ids.get(2), moment(5_200), null, null, null)));
    }

    @Test
    void aLongStoryLosesItsBeginning() {
        var settings = SimulatorSettings.from(
                ConfigFactory.parseString("parley.simulator.longest-story = 2").withFallback(ConfigFactory.load()));
        var bench = Bench.open(new SimulatedConversation.Opening("simulator", true, null, false), settings);
        for (var each : new String[] {"a", "bb", "ccc"}) {
            bench.say(each);
            bench.respond();
            bench.timers.advance(10_000);
        }

        var story = bench.diary.story();
        assertThat(story.items()).extracting(ConnectionStory.Given::letters).containsExactly(2L, 3L);
        assertThat(story.responses()).hasSize(2);
        assertThat(story.forgotten()).isEqualTo(2);
        assertThat(bench.counters.forgottenLines()).isEqualTo(2);
    }

    @Test
    void oldStoriesGo() {
        var settings = SimulatorSettings.from(
                ConfigFactory.parseString("parley.simulator.kept-stories = 2").withFallback(ConfigFactory.load()));
        var counters = new SimulatorCounters();
        var archive = new Archive(settings, counters);
        for (var caller : new String[] {"a", "b", "c"}) archive.begin(caller, "m");

        assertThat(archive.stories()).extracting(ConnectionStory::caller).containsExactly("b", "c");
        assertThat(counters.forgottenStories()).isEqualTo(1);
    }

    @Test
    void aToneIsToldInTheAnswerAndInTheTranscript() {
        var bench = Bench.configured("{'type':'realtime','audio':{'input':{'transcription':{'model':'whisper-1'}}}}");
        bench.hear(PCM, Sound.join(Sound.tone(PCM, 440, 1_200), Sound.room(PCM, 600)));
        bench.timers.advance(20_000);

        assertThat(bench.answer()).isEqualTo("I heard you speak for one point two seconds at 440 hertz.");
        assertThat(bench.only("conversation.item.input_audio_transcription.completed")
                        .path("transcript")
                        .asText())
                .isEqualTo("[speech, 1.2 s, 440 Hz]");
    }

    private static Moment moment(long millis) {
        return new Moment(millis * 1_000_000, HeldTimers.NOON.plusMillis(millis));
    }
}
