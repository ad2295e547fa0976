package parley.gateway;

import static org.apache.pekko.http.javadsl.server.Directives.extractRequest;
import static org.apache.pekko.http.javadsl.server.Directives.onSuccess;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Consumer;
import java.util.function.Function;
import org.apache.pekko.http.javadsl.model.HttpHeader;
import org.apache.pekko.http.javadsl.model.HttpRequest;
import org.apache.pekko.http.javadsl.server.Route;
import org.jspecify.annotations.Nullable;
import parley.admission.Actor;
import parley.gateway.Tokens.Checked;

/**
 * Lets those in who may run the service, as far as their role goes: the API token as admin, the break-glass token to
 * kill, and a caller's token that names a role. Nobody gets in by anything that a browser sends by itself.
 */
final class Operators implements Guard {
    private static final String API_TOKEN = "api-token";
    private static final String BREAK_GLASS = "break-glass";
    private static final String VIA = "Parley-Via";
    private static final String API = "api";
    /** Besides {@link #API}: the admin page, and scripts. */
    private static final Set<String> TOOLS = Set.of("ui", "cli");

    /**
     * Somebody who may do something.
     *
     * @param name for the audit: {@code api-token}, {@code break-glass}, or {@code user@tenant}
     */
    record Operator(String name, Role role) {}

    /**
     * An attempt that was refused.
     *
     * @param name as in {@link Operator}; null: nobody known
     * @param role null: none
     * @param least what was asked for
     * @param code of the {@link Problem} that was the answer
     * @param why never holds a credential
     * @param network where from, see {@link Address#network}: the audit is kept for good, and an address tells of one person
     * @param via as in {@link Actor}
     */
    record Denied(
            @Nullable String name,
            @Nullable Role role,
            Role least,
            String method,
            String path,
            String code,
            String why,
            String network,
            String via) {
        Denied at(String otherPath) {
            return new Denied(name, role, least, method, otherPath, code, why, network, via);
        }

        Denied from(String otherNetwork) {
            return new Denied(name, role, least, method, path, code, why, otherNetwork, via);
        }

        /** By several: what the last of them is, and came by, is not theirs. */
        Denied byMany(String theirName) {
            return new Denied(theirName, null, least, method, path, code, why, network, "api");
        }

        /** So often the same. */
        Denied times(int times, Duration within) {
            var more = why + "; " + times + (times == 1 ? " time within " : " times within ") + minutes(within);
            return new Denied(name, role, least, method, path, code, more, network, via);
        }

        private static String minutes(Duration within) {
            return within.toMinutes() == 1
                    ? "a minute"
                    : within.toMinutes() == 0 ? within.toSeconds() + " seconds" : within.toMinutes() + " minutes";
        }

        /** What was asked for, as the audit says it. */
        String action() {
            return method + " " + path;
        }

        /** Why not, and where from, as the audit says it. */
        String reason() {
            return code + ": " + why + ", from " + network;
        }

        /** As the audit names whoever it was. */
        Actor actor() {
            return new Actor(
                    name == null ? "unknown" : "user",
                    name == null ? "nobody" : name,
                    role == null ? "" : role.toString(),
                    via);
        }
    }

    private final byte @Nullable [] apiToken;
    private final byte @Nullable [] breakGlass;
    private final Tokens tokens;
    private final Consumer<Denied> denied;

    /** @param denied gets each refusal, on the thread that answers it: has to be quick */
    Operators(GatewaySettings settings, Tokens tokens, Consumer<Denied> denied) {
        this.apiToken = hashOrNull(settings.apiToken());
        this.breakGlass = hashOrNull(settings.breakGlassToken());
        this.tokens = tokens;
        this.denied = denied;
    }

    /**
     * Goes on for an operator who {@link Role#mayAs may}; answers 401 to whoever brings no credential that is good, and
     * 403 to whoever may not.
     */
    Route asOperator(Role least, Function<Operator, Route> inner) {
        return extractRequest(request -> {
            var token = Credentials.bearer(
                    request.getHeader("Authorization").map(HttpHeader::value).orElse(null));
            if (token == null) {
                return refuse(request, least, null, null, Problem.unauthenticated("no token"));
            }
            return onSuccess(who(token), known -> switch (known) {
                case Known.Somebody(var operator) when operator.role().mayAs(least) -> inner.apply(operator);
                case Known.Somebody(var operator) ->
                    refuse(request, least, operator.name(), operator.role(), Problem.forbiddenRole(least));
                case Known.Caller(var name) -> refuse(request, least, name, null, Problem.forbiddenRole(least));
                case Known.Nobody(var why) -> refuse(request, least, null, null, why);
            });
        });
    }

    @Override
    public Route as(Role least, Function<Actor, Route> inner) {
        return extractRequest(request -> asOperator(least, operator -> inner.apply(actor(operator, via(request)))));
    }

    /** What the tool says that was used; it proves nothing and is only written down. */
    private static String via(HttpRequest request) {
        var said = request.getHeader(VIA).map(HttpHeader::value).orElse(API);
        return TOOLS.contains(said) ? said : API;
    }

    private static Actor actor(Operator operator, String via) {
        var type = operator.name().equals(API_TOKEN) || operator.name().equals(BREAK_GLASS) ? "token" : "user";
        return new Actor(type, operator.name(), operator.role().toString(), via);
    }

    private sealed interface Known {
        record Somebody(Operator operator) implements Known {}

        record Caller(String name) implements Known {}

        record Nobody(Problem why) implements Known {}
    }

    private CompletionStage<Known> who(String token) {
        var shown = hash(token);
        boolean isApiToken = MessageDigest.isEqual(shown, apiToken);
        boolean isBreakGlass = MessageDigest.isEqual(shown, breakGlass);
        if (isApiToken) {
            return CompletableFuture.completedFuture(new Known.Somebody(new Operator(API_TOKEN, Role.ADMIN)));
        }
        if (isBreakGlass) {
            return CompletableFuture.completedFuture(new Known.Somebody(new Operator(BREAK_GLASS, Role.BREAK_GLASS)));
        }
        return tokens.check(token).thenApply(checked -> {
            if (!(checked instanceof Checked.Valid(var bearer))) {
                return new Known.Nobody(
                        checked instanceof Checked.Invalid && !Tokens.looksLikeOne(token)
                                ? Problem.unauthenticated(Tokens.OPENS_NOTHING)
                                : Problem.of(checked));
            }
            var name = bearer.caller().user() + "@" + bearer.caller().tenant();
            return Role.highest(bearer.roles().stream())
                    .<Known>map(role -> new Known.Somebody(new Operator(name, role)))
                    .orElseGet(() -> new Known.Caller(name));
        });
    }

    private Route refuse(HttpRequest request, Role least, @Nullable String name, @Nullable Role role, Problem problem) {
        denied.accept(new Denied(
                name,
                role,
                least,
                request.method().name(),
                request.getUri().path(),
                problem.code(),
                problem.detail(),
                request.getAttribute(PekkoRequests.CLIENT).map(Address::network).orElse("an unknown network"),
                via(request)));
        return Responses.problem(problem);
    }

    private static byte @Nullable [] hashOrNull(@Nullable String secret) {
        return secret == null ? null : hash(secret);
    }

    /** Hashes are compared, so that not even the length of a secret shows in the time it takes. */
    private static byte[] hash(String secret) {
        try {
            return MessageDigest.getInstance("SHA-256").digest(secret.getBytes(StandardCharsets.UTF_8));
        } catch (NoSuchAlgorithmException impossible) {
            throw new IllegalStateException("every JVM has SHA-256", impossible);
        }
    }
}
