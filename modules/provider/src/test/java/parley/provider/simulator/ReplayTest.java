package parley.provider.simulator;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import parley.protocol.AudioFormat;
import parley.provider.simulator.ConnectionStory.Given;

/** A conversation that began somewhere else: its history is handed over, and it goes on. */
@Tag("unit")
class ReplayTest {

    private static final String TEXT = "{'type':'realtime','output_modalities':['text']}";

    @Test
    void everyItemOfTheHistoryIsTakenUnderItsOwnId() {
        var bench = Bench.configured(TEXT);
        user(bench, "item_1", "What time is it?");
        bench.send("{'type':'conversation.item.create','previous_item_id':'item_1','item':{'id':'item_2',"
                + "'type':'function_call','call_id':'call_1','name':'current_time','arguments':'{}'}}");
        bench.send("{'type':'conversation.item.create','previous_item_id':'item_2','item':{'id':'item_3',"
                + "'type':'function_call_output','call_id':'call_1','output':'noon'}}");
        assistant(bench, "item_4", "It is noon.");
        system(bench, "item_5", "The line was lost.");

        assertThat(bench.types())
                .containsExactly(
                        "conversation.item.added", "conversation.item.done",
                        "conversation.item.added", "conversation.item.done",
                        "conversation.item.added", "conversation.item.done",
                        "conversation.item.added", "conversation.item.done",
                        "conversation.item.added", "conversation.item.done");
        for (var type : new String[] {"conversation.item.added", "conversation.item.done"}) {
            assertThat(bench.all(type))
                    .extracting(event -> event.at("/item/id").asText())
                    .containsExactly("item_1", "item_2", "item_3", "item_4", "item_5");
            assertThat(bench.all(type))
                    .extracting(event -> event.path("previous_item_id").asText())
                    .containsExactly("null", "item_1", "item_2", "item_3", "item_4");
            assertThat(bench.all(type))
                    .extracting(event -> event.at("/item/status").asText())
                    .containsOnly("completed");
        }
        assertThat(bench.all("conversation.item.done")
                        .get(1)
                        .at("/item/call_id")
                        .asText())
                .isEqualTo("call_1");
        assertThat(bench.all("conversation.item.done")
                        .get(3)
                        .at("/item/content/0/text")
                        .asText())
                .isEqualTo("It is noon.");
    }

    @Test
    void theStoryTellsWhatWasHandedOver() {
        var bench = Bench.configured(TEXT);
        user(bench, "item_1", "Hello");
        bench.send("{'type':'conversation.item.create','item':{'id':'item_2','type':'function_call',"
                + "'call_id':'call_1','name':'abc','arguments':'{}'}}");
        bench.send("{'type':'conversation.item.create','item':{'id':'item_3','type':'function_call_output',"
                + "'call_id':'call_1','output':'noon'}}");
        bench.send("{'type':'conversation.item.create','item':{'id':'item_3','type':'function_call_output',"
                + "'call_id':'call_1','output':'twice'}}");
        bench.timers.advance(1_000);
        assistant(bench, "item_4", "Good day");

        var story = bench.diary.story();
        var then = story.opened();
        assertThat(story.items())
                .containsExactly(
                        new Given("item_1", then, "message", "user", 5, null),
                        new Given("item_2", then, "function_call", null, 5, "call_1"),
                        new Given("item_3", then, "function_call_output", null, 4, "call_1"),
                        new Given(
                                "item_4",
                                new ConnectionStory.Moment(1_000_000_000L, HeldTimers.NOON.plusSeconds(1)),
                                "message",
                                "assistant",
                                8,
                                null));
    }

    @Test
    void theLastThatTheUserSaidIsAnswered() {
        var bench = Bench.configured(TEXT);
        assistant(bench, "item_1", "Hello.");
        user(bench, "item_2", "[speech, 1.2 s, 440 Hz]");

        assertThat(answer(bench)).isEqualTo("You wrote: [speech, 1.2 s, 440 Hz].");
    }

    @Test
    void aSystemMessageBehindItChangesNothing() {
        var bench = Bench.configured(TEXT);
        user(bench, "item_1", "How are you");
        system(bench, "item_2", "The line was lost in the middle of the story.");
        system(bench, "item_3", "Go on.");

        assertThat(answer(bench)).isEqualTo("You wrote: How are you.");
    }

    @Test
    void aSystemMessageCanStillSayWhatToSay() {
        var bench = Bench.configured(TEXT);
        user(bench, "item_1", "How are you");
        system(bench, "item_2", "say exactly: Well.");

        assertThat(answer(bench)).isEqualTo("Well.");
    }

    @ParameterizedTest
    @CsvSource({"false", "true"})
    void anAnswerOfItsOwnIsGoneOnWith(boolean told) {
        var bench = Bench.configured(TEXT);
        user(bench, "item_1", "Tell me a long story");
        assistant(bench, "item_2", "You wrote: how");
        if (told) system(bench, "item_3", "The answer was cut in the middle of the story.");

        var first = answer(bench);
        assertThat(first).isEqualTo("And as I was saying, I am still here.");
        assertThat(answer(bench)).isNotEqualTo(first).contains("I was saying");
    }

    @Test
    void goingOnIsAudible() {
        var bench = Bench.configured("{'type':'realtime'}");
        assistant(bench, "item_1", "Once");
        answer(bench);

        assertThat(bench.last("response.done").at("/response/status").asText()).isEqualTo("completed");
        assertThat(Sound.rms(AudioFormat.PCM16_24K, bench.audio())).isGreaterThan(0.05);
    }

    @ParameterizedTest
    @CsvSource({"''", "'…'", "' ...'"})
    void theStoryIsGoneOnWithWhereItWasLeft(String mark) {
        var bench = Bench.configured(TEXT);
        int left = Story.WORDS.indexOf(" lit the great lamp");
        user(bench, "item_1", "Tell me a long story");
        assistant(bench, "item_2", Story.WORDS.substring(0, left) + mark);

        var rest = answer(bench);
        assertThat(rest).isEqualTo("And as I was saying, " + Story.WORDS.substring(left + 1));
    }

    @Test
    void anAnswerThatWentOnAndWasCutAgainGoesOnFromThere() {
        var bench = Bench.configured(TEXT);
        int first = Story.WORDS.indexOf("Every evening");
        int second = Story.WORDS.indexOf("One night");
        user(bench, "item_1", "Tell me a long story");
        assistant(bench, "item_2", Story.WORDS.substring(0, first).strip());
        assistant(
                bench,
                "item_3",
                "And as I was saying, " + Story.WORDS.substring(first, second).strip());

        assertThat(answer(bench)).isEqualTo("And as I was saying, " + Story.WORDS.substring(second));
    }

    @Test
    void aCallWithoutAnOutputIsMentioned() {
        var bench = Bench.configured(TEXT);
        bench.send("{'type':'conversation.item.create','item':{'id':'item_1','type':'function_call',"
                + "'call_id':'call_1','name':'current_time','arguments':'{}'}}");

        assertThat(answer(bench)).isEqualTo("I called current time and heard nothing.");
    }

    @Test
    void anOutputIsToldEvenWithASystemMessageBehindIt() {
        var bench = Bench.configured(TEXT);
        bench.send("{'type':'conversation.item.create','item':{'id':'item_1','type':'function_call',"
                + "'call_id':'call_1','name':'current_time','arguments':'{}'}}");
        bench.send("{'type':'conversation.item.create','item':{'id':'item_2','type':'function_call_output',"
                + "'call_id':'call_1','output':'noon'}}");
        system(bench, "item_3", "The line was lost.");

        assertThat(answer(bench)).isEqualTo("The tool current time answered: noon.");
    }

    private static String answer(Bench bench) {
        bench.respond();
        bench.timers.advance(60_000);
        return bench.answer();
    }

    private static void user(Bench bench, String id, String text) {
        message(bench, id, "user", "input_text", text);
    }

    private static void assistant(Bench bench, String id, String text) {
        message(bench, id, "assistant", "output_text", text);
    }

    private static void system(Bench bench, String id, String text) {
        message(bench, id, "system", "input_text", text);
    }

    private static void message(Bench bench, String id, String role, String type, String text) {
        bench.send("{'type':'conversation.item.create','item':{'id':'" + id + "','type':'message','role':'" + role
                + "','content':[{'type':'" + type + "','text':'" + text + "'}]}}");
    }
}
