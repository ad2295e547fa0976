package parley.gateway;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;
import parley.admission.Decision;
import parley.admission.Quotas;
import parley.gateway.Tokens.Checked;
import parley.protocol.Ids;
import parley.session.Answer;

/**
 * What a caller is told when something is not done: RFC 9457, {@code application/problem+json}. The one catalogue.
 *
 * @param code stable, for programs
 * @param title what is wrong, for people
 * @param detail what was found and what was expected; never a secret
 * @param retryAfter when it makes sense to ask again; null: not by waiting
 * @param offer what still works
 */
record Problem(
        int status,
        String code,
        String title,
        String detail,
        @Nullable Duration retryAfter,
        List<String> offer) {
    static final String MEDIA_TYPE = "application/problem+json";

    static Problem unauthenticated(String detail) {
        return of(401, "unauthenticated", "Who are you?", detail + " (expected: Authorization: Bearer <token>)");
    }

    /** @param checked not {@link Checked.Valid} */
    static Problem of(Checked checked) {
        return switch (checked) {
            case Checked.Invalid(var why) -> unauthenticated(why);
            case Checked.Unknown(var retryAfter) ->
                new Problem(
                        503,
                        "identity_unavailable",
                        "Who you are cannot be checked",
                        "what it takes to check a credential does not answer just now",
                        retryAfter,
                        List.of());
            case Checked.Valid valid -> throw new IllegalArgumentException("nothing is wrong with it");
        };
    }

    static Problem notRefreshable(String detail) {
        return of(403, "not_refreshable", "This token is not extended", detail);
    }

    static Problem forbiddenRole(Role least) {
        return of(403, "role_too_small", "Not for you", "expected: the role " + least + ", or one above it");
    }

    static Problem forbiddenOrigin(String origin) {
        return of(
                403,
                "origin_not_allowed",
                "This site may not call",
                "origin: " + origin + " (expected: this gateway's own, or one of allowed-origins)");
    }

    static Problem notFound(String path) {
        return of(404, "not_found", "Nothing here", "path: " + path);
    }

    static Problem upgradeRequired() {
        return of(426, "upgrade_required", "This is a WebSocket", "a plain request (expected: a WebSocket upgrade)");
    }

    static Problem methodNotAllowed(List<String> allowed) {
        return of(405, "method_not_allowed", "Not that way", "expected: " + String.join(" or ", allowed));
    }

    static Problem unknownMethod(String method) {
        return of(501, "unknown_method", "Nobody knows how", "method: " + method + " (expected: one of HTTP)");
    }

    static Problem callNotFound() {
        return of(
                404,
                "call_id_not_found",
                "No such call",
                "call_id: there are no calls to attach to here (expected: model, or session_id)");
    }

    static Problem badRequest(String detail) {
        return of(400, "bad_request", "That cannot be understood", detail);
    }

    static Problem preconditionRequired() {
        return of(
                428,
                "precondition_required",
                "What do you change?",
                "no If-Match (expected: the ETag of the state you saw, as \"rev-42\")");
    }

    static Problem stale(String detail) {
        return of(412, "stale", "Somebody was faster", detail);
    }

    static Problem conflict(String code, String detail) {
        return of(409, code, "Not now", detail);
    }

    static Problem keyReused(String detail) {
        return of(422, "idempotency_key_reused", "Another question", detail);
    }

    static Problem unavailable(String detail) {
        return new Problem(503, "unavailable", "Nobody answers", detail, Duration.ofSeconds(2), List.of());
    }

    static Problem draining() {
        return new Problem(
                503,
                "draining",
                "This node is leaving",
                "another node takes the call at once",
                Duration.ofSeconds(1),
                List.of());
    }

    static Problem notForgotten() {
        return new Problem(
                503,
                "not_forgotten",
                "Not everything was deleted",
                "a session or the database does not answer; what is left is deleted when this is repeated",
                Duration.ofSeconds(5),
                List.of());
    }

    static Problem costsUnavailable(String detail) {
        return new Problem(
                503, "costs_unavailable", "No report of costs now", detail, Duration.ofSeconds(5), List.of());
    }

    static Problem internal() {
        return of(500, "internal_error", "A fault of ours", "it was logged; try again");
    }

    static Problem of(Decision.Refused refused) {
        var title = "No voice for this call";
        return switch (refused.why()) {
            case NODE_OFF, KILLED, SWITCHED_OFF -> refusal(503, "voice_disabled", title, refused);
            case SUSPENDED -> refusal(503, "voice_suspended", title, refused);
            case BUDGET -> refusal(403, "budget_used_up", title, refused);
            case NODE_FULL -> refusal(503, "capacity", title, refused);
            case CALLER_FULL -> refusal(429, "too_many_connections", title, refused);
            case TENANT_FULL -> refusal(429, "tenant_full", title, refused);
            case DENIED, TENANT, COHORT, BUCKET, ALLOWED -> refusal(403, "not_in_rollout", title, refused);
        };
    }

    static Problem of(Quotas.Answer.Refused refused) {
        return new Problem(
                429,
                "quota_exceeded",
                "Enough sessions for now",
                "this user has begun " + refused.perHour() + " sessions within an hour, which is the limit",
                refused.retryAfter(),
                List.of());
    }

    static Problem of(Quotas.Answer.Unanswered unanswered) {
        return new Problem(
                503,
                "quota_unavailable",
                "The user's sessions cannot be counted",
                "whoever counts them does not answer",
                unanswered.retryAfter(),
                List.of());
    }

    static Problem rateLimited(Duration retryAfter) {
        return new Problem(
                429,
                "rate_limited",
                "Too many requests",
                "requests of this address come faster than they are taken",
                retryAfter,
                List.of());
    }

    static Problem of(Answer.Refused refused) {
        return switch (refused.why()) {
            case UNKNOWN -> of(404, "unknown_session", "No such session", refused.detail());
            case OVER -> of(410, "session_over", "The session is over", refused.detail());
            case FORBIDDEN -> of(403, "resume_refused", "Not your seat", refused.detail());
            case TAKEN ->
                new Problem(
                        409,
                        "interview_taken",
                        "Somebody is on the line",
                        refused.detail(),
                        refused.retryAfter(),
                        List.of());
            case UNAVAILABLE ->
                new Problem(
                        503,
                        "session_unavailable",
                        "The session does not answer",
                        refused.detail(),
                        refused.retryAfter(),
                        List.of());
        };
    }

    /** The same as a close code, when it is found only after the upgrade. 4000 and above: coming again is no use. */
    int closeCode() {
        return switch (status) {
            case 400 -> 4400;
            case 401, 403 -> 1008;
            case 404, 410 -> 4404;
            case 409 -> 4409;
            case 503 -> code.equals("voice_disabled") ? 4503 : 1013;
            case 429 -> 1013;
            default -> 1011;
        };
    }

    /** Everything but the status line. */
    byte[] json() {
        var json = JsonNodeFactory.instance
                .objectNode()
                .put("type", "urn:parley:problem:" + code)
                .put("title", title)
                .put("status", status)
                .put("detail", detail)
                .put("code", code);
        if (retryAfter != null) {
            json.put("retry_after_ms", retryAfter.toMillis());
        }
        if (!offer.isEmpty()) {
            var list = json.putArray("offer");
            offer.forEach(list::add);
        }
        return json.toString().getBytes(StandardCharsets.UTF_8);
    }

    /** The same as an event, when there is no HTTP answer to put it into. */
    byte[] event() {
        var json = JsonNodeFactory.instance.objectNode().put("type", "error").put("event_id", Ids.event());
        var error = json.putObject("error")
                .put("type", status >= 500 ? "server_error" : "invalid_request_error")
                .put("code", code)
                .put("message", detail);
        if (retryAfter != null) {
            error.put("retry_after_ms", retryAfter.toMillis());
        }
        return json.toString().getBytes(StandardCharsets.UTF_8);
    }

    /** Whether the connection it is told on shall end: whoever asks again is to meet another node. */
    boolean sendsAway() {
        return code.equals("draining");
    }

    /** In whole seconds, rounded up; null for none. */
    @Nullable
    String retryAfterHeader() {
        return retryAfter == null ? null : Long.toString(Math.max(1, (retryAfter.toMillis() + 999) / 1000));
    }

    private static Problem of(int status, String code, String title, String detail) {
        return new Problem(status, code, title, detail, null, List.of());
    }

    private static Problem refusal(int status, String code, String title, Decision.Refused refused) {
        return new Problem(status, code, title, refused.detail(), refused.retryAfter(), refused.offer());
    }
}
