package parley.wire;

import com.typesafe.config.Config;
import io.netty.channel.EventLoop;
import java.util.List;
import java.util.concurrent.AbstractExecutorService;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.TimeUnit;
import org.apache.pekko.dispatch.DispatcherPrerequisites;
import org.apache.pekko.dispatch.ExecutorServiceConfigurator;
import org.apache.pekko.dispatch.ExecutorServiceFactory;

/** Makes a dispatcher run on an event loop. Named in the configuration that {@link Streams#dispatchers} writes. */
public final class LoopExecutorConfigurator extends ExecutorServiceConfigurator {
    private final EventLoop loop;

    /** Called by Pekko, reflectively. */
    public LoopExecutorConfigurator(Config config, DispatcherPrerequisites prerequisites) {
        super(config, prerequisites);
        this.loop = Streams.in(prerequisites).get(config.getInt("loop"));
    }

    @Override
    public ExecutorServiceFactory createExecutorServiceFactory(String id, ThreadFactory threadFactory) {
        return () -> new OnLoop(loop);
    }

    /** Hands everything to the loop, and leaves its end to whoever made it. */
    private static final class OnLoop extends AbstractExecutorService {
        private final EventLoop loop;

        OnLoop(EventLoop loop) {
            this.loop = loop;
        }

        @Override
        public void execute(Runnable command) {
            loop.execute(command);
        }

        @Override
        public void shutdown() {}

        @Override
        public List<Runnable> shutdownNow() {
            return List.of();
        }

        @Override
        public boolean isShutdown() {
            return loop.isShutdown();
        }

        @Override
        public boolean isTerminated() {
            return loop.isTerminated();
        }

        @Override
        public boolean awaitTermination(long timeout, TimeUnit unit) {
            return true;
        }
    }
}
