package parley.gateway;

import io.netty.handler.codec.http.HttpHeaders;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;
import parley.gateway.RateSettings.ForwardedHeader;

/**
 * From which address a client calls: the one that the connection comes from, or, when that is a proxy of ours, the one that
 * the proxy names. Each proxy adds on the right whom it was called by, so the rightmost that is none of ours is the client;
 * what stands left of it, the client may have written itself.
 */
final class Clients {
    /** The element of a {@code Forwarded} that names whom the proxy was called by. */
    private static final Pattern FOR = Pattern.compile("(?i)(?:^|;)\\s*for\\s*=\\s*(?:\"([^\"]*)\"|([^;\"\\s]*))");

    private final List<AddressRange> proxies;
    private final ForwardedHeader header;

    Clients(List<AddressRange> proxies, ForwardedHeader header) {
        this.proxies = proxies;
        this.header = header;
    }

    Address of(Address peer, HttpHeaders headers) {
        var client = peer;
        if (isProxy(peer)) {
            for (var named : named(headers).reversed()) {
                var address = address(named);
                if (address.isEmpty()) {
                    // Hidden, or nonsense: all that is known is who says so.
                    return client;
                }
                client = address.get();
                if (!isProxy(client)) {
                    return client;
                }
            }
        }
        return client;
    }

    boolean isProxy(Address address) {
        for (var range : proxies) {
            if (range.contains(address)) {
                return true;
            }
        }
        return false;
    }

    /** In the order in which the proxies were passed. */
    private List<String> named(HttpHeaders headers) {
        var named = new ArrayList<String>();
        for (var line : headers.getAll(header.header())) {
            named.addAll(List.of(line.split(",")));
        }
        return named;
    }

    private Optional<Address> address(String element) {
        return switch (header) {
            case X_FORWARDED_FOR -> node(element.strip());
            case FORWARDED -> {
                var match = FOR.matcher(element);
                yield match.find() ? node(match.group(1) == null ? match.group(2) : match.group(1)) : Optional.empty();
            }
        };
    }

    /** An address that may have a port behind it, and then one of IPv6 stands in brackets. */
    private static Optional<Address> node(String text) {
        if (text.startsWith("[")) {
            int end = text.indexOf(']');
            return end < 0 ? Optional.empty() : Address.parse(text.substring(1, end));
        }
        int colon = text.indexOf(':');
        return Address.parse(colon >= 0 && colon == text.lastIndexOf(':') ? text.substring(0, colon) : text);
    }
}
