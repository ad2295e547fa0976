package parley.gateway;

import static org.apache.pekko.http.javadsl.server.Directives.concat;
import static org.apache.pekko.http.javadsl.server.Directives.get;
import static org.apache.pekko.http.javadsl.server.Directives.path;
import static org.apache.pekko.http.javadsl.server.PathMatchers.segment;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import java.time.Clock;
import java.util.Set;
import java.util.function.BooleanSupplier;
import org.apache.pekko.http.javadsl.server.Route;
import parley.admission.CallerId;
import parley.admission.Rollouts;
import parley.session.Sessions;

/**
 * How voice fares on this node, for those who probe it: {@code /health/voice}, {@code /v1/voice/health} and {@code
 * /api/voice/health}. Nobody has to say who asks, and no answer waits for anything: each tells what the node knows already.
 */
final class VoiceHealthRoutes {
    private static final String HEALTHY = "healthy";
    private static final String UNHEALTHY = "unhealthy";
    private static final String DISABLED = "disabled";
    /** Nobody in particular: whoever asks how things are. */
    private static final CallerId PROBE = new CallerId("health", "health");

    private final Sessions sessions;
    private final Rollouts rollouts;
    private final FaceMetrics faces;
    private final BooleanSupplier draining;
    private final String version;
    private final Clock clock;

    VoiceHealthRoutes(
            Sessions sessions,
            Rollouts rollouts,
            FaceMetrics faces,
            BooleanSupplier draining,
            String version,
            Clock clock) {
        this.sessions = sessions;
        this.rollouts = rollouts;
        this.faces = faces;
        this.draining = draining;
        this.version = version;
        this.clock = clock;
    }

    Route routes() {
        return concat(
                path(segment("health").slash("voice"), () -> get(this::sockets)),
                path(segment("v1").slash("voice").slash("health"), () -> get(this::feature)),
                path(segment("api").slash("voice").slash("health"), () -> get(this::checks)));
    }

    /** Whether WebSockets are taken, how many there are, and what went wrong last. */
    private Route sockets() {
        var json = JsonNodeFactory.instance
                .objectNode()
                .put("ws", isOn() && !draining.getAsBoolean())
                .put("clients", faces.clients());
        var trouble = faces.lastTrouble();
        if (trouble == null) {
            json.putNull("last_error");
        } else {
            json.putObject("last_error").put("at", trouble.at().toString()).put("error", trouble.what());
        }
        return Responses.json(200, json);
    }

    /** Whether voice is switched on, and works. Says so with 200 in any case: who asks reads the words. */
    private Route feature() {
        boolean on = isOn();
        return Responses.json(
                200,
                JsonNodeFactory.instance
                        .objectNode()
                        .put("status", !on ? DISABLED : isWell() ? HEALTHY : UNHEALTHY)
                        .put("feature_enabled", on)
                        .put("percentage", rollouts.current().effectivePercentage())
                        .put("version", version));
    }

    /** Each part by itself; 503 when callers had better go to another node. Voice that is switched off is no fault. */
    private Route checks() {
        var vitals = sessions.vitals();
        boolean well = isWell();
        var json = JsonNodeFactory.instance
                .objectNode()
                .put("status", well ? HEALTHY : UNHEALTHY)
                .put("timestamp", clock.instant().toString())
                .put("version", version);
        json.putObject("checks")
                .put("database", word(vitals.journal()))
                .put("provider", word(vitals.provider()))
                .put("cluster", word(vitals.member()))
                .put("voice_services", draining.getAsBoolean() ? "draining" : isOn() ? HEALTHY : DISABLED);
        return Responses.json(well ? 200 : 503, json);
    }

    private boolean isWell() {
        var vitals = sessions.vitals();
        return vitals.journal() && vitals.provider() && vitals.member() && !draining.getAsBoolean();
    }

    /** Whether anybody at all may talk: the flag, the kill switch and this node's environment. */
    private boolean isOn() {
        return switch (rollouts.explain(PROBE, Set.of()).rule()) {
            case NODE_OFF, KILLED, SWITCHED_OFF, SUSPENDED -> false;
            case DENIED, TENANT, ALLOWED, COHORT, BUCKET, BUDGET, NODE_FULL, CALLER_FULL, TENANT_FULL -> true;
        };
    }

    private static String word(boolean well) {
        return well ? HEALTHY : UNHEALTHY;
    }
}
