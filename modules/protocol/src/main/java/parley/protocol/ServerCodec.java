package parley.protocol;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The JSON of {@link ServerEvent}, field by field. */
final class ServerCodec {
    private ServerCodec() {}

    static ServerEvent read(ObjectNode json) {
        Fields f = new Fields(json, "");
        String typeName = f.string("type");
        String id = f.optionalString("event_id");
        return switch (EventType.of(typeName)) {
            case SESSION_CREATED ->
                new ServerEvent.SessionCreated(
                        id, SessionConfig.of(f.object("session").node()));
            case SESSION_UPDATED ->
                new ServerEvent.SessionUpdated(
                        id, SessionConfig.of(f.object("session").node()));
            case ERROR -> new ServerEvent.Error(id, error(f.object("error")));
            case CONVERSATION_CREATED ->
                new ServerEvent.ConversationCreated(
                        id,
                        new ServerEvent.Conversation(f.object("conversation").string("id")));
            case CONVERSATION_ITEM_ADDED ->
                new ServerEvent.ConversationItemAdded(
                        id, previous(f), ItemCodec.readLeniently(f.required("item", "an object"), "item"));
            case CONVERSATION_ITEM_DONE ->
                new ServerEvent.ConversationItemDone(
                        id, previous(f), ItemCodec.readLeniently(f.required("item", "an object"), "item"));
            case CONVERSATION_ITEM_CREATED ->
                new ServerEvent.ConversationItemCreated(
                        id, previous(f), ItemCodec.readLeniently(f.required("item", "an object"), "item"));
            case CONVERSATION_ITEM_RETRIEVED ->
                new ServerEvent.ConversationItemRetrieved(
                        id, ItemCodec.readLeniently(f.required("item", "an object"), "item"));
            case CONVERSATION_ITEM_TRUNCATED ->
                new ServerEvent.ConversationItemTruncated(
                        id, f.string("item_id"), f.integer("content_index"), f.longInteger("audio_end_ms"));
            case CONVERSATION_ITEM_DELETED -> new ServerEvent.ConversationItemDeleted(id, f.string("item_id"));
            case CONVERSATION_ITEM_INPUT_AUDIO_TRANSCRIPTION_DELTA ->
                new ServerEvent.ConversationItemInputAudioTranscriptionDelta(
                        id,
                        f.string("item_id"),
                        f.optionalInteger("content_index"),
                        f.optionalString("delta"),
                        f.optional("logprobs"));
            case CONVERSATION_ITEM_INPUT_AUDIO_TRANSCRIPTION_COMPLETED ->
                new ServerEvent.ConversationItemInputAudioTranscriptionCompleted(
                        id,
                        f.string("item_id"),
                        f.integer("content_index"),
                        f.string("transcript"),
                        ResponseCodec.readTranscriptionUsage(f),
                        f.optional("logprobs"),
                        f.optional("languages"));
            case CONVERSATION_ITEM_INPUT_AUDIO_TRANSCRIPTION_FAILED ->
                new ServerEvent.ConversationItemInputAudioTranscriptionFailed(
                        id, f.string("item_id"), f.integer("content_index"), transcriptionError(f.object("error")));
            case CONVERSATION_ITEM_INPUT_AUDIO_TRANSCRIPTION_SEGMENT ->
                new ServerEvent.ConversationItemInputAudioTranscriptionSegment(
                        id,
                        f.string("item_id"),
                        f.integer("content_index"),
                        f.string("id"),
                        f.string("text"),
                        f.string("speaker"),
                        f.number("start"),
                        f.number("end"));
            case INPUT_AUDIO_BUFFER_COMMITTED ->
                new ServerEvent.InputAudioBufferCommitted(id, previous(f), f.string("item_id"));
            case INPUT_AUDIO_BUFFER_CLEARED -> new ServerEvent.InputAudioBufferCleared(id);
            case INPUT_AUDIO_BUFFER_SPEECH_STARTED ->
                new ServerEvent.InputAudioBufferSpeechStarted(id, f.string("item_id"), f.longInteger("audio_start_ms"));
            case INPUT_AUDIO_BUFFER_SPEECH_STOPPED ->
                new ServerEvent.InputAudioBufferSpeechStopped(id, f.string("item_id"), f.longInteger("audio_end_ms"));
            case INPUT_AUDIO_BUFFER_TIMEOUT_TRIGGERED ->
                new ServerEvent.InputAudioBufferTimeoutTriggered(
                        id, f.string("item_id"), f.longInteger("audio_start_ms"), f.longInteger("audio_end_ms"));
            case INPUT_AUDIO_BUFFER_DTMF_EVENT_RECEIVED ->
                new ServerEvent.InputAudioBufferDtmfEventReceived(id, f.string("event"), f.longInteger("received_at"));
            case RATE_LIMITS_UPDATED -> new ServerEvent.RateLimitsUpdated(id, rateLimits(f));
            case RESPONSE_CREATED -> new ServerEvent.ResponseCreated(id, ResponseCodec.read(f.object("response")));
            case RESPONSE_OUTPUT_ITEM_ADDED ->
                new ServerEvent.ResponseOutputItemAdded(
                        id,
                        f.string("response_id"),
                        f.integer("output_index"),
                        ItemCodec.readLeniently(f.required("item", "an object"), "item"));
            case RESPONSE_CONTENT_PART_ADDED ->
                new ServerEvent.ResponseContentPartAdded(
                        id,
                        f.string("response_id"),
                        f.string("item_id"),
                        f.integer("output_index"),
                        f.integer("content_index"),
                        ItemCodec.readPartLeniently(f.required("part", "an object"), "part"));
            case RESPONSE_OUTPUT_TEXT_DELTA ->
                new ServerEvent.ResponseOutputTextDelta(
                        id,
                        f.string("response_id"),
                        f.string("item_id"),
                        f.integer("output_index"),
                        f.integer("content_index"),
                        f.string("delta"));
            case RESPONSE_OUTPUT_TEXT_DONE ->
                new ServerEvent.ResponseOutputTextDone(
                        id,
                        f.string("response_id"),
                        f.string("item_id"),
                        f.integer("output_index"),
                        f.integer("content_index"),
                        f.string("text"));
            case RESPONSE_OUTPUT_AUDIO_TRANSCRIPT_DELTA ->
                new ServerEvent.ResponseOutputAudioTranscriptDelta(
                        id,
                        f.string("response_id"),
                        f.string("item_id"),
                        f.integer("output_index"),
                        f.integer("content_index"),
                        f.string("delta"));
            case RESPONSE_OUTPUT_AUDIO_TRANSCRIPT_DONE ->
                new ServerEvent.ResponseOutputAudioTranscriptDone(
                        id,
                        f.string("response_id"),
                        f.string("item_id"),
                        f.integer("output_index"),
                        f.integer("content_index"),
                        f.string("transcript"));
            case RESPONSE_OUTPUT_AUDIO_DELTA ->
                new ServerEvent.ResponseOutputAudioDelta(
                        id,
                        f.string("response_id"),
                        f.string("item_id"),
                        f.integer("output_index"),
                        f.integer("content_index"),
                        f.string("delta"));
            case RESPONSE_OUTPUT_AUDIO_DONE ->
                new ServerEvent.ResponseOutputAudioDone(
                        id,
                        f.string("response_id"),
                        f.string("item_id"),
                        f.integer("output_index"),
                        f.integer("content_index"));
            case RESPONSE_CONTENT_PART_DONE ->
                new ServerEvent.ResponseContentPartDone(
                        id,
                        f.string("response_id"),
                        f.string("item_id"),
                        f.integer("output_index"),
                        f.integer("content_index"),
                        ItemCodec.readPartLeniently(f.required("part", "an object"), "part"));
            case RESPONSE_FUNCTION_CALL_ARGUMENTS_DELTA ->
                new ServerEvent.ResponseFunctionCallArgumentsDelta(
                        id,
                        f.string("response_id"),
                        f.string("item_id"),
                        f.integer("output_index"),
                        f.string("call_id"),
                        f.string("delta"));
            case RESPONSE_FUNCTION_CALL_ARGUMENTS_DONE ->
                new ServerEvent.ResponseFunctionCallArgumentsDone(
                        id,
                        f.string("response_id"),
                        f.string("item_id"),
                        f.integer("output_index"),
                        f.string("call_id"),
                        f.optionalString("name"),
                        f.string("arguments"));
            case RESPONSE_OUTPUT_ITEM_DONE ->
                new ServerEvent.ResponseOutputItemDone(
                        id,
                        f.string("response_id"),
                        f.integer("output_index"),
                        ItemCodec.readLeniently(f.required("item", "an object"), "item"));
            case RESPONSE_DONE -> new ServerEvent.ResponseDone(id, ResponseCodec.read(f.object("response")));
            case MCP_LIST_TOOLS_IN_PROGRESS -> new ServerEvent.McpListToolsInProgress(id, f.string("item_id"));
            case MCP_LIST_TOOLS_COMPLETED -> new ServerEvent.McpListToolsCompleted(id, f.string("item_id"));
            case MCP_LIST_TOOLS_FAILED -> new ServerEvent.McpListToolsFailed(id, f.string("item_id"));
            case RESPONSE_MCP_CALL_ARGUMENTS_DELTA ->
                new ServerEvent.ResponseMcpCallArgumentsDelta(
                        id,
                        f.string("response_id"),
                        f.string("item_id"),
                        f.integer("output_index"),
                        f.string("delta"),
                        f.optionalString("obfuscation"));
            case RESPONSE_MCP_CALL_ARGUMENTS_DONE ->
                new ServerEvent.ResponseMcpCallArgumentsDone(
                        id,
                        f.string("response_id"),
                        f.string("item_id"),
                        f.integer("output_index"),
                        f.string("arguments"));
            case RESPONSE_MCP_CALL_IN_PROGRESS ->
                new ServerEvent.ResponseMcpCallInProgress(id, f.string("item_id"), f.integer("output_index"));
            case RESPONSE_MCP_CALL_COMPLETED ->
                new ServerEvent.ResponseMcpCallCompleted(id, f.string("item_id"), f.integer("output_index"));
            case RESPONSE_MCP_CALL_FAILED ->
                new ServerEvent.ResponseMcpCallFailed(id, f.string("item_id"), f.integer("output_index"));
            case OUTPUT_AUDIO_BUFFER_STARTED -> new ServerEvent.OutputAudioBufferStarted(id, f.string("response_id"));
            case OUTPUT_AUDIO_BUFFER_STOPPED -> new ServerEvent.OutputAudioBufferStopped(id, f.string("response_id"));
            case OUTPUT_AUDIO_BUFFER_CLEARED -> new ServerEvent.OutputAudioBufferCleared(id, f.string("response_id"));
            default -> new ServerEvent.Unknown(id, typeName, json);
        };
    }

    static ObjectNode write(ServerEvent event) {
        return switch (event) {
            case ServerEvent.SessionCreated e ->
                out(event).set("session", e.session().raw()).node();
            case ServerEvent.SessionUpdated e ->
                out(event).set("session", e.session().raw()).node();
            case ServerEvent.Error e ->
                out(event).set("error", error(e.error())).node();
            case ServerEvent.ConversationCreated e ->
                out(event).set("conversation", conversation(e.conversation())).node();
            case ServerEvent.ConversationItemAdded e ->
                out(event)
                        .previous(e.previousItemId())
                        .set("item", ItemCodec.write(e.item(), true))
                        .node();
            case ServerEvent.ConversationItemDone e ->
                out(event)
                        .previous(e.previousItemId())
                        .set("item", ItemCodec.write(e.item(), true))
                        .node();
            case ServerEvent.ConversationItemCreated e ->
                out(event)
                        .previous(e.previousItemId())
                        .set("item", ItemCodec.write(e.item(), true))
                        .node();
            case ServerEvent.ConversationItemRetrieved e ->
                out(event).set("item", ItemCodec.write(e.item(), true)).node();
            case ServerEvent.ConversationItemTruncated e ->
                out(event)
                        .put("item_id", e.itemId())
                        .put("content_index", e.contentIndex())
                        .put("audio_end_ms", e.audioEndMs())
                        .node();
            case ServerEvent.ConversationItemDeleted e ->
                out(event).put("item_id", e.itemId()).node();
            case ServerEvent.ConversationItemInputAudioTranscriptionDelta e ->
                out(event)
                        .put("item_id", e.itemId())
                        .put("content_index", e.contentIndex())
                        .put("delta", e.delta())
                        .set("logprobs", e.logprobs())
                        .node();
            case ServerEvent.ConversationItemInputAudioTranscriptionCompleted e ->
                out(event)
                        .put("item_id", e.itemId())
                        .put("content_index", e.contentIndex())
                        .put("transcript", e.transcript())
                        .set("usage", ResponseCodec.writeTranscriptionUsage(e.usage()))
                        .set("logprobs", e.logprobs())
                        .set("languages", e.languages())
                        .node();
            case ServerEvent.ConversationItemInputAudioTranscriptionFailed e ->
                out(event)
                        .put("item_id", e.itemId())
                        .put("content_index", e.contentIndex())
                        .set("error", transcriptionError(e.error()))
                        .node();
            case ServerEvent.ConversationItemInputAudioTranscriptionSegment e ->
                out(event)
                        .put("item_id", e.itemId())
                        .put("content_index", e.contentIndex())
                        .put("id", e.id())
                        .put("text", e.text())
                        .put("speaker", e.speaker())
                        .number("start", e.start())
                        .number("end", e.end())
                        .node();
            case ServerEvent.InputAudioBufferCommitted e ->
                out(event)
                        .previous(e.previousItemId())
                        .put("item_id", e.itemId())
                        .node();
            case ServerEvent.InputAudioBufferCleared e -> out(event).node();
            case ServerEvent.InputAudioBufferSpeechStarted e ->
                out(event)
                        .put("item_id", e.itemId())
                        .put("audio_start_ms", e.audioStartMs())
                        .node();
            case ServerEvent.InputAudioBufferSpeechStopped e ->
                out(event)
                        .put("item_id", e.itemId())
                        .put("audio_end_ms", e.audioEndMs())
                        .node();
            case ServerEvent.InputAudioBufferTimeoutTriggered e ->
                out(event)
                        .put("item_id", e.itemId())
                        .put("audio_start_ms", e.audioStartMs())
                        .put("audio_end_ms", e.audioEndMs())
                        .node();
            case ServerEvent.InputAudioBufferDtmfEventReceived e ->
                out(event)
                        .put("event", e.event())
                        .put("received_at", e.receivedAt())
                        .node();
            case ServerEvent.RateLimitsUpdated e ->
                out(event).set("rate_limits", rateLimits(e.rateLimits())).node();
            case ServerEvent.ResponseCreated e ->
                out(event).set("response", ResponseCodec.write(e.response())).node();
            case ServerEvent.ResponseOutputItemAdded e ->
                out(event)
                        .put("response_id", e.responseId())
                        .put("output_index", e.outputIndex())
                        .set("item", ItemCodec.write(e.item(), true))
                        .node();
            case ServerEvent.ResponseContentPartAdded e ->
                out(event)
                        .put("response_id", e.responseId())
                        .put("item_id", e.itemId())
                        .put("output_index", e.outputIndex())
                        .put("content_index", e.contentIndex())
                        .set("part", ItemCodec.writePart(e.part(), true))
                        .node();
            case ServerEvent.ResponseOutputTextDelta e ->
                out(event)
                        .put("response_id", e.responseId())
                        .put("item_id", e.itemId())
                        .put("output_index", e.outputIndex())
                        .put("content_index", e.contentIndex())
                        .put("delta", e.delta())
                        .node();
            case ServerEvent.ResponseOutputTextDone e ->
                out(event)
                        .put("response_id", e.responseId())
                        .put("item_id", e.itemId())
                        .put("output_index", e.outputIndex())
                        .put("content_index", e.contentIndex())
                        .put("text", e.text())
                        .node();
            case ServerEvent.ResponseOutputAudioTranscriptDelta e ->
                out(event)
                        .put("response_id", e.responseId())
                        .put("item_id", e.itemId())
                        .put("output_index", e.outputIndex())
                        .put("content_index", e.contentIndex())
                        .put("delta", e.delta())
                        .node();
            case ServerEvent.ResponseOutputAudioTranscriptDone e ->
                out(event)
                        .put("response_id", e.responseId())
                        .put("item_id", e.itemId())
                        .put("output_index", e.outputIndex())
                        .put("content_index", e.contentIndex())
                        .put("transcript", e.transcript())
                        .node();
            case ServerEvent.ResponseOutputAudioDelta e ->
                out(event)
                        .put("response_id", e.responseId())
                        .put("item_id", e.itemId())
                        .put("output_index", e.outputIndex())
                        .put("content_index", e.contentIndex())
                        .put("delta", e.delta())
                        .node();
            case ServerEvent.ResponseOutputAudioDone e ->
                out(event)
                        .put("response_id", e.responseId())
                        .put("item_id", e.itemId())
                        .put("output_index", e.outputIndex())
                        .put("content_index", e.contentIndex())
                        .node();
            case ServerEvent.ResponseContentPartDone e ->
                out(event)
                        .put("response_id", e.responseId())
                        .put("item_id", e.itemId())
                        .put("output_index", e.outputIndex())
                        .put("content_index", e.contentIndex())
                        .set("part", ItemCodec.writePart(e.part(), true))
                        .node();
            case ServerEvent.ResponseFunctionCallArgumentsDelta e ->
                out(event)
                        .put("response_id", e.responseId())
                        .put("item_id", e.itemId())
                        .put("output_index", e.outputIndex())
                        .put("call_id", e.callId())
                        .put("delta", e.delta())
                        .node();
            case ServerEvent.ResponseFunctionCallArgumentsDone e ->
                out(event)
                        .put("response_id", e.responseId())
                        .put("item_id", e.itemId())
                        .put("output_index", e.outputIndex())
                        .put("call_id", e.callId())
                        .put("name", e.name())
                        .put("arguments", e.arguments())
                        .node();
            case ServerEvent.ResponseOutputItemDone e ->
                out(event)
                        .put("response_id", e.responseId())
                        .put("output_index", e.outputIndex())
                        .set("item", ItemCodec.write(e.item(), true))
                        .node();
            case ServerEvent.ResponseDone e ->
                out(event).set("response", ResponseCodec.write(e.response())).node();
            case ServerEvent.McpListToolsInProgress e ->
                out(event).put("item_id", e.itemId()).node();
            case ServerEvent.McpListToolsCompleted e ->
                out(event).put("item_id", e.itemId()).node();
            case ServerEvent.McpListToolsFailed e ->
                out(event).put("item_id", e.itemId()).node();
            case ServerEvent.ResponseMcpCallArgumentsDelta e ->
                out(event)
                        .put("response_id", e.responseId())
                        .put("item_id", e.itemId())
                        .put("output_index", e.outputIndex())
                        .put("delta", e.delta())
                        .put("obfuscation", e.obfuscation())
                        .node();
            case ServerEvent.ResponseMcpCallArgumentsDone e ->
                out(event)
                        .put("response_id", e.responseId())
                        .put("item_id", e.itemId())
                        .put("output_index", e.outputIndex())
                        .put("arguments", e.arguments())
                        .node();
            case ServerEvent.ResponseMcpCallInProgress e ->
                out(event)
                        .put("item_id", e.itemId())
                        .put("output_index", e.outputIndex())
                        .node();
            case ServerEvent.ResponseMcpCallCompleted e ->
                out(event)
                        .put("item_id", e.itemId())
                        .put("output_index", e.outputIndex())
                        .node();
            case ServerEvent.ResponseMcpCallFailed e ->
                out(event)
                        .put("item_id", e.itemId())
                        .put("output_index", e.outputIndex())
                        .node();
            case ServerEvent.OutputAudioBufferStarted e ->
                out(event).put("response_id", e.responseId()).node();
            case ServerEvent.OutputAudioBufferStopped e ->
                out(event).put("response_id", e.responseId()).node();
            case ServerEvent.OutputAudioBufferCleared e ->
                out(event).put("response_id", e.responseId()).node();
            case ServerEvent.Unknown e -> (ObjectNode) e.raw();
        };
    }

    private static Out out(ServerEvent event) {
        return new Out().put("type", event.type().wireName()).put("event_id", event.eventId());
    }

    private static @Nullable Previous previous(Fields f) {
        return f.has("previous_item_id") ? new Previous(f.optionalString("previous_item_id")) : null;
    }

    private static ServerEvent.ErrorBody error(Fields f) {
        return new ServerEvent.ErrorBody(
                f.string("type"),
                f.optionalString("code"),
                f.string("message"),
                f.optionalString("param"),
                f.optionalString("event_id"));
    }

    private static ObjectNode error(ServerEvent.ErrorBody error) {
        return new Out()
                .put("type", error.type())
                .put("code", error.code())
                .put("message", error.message())
                .put("param", error.param())
                .put("event_id", error.eventId())
                .node();
    }

    private static ServerEvent.TranscriptionError transcriptionError(Fields f) {
        return new ServerEvent.TranscriptionError(
                f.optionalString("type"),
                f.optionalString("code"),
                f.optionalString("message"),
                f.optionalString("param"));
    }

    private static ObjectNode transcriptionError(ServerEvent.TranscriptionError error) {
        return new Out()
                .put("type", error.type())
                .put("code", error.code())
                .put("message", error.message())
                .put("param", error.param())
                .node();
    }

    private static ObjectNode conversation(ServerEvent.Conversation conversation) {
        return new Out()
                .put("id", conversation.id())
                .put("object", "realtime.conversation")
                .node();
    }

    private static List<ServerEvent.RateLimit> rateLimits(Fields f) {
        List<ServerEvent.RateLimit> limits = new ArrayList<>();
        for (Fields limit : f.objects("rate_limits")) {
            limits.add(new ServerEvent.RateLimit(
                    limit.string("name"),
                    limit.longInteger("limit"),
                    limit.longInteger("remaining"),
                    limit.number("reset_seconds")));
        }
        return limits;
    }

    private static ArrayNode rateLimits(List<ServerEvent.RateLimit> limits) {
        ArrayNode array = JsonNodeFactory.instance.arrayNode();
        for (ServerEvent.RateLimit limit : limits) {
            array.add(new Out()
                    .put("name", limit.name())
                    .put("limit", limit.limit())
                    .put("remaining", limit.remaining())
                    .number("reset_seconds", limit.resetSeconds())
                    .node());
        }
        return array;
    }
}
