package parley.protocol;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What a server may say. OpenAI Realtime reference, server events.
 *
 * <p>{@code eventId} must be set on every event sent to a client: clients that validate drop an event without it
 * silently. It may be null only in what a provider sent and in {@link InputAudioBufferDtmfEventReceived}.
 */
public sealed interface ServerEvent {

    /** The server's mark; null only in what a provider sent without one. */
    @Nullable
    String eventId();

    /** The type on the wire; {@link EventType#UNKNOWN}, or a beta type, for {@link Unknown}. */
    default EventType type() {
        return switch (this) {
            case SessionCreated e -> EventType.SESSION_CREATED;
            case SessionUpdated e -> EventType.SESSION_UPDATED;
            case Error e -> EventType.ERROR;
            case ConversationCreated e -> EventType.CONVERSATION_CREATED;
            case ConversationItemAdded e -> EventType.CONVERSATION_ITEM_ADDED;
            case ConversationItemDone e -> EventType.CONVERSATION_ITEM_DONE;
            case ConversationItemCreated e -> EventType.CONVERSATION_ITEM_CREATED;
            case ConversationItemRetrieved e -> EventType.CONVERSATION_ITEM_RETRIEVED;
            case ConversationItemTruncated e -> EventType.CONVERSATION_ITEM_TRUNCATED;
            case ConversationItemDeleted e -> EventType.CONVERSATION_ITEM_DELETED;
            case ConversationItemInputAudioTranscriptionDelta e ->
                EventType.CONVERSATION_ITEM_INPUT_AUDIO_TRANSCRIPTION_DELTA;
            case ConversationItemInputAudioTranscriptionCompleted e ->
                EventType.CONVERSATION_ITEM_INPUT_AUDIO_TRANSCRIPTION_COMPLETED;
            case ConversationItemInputAudioTranscriptionFailed e ->
                EventType.CONVERSATION_ITEM_INPUT_AUDIO_TRANSCRIPTION_FAILED;
            case ConversationItemInputAudioTranscriptionSegment e ->
                EventType.CONVERSATION_ITEM_INPUT_AUDIO_TRANSCRIPTION_SEGMENT;
            case InputAudioBufferCommitted e -> EventType.INPUT_AUDIO_BUFFER_COMMITTED;
            case InputAudioBufferCleared e -> EventType.INPUT_AUDIO_BUFFER_CLEARED;
            case InputAudioBufferSpeechStarted e -> EventType.INPUT_AUDIO_BUFFER_SPEECH_STARTED;
            case InputAudioBufferSpeechStopped e -> EventType.INPUT_AUDIO_BUFFER_SPEECH_STOPPED;
            case InputAudioBufferTimeoutTriggered e -> EventType.INPUT_AUDIO_BUFFER_TIMEOUT_TRIGGERED;
            case InputAudioBufferDtmfEventReceived e -> EventType.INPUT_AUDIO_BUFFER_DTMF_EVENT_RECEIVED;
            case RateLimitsUpdated e -> EventType.RATE_LIMITS_UPDATED;
            case ResponseCreated e -> EventType.RESPONSE_CREATED;
            case ResponseOutputItemAdded e -> EventType.RESPONSE_OUTPUT_ITEM_ADDED;
            case ResponseContentPartAdded e -> EventType.RESPONSE_CONTENT_PART_ADDED;
            case ResponseOutputTextDelta e -> EventType.RESPONSE_OUTPUT_TEXT_DELTA;
            case ResponseOutputTextDone e -> EventType.RESPONSE_OUTPUT_TEXT_DONE;
            case ResponseOutputAudioTranscriptDelta e -> EventType.RESPONSE_OUTPUT_AUDIO_TRANSCRIPT_DELTA;
            case ResponseOutputAudioTranscriptDone e -> EventType.RESPONSE_OUTPUT_AUDIO_TRANSCRIPT_DONE;
            case ResponseOutputAudioDelta e -> EventType.RESPONSE_OUTPUT_AUDIO_DELTA;
            case ResponseOutputAudioDone e -> EventType.RESPONSE_OUTPUT_AUDIO_DONE;
            case ResponseContentPartDone e -> EventType.RESPONSE_CONTENT_PART_DONE;
            case ResponseFunctionCallArgumentsDelta e -> EventType.RESPONSE_FUNCTION_CALL_ARGUMENTS_DELTA;
            case ResponseFunctionCallArgumentsDone e -> EventType.RESPONSE_FUNCTION_CALL_ARGUMENTS_DONE;
            case ResponseOutputItemDone e -> EventType.RESPONSE_OUTPUT_ITEM_DONE;
            case ResponseDone e -> EventType.RESPONSE_DONE;
            case McpListToolsInProgress e -> EventType.MCP_LIST_TOOLS_IN_PROGRESS;
            case McpListToolsCompleted e -> EventType.MCP_LIST_TOOLS_COMPLETED;
            case McpListToolsFailed e -> EventType.MCP_LIST_TOOLS_FAILED;
            case ResponseMcpCallArgumentsDelta e -> EventType.RESPONSE_MCP_CALL_ARGUMENTS_DELTA;
            case ResponseMcpCallArgumentsDone e -> EventType.RESPONSE_MCP_CALL_ARGUMENTS_DONE;
            case ResponseMcpCallInProgress e -> EventType.RESPONSE_MCP_CALL_IN_PROGRESS;
            case ResponseMcpCallCompleted e -> EventType.RESPONSE_MCP_CALL_COMPLETED;
            case ResponseMcpCallFailed e -> EventType.RESPONSE_MCP_CALL_FAILED;
            case OutputAudioBufferStarted e -> EventType.OUTPUT_AUDIO_BUFFER_STARTED;
            case OutputAudioBufferStopped e -> EventType.OUTPUT_AUDIO_BUFFER_STOPPED;
            case OutputAudioBufferCleared e -> EventType.OUTPUT_AUDIO_BUFFER_CLEARED;
            case Unknown e -> EventType.of(e.typeName());
        };
    }

    /** The first event on every connection. */
    record SessionCreated(@Nullable String eventId, SessionConfig session) implements ServerEvent {}

    /** The whole session after an accepted update. */
    record SessionUpdated(@Nullable String eventId, SessionConfig session) implements ServerEvent {}

    /** Somebody made a mistake; the session normally stays open. */
    @SuppressWarnings("AvoidCommonTypeNames") // The wire calls it so, and it is used under the name of its owner.
    record Error(@Nullable String eventId, ErrorBody error) implements ServerEvent {}

    /** Optional, after {@link SessionCreated}. */
    record ConversationCreated(@Nullable String eventId, Conversation conversation) implements ServerEvent {}

    /** An item entered the conversation; the model's own come empty and in progress. */
    record ConversationItemAdded(
            @Nullable String eventId, @Nullable Previous previousItemId, Item item) implements ServerEvent {}

    /** An item is final: full content, no audio bytes. */
    record ConversationItemDone(
            @Nullable String eventId, @Nullable Previous previousItemId, Item item) implements ServerEvent {}

    /** Beta; never sent to a client of the present dialect. */
    record ConversationItemCreated(
            @Nullable String eventId, @Nullable Previous previousItemId, Item item) implements ServerEvent {}

    /** The item that was asked for, with its audio. */
    record ConversationItemRetrieved(@Nullable String eventId, Item item) implements ServerEvent {}

    /** An answer was cut at {@code audioEndMs} milliseconds; its transcript is gone. */
    record ConversationItemTruncated(@Nullable String eventId, String itemId, int contentIndex, long audioEndMs)
            implements ServerEvent {}

    /** An item was removed. */
    record ConversationItemDeleted(@Nullable String eventId, String itemId) implements ServerEvent {}

    /** More of what the caller said, in words; asynchronous to everything else. */
    record ConversationItemInputAudioTranscriptionDelta(
            @Nullable String eventId,
            String itemId,
            @Nullable Integer contentIndex,
            @Nullable String delta,
            @Nullable JsonNode logprobs)
            implements ServerEvent {}

    /** All the caller said, in words; before, during or after the response. {@code usage} is null when the provider does not count. */
    record ConversationItemInputAudioTranscriptionCompleted(
            @Nullable String eventId,
            String itemId,
            int contentIndex,
            String transcript,
            @Nullable TranscriptionUsage usage,
            @Nullable JsonNode logprobs,
            @Nullable JsonNode languages)
            implements ServerEvent {}

    /** What the caller said could not be written down. */
    record ConversationItemInputAudioTranscriptionFailed(
            @Nullable String eventId, String itemId, int contentIndex, TranscriptionError error)
            implements ServerEvent {}

    /** What one of several speakers said, from {@code start} to {@code end} in seconds. */
    record ConversationItemInputAudioTranscriptionSegment(
            @Nullable String eventId,
            String itemId,
            int contentIndex,
            String id,
            String text,
            String speaker,
            double start,
            double end)
            implements ServerEvent {}

    /** The caller's turn became an item. */
    record InputAudioBufferCommitted(
            @Nullable String eventId, @Nullable Previous previousItemId, String itemId) implements ServerEvent {}

    /** What was appended is forgotten. */
    record InputAudioBufferCleared(@Nullable String eventId) implements ServerEvent {}

    /** The caller began to speak: {@code audioStartMs} milliseconds into all audio appended in this session, less the padding; {@code itemId} is the item to come. */
    record InputAudioBufferSpeechStarted(@Nullable String eventId, String itemId, long audioStartMs)
            implements ServerEvent {}

    /** The caller stopped: {@code audioEndMs} milliseconds into all audio, silence included. */
    record InputAudioBufferSpeechStopped(@Nullable String eventId, String itemId, long audioEndMs)
            implements ServerEvent {}

    /** The caller said nothing for the configured idle time. */
    record InputAudioBufferTimeoutTriggered(@Nullable String eventId, String itemId, long audioStartMs, long audioEndMs)
            implements ServerEvent {}

    /** A key was pressed (0-9, *, #, A-D) at {@code receivedAt} seconds since 1970; SIP only, and the one event without an id. */
    record InputAudioBufferDtmfEventReceived(@Nullable String eventId, String event, long receivedAt)
            implements ServerEvent {}

    /** What is left of the limits, about once a response. */
    record RateLimitsUpdated(@Nullable String eventId, List<RateLimit> rateLimits) implements ServerEvent {
        public RateLimitsUpdated {
            rateLimits = List.copyOf(rateLimits);
        }
    }

    /** A response began. */
    record ResponseCreated(@Nullable String eventId, Response response) implements ServerEvent {}

    /** A response got an item; messages come empty, calls with name and call id. */
    record ResponseOutputItemAdded(@Nullable String eventId, String responseId, int outputIndex, Item item)
            implements ServerEvent {}

    /** A message got a part: {@link Content.Text} or {@link Content.Audio}. */
    record ResponseContentPartAdded(
            @Nullable String eventId, String responseId, String itemId, int outputIndex, int contentIndex, Content part)
            implements ServerEvent {}

    /** More text. */
    record ResponseOutputTextDelta(
            @Nullable String eventId, String responseId, String itemId, int outputIndex, int contentIndex, String delta)
            implements ServerEvent {}

    /** All of the text. */
    record ResponseOutputTextDone(
            @Nullable String eventId, String responseId, String itemId, int outputIndex, int contentIndex, String text)
            implements ServerEvent {}

    /** More of what the model says, in words; runs ahead of the audio. */
    record ResponseOutputAudioTranscriptDelta(
            @Nullable String eventId, String responseId, String itemId, int outputIndex, int contentIndex, String delta)
            implements ServerEvent {}

    /** All the model said, in words. */
    record ResponseOutputAudioTranscriptDone(
            @Nullable String eventId,
            String responseId,
            String itemId,
            int outputIndex,
            int contentIndex,
            String transcript)
            implements ServerEvent {}

    /** More of the model's voice, base64 in the session's output format; faster than it plays. */
    record ResponseOutputAudioDelta(
            @Nullable String eventId, String responseId, String itemId, int outputIndex, int contentIndex, String delta)
            implements ServerEvent {}

    /** No more audio for this part. */
    record ResponseOutputAudioDone(
            @Nullable String eventId, String responseId, String itemId, int outputIndex, int contentIndex)
            implements ServerEvent {}

    /** A part is final. */
    record ResponseContentPartDone(
            @Nullable String eventId, String responseId, String itemId, int outputIndex, int contentIndex, Content part)
            implements ServerEvent {}

    /** More of a call's arguments. */
    record ResponseFunctionCallArgumentsDelta(
            @Nullable String eventId, String responseId, String itemId, int outputIndex, String callId, String delta)
            implements ServerEvent {}

    /** All of a call's arguments. {@code name} is null where an older provider leaves it out. */
    record ResponseFunctionCallArgumentsDone(
            @Nullable String eventId,
            String responseId,
            String itemId,
            int outputIndex,
            String callId,
            @Nullable String name,
            String arguments)
            implements ServerEvent {}

    /** An item of a response is final, completed or incomplete. */
    record ResponseOutputItemDone(@Nullable String eventId, String responseId, int outputIndex, Item item)
            implements ServerEvent {}

    /** A response ended; always sent. Carries {@link Usage}. */
    record ResponseDone(@Nullable String eventId, Response response) implements ServerEvent {}

    /** The provider asks an MCP server for its tools. */
    record McpListToolsInProgress(@Nullable String eventId, String itemId) implements ServerEvent {}

    /** The tools are known. */
    record McpListToolsCompleted(@Nullable String eventId, String itemId) implements ServerEvent {}

    /** The tools could not be had. */
    record McpListToolsFailed(@Nullable String eventId, String itemId) implements ServerEvent {}

    /** More of an MCP call's arguments. {@code obfuscation} is padding, which some clients demand. */
    record ResponseMcpCallArgumentsDelta(
            @Nullable String eventId,
            String responseId,
            String itemId,
            int outputIndex,
            String delta,
            @Nullable String obfuscation)
            implements ServerEvent {}

    /** All of an MCP call's arguments. */
    record ResponseMcpCallArgumentsDone(
            @Nullable String eventId, String responseId, String itemId, int outputIndex, String arguments)
            implements ServerEvent {}

    /** The provider calls an MCP tool. */
    record ResponseMcpCallInProgress(@Nullable String eventId, String itemId, int outputIndex) implements ServerEvent {}

    /** The MCP tool answered. */
    record ResponseMcpCallCompleted(@Nullable String eventId, String itemId, int outputIndex) implements ServerEvent {}

    /** The MCP tool failed. */
    record ResponseMcpCallFailed(@Nullable String eventId, String itemId, int outputIndex) implements ServerEvent {}

    /** Playing began; WebRTC and SIP only. */
    record OutputAudioBufferStarted(@Nullable String eventId, String responseId) implements ServerEvent {}

    /** Playing came to its end; WebRTC and SIP only. */
    record OutputAudioBufferStopped(@Nullable String eventId, String responseId) implements ServerEvent {}

    /** Playing was cut short; WebRTC and SIP only. */
    record OutputAudioBufferCleared(@Nullable String eventId, String responseId) implements ServerEvent {}

    /** An event of a type without a record here; written back as it was. {@code raw} must not be modified. */
    record Unknown(@Nullable String eventId, String typeName, JsonNode raw) implements ServerEvent {}

    /**
     * What went wrong.
     *
     * @param type {@code invalid_request_error}, {@code server_error} or another
     * @param code what programs decide on; null where none is defined
     * @param param dotted path of the field at fault
     * @param eventId the mark of the client event at fault
     */
    record ErrorBody(
            String type,
            @Nullable String code,
            String message,
            @Nullable String param,
            @Nullable String eventId) {}

    /** Why a transcription failed; nulls are left out, because clients refuse them. */
    record TranscriptionError(
            @Nullable String type,
            @Nullable String code,
            @Nullable String message,
            @Nullable String param) {}

    /** The conversation of a session. */
    record Conversation(String id) {}

    /**
     * What is left of one limit.
     *
     * @param name {@code requests} or {@code tokens}
     * @param resetSeconds until the limit is whole again
     */
    record RateLimit(String name, long limit, long remaining, double resetSeconds) {}
}
