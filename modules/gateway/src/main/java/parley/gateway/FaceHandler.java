package parley.gateway;

import io.netty.handler.codec.http.DefaultHttpHeaders;
import io.netty.handler.codec.http.FullHttpRequest;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.QueryStringDecoder;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import org.apache.pekko.stream.ActorAttributes;
import org.apache.pekko.stream.Materializer;
import org.jspecify.annotations.Nullable;
import parley.admission.Admission;
import parley.admission.CallerId;
import parley.admission.Decision;
import parley.gateway.Tokens.Checked;
import parley.protocol.Ids;
import parley.protocol.ServerEvent;
import parley.protocol.Wire;
import parley.session.Answer;
import parley.session.Face;
import parley.session.SessionId;
import parley.session.Sessions;
import parley.wire.Frame;
import parley.wire.HttpServer;
import parley.wire.HttpServer.Reply;
import parley.wire.Loops;
import parley.wire.WebSocket;
import parley.wire.WebSocketClose;

/**
 * The WebSocket faces: {@code /v1/realtime}, strict, and {@code /v1/ws/voice}, guided.
 *
 * <p>Who calls and whether they get in is settled before the upgrade, with an HTTP status. A browser shows its page
 * neither status nor body of a refused upgrade, so the voice face lets a page that brought its token as a subprotocol in
 * to tell it: one {@code error} event, then a close code.
 */
final class FaceHandler {
    private static final String KEY_ITEM = "openai-insecure-api-key.";
    private static final String PROTOCOL = "realtime";

    private final Tokens tokens;
    private final Admission admission;
    private final Sessions sessions;
    private final Origins origins;
    private final Loops loops;
    private final Materializer materializer;

    FaceHandler(
            Tokens tokens,
            Admission admission,
            Sessions sessions,
            Origins origins,
            Loops loops,
            Materializer materializer) {
        this.tokens = tokens;
        this.admission = admission;
        this.sessions = sessions;
        this.origins = origins;
        this.loops = loops;
        this.materializer = materializer;
    }

    /** The face at a path; empty: none. */
    static Optional<Face> at(String path) {
        return switch (path) {
            case "/v1/realtime" -> Optional.of(Face.REALTIME);
            case "/v1/ws/voice" -> Optional.of(Face.VOICE);
            default -> Optional.empty();
        };
    }

    Reply handle(FullHttpRequest request, Face face) {
        var offer = Offer.of(request);
        if (!HttpServer.isUpgrade(request)) {
            return NettyAnswers.problem(Problem.upgradeRequired());
        }
        var origin = request.headers().get(HttpHeaderNames.ORIGIN);
        if (origin != null && !origins.mayCall(origin, request.headers().get(HttpHeaderNames.HOST))) {
            return NettyAnswers.problem(Problem.forbiddenOrigin(origin));
        }
        if (!offer.items().isEmpty() && !offer.realtime()) {
            return NettyAnswers.problem(Problem.badRequest("Sec-WebSocket-Protocol: " + offer.shown()
                    + " (expected: realtime among them, or no subprotocol)"));
        }
        var credential = offer.credential();
        if (credential == null) {
            return refuse(face, offer, Problem.unauthenticated("no token"));
        }
        return switch (tokens.check(credential)) {
            case Checked.Invalid(var why) -> refuse(face, offer, Problem.unauthenticated(why));
            case Checked.Valid(var bearer) -> admit(request, face, offer, bearer.caller());
        };
    }

    private Reply admit(FullHttpRequest request, Face face, Offer offer, CallerId caller) {
        var query = new QueryStringDecoder(request.uri()).parameters();
        if (face == Face.REALTIME && offer.beta()) {
            return upgrade(
                    offer,
                    socket -> sayAndClose(
                            socket,
                            "invalid_request_error",
                            "beta_api_shape_disabled",
                            "the beta dialect is not spoken here: leave out OpenAI-Beta: realtime=v1",
                            new WebSocketClose(4000, "invalid_request_error.beta_api_shape_disabled", false)));
        }
        if (query.containsKey("intent")) {
            return upgrade(
                    offer,
                    socket -> sayAndClose(
                            socket,
                            "invalid_request_error",
                            "invalid_intent",
                            "intent: " + query.get("intent").getFirst()
                                    + " (expected: none, this is for conversations)",
                            new WebSocketClose(4000, "invalid_request_error.invalid_intent", false)));
        }
        var again = query.containsKey("session_id")
                ? SessionId.parse(query.get("session_id").getFirst())
                : Optional.<SessionId>empty();
        if (query.containsKey("session_id") && again.isEmpty()) {
            return refuse(face, offer, Problem.badRequest("session_id: not a session's id (expected: sess_…)"));
        }
        return switch (admission.admit(caller)) {
            case Decision.Refused refused -> refuse(face, offer, Problem.of(refused));
            case Decision.Admitted admitted -> {
                var join = new Sessions.Join(
                        new Sessions.Opening(caller, face, admitted.arm(), first(query.get("model"))),
                        again.isPresent(),
                        first(query.get("resume_token")));
                yield upgrade(offer, socket -> {
                    socket.closed().thenRun(admitted.place()::leave);
                    converse(socket, again.orElseGet(sessions::mint), join);
                });
            }
        };
    }

    private void converse(WebSocket socket, SessionId id, Sessions.Join join) {
        sessions.conversation(id, join, socket.loop()).thenAccept(answer -> {
            switch (answer) {
                case Answer.Joined joined ->
                    socket.flow()
                            .join(joined.conversation())
                            .withAttributes(ActorAttributes.dispatcher(loops.dispatcherOf(socket.loop())))
                            .run(materializer);
                case Answer.Refused refused -> socket.loop().execute(() -> tell(socket, Problem.of(refused)));
                case Answer.Opened opened -> socket.close(WebSocketClose.INTERNAL_ERROR, "internal error");
                case Answer.Described described -> socket.close(WebSocketClose.INTERNAL_ERROR, "internal error");
            }
        });
    }

    private static Reply upgrade(Offer offer, Consumer<WebSocket> opened) {
        return new Reply.Upgrade(offer.realtime() ? PROTOCOL : null, new DefaultHttpHeaders(), opened);
    }

    private static Reply refuse(Face face, Offer offer, Problem problem) {
        return face == Face.VOICE && offer.fromPage()
                ? upgrade(offer, socket -> tell(socket, problem))
                : NettyAnswers.problem(problem);
    }

    /** A refusal after the upgrade. */
    private static void tell(WebSocket socket, Problem problem) {
        var type = problem.status() >= 500 ? "server_error" : "invalid_request_error";
        sayAndClose(
                socket,
                type,
                problem.code(),
                problem.detail(),
                new WebSocketClose(problem.closeCode(), problem.code(), false));
    }

    private static void sayAndClose(WebSocket socket, String type, String code, String message, WebSocketClose close) {
        var error = new ServerEvent.Error(Ids.event(), new ServerEvent.ErrorBody(type, code, message, null, null));
        socket.send(Frame.text(Wire.bytes(error)));
        socket.close(close.code(), close.reason());
    }

    private static @Nullable String first(@Nullable List<String> values) {
        return values == null || values.isEmpty() || values.getFirst().isEmpty() ? null : values.getFirst();
    }

    /**
     * What a client brings to the upgrade.
     *
     * @param items the subprotocols it offers, keys included: never to be printed
     */
    private record Offer(List<String> items, @Nullable String bearer, boolean betaHeader) {
        static Offer of(FullHttpRequest request) {
            var headers = request.headers();
            var items = headers.getAll(HttpHeaderNames.SEC_WEBSOCKET_PROTOCOL).stream()
                    .flatMap(line -> Arrays.stream(line.split(",")))
                    .map(String::strip)
                    .filter(item -> !item.isEmpty())
                    .toList();
            var beta = headers.get("OpenAI-Beta");
            return new Offer(
                    items,
                    Credentials.bearer(headers.get(HttpHeaderNames.AUTHORIZATION)),
                    beta != null && beta.contains("realtime=v1"));
        }

        boolean realtime() {
            return items.contains(PROTOCOL);
        }

        boolean beta() {
            return betaHeader || items.contains("openai-beta.realtime-v1");
        }

        boolean fromPage() {
            return bearer == null && items.stream().anyMatch(item -> item.startsWith(KEY_ITEM));
        }

        @Nullable
        String credential() {
            return bearer != null
                    ? bearer
                    : items.stream()
                            .filter(item -> item.startsWith(KEY_ITEM))
                            .map(item -> item.substring(KEY_ITEM.length()))
                            .findFirst()
                            .orElse(null);
        }

        String shown() {
            return String.join(
                    ", ",
                    items.stream()
                            .map(item -> item.startsWith(KEY_ITEM) ? KEY_ITEM + "…" : item)
                            .toList());
        }
    }
}
