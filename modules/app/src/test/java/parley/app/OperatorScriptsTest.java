package parley.app;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.entry;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.URLDecoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** O6: each script does what it says to a real node, and says so when it could not. */
@Tag("cluster")
class OperatorScriptsTest {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final String OPERATOR = "Hk5rT9wQz2LmX7vB4nPc8sDf3GjY6uAe";
    private static final String WS_TOKEN = "Vb3nM8kLq6wErT5yUi9oPa2sDf7gHj4x";

    private static TestNode node;

    @TempDir
    private Path directory;

    @BeforeAll
    static void start() {
        node = TestNode.start(Map.of(
                "parley.gateway.api-token",
                OPERATOR,
                "parley.gateway.ws.token",
                WS_TOKEN,
                "parley.admission.percentage",
                0,
                "parley.admission.allow",
                // And whoever calls at /ws without a name.
                List.of("tester", "ws")));
    }

    @AfterAll
    static void stop() {
        node.close();
    }

    private static Script script(String name) {
        return new Script(name).with("PARLEY_URL", node.http("").toString()).with("VOICE_API_TOKEN", OPERATOR);
    }

    private static Script caller(String name) {
        return script(name).with("PARLEY_TOKEN", node.token("tester"));
    }

    private static JsonNode rollout() throws IOException, InterruptedException {
        return admin("GET", "/admin/rollout", "");
    }

    private static JsonNode admin(String method, String path, String body) throws IOException, InterruptedException {
        try (var client = HttpClient.newHttpClient()) {
            return JSON.readTree(client.send(
                            HttpRequest.newBuilder(node.http(path))
                                    .header("Authorization", "Bearer " + OPERATOR)
                                    .method(
                                            method,
                                            body.isEmpty() ? BodyPublishers.noBody() : BodyPublishers.ofString(body))
                                    .build(),
                            BodyHandlers.ofString())
                    .body());
        }
    }

    // ---- all of them

    @ParameterizedTest
    @ValueSource(
            strings = {
                "e2e-voice.sh",
                "validate-deployment.sh",
                "validate-config",
                "pre-release-check.sh",
                "canary.sh",
                "drill-canary",
                "rollback.sh",
                "capture-postmortem.sh",
                "db-backup.sh",
                "db-step-back.sh",
                "scan-secrets",
                "supply-chain"
            })
    void helpTellsTheExitCodesAndAWrongOptionIsNamed(String name) throws Exception {
        var help = new Script(name).run("--help");

        assertThat(help.code()).isZero();
        assertThat(help.output()).contains("scripts/" + name, "Exit codes: 0").doesNotContain("set -euo");
        if (!name.equals("validate-config")) {
            var wrong = new Script(name).run("--nonsense");
            assertThat(wrong.code()).isEqualTo(2);
            assertThat(wrong.output()).contains("--nonsense (expected: ");
        }
    }

    // ---- e2e-voice.sh

    @Test
    void aCallIsMadeFromOutside() throws Exception {
        var made = caller("e2e-voice.sh")
                .with("PORT", Integer.toString(node.http("").getPort()))
                .with("VOICE_WS_TOKEN", WS_TOKEN)
                .run();

        assertThat(made.output())
                .contains(
                        "ok    handshake",
                        "ok    voice-welcome",
                        "ok    ping, pong",
                        "ok    ack",
                        "ok    spoken turn",
                        "ok    closed");
        assertThat(made.code()).isZero();
    }

    @Test
    void aCallThatIsRefusedFails() throws Exception {
        var refused = script("e2e-voice.sh")
                .with("PORT", Integer.toString(node.http("").getPort()))
                .with("PARLEY_TOKEN", "nobody-knows-this-token")
                .run();

        assertThat(refused.output()).contains("FAIL  handshake: refused with 401");
        assertThat(refused.code()).isEqualTo(1);
    }

    // ---- validate-deployment.sh

    @Test
    void aDeploymentIsValidatedAndAKilledOneIsNot() throws Exception {
        var well = caller("validate-deployment.sh").run("--no-turn", "--version", "dev");
        var other = script("validate-deployment.sh").run("--no-turn", "--version", "9.9.9");
        var killed = script("rollback.sh").run("flag", "--live", "close");
        var off = caller("validate-deployment.sh").run("--off");
        var on = caller("validate-deployment.sh").run("--no-turn");
        var released = script("rollback.sh").run("flag", "--release", "--reason", "the drill is over");

        assertThat(well.output())
                .contains(
                        "ok    version: dev, as expected",
                        "ok    a foreign site is refused: 403",
                        "ok    no credential, no admin: 401",
                        "ok    a session is opened: 201",
                        "skip  /alive, /ready: no --management",
                        "everything that was checked is well");
        assertThat(well.code()).isZero();
        assertThat(other.output()).contains("FAIL  version: dev (expected: 9.9.9)", "1 check failed");
        assertThat(other.code()).isEqualTo(1);
        assertThat(killed.output()).contains("voice is off: 1 node knows, 0 do not", "everything else is up");
        assertThat(killed.code()).isZero();
        assertThat(off.output()).contains("ok    a caller is refused: 503", "KILLED: no reason given");
        assertThat(off.code()).isZero();
        assertThat(on.output()).contains("FAIL  voice is switched off by the kill switch");
        assertThat(on.code()).isEqualTo(1);
        assertThat(released.output()).contains("voice is on again");
        assertThat(released.code()).isZero();
    }

    /** A company's own authority: what the scripts trust, the call trusts as well. */
    @Test
    void aCallOverTlsTrustsWhatCaFileNames() throws Exception {
        var secure = new Script("validate-deployment.sh")
                .with("PARLEY_URL", node.https("").toString())
                .with("VOICE_WS_TOKEN", WS_TOKEN);

        var trusted = secure.with("CA_FILE", node.certificate().toString()).run("--no-turn");
        var untrusted = new Script("e2e-voice.sh")
                .with("PARLEY_URL", node.https("").toString())
                .with("VOICE_WS_TOKEN", WS_TOKEN)
                .run("--no-turn");
        var none = new Script("e2e-voice.sh")
                .with("CA_FILE", node.data().resolve("nothing.pem").toString())
                .run();

        assertThat(trusted.output()).contains("== wss://127.0.0.1:", "ok    handshake", "ok    a call over /ws");
        assertThat(untrusted.output())
                .contains("FAIL  handshake: the certificate of 127.0.0.1:", "is not trusted (CA_FILE: ");
        assertThat(untrusted.code()).isEqualTo(1);
        assertThat(none.output()).contains("CA_FILE: ", "(expected: a file that can be read)");
        assertThat(none.code()).isEqualTo(2);
    }

    @Test
    void whereNobodyAnswersThatIsWhatIsSaid() throws Exception {
        var nobody = "http://127.0.0.1:" + unused();

        var validated = script("validate-deployment.sh").run("--url", nobody);
        var called = script("e2e-voice.sh")
                .with("PARLEY_URL", nobody)
                .with("VOICE_WS_TOKEN", WS_TOKEN)
                .run();
        var taken = script("rollback.sh").run("stage", "--url", nobody, "--reason", "a drill");

        assertThat(validated.output())
                .contains(
                        "FAIL  nobody answers at " + nobody + "/health: the connection is refused",
                        "nothing else was checked")
                .doesNotContain("000", "head:");
        assertThat(validated.code()).isEqualTo(1);
        assertThat(called.output()).contains("FAIL  handshake: nobody answers at " + nobody.substring(7));
        assertThat(called.code()).isEqualTo(1);
        assertThat(taken.output()).contains("nobody answers at " + nobody).doesNotContain("000");
        assertThat(taken.code()).isEqualTo(1);
    }

    private static int unused() throws IOException {
        try (var taken = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return taken.getLocalPort();
        }
    }

    // ---- canary.sh

    /** Answers every query with what the function makes of it; null is an empty answer. */
    private static HttpServer prometheus(Function<String, String> answers) throws IOException {
        var server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.createContext("/api/v1/query", exchange -> {
            var query = URLDecoder.decode(exchange.getRequestURI().getRawQuery(), StandardCharsets.UTF_8);
            var value = answers.apply(query);
            var body = ("{\"status\":\"success\",\"data\":{\"resultType\":\"vector\",\"result\":["
                            + (value == null ? "" : "{\"metric\":{},\"value\":[1,\"" + value + "\"]}") + "]}}")
                    .getBytes(StandardCharsets.UTF_8);
            exchange.sendResponseHeaders(200, body.length);
            exchange.getResponseBody().write(body);
            exchange.close();
        });
        server.start();
        return server;
    }

    private static Script.Ended canary(Function<String, String> answers, String... arguments) throws Exception {
        var server = prometheus(answers);
        try {
            return script("canary.sh")
                    .with(
                            "PROMETHEUS_URL",
                            "http://127.0.0.1:" + server.getAddress().getPort())
                    .run(arguments);
        } finally {
            server.stop(0);
        }
    }

    @Test
    void aCanaryIsPromotedWhileItIsWellAndTakenBackWhenItIsNot() throws Exception {
        admin(
                "PUT",
                "/admin/rollout",
                "{\"percentage\": 0, \"reason\": \"from the start\", \"expected_revision\": "
                        + rollout().path("revision") + "}");
        var promoted = canary(query -> "0.01", "--to", "5", "--bake", "1s", "--every", "1s", "--reason", "a quiet day");
        int reached = rollout().path("percentage").asInt();
        var unknown = canary(query -> null, "--to", "25", "--bake", "1s", "--every", "1s", "--max-hold", "1s");
        var afterUnknown = rollout();
        var harmful = canary(
                query -> query.contains("signal=\"connection\"") ? "0.4" : "0.01",
                "--to",
                "50",
                "--bake",
                "1m",
                "--every",
                "1s");
        var afterHarm = rollout();
        var again = canary(query -> "0.01", "--to", "50", "--bake", "1s", "--every", "1s");

        assertThat(promoted.output()).contains("stage: 5 %", "done: 5 % of users");
        assertThat(promoted.code()).isZero();
        assertThat(reached).isEqualTo(5);
        assertThat(unknown.output())
                .contains("undecided: not enough evidence at 25 %", "no data for connection failures");
        assertThat(unknown.code()).isEqualTo(3);
        assertThat(afterUnknown.path("percentage").asInt()).isEqualTo(25);
        assertThat(harmful.output())
                .contains(
                        "stage: 50 %",
                        "FAIL: connection failures is 0.4, more than 0.10", "rolled back: rolled_back at");
        assertThat(harmful.code()).isEqualTo(1);
        assertThat(afterHarm.path("state").asText()).isEqualTo("rolled_back");
        assertThat(afterHarm.path("effective").path("percentage").asInt()).isLessThan(50);
        assertThat(afterHarm.path("changed").path("reason").asText())
                .isEqualTo("canary: connection failures is 0.4, more than 0.10");
        assertThat(again.output()).contains("it was taken back");
        assertThat(again.code()).isEqualTo(1);
        admin("POST", "/admin/rollout/resume", "{\"reason\": \"the test is over\"}");
    }

    // ---- rollback.sh

    @Test
    void theVersionIsTakenBackByThePlatform() throws Exception {
        var tools = Files.createDirectory(directory.resolve("bin"));
        var asked = directory.resolve("asked");
        Files.createFile(
                tools.resolve("kubectl"),
                PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
        Files.writeString(tools.resolve("kubectl"), "#!/bin/sh\necho \"$@\" >>" + asked + "\n");
        var script = script("rollback.sh").with("PATH", tools + ":" + System.getenv("PATH"));

        var undone = script.run("version", "--namespace", "voice", "--deployment", "parley", "--reason", "a drill");
        var unnamed = script.run("version", "--reason", "a drill");
        var without = script.run("flag", "--release");

        assertThat(undone.code()).isZero();
        assertThat(Files.readString(asked))
                .contains("--namespace voice rollout undo deployment/parley", "rollout status deployment/parley");
        assertThat(unnamed.code()).isEqualTo(2);
        assertThat(without.output()).contains("--reason: missing");
        assertThat(without.code()).isEqualTo(2);
    }

    // ---- capture-postmortem.sh

    @Test
    void whatANodeKnowsIsKeptWithoutSecrets() throws Exception {
        var log = Files.writeString(
                directory.resolve("node.log"),
                "09:00:00 INFO started with Authorization: Bearer " + OPERATOR + " and " + node.token("tester") + "\n");
        var out = directory.resolve("kept.tar.gz");
        for (var user : List.of("gertrud", "heinz", "gertrud")) {
            try (var client = HttpClient.newHttpClient()) {
                client.send(
                        HttpRequest.newBuilder(node.http("/admin/sessions/" + user + "-is-in-this-path"))
                                .header("Authorization", "Bearer " + node.token(user))
                                .build(),
                        BodyHandlers.discarding());
            }
        }
        admin(
                "PUT",
                "/admin/rollout",
                "{\"deny\": [\"mallory\", \"trudy\"], \"reason\": \"too loud\", \"expected_revision\": "
                        + rollout().path("revision") + "}");
        TelemetryTest.await("the audit", () -> {
            try {
                return admin("GET", "/admin/rollout/history?order=desc&limit=20", "")
                        .toString()
                        .contains("heinz");
            } catch (IOException | InterruptedException failed) {
                throw new AssertionError(failed);
            }
        });

        var kept = script("capture-postmortem.sh")
                .run(
                        directory,
                        "--log",
                        log.toString(),
                        "--pid",
                        Long.toString(ProcessHandle.current().pid()),
                        "--out",
                        out.toString());

        assertThat(kept.output()).contains(out.toString());
        assertThat(kept.code()).isZero();
        var unpacked = Files.createDirectory(directory.resolve("unpacked"));
        assertThat(new ProcessBuilder("tar", "-xzf", out.toString(), "-C", unpacked.toString())
                        .inheritIO()
                        .start()
                        .waitFor())
                .isZero();
        var postmortem = unpacked.resolve("postmortem");
        assertThat(postmortem).isDirectoryContaining("glob:**/rollout.json");
        assertThat(Files.readString(postmortem.resolve("node.log.log")))
                .contains("started with")
                .doesNotContain(OPERATOR, node.token("tester"));
        assertThat(Files.readString(postmortem.resolve("thread.print.txt"))).contains("\"main\"");
        assertThat(Files.readString(postmortem.resolve("health.json"))).contains("\"ok\"");
        assertThat(Files.readString(postmortem.resolve("MANIFEST.sha256")))
                .contains("rollout-history.jsonl", "machine.txt");
        assertThat(Files.getPosixFilePermissions(out)).hasSize(2);
        assertThat(Files.readString(postmortem.resolve("rollout-history.jsonl")))
                .contains("\"caller-1\"", "\"caller-2\"", "\"api-token\"", "2 names", "GET /admin/sessions/…")
                .doesNotContain("gertrud", "heinz", "mallory", "\"caller-3\"");
        assertThat(Files.readString(postmortem.resolve("rollout.json")))
                .contains("2 names")
                .doesNotContain("mallory", "tester");
    }

    // ---- pre-release-check.sh, scan-secrets

    @Test
    void aReleaseIsCheckedAndWhatItLacksIsNamed() throws Exception {
        var checked = new Script("pre-release-check.sh").run("--quick", "--allow-dirty", "--version", "99.0.0");

        assertThat(checked.output())
                .contains(
                        "FAIL  changelog",
                        "nothing under [99.0.0]",
                        "ok    changes of the tables can be taken back",
                        "ok    documents lead somewhere",
                        "ok    no secrets in the sources",
                        "ok    dependencies are pinned",
                        "1 check failed");
        assertThat(checked.code()).isEqualTo(1);
    }

    @Test
    void theListOfChecksIsWhatTheGuardrailsBound() throws Exception {
        var checks = Files.readAllLines(TestNode.home().resolve("scripts/lib/canary-checks")).stream()
                .filter(line -> !line.startsWith("#"))
                .map(line -> line.split("\\|", 3))
                .map(parts -> Map.entry(parts[0].strip(), Double.parseDouble(parts[1])))
                .toList();

        assertThat(checks)
                .contains(
                        entry("connection failures", 0.10),
                        entry("session creation failures", 0.10),
                        entry("errors", 0.05),
                        entry("first audio, P95 seconds", 3.0));
    }
}
