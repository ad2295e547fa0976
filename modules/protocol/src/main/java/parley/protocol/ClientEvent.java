package parley.protocol;

import com.fasterxml.jackson.databind.JsonNode;
import org.jspecify.annotations.Nullable;

/**
 * What a client may say. OpenAI Realtime reference, client events.
 *
 * <p>{@code eventId} is the client's own mark, at most 512 characters and never required; a server repeats it only in
 * {@link ServerEvent.ErrorBody#eventId()}.
 */
public sealed interface ClientEvent {

    /** The client's mark, or null. */
    @Nullable
    String eventId();

    /** The type on the wire; {@link EventType#UNKNOWN}, or a beta type, for {@link Unknown}. */
    default EventType type() {
        return switch (this) {
            case SessionUpdate e -> EventType.SESSION_UPDATE;
            case InputAudioBufferAppend e -> EventType.INPUT_AUDIO_BUFFER_APPEND;
            case InputAudioBufferCommit e -> EventType.INPUT_AUDIO_BUFFER_COMMIT;
            case InputAudioBufferClear e -> EventType.INPUT_AUDIO_BUFFER_CLEAR;
            case OutputAudioBufferClear e -> EventType.OUTPUT_AUDIO_BUFFER_CLEAR;
            case ConversationItemCreate e -> EventType.CONVERSATION_ITEM_CREATE;
            case ConversationItemRetrieve e -> EventType.CONVERSATION_ITEM_RETRIEVE;
            case ConversationItemTruncate e -> EventType.CONVERSATION_ITEM_TRUNCATE;
            case ConversationItemDelete e -> EventType.CONVERSATION_ITEM_DELETE;
            case ResponseCreate e -> EventType.RESPONSE_CREATE;
            case ResponseCancel e -> EventType.RESPONSE_CANCEL;
            case Unknown e -> EventType.of(e.typeName());
        };
    }

    /** Changes what it states; answered by {@link ServerEvent.SessionUpdated}. {@code session.type} is required. */
    record SessionUpdate(@Nullable String eventId, SessionConfig session) implements ClientEvent {}

    /**
     * More of the caller's voice; not answered.
     *
     * @param audio base64 in the session's input format, at most 15 MiB decoded
     */
    record InputAudioBufferAppend(@Nullable String eventId, String audio) implements ClientEvent {}

    /** The caller's turn is over; makes an item, not a response. */
    record InputAudioBufferCommit(@Nullable String eventId) implements ClientEvent {}

    /** Forget what was appended since the last commit. */
    record InputAudioBufferClear(@Nullable String eventId) implements ClientEvent {}

    /** Stop playing; only where the server owns the playback (WebRTC, SIP). */
    record OutputAudioBufferClear(@Nullable String eventId) implements ClientEvent {}

    /**
     * Adds an item.
     *
     * @param previousItemId the item to follow, {@code "root"} to be the first, null to be the last
     */
    record ConversationItemCreate(
            @Nullable String eventId, @Nullable String previousItemId, Item item) implements ClientEvent {}

    /** Asks for an item with its audio. */
    record ConversationItemRetrieve(@Nullable String eventId, String itemId) implements ClientEvent {}

    /**
     * The caller heard no more than this of an answer.
     *
     * @param contentIndex the part, at least 0
     * @param audioEndMs milliseconds that were played, at least 0, inclusive
     */
    record ConversationItemTruncate(@Nullable String eventId, String itemId, int contentIndex, long audioEndMs)
            implements ClientEvent {}

    /** Removes an item. */
    record ConversationItemDelete(@Nullable String eventId, String itemId) implements ClientEvent {}

    /**
     * Asks for a response.
     *
     * @param response what differs from the session; null when nothing does
     */
    record ResponseCreate(
            @Nullable String eventId, @Nullable ResponseRequest response) implements ClientEvent {}

    /**
     * Stops a response.
     *
     * @param responseId null for the active response of the conversation
     */
    record ResponseCancel(
            @Nullable String eventId, @Nullable String responseId) implements ClientEvent {}

    /** An event of a type without a record here; written back as it was. {@code raw} must not be modified. */
    record Unknown(@Nullable String eventId, String typeName, JsonNode raw) implements ClientEvent {}
}
