package parley.load.chaos;

/** The dialect the callers speak. */
public enum Face {
    /** {@code /v1/ws/voice}: numbered events, what was missed is sent again. */
    GUIDED("/v1/ws/voice"),
    /** {@code /v1/realtime}: on coming back the history is told, and the answer that is due begins. */
    STRICT("/v1/realtime");

    private final String path;

    Face(String path) {
        this.path = path;
    }

    String path() {
        return path;
    }
}
