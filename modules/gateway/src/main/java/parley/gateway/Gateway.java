package parley.gateway;

import io.netty.handler.codec.http.FullHttpRequest;
import io.netty.handler.ssl.SslContext;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.time.Clock;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.apache.pekko.Done;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.http.javadsl.model.HttpRequest;
import org.apache.pekko.http.javadsl.model.HttpResponse;
import org.apache.pekko.japi.function.Function;
import org.apache.pekko.stream.Materializer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import parley.admission.Admission;
import parley.session.Sessions;
import parley.wire.HttpServer;
import parley.wire.Loops;
import parley.wire.WireSettings;

/** The callers' door: the WebSocket faces and the HTTP resources, on one port, and again over TLS. */
public final class Gateway {
    private static final Logger LOG = LoggerFactory.getLogger(Gateway.class);

    private final List<HttpServer> servers;
    private final @Nullable HttpServer secure;

    private Gateway(List<HttpServer> servers, @Nullable HttpServer secure) {
        this.servers = List.copyOf(servers);
        this.secure = secure;
    }

    /** Opens every port the settings name. Fails with {@link java.net.BindException} when one is taken. */
    public static CompletionStage<Gateway> bind(
            ActorSystem<?> system,
            Loops loops,
            Sessions sessions,
            Admission admission,
            GatewaySettings settings,
            WireSettings wire) {
        var materializer = Materializer.createMaterializer(system);
        var tokens = tokens(settings);
        var front = new Front(
                new FaceHandler(
                        tokens, admission, sessions, new Origins(settings.allowedOrigins()), loops, materializer),
                new GatewayRoutes(
                                new HealthRoutes(settings.version()),
                                new SessionRoutes(sessions, admission, new Callers(tokens)),
                                new PageRoutes(settings, tokens),
                                settings,
                                system.settings().config())
                        .routes()
                        .function(system));
        var binding = new ArrayList<CompletableFuture<HttpServer>>();
        binding.add(bind(loops, settings, settings.port(), null, wire, materializer, front));
        if (settings.https()) {
            binding.add(bind(loops, settings, settings.httpsPort(), tls(settings), wire, materializer, front));
        }
        if (settings.voicePort() != 0) {
            binding.add(bind(loops, settings, settings.voicePort(), null, wire, materializer, front));
        }
        return CompletableFuture.allOf(binding.toArray(CompletableFuture[]::new))
                .thenApply(all -> new Gateway(
                        binding.stream().map(CompletableFuture::join).toList(),
                        settings.https() ? binding.get(1).join() : null));
    }

    /** Signs and checks as a gateway of these settings does. */
    public static Tokens tokens(GatewaySettings settings) {
        return new Tokens(
                settings.jwtSecret(),
                settings.jwtIssuer(),
                settings.jwtAudience(),
                settings.clockSkew(),
                Clock.systemUTC());
    }

    /** Where HTTP and WebSocket are answered. */
    public InetSocketAddress address() {
        return servers.getFirst().address();
    }

    /** The same over TLS; null when switched off. */
    public @Nullable InetSocketAddress secureAddress() {
        return secure == null ? null : secure.address();
    }

    /** Takes no new connections. */
    public CompletionStage<Done> unbind() {
        return all(servers.stream().map(HttpServer::unbind).toList());
    }

    /** Takes no new connections and drops those open. */
    public CompletionStage<Done> close() {
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

    private static SslContext tls(GatewaySettings settings) {
        try {
            return Certificates.of(settings);
        } catch (IOException unwritable) {
            throw new UncheckedIOException(
                    "https: " + settings.developmentCertificates() + " cannot be written", unwritable);
        }
    }

    /** Sends upgrades of a face to it, and the rest to the routes. */
    private static final class Front implements HttpServer.Handler {
        private final FaceHandler faces;
        private final Function<HttpRequest, CompletionStage<HttpResponse>> routes;

        Front(FaceHandler faces, Function<HttpRequest, CompletionStage<HttpResponse>> routes) {
            this.faces = faces;
            this.routes = routes;
        }

        @Override
        public CompletionStage<HttpServer.Reply> handle(FullHttpRequest request, HttpServer.Connection connection) {
            var face = FaceHandler.at(path(request));
            if (face.isPresent()) {
                return CompletableFuture.completedFuture(faces.handle(request, face.get()));
            }
            return PekkoRequests.of(request, connection.remote())
                    .map(this::route)
                    .orElseGet(() -> CompletableFuture.completedFuture(
                            NettyAnswers.problem(Problem.badRequest("not an HTTP request"))));
        }

        @Override
        public void onFault(String method, String path, Throwable fault) {
            LOG.error("{} {} failed", method, path, fault);
        }

        private CompletionStage<HttpServer.Reply> route(HttpRequest request) {
            try {
                return routes.apply(request).thenApply(NettyAnswers::of);
            } catch (Exception fault) {
                return CompletableFuture.failedFuture(fault);
            }
        }

        private static String path(FullHttpRequest request) {
            int query = request.uri().indexOf('?');
            return query < 0 ? request.uri() : request.uri().substring(0, query);
        }
    }
}
