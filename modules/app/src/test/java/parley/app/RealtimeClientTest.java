package parley.app;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import parley.app.clients.Seen;
import parley.app.clients.Seen.Said;
import parley.app.clients.Speech;
import parley.protocol.Wire;

/**
 * What every published client of the realtime protocol finds at a node, and what the node's transcript then tells of the
 * conversation. The clients are unmodified; a subclass only makes one of them hold each conversation.
 */
@Tag("client")
abstract class RealtimeClientTest {
    private static final double AUDIBLE = 0.01;
    private static final HttpClient HTTP = HttpClient.newHttpClient();

    static final TestNode NODE = TestNode.shared();

    @TempDir
    static Path directory;

    static Path speech;

    @BeforeAll
    static void speaks() {
        speech = Speech.wav(directory);
    }

    /** Holds a conversation with this token, closes it, and tells what the client saw. */
    abstract Seen hold(String conversation, String token) throws Exception;

    /** How the client words it that this token does not let it in. */
    abstract String refusal(String token) throws Exception;

    @Test
    void aCallerWithoutAValidTokenIsTurnedAwayAtTheDoor() throws Exception {
        assertThat(refusal("not-a-token")).contains("401");
    }

    @Test
    void aWrittenTurnIsAnsweredInWriting() throws Exception {
        var seen = hold("text-turn");

        assertThat(seen.types())
                .containsSubsequence(
                        "session.created",
                        "session.updated",
                        "conversation.item.added",
                        "conversation.item.done",
                        "response.created",
                        "response.output_item.added",
                        "conversation.item.added",
                        "response.content_part.added",
                        "response.output_text.delta",
                        "response.output_text.done",
                        "response.content_part.done",
                        "response.output_item.done",
                        "response.done")
                .doesNotContain("error", "response.output_audio.delta");
        assertThat(words(seen)).containsExactly("say exactly: Good morning from Parley.", "Good morning from Parley.");
        assertThat(seen.responses()).hasSize(1).allSatisfy(RealtimeClientTest::isCompletedAndCounted);
        assertThat(transcript(seen)).isEqualTo(seen.turns());
    }

    @Test
    void aSpokenTurnIsHeardTranscribedAndAnsweredAloud() throws Exception {
        var seen = hold("voice-turn");

        assertThat(seen.types())
                .containsSubsequence(
                        "session.created",
                        "input_audio_buffer.speech_started",
                        "input_audio_buffer.speech_stopped",
                        "input_audio_buffer.committed",
                        "conversation.item.added",
                        "conversation.item.done",
                        "response.created",
                        "response.output_item.added",
                        "conversation.item.added",
                        "response.content_part.added",
                        "response.output_audio.delta",
                        "response.output_audio.done",
                        "response.content_part.done",
                        "response.output_item.done",
                        "response.done")
                .containsSubsequence(
                        "input_audio_buffer.committed", "conversation.item.input_audio_transcription.completed")
                .doesNotContain("error");
        assertThat(seen.turns()).extracting(Said::role).containsExactly("user", "agent");
        var asked = seen.turns().getFirst();
        var answered = seen.turns().getLast();
        assertThat(seen.only("input_audio_buffer.committed").path("item_id").asText())
                .isEqualTo(asked.itemId());
        assertThat(asked.words()).matches("\\[speech, \\d\\.\\d s]");
        assertThat(answered.words()).startsWith("I heard you speak for");
        assertThat(shownWords(seen, answered.itemId())).isEqualTo(answered.words());
        assertThat(seen.loudness(answered.itemId())).isGreaterThan(AUDIBLE);
        assertThat(seen.responses()).hasSize(1).allSatisfy(RealtimeClientTest::isCompletedAndCounted);
        var usage = seen.responses().getFirst().path("usage");
        assertThat(usage.at("/input_token_details/audio_tokens").asInt()).isPositive();
        assertThat(usage.at("/output_token_details/audio_tokens").asInt()).isPositive();
        assertThat(transcript(seen)).isEqualTo(seen.turns());
        assertThat(turn(seen, answered.itemId()).path("audio_ms").asLong()).isEqualTo(seen.audioMs(answered.itemId()));
        assertThat(turn(seen, answered.itemId()).has("interrupted")).isFalse();
    }

    @Test
    void aFunctionIsCalledAndItsOutputSpoken() throws Exception {
        var seen = hold("function-call");

        assertThat(seen.types())
                .containsSubsequence(
                        "response.created",
                        "response.output_item.added",
                        "conversation.item.added",
                        "response.function_call_arguments.delta",
                        "response.function_call_arguments.done",
                        "response.output_item.done",
                        "response.done",
                        "response.created",
                        "response.output_audio.delta",
                        "response.done")
                .doesNotContain("error");
        assertThat(seen.turns()).extracting(Said::role).containsExactly("user", "tool_call", "tool_result", "agent");
        assertThat(words(seen))
                .containsExactly(
                        "Tell me the weather, city=Paris",
                        "{\"city\":\"Paris\"}",
                        "sunny",
                        "The tool weather answered: sunny.");
        assertThat(seen.loudness(seen.turns().getLast().itemId())).isGreaterThan(AUDIBLE);
        assertThat(seen.responses()).hasSize(2).allSatisfy(RealtimeClientTest::isCompletedAndCounted);
        assertThat(transcript(seen)).isEqualTo(seen.turns());
        var called = turn(seen, seen.turns().get(1).itemId());
        var answered = turn(seen, seen.turns().get(2).itemId());
        assertThat(called.path("name").asText()).isEqualTo("weather");
        assertThat(called.path("call_id").asText())
                .isNotEmpty()
                .isEqualTo(answered.path("call_id").asText())
                .isEqualTo(seen.only("response.function_call_arguments.done")
                        .path("call_id")
                        .asText());
    }

    @Test
    void anAgentThatIsSpokenOverStopsAndIsCutAtWhatWasHeard() throws Exception {
        var seen = hold("barge-in");

        assertThat(seen.types())
                .containsSubsequence(
                        "response.created",
                        "response.output_audio.delta",
                        "input_audio_buffer.speech_started",
                        "response.output_item.done",
                        "response.done",
                        "input_audio_buffer.committed",
                        "response.created",
                        "response.output_audio.delta",
                        "response.done")
                .containsSubsequence("input_audio_buffer.speech_started", "conversation.item.truncated")
                .doesNotContain("error");
        assertThat(seen.responses())
                .extracting(response -> response.path("status").asText())
                .containsExactly("cancelled", "completed");
        assertThat(seen.responses().getFirst().at("/status_details/reason").asText())
                .isEqualTo("turn_detected");
        assertThat(seen.responses()).allSatisfy(RealtimeClientTest::isCounted);
        assertThat(seen.turns()).extracting(Said::role).containsExactly("user", "agent", "user", "agent");
        assertThat(seen.loudness(seen.turns().getLast().itemId())).isGreaterThan(AUDIBLE);
        isCutAtWhatWasHeard(seen);
        assertThat(noAudioFollowsTheCut(seen)).isTrue();
    }

    @Test
    void anAnswerThatWasSentButNotYetHeardIsCutToo() throws Exception {
        var seen = hold("late-barge-in");

        assertThat(seen.types())
                .containsSubsequence(
                        "response.done",
                        "input_audio_buffer.speech_started",
                        "input_audio_buffer.committed",
                        "response.created",
                        "response.output_audio.delta",
                        "response.done")
                .containsSubsequence("input_audio_buffer.speech_started", "conversation.item.truncated")
                .doesNotContain("error");
        assertThat(seen.responses()).hasSize(2).allSatisfy(RealtimeClientTest::isCompletedAndCounted);
        assertThat(seen.turns()).extracting(Said::role).containsExactly("user", "agent", "user", "agent");
        isCutAtWhatWasHeard(seen);
        var cut = cutItem(seen);
        assertThat(turn(seen, cut).path("audio_ms").asLong()).isEqualTo(seen.audioMs(cut));
    }

    @Test
    void anEventThatIsWrongIsComplainedAboutAndTheConversationGoesOn() throws Exception {
        var seen = hold("error-survives");

        assertThat(seen.all("error"))
                .extracting(event -> event.at("/error/event_id").asText())
                .containsExactly("wrong-1", "wrong-2", "wrong-3");
        assertThat(seen.all("error"))
                .extracting(event -> event.at("/error/type").asText())
                .containsOnly("invalid_request_error");
        assertThat(words(seen)).containsExactly("say exactly: Still here.", "Still here.");
        assertThat(seen.responses()).hasSize(1).allSatisfy(RealtimeClientTest::isCompletedAndCounted);
        assertThat(transcript(seen)).isEqualTo(seen.turns());
    }

    final Seen hold(String conversation) throws Exception {
        return hold(conversation, NODE.token(user()));
    }

    /** The truncation was taken, and client, provider and transcript agree about it. */
    final void isCutAtWhatWasHeard(Seen seen) throws IOException, InterruptedException {
        var truncated = seen.only("conversation.item.truncated");
        var cut = cutItem(seen);
        long heard = truncated.path("audio_end_ms").asLong();
        assertThat(truncated.path("item_id").asText()).isEqualTo(cut);
        assertThat(heard).isPositive().isLessThanOrEqualTo(seen.audioMs(cut));

        var retrieved = seen.all("conversation.item.retrieved").stream()
                .map(event -> event.path("item"))
                .filter(item -> item.path("id").asText().equals(cut))
                .findFirst()
                .orElseThrow();
        assertThat(retrieved.at("/content/0/transcript").asText("")).isEmpty();

        var told = turn(seen, cut);
        assertThat(told.path("interrupted").asBoolean()).isTrue();
        assertThat(told.path("heard_ms").asLong()).isEqualTo(heard);
        assertThat(told.path("audio_ms").asLong()).isGreaterThanOrEqualTo(seen.audioMs(cut));
        assertThat(told.path("full_text").asText())
                .startsWith(told.path("text").asText())
                .hasSizeGreaterThan(told.path("text").asText().length());
        assertThat(transcript(seen)).isEqualTo(seen.turns());
    }

    static String cutItem(Seen seen) {
        return seen.notes().path("itemId").asText();
    }

    static List<String> words(Seen seen) {
        return seen.turns().stream().map(Said::words).toList();
    }

    /** The node's transcript of the conversation, in the words that were said, heard or not. */
    final List<Said> transcript(Seen seen) throws IOException, InterruptedException {
        return said(turns(seen));
    }

    private static List<Said> said(JsonNode turns) {
        var said = new ArrayList<Said>();
        for (var turn : turns) {
            said.add(new Said(
                    turn.path("role").asText(),
                    turn.path("item_id").asText(),
                    turn.path(turn.has("full_text") ? "full_text" : "text").asText()));
        }
        return said;
    }

    private JsonNode turn(Seen seen, String itemId) throws IOException, InterruptedException {
        return turn(turns(seen), itemId);
    }

    private static JsonNode turn(JsonNode turns, String itemId) {
        for (var turn : turns) {
            if (turn.path("item_id").asText().equals(itemId)) {
                return turn;
            }
        }
        throw new AssertionError(itemId + " is not in the transcript");
    }

    /** Facts reach the journal a moment after the client: as they are once they fit what it saw. */
    private JsonNode turns(Seen seen) throws IOException, InterruptedException {
        long patience = System.nanoTime() + TimeUnit.SECONDS.toNanos(60);
        var turns = journaled(seen);
        while (!fits(seen, turns) && System.nanoTime() < patience) {
            LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(50));
            turns = journaled(seen);
        }
        return turns;
    }

    private static boolean fits(Seen seen, JsonNode turns) {
        return said(turns).equals(seen.turns())
                && seen.all("conversation.item.truncated").stream()
                        .allMatch(cut -> turn(turns, cut.path("item_id").asText())
                                        .path("heard_ms")
                                        .asLong()
                                == cut.path("audio_end_ms").asLong());
    }

    private JsonNode journaled(Seen seen) throws IOException, InterruptedException {
        var request = HttpRequest.newBuilder(NODE.http("/v1/sessions/" + seen.sessionId() + "/transcript"))
                .header("Authorization", "Bearer " + NODE.token(user()))
                .timeout(Duration.ofMinutes(1))
                .build();
        var answer = HTTP.send(request, BodyHandlers.ofString());
        assertThat(answer.statusCode()).as(answer.body()).isEqualTo(200);
        return Wire.parse(answer.body()).path("turns");
    }

    /** Each client has its own user. */
    private String user() {
        return getClass().getSimpleName();
    }

    private static String shownWords(Seen seen, String itemId) {
        return String.join(
                "",
                seen.all("response.output_audio_transcript.delta").stream()
                        .filter(delta -> delta.path("item_id").asText().equals(itemId))
                        .map(delta -> delta.path("delta").asText())
                        .toList());
    }

    private static boolean noAudioFollowsTheCut(Seen seen) {
        var afterwards = seen.events()
                .subList(
                        seen.types().indexOf("input_audio_buffer.speech_started"),
                        seen.events().size());
        return afterwards.stream()
                .filter(event -> event.path("type").asText().equals("response.output_audio.delta"))
                .noneMatch(event -> event.path("item_id").asText().equals(cutItem(seen)));
    }

    private static void isCompletedAndCounted(JsonNode response) {
        assertThat(response.path("status").asText()).isEqualTo("completed");
        isCounted(response);
    }

    private static void isCounted(JsonNode response) {
        var usage = response.path("usage");
        assertThat(usage.path("input_tokens").asInt()).isPositive();
        assertThat(usage.path("output_tokens").asInt()).isPositive();
        assertThat(usage.path("total_tokens").asInt())
                .isEqualTo(usage.path("input_tokens").asInt()
                        + usage.path("output_tokens").asInt());
    }
}
