package parley.protocol;

import com.fasterxml.jackson.databind.node.ObjectNode;
import org.jspecify.annotations.Nullable;

/** The JSON of {@link ClientEvent}, field by field. */
final class ClientCodec {
    private static final int LONGEST_EVENT_ID = 512;

    private ClientCodec() {}

    static ClientEvent read(ObjectNode json) {
        Fields f = new Fields(json, "");
        String typeName = f.string("type");
        String id = eventId(f);
        return switch (EventType.of(typeName)) {
            case SESSION_UPDATE -> {
                Fields session = f.object("session");
                Check.session(session);
                yield new ClientEvent.SessionUpdate(id, SessionConfig.of(session.node()));
            }
            case INPUT_AUDIO_BUFFER_APPEND -> new ClientEvent.InputAudioBufferAppend(id, f.string("audio"));
            case INPUT_AUDIO_BUFFER_COMMIT -> new ClientEvent.InputAudioBufferCommit(id);
            case INPUT_AUDIO_BUFFER_CLEAR -> new ClientEvent.InputAudioBufferClear(id);
            case OUTPUT_AUDIO_BUFFER_CLEAR -> new ClientEvent.OutputAudioBufferClear(id);
            case CONVERSATION_ITEM_CREATE ->
                new ClientEvent.ConversationItemCreate(
                        id,
                        f.optionalString("previous_item_id"),
                        ItemCodec.read(f.required("item", "an object"), "item"));
            case CONVERSATION_ITEM_RETRIEVE -> new ClientEvent.ConversationItemRetrieve(id, f.string("item_id"));
            case CONVERSATION_ITEM_TRUNCATE ->
                new ClientEvent.ConversationItemTruncate(
                        id, f.string("item_id"), f.atLeastZero("content_index"), f.longAtLeastZero("audio_end_ms"));
            case CONVERSATION_ITEM_DELETE -> new ClientEvent.ConversationItemDelete(id, f.string("item_id"));
            case RESPONSE_CREATE -> {
                Fields response = f.optionalObject("response");
                if (response != null) Check.response(response);
                yield new ClientEvent.ResponseCreate(id, response == null ? null : ResponseRequest.of(response.node()));
            }
            case RESPONSE_CANCEL -> new ClientEvent.ResponseCancel(id, f.optionalString("response_id"));
            default -> new ClientEvent.Unknown(id, typeName, json);
        };
    }

    static ObjectNode write(ClientEvent event) {
        return switch (event) {
            case ClientEvent.SessionUpdate e ->
                out(event).set("session", e.session().raw()).node();
            case ClientEvent.InputAudioBufferAppend e ->
                out(event).put("audio", e.audio()).node();
            case ClientEvent.InputAudioBufferCommit e -> out(event).node();
            case ClientEvent.InputAudioBufferClear e -> out(event).node();
            case ClientEvent.OutputAudioBufferClear e -> out(event).node();
            case ClientEvent.ConversationItemCreate e ->
                out(event)
                        .put("previous_item_id", e.previousItemId())
                        .set("item", ItemCodec.write(e.item(), false))
                        .node();
            case ClientEvent.ConversationItemRetrieve e ->
                out(event).put("item_id", e.itemId()).node();
            case ClientEvent.ConversationItemTruncate e ->
                out(event)
                        .put("item_id", e.itemId())
                        .put("content_index", e.contentIndex())
                        .put("audio_end_ms", e.audioEndMs())
                        .node();
            case ClientEvent.ConversationItemDelete e ->
                out(event).put("item_id", e.itemId()).node();
            case ClientEvent.ResponseCreate e -> {
                ResponseRequest response = e.response();
                yield out(event)
                        .set("response", response == null ? null : response.raw())
                        .node();
            }
            case ClientEvent.ResponseCancel e ->
                out(event).put("response_id", e.responseId()).node();
            case ClientEvent.Unknown e -> (ObjectNode) e.raw();
        };
    }

    private static Out out(ClientEvent event) {
        return new Out().put("type", event.type().wireName()).put("event_id", event.eventId());
    }

    private static @Nullable String eventId(Fields f) {
        String id = f.optionalString("event_id");
        if (id != null && id.length() > LONGEST_EVENT_ID) {
            throw MalformedEvent.invalidValue(
                    "event_id", id.length() + " characters", "at most " + LONGEST_EVENT_ID + " characters");
        }
        return id;
    }
}
