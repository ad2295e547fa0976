package parley.app;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.net.http.WebSocket;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** O1, O2: a whole node under a real turn, and what it says about that. */
@Tag("client")
class TelemetryTest {
    private static final HttpClient HTTP = HttpClient.newHttpClient();
    private static final Pattern SAMPLE = Pattern.compile("([a-z0-9_]+)(\\{.*})? (\\S+)");
    /** Of one name, on a node that has been used by many tests: what bounds it is tested in MetersTest. */
    private static final int MOST_SERIES = 200;

    private final TestNode node = TestNode.shared();

    /** Samples by name and labels as they are written. */
    private Map<String, Double> scrape() {
        var samples = new HashMap<String, Double>();
        text().lines().filter(line -> !line.startsWith("#")).forEach(line -> {
            var sample = SAMPLE.matcher(line);
            assertThat(sample.matches()).as(line).isTrue();
            var name = sample.group(1) + (sample.group(2) == null ? "" : sample.group(2));
            samples.put(
                    name,
                    sample.group(3).equals("+Inf") ? Double.POSITIVE_INFINITY : Double.parseDouble(sample.group(3)));
        });
        return samples;
    }

    private String text() {
        return get("/metrics");
    }

    private String get(String path) {
        try {
            return HTTP.send(HttpRequest.newBuilder(node.http(path)).build(), BodyHandlers.ofString())
                    .body();
        } catch (IOException gone) {
            throw new java.io.UncheckedIOException(gone);
        } catch (InterruptedException interrupted) {
            throw new IllegalStateException(interrupted);
        }
    }

    /** How much a sample has risen; one that was not there was 0. */
    private static double rise(Map<String, Double> before, Map<String, Double> after, String sample) {
        assertThat(after).containsKey(sample);
        return after.get(sample) - before.getOrDefault(sample, 0.0);
    }

    private static final String TTFA = "voice_ttfa_seconds_count{arm=\"voice\",provider=\"simulator\"}";
    private static final String ENDED = "voice_sessions_total{tenant_id=\"default\",status=\"completed\"}";

    @Test
    void aTurnIsMeasuredFromTheDoorToTheBill() {
        var before = scrape();
        try (var caller = Caller.connect(node, "/v1/ws/voice")) {
            caller.asks("say exactly: good morning.");
            caller.awaits("response.done");
            var during = scrape();

            assertThat(during.get("voice_sessions_active")).isGreaterThanOrEqualTo(1);
            assertThat(during.get("voice_active_sessions")).isGreaterThanOrEqualTo(1);
            assertThat(during.get("voice_sessions{phase=\"live\",arm=\"voice\",face=\"voice\",provider=\"simulator\"}"))
                    .isGreaterThanOrEqualTo(1);
            assertThat(rise(before, during, TTFA)).isGreaterThanOrEqualTo(1);
            assertThat(rise(before, during, "voice_latency_seconds_count{type=\"first_token\"}"))
                    .isGreaterThanOrEqualTo(1);
            assertThat(rise(before, during, "voice_answers_total{arm=\"voice\",outcome=\"completed\"}"))
                    .isGreaterThanOrEqualTo(1);
            assertThat(rise(before, during, "voice_tokens_total{provider=\"simulator\",kind=\"audio_out\"}"))
                    .isPositive();
            assertThat(rise(before, during, "voice_cost_usd_total{provider=\"simulator\",kind=\"audio_out\"}"))
                    .isBetween(1e-6, 1.0);
            assertThat(rise(before, during, "voice_journal_write_seconds_count"))
                    .isPositive();
            assertThat(rise(
                            before,
                            during,
                            "voice_session_attempts_total{arm=\"voice\",result=\"admitted\",reason=\"none\"}"))
                    .isGreaterThanOrEqualTo(1);
            caller.leaves();
        }
        await("the session to end", () -> rise(before, scrape(), ENDED) >= 1);
        var after = scrape();
        assertThat(rise(before, after, "voice_session_cost_usd_count")).isGreaterThanOrEqualTo(1);
        assertThat(rise(before, after, "voice_sessions_ended_total{arm=\"voice\",end=\"caller_left\"}"))
                .isGreaterThanOrEqualTo(1);
        assertThat(rise(
                        before,
                        after,
                        "voice_session_outcomes_total{arm=\"voice\",signal=\"connection\",result=\"ok\"}"))
                .isGreaterThanOrEqualTo(1);
    }

    @Test
    void everyMetricIsDocumentedAndEveryDocumentedOneIsThere() throws IOException {
        var documented = documented();
        var told = new HashSet<String>();
        text().lines()
                .filter(line -> line.startsWith("# TYPE "))
                .forEach(line -> told.add(line.split(" ")[2] + " " + line.split(" ")[3]));

        assertThat(told).isSubsetOf(documented.keySet());
        var missing = new HashSet<>(documented.keySet());
        missing.removeAll(told);
        assertThat(missing.stream().filter(name -> !documented.get(name))).isEmpty();
    }

    /** Name and type of each, and whether it may be missing on a node of this kind. */
    private static Map<String, Boolean> documented() throws IOException {
        // Not on a node that is alone, was never judged, or has no budget.
        var sometimes = Set.of(
                "voice_sessions",
                "voice_budget_usd",
                "voice_budget_spent_usd",
                "voice_budget_remaining_usd",
                "voice_guardrail_verdict",
                "voice_guardrail_score",
                "voice_guardrail_limit",
                "voice_guardrail_observed_ratio",
                "voice_guardrail_samples",
                "voice_rollout_transitions_total",
                "voice_tool_calls_total",
                "voice_tool_seconds",
                "voice_sessions_total",
                "voice_probe_success",
                "voice_probe_seconds",
                "process_resident_memory_bytes",
                "process_virtual_memory_bytes");
        var documented = new HashMap<String, Boolean>();
        for (var line : Files.readAllLines(TestNode.home().resolve("docs/telemetry.md"))) {
            var cells = line.split("\\|");
            if (cells.length > 4 && cells[2].strip().matches("(counter|gauge|histogram)(, max)?")) {
                for (var name : cells[1].split(",")) {
                    var plain = name.strip().replace("`", "");
                    documented.put(
                            plain + " " + cells[2].strip().replace(", max", ""),
                            sometimes.contains(plain) || line.contains("**no source yet**"));
                }
            }
        }
        assertThat(documented).hasSizeGreaterThan(100);
        return documented;
    }

    @Test
    void noNameHasMoreSeriesThanAnybodyReads() {
        var series = new HashMap<String, Integer>();
        scrape().keySet().stream()
                .filter(sample -> !sample.contains("le=\""))
                .forEach(sample -> series.merge(sample.replaceAll("\\{.*", ""), 1, Integer::sum));

        assertThat(series.values()).allMatch(count -> count <= MOST_SERIES);
        assertThat(text()).doesNotContain("sess_", "user=\"", "session=\"", "anna");
    }

    @Test
    void whatIsExpectedIsThereWithZero() {
        var samples = scrape();

        assertThat(samples)
                .containsKeys(
                        "voice_session_outcomes_total{arm=\"voice\",signal=\"error\",result=\"failed\"}",
                        "voice_session_attempts_total{arm=\"none\",result=\"refused\",reason=\"capacity\"}",
                        "voice_sessions_ended_total{arm=\"control\",end=\"provider_lost\"}",
                        "voice_resumes_total{outcome=\"forbidden\"}",
                        "voice_session_handovers_total{cause=\"crash\",outcome=\"completed\"}",
                        "voice_log_events_total{level=\"error\"}",
                        "http_requests_total{status=\"500\"}");
        assertThat(samples.get("voice_max_sessions")).isEqualTo(1000);
        assertThat(samples.get("voice_node_ready")).isEqualTo(1);
        assertThat(samples.get("voice_journal_up")).isEqualTo(1);
        assertThat(samples.get("voice_cluster_members{status=\"up\"}")).isEqualTo(1);
        assertThat(samples.get("voice_rollout_percentage")).isBetween(0.0, 100.0);
    }

    @Test
    void theManagementPortTellsTheSame() throws Exception {
        var management = "http://127.0.0.1:" + node.node().managementPort();
        for (var path : List.of("/alive", "/ready", "/metrics")) {
            var answer = HTTP.send(
                    HttpRequest.newBuilder(java.net.URI.create(management + path))
                            .build(),
                    BodyHandlers.ofString());

            assertThat(answer.statusCode()).as(path).isEqualTo(200);
            assertThat(answer.body()).contains(path.equals("/metrics") ? "voice_sessions_active " : path.substring(1));
        }
    }

    static void await(String what, BooleanSupplier condition) {
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(60);
        while (!condition.getAsBoolean()) {
            assertThat(System.nanoTime()).as("waiting for " + what).isLessThan(deadline);
            LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(20));
        }
    }

    /** Types a turn and listens. */
    static final class Caller implements WebSocket.Listener, AutoCloseable {
        private final StringBuilder message = new StringBuilder();
        private final List<String> heard = new ArrayList<>();
        private final CompletableFuture<@Nullable Void> closed = new CompletableFuture<>();
        private @Nullable WebSocket socket;

        static Caller connect(TestNode node, String path, String... headers) {
            var caller = new Caller();
            var builder = HTTP.newWebSocketBuilder().header("Authorization", "Bearer " + node.token("anna"));
            for (int at = 0; at < headers.length; at += 2) {
                builder.header(headers[at], headers[at + 1]);
            }
            caller.socket = builder.buildAsync(node.ws(path), caller)
                    .orTimeout(60, TimeUnit.SECONDS)
                    .join();
            return caller;
        }

        private WebSocket socket() {
            return java.util.Objects.requireNonNull(socket);
        }

        void asks(String text) {
            awaits("session.created");
            says("{\"type\":\"conversation.item.create\",\"item\":{\"type\":\"message\",\"role\":\"user\",\"content\":"
                    + "[{\"type\":\"input_text\",\"text\":\"" + text + "\"}]}}");
            says("{\"type\":\"response.create\"}");
        }

        void says(String event) {
            socket().sendText(event, true).orTimeout(60, TimeUnit.SECONDS).join();
        }

        synchronized boolean hasHeard(String type) {
            return heard.stream().anyMatch(event -> event.contains("\"type\":\"" + type + "\""));
        }

        void awaits(String type) {
            await(type, () -> hasHeard(type));
        }

        void leaves() {
            socket().sendClose(WebSocket.NORMAL_CLOSURE, "");
            closed.orTimeout(60, TimeUnit.SECONDS).join();
        }

        @Override
        public synchronized @Nullable CompletionStage<?> onText(WebSocket webSocket, CharSequence data, boolean last) {
            message.append(data);
            if (last) {
                heard.add(message.toString());
                message.setLength(0);
            }
            webSocket.request(1);
            return null;
        }

        @Override
        public @Nullable CompletionStage<?> onClose(WebSocket webSocket, int statusCode, String reason) {
            closed.complete(null);
            return null;
        }

        @Override
        public void close() {
            socket().abort();
        }
    }
}
