package parley.gateway;

/**
 * Addresses that begin alike.
 *
 * @param bits how many, of 128
 */
record AddressRange(Address first, int bits) {
    private static final String EXPECTED =
            " (expected: an address or a range of them, as in 10.0.0.0/8 or 2001:db8::/32)";

    /** @throws IllegalArgumentException for what is neither an address nor CIDR notation */
    static AddressRange parse(String text) {
        int slash = text.indexOf('/');
        var address = Address.parse(slash < 0 ? text : text.substring(0, slash)).orElseThrow(() -> wrong(text));
        int most = address.isIpv4() && text.indexOf(':') < 0 ? 32 : 128;
        int bits = slash < 0 ? most : bits(text.substring(slash + 1), text);
        if (bits > most) {
            throw wrong(text);
        }
        int ofAll = bits + 128 - most;
        return new AddressRange(address.prefix(ofAll), ofAll);
    }

    boolean contains(Address address) {
        return address.prefix(bits).equals(first);
    }

    private static int bits(String digits, String text) {
        if (!digits.matches("[0-9]{1,3}")) {
            throw wrong(text);
        }
        return Integer.parseInt(digits);
    }

    private static IllegalArgumentException wrong(String text) {
        return new IllegalArgumentException("parley.gateway: trusted-proxies: " + text + EXPECTED);
    }
}
