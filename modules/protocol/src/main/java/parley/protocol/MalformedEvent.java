package parley.protocol;

import org.jspecify.annotations.Nullable;

/**
 * A frame that is not an event of the realtime language. Thrown only by {@link Wire}, at the edge; it carries what the
 * sender should read in an {@code error} event.
 *
 * <p>The message names the field, what was found and what was expected. Free text, audio and tool arguments are never
 * quoted: of a mistyped value only its kind is told. Has no stack trace, because bad input is not a fault.
 */
public final class MalformedEvent extends RuntimeException {
    private static final int LONGEST_QUOTE = 64;

    private final Code code;
    private final @Nullable String param;
    private final @Nullable String eventId;

    MalformedEvent(Code code, @Nullable String param, @Nullable String eventId, String message) {
        super(message, null, false, false);
        this.code = code;
        this.param = param;
        this.eventId = eventId;
    }

    /** OpenAI Realtime reference, {@code error.code} of schema faults. */
    public enum Code {
        /** Not JSON, not one JSON object, or an object with a key twice. */
        INVALID_EVENT("invalid_event"),
        /** A field that must be there is not. */
        MISSING_REQUIRED_PARAMETER("missing_required_parameter"),
        /** A field has the wrong type or a value outside what is allowed. */
        INVALID_VALUE("invalid_value");

        private final String wireName;

        Code(String wireName) {
            this.wireName = wireName;
        }

        /** The value of {@code error.code}. */
        public String wireName() {
            return wireName;
        }
    }

    static MalformedEvent invalidEvent(@Nullable String param, String message) {
        return new MalformedEvent(Code.INVALID_EVENT, param, null, message);
    }

    static MalformedEvent missing(String param, String expected) {
        return new MalformedEvent(
                Code.MISSING_REQUIRED_PARAMETER, param, null, param + ": missing (expected: " + expected + ")");
    }

    /** {@code found} is quoted as it is: the caller must know that it is no free text. */
    static MalformedEvent invalidValue(String param, String found, String expected) {
        String shown = found.length() <= LONGEST_QUOTE ? found : found.substring(0, LONGEST_QUOTE) + "…";
        return new MalformedEvent(
                Code.INVALID_VALUE, param, null, param + ": " + shown + " (expected: " + expected + ")");
    }

    MalformedEvent ofEvent(@Nullable String id) {
        return new MalformedEvent(code, param, id, message());
    }

    /** The kind of trouble. */
    public Code code() {
        return code;
    }

    /** The dotted path of the field at fault, such as {@code session.audio.input.format} or {@code item.content[0].text}. */
    public @Nullable String param() {
        return param;
    }

    /** The sender's {@code event_id}, where it could be read. */
    public @Nullable String eventId() {
        return eventId;
    }

    /** {@link #getMessage()}, never null. */
    public String message() {
        String message = getMessage();
        return message == null ? "" : message;
    }

    /** What to answer a client: type {@code invalid_request_error} with this code, message, param and event id. */
    public ServerEvent.ErrorBody body() {
        return new ServerEvent.ErrorBody("invalid_request_error", code.wireName(), message(), param, eventId);
    }
}
