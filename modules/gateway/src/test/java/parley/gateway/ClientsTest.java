package parley.gateway;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.netty.handler.codec.http.DefaultHttpHeaders;
import io.netty.handler.codec.http.HttpHeaders;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import parley.gateway.RateSettings.ForwardedHeader;

/** L7: from whose address a request counts. */
@Tag("unit")
class ClientsTest {
    private static final String PROXIES = "10.0.0.0/8,192.168.7.7,2001:db8:aaaa::/48";

    private static Clients clients(ForwardedHeader header) {
        return new Clients(
                Stream.of(PROXIES.split(",")).map(AddressRange::parse).toList(), header);
    }

    private static Address address(String literal) {
        return Address.parse(literal).orElseThrow();
    }

    private static HttpHeaders headers(String name, String lines) {
        var headers = new DefaultHttpHeaders();
        for (var line : lines.split("\\\\n")) {
            headers.add(name, line);
        }
        return headers;
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                // Whoever is no proxy of ours says what it likes.
                "203.0.113.9 | 198.51.100.1 | 203.0.113.9",
                "203.0.113.9 | 10.1.1.1 | 203.0.113.9",
                "10.1.1.1 | 198.51.100.1 | 198.51.100.1",
                "10.1.1.1 | 198.51.100.1:4711 | 198.51.100.1",
                // What stands left of the client, the client may have written.
                "10.1.1.1 | 1.2.3.4, 198.51.100.1 | 198.51.100.1",
                "10.1.1.1 | 1.2.3.4,198.51.100.1,10.2.2.2, 192.168.7.7 | 198.51.100.1",
                "10.1.1.1 | 1.2.3.4\\n198.51.100.1\\n10.2.2.2 | 198.51.100.1",
                "10.1.1.1 | 198.51.100.1, unknown | 10.1.1.1",
                "10.1.1.1 | 198.51.100.1, unknown, 10.3.3.3 | 10.3.3.3",
                "10.1.1.1 | host.example | 10.1.1.1",
                "10.1.1.1 | 10.9.9.9 | 10.9.9.9",
                "2001:db8:aaaa::1 | 2001:db8:bbbb::5 | 2001:db8:bbbb::5",
                "2001:db8:aaaa::1 | [2001:db8:bbbb::5]:443 | 2001:db8:bbbb::5",
                "2001:db8:aaab::1 | 2001:db8:bbbb::5 | 2001:db8:aaab::1",
                "::ffff:10.1.1.1 | 198.51.100.1 | 198.51.100.1",
                "192.168.7.8 | 198.51.100.1 | 192.168.7.8",
            })
    void theClientIsTheRightmostThatIsNoProxy(String peer, String forwarded, String client) {
        assertThat(clients(ForwardedHeader.X_FORWARDED_FOR).of(address(peer), headers("X-Forwarded-For", forwarded)))
                .isEqualTo(address(client));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '\'',
            value = {
                "for=198.51.100.1 | 198.51.100.1",
                "For=\"198.51.100.1:4711\";proto=https | 198.51.100.1",
                "proto=https;for=\"[2001:db8:bbbb::5]:443\";by=10.1.1.1 | 2001:db8:bbbb::5",
                "for=1.2.3.4, for=198.51.100.1;by=10.2.2.2, for=10.2.2.2 | 198.51.100.1",
                "for=198.51.100.1, for=_hidden | 10.1.1.1",
                "for=198.51.100.1, by=10.2.2.2 | 10.1.1.1",
                "host=\"for=198.51.100.1\" | 10.1.1.1",
            })
    void theSameInTheFormOfTheStandard(String forwarded, String client) {
        assertThat(clients(ForwardedHeader.FORWARDED).of(address("10.1.1.1"), headers("Forwarded", forwarded)))
                .isEqualTo(address(client));
    }

    @Test
    void theHeaderThatTheProxiesDoNotSetIsNotRead() {
        var headers = headers("Forwarded", "for=1.2.3.4").add("X-Forwarded-For", "198.51.100.1");

        assertThat(clients(ForwardedHeader.X_FORWARDED_FOR).of(address("10.1.1.1"), headers))
                .isEqualTo(address("198.51.100.1"));
    }

    @Test
    void oneClientOfIpv6HasASlash64() {
        assertThat(address("2001:db8:1:2::1").client())
                .isEqualTo(address("2001:db8:1:2:ffff::9").client())
                .isNotEqualTo(address("2001:db8:1:3::1").client());
        assertThat(address("198.51.100.1").client())
                .isEqualTo(address("::ffff:198.51.100.1").client())
                .isNotEqualTo(address("198.51.100.2").client());
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"10.0.0.0/33", "10.0.0/8", "::/129", "host", "10.0.0.0/", "10.0.0.0/-1", "/8", "fe80::1%eth0"})
    void whatIsNoRangeIsNamed(String range) {
        assertThatThrownBy(() -> AddressRange.parse(range))
                .hasMessage("parley.gateway: trusted-proxies: " + range
                        + " (expected: an address or a range of them, as in 10.0.0.0/8 or 2001:db8::/32)");
    }

    @ParameterizedTest
    @CsvSource({
        "0.0.0.0/0, 203.0.113.9, true",
        "0.0.0.0/0, 2001:db8::1, false",
        "::/0, 203.0.113.9, true",
        "10.1.2.3/8, 10.255.0.1, true",
        "10.1.2.3/8, 11.0.0.1, false",
        "192.168.7.7, 192.168.7.7, true",
        "192.168.7.7, 192.168.7.6, false",
        "2001:db8::/65, 2001:db8::1, true",
        "2001:db8::/65, 2001:db8:0:0:8000::1, false",
        "::ffff:10.0.0.0/104, 10.9.9.9, true",
    })
    void aRangeHoldsWhatBeginsAlike(String range, String address, boolean holds) {
        assertThat(AddressRange.parse(range).contains(address(address))).isEqualTo(holds);
    }
}
