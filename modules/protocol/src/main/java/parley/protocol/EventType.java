package parley.protocol;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * Every event name of the realtime language, with who may send it. OpenAI Realtime reference, client events and server
 * events; the names marked beta belong to the old dialect and exist so that {@link Peek} knows them.
 */
public enum EventType {
    SESSION_UPDATE("session.update", Direction.CLIENT),
    INPUT_AUDIO_BUFFER_APPEND("input_audio_buffer.append", Direction.CLIENT),
    INPUT_AUDIO_BUFFER_COMMIT("input_audio_buffer.commit", Direction.CLIENT),
    INPUT_AUDIO_BUFFER_CLEAR("input_audio_buffer.clear", Direction.CLIENT),
    OUTPUT_AUDIO_BUFFER_CLEAR("output_audio_buffer.clear", Direction.CLIENT),
    CONVERSATION_ITEM_CREATE("conversation.item.create", Direction.CLIENT),
    CONVERSATION_ITEM_RETRIEVE("conversation.item.retrieve", Direction.CLIENT),
    CONVERSATION_ITEM_TRUNCATE("conversation.item.truncate", Direction.CLIENT),
    CONVERSATION_ITEM_DELETE("conversation.item.delete", Direction.CLIENT),
    RESPONSE_CREATE("response.create", Direction.CLIENT),
    RESPONSE_CANCEL("response.cancel", Direction.CLIENT),

    SESSION_CREATED("session.created", Direction.SERVER),
    SESSION_UPDATED("session.updated", Direction.SERVER),
    ERROR("error", Direction.SERVER),
    CONVERSATION_CREATED("conversation.created", Direction.SERVER),
    CONVERSATION_ITEM_ADDED("conversation.item.added", Direction.SERVER),
    CONVERSATION_ITEM_DONE("conversation.item.done", Direction.SERVER),
    CONVERSATION_ITEM_CREATED("conversation.item.created", Direction.SERVER),
    CONVERSATION_ITEM_RETRIEVED("conversation.item.retrieved", Direction.SERVER),
    CONVERSATION_ITEM_TRUNCATED("conversation.item.truncated", Direction.SERVER),
    CONVERSATION_ITEM_DELETED("conversation.item.deleted", Direction.SERVER),
    CONVERSATION_ITEM_INPUT_AUDIO_TRANSCRIPTION_DELTA(
            "conversation.item.input_audio_transcription.delta", Direction.SERVER),
    CONVERSATION_ITEM_INPUT_AUDIO_TRANSCRIPTION_COMPLETED(
            "conversation.item.input_audio_transcription.completed", Direction.SERVER),
    CONVERSATION_ITEM_INPUT_AUDIO_TRANSCRIPTION_FAILED(
            "conversation.item.input_audio_transcription.failed", Direction.SERVER),
    CONVERSATION_ITEM_INPUT_AUDIO_TRANSCRIPTION_SEGMENT(
            "conversation.item.input_audio_transcription.segment", Direction.SERVER),
    INPUT_AUDIO_BUFFER_COMMITTED("input_audio_buffer.committed", Direction.SERVER),
    INPUT_AUDIO_BUFFER_CLEARED("input_audio_buffer.cleared", Direction.SERVER),
    INPUT_AUDIO_BUFFER_SPEECH_STARTED("input_audio_buffer.speech_started", Direction.SERVER),
    INPUT_AUDIO_BUFFER_SPEECH_STOPPED("input_audio_buffer.speech_stopped", Direction.SERVER),
    INPUT_AUDIO_BUFFER_TIMEOUT_TRIGGERED("input_audio_buffer.timeout_triggered", Direction.SERVER),
    INPUT_AUDIO_BUFFER_DTMF_EVENT_RECEIVED("input_audio_buffer.dtmf_event_received", Direction.SERVER),
    RATE_LIMITS_UPDATED("rate_limits.updated", Direction.SERVER),
    RESPONSE_CREATED("response.created", Direction.SERVER),
    RESPONSE_OUTPUT_ITEM_ADDED("response.output_item.added", Direction.SERVER),
    RESPONSE_CONTENT_PART_ADDED("response.content_part.added", Direction.SERVER),
    RESPONSE_OUTPUT_TEXT_DELTA("response.output_text.delta", Direction.SERVER),
    RESPONSE_OUTPUT_TEXT_DONE("response.output_text.done", Direction.SERVER),
    RESPONSE_OUTPUT_AUDIO_TRANSCRIPT_DELTA("response.output_audio_transcript.delta", Direction.SERVER),
    RESPONSE_OUTPUT_AUDIO_TRANSCRIPT_DONE("response.output_audio_transcript.done", Direction.SERVER),
    RESPONSE_OUTPUT_AUDIO_DELTA("response.output_audio.delta", Direction.SERVER),
    RESPONSE_OUTPUT_AUDIO_DONE("response.output_audio.done", Direction.SERVER),
    RESPONSE_CONTENT_PART_DONE("response.content_part.done", Direction.SERVER),
    RESPONSE_FUNCTION_CALL_ARGUMENTS_DELTA("response.function_call_arguments.delta", Direction.SERVER),
    RESPONSE_FUNCTION_CALL_ARGUMENTS_DONE("response.function_call_arguments.done", Direction.SERVER),
    RESPONSE_OUTPUT_ITEM_DONE("response.output_item.done", Direction.SERVER),
    RESPONSE_DONE("response.done", Direction.SERVER),
    MCP_LIST_TOOLS_IN_PROGRESS("mcp_list_tools.in_progress", Direction.SERVER),
    MCP_LIST_TOOLS_COMPLETED("mcp_list_tools.completed", Direction.SERVER),
    MCP_LIST_TOOLS_FAILED("mcp_list_tools.failed", Direction.SERVER),
    RESPONSE_MCP_CALL_ARGUMENTS_DELTA("response.mcp_call_arguments.delta", Direction.SERVER),
    RESPONSE_MCP_CALL_ARGUMENTS_DONE("response.mcp_call_arguments.done", Direction.SERVER),
    RESPONSE_MCP_CALL_IN_PROGRESS("response.mcp_call.in_progress", Direction.SERVER),
    RESPONSE_MCP_CALL_COMPLETED("response.mcp_call.completed", Direction.SERVER),
    RESPONSE_MCP_CALL_FAILED("response.mcp_call.failed", Direction.SERVER),
    OUTPUT_AUDIO_BUFFER_STARTED("output_audio_buffer.started", Direction.SERVER),
    OUTPUT_AUDIO_BUFFER_STOPPED("output_audio_buffer.stopped", Direction.SERVER),
    OUTPUT_AUDIO_BUFFER_CLEARED("output_audio_buffer.cleared", Direction.SERVER),

    /** Beta. */
    TRANSCRIPTION_SESSION_UPDATE("transcription_session.update", Direction.CLIENT),
    /** Beta. */
    TRANSCRIPTION_SESSION_CREATED("transcription_session.created", Direction.SERVER),
    /** Beta. */
    TRANSCRIPTION_SESSION_UPDATED("transcription_session.updated", Direction.SERVER),
    /** Beta. */
    RESPONSE_TEXT_DELTA("response.text.delta", Direction.SERVER),
    /** Beta. */
    RESPONSE_TEXT_DONE("response.text.done", Direction.SERVER),
    /** Beta. */
    RESPONSE_AUDIO_DELTA("response.audio.delta", Direction.SERVER),
    /** Beta. */
    RESPONSE_AUDIO_DONE("response.audio.done", Direction.SERVER),
    /** Beta. */
    RESPONSE_AUDIO_TRANSCRIPT_DELTA("response.audio_transcript.delta", Direction.SERVER),
    /** Beta. */
    RESPONSE_AUDIO_TRANSCRIPT_DONE("response.audio_transcript.done", Direction.SERVER),

    /** Any name not listed here: passed on, never refused. Its wire name is empty. */
    UNKNOWN("", Direction.BOTH);

    /** Who may send an event. */
    public enum Direction {
        CLIENT,
        SERVER,
        BOTH
    }

    private static final int SLOTS = 512;
    private static final @Nullable Name[] TABLE = table();

    private final String wireName;
    private final Direction direction;

    EventType(String wireName, Direction direction) {
        this.wireName = wireName;
        this.direction = direction;
    }

    /**
     * The type whose name stands in {@code buf} at the absolute index {@code from}, {@code length} bytes long, without
     * quotes. Allocates nothing and leaves the buffer's position alone.
     *
     * @return {@link #UNKNOWN} for every other name
     * @throws IndexOutOfBoundsException if the range is not within the buffer's limit
     */
    public static EventType of(ByteBuffer buf, int from, int length) {
        if (length == 0) return UNKNOWN;
        int slot = slot(buf, from, length);
        for (Name name = TABLE[slot]; name != null; name = TABLE[slot]) {
            if (name.isAt(buf, from, length)) return name.type;
            slot = slot + 1 & SLOTS - 1;
        }
        return UNKNOWN;
    }

    /** The type of that name, or {@link #UNKNOWN}. */
    public static EventType of(String wireName) {
        byte[] bytes = wireName.getBytes(StandardCharsets.UTF_8);
        return of(ByteBuffer.wrap(bytes), 0, bytes.length);
    }

    /** The value of the field {@code type}; empty for {@link #UNKNOWN}. */
    public String wireName() {
        return wireName;
    }

    /** Who may send it. */
    public Direction direction() {
        return direction;
    }

    @Override
    public String toString() {
        return this == UNKNOWN ? name().toLowerCase(Locale.ROOT) : wireName;
    }

    private static @Nullable Name[] table() {
        @Nullable Name[] table = new Name[SLOTS];
        for (EventType type : values()) {
            if (type == UNKNOWN) continue;
            Name name = Name.of(type);
            int slot = slot(name.bigEndian, 0, type.wireName.length());
            while (table[slot] != null) slot = slot + 1 & SLOTS - 1;
            table[slot] = name;
        }
        return table;
    }

    /** The end of a name tells more than its beginning, so the samples sit there. */
    private static int slot(ByteBuffer buf, int from, int length) {
        int hash = length;
        hash = 31 * hash + buf.get(from + length - 1);
        hash = 31 * hash + buf.get(from + length - 1 - length / 8);
        hash = 31 * hash + buf.get(from + length - 1 - length / 4);
        hash = 31 * hash + buf.get(from + length / 2);
        hash = 31 * hash + buf.get(from + length / 3);
        return (hash ^ hash >>> 9) & SLOTS - 1;
    }

    /** A type's name once per byte order, so that eight bytes compare in one step. */
    private record Name(EventType type, ByteBuffer bigEndian, ByteBuffer littleEndian) {
        static Name of(EventType type) {
            ByteBuffer name = ByteBuffer.wrap(type.wireName.getBytes(StandardCharsets.US_ASCII));
            return new Name(type, name, name.duplicate().order(ByteOrder.LITTLE_ENDIAN));
        }

        boolean isAt(ByteBuffer buf, int from, int length) {
            if (length != type.wireName.length()) return false;
            ByteBuffer name = buf.order() == ByteOrder.BIG_ENDIAN ? bigEndian : littleEndian;
            int i = 0;
            for (; i + 8 <= length; i += 8) {
                if (name.getLong(i) != buf.getLong(from + i)) return false;
            }
            for (; i < length; i++) {
                if (name.get(i) != buf.get(from + i)) return false;
            }
            return true;
        }
    }
}
