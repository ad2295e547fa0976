package parley.session;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigUtil;
import java.util.HashMap;
import java.util.Map;

/**
 * What tokens cost, by model: {@code parley.prices} in reference.conf, where each key is explained.
 *
 * @param version names the table; journaled with each cost, so that a sum can be explained later
 */
public record Prices(String version, Map<String, Model> models) {
    /** US dollars per million tokens; {@code perMinute} for audio metered by time. */
    public record Model(
            double textIn,
            double textCached,
            double textOut,
            double audioIn,
            double audioCached,
            double audioOut,
            double imageIn,
            double imageCached,
            double perMinute) {}

    public Prices {
        models = Map.copyOf(models);
    }

    /** Reads the block {@code parley.prices} of a whole configuration. */
    public static Prices from(Config config) {
        var prices = config.getConfig("parley.prices");
        var models = new HashMap<String, Model>();
        for (var name : prices.getObject("models").keySet()) {
            var model = prices.getConfig("models." + ConfigUtil.quoteString(name));
            models.put(
                    name,
                    new Model(
                            price(model, name, "text-in"),
                            price(model, name, "text-cached"),
                            price(model, name, "text-out"),
                            price(model, name, "audio-in"),
                            price(model, name, "audio-cached"),
                            price(model, name, "audio-out"),
                            price(model, name, "image-in"),
                            price(model, name, "image-cached"),
                            price(model, name, "per-minute")));
        }
        return new Prices(prices.getString("version"), models);
    }

    /** Whether a model has a price; switches behind a colon are not part of its name. */
    public boolean knows(String model) {
        return models.containsKey(base(model));
    }

    /** Millionths of a US dollar, rounded up; 0 for a model without a price. */
    long micros(Tokens tokens, String model) {
        var price = models.get(base(model));
        if (price == null) {
            return 0;
        }
        double exact = (tokens.textIn() - tokens.textCached()) * price.textIn()
                + tokens.textCached() * price.textCached()
                + (tokens.audioIn() - tokens.audioCached()) * price.audioIn()
                + tokens.audioCached() * price.audioCached()
                + (tokens.imageIn() - tokens.imageCached()) * price.imageIn()
                + tokens.imageCached() * price.imageCached()
                + tokens.textOut() * price.textOut()
                + tokens.audioOut() * price.audioOut()
                + tokens.transcribedSeconds() / 60 * price.perMinute() * 1_000_000;
        // What binary fractions add to a whole number is not to be rounded up.
        return Math.max(0, (long) Math.ceil(exact - 1e-6));
    }

    private static String base(String model) {
        int colon = model.indexOf(':');
        return colon < 0 ? model : model.substring(0, colon);
    }

    private static double price(Config model, String name, String key) {
        double price = model.hasPath(key) ? model.getDouble(key) : 0;
        if (price < 0) {
            throw new IllegalArgumentException(
                    "parley.prices: models." + name + "." + key + ": " + price + " (expected: 0 or more)");
        }
        return price;
    }
}
