package parley.app;

import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import org.junit.jupiter.api.parallel.ResourceLock;
import org.junit.jupiter.api.parallel.ResourceLockTarget;

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
@Execution(ExecutionMode.CONCURRENT)
@ResourceLock(value = "VoicePageTest: its node, one scenario after the other", target = ResourceLockTarget.CHILDREN)
class VoicePageTest {
    private static final TestNode NODE = TestNode.shared();

    private static PageScripts scripts;

    @BeforeAll
    static void hasABrowser() throws Exception {
        scripts = PageScripts.ready();
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
        scripts.play("page.mjs", scenario, NODE, Map.of("SHORT_TOKEN", NODE.token("anna", Duration.ofSeconds(40))));
    }
}
