package parley.wire;

/**
 * Why a WebSocket ended (RFC 6455 §7.4).
 *
 * @param code the close code; 1005 when the peer gave none, 1006 when the connection was lost
 * @param byPeer whether the other side said so first
 */
public record WebSocketClose(int code, String reason, boolean byPeer) {
    public static final int NORMAL = 1000;
    public static final int GOING_AWAY = 1001;
    public static final int PROTOCOL_ERROR = 1002;
    public static final int UNSUPPORTED_DATA = 1003;
    public static final int NO_CODE = 1005;
    public static final int LOST = 1006;
    public static final int INVALID_TEXT = 1007;
    public static final int POLICY = 1008;
    public static final int TOO_BIG = 1009;
    public static final int INTERNAL_ERROR = 1011;
    public static final int RESTART = 1012;
    public static final int TRY_AGAIN_LATER = 1013;

    /** Whether a Close frame may hold this code: not one that only tells what was missing, and none nobody defined. */
    static boolean maySend(int code) {
        return (code >= NORMAL && code <= UNSUPPORTED_DATA)
                || (code >= INVALID_TEXT && code <= 1014)
                || (code >= 3000 && code <= 4999);
    }
}
