package parley.app;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.google.errorprone.annotations.MustBeClosed;
import com.openai.client.okhttp.OkHttpClient;
import com.openai.core.ClientOptions;
import com.openai.core.JsonValue;
import com.openai.core.ObjectMappers;
import com.openai.core.http.WebSocketHandshakeException;
import com.openai.core.http.WebSocketWriteNotAttempted;
import com.openai.helpers.RealtimeConnection;
import com.openai.helpers.RealtimeWebSocketOptions;
import com.openai.models.realtime.AudioTranscription;
import com.openai.models.realtime.ConversationItemCreateEvent;
import com.openai.models.realtime.ConversationItemRetrieveEvent;
import com.openai.models.realtime.ConversationItemTruncateEvent;
import com.openai.models.realtime.InputAudioBufferAppendEvent;
import com.openai.models.realtime.InputAudioBufferCommitEvent;
import com.openai.models.realtime.RealtimeAudioConfig;
import com.openai.models.realtime.RealtimeAudioConfigInput;
import com.openai.models.realtime.RealtimeAudioInputTurnDetection;
import com.openai.models.realtime.RealtimeClientEvent;
import com.openai.models.realtime.RealtimeConversationItemFunctionCallOutput;
import com.openai.models.realtime.RealtimeConversationItemUserMessage;
import com.openai.models.realtime.RealtimeFunctionTool;
import com.openai.models.realtime.RealtimeServerEvent;
import com.openai.models.realtime.RealtimeSessionCreateRequest;
import com.openai.models.realtime.ResponseAudioDeltaEvent;
import com.openai.models.realtime.ResponseCancelEvent;
import com.openai.models.realtime.ResponseCreateEvent;
import com.openai.models.realtime.SessionUpdateEvent;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import parley.app.clients.Seen;
import parley.app.clients.Speech;

/**
 * {@code RealtimeConnection} of {@code com.openai:openai-java}. Every event must be what its typed models say, to the
 * last required field.
 */
class OpenAiJavaClientTest extends RealtimeClientTest {
    private static final Duration PATIENCE = Duration.ofMinutes(1);

    @Override
    Seen hold(String conversation, String token) throws Exception {
        try (var http = OkHttpClient.builder().build();
                var connection = connect(http, token)) {
            var call = new Call(connection);
            switch (conversation) {
                case "text-turn" -> textTurn(call);
                case "voice-turn" -> voiceTurn(call);
                case "function-call" -> functionCall(call);
                case "barge-in" -> bargeIn(call);
                case "late-barge-in" -> lateBargeIn(call);
                case "error-survives" -> errorSurvives(call);
                default -> throw new IllegalArgumentException(conversation);
            }
            return call.seen();
        }
    }

    @Override
    String refusal(String token) {
        try (var http = OkHttpClient.builder().build();
                var connection = connect(http, token)) {
            return "none, but " + connection.receive();
        } catch (WebSocketHandshakeException refused) {
            return String.valueOf(refused.statusCode());
        }
    }

    @MustBeClosed
    private static RealtimeConnection connect(OkHttpClient http, String token) {
        return RealtimeConnection.connect(
                ClientOptions.builder()
                        .httpClient(http)
                        .baseUrl(NODE.http("/v1").toString())
                        .apiKey(token)
                        .build(),
                RealtimeWebSocketOptions.builder().model("simulator").build());
    }

    private static void textTurn(Call call) throws Exception {
        call.begin(writing());
        call.ask("say exactly: Good morning from Parley.");
        call.nth(1, RealtimeServerEvent::responseDone);
    }

    private static void voiceTurn(Call call) throws Exception {
        call.begin(listening());
        call.speak();
        call.nth(1, RealtimeServerEvent::responseDone);
        call.nth(1, RealtimeServerEvent::conversationItemInputAudioTranscriptionCompleted);
    }

    private static void functionCall(Call call) throws Exception {
        call.begin(session()
                .addTool(RealtimeFunctionTool.builder()
                        .type(RealtimeFunctionTool.Type.FUNCTION)
                        .name("weather")
                        .description("The weather in a city.")
                        .parameters(JsonValue.from(Map.of(
                                "type",
                                "object",
                                "properties",
                                Map.of("city", Map.of("type", "string")),
                                "required",
                                List.of("city"))))
                        .build()));
        call.ask("Tell me the weather, city=Paris");
        var called = call.nth(1, RealtimeServerEvent::responseFunctionCallArgumentsDone);
        call.nth(1, RealtimeServerEvent::responseDone);
        call.send(RealtimeClientEvent.ofConversationItemCreate(ConversationItemCreateEvent.builder()
                .item(RealtimeConversationItemFunctionCallOutput.builder()
                        .callId(called.callId())
                        .output("sunny")
                        .build())
                .build()));
        call.respond();
        call.nth(2, RealtimeServerEvent::responseDone);
    }

    private static void bargeIn(Call call) throws Exception {
        call.begin(listening());
        call.ask("Please tell me a long story.");
        var delta = call.nth(1, RealtimeServerEvent::responseOutputAudioDelta);
        while (call.receivedMs() < 2000 || call.playedMs() < 100) {
            call.receive();
        }
        speakOver(call, delta.itemId());
    }

    private static void lateBargeIn(Call call) throws Exception {
        call.begin(listening());
        call.ask(
                "say exactly: This answer has been sent long before anybody can have heard all of it, for it is made much faster than it is spoken.");
        var delta = call.nth(1, RealtimeServerEvent::responseOutputAudioDelta);
        call.nth(1, RealtimeServerEvent::responseDone);
        speakOver(call, delta.itemId());
    }

    private static void speakOver(Call call, String itemId) throws Exception {
        call.speak();
        call.nth(1, RealtimeServerEvent::inputAudioBufferSpeechStarted);
        call.send(RealtimeClientEvent.ofConversationItemTruncate(ConversationItemTruncateEvent.builder()
                .itemId(itemId)
                .contentIndex(0)
                .audioEndMs(call.playedMs())
                .build()));
        call.nth(1, RealtimeServerEvent::conversationItemTruncated);
        call.nth(2, RealtimeServerEvent::responseDone);
        call.nth(1, RealtimeServerEvent::conversationItemInputAudioTranscriptionCompleted);
        call.send(RealtimeClientEvent.ofConversationItemRetrieve(
                ConversationItemRetrieveEvent.builder().itemId(itemId).build()));
        call.nth(1, RealtimeServerEvent::conversationItemRetrieved);
        call.note("itemId", itemId);
    }

    private static void errorSurvives(Call call) throws Exception {
        call.begin(writing());
        call.send(RealtimeClientEvent.ofConversationItemTruncate(ConversationItemTruncateEvent.builder()
                .eventId("wrong-1")
                .itemId("item_of_nobody")
                .contentIndex(0)
                .audioEndMs(10)
                .build()));
        call.nth(1, RealtimeServerEvent::error);
        call.send(RealtimeClientEvent.ofInputAudioBufferCommit(
                InputAudioBufferCommitEvent.builder().eventId("wrong-2").build()));
        call.nth(2, RealtimeServerEvent::error);
        call.send(RealtimeClientEvent.ofResponseCancel(ResponseCancelEvent.builder()
                .type(JsonValue.from("no.such.event"))
                .eventId("wrong-3")
                .build()));
        call.nth(3, RealtimeServerEvent::error);
        call.ask("say exactly: Still here.");
        call.nth(1, RealtimeServerEvent::responseDone);
    }

    private static RealtimeSessionCreateRequest.Builder session() {
        return RealtimeSessionCreateRequest.builder();
    }

    private static RealtimeSessionCreateRequest.Builder writing() {
        return session().addOutputModality(RealtimeSessionCreateRequest.OutputModality.TEXT);
    }

    private static RealtimeSessionCreateRequest.Builder listening() {
        return session()
                .audio(RealtimeAudioConfig.builder()
                        .input(RealtimeAudioConfigInput.builder()
                                .transcription(AudioTranscription.builder()
                                        .model("gpt-4o-mini-transcribe")
                                        .build())
                                .turnDetection(RealtimeAudioInputTurnDetection.ServerVad.builder()
                                        .createResponse(true)
                                        .interruptResponse(true)
                                        .build())
                                .build())
                        .build());
    }

    /** One connection, and a player that plays the first item's audio as it comes. */
    private static final class Call {
        private final RealtimeConnection connection;
        private final List<RealtimeServerEvent> received = new ArrayList<>();
        private final List<JsonNode> events = new ArrayList<>();
        private final ObjectNode notes = JsonNodeFactory.instance.objectNode();
        private long audioSince;

        Call(RealtimeConnection connection) {
            this.connection = connection;
        }

        void begin(RealtimeSessionCreateRequest.Builder session) throws Exception {
            nth(1, RealtimeServerEvent::sessionCreated);
            send(RealtimeClientEvent.ofSessionUpdate(
                    SessionUpdateEvent.builder().session(session.build()).build()));
            nth(1, RealtimeServerEvent::sessionUpdated);
        }

        void ask(String text) {
            send(RealtimeClientEvent.ofConversationItemCreate(ConversationItemCreateEvent.builder()
                    .item(RealtimeConversationItemUserMessage.builder()
                            .addContent(RealtimeConversationItemUserMessage.Content.builder()
                                    .type(RealtimeConversationItemUserMessage.Content.Type.INPUT_TEXT)
                                    .text(text)
                                    .build())
                            .build())
                    .build()));
            respond();
        }

        void respond() {
            send(RealtimeClientEvent.ofResponseCreate(
                    ResponseCreateEvent.builder().build()));
        }

        /** The recording in pieces of 100 ms, and a second of silence, so that its end is noticed. */
        void speak() throws IOException {
            var samples = Speech.pcm(speech);
            var spoken = Arrays.copyOf(samples, samples.length + 1000 * Speech.BYTES_PER_MS);
            int piece = 100 * Speech.BYTES_PER_MS;
            for (int at = 0; at < spoken.length; at += piece) {
                var audio = Arrays.copyOfRange(spoken, at, Math.min(at + piece, spoken.length));
                send(RealtimeClientEvent.ofInputAudioBufferAppend(InputAudioBufferAppendEvent.builder()
                        .audio(Base64.getEncoder().encodeToString(audio))
                        .build()));
            }
        }

        /** The client takes one event at a time and refuses the next until that has left. */
        void send(RealtimeClientEvent event) {
            long limit = System.nanoTime() + PATIENCE.toNanos();
            while (true) {
                try {
                    connection.send(event);
                    return;
                } catch (IllegalStateException busy) {
                    if (!(busy instanceof WebSocketWriteNotAttempted) || System.nanoTime() > limit) {
                        throw busy;
                    }
                    Thread.onSpinWait();
                }
            }
        }

        RealtimeServerEvent receive() throws Exception {
            var event = connection.receiveAsync().get(PATIENCE.toMillis(), TimeUnit.MILLISECONDS);
            if (event.isResponseOutputAudioDelta() && audioSince == 0) {
                audioSince = System.nanoTime();
            }
            received.add(event.validate());
            events.add(ObjectMappers.jsonMapper().valueToTree(event));
            return event;
        }

        /** The nth event of a kind, received already or to come. */
        <E> E nth(int n, Function<RealtimeServerEvent, Optional<E>> kind) throws Exception {
            long count = received.stream()
                    .filter(event -> kind.apply(event).isPresent())
                    .count();
            while (count < n) {
                count += kind.apply(receive()).isPresent() ? 1 : 0;
            }
            return received.stream()
                    .flatMap(event -> kind.apply(event).stream())
                    .skip(n - 1L)
                    .findFirst()
                    .orElseThrow();
        }

        long receivedMs() {
            var deltas = received.stream()
                    .flatMap(event -> event.responseOutputAudioDelta().stream())
                    .toList();
            return deltas.stream()
                            .filter(delta ->
                                    delta.itemId().equals(deltas.getFirst().itemId()))
                            .map(ResponseAudioDeltaEvent::delta)
                            .mapToLong(delta -> Base64.getDecoder().decode(delta).length)
                            .sum()
                    / Speech.BYTES_PER_MS;
        }

        long playedMs() {
            return Math.min(
                    receivedMs(),
                    Duration.ofNanos(System.nanoTime() - audioSince).toMillis());
        }

        void note(String name, String value) {
            notes.put(name, value);
        }

        Seen seen() {
            return new Seen(List.copyOf(events), notes);
        }
    }
}
