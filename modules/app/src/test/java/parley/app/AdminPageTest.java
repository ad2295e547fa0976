package parley.app;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;
import static org.junit.jupiter.api.Assumptions.abort;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import parley.admission.CallerId;
import parley.gateway.Gateway;
import parley.gateway.Tokens;

/**
 * The admin page in a headless chromium, against a node.
 *
 * <p>The scenarios are {@code src/test/page/admin.mjs}; each runs in a Node process and a browser of its own, and begins
 * with 5 % and the switch released. What this node does not have yet is told by a script in its place. Any error in the
 * browser's console and any violation of the page's security policy fails the scenario. The screenshots are left in {@code
 * target/page}.
 *
 * <p>R16: state, why it waits and the kill switch on one screen; two operators at once.
 */
@Tag("client")
class AdminPageTest {
    private static final Path SCRIPTS = Path.of("src/test/page").toAbsolutePath();
    private static final Path SHOTS = Path.of("target/page").toAbsolutePath();
    private static final Duration INSTALLING = Duration.ofMinutes(2);
    private static final Duration RUNNING = Duration.ofMinutes(4);

    /** Of its own, because what is changed here counts for everybody on it. */
    private static final TestNode NODE = TestNode.start(Map.of("parley.admission.percentage", 5));

    private static Path chromium = Path.of("");

    @BeforeAll
    static void hasABrowser() throws Exception {
        chromium = Stream.of(
                        Objects.requireNonNullElse(System.getenv("CHROMIUM"), "/usr/bin/chromium"),
                        "/usr/bin/chromium-browser",
                        "/usr/bin/google-chrome")
                .map(Path::of)
                .filter(Files::isExecutable)
                .findFirst()
                .orElseThrow(() -> missing("chromium is not installed, and CHROMIUM names no other place of it"));
        Files.createDirectories(SHOTS);
        // npm leaves this file when it is done.
        if (!Files.exists(SCRIPTS.resolve("node_modules/.package-lock.json"))) {
            run(INSTALLING, "npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts");
        }
    }

    @AfterAll
    static void close() {
        NODE.close();
    }

    @Test
    void whoSignsInSeesTheStateWhoChangedItAndWhyItWaits() throws Exception {
        play("state");
    }

    @Test
    void aTokenThatIsNotGoodIsRefusedAndOneThatEndsIsAskedForAgain() throws Exception {
        play("token");
    }

    @Test
    void raisingShowsWhatWouldHappenAsksForAReasonAndASecondYes() throws Exception {
        play("raise");
    }

    @Test
    void loweringNeedsNoSecondYes() throws Exception {
        play("lower");
    }

    @Test
    void whoLosesARaceIsToldByWhomAndWhyAndSeesTheNewState() throws Exception {
        play("race");
    }

    @Test
    void anAnswerThatIsLostIsAskedForAgainAndTheChangeIsMadeOnce() throws Exception {
        play("lostAnswer");
    }

    @Test
    void actionsCanBePressedOnlyWhereTheyMakeSense() throws Exception {
        play("actions");
    }

    @Test
    void theSwitchIsHeldAndTellsWhichNodesKnowAndIsReleasedWithAReason() throws Exception {
        play("kill");
    }

    @Test
    void everythingCanBeDoneWithKeysAlone() throws Exception {
        play("keys");
    }

    @Test
    void whoMayOnlyLookIsToldWhichRoleIsMissing() throws Exception {
        play("viewer");
    }

    @Test
    void whoMayNotEvenLookStillHasTheSwitch() throws Exception {
        play("killOnly");
    }

    @Test
    void whatOthersDoIsShownAtOnceAndAfterALostConnection() throws Exception {
        play("live");
    }

    @Test
    void aUsersDecisionIsExplainedRuleByRule() throws Exception {
        play("explain");
    }

    @Test
    void theHistoryIsReadFromItsEnd() throws Exception {
        play("history");
    }

    @Test
    void guardrailsSessionsAndCostsAreShownWhereTheGatewayTellsThem() throws Exception {
        play("more");
    }

    @Test
    void aPhoneShowsAllOfItWithoutScrollingSideways() throws Exception {
        play("phone");
    }

    private static void play(String scenario) throws Exception {
        run(RUNNING, "node", "admin.mjs", scenario);
    }

    /** Runs a command to its end, which must be a good one. */
    private static void run(Duration limit, String... command) throws Exception {
        var output = Files.createTempFile("page", ".txt");
        var builder = new ProcessBuilder(command)
                .directory(SCRIPTS.toFile())
                .redirectErrorStream(true)
                .redirectOutput(output.toFile());
        builder.environment()
                .putAll(Map.of(
                        "NODE_URL", NODE.http("").toString(),
                        "CHROMIUM", chromium.toString(),
                        "SHOTS", SHOTS.toString(),
                        "ADMIN", token("anna", "admin"),
                        "OTHER", token("bea", "operator"),
                        "VIEWER", token("vic", "viewer"),
                        "NOBODY", token("nobody")));
        var process = start(builder);
        try {
            if (!process.waitFor(limit.toMillis(), TimeUnit.MILLISECONDS)) {
                fail("%s did not end within %s: %s", List.of(command), limit, Files.readString(output));
            }
            assertThat(process.exitValue())
                    .as(() -> List.of(command) + " said:\n" + read(output) + "\nexit code")
                    .isZero();
        } finally {
            // Its browsers are its children: with their parent gone nobody could tell them from others.
            process.descendants().forEach(ProcessHandle::destroyForcibly);
            process.destroyForcibly();
            Files.delete(output);
        }
    }

    private static String token(String user, String... roles) {
        return Gateway.tokens(NODE.node().settings().gateway())
                .sign(new Tokens.Bearer(new CallerId(user, "default"), List.of(roles)), Duration.ofMinutes(30));
    }

    private static Process start(ProcessBuilder builder) {
        try {
            return builder.start();
        } catch (IOException notInstalled) {
            throw missing(builder.command().getFirst() + " is not installed: Node 20 or newer is needed");
        }
    }

    private static String read(Path output) {
        try {
            return Files.readString(output);
        } catch (IOException gone) {
            return gone.toString();
        }
    }

    /** A developer may do without; the build that decides may not. */
    private static RuntimeException missing(String what) {
        if (Boolean.parseBoolean(System.getenv("CI"))) {
            throw new AssertionError(what);
        }
        return abort(what);
    }
}
