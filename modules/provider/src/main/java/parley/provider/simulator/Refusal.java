package parley.provider.simulator;

import org.jspecify.annotations.Nullable;

/**
 * Why a client event was not done. Nothing has changed.
 *
 * @param param dotted path of the field at fault, if it is one
 */
record Refusal(String code, String message, @Nullable String param) {

    static Refusal invalidValue(String param, String found, String expected) {
        return new Refusal("invalid_value", param + ": " + found + " (expected: " + expected + ")", param);
    }

    static Refusal missing(String param, String expected) {
        return new Refusal("missing_required_parameter", param + ": missing (expected: " + expected + ")", param);
    }

    static Refusal unknown(String param) {
        return new Refusal("unknown_parameter", "Unknown parameter: '" + param + "'.", param);
    }

    static Refusal noSuchItem(String code, String itemId) {
        return new Refusal(code, "Item with item_id '" + itemId + "' does not exist.", "item_id");
    }
}
