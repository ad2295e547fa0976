package parley.session;

import java.time.Clock;
import parley.admission.Budget;
import parley.admission.Outcomes;
import parley.tool.Tools;
import parley.wire.Loops;

/** What every session of a node shares. */
record Room(
        String node,
        Loops loops,
        ProvidersByArm providers,
        Tools tools,
        Prices prices,
        SessionSettings settings,
        Transcripts transcripts,
        SessionMetrics metrics,
        Clock clock,
        Conversations conversations,
        CostSettings cost,
        Budget budget,
        Outcomes outcomes) {}
