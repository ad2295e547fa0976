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
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * The gateway's own page in a headless chromium with a fake microphone, talking to a node.
 *
 * <p>The scenarios are {@code src/test/page/page.mjs}; each runs in a Node process and a browser of its own. What a single
 * node cannot show, such as its own end, is told by a script in place of the node's voice face. Any error in
 * the browser's console and any violation of the page's security policy fails the scenario. The screenshots are left in
 * {@code target/page}.
 *
 * <p>F8, B1, B2, B3: the page, with a real browser.
 */
@Tag("client")
class VoicePageTest {
    private static final Path SCRIPTS = Path.of("src/test/page").toAbsolutePath();
    private static final Path SHOTS = Path.of("target/page").toAbsolutePath();
    private static final Duration INSTALLING = Duration.ofMinutes(2);
    private static final Duration RUNNING = Duration.ofMinutes(4);
    private static final TestNode NODE = TestNode.shared();

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

    @Test
    void aSpokenTurnIsAnsweredAloudAndPageAndServerTellTheSameWords() throws Exception {
        play("spoken");
    }

    @Test
    void whoDeniesTheMicrophoneIsToldAndCanWriteAndHears() throws Exception {
        play("typed");
    }

    @Test
    void aToolOfTheServerIsShownAndItsOutputSpoken() throws Exception {
        play("tool");
    }

    @Test
    void speakingOverTheAgentSilencesItAtOnceAndTheServerKnowsWhatWasHeard() throws Exception {
        play("bargeIn");
    }

    @Test
    void anAnswerGoesOnWhereItWasWhenTheNetworkIsBackAndNothingIsToldTwice() throws Exception {
        play("reconnect");
    }

    @Test
    void aCutLineIsPlayedOnMeanwhileAndWhatIsRepeatedIsIgnored() throws Exception {
        play("cut");
    }

    @Test
    void aLeavingNodeIsLeftWithoutAnAudibleGap() throws Exception {
        play("draining");
    }

    @Test
    void aTakeoverByThePageItselfIsNoEndAndByAnotherIs() throws Exception {
        play("takenOver");
    }

    @Test
    void whatWasSaidAndLostIsSaidAgainAndTheHistoryIsShownOnce() throws Exception {
        play("startOver");
    }

    @Test
    void whatIsBeingSaidWhenTheSessionIsLostIsSaidAgainFromItsBeginning() throws Exception {
        play("lostWhileSpeaking");
    }

    @Test
    void anAnswerThatBeginsAgainIsNoErrorForAnybody() throws Exception {
        play("upstreamLost");
    }

    @Test
    void theCloseCodeDecidesWhetherThePageComesBack() throws Exception {
        play("closeCodes");
    }

    @Test
    void theEndButtonEndsTheSession() throws Exception {
        play("end");
    }

    @Test
    void aBadTokenIsRefusedInAHumanSentence() throws Exception {
        play("refused");
    }

    /** L5, R20: the token itself is shown only when there is no ticket. */
    @Test
    void thePageConnectsWithATicketOrElseWithItsToken() throws Exception {
        play("ticket");
    }

    @Test
    void aTokenIsRenewedBeforeItEnds() throws Exception {
        play("renewed");
    }

    @Test
    void aPhoneShowsAllOfItInDarkAndLight() throws Exception {
        play("looks");
    }

    private static void play(String scenario) throws Exception {
        run(RUNNING, "node", "page.mjs", scenario);
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
                        "SHORT_TOKEN", NODE.token("anna", Duration.ofSeconds(40))));
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
