package parley.gateway;

import com.typesafe.config.Config;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * {@code parley.gateway.rates}, {@code trusted-proxies} and {@code forwarded-header} in reference.conf, where each key is
 * explained.
 *
 * @param clients how many addresses are remembered
 * @param proxies whose word about a client's address is taken
 * @param forwardedHeader in which they give it
 */
public record RateSettings(
        Rate requests, Rate upgrades, int clients, List<AddressRange> proxies, ForwardedHeader forwardedHeader) {
    /**
     * @param perSecond sustained; 0: unlimited
     * @param burst so many at once, after a pause
     */
    public record Rate(int perSecond, int burst) {}

    /** The header that names a client's address. */
    public enum ForwardedHeader {
        /** {@code X-Forwarded-For}: addresses, separated by commas. */
        X_FORWARDED_FOR("x-forwarded-for"),
        /** {@code Forwarded}: RFC 7239. */
        FORWARDED("forwarded");

        private final String header;

        ForwardedHeader(String header) {
            this.header = header;
        }

        /** In lower case. */
        String header() {
            return header;
        }
    }

    public RateSettings {
        var wrong = new ArrayList<String>();
        check("rates.requests", requests, wrong);
        check("rates.upgrades", upgrades, wrong);
        if (clients < 1) {
            wrong.add("rates.clients: " + clients + " (expected: at least 1)");
        }
        if (!wrong.isEmpty()) {
            throw new IllegalArgumentException("parley.gateway: " + String.join("; ", wrong));
        }
        proxies = List.copyOf(proxies);
    }

    /** Reads its part of the block {@code parley.gateway} of a whole configuration. */
    public static RateSettings from(Config config) {
        var gateway = config.getConfig("parley.gateway");
        return new RateSettings(
                rate(gateway.getConfig("rates.requests")),
                rate(gateway.getConfig("rates.upgrades")),
                gateway.getInt("rates.clients"),
                List.of(gateway.getString("trusted-proxies").split(",")).stream()
                        .map(String::strip)
                        .filter(range -> !range.isEmpty())
                        .map(AddressRange::parse)
                        .toList(),
                header(gateway.getString("forwarded-header")));
    }

    private static Rate rate(Config rate) {
        return new Rate(rate.getInt("per-second"), rate.getInt("burst"));
    }

    private static ForwardedHeader header(String name) {
        for (var header : ForwardedHeader.values()) {
            if (header.header().equals(name.toLowerCase(Locale.ROOT))) {
                return header;
            }
        }
        throw new IllegalArgumentException(
                "parley.gateway: forwarded-header: " + name + " (expected: X-Forwarded-For or Forwarded)");
    }

    private static void check(String key, Rate rate, List<String> wrong) {
        if (rate.perSecond() < 0 || rate.perSecond() > 1_000_000) {
            wrong.add(key + ".per-second: " + rate.perSecond() + " (expected: 1..1000000, or 0 for any number)");
        }
        if (rate.burst() < 1) {
            wrong.add(key + ".burst: " + rate.burst() + " (expected: at least 1)");
        }
    }
}
