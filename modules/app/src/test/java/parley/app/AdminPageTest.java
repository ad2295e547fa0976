package parley.app;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import org.junit.jupiter.api.parallel.ResourceLock;
import org.junit.jupiter.api.parallel.ResourceLockTarget;
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
@Execution(ExecutionMode.CONCURRENT)
@ResourceLock(value = "AdminPageTest: its node, one scenario after the other", target = ResourceLockTarget.CHILDREN)
class AdminPageTest {
    /** Of its own, because what is changed here counts for everybody on it. */
    private static final TestNode NODE = TestNode.start(Map.of("parley.admission.percentage", 5));

    private static PageScripts scripts;

    @BeforeAll
    static void hasABrowser() throws Exception {
        scripts = PageScripts.ready();
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
    void whoGetsInByNameIsShownBeforeItIsChangedAndKeptWhenItIsRefused() throws Exception {
        play("lists");
    }

    @Test
    void thePlanIsEditedStageByStage() throws Exception {
        play("plan");
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
        scripts.play(
                "admin.mjs",
                scenario,
                NODE,
                Map.of(
                        "ADMIN", token("anna", "admin"),
                        "OTHER", token("bea", "operator"),
                        "VIEWER", token("vic", "viewer"),
                        "NOBODY", token("nobody")));
    }

    private static String token(String user, String... roles) {
        return Gateway.tokens(NODE.node().settings().gateway())
                .sign(new Tokens.Bearer(new CallerId(user, "default"), List.of(roles)), Duration.ofMinutes(30));
    }
}
