package parley.gateway;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Set;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@Tag("unit")
class OriginsTest {
    private final Origins origins = new Origins(Set.of("https://app.example.com"));

    @ParameterizedTest
    @CsvSource({
        "https://app.example.com, gw.example.com, false, true",
        "https://app.example.com:8443, gw.example.com, false, false",
        "http://app.example.com, gw.example.com, false, false",
        "https://app.example.com.evil.example, gw.example.com, false, false",
        "https://evil-app.example.com, gw.example.com, false, false",
        "http://gw.example.com:8080, gw.example.com:8080, false, true",
        "http://GW.example.com:8080, gw.example.com:8080, false, true",
        "https://gw.example.com, gw.example.com, false, true",
        "https://gw.example.com, gw.example.com, true, true",
        "http://gw.example.com, gw.example.com, true, false",
        "http://gw.example.com:8081, gw.example.com:8080, false, false",
        "http://gw.example.com, gw.example.com:8080, false, false",
        "ftp://gw.example.com, gw.example.com, false, false",
        "http://me@gw.example.com, gw.example.com, false, false",
        "http://gw.example.com/page, gw.example.com, false, false",
        "null, gw.example.com, false, false",
        "gw.example.com, gw.example.com, false, false",
        "not an origin, gw.example.com, false, false",
        "http://gw.example.com, , false, false"
    })
    void onlyNamedSitesAndThePageServedFromHereMayCall(
            String origin, @org.jspecify.annotations.Nullable String host, boolean secure, boolean may) {
        assertThat(origins.mayCall(origin, host, secure)).isEqualTo(may);
    }
}
