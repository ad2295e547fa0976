package parley.admission;

/**
 * Who calls: the user id exactly as authenticated, and the tenant it belongs to.
 *
 * @param user the token's {@code sub}; never empty
 * @param tenant the token's {@code tenant}, or {@code default}
 */
public record CallerId(String user, String tenant) {
    public CallerId {
        if (user.isEmpty()) {
            throw new IllegalArgumentException("user: empty (expected: the id of an authenticated user)");
        }
        if (tenant.isEmpty()) {
            throw new IllegalArgumentException("tenant: empty (expected: a name)");
        }
    }

    /** A pseudonym: who somebody is does not go into logs. */
    @Override
    public String toString() {
        return "caller-" + Integer.toHexString(31 * user.hashCode() + tenant.hashCode());
    }
}
