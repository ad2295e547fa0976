package parley.session;

import io.opentelemetry.api.trace.Tracer;
import io.opentelemetry.api.trace.TracerProvider;
import org.apache.pekko.actor.setup.Setup;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.Extension;
import org.apache.pekko.actor.typed.ExtensionId;

/** Where a node's spans go: nowhere, unless its actor system was set up with somewhere. */
public final class Spans implements Extension {
    private static final Id ID = new Id();
    private static final String SCOPE = "parley";

    private final Tracer tracer;

    private Spans(TracerProvider telemetry) {
        this.tracer = telemetry.get(SCOPE);
    }

    public static Spans of(ActorSystem<?> system) {
        return system.registerExtension(ID);
    }

    /** What the actor system's setup must contain. */
    public static Setup to(TracerProvider telemetry) {
        return new SpansSetup(telemetry);
    }

    public Tracer tracer() {
        return tracer;
    }

    private static final class SpansSetup extends Setup {
        private final TracerProvider telemetry;

        SpansSetup(TracerProvider telemetry) {
            this.telemetry = telemetry;
        }
    }

    private static final class Id extends ExtensionId<Spans> {
        @Override
        public Spans createExtension(ActorSystem<?> system) {
            return new Spans(system.settings()
                    .setup()
                    .get(SpansSetup.class)
                    .map(setup -> setup.telemetry)
                    .orElse(TracerProvider.noop()));
        }
    }
}
