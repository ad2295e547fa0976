package parley.load;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.nio.charset.StandardCharsets;

/**
 * Finds a server event's type, and where its audio is, without building anything. Keys may come in any order; values
 * nested in objects are not mistaken for the event's own. Reused for the next event: take what is needed first.
 */
public final class EventScan {
    /** What an event is, as far as callers tell them apart. */
    public enum Kind {
        SESSION_CREATED("session.created"),
        AUDIO_DELTA("response.output_audio.delta"),
        OLD_AUDIO_DELTA("response.audio.delta"),
        AUDIO_DONE("response.output_audio.done"),
        OLD_AUDIO_DONE("response.audio.done"),
        SPEECH_STARTED("input_audio_buffer.speech_started"),
        SPEECH_STOPPED("input_audio_buffer.speech_stopped"),
        RESPONSE_CREATED("response.created"),
        RESPONSE_DONE("response.done"),
        ERROR("error"),
        PONG("pong"),
        OTHER(""),
        /** Not a JSON object with a type. */
        MALFORMED("");

        private final String wireName;

        Kind(String wireName) {
            this.wireName = wireName;
        }
    }

    private static final Kind[] KINDS = Kind.values();
    private static final String TYPE = "type";
    private static final String DELTA = "delta";
    private static final String RESPONSE_ID = "response_id";
    private static final String ITEM_ID = "item_id";
    private static final String SEQ = "seq";

    private final int expectedDelta;
    private ByteBuf text = Unpooled.EMPTY_BUFFER;
    private int at;
    private int end;
    private Kind kind = Kind.MALFORMED;
    private int deltaFrom;
    private int deltaTo;
    private int responseFrom;
    private int responseTo;
    private int itemFrom;
    private int itemTo;
    private long seq;
    private int typeFrom;
    private int typeTo;

    /** When all deltas have one length, the end of each is looked for there first; 0 when they have not. */
    public EventScan(int expectedDelta) {
        this.expectedDelta = expectedDelta;
    }

    /** What this event is; the accessors then speak of it, until its bytes change. */
    public Kind scan(ByteBuf event) {
        text = event;
        at = event.readerIndex();
        end = event.writerIndex();
        kind = Kind.MALFORMED;
        deltaFrom = deltaTo = responseFrom = responseTo = itemFrom = itemTo = typeFrom = typeTo = -1;
        seq = -1;
        if (!members()) kind = Kind.MALFORMED;
        return switch (kind) {
            case OLD_AUDIO_DELTA -> Kind.AUDIO_DELTA;
            case OLD_AUDIO_DONE -> Kind.AUDIO_DONE;
            default -> kind;
        };
    }

    /** Index of the delta's first character, or -1. */
    int deltaFrom() {
        return deltaFrom;
    }

    public int deltaChars() {
        return deltaTo - deltaFrom;
    }

    /** Empty when the event names no response at its top level. */
    public String responseId() {
        return string(responseFrom, responseTo);
    }

    /** Empty when the event names no item at its top level. */
    public String itemId() {
        return string(itemFrom, itemTo);
    }

    /** The number of an event that has one ahead of its type; -1 for any other. */
    public long seq() {
        return seq;
    }

    /** Whether the type begins with these letters. */
    public boolean isNamed(String beginning) {
        return typeTo - typeFrom >= beginning.length() && is(typeFrom, typeFrom + beginning.length(), beginning);
    }

    private String string(int from, int to) {
        return from < 0 ? "" : text.toString(from, to - from, StandardCharsets.UTF_8);
    }

    private boolean members() {
        if (!takes('{')) return false;
        while (!takes('}')) {
            if (!takes('"')) return false;
            int key = at;
            int keyEnd = endOfString();
            if (keyEnd < 0 || !takes(':')) return false;
            if (!value(key, keyEnd)) return false;
            if (enough()) return true;
            if (!takes(',') && peek() != '}') return false;
        }
        return kind != Kind.MALFORMED;
    }

    /** Whether nothing further in the event is wanted. */
    private boolean enough() {
        return switch (kind) {
            case MALFORMED -> false;
            case AUDIO_DELTA, OLD_AUDIO_DELTA -> deltaFrom >= 0 && (expectedDelta > 0 || named());
            case AUDIO_DONE, OLD_AUDIO_DONE -> named();
            default -> true;
        };
    }

    private boolean named() {
        return responseFrom >= 0 && itemFrom >= 0;
    }

    private boolean value(int key, int keyEnd) {
        int first = peek();
        if (first == '{' || first == '[') return skipNested();
        if (first != '"') return is(key, keyEnd, SEQ) ? number() : skipPlain();
        int from = ++at;
        boolean delta = is(key, keyEnd, DELTA);
        int likely = from + expectedDelta;
        if (delta && expectedDelta > 0 && likely < end && text.getByte(likely) == '"') {
            at = likely + 1;
        } else if (endOfString() < 0) {
            return false;
        }
        int to = at - 1;
        if (delta) {
            deltaFrom = from;
            deltaTo = to;
        } else if (is(key, keyEnd, TYPE)) {
            kind = kindOf(from, to);
            typeFrom = from;
            typeTo = to;
        } else if (is(key, keyEnd, RESPONSE_ID)) {
            responseFrom = from;
            responseTo = to;
        } else if (is(key, keyEnd, ITEM_ID)) {
            itemFrom = from;
            itemTo = to;
        }
        return true;
    }

    private Kind kindOf(int from, int to) {
        for (var candidate : KINDS) {
            if (!candidate.wireName.isEmpty() && is(from, to, candidate.wireName)) return candidate;
        }
        return Kind.OTHER;
    }

    private boolean is(int from, int to, String word) {
        if (to - from != word.length()) return false;
        for (int i = word.length() - 1; i >= 0; i--) {
            if (text.getByte(from + i) != word.charAt(i)) return false;
        }
        return true;
    }

    /** From behind the opening quote to behind the closing one; gives the index of the closing one, or -1. */
    private int endOfString() {
        for (int from = at; ; from = at) {
            int quote = text.indexOf(from, end, (byte) '"');
            if (quote < 0) return -1;
            int slashes = 0;
            while (quote - slashes > from && text.getByte(quote - slashes - 1) == '\\') slashes++;
            at = quote + 1;
            if (slashes % 2 == 0) return quote;
        }
    }

    private boolean skipNested() {
        int depth = 0;
        while (at < end) {
            switch (text.getByte(at++)) {
                case '{', '[' -> depth++;
                case '}', ']' -> depth--;
                case '"' -> {
                    if (endOfString() < 0) return false;
                }
                default -> {}
            }
            if (depth == 0) return true;
        }
        return false;
    }

    private boolean number() {
        int from = at;
        if (!skipPlain()) return false;
        long value = 0;
        for (int i = from; i < at && value >= 0; i++) {
            int digit = text.getByte(i) - '0';
            value = digit >= 0 && digit <= 9 && i - from < 18 ? value * 10 + digit : -1;
        }
        seq = value;
        return true;
    }

    private boolean skipPlain() {
        int from = at;
        while (at < end && text.getByte(at) != ',' && text.getByte(at) != '}') at++;
        return at > from;
    }

    private boolean takes(char wanted) {
        if (peek() != wanted) return false;
        at++;
        return true;
    }

    /** The next byte that is not white space, or -1 at the end. */
    private int peek() {
        while (at < end) {
            int next = text.getByte(at);
            if (next != ' ' && next != '\n' && next != '\r' && next != '\t') return next;
            at++;
        }
        return -1;
    }
}
