package parley.gateway;

import io.netty.util.NetUtil;
import java.net.InetAddress;
import java.nio.ByteBuffer;
import java.util.Optional;

/**
 * An IP address: the 128 bits of IPv6. One of IPv4 is the IPv6 address that stands for it (RFC 4291 §2.5.5.2), however it was
 * written.
 */
record Address(long high, long low) {
    /** {@code ::ffff:0:0/96}. */
    private static final long IPV4 = 0xffff_0000_0000L;

    static Address of(InetAddress address) {
        return of(address.getAddress());
    }

    /** Empty for what is no literal; names are not looked up. */
    static Optional<Address> parse(String literal) {
        // A zone, as in fe80::1%eth0, means something to the machine that wrote it alone.
        return literal.indexOf('%') >= 0
                ? Optional.empty()
                : Optional.ofNullable(NetUtil.createByteArrayFromIpAddressString(literal))
                        .map(Address::of);
    }

    private static Address of(byte[] bytes) {
        var buffer = ByteBuffer.wrap(bytes);
        return bytes.length == 4
                ? new Address(0, IPV4 | Integer.toUnsignedLong(buffer.getInt()))
                : new Address(buffer.getLong(), buffer.getLong());
    }

    boolean isIpv4() {
        return high == 0 && (low & ~0xffff_ffffL) == IPV4;
    }

    boolean isLoopback() {
        return isIpv4() ? (low & 0xff00_0000L) == 0x7f00_0000L : high == 0 && low == 1;
    }

    /** Whoever has one address of IPv6 has, as a rule, all of its /64. */
    Address client() {
        return isIpv4() ? this : new Address(high, 0);
    }

    /** The same with only this many leading bits. */
    Address prefix(int bits) {
        return new Address(high & mask(bits), low & mask(bits - 64));
    }

    /** The network it belongs to, {@code 198.51.100.0/24} or {@code 2001:db8:1::/48}: who asks, but for the person. */
    String network() {
        var first = prefix(isIpv4() ? 120 : 48);
        var bytes = isIpv4()
                ? ByteBuffer.allocate(4).putInt((int) first.low()).array()
                : ByteBuffer.allocate(16)
                        .putLong(first.high())
                        .putLong(first.low())
                        .array();
        return NetUtil.bytesToIpAddress(bytes) + (isIpv4() ? "/24" : "/48");
    }

    private static long mask(int bits) {
        return bits <= 0 ? 0 : bits >= 64 ? -1 : -1L << (64 - bits);
    }
}
