package parley.gateway;

import io.netty.channel.EventLoop;
import io.netty.handler.codec.http.FullHttpRequest;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.QueryStringDecoder;
import io.opentelemetry.api.trace.Tracer;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import parley.admission.Admission;
import parley.admission.Decision;
import parley.admission.Quotas;
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
import parley.wire.WebSocket;
import parley.wire.WebSocketClose;

/**
 * The WebSocket faces, behind each {@link Entrance}: strict, and guided.
 *
 * <p>Who calls and whether they get in is settled before the upgrade, with an HTTP status. A browser shows its page
 * neither status nor body of a refused upgrade, so the guided faces let a page that brought its token as a subprotocol, or
 * a ticket, in to tell it: one {@code error} event, then a close code. Where a token may stand in the address, whoever
 * sends an {@code Origin} is a page.
 */
final class FaceHandler {
    private static final Logger LOG = LoggerFactory.getLogger(FaceHandler.class);
    private static final Duration TO_OPEN = Duration.ofSeconds(3);
    private static final String KEY_ITEM = "openai-insecure-api-key.";
    private static final String PROTOCOL = "realtime";
    /** The largest whole number that every JSON reader holds exactly. */
    private static final long MAX_SEQ = (1L << 53) - 1;

    private final Tokens tokens;
    private final Tickets tickets;
    private final Admission admission;
    private final Quotas quotas;
    private final Sessions sessions;
    private final Interviews interviews;
    private final VoiceTokens voiceTokens;
    private final Origins origins;
    private final FaceMetrics metrics;
    private final Tracer tracer;
    private volatile boolean draining;

    FaceHandler(
            Tokens tokens,
            Tickets tickets,
            Admission admission,
            Quotas quotas,
            Sessions sessions,
            VoiceTokens voiceTokens,
            Origins origins,
            FaceMetrics metrics,
            Tracer tracer) {
        this.tokens = tokens;
        this.tickets = tickets;
        this.admission = admission;
        this.quotas = quotas;
        this.sessions = sessions;
        this.interviews = new Interviews(sessions, quotas);
        this.voiceTokens = voiceTokens;
        this.origins = origins;
        this.metrics = metrics;
        this.tracer = tracer;
    }

    /** From now on nobody gets in, whether new or coming back; those who are in go on. */
    void drain() {
        draining = true;
    }

    boolean draining() {
        return draining;
    }

    /** Somebody at the door: where, with what, and on which loop. */
    private record Call(Entrance entrance, Offer offer, EventLoop loop, ConnectSpan span) {
        Face face() {
            return entrance.face();
        }
    }

    /** Answers an upgrade, mostly at once. Must be called on the connection's loop. */
    CompletionStage<Reply> handle(FullHttpRequest request, Entrance entrance, HttpServer.Connection connection) {
        if (entrance instanceof Entrance.Shared && !voiceTokens.areTaken()) {
            return answer(Problem.notFound(Targets.path(request)));
        }
        var problem = malformed(request, connection);
        if (problem != null) {
            metrics.refused(problem);
            return answer(problem);
        }
        var query = query(request);
        var span = ConnectSpan.begin(tracer, request.headers().get(ConnectSpan.HEADER), entrance.face());
        var call = new Call(entrance, Offer.of(request, entrance, query), connection.loop(), span);
        var checked = who(call, query, request).toCompletableFuture();
        Function<Checked, CompletionStage<Reply>> then = known -> answer(known, query, call);
        return checked.isDone() ? checked.thenCompose(then) : checked.thenComposeAsync(then, connection.loop());
    }

    private CompletionStage<Reply> answer(Checked known, @Nullable Map<String, List<String>> query, Call call) {
        if (!(known instanceof Checked.Valid(var bearer))) {
            return refuse(call, Problem.of(known));
        }
        return query == null
                ? refuse(call, Problem.badRequest("the query holds a % that begins no escape"))
                : ask(query, call, bearer);
    }

    private @Nullable Problem malformed(FullHttpRequest request, HttpServer.Connection connection) {
        var headers = request.headers();
        for (var origin : headers.getAll(HttpHeaderNames.ORIGIN)) {
            if (!origins.mayCall(origin, headers.get(HttpHeaderNames.HOST), connection.secure())) {
                return Problem.forbiddenOrigin(origin);
            }
        }
        if (!headers.contains(HttpHeaderNames.SEC_WEBSOCKET_VERSION, "13", false)) {
            return Problem.upgradeRequired();
        }
        if (!headers.contains(HttpHeaderNames.SEC_WEBSOCKET_KEY)) {
            return Problem.badRequest("no Sec-WebSocket-Key (expected: as in RFC 6455)");
        }
        var items = Offer.items(request);
        return items.isEmpty() || items.contains(PROTOCOL)
                ? null
                // Not repeated: there may be a key among them.
                : Problem.badRequest("Sec-WebSocket-Protocol: " + items.size()
                        + " offered (expected: realtime among them, or no subprotocol)");
    }

    /** Null when it is malformed. */
    private static @Nullable Map<String, List<String>> query(FullHttpRequest request) {
        try {
            return new QueryStringDecoder(request.uri()).parameters();
        } catch (IllegalArgumentException malformed) {
            return null;
        }
    }

    private CompletionStage<Checked> who(
            Call call, @Nullable Map<String, List<String>> query, FullHttpRequest request) {
        var offer = call.offer();
        var credential = offer.credential();
        if (call.entrance() instanceof Entrance.Shared) {
            return CompletableFuture.completedFuture(
                    voiceTokens.check(credential, query == null ? null : first(query.get("user"))));
        }
        if (credential != null) {
            return tokens.check(credential);
        }
        return offer.ticket() != null
                ? tickets.use(offer.ticket(), request.headers().getAll(HttpHeaderNames.ORIGIN))
                : CompletableFuture.completedFuture(new Checked.Invalid("no token"));
    }

    private CompletionStage<Reply> ask(Map<String, List<String>> query, Call call, Tokens.Bearer bearer) {
        var caller = bearer.caller();
        var offer = call.offer();
        if (call.face() == Face.REALTIME && offer.beta()) {
            call.span().refused("beta_api_shape_disabled");
            return upgrade(
                    call,
                    socket -> sayAndClose(
                            socket,
                            "invalid_request_error",
                            "beta_api_shape_disabled",
                            "the beta dialect is not spoken here: leave out OpenAI-Beta: realtime=v1",
                            new WebSocketClose(4000, "invalid_request_error.beta_api_shape_disabled", false)));
        }
        if (query.containsKey("intent")) {
            call.span().refused("invalid_intent");
            return upgrade(
                    call,
                    socket -> sayAndClose(
                            socket,
                            "invalid_request_error",
                            "invalid_intent",
                            "intent: not spoken here (expected: none, this is for conversations)",
                            new WebSocketClose(4000, "invalid_request_error.invalid_intent", false)));
        }
        if (query.containsKey("call_id")) {
            return refuse(call, Problem.callNotFound());
        }
        var wrong = call.entrance() instanceof Entrance.Shared
                ? VoiceTokens.malformed(first(query.get("user")))
                : call.entrance().malformed();
        if (wrong != null) {
            return refuse(call, wrong);
        }
        var model = first(query.get("model"));
        if (model != null && !ModelNames.isName(model)) {
            return refuse(call, ModelNames.problem());
        }
        // An interview's session is found by the interview.
        var named = call.entrance().interview() == null ? query.get("session_id") : null;
        var again = named == null ? Optional.<SessionId>empty() : SessionId.parse(named.getFirst());
        if (named != null && again.isEmpty()) {
            return refuse(call, Problem.badRequest("session_id: not a session's id (expected: sess_…)"));
        }
        var seen = query.get("last_seq");
        long lastSeq = seen == null ? Sessions.Join.NOT_TOLD : seq(seen.getFirst());
        if (seen != null && lastSeq == Sessions.Join.NOT_TOLD) {
            return refuse(
                    call,
                    Problem.badRequest("last_seq: " + seen.getFirst() + " (expected: a whole number, 0 to " + MAX_SEQ
                            + ", the seq of the last event seen)"));
        }
        if (draining) {
            return refuse(call, Problem.draining());
        }
        var resumeToken = first(query.get("resume_token"));
        var interview = call.entrance().interview();
        // Without a resume token it is the first connection to a session that was opened ahead.
        boolean comesBack = interview != null
                ? resumeToken != null
                : again.isPresent() && (call.face() == Face.REALTIME || resumeToken != null);
        return switch (comesBack
                ? admission.readmit(caller, bearer.cohorts())
                : admission.admit(caller, bearer.cohorts())) {
            case Decision.Refused refused -> refuse(call, Problem.of(refused));
            case Decision.Admitted admitted -> {
                var join = new Sessions.Join(
                        new Sessions.Opening(
                                caller,
                                call.face(),
                                admitted.arm(),
                                model,
                                admitted.why().name(),
                                admitted.revision(),
                                interview),
                        again.isPresent() || interview != null,
                        resumeToken,
                        lastSeq,
                        call.entrance() instanceof Entrance.Shared,
                        call.span().trace().toString());
                if (interview != null) {
                    yield interviewed(interview, call, admitted.place(), join);
                }
                yield again.isPresent()
                        ? admitted(call, admitted.place(), again.get(), join)
                        : counted(call, admitted.place(), join);
            }
        };
    }

    /** A new session is one of its user's hour. One that is gone on with was counted when it began. */
    private CompletionStage<Reply> counted(Call call, Decision.Place place, Sessions.Join join) {
        var id = sessions.mint();
        return quotas.take(join.opening().caller(), id.value()).thenCompose(answer -> switch (answer) {
            case Quotas.Answer.Granted granted -> admitted(call, place, id, join);
            case Quotas.Answer.Refused refused -> leave(place, call, Problem.of(refused));
            case Quotas.Answer.Unanswered unanswered -> leave(place, call, Problem.of(unanswered));
        });
    }

    private CompletionStage<Reply> leave(Decision.Place place, Call call, Problem problem) {
        place.leave();
        return refuse(call, problem);
    }

    /**
     * An interview has one line: it is taken before the upgrade, so that whoever does not get it is told with a status. Who
     * is gone before the upgrade lets go of it, as after any lost connection.
     */
    private CompletionStage<Reply> interviewed(String interview, Call call, Decision.Place place, Sessions.Join join) {
        return interviews.join(interview, join, call.loop()).thenCompose(outcome -> switch (outcome) {
            case Interviews.Outcome.Refused(var problem) -> leave(place, call, problem);
            case Interviews.Outcome.Joined(var joined) ->
                opened(call, place, () -> hangUp(joined), socket -> talk(socket, call, join, joined));
        });
    }

    private CompletionStage<Reply> admitted(Call call, Decision.Place place, SessionId id, Sessions.Join join) {
        return opened(call, place, () -> neverBegan(id, join), socket -> converse(socket, call, id, join));
    }

    /** @param unopened what is to be done when the caller was gone before the upgrade could be sent: it closes no socket */
    private CompletionStage<Reply> opened(
            Call call, Decision.Place place, Runnable unopened, Consumer<WebSocket> opened) {
        call.span().admitted();
        var late = call.loop()
                .schedule(
                        () -> {
                            place.leave();
                            call.span().neverOpened();
                            unopened.run();
                        },
                        TO_OPEN.toMillis(),
                        TimeUnit.MILLISECONDS);
        return upgrade(call, socket -> {
            if (late.cancel(false)) {
                socket.closed().thenRun(place::leave);
                var token = call.offer().credential();
                if (call.entrance() instanceof Entrance.Shared && token != null) {
                    voiceTokens.watch(socket, token);
                }
                opened.accept(socket);
            } else {
                socket.close(WebSocketClose.TRY_AGAIN_LATER, "too slow to open");
            }
        });
    }

    private void neverBegan(SessionId id, Sessions.Join join) {
        if (!join.again()) {
            quotas.giveBack(join.opening().caller(), id.value());
        }
    }

    private void converse(WebSocket socket, Call call, SessionId id, Sessions.Join join) {
        sessions.conversation(id, join, socket.loop())
                .thenAccept(answer -> {
                    switch (answer) {
                        case Answer.Joined joined -> talk(socket, call, join, joined);
                        case Answer.Refused refused -> {
                            neverBegan(id, join);
                            var problem = Problem.of(refused);
                            refused(call, problem);
                            socket.loop().execute(() -> tell(socket, problem));
                        }
                        case Answer.Opened opened -> throw new IllegalStateException("opened instead of joined");
                        case Answer.Described described ->
                            throw new IllegalStateException("described instead of joined");
                    }
                })
                .exceptionally(fault -> {
                    join.concerns(id).around(() -> LOG.error("session {} could not be joined", id, fault));
                    refused(call, Problem.internal());
                    socket.close(WebSocketClose.INTERNAL_ERROR, "internal error");
                    return null;
                });
    }

    private void talk(WebSocket socket, Call call, Sessions.Join join, Answer.Joined joined) {
        metrics.admitted(join.opening().arm());
        call.span().joined();
        socket.loop().execute(() -> {
            try {
                socket.join(joined.line());
            } catch (RuntimeException fault) {
                join.concerns(joined.id())
                        .around(() -> LOG.error("a caller could not be joined with its session", fault));
                hangUp(joined);
                socket.close(WebSocketClose.INTERNAL_ERROR, "internal error");
            }
        });
    }

    /** To the session it is a connection that was lost, and no goodbye. */
    private static void hangUp(Answer.Joined joined) {
        joined.line().close(WebSocketClose.LOST, "never opened");
    }

    private CompletionStage<Reply> upgrade(Call call, Consumer<WebSocket> opened) {
        return CompletableFuture.completedFuture(new Reply.Upgrade(
                call.offer().realtime() ? PROTOCOL : null, call.span().headers(), socket -> {
                    metrics.opened(call.face(), socket);
                    opened.accept(socket);
                }));
    }

    private CompletionStage<Reply> refuse(Call call, Problem problem) {
        refused(call, problem);
        return call.face() == Face.VOICE && call.offer().fromPage()
                ? upgrade(call, socket -> tell(socket, problem))
                : answer(problem);
    }

    private void refused(Call call, Problem problem) {
        metrics.refused(problem);
        call.span().refused(problem);
    }

    private static CompletionStage<Reply> answer(Problem problem) {
        return CompletableFuture.completedFuture(NettyAnswers.problem(problem));
    }

    /** A refusal after the upgrade. */
    private static void tell(WebSocket socket, Problem problem) {
        socket.send(Frame.text(problem.event()));
        socket.close(problem.closeCode(), problem.code());
    }

    private static void sayAndClose(WebSocket socket, String type, String code, String message, WebSocketClose close) {
        var error = new ServerEvent.Error(Ids.event(), new ServerEvent.ErrorBody(type, code, message, null, null));
        socket.send(Frame.text(Wire.bytes(error)));
        socket.close(close.code(), close.reason());
    }

    /** {@link Sessions.Join#NOT_TOLD} for what is no position. */
    private static long seq(String text) {
        if (!text.matches("[0-9]{1,16}")) {
            return Sessions.Join.NOT_TOLD;
        }
        long seq = Long.parseLong(text);
        return seq <= MAX_SEQ ? seq : Sessions.Join.NOT_TOLD;
    }

    private static @Nullable String first(@Nullable List<String> values) {
        return values == null || values.isEmpty() || values.getFirst().isEmpty() ? null : values.getFirst();
    }

    /**
     * What a client brings to the upgrade.
     *
     * @param items the subprotocols it offers, keys included
     * @param inQuery the token in the address, where one may stand there and there is no other
     * @param ticket counts where there is no token
     * @param page whether a browser's page asks, at an address where a token may stand
     */
    private record Offer(
            List<String> items,
            @Nullable String bearer,
            @Nullable String inQuery,
            @Nullable String ticket,
            boolean page,
            boolean betaHeader) {
        static Offer of(FullHttpRequest request, Entrance entrance, @Nullable Map<String, List<String>> query) {
            var headers = request.headers();
            var beta = headers.get("OpenAI-Beta");
            boolean inQuery = entrance.takesTokenInQuery();
            return new Offer(
                    items(request),
                    Credentials.bearer(headers.get(HttpHeaderNames.AUTHORIZATION)),
                    query != null && inQuery ? first(query.get("token")) : null,
                    query == null || entrance instanceof Entrance.Shared ? null : first(query.get("ticket")),
                    inQuery && headers.contains(HttpHeaderNames.ORIGIN),
                    beta != null && beta.contains("realtime=v1"));
        }

        static List<String> items(FullHttpRequest request) {
            return request.headers().getAll(HttpHeaderNames.SEC_WEBSOCKET_PROTOCOL).stream()
                    .flatMap(line -> Arrays.stream(line.split(",")))
                    .map(String::strip)
                    .filter(item -> !item.isEmpty())
                    .toList();
        }

        boolean realtime() {
            return items.contains(PROTOCOL);
        }

        boolean beta() {
            return betaHeader || items.contains("openai-beta.realtime-v1");
        }

        boolean fromPage() {
            return bearer == null
                    && (page
                            || (realtime() && ticket != null)
                            || items.stream().anyMatch(item -> item.startsWith(KEY_ITEM)));
        }

        @Nullable
        String credential() {
            return bearer != null
                    ? bearer
                    : items.stream()
                            .filter(item -> item.startsWith(KEY_ITEM))
                            .map(item -> item.substring(KEY_ITEM.length()))
                            .findFirst()
                            .orElse(inQuery);
        }

        /** Keys, tokens and tickets stay out of everything that is printed. */
        @Override
        public String toString() {
            return "Offer[" + items.size() + " items]";
        }
    }
}
