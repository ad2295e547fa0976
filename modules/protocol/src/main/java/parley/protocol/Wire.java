package parley.protocol;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonStreamContext;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.UncheckedIOException;
import org.jspecify.annotations.Nullable;

/**
 * Events from JSON and back. Thread-safe, keeps nothing.
 *
 * <p>Reading throws {@link MalformedEvent} for anything that is not one JSON object without duplicate keys, and for
 * required fields that are missing or mistyped. An event of an unknown type is read as {@code Unknown} and written back
 * with every field as it was; bytes may differ in white space. A typed record knows its own fields only: further ones
 * are dropped, except inside {@link SessionConfig} and {@link ResponseRequest}, which keep all. Whoever passes a frame
 * on unchanged passes on its bytes.
 *
 * <p>Client events are read strictly. Server events are read with care for providers that stray: an {@code event_id}
 * may be missing, and an item or part that is not as its type demands stays raw.
 *
 * <p>Writing leaves out what is null, except where clients of the reference need the null: {@code previous_item_id} by
 * {@link Previous}, the {@code transcript} of a caller's audio in server events, and the four nullable fields of a
 * {@link Response}.
 */
public final class Wire {
    private Wire() {}

    /** Reads a client's frame, UTF-8. */
    public static ClientEvent client(byte[] frame) {
        return client(parse(frame));
    }

    /** Reads a client's frame. */
    public static ClientEvent client(String frame) {
        return client(parse(frame));
    }

    /** Reads a client's event; the tree must not be modified afterwards. */
    public static ClientEvent client(JsonNode event) {
        ObjectNode object = object(event);
        try {
            return ClientCodec.read(object);
        } catch (MalformedEvent malformed) {
            throw malformed.ofEvent(Json.text(object, "event_id"));
        }
    }

    /** Reads a server's frame, UTF-8. */
    public static ServerEvent server(byte[] frame) {
        return server(parse(frame));
    }

    /** Reads a server's frame. */
    public static ServerEvent server(String frame) {
        return server(parse(frame));
    }

    /** Reads a server's event; the tree must not be modified afterwards. */
    public static ServerEvent server(JsonNode event) {
        ObjectNode object = object(event);
        try {
            return ServerCodec.read(object);
        } catch (MalformedEvent malformed) {
            throw malformed.ofEvent(Json.text(object, "event_id"));
        }
    }

    /** One JSON object without duplicate keys, for {@link Beta}; everything else is {@link MalformedEvent}. */
    public static ObjectNode parse(byte[] frame) {
        try (JsonParser parser = Json.MAPPER.createParser(frame)) {
            return parse(parser);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** One JSON object without duplicate keys, for {@link Beta}; everything else is {@link MalformedEvent}. */
    public static ObjectNode parse(String frame) {
        try (JsonParser parser = Json.MAPPER.createParser(frame)) {
            return parse(parser);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The event as a new tree; parts of it may belong to the event and must not be modified. */
    public static ObjectNode tree(ClientEvent event) {
        return ClientCodec.write(event);
    }

    /** The event as a new tree; parts of it may belong to the event and must not be modified. */
    public static ObjectNode tree(ServerEvent event) {
        return ServerCodec.write(event);
    }

    /** The event as a frame, UTF-8. */
    public static byte[] bytes(ClientEvent event) {
        return bytes(tree(event));
    }

    /** The event as a frame, UTF-8. */
    public static byte[] bytes(ServerEvent event) {
        return bytes(tree(event));
    }

    /** The tree as a frame, UTF-8. */
    public static byte[] bytes(JsonNode event) {
        try {
            return Json.MAPPER.writeValueAsBytes(event);
        } catch (JsonProcessingException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The event as a frame. */
    public static String json(ClientEvent event) {
        return json(tree(event));
    }

    /** The event as a frame. */
    public static String json(ServerEvent event) {
        return json(tree(event));
    }

    /** The tree as a frame. */
    public static String json(JsonNode event) {
        try {
            return Json.MAPPER.writeValueAsString(event);
        } catch (JsonProcessingException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static ObjectNode object(@Nullable JsonNode event) {
        if (event instanceof ObjectNode object) return object;
        String found = event == null ? "nothing" : Fields.kind(event);
        throw MalformedEvent.invalidEvent(null, "event: " + found + " (expected: a JSON object)");
    }

    /** Jackson's own messages may quote the frame, so only their kind and place are told. */
    private static ObjectNode parse(JsonParser parser) throws IOException {
        try {
            return object(Json.MAPPER.readTree(parser));
        } catch (JsonProcessingException e) {
            String message = e.getOriginalMessage();
            String duplicate = "Duplicate field '";
            if (message != null && message.startsWith(duplicate)) {
                String key = message.substring(duplicate.length(), message.length() - 1);
                String param = within(parser.getParsingContext(), key);
                throw MalformedEvent.invalidEvent(param, param + ": twice (expected: each key once)");
            }
            String place = e.getLocation() == null
                    ? ""
                    : " at line " + e.getLocation().getLineNr() + ", column "
                            + e.getLocation().getColumnNr();
            throw MalformedEvent.invalidEvent(null, "event: malformed JSON" + place + " (expected: a JSON object)");
        }
    }

    private static String within(JsonStreamContext context, String key) {
        StringBuilder path = new StringBuilder(key);
        for (JsonStreamContext at = context.getParent(); at != null && !at.inRoot(); at = at.getParent()) {
            String step = at.inArray() ? "[" + at.getCurrentIndex() + "]" : at.getCurrentName();
            path.insert(0, path.charAt(0) == '[' ? step : step + ".");
        }
        return path.toString();
    }
}
