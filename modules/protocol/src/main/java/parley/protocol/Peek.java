package parley.protocol;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A look at one frame that finds its type, its ids and where its audio is, and leaves the rest alone. Made once and used
 * for frame after frame; not thread-safe; {@link #scan} allocates nothing.
 *
 * <p>The keys of the top level are read from the front, in any order. When {@code audio} of
 * {@code input_audio_buffer.append}, or {@code delta} of {@code response.output_audio.delta} (in beta
 * {@code response.audio.delta}), comes after {@code type}, the look jumps to the end of the frame: if nothing but the
 * quote and the brace close it, the length of the audio follows without touching it. Only if other fields come after
 * the audio, or {@code type} does, is the closing quote searched.
 *
 * <p>The jump reads the last {@value #TAIL} bytes. A frame that hides a string longer than that behind its audio makes
 * the audio look longer than it is and hides the fields between; whoever does not trust the sender and decides on more
 * than the length asks {@link #audioIsWhole()}. What is not audio is only checked as far as the look needs it:
 * {@link Wire} reads those frames properly.
 *
 * <p>The accessors speak about the last scan, and read from its buffer, so they are valid until the buffer changes.
 */
public final class Peek {
    /** Bytes read before the end of a frame with audio: an {@code event_id} has at most 512 characters. */
    public static final int TAIL = 576;

    private static final long ONES = 0x0101010101010101L;
    private static final long HIGHS = 0x8080808080808080L;
    private static final long QUOTES = ONES * '"';
    private static final long BACKSLASHES = ONES * '\\';
    private static final long CONTROLS = ONES * 0x20;

    private static final int TYPE = 0;
    private static final int EVENT_ID = 1;
    private static final int ITEM_ID = 2;
    private static final int RESPONSE_ID = 3;
    private static final int PREVIOUS_ITEM_ID = 4;
    private static final int CALL_ID = 5;
    private static final int AUDIO = 6;
    private static final int DELTA = 7;
    private static final int STRINGS = 8;
    private static final int AUDIO_START_MS = 8;
    private static final int AUDIO_END_MS = 9;
    private static final int OTHER = 10;

    /** The keys a look understands, at the index of their constant. */
    private static final String[] KEYS = {
        "type",
        "event_id",
        "item_id",
        "response_id",
        "previous_item_id",
        "call_id",
        "audio",
        "delta",
        "audio_start_ms",
        "audio_end_ms"
    };

    /** Where a string stands, without its quotes; {@code length} is -1 when it was not there. */
    private static final class Span {
        private int from;
        private int length = -1;
        private boolean escaped;

        private void clear() {
            length = -1;
        }

        private boolean isSet() {
            return length >= 0;
        }
    }

    private final Span[] strings = new Span[STRINGS];
    private final Span key = new Span();
    private final Span skipped = new Span();
    private final Span nothing = new Span();

    private ByteBuffer frame = ByteBuffer.allocate(0);
    private int at;
    private int end;
    private int seen;
    private EventType type = EventType.UNKNOWN;
    private long audioStartMs = -1;
    private long audioEndMs = -1;

    /** A look that has not seen anything yet. */
    public Peek() {
        for (int i = 0; i < STRINGS; i++) strings[i] = new Span();
    }

    /**
     * Looks at the JSON text in {@code frame} from the absolute index {@code offset}, {@code length} bytes long, UTF-8.
     * The buffer's position, limit and order stay as they are. Never throws for what the bytes say.
     *
     * @return whether it is a JSON object with a string {@code type}, as far as the look went. When false the accessors
     *     answer as if the frame were empty.
     * @throws IndexOutOfBoundsException if the range is not within the buffer's limit
     */
    public boolean scan(ByteBuffer frame, int offset, int length) {
        Objects.checkFromIndexSize(offset, length, frame.limit());
        clear();
        this.frame = frame;
        this.at = offset;
        this.end = offset + length;
        if (object() && strings[TYPE].isSet()) return true;
        clear();
        return false;
    }

    /** The type; {@link EventType#UNKNOWN} for a name this module does not know. */
    public EventType type() {
        return type;
    }

    /** The type as it stands in the frame; empty after a scan that returned false. */
    public String typeName() {
        String name = text(strings[TYPE]);
        return name == null ? "" : name;
    }

    /** {@code event_id}, or null where absent or not looked at. */
    public @Nullable String eventId() {
        return text(strings[EVENT_ID]);
    }

    /** {@code item_id}, or null where absent or not looked at. */
    public @Nullable String itemId() {
        return text(strings[ITEM_ID]);
    }

    /** {@code response_id}, or null where absent or not looked at. */
    public @Nullable String responseId() {
        return text(strings[RESPONSE_ID]);
    }

    /** {@code previous_item_id}, or null where absent, null or not looked at. */
    public @Nullable String previousItemId() {
        return text(strings[PREVIOUS_ITEM_ID]);
    }

    /** {@code call_id}, or null where absent or not looked at. */
    public @Nullable String callId() {
        return text(strings[CALL_ID]);
    }

    /** Whether {@code item_id} is this one; allocates nothing unless the frame escapes it. */
    public boolean isItem(String id) {
        return is(strings[ITEM_ID], id);
    }

    /** Whether {@code response_id} is this one; allocates nothing unless the frame escapes it. */
    public boolean isResponse(String id) {
        return is(strings[RESPONSE_ID], id);
    }

    /** {@code audio_start_ms} in milliseconds; -1 where absent, no whole number or not looked at. */
    public long audioStartMs() {
        return audioStartMs;
    }

    /** {@code audio_end_ms} in milliseconds; -1 where absent, no whole number or not looked at. */
    public long audioEndMs() {
        return audioEndMs;
    }

    /** Whether the frame carries audio in base64. */
    public boolean hasAudio() {
        return carrier().isSet();
    }

    /** Absolute index of the first character of the base64 text; -1 without audio. */
    public int audioOffset() {
        return hasAudio() ? carrier().from : -1;
    }

    /** Characters of the base64 text; 0 without audio. {@link AudioFormat#millis} tells how long they play. */
    public int audioLength() {
        return hasAudio() ? carrier().length : 0;
    }

    /** Bytes that the base64 text stands for, without its padding; 0 without audio. */
    public int audioBytes() {
        int length = audioLength();
        int end = audioOffset() + length;
        while (length > 0 && frame.get(--end) == '=') length--;
        return (int) (length * 3L / 4);
    }

    /**
     * Whether the audio is one plain string: no quote, backslash or control character in it. Reads all of it, eight
     * bytes a step. True also without audio.
     */
    public boolean audioIsWhole() {
        if (!hasAudio()) return true;
        int last = audioOffset() + audioLength();
        int i = audioOffset();
        for (; i + 8 <= last; i += 8) {
            long eight = frame.getLong(i);
            if ((zeros(eight ^ QUOTES) | zeros(eight ^ BACKSLASHES) | controls(eight)) != 0) return false;
        }
        for (; i < last; i++) {
            int b = frame.get(i);
            if (b == '"' || b == '\\' || (b >= 0 && b < 0x20)) return false;
        }
        return true;
    }

    private void clear() {
        for (Span span : strings) span.clear();
        type = EventType.UNKNOWN;
        audioStartMs = -1;
        audioEndMs = -1;
        seen = 0;
    }

    private Span carrier() {
        return switch (type) {
            case INPUT_AUDIO_BUFFER_APPEND -> strings[AUDIO];
            case RESPONSE_OUTPUT_AUDIO_DELTA, RESPONSE_AUDIO_DELTA -> strings[DELTA];
            default -> nothing;
        };
    }

    private boolean object() {
        skipSpace();
        if (!take('{')) return false;
        skipSpace();
        if (take('}')) return isOver();
        while (string(key)) {
            skipSpace();
            if (!take(':')) return false;
            skipSpace();
            if (!value(field())) return false;
            skipSpace();
            if (take('}')) return isOver();
            if (!take(',')) return false;
            skipSpace();
        }
        return false;
    }

    private boolean isOver() {
        skipSpace();
        return at == end;
    }

    private int field() {
        if (key.escaped) {
            String name = text(key);
            for (int i = 0; i < OTHER; i++) {
                if (KEYS[i].equals(name)) return i;
            }
            return OTHER;
        }
        for (int i = 0; i < OTHER; i++) {
            if (KEYS[i].length() == key.length && is(key, KEYS[i])) return i;
        }
        return OTHER;
    }

    /** A key that is understood may come once: the second could contradict what was decided on the first. */
    private boolean value(int field) {
        if (at >= end) return false;
        if (field == OTHER) return skipValue();
        if ((seen & 1 << field) != 0) return false;
        seen |= 1 << field;
        if (field == TYPE) return typeValue();
        if (field == AUDIO_START_MS || field == AUDIO_END_MS) return milliseconds(field);
        if (frame.get(at) != '"') return skipValue();
        return strings[field] == carrier() ? audio(strings[field]) : string(strings[field]);
    }

    private boolean typeValue() {
        Span name = strings[TYPE];
        if (!string(name)) return false;
        if (!name.escaped) {
            type = EventType.of(frame, name.from, name.length);
            return true;
        }
        String text = text(name);
        if (text == null) return false;
        type = EventType.of(text);
        return true;
    }

    private boolean milliseconds(int field) {
        int from = at;
        if (!skipValue()) return false;
        long value = at - from <= 18 ? 0 : -1;
        for (int i = from; i < at && value >= 0; i++) {
            int digit = frame.get(i) - '0';
            value = digit >= 0 && digit <= 9 ? value * 10 + digit : -1;
        }
        if (field == AUDIO_START_MS) audioStartMs = value;
        else audioEndMs = value;
        return true;
    }

    /** Base64 has no quotes: if the tail has none but the last, the last one closes the audio. */
    private boolean audio(Span span) {
        int from = at + 1;
        int brace = lastVisible(end - 1);
        if (brace < from || frame.get(brace) != '}') return false;
        int quote = lastVisible(brace - 1);
        boolean closes = quote >= from && frame.get(quote) == '"' && frame.get(quote - 1) != '\\';
        if (!closes || hasQuote(Math.max(from, quote - TAIL), quote)) return string(span);
        span.from = from;
        span.length = quote - from;
        span.escaped = false;
        at = quote + 1;
        return true;
    }

    private int lastVisible(int from) {
        int i = from;
        while (i >= 0 && isSpace(frame.get(i))) i--;
        return i;
    }

    private boolean hasQuote(int from, int to) {
        int i = from;
        for (; i + 8 <= to; i += 8) {
            if (zeros(frame.getLong(i) ^ QUOTES) != 0) return true;
        }
        for (; i < to; i++) {
            if (frame.get(i) == '"') return true;
        }
        return false;
    }

    /** Over a string, into the span. */
    private boolean string(Span span) {
        if (!take('"')) return false;
        int from = at;
        boolean escaped = false;
        while (at < end) {
            if (at + 8 <= end) {
                long eight = frame.getLong(at);
                if ((zeros(eight ^ QUOTES) | zeros(eight ^ BACKSLASHES)) == 0) {
                    at += 8;
                    continue;
                }
            }
            for (int stop = Math.min(at + 8, end); at < stop; ) {
                byte b = frame.get(at++);
                if (b == '"') {
                    span.from = from;
                    span.length = at - 1 - from;
                    span.escaped = escaped;
                    return true;
                }
                if (b == '\\') {
                    escaped = true;
                    at++;
                }
            }
        }
        return false;
    }

    private boolean skipValue() {
        byte first = frame.get(at);
        if (first == '"') return string(skipped);
        if (first == '{' || first == '[') return skipNested();
        int from = at;
        while (at < end && !endsValue(frame.get(at))) at++;
        return at > from;
    }

    private boolean skipNested() {
        int depth = 0;
        while (at < end) {
            byte b = frame.get(at);
            if (b == '"') {
                if (!string(skipped)) return false;
                continue;
            }
            at++;
            if (b == '{' || b == '[') depth++;
            else if ((b == '}' || b == ']') && --depth == 0) return true;
        }
        return false;
    }

    private static boolean endsValue(byte b) {
        return b == ',' || b == '}' || b == ']' || b == '"' || isSpace(b);
    }

    private static boolean isSpace(byte b) {
        return b == ' ' || b == '\n' || b == '\r' || b == '\t';
    }

    private void skipSpace() {
        while (at < end && isSpace(frame.get(at))) at++;
    }

    private boolean take(char expected) {
        if (at >= end || frame.get(at) != expected) return false;
        at++;
        return true;
    }

    private static long zeros(long eight) {
        return eight - ONES & ~eight & HIGHS;
    }

    private static long controls(long eight) {
        return eight - CONTROLS & ~eight & HIGHS;
    }

    private boolean is(Span span, String id) {
        if (!span.isSet()) return false;
        if (span.escaped) return id.equals(text(span));
        int shorter = Math.min(span.length, id.length());
        for (int i = 0; i < shorter; i++) {
            byte b = frame.get(span.from + i);
            if (b < 0) return id.equals(text(span));
            if (b != id.charAt(i)) return false;
        }
        return span.length == id.length();
    }

    private @Nullable String text(Span span) {
        if (!span.isSet()) return null;
        if (!span.escaped) {
            byte[] bytes = new byte[span.length];
            frame.get(span.from, bytes);
            return new String(bytes, StandardCharsets.UTF_8);
        }
        byte[] quoted = new byte[span.length + 2];
        frame.get(span.from - 1, quoted);
        try {
            return Json.MAPPER.readValue(quoted, String.class);
        } catch (IOException malformed) {
            return null;
        }
    }
}
