package parley.gateway;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.swagger.v3.parser.OpenAPIV3Parser;
import io.swagger.v3.parser.core.models.ParseOptions;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.CompletionStage;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.apache.pekko.http.javadsl.model.HttpHeader;
import org.apache.pekko.http.javadsl.model.HttpMethods;
import org.apache.pekko.http.javadsl.model.HttpRequest;
import org.apache.pekko.http.javadsl.model.HttpResponse;
import org.apache.pekko.http.javadsl.model.headers.RawHeader;
import org.apache.pekko.japi.function.Function;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import parley.admission.CallerId;
import parley.admission.Quotas;
import parley.admission.Rollouts;
import parley.meter.Meters;
import parley.session.Spans;

/**
 * R16: {@code /openapi.json} is OpenAPI 3.1, and tells of every route that there is and of no other. That the answers are as
 * it says is tested with a whole node, in the module app.
 *
 * <p>Routes cannot be listed, so they are asked: what is documented answers OPTIONS with its methods; and so does nothing
 * else, of all that can be built from a documented address, or the beginning of one, and one more word that the routes'
 * source takes for a part of an address. Each such word has to be documented, too.
 */
@Tag("route")
class OpenApiTest {
    private static final Path SOURCE = Path.of("src/main/java/parley/gateway");
    private static final Pattern PART =
            Pattern.compile("(?:(?<![.\\w])(?:path|pathPrefix|segment)|\\.slash)\\(\\s*\"([^\"]+)\"");
    private static final Pattern ADDRESS = Pattern.compile("(?:case |equals\\()\"(/[^\"]*)\"");
    private static final Pattern PARAMETER = Pattern.compile("\\{([^}]+)}");
    private static final String SOMETHING = "sess_0010000000000000000000";
    private static final Set<String> METHODS = Set.of("get", "put", "post", "delete", "patch");

    private static final Rig RIG = new Rig();
    private static final JsonNode DOCUMENT = document();
    private static final Function<HttpRequest, CompletionStage<HttpResponse>> ROUTES = routes();

    @AfterAll
    static void close() {
        RIG.close();
    }

    @Test
    void theDocumentIsOpenApi() {
        var options = new ParseOptions();
        options.setResolve(true);

        var parsed = new OpenAPIV3Parser().readContents(DOCUMENT.toString(), null, options);

        assertThat(parsed.getMessages()).isEmpty();
        assertThat(parsed.isOpenapi31()).isTrue();
        assertThat(parsed.getOpenAPI().getPaths())
                .hasSize(DOCUMENT.path("paths").size());
    }

    @Test
    void everyReferenceLeadsSomewhereAndNothingIsLeftOver() {
        var references = DOCUMENT.findValuesAsText("$ref");
        var components = new TreeSet<String>();
        DOCUMENT.path("components").properties().forEach(kind -> {
            if (!kind.getKey().equals("securitySchemes")) {
                kind.getValue()
                        .fieldNames()
                        .forEachRemaining(name -> components.add("#/components/" + kind.getKey() + "/" + name));
            }
        });

        assertThat(components).containsExactlyElementsOf(new TreeSet<>(references));
    }

    @Test
    void everyOperationHasANameOfItsOwnAndSaysWhatItIsFor() {
        var names = new ArrayList<String>();
        operations().forEach(operation -> {
            names.add(operation.path("operationId").asText());
            assertThat(operation.path("summary").asText())
                    .as(operation.path("operationId").asText())
                    .isNotEmpty();
            assertThat(DOCUMENT.path("tags").findValuesAsText("name"))
                    .contains(operation.path("tags").path(0).asText());
        });

        assertThat(names).doesNotContain("").doesNotHaveDuplicates();
    }

    @Test
    void everySecurityRequirementNamesARoleThatThereIs() {
        var roles = Arrays.stream(Role.values()).map(Role::toString).toList();

        operations()
                .flatMap(operation -> StreamSupport.stream(
                        operation.path("security").findValues("bearer").spliterator(), false))
                .forEach(named -> named.forEach(role -> assertThat(roles).contains(role.asText())));
    }

    @Test
    void anybodyMayReadItAndKeepItUntilItChanges() {
        var got = ask(HttpRequest.GET("/openapi.json"));
        var tag = got.getHeader("ETag").map(HttpHeader::value).orElseThrow();
        var again = ask(HttpRequest.GET("/openapi.json").addHeader(HttpHeader.parse("If-None-Match", tag)));

        assertThat(got.status().intValue()).isEqualTo(200);
        assertThat(got.entity().getContentType().toString()).isEqualTo("application/json");
        assertThat(again.status().intValue()).isEqualTo(304);
    }

    // ---- the routes

    @Test
    void whatIsDocumentedIsThereWithTheseMethods() {
        documented()
                .forEach((address, methods) ->
                        assertThat(methodsAt(address)).as(address).isEqualTo(methods));
    }

    @Test
    void nothingIsThereThatIsNotDocumented() throws IOException {
        var documented = documented();
        var beginnings = new TreeSet<String>(Set.of(""));
        documented.keySet().forEach(address -> {
            for (int slash = address.indexOf('/', 1); slash > 0; slash = address.indexOf('/', slash + 1)) {
                beginnings.add(address.substring(0, slash));
            }
            beginnings.add(address.equals("/") ? "" : address);
        });
        var words = new TreeSet<>(parts());
        words.add(SOMETHING);

        var undocumented = new TreeMap<String, Set<String>>();
        beginnings.forEach(beginning -> words.stream()
                .map(word -> beginning + "/" + word)
                .filter(address -> !documented.containsKey(address) && !isOneOf(address))
                .forEach(address -> {
                    var methods = methodsAt(address);
                    if (!methods.isEmpty()) {
                        undocumented.put(address, methods);
                    }
                }));

        assertThat(undocumented).as("answered, and not in web/openapi.json").isEmpty();
    }

    @Test
    void everyWordOfTheRoutesIsPartOfADocumentedAddress() throws IOException {
        var known = new HashSet<String>();
        DOCUMENT.path("paths").fieldNames().forEachRemaining(path -> known.addAll(List.of(path.split("/"))));

        assertThat(known).as("web/openapi.json").containsAll(parts());
    }

    @Test
    void everyAddressThatTheSourceNamesIsDocumented() throws IOException {
        var known = new HashSet<String>();
        DOCUMENT.path("paths").fieldNames().forEachRemaining(known::add);

        assertThat(found(ADDRESS)).contains("/v1/realtime").allMatch(known::contains);
    }

    @Test
    void everyActionIsDocumented() {
        var actions = DOCUMENT.at("/paths/~1admin~1rollout~1{action}/post/parameters/0/schema/enum");

        assertThat(StreamSupport.stream(actions.spliterator(), false).map(JsonNode::asText))
                .containsExactlyInAnyOrder(Arrays.stream(Rollouts.Action.values())
                        .map(action -> action.name().toLowerCase(Locale.ROOT))
                        .toArray(String[]::new));
    }

    // ---- what the document says

    private static Stream<JsonNode> operations() {
        return DOCUMENT.path("paths").properties().stream()
                .flatMap(path -> path.getValue().properties().stream()
                        .filter(operation -> METHODS.contains(operation.getKey()))
                        .map(Map.Entry::getValue));
    }

    /** Addresses with something in place of each parameter, and their methods. */
    private static Map<String, Set<String>> documented() {
        var documented = new TreeMap<String, Set<String>>();
        // What is named exactly comes before what a parameter stands for.
        DOCUMENT.path("paths").properties().stream()
                .sorted((one, other) -> Boolean.compare(
                        one.getKey().contains("{"), other.getKey().contains("{")))
                .forEach(path -> {
                    var methods = path.getValue().properties().stream()
                            .map(Map.Entry::getKey)
                            .filter(METHODS::contains)
                            .map(method -> method.toUpperCase(Locale.ROOT))
                            .collect(Collectors.toCollection(TreeSet::new));
                    addresses(path.getKey(), path.getValue())
                            .forEach(address -> documented.putIfAbsent(address, methods));
                });
        return documented;
    }

    private static List<String> addresses(String template, JsonNode path) {
        var parameter = PARAMETER.matcher(template);
        if (!parameter.find()) {
            return List.of(template);
        }
        return values(path, parameter.group(1)).stream()
                .flatMap(value -> addresses(template.replace(parameter.group(), value), path).stream())
                .toList();
    }

    /** Those that a parameter may have, or one that it could. */
    private static List<String> values(JsonNode path, String name) {
        return path.findValues("parameters").stream()
                .flatMap(parameters -> StreamSupport.stream(parameters.spliterator(), false))
                .filter(parameter -> parameter.path("name").asText().equals(name))
                .map(parameter -> parameter.at("/schema/enum"))
                .filter(JsonNode::isArray)
                .findFirst()
                .map(values -> StreamSupport.stream(values.spliterator(), false)
                        .map(JsonNode::asText)
                        .toList())
                .orElse(List.of(SOMETHING));
    }

    /** Whether a parameter without a list of values stands for a part of this address. */
    private static boolean isOneOf(String address) {
        return DOCUMENT.path("paths").properties().stream().anyMatch(path -> {
            var form = PARAMETER
                    .matcher(path.getKey())
                    .replaceAll(parameter ->
                            values(path.getValue(), parameter.group(1)).equals(List.of(SOMETHING)) ? "[^/]+" : "(?!)");
            return address.matches(form);
        });
    }

    // ---- what the routes say

    /** Empty: nothing is there. */
    private static Set<String> methodsAt(String address) {
        var token = Gateway.tokens(Rig.settings())
                .sign(
                        new Tokens.Bearer(new CallerId("anna", "default"), List.of("admin")),
                        java.time.Duration.ofMinutes(5));
        var got = ask(HttpRequest.create(address)
                .withMethod(HttpMethods.OPTIONS)
                .addHeader(RawHeader.create("Authorization", "Bearer " + token)));
        if (got.status().intValue() == 404) {
            return Set.of();
        }
        assertThat(got.status().intValue()).as("OPTIONS " + address).isEqualTo(204);
        var methods = new TreeSet<>(
                List.of(got.getHeader("Allow").map(HttpHeader::value).orElse("").split(", ")));
        methods.removeAll(Set.of("HEAD", "OPTIONS"));
        return methods;
    }

    private static HttpResponse ask(HttpRequest request) {
        try {
            return Rig.get(ROUTES.apply(request));
        } catch (Exception fault) {
            throw new AssertionError(fault);
        }
    }

    private static Set<String> parts() throws IOException {
        var parts = found(PART);
        assertThat(parts).as("what the pattern finds").contains("rollout", "dev-token", "verify");
        return parts;
    }

    private static Set<String> found(Pattern pattern) throws IOException {
        var found = new TreeSet<String>();
        try (var files = Files.list(SOURCE)) {
            for (var file : files.toList()) {
                var matcher = pattern.matcher(Files.readString(file));
                while (matcher.find()) {
                    found.add(matcher.group(1));
                }
            }
        }
        return found;
    }

    private static Function<HttpRequest, CompletionStage<HttpResponse>> routes() {
        var settings = Rig.settings("ws.token = " + "w".repeat(32));
        var tokens = Gateway.tokens(settings);
        var tickets = new Tickets(settings.tokens(), RIG.used, Clock.systemUTC());
        var origins = new Origins(settings.allowedOrigins());
        var behind = RIG.behind(Rig.admission(), Quotas.unlimited());
        var voiceTokens =
                new VoiceTokens(settings.ws(), behind.sharedTokens(), Clock.systemUTC(), (delay, action) -> () -> {});
        var meters = Meters.of(RIG.system);
        var doors = new FaceMetrics(meters, Clock.systemUTC());
        var faces = new FaceHandler(
                tokens,
                tickets,
                behind.admission(),
                behind.quotas(),
                behind.sessions(),
                voiceTokens,
                origins,
                doors,
                Spans.of(RIG.system).tracer());
        return new GatewayRoutes(
                        Gateway.resources(
                                behind,
                                settings,
                                new TelemetrySettings(true),
                                tokens,
                                tickets,
                                voiceTokens,
                                faces,
                                doors,
                                meters,
                                denied -> {}),
                        origins,
                        RIG.system.settings().config())
                .routes()
                .function(RIG.system);
    }

    private static JsonNode document() {
        try (var file = OpenApiTest.class.getResourceAsStream("/web/openapi.json")) {
            return new ObjectMapper().readTree(file);
        } catch (IOException broken) {
            throw new AssertionError(broken);
        }
    }
}
