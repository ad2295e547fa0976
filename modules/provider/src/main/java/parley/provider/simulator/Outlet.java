package parley.provider.simulator;

/** Where a conversation's events go. */
interface Outlet {

    /** Sends one event, complete JSON in UTF-8. The array is not written to afterwards. */
    void send(byte[] event);

    /** Whether the client reads too slowly for more audio; control events are sent all the same. */
    boolean congested();

    /** Ends the connection after what was sent. */
    void close(int code, String reason);
}
