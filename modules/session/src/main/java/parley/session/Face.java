package parley.session;

/** The dialect a caller speaks in, and what follows from it for a conversation. */
public enum Face {
    /** The provider's protocol and nothing else: the client plays, truncates and executes tools itself. */
    REALTIME(false),
    /** The same events, numbered and paced; Parley truncates at a barge-in and executes its own tools. */
    VOICE(true);

    private final boolean guided;

    Face(boolean guided) {
        this.guided = guided;
    }

    /** Whether Parley paces audio, truncates, numbers events and offers tools, because the client leaves it to us. */
    boolean guided() {
        return guided;
    }
}
