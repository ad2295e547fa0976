package parley.session;

import java.time.Clock;
import org.apache.pekko.stream.Materializer;
import parley.provider.Provider;
import parley.tool.Tools;
import parley.wire.Loops;

/** What every session of a node shares. */
record Room(
        String node,
        Loops loops,
        Materializer materializer,
        Provider provider,
        Tools tools,
        Prices prices,
        SessionSettings settings,
        SessionMetrics metrics,
        Clock clock,
        Conversations conversations) {}
