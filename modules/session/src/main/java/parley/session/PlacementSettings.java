package parley.session;

import com.typesafe.config.Config;

/** {@code parley.session.placement} in reference.conf, where each key is explained. */
record PlacementSettings(int warmAtLeast, int warmPerSecond) {
    PlacementSettings {
        if (warmAtLeast < 1 || warmPerSecond < 1) {
            throw new IllegalArgumentException("parley.session.placement: warm-at-least " + warmAtLeast
                    + ", warm-per-second " + warmPerSecond + " (expected: at least 1 and 1)");
        }
    }

    /** Reads the block of a whole configuration. */
    static PlacementSettings from(Config config) {
        var placement = config.getConfig("parley.session.placement");
        return new PlacementSettings(placement.getInt("warm-at-least"), placement.getInt("warm-per-second"));
    }
}
