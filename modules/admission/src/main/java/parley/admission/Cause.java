package parley.admission;

/**
 * Whose fault it is.
 *
 * @param tenant of {@link Kind#TENANT}; else empty
 */
record Cause(Kind kind, String tenant) {
    static final Cause NONE = new Cause(Kind.NONE, "");
    static final Cause OWN = new Cause(Kind.OWN, "");
    static final Cause SHARED = new Cause(Kind.SHARED, "");

    enum Kind {
        /** Nothing is wrong, or nobody knows yet. */
        NONE,
        /** The release: roll back. */
        OWN,
        /** What the comparison suffers from as well, such as the provider: suspend. */
        SHARED,
        /** One tenant, and the others are well: hold and name it. */
        TENANT
    }

    static Cause tenant(String name) {
        return new Cause(Kind.TENANT, name);
    }
}
