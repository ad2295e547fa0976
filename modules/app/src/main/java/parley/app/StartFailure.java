package parley.app;

/** A start that cannot succeed, with a message for whoever started it: what was found, and what to do. */
final class StartFailure extends RuntimeException {
    private static final long serialVersionUID = 1L;

    StartFailure(String message) {
        super(message, null, false, false);
    }
}
