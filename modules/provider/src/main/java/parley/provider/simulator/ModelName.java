package parley.provider.simulator;

import java.util.LinkedHashMap;
import java.util.Map;

/**
 * A model's name with switches behind it: {@code simulator:echo=true,speed=1}.
 *
 * <p>A colon with no {@code =} after it belongs to the name, as in the names of fine-tuned models.
 */
final class ModelName {

    private ModelName() {}

    /** The name without switches. */
    static String plain(String model) {
        int colon = colon(model);
        return colon < 0 ? model : model.substring(0, colon);
    }

    /** The switches, as they stand there; empty when there are none. */
    static Map<String, String> switches(String model) {
        int colon = colon(model);
        var switches = new LinkedHashMap<String, String>();
        if (colon < 0) return switches;
        for (var pair : model.substring(colon + 1).split(",")) {
            int equals = pair.indexOf('=');
            switches.put(equals < 0 ? pair : pair.substring(0, equals), equals < 0 ? "" : pair.substring(equals + 1));
        }
        return switches;
    }

    private static int colon(String model) {
        int equals = model.indexOf('=');
        return equals < 0 ? -1 : model.lastIndexOf(':', equals);
    }
}
