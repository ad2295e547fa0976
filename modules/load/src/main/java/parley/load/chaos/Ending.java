package parley.load.chaos;

/**
 * How a socket ended, or the attempt to open one.
 *
 * @param code a close code, or the HTTP status of a refused upgrade
 */
record Ending(int code, String reason) {
    private static final int LOST = 1006;
    private static final int FIRST_CLOSE_CODE = 1000;
    private static final int FIRST_PRIVATE_CODE = 3000;
    private static final int FIRST_CODE_OF_OURS = 4000;
    private static final int FIRST_FINAL_CODE = 4500;

    /** Without a close frame. */
    static Ending lost(String how) {
        return new Ending(LOST, how);
    }

    /** Whether coming back is pointless: what docs/protocol.md says of the code. */
    boolean isFinal() {
        if (code < FIRST_CLOSE_CODE) return code >= 400 && code < 500 && code != 408 && code != 429;
        return switch (code) {
            case 1000, 1002, 1003, 1007, 1008, 1009, 4000, 4400, 4404 -> true;
            // A newer connection has the seat: one that this caller had given up, since nobody else comes back here.
            case 4001 -> false;
            default -> (code >= FIRST_PRIVATE_CODE && code < FIRST_CODE_OF_OURS) || code >= FIRST_FINAL_CODE;
        };
    }

    /** Whether another node should be tried. */
    boolean elsewhere() {
        return (code >= 500 && code < FIRST_CLOSE_CODE) || code == LOST || code == 1012 || code == 1013;
    }

    @Override
    public String toString() {
        return reason.isEmpty() ? Integer.toString(code) : code + " " + reason;
    }
}
