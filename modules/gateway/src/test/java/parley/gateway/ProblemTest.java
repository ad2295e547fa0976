package parley.gateway;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import parley.admission.Decision;
import parley.session.Answer;

@Tag("unit")
class ProblemTest {
    static Stream<Arguments> catalogue() {
        return Stream.of(
                Arguments.of(
                        Problem.unauthenticated("no token"),
                        1008,
                        "{'type':'urn:parley:problem:unauthenticated','title':'Who are you?','status':401,"
                                + "'detail':'no token (expected: Authorization: Bearer <token>)','code':'unauthenticated'}"),
                Arguments.of(
                        Problem.forbiddenOrigin("https://evil.example"),
                        1008,
                        "{'type':'urn:parley:problem:origin_not_allowed','title':'This site may not call','status':403,"
                                + "'detail':'origin: https://evil.example (expected: this gateway's own, or one of"
                                + " allowed-origins)','code':'origin_not_allowed'}"),
                Arguments.of(
                        Problem.notFound("/x"),
                        4404,
                        "{'type':'urn:parley:problem:not_found','title':'Nothing here','status':404,'detail':'path: /x',"
                                + "'code':'not_found'}"),
                Arguments.of(
                        Problem.callNotFound(),
                        4404,
                        "{'type':'urn:parley:problem:call_id_not_found','title':'No such call','status':404,'detail':"
                                + "'call_id: there are no calls to attach to here (expected: model, or session_id)',"
                                + "'code':'call_id_not_found'}"),
                Arguments.of(
                        Problem.upgradeRequired(),
                        1011,
                        "{'type':'urn:parley:problem:upgrade_required','title':'This is a WebSocket','status':426,"
                                + "'detail':'a plain request (expected: a WebSocket upgrade)',"
                                + "'code':'upgrade_required'}"),
                Arguments.of(
                        Problem.methodNotAllowed(List.of("GET", "HEAD")),
                        1011,
                        "{'type':'urn:parley:problem:method_not_allowed','title':'Not that way','status':405,"
                                + "'detail':'expected: GET or HEAD','code':'method_not_allowed'}"),
                Arguments.of(
                        Problem.unknownMethod("DANCE"),
                        1011,
                        "{'type':'urn:parley:problem:unknown_method','title':'Nobody knows how','status':501,"
                                + "'detail':'method: DANCE (expected: one of HTTP)','code':'unknown_method'}"),
                Arguments.of(
                        Problem.badRequest("face: x"),
                        4400,
                        "{'type':'urn:parley:problem:bad_request','title':'That cannot be understood','status':400,"
                                + "'detail':'face: x','code':'bad_request'}"),
                Arguments.of(
                        Problem.draining(),
                        1013,
                        "{'type':'urn:parley:problem:draining','title':'This node is leaving','status':503,"
                                + "'detail':'another node takes the call at once','code':'draining',"
                                + "'retry_after_ms':1000}"),
                Arguments.of(
                        Problem.notForgotten(),
                        1013,
                        "{'type':'urn:parley:problem:not_forgotten','title':'Not everything was deleted','status':503,"
                                + "'detail':'a session or the database does not answer; what is left is deleted when"
                                + " this is repeated','code':'not_forgotten','retry_after_ms':5000}"),
                Arguments.of(
                        Problem.costsUnavailable("why"),
                        1013,
                        "{'type':'urn:parley:problem:costs_unavailable','title':'No report of costs now','status':503,"
                                + "'detail':'why','code':'costs_unavailable','retry_after_ms':5000}"),
                Arguments.of(
                        Problem.internal(),
                        1011,
                        "{'type':'urn:parley:problem:internal_error','title':'A fault of ours','status':500,"
                                + "'detail':'it was logged; try again','code':'internal_error'}"),
                Arguments.of(
                        admission(Decision.Why.SWITCHED_OFF),
                        4503,
                        "{'type':'urn:parley:problem:voice_disabled','title':'No voice for this call','status':503,"
                                + "'detail':'why','code':'voice_disabled','retry_after_ms':1500,'offer':['text']}"),
                Arguments.of(
                        admission(Decision.Why.NODE_FULL),
                        1013,
                        "{'type':'urn:parley:problem:capacity','title':'No voice for this call','status':503,"
                                + "'detail':'why','code':'capacity','retry_after_ms':1500,'offer':['text']}"),
                Arguments.of(
                        admission(Decision.Why.CALLER_FULL),
                        1013,
                        "{'type':'urn:parley:problem:too_many_connections','title':'No voice for this call',"
                                + "'status':429,'detail':'why','code':'too_many_connections','retry_after_ms':1500,"
                                + "'offer':['text']}"),
                Arguments.of(admission(Decision.Why.DENIED), 1008, notInRollout()),
                Arguments.of(admission(Decision.Why.BUCKET), 1008, notInRollout()),
                Arguments.of(
                        session(Answer.Refusal.UNKNOWN),
                        4404,
                        "{'type':'urn:parley:problem:unknown_session','title':'No such session','status':404,"
                                + "'detail':'why','code':'unknown_session'}"),
                Arguments.of(
                        session(Answer.Refusal.OVER),
                        4404,
                        "{'type':'urn:parley:problem:session_over','title':'The session is over','status':410,"
                                + "'detail':'why','code':'session_over'}"),
                Arguments.of(
                        session(Answer.Refusal.FORBIDDEN),
                        1008,
                        "{'type':'urn:parley:problem:resume_refused','title':'Not your seat','status':403,"
                                + "'detail':'why','code':'resume_refused'}"),
                Arguments.of(
                        session(Answer.Refusal.TAKEN),
                        4409,
                        "{'type':'urn:parley:problem:interview_taken','title':'Somebody is on the line','status':409,"
                                + "'detail':'why','code':'interview_taken'}"),
                Arguments.of(
                        session(Answer.Refusal.UNAVAILABLE),
                        1013,
                        "{'type':'urn:parley:problem:session_unavailable','title':'The session does not answer',"
                                + "'status':503,'detail':'why','code':'session_unavailable','retry_after_ms':2000}"));
    }

    @ParameterizedTest
    @MethodSource("catalogue")
    void everyProblemReadsAsDocumentedAndHasItsCloseCode(Problem problem, int closeCode, String golden) {
        // The apostrophe of a word stands between letters, the one of a quote never does.
        assertThat(json(problem)).isEqualTo(golden.replaceAll("(?<![a-z])'|'(?![a-z])", "\""));
        assertThat(problem.closeCode()).isEqualTo(closeCode);
    }

    @ParameterizedTest
    @EnumSource(Decision.Why.class)
    void everyReasonOfAdmissionHasAProblem(Decision.Why why) {
        assertThat(admission(why).status()).isIn(403, 429, 503);
    }

    @Test
    void retryAfterIsRoundedUpToWholeSecondsAndNeverZero() {
        assertThat(refused(Duration.ofMillis(1500)).retryAfterHeader()).isEqualTo("2");
        assertThat(refused(Duration.ZERO).retryAfterHeader()).isEqualTo("1");
        assertThat(refused(null).retryAfterHeader()).isNull();
    }

    @Test
    void whatACallerSentCannotBreakOutOfTheJson() {
        assertThat(json(Problem.notFound("\",\"x\":\"\r\n</script>\u0000")))
                .contains("path: \\\",\\\"x\\\":\\\"\\r\\n</script>\\u0000");
    }

    private static Problem admission(Decision.Why why) {
        return Problem.of(new Decision.Refused(why, "why", Duration.ofMillis(1500), List.of("text")));
    }

    private static String notInRollout() {
        return "{'type':'urn:parley:problem:not_in_rollout','title':'No voice for this call','status':403,"
                + "'detail':'why','code':'not_in_rollout','retry_after_ms':1500,'offer':['text']}";
    }

    private static Problem session(Answer.Refusal why) {
        return Problem.of(
                new Answer.Refused(why, "why", why == Answer.Refusal.UNAVAILABLE ? Duration.ofSeconds(2) : null));
    }

    private static Problem refused(@org.jspecify.annotations.Nullable Duration retryAfter) {
        return Problem.of(new Answer.Refused(Answer.Refusal.UNAVAILABLE, "why", retryAfter));
    }

    private static String json(Problem problem) {
        return new String(problem.json(), StandardCharsets.UTF_8);
    }
}
