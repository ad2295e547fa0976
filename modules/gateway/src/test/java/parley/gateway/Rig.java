package parley.gateway;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import parley.admission.Admission;
import parley.admission.AdmissionSettings;
import parley.admission.CallerId;
import parley.admission.Quotas;
import parley.session.UsedOnce;
import parley.wire.Loops;
import parley.wire.WireSettings;

/** Loops, an actor system on them, fake sessions, and gateways on free ports of this machine. */
final class Rig implements AutoCloseable {
    static final String SECRET = "a-secret-that-only-tests-know-0123456789";

    final Loops loops = Loops.create(2);
    final ActorSystem<Void> system;
    final FakeSessions sessions = new FakeSessions();
    final FakeRollouts rollouts = new FakeRollouts();
    final FakeSharedTokens sharedTokens = new FakeSharedTokens();
    private final Set<String> usedKeys = ConcurrentHashMap.newKeySet();
    private final List<Gateway> opened = new ArrayList<>();
    UsedOnce used = (key, until) -> CompletableFuture.completedFuture(usedKeys.add(key));

    Rig() {
        var config = ConfigFactory.parseString("pekko.loglevel = off, pekko.stdout-loglevel = off")
                .withFallback(ConfigFactory.load());
        system = ActorSystem.create(Behaviors.empty(), "rig", config);
    }

    Gateway open(GatewaySettings settings, Admission admission) {
        return open(settings, admission, WireSettings.from(ConfigFactory.load()));
    }

    Gateway open(GatewaySettings settings, Admission admission, WireSettings wire) {
        return open(settings, RateSettings.from(config()), admission, Quotas.unlimited(), wire);
    }

    Gateway open(GatewaySettings settings, RateSettings rates, Admission admission, Quotas quotas) {
        return open(settings, rates, admission, quotas, WireSettings.from(ConfigFactory.load()));
    }

    private Gateway open(
            GatewaySettings settings, RateSettings rates, Admission admission, Quotas quotas, WireSettings wire) {
        var gateway = get(Gateway.bind(system, loops, behind(admission, quotas), settings, rates, wire));
        opened.add(gateway);
        return gateway;
    }

    Gateway.Behind behind(Admission admission, Quotas quotas) {
        return new Gateway.Behind(
                sessions,
                admission,
                rollouts,
                quotas,
                used,
                question -> CompletableFuture.failedFuture(new IllegalStateException("no costs here")),
                caller -> CompletableFuture.failedFuture(new IllegalStateException("nobody is forgotten here")),
                sharedTokens);
    }

    /** The documented settings, with a secret, on free ports, without TLS, and with these on top. */
    static GatewaySettings settings(String... changes) {
        return GatewaySettings.from(config(changes));
    }

    static Config config(String... changes) {
        return ConfigFactory.parseString("parley.gateway {\n" + String.join("\n", changes) + "\n}")
                .withFallback(
                        ConfigFactory.parseString("parley.gateway { port = 0, https { port = 0, enabled = false },"
                                + " jwt.secret = " + SECRET + "}"))
                .withFallback(ConfigFactory.load());
    }

    static Admission admission(String... changes) {
        return Admission.create(AdmissionSettings.from(
                ConfigFactory.parseString("parley.admission {\n" + String.join("\n", changes) + "\n}")
                        .withFallback(ConfigFactory.load())));
    }

    static String token(String user) {
        return token(user, Duration.ofMinutes(15));
    }

    static String token(String user, Duration life) {
        return Gateway.tokens(settings()).sign(new Tokens.Bearer(new CallerId(user, "default"), List.of()), life);
    }

    static Tokens.Checked check(Tokens tokens, String token) {
        return get(tokens.check(token));
    }

    static <T> T get(CompletionStage<T> stage) {
        return stage.toCompletableFuture().orTimeout(60, TimeUnit.SECONDS).join();
    }

    static void await(String what, BooleanSupplier condition) {
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(60);
        while (!condition.getAsBoolean()) {
            if (System.nanoTime() > deadline) {
                throw new AssertionError("still waiting for " + what);
            }
            LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(2));
        }
    }

    @Override
    public void close() {
        opened.forEach(gateway -> get(gateway.close()));
        system.terminate();
        get(system.getWhenTerminated());
        loops.close();
    }
}
