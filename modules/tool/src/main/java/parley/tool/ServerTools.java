package parley.tool;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.time.Clock;
import java.time.DateTimeException;
import java.time.ZoneId;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import parley.protocol.Tool;

/** Tools that run in this process, each call on a virtual thread of its own and bounded in time. */
final class ServerTools implements Tools {
    static final Set<String> NAMES = Set.of("current_time");

    private static final ObjectMapper JSON = new ObjectMapper();
    private static final DateTimeFormatter SPOKEN =
            DateTimeFormatter.ofPattern("EEEE, d MMMM yyyy, HH:mm zzz", Locale.ENGLISH);

    private final ToolSettings settings;
    private final Map<String, Function<JsonNode, Outcome>> bodies;
    private final Clock clock;
    private final ExecutorService calls = Executors.newVirtualThreadPerTaskExecutor();

    ServerTools(ToolSettings settings, Clock clock) {
        this.settings = settings;
        this.clock = clock;
        this.bodies =
                settings.enabled().contains("current_time") ? Map.of("current_time", this::currentTime) : Map.of();
    }

    @Override
    public List<Tool.Function> offered() {
        return knows("current_time") ? List.of(currentTime()) : List.of();
    }

    @Override
    public boolean knows(String name) {
        return bodies.containsKey(name);
    }

    @Override
    public CompletionStage<Outcome> call(String name, String arguments) {
        var body = bodies.get(name);
        if (body == null) {
            return CompletableFuture.completedFuture(new Outcome(false, "there is no tool named " + name));
        }
        return CompletableFuture.supplyAsync(() -> body.apply(parse(arguments)), calls)
                .completeOnTimeout(
                        new Outcome(false, "the tool did not answer in time"),
                        settings.timeout().toMillis(),
                        TimeUnit.MILLISECONDS)
                .exceptionally(fault -> new Outcome(false, "the tool failed"));
    }

    private static Tool.Function currentTime() {
        var parameters = JSON.createObjectNode().put("type", "object");
        parameters
                .putObject("properties")
                .putObject("zone")
                .put("type", "string")
                .put("description", "IANA time zone, e.g. Europe/Berlin; UTC when left out");
        return new Tool.Function("current_time", "Tells the date and time now.", parameters);
    }

    private Outcome currentTime(JsonNode arguments) {
        var zone = arguments.path("zone").asText("UTC");
        try {
            return new Outcome(true, SPOKEN.format(ZonedDateTime.now(clock.withZone(ZoneId.of(zone)))));
        } catch (DateTimeException unknown) {
            return new Outcome(false, "zone: " + zone + " (expected: an IANA time zone such as Europe/Berlin)");
        }
    }

    private static JsonNode parse(String arguments) {
        try {
            return JSON.readTree(arguments);
        } catch (JsonProcessingException notJson) {
            return JSON.createObjectNode();
        }
    }
}
