package parley.protocol;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** One true example of every event, on the class path under {@code golden/{client,server}/<type>.json}. */
record Golden(EventType type, String json) {
    /** Every example there is; a type without one is left out. */
    static List<Golden> all() {
        List<Golden> all = new ArrayList<>();
        for (EventType type : EventType.values()) {
            String json = type == EventType.UNKNOWN ? null : read(type);
            if (json != null) all.add(new Golden(type, json));
        }
        return all;
    }

    static List<Golden> all(EventType.Direction direction) {
        return all().stream().filter(g -> g.type.direction() == direction).toList();
    }

    static Golden of(EventType type) {
        return all().stream().filter(g -> g.type == type).findFirst().orElseThrow();
    }

    /** The frame, UTF-8. */
    byte[] bytes() {
        return json.getBytes(StandardCharsets.UTF_8);
    }

    @Override
    public String toString() {
        return type.toString();
    }

    private static @Nullable String read(EventType type) {
        String side = type.direction() == EventType.Direction.CLIENT ? "client" : "server";
        try (InputStream in = Golden.class.getResourceAsStream("golden/" + side + "/" + type + ".json")) {
            return in == null ? null : new String(in.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
