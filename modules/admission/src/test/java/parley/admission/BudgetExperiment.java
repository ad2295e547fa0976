package parley.admission;

import com.typesafe.config.ConfigFactory;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Supplier;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.serialization.SerializationExtension;
import parley.admission.BudgetKeeper.Standing;
import parley.admission.BudgetState.Amount;
import parley.admission.BudgetState.Counted;
import parley.admission.BudgetState.Last;
import parley.admission.BudgetState.Total;

/**
 * What the month's budget costs the node that adds it up: run by {@code scripts/measure-scale}, described in docs/scale.md.
 * Prints lines of the form of scripts/lib/scale.properties.
 */
public final class BudgetExperiment {
    private static final Instant NOW = Instant.parse("2026-11-28T12:00:00Z");

    private BudgetExperiment() {}

    public static void main(String[] arguments) {
        // Actor systems would keep a process alive whose experiment has failed.
        int code = 1;
        try {
            run();
            code = 0;
        } catch (Exception failed) {
            System.err.println(failed);
        }
        System.exit(code);
    }

    private static void run() throws Exception {
        var system = ActorSystem.<Void>create(
                Behaviors.empty(),
                "budget",
                ConfigFactory.parseMap(Map.of("pekko.actor.provider", "local", "pekko.loglevel", "WARNING"))
                        .withFallback(ConfigFactory.defaultReference())
                        .resolve());
        for (int nodes : new int[] {3, 10, 30, 100}) {
            var lives = new HashMap<String, Last>();
            for (int node = 0; node < nodes; node++) {
                lives.put("01234567-89ab-cdef-0123-4567890" + (10_000 + node), new Last(node, NOW));
            }
            var state = new BudgetState(1, "2026-11", 1, Map.of(), Map.of(), Map.of(), lives);
            System.out.printf(Locale.ROOT, "budget.snapshot.bytes.%d=%d%n", nodes, bytes(system, state));
            System.out.printf(
                    Locale.ROOT,
                    "budget.tell.us.%d=%.1f%n",
                    nodes,
                    micros(() -> state.after("new", 1, List.of(new Amount("", "", 7)), NOW)));
        }
        // As the release before counted: what each session of the last 26 hours had cost.
        for (int sessions : new int[] {1_000, 10_000, 100_000, 1_000_000}) {
            var counted = new HashMap<String, Counted>();
            for (int session = 0; session < sessions; session++) {
                counted.put(id(session), new Counted(session, NOW));
            }
            var state = new BudgetState(1, "2026-11", 1, Map.of("default", 1L), Map.of(), counted, Map.of());
            var totals = new ArrayList<Total>();
            for (int session = 0; session < 20; session++) {
                totals.add(new Total(id(session), "default", "anna", 1_000_000));
            }
            System.out.printf(Locale.ROOT, "# per session, %d: snapshot bytes %d%n", sessions, bytes(system, state));
            System.out.printf(
                    Locale.ROOT,
                    "# per session, %d: us to tell %.0f%n",
                    sessions,
                    micros(() -> state.after(totals, NOW)));
        }
        for (int users : new int[] {0, 100, 1_000, 10_000, 100_000}) {
            var over = new ArrayList<String>();
            for (int user = 0; user < users; user++) {
                over.add(BudgetState.user("default", "user-" + user));
            }
            System.out.printf(
                    Locale.ROOT,
                    "budget.standing.bytes.%d=%d%n",
                    users,
                    bytes(system, new Standing(1, "2026-11", 1, List.of(), over)));
        }
    }

    private static String id(int session) {
        return String.format(Locale.ROOT, "sess_%03x%019d", session % 4096, session);
    }

    private static int bytes(ActorSystem<?> system, Object value) {
        return SerializationExtension.get(system).serialize(value).get().length;
    }

    /** The least of ten. */
    private static double micros(Supplier<BudgetState> tells) {
        double least = Double.MAX_VALUE;
        for (int time = 0; time < 10; time++) {
            long began = System.nanoTime();
            if (tells.get().version() != 2) {
                throw new IllegalStateException("not told");
            }
            least = Math.min(least, (System.nanoTime() - began) / 1000.0);
        }
        return least;
    }
}
