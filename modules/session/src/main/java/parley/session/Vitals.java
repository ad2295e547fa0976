package parley.session;

/**
 * Whether there is what a conversation needs, as this node knows it now.
 *
 * @param journal the database takes writes
 * @param provider one of them at least may be called
 * @param member this node is one of its cluster
 */
public record Vitals(boolean journal, boolean provider, boolean member) {}
