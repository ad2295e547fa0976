package parley.gateway;

import io.netty.handler.codec.http.FullHttpRequest;
import io.netty.handler.ssl.SslContext;
import java.net.InetSocketAddress;
import java.time.Clock;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.function.Consumer;
import java.util.function.Function;
import org.apache.pekko.Done;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.http.javadsl.model.HttpRequest;
import org.apache.pekko.http.javadsl.model.HttpResponse;
import org.apache.pekko.http.javadsl.server.Route;
import org.apache.pekko.stream.Materializer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import parley.admission.Admission;
import parley.admission.Quotas;
import parley.admission.Rollouts;
import parley.admission.SharedTokens;
import parley.meter.Meters;
import parley.session.Costs;
import parley.session.Erasure;
import parley.session.Sessions;
import parley.session.Spans;
import parley.session.UsedOnce;
import parley.wire.HttpServer;
import parley.wire.Loops;
import parley.wire.WireSettings;

/** The callers' door: the WebSocket faces and the HTTP resources, on one port, and again over TLS. */
public final class Gateway {
    private static final Logger LOG = LoggerFactory.getLogger(Gateway.class);

    /** What is behind the door. */
    public record Behind(
            Sessions sessions,
            Admission admission,
            Rollouts rollouts,
            Quotas quotas,
            UsedOnce used,
            Costs costs,
            Erasure erasure,
            SharedTokens sharedTokens) {}

    private final List<HttpServer> servers;
    private final @Nullable HttpServer secure;
    private final FaceHandler faces;
    private final Rates rates;
    private final @Nullable PublishedKeys keys;
    private final VoiceTokens voiceTokens;
    private final Denials denials;

    private Gateway(
            List<HttpServer> servers,
            @Nullable HttpServer secure,
            FaceHandler faces,
            Rates rates,
            @Nullable PublishedKeys keys,
            VoiceTokens voiceTokens,
            Denials denials) {
        this.servers = List.copyOf(servers);
        this.secure = secure;
        this.faces = faces;
        this.rates = rates;
        this.keys = keys;
        this.voiceTokens = voiceTokens;
        this.denials = denials;
    }

    /**
     * Opens every port the settings name, or none.
     *
     * @return fails with {@link java.net.BindException} when one is taken
     * @throws IllegalArgumentException when there is no certificate to be had
     */
    public static CompletionStage<Gateway> bind(
            ActorSystem<?> system,
            Loops loops,
            Behind behind,
            GatewaySettings settings,
            RateSettings rateSettings,
            WireSettings wire) {
        var materializer = Materializer.createMaterializer(system);
        // Before any port opens, and before anybody is asked for keys: what is wrong with the certificate leaves
        // nothing
        // behind.
        var tls = settings.https() ? Certificates.of(settings) : null;
        var keys = PublishedKeys.start(settings.tokens());
        var tokens = new Tokens(settings, keys, Clock.systemUTC());
        var tickets = new Tickets(settings.tokens(), behind.used(), Clock.systemUTC());
        var origins = new Origins(settings.allowedOrigins());
        var voiceTokens = new VoiceTokens(
                settings.ws(),
                behind.sharedTokens(),
                Clock.systemUTC(),
                (delay, action) -> system.scheduler().scheduleOnce(delay, action, system.executionContext())::cancel);
        var meters = Meters.of(system);
        var denials = new Denials(
                DenialSettings.from(system.settings().config()),
                denied -> behind.rollouts().denied(denied.actor(), denied.action(), denied.reason()),
                meters,
                (delay, action) -> system.scheduler().scheduleOnce(delay, action, system.executionContext())::cancel);
        var doors = new FaceMetrics(meters, Clock.systemUTC());
        var byToken = "voice_ws_token_connections";
        var says = "Connections by VOICE_WS_TOKEN.";
        meters.gauge(
                byToken,
                says,
                () -> voiceTokens.connections() - voiceTokens.connectionsByEarlierToken(),
                "key",
                "current");
        meters.gauge(byToken, says, voiceTokens::connectionsByEarlierToken, "key", "previous");
        var faces = new FaceHandler(
                tokens,
                tickets,
                behind.admission(),
                behind.quotas(),
                behind.sessions(),
                voiceTokens,
                origins,
                doors,
                Spans.of(system).tracer());
        var rates = new Rates(rateSettings, System::nanoTime);
        var front = new Front(
                rates,
                faces,
                doors,
                new HttpMetrics(meters, rates),
                new GatewayRoutes(
                                resources(
                                        behind,
                                        settings,
                                        TelemetrySettings.from(system.settings().config()),
                                        tokens,
                                        tickets,
                                        voiceTokens,
                                        faces,
                                        doors,
                                        meters,
                                        denials),
                                origins,
                                system.settings().config())
                        .routes()
                        .function(system));
        var binding = new ArrayList<CompletableFuture<HttpServer>>();
        binding.add(bind(loops, settings, settings.port(), null, wire, materializer, front));
        if (tls != null) {
            binding.add(bind(loops, settings, settings.httpsPort(), tls, wire, materializer, front));
        }
        if (settings.voicePort() != 0) {
            binding.add(bind(loops, settings, settings.voicePort(), null, wire, materializer, front));
        }
        return CompletableFuture.allOf(binding.toArray(CompletableFuture[]::new))
                .handle((all, failed) -> failed == null
                        ? CompletableFuture.completedFuture(new Gateway(
                                binding.stream().map(CompletableFuture::join).toList(),
                                settings.https() ? binding.get(1).join() : null,
                                faces,
                                rates,
                                keys,
                                voiceTokens,
                                denials))
                        : closeThoseOpen(binding, keys, voiceTokens)
                                .<Gateway>thenCompose(closed -> CompletableFuture.failedFuture(
                                        failed instanceof CompletionException && failed.getCause() != null
                                                ? failed.getCause()
                                                : failed)))
                .thenCompose(Function.identity());
    }

    /** Every HTTP resource, in the order in which they are asked; {@code web/openapi.json} describes each. */
    static List<Route> resources(
            Behind behind,
            GatewaySettings settings,
            TelemetrySettings telemetry,
            Tokens tokens,
            Tickets tickets,
            VoiceTokens voiceTokens,
            FaceHandler faces,
            FaceMetrics doors,
            Meters meters,
            Consumer<Operators.Denied> denied) {
        var callers = new Callers(tokens);
        var operators = new Operators(settings, tokens, denied);
        return List.of(
                new HealthRoutes(settings.version()).routes(),
                new VoiceHealthRoutes(
                                behind.sessions(),
                                behind.rollouts(),
                                doors,
                                faces::draining,
                                settings.version(),
                                Clock.systemUTC())
                        .routes(),
                new MetricsRoutes(meters, operators, telemetry.open()).routes(),
                new FaceRoutes(behind.admission(), behind.quotas(), callers, voiceTokens, faces::draining).routes(),
                new SessionRoutes(behind.sessions(), behind.admission(), behind.quotas(), callers, faces::draining)
                        .routes(),
                new TokenRoutes(tokens, tickets, callers).routes(),
                new RolloutRoutes(behind.rollouts(), operators, Clock.systemUTC()).routes(),
                new AdminSessionRoutes(behind.sessions(), operators).routes(),
                new WsTokenRoutes(voiceTokens, operators).routes(),
                new CostRoutes(
                                inner -> operators.as(Role.VIEWER, actor -> inner.get()),
                                behind.costs(),
                                Clock.systemUTC())
                        .routes(),
                new ErasureRoutes(behind.erasure(), inner -> operators.as(Role.ADMIN, actor -> inner.get())).routes(),
                new OfrepRoutes(behind.rollouts(), operators).routes(),
                new PageRoutes(settings, tokens).routes());
    }

    private static CompletionStage<Done> closeThoseOpen(
            List<CompletableFuture<HttpServer>> binding, @Nullable PublishedKeys keys, VoiceTokens voiceTokens) {
        voiceTokens.close();
        if (keys != null) {
            keys.close();
        }
        return all(binding.stream()
                .filter(server -> !server.isCompletedExceptionally())
                .map(server -> server.join().close())
                .toList());
    }

    /** Signs as a gateway of these settings does. */
    public static Tokens tokens(GatewaySettings settings) {
        return new Tokens(settings, null, Clock.systemUTC());
    }

    /** Where HTTP and WebSocket are answered. */
    public InetSocketAddress address() {
        return servers.getFirst().address();
    }

    /** The same over TLS; null when switched off. */
    public @Nullable InetSocketAddress secureAddress() {
        return secure == null ? null : secure.address();
    }

    /** How often clients called faster than they may. */
    public Rates rates() {
        return rates;
    }

    /** Takes no new connections, and on those open neither new calls nor new sessions. */
    public CompletionStage<Done> unbind() {
        // The audit is to have them while it can still be reached.
        denials.flush();
        faces.drain();
        return all(servers.stream().map(HttpServer::unbind).toList());
    }

    /** Takes no new connections and drops those open. */
    public CompletionStage<Done> close() {
        voiceTokens.close();
        if (keys != null) {
            keys.close();
        }
        return all(servers.stream().map(HttpServer::close).toList());
    }

    private static CompletionStage<Done> all(List<CompletionStage<Done>> stages) {
        return CompletableFuture.allOf(stages.stream()
                        .map(CompletionStage::toCompletableFuture)
                        .toArray(CompletableFuture[]::new))
                .thenApply(all -> Done.getInstance());
    }

    private static CompletableFuture<HttpServer> bind(
            Loops loops,
            GatewaySettings settings,
            int port,
            @Nullable SslContext tls,
            WireSettings wire,
            Materializer materializer,
            HttpServer.Handler front) {
        return HttpServer.bind(loops, new InetSocketAddress(settings.host(), port), tls, wire, materializer, front)
                .toCompletableFuture();
    }

    /** Sends upgrades of a face to it, and the rest to the routes. */
    private static final class Front implements HttpServer.Handler {
        private final Rates rates;
        private final FaceHandler faces;
        private final FaceMetrics doors;
        private final HttpMetrics http;
        private final org.apache.pekko.japi.function.Function<HttpRequest, CompletionStage<HttpResponse>> routes;

        Front(
                Rates rates,
                FaceHandler faces,
                FaceMetrics doors,
                HttpMetrics http,
                org.apache.pekko.japi.function.Function<HttpRequest, CompletionStage<HttpResponse>> routes) {
            this.rates = rates;
            this.faces = faces;
            this.doors = doors;
            this.http = http;
            this.routes = routes;
        }

        @Override
        public CompletionStage<HttpServer.Reply> handle(FullHttpRequest request, HttpServer.Connection connection) {
            long began = System.nanoTime();
            return answer(request, connection).whenComplete((reply, fault) -> http.answered(reply, began));
        }

        private CompletionStage<HttpServer.Reply> answer(FullHttpRequest request, HttpServer.Connection connection) {
            // Before anything that costs more.
            var wait = rates.take(request, connection.remote().getAddress());
            if (wait.isPositive()) {
                var problem = Problem.rateLimited(wait);
                if (HttpServer.isUpgrade(request)) {
                    doors.refused(problem);
                }
                return now(problem);
            }
            if (!Targets.settle(request)) {
                return now(Problem.badRequest("the target or the Host header is not one of HTTP"));
            }
            var entrance = Entrance.at(Targets.path(request));
            if (entrance.isPresent() && HttpServer.isUpgrade(request)) {
                return faces.handle(request, entrance.get(), connection);
            }
            var method = PekkoRequests.method(request);
            if (method.isEmpty()) {
                return now(Problem.unknownMethod(request.method().name()));
            }
            return PekkoRequests.of(
                            request,
                            method.get(),
                            rates.client(request, connection.remote().getAddress()),
                            connection)
                    .map(asked -> route(asked, request.method().name()))
                    .orElseGet(() -> now(Problem.badRequest("the target or the Content-Type is not one of HTTP")));
        }

        @Override
        public void onFault(String method, String path, Throwable fault) {
            LOG.error("{} {} failed", method, path, fault);
        }

        private CompletionStage<HttpServer.Reply> route(HttpRequest request, String method) {
            try {
                return routes.apply(request).thenApply(NettyAnswers::of).exceptionally(fault -> {
                    onFault(method, request.getUri().path(), fault);
                    return NettyAnswers.problem(Problem.internal());
                });
            } catch (Exception fault) {
                return CompletableFuture.failedFuture(fault);
            }
        }

        private static CompletionStage<HttpServer.Reply> now(Problem problem) {
            return CompletableFuture.completedFuture(NettyAnswers.problem(problem));
        }
    }
}
