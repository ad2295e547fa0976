package parley.app;

import com.typesafe.config.Config;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Set;

/** How a node finds the others, from {@code parley.app} in reference.conf, where each key is explained. */
record JoinSettings(Discovery discovery, Duration within) {
    private static final String HOST = "pekko.remote.artery.canonical.hostname";
    /** What a pod's address never is: everybody's, or nobody else's. */
    private static final Set<String> NO_POD = Set.of("0.0.0.0", "127.0.0.1", "");

    /** Who is asked for the other nodes. */
    enum Discovery {
        /** {@code pekko.cluster.seed-nodes}, written down by somebody; without any a node is alone. */
        SEEDS,
        /** The platform, which knows all pods of the same kind. */
        KUBERNETES;

        String word() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    /**
     * Reads the block of a whole configuration.
     *
     * @throws IllegalArgumentException when it cannot be meant so; names every value that is wrong
     */
    static JoinSettings from(Config config) {
        var wrong = new ArrayList<String>();
        var word = config.getString("parley.app.discovery");
        var discovery = Arrays.stream(Discovery.values())
                .filter(each -> each.word().equals(word))
                .findFirst()
                .orElse(Discovery.SEEDS);
        if (!discovery.word().equals(word)) {
            wrong.add("parley.app.discovery: " + word + " (expected: seeds or kubernetes)");
        }
        var within = config.getDuration("parley.app.join-within");
        if (within.isNegative() || within.isZero()) {
            wrong.add("parley.app.join-within: " + within + " (expected: longer than 0)");
        }
        if (discovery == Discovery.KUBERNETES) {
            var seeds = config.getStringList("pekko.cluster.seed-nodes");
            if (!seeds.isEmpty()) {
                wrong.add("PARLEY_SEEDS: " + seeds + " (expected with PARLEY_DISCOVERY=kubernetes: none, the platform"
                        + " is asked)");
            }
            if (NO_POD.contains(config.getString(HOST))) {
                wrong.add("PARLEY_CLUSTER_HOST: " + config.getString(HOST)
                        + " (expected with PARLEY_DISCOVERY=kubernetes: the pod's own address, status.podIP)");
            }
        }
        if (!wrong.isEmpty()) {
            throw new IllegalArgumentException(String.join("; ", wrong));
        }
        return new JoinSettings(discovery, within);
    }

    /** What a node that found nobody was waiting for. */
    String expected(List<String> seeds) {
        return switch (discovery) {
            case SEEDS -> "one of the seed nodes " + seeds + " to answer";
            case KUBERNETES ->
                "the pods that the Kubernetes API lists to answer on their management ports, at least"
                        + " PARLEY_CONTACT_POINTS of them, this one included; the role must allow to list pods";
        };
    }
}
