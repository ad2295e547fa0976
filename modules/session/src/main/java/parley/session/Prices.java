package parley.session;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigList;
import com.typesafe.config.ConfigObject;
import com.typesafe.config.ConfigValue;
import java.time.Instant;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.time.format.DateTimeParseException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * What tokens cost, by model and day: {@code parley.prices} in reference.conf, where each key is explained.
 *
 * <p>A name is looked up as it is, without the switches behind its colon, and then without the date of a snapshot: {@code
 * gpt-realtime-2025-08-28} costs what {@code gpt-realtime} does unless it has an entry of its own.
 *
 * @param version names the table; journaled with each cost, so that a sum can be explained later
 * @param models the prices of each, in the order of their days
 * @param stated whose price a model without one has; null unless {@code unknown} is {@link Unknown#DEFAULT}
 */
public record Prices(
        String version,
        Map<String, List<Dated>> models,
        Unknown unknown,
        @Nullable String stated) {
    /** What becomes of a model without a price. */
    public enum Unknown {
        /** Nobody gets it. */
        REFUSE,
        /** It costs what another one does, which is stated. */
        DEFAULT,
        /** It costs 0. */
        FREE
    }

    /** Valid from the first moment of a day on, UTC. The first of a model is valid before its day, too. */
    public record Dated(LocalDate from, Model model) {}

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

    private static final Set<String> KINDS = new TreeSet<>(Set.of(
            "text-in",
            "text-cached",
            "text-out",
            "audio-in",
            "audio-cached",
            "audio-out",
            "image-in",
            "image-cached",
            "per-minute"));

    private static final int MOST = 100_000;
    private static final Pattern SNAPSHOT = Pattern.compile("-\\d{4}-\\d{2}-\\d{2}$");

    public Prices {
        var copies = new HashMap<String, List<Dated>>();
        models.forEach((name, prices) -> copies.put(name, inOrder(name, prices)));
        models = Map.copyOf(copies);
        if (unknown == Unknown.DEFAULT && (stated == null || !models.containsKey(stated))) {
            throw wrong("default", stated == null ? "none" : stated, "one of models");
        }
    }

    /** Prices that never change, and nothing for a model without one. */
    static Prices undated(String version, Map<String, Model> models) {
        var dated = new HashMap<String, List<Dated>>();
        models.forEach((name, model) -> dated.put(name, List.of(new Dated(LocalDate.MIN, model))));
        return new Prices(version, dated, Unknown.FREE, null);
    }

    /** Reads the block {@code parley.prices} of a whole configuration. */
    public static Prices from(Config config) {
        var prices = config.getConfig("parley.prices");
        var models = new HashMap<String, List<Dated>>();
        prices.getObject("models").forEach((name, value) -> models.put(name, dated(name, value)));
        var unknown = switch (prices.getString("unknown")) {
            case "refuse" -> Unknown.REFUSE;
            case "default" -> Unknown.DEFAULT;
            case "free" -> Unknown.FREE;
            default -> throw wrong("unknown", prices.getString("unknown"), "refuse, default or free");
        };
        return new Prices(
                prices.getString("version"),
                models,
                unknown,
                unknown == Unknown.DEFAULT ? prices.getString("default") : null);
    }

    private static List<Dated> dated(String name, ConfigValue value) {
        return switch (value) {
            case ConfigObject once -> List.of(dated(name, once.toConfig()));
            case ConfigList several
            when !several.isEmpty() -> {
                var all = new ArrayList<Dated>();
                for (var one : several) {
                    if (!(one instanceof ConfigObject entry)) {
                        throw wrong("models." + name, "a list of something else", "a list of prices by kind");
                    }
                    all.add(dated(name, entry.toConfig()));
                }
                yield all;
            }
            default -> throw wrong("models." + name, "no price", "prices by kind, or a list of them");
        };
    }

    private static Dated dated(String name, Config entry) {
        for (var key : entry.root().keySet()) {
            if (!key.equals("from") && !KINDS.contains(key)) {
                throw wrong("models." + name, key, "from, or one of " + KINDS);
            }
        }
        return new Dated(
                entry.hasPath("from") ? day(name, entry.getString("from")) : LocalDate.MIN,
                new Model(
                        price(entry, name, "text-in"),
                        price(entry, name, "text-cached"),
                        price(entry, name, "text-out"),
                        price(entry, name, "audio-in"),
                        price(entry, name, "audio-cached"),
                        price(entry, name, "audio-out"),
                        price(entry, name, "image-in"),
                        price(entry, name, "image-cached"),
                        price(entry, name, "per-minute")));
    }

    private static LocalDate day(String name, String text) {
        try {
            return LocalDate.parse(text);
        } catch (DateTimeParseException malformed) {
            throw wrong("models." + name + ".from", text, "a day such as 2026-05-01");
        }
    }

    private static double price(Config entry, String name, String key) {
        double price = entry.hasPath(key) ? entry.getDouble(key) : 0;
        if (!(price >= 0) || price > MOST) {
            throw wrong("models." + name + "." + key, Double.toString(price), "0 or more, and at most " + MOST);
        }
        return price;
    }

    private static List<Dated> inOrder(String name, List<Dated> prices) {
        for (int i = 1; i < prices.size(); i++) {
            var day = prices.get(i).from();
            var before = prices.get(i - 1).from();
            if (!day.isAfter(before)) {
                throw wrong(
                        "models." + name + ".from",
                        day.equals(LocalDate.MIN) ? "none" : day.toString(),
                        "later than the entry before");
            }
        }
        return List.copyOf(prices);
    }

    private static IllegalArgumentException wrong(String key, String found, String expected) {
        return new IllegalArgumentException("parley.prices: " + key + ": " + found + " (expected: " + expected + ")");
    }

    /** Whether a model has a price of its own. */
    public boolean knows(String model) {
        return of(model) != null;
    }

    /** Whether nobody gets this model, because nobody knows what it costs. */
    public boolean refuses(String model) {
        return unknown == Unknown.REFUSE && !knows(model);
    }

    /** Millionths of a US dollar, rounded up; 0 for a model without a price, unless one is stated for those. */
    long micros(Tokens tokens, String model, Instant at) {
        var prices = of(model);
        if (prices == null && stated != null) {
            prices = models.get(stated);
        }
        if (prices == null) {
            return 0;
        }
        var price = valid(prices, at.atOffset(ZoneOffset.UTC).toLocalDate());
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

    private static Model valid(List<Dated> prices, LocalDate day) {
        var valid = prices.getFirst();
        for (var price : prices) {
            valid = price.from().isAfter(day) ? valid : price;
        }
        return valid.model();
    }

    private @Nullable List<Dated> of(String model) {
        int colon = model.indexOf(':');
        var base = colon < 0 ? model : model.substring(0, colon);
        var prices = models.get(base);
        return prices == null ? models.get(SNAPSHOT.matcher(base).replaceFirst("")) : prices;
    }
}
