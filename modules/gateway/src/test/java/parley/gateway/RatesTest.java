package parley.gateway;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.typesafe.config.ConfigFactory;
import io.netty.handler.codec.http.DefaultFullHttpRequest;
import io.netty.handler.codec.http.FullHttpRequest;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpVersion;
import java.io.IOException;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import parley.admission.Quotas;
import parley.gateway.RateSettings.ForwardedHeader;
import parley.gateway.RateSettings.Rate;

/** L7: HTTP requests and upgrades per client address. */
@Tag("stream")
class RatesTest {
    private static final String[] LIMITED = {
        "rates { requests { per-second = 10, burst = 3 }, upgrades { per-second = 5, burst = 2 } }"
    };
    private static final String UPGRADE = "Upgrade: websocket";

    private final Rig rig = new Rig();
    private long now = Long.MAX_VALUE - TimeUnit.SECONDS.toNanos(2);

    @AfterEach
    void close() {
        rig.close();
    }

    // ---- over sockets

    private Gateway gateway(String... settings) {
        return rig.open(
                Rig.settings(settings), RateSettings.from(Rig.config(settings)), Rig.admission(), Quotas.unlimited());
    }

    @Test
    void whoAsksTooOftenIsToldWhenToComeAgain() throws IOException {
        // Slow enough that nothing comes back while the test runs.
        var gateway = gateway("rates.requests { per-second = 1, burst = 60 }");
        try (var line = Line.to(gateway.address())) {
            for (int i = 0; i < 60; i++) {
                line.ask("GET", "/v1/nothing");
            }
            Line.Reply refused;
            do {
                refused = line.ask("GET", "/v1/nothing");
            } while (refused.status() != 429);

            assertThat(refused.header("retry-after")).isEqualTo("1");
            assertThat(refused.header("content-type")).isEqualTo("application/problem+json");
            assertThat(refused.body()).contains("\"code\":\"rate_limited\"").contains("\"retry_after_ms\":");
            assertThat(gateway.rates().requestsRefused()).isEqualTo(1);
            assertThat(line.ask("GET", "/health").status())
                    .as("this machine's own watch")
                    .isEqualTo(200);
        }
    }

    @Test
    void upgradesAreCountedApartAndOtherConnectionsTogether() throws IOException {
        var gateway =
                gateway("rates.upgrades { per-second = 1, burst = 1 }, rates.requests { per-second = 1, burst = 1 }");
        var token = "Authorization: Bearer " + Rig.token("anna");
        int refused = 0;
        for (int i = 0; i < 50 && refused == 0; i++) {
            try (var line = Line.to(gateway.address())) {
                refused += line.upgrade("/v1/realtime", token).status() == 429 ? 1 : 0;
            }
        }

        assertThat(refused).isEqualTo(1);
        assertThat(gateway.rates().upgradesRefused()).isEqualTo(1);
        assertThat(gateway.rates().requestsRefused()).isZero();
        try (var line = Line.to(gateway.address())) {
            assertThat(line.ask("GET", "/v1/nothing").status()).isEqualTo(404);
        }
    }

    @Test
    void aForgedAddressMakesNobodyAnother() throws IOException {
        var gateway = gateway("rates.requests { per-second = 1, burst = 1 }");
        int refused = 0;
        try (var line = Line.to(gateway.address())) {
            for (int i = 0; i < 50 && refused == 0; i++) {
                refused += line.ask("GET", "/v1/nothing", "X-Forwarded-For: 198.51.100." + i)
                                        .status()
                                == 429
                        ? 1
                        : 0;
            }
        }

        assertThat(refused).isEqualTo(1);
        assertThat(gateway.rates().clients()).isEqualTo(1);
    }

    @Test
    void behindAProxyEachClientHasItsOwn() throws IOException {
        var gateway = gateway("rates.requests { per-second = 1, burst = 1 }, trusted-proxies = \"127.0.0.0/8\"");
        try (var line = Line.to(gateway.address())) {
            for (int i = 0; i < 20; i++) {
                assertThat(line.ask("GET", "/v1/nothing", "X-Forwarded-For: 6.6.6.6, 198.51.100." + i)
                                .status())
                        .isEqualTo(404);
            }
            Line.Reply again;
            do {
                again = line.ask("GET", "/v1/nothing", "X-Forwarded-For: " + line.host() + ", 198.51.100.1");
            } while (again.status() != 429);
        }

        assertThat(gateway.rates().clients()).isEqualTo(20);
    }

    // ---- with a held clock

    private Rates rates(String... settings) {
        return new Rates(RateSettings.from(Rig.config(settings)), () -> now);
    }

    private static FullHttpRequest request(String... headers) {
        var request = new DefaultFullHttpRequest(HttpVersion.HTTP_1_1, HttpMethod.GET, "/v1/nothing");
        for (var header : headers) {
            request.headers().add(header.split(": ")[0], header.split(": ")[1]);
        }
        return request;
    }

    private static InetAddress address(String literal) {
        try {
            return InetAddress.getByName(literal);
        } catch (UnknownHostException impossible) {
            throw new IllegalStateException(impossible);
        }
    }

    private static Duration takes(Rates rates, String from, String... headers) {
        return rates.take(request(headers), address(from));
    }

    @Test
    void aBucketHoldsTheBurstAndFillsAtTheRate() {
        var rates = rates(LIMITED);
        for (int i = 0; i < 3; i++) {
            assertThat(takes(rates, "203.0.113.9")).isZero();
        }
        assertThat(takes(rates, "203.0.113.9")).isEqualTo(Duration.ofMillis(100));
        now += TimeUnit.MILLISECONDS.toNanos(60);
        assertThat(takes(rates, "203.0.113.9")).isEqualTo(Duration.ofMillis(40));
        now += TimeUnit.MILLISECONDS.toNanos(40);
        assertThat(takes(rates, "203.0.113.9")).isZero();
        assertThat(takes(rates, "203.0.113.9")).isPositive();
        assertThat(takes(rates, "203.0.113.10")).as("another client").isZero();

        // Past the clock's wrap.
        now += TimeUnit.HOURS.toNanos(1);
        for (int i = 0; i < 3; i++) {
            assertThat(takes(rates, "203.0.113.9")).isZero();
        }
        assertThat(takes(rates, "203.0.113.9")).isEqualTo(Duration.ofMillis(100));
    }

    @Test
    void anUpgradeIsNoRequest() {
        var rates = rates(LIMITED);
        for (int i = 0; i < 2; i++) {
            assertThat(takes(rates, "203.0.113.9", "Connection: Upgrade", UPGRADE))
                    .isZero();
        }
        assertThat(takes(rates, "203.0.113.9", "Connection: Upgrade", UPGRADE)).isEqualTo(Duration.ofMillis(200));
        assertThat(takes(rates, "203.0.113.9")).isZero();
    }

    @Test
    void aClientOfIpv6DoesNotHideInItsNetwork() {
        var rates = rates(LIMITED);
        for (int i = 0; i < 3; i++) {
            assertThat(takes(rates, "2001:db8:1:2::" + i)).isZero();
        }
        assertThat(takes(rates, "2001:db8:1:2:ffff::1")).isPositive();
        assertThat(takes(rates, "2001:db8:1:3::1")).isZero();
        assertThat(rates.clients()).isEqualTo(2);
    }

    @Test
    void noMoreAddressesAreRememberedThanTheSettingSays() {
        var rates = rates("rates { requests { per-second = 10, burst = 1 }, clients = 100 }");
        takes(rates, "203.0.113.9");
        for (int i = 0; i < 10_000; i++) {
            takes(rates, "10.0." + i / 256 + "." + i % 256);
            assertThat(takes(rates, "203.0.113.9"))
                    .as("whoever goes on calling is not forgotten")
                    .isPositive();
        }

        assertThat(rates.clients()).isEqualTo(100);
    }

    @Test
    void withoutLimitsNobodyIsRemembered() {
        var rates = rates();
        for (int i = 0; i < 100; i++) {
            assertThat(takes(rates, "203.0.113.9")).isZero();
        }

        assertThat(rates.clients()).isZero();
    }

    // ---- settings

    @Test
    void theDefaultsAreAsDocumented() {
        assertThat(RateSettings.from(ConfigFactory.load()))
                .isEqualTo(new RateSettings(
                        new Rate(0, 20), new Rate(0, 10), 100_000, List.of(), ForwardedHeader.X_FORWARDED_FOR));
    }

    @Test
    void everyKeyCanBeSet() {
        assertThat(RateSettings.from(Rig.config(
                        "rates { requests { per-second = 1, burst = 2 }, upgrades { per-second = 3, burst = 4 } }",
                        "rates.clients = 5, trusted-proxies = \"10.0.0.0/8, ::1\", forwarded-header = forwarded")))
                .isEqualTo(new RateSettings(
                        new Rate(1, 2),
                        new Rate(3, 4),
                        5,
                        List.of(AddressRange.parse("10.0.0.0/8"), AddressRange.parse("::1")),
                        ForwardedHeader.FORWARDED));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "rates.requests.per-second = -1 | rates.requests.per-second: -1 (expected: 1..1000000, or 0 for any number)",
                "rates.upgrades.burst = 0 | rates.upgrades.burst: 0 (expected: at least 1)",
                "rates.clients = 0 | rates.clients: 0 (expected: at least 1)",
                "forwarded-header = Via | forwarded-header: Via (expected: X-Forwarded-For or Forwarded)",
            })
    void aBadValueIsNamedWithWhatIsExpected(String key, String complaint) {
        assertThatThrownBy(() -> RateSettings.from(Rig.config(key))).hasMessage("parley.gateway: " + complaint);
    }
}
