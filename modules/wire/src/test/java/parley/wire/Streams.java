package parley.wire;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import io.netty.channel.EventLoop;
import java.util.Optional;
import org.apache.pekko.NotUsed;
import org.apache.pekko.actor.setup.Setup;
import org.apache.pekko.dispatch.DispatcherPrerequisites;
import org.apache.pekko.stream.javadsl.Flow;

/**
 * A port as a Pekko flow, so that a test can say in a line what passes: what is pushed in is sent, what arrives comes out.
 *
 * <p>Runs on the dispatcher of the port's loop. When its input completes the port is closed with 1000; when it fails, with
 * the code of {@link #failure}, or 1011. When the port ends, the output completes or fails likewise.
 */
final class Streams {
    private Streams() {}

    static Flow<Frame, Frame, NotUsed> flow(Port port) {
        return Flow.fromSinkAndSource(new ToPort(port), new FromPort(port));
    }

    /** The failure that closes a port with this code. */
    static RuntimeException failure(WebSocketClose close) {
        return new Closing(close);
    }

    /** Whether it is a normal end of which nothing more is said. */
    static boolean isPlain(WebSocketClose close) {
        return close.code() == WebSocketClose.NO_CODE
                || (close.code() == WebSocketClose.NORMAL && close.reason().isEmpty());
    }

    static final class Closing extends RuntimeException {
        private static final long serialVersionUID = 1L;
        private final transient WebSocketClose close;

        Closing(WebSocketClose close) {
            super(close.code() + " " + close.reason(), null, false, false);
            this.close = close;
        }

        WebSocketClose close() {
            return close;
        }
    }

    // ---- the dispatchers

    static String dispatcherOf(Loops loops, EventLoop loop) {
        return dispatcher(loops.numberOf(loop));
    }

    private static String dispatcher(int number) {
        return "parley.wire.loop-" + number;
    }

    /** What the actor system's configuration must contain: one dispatcher per loop. */
    static Config dispatchers(Loops loops) {
        var config = new StringBuilder();
        for (int number = 0; number < loops.count(); number++) {
            config.append(dispatcher(number))
                    .append(" { type = Dispatcher, executor = \"")
                    .append(LoopExecutorConfigurator.class.getName())
                    .append("\", throughput = 64, shutdown-timeout = 1s, loop = ")
                    .append(number)
                    .append(" }\n");
        }
        return ConfigFactory.parseString(config.toString());
    }

    /** What the actor system's setup must contain. */
    static Setup setup(Loops loops) {
        return new LoopSetup(loops);
    }

    private static final class LoopSetup extends Setup {
        private final Loops loops;

        LoopSetup(Loops loops) {
            this.loops = loops;
        }
    }

    static Loops in(DispatcherPrerequisites prerequisites) {
        Optional<LoopSetup> setup = prerequisites.settings().setup().get(LoopSetup.class);
        return setup.orElseThrow(() -> new IllegalStateException("the actor system was started without Streams.setup"))
                .loops;
    }
}
