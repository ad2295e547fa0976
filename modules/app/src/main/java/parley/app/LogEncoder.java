package parley.app;

import ch.qos.logback.classic.PatternLayout;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.classic.spi.IThrowableProxy;
import ch.qos.logback.core.encoder.EncoderBase;
import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/**
 * Writes an event as a line to read, or as a JSON object of one line when {@link Logs#JSON} says so.
 *
 * <p>An object has {@code time}, {@code level}, {@code logger}, {@code message}, {@code node} and, where they are known,
 * {@code session}, {@code user} (a pseudonym), {@code tenant}, {@code trace_id} and {@code error}. What it writes has
 * been through {@link RedactingAppender}.
 */
public final class LogEncoder extends EncoderBase<ILoggingEvent> {
    /** The actor system's own, of which {@code pekkoSource} alone says something. */
    private static final Set<String> NOISE =
            Set.of("pekkoTimestamp", "pekkoAddress", "pekkoUid", "sourceThread", "sourceActorSystem", "pekkoTags");

    private static final Set<String> TAKEN = Set.of("time", "level", "logger", "message", "node", "thread", "error");

    private static final int CAUSES = 10;
    private static final int FRAMES = 16;
    private static final JsonFactory FACTORY = new JsonFactory();

    private final PatternLayout readable = new PatternLayout();

    /** Of the line to read. */
    public void setPattern(String pattern) {
        readable.setPattern(pattern);
    }

    @Override
    public void start() {
        readable.setContext(context);
        readable.start();
        super.start();
    }

    @Override
    public byte[] headerBytes() {
        return new byte[0];
    }

    @Override
    public byte[] footerBytes() {
        return new byte[0];
    }

    @Override
    public byte[] encode(ILoggingEvent event) {
        return context.getObject(Logs.JSON) == null
                ? readable.doLayout(event).getBytes(StandardCharsets.UTF_8)
                : json(event);
    }

    private byte[] json(ILoggingEvent event) {
        var line = new ByteArrayOutputStream(512);
        try (var json = FACTORY.createGenerator(line)) {
            json.writeStartObject();
            json.writeStringField("time", event.getInstant().toString());
            json.writeStringField("level", event.getLevel().toString());
            json.writeStringField("logger", event.getLoggerName());
            json.writeStringField("message", event.getFormattedMessage());
            var node = context.getProperty(Logs.NODE);
            if (node != null) {
                json.writeStringField("node", node);
            }
            json.writeStringField("thread", event.getThreadName());
            for (var field : fields(event).entrySet()) {
                json.writeStringField(field.getKey(), field.getValue());
            }
            error(json, event);
            json.writeEndObject();
        } catch (IOException inMemory) {
            throw new UncheckedIOException(inMemory);
        }
        line.write('\n');
        return line.toByteArray();
    }

    private static Map<String, String> fields(ILoggingEvent event) {
        var fields = new TreeMap<String, String>();
        event.getMDCPropertyMap().forEach((name, value) -> {
            if (!NOISE.contains(name)) {
                fields.put(name.equals("pekkoSource") ? "actor" : name, value);
            }
        });
        var pairs = event.getKeyValuePairs();
        if (pairs != null) {
            pairs.forEach(pair -> fields.put(pair.key, String.valueOf(pair.value)));
        }
        fields.keySet().removeAll(TAKEN);
        return fields;
    }

    private static void error(JsonGenerator json, ILoggingEvent event) throws IOException {
        var thrown = event.getThrowableProxy();
        if (thrown == null) {
            return;
        }
        json.writeObjectFieldStart("error");
        json.writeStringField("type", thrown.getClassName());
        if (thrown.getMessage() != null) {
            json.writeStringField("message", thrown.getMessage());
        }
        json.writeStringField("stack", stack(thrown));
        json.writeEndObject();
    }

    /** Every cause, and of each the frames that tell where it was. */
    private static String stack(IThrowableProxy thrown) {
        var stack = new StringBuilder();
        int causes = 0;
        for (var each = thrown; each != null && causes++ < CAUSES; each = each.getCause()) {
            stack.append(stack.isEmpty() ? "" : "Caused by: ").append(each.getClassName());
            if (each.getMessage() != null) {
                stack.append(": ").append(each.getMessage());
            }
            stack.append('\n');
            var frames = each.getStackTraceElementProxyArray();
            int told = Math.min(FRAMES, frames.length - each.getCommonFrames());
            for (int at = 0; at < told; at++) {
                stack.append('\t').append(frames[at].getSTEAsString()).append('\n');
            }
            if (told < frames.length) {
                stack.append("\t... ").append(frames.length - told).append(" more\n");
            }
        }
        return stack.toString();
    }
}
