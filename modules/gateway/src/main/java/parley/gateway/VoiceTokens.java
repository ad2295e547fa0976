package parley.gateway;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.security.SecureRandom;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.BiFunction;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import parley.admission.Actor;
import parley.admission.CallerId;
import parley.admission.SharedToken;
import parley.admission.SharedTokens;
import parley.admission.SharedTokens.Rotated;
import parley.gateway.Tokens.Bearer;
import parley.gateway.Tokens.Checked;
import parley.wire.WebSocket;
import parley.wire.WebSocketClose;

/**
 * The token that all callers of {@code /ws} share: who shows it is let in, and who came in with one that is not good any
 * more is sent away, with 1008.
 *
 * <p>What the configuration names is the first one. Once it was rotated the cluster says which is good, and this node
 * lets nobody in before it has heard that. Hashes are compared, and nothing else is kept. Thread-safe.
 */
final class VoiceTokens implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(VoiceTokens.class);
    private static final SecureRandom RANDOM = new SecureRandom();
    private static final Duration ASK_AGAIN = Duration.ofSeconds(2);
    private static final int LONGEST_USER = 256;
    /** As the Authorization header takes it (RFC 6750 §2.1). */
    static final Pattern TOKEN = Pattern.compile("[A-Za-z0-9._~+/-]{32,256}=*");

    /** Runs something once after a time; what it returns takes that back. */
    @FunctionalInterface
    interface Timer extends BiFunction<Duration, Runnable, Runnable> {}

    private final WsSettings settings;
    private final String configured;
    private final SharedTokens shared;
    private final Clock clock;
    private final Timer timer;
    private final Map<WebSocket, String> inside = new ConcurrentHashMap<>();
    private final Runnable unwatch;
    private @Nullable Runnable nextEnd;

    VoiceTokens(WsSettings settings, SharedTokens shared, Clock clock, Timer timer) {
        this.settings = settings;
        this.configured = settings.token() == null ? "" : hash(settings.token());
        this.shared = shared;
        this.clock = clock;
        this.timer = timer;
        this.unwatch = shared.watch(this::changed);
        changed();
    }

    /** Whether there is the face at all on this node. */
    boolean areTaken() {
        return settings.token() != null;
    }

    /**
     * Who shows a token.
     *
     * @param user whom its bearer calls for; null: nobody is named
     */
    Checked check(@Nullable String token, @Nullable String user) {
        if (token == null) {
            return new Checked.Invalid("no token");
        }
        var now = shared.current();
        if (now == null) {
            return new Checked.Unknown(ASK_AGAIN);
        }
        if (!isGood(hash(token), now)) {
            return new Checked.Invalid(Tokens.OPENS_NOTHING);
        }
        var caller = user == null || user.isEmpty() ? settings.user() : user;
        return new Checked.Valid(new Bearer(new CallerId(caller, settings.tenant()), List.of(), Set.of()));
    }

    /** What is wrong with the name of whom a caller calls for; null: nothing. */
    static @Nullable Problem malformed(@Nullable String user) {
        return user != null && (user.length() > LONGEST_USER || user.chars().anyMatch(Character::isISOControl))
                ? Problem.badRequest("user: not an id (expected: at most " + LONGEST_USER
                        + " characters, none of them a control character)")
                : null;
    }

    /** Keeps an eye on whoever came in, from the moment they are inside. On the socket's loop. */
    void watch(WebSocket socket, String token) {
        var hash = hash(token);
        inside.put(socket, hash);
        socket.closed().thenRun(() -> inside.remove(socket));
        var now = shared.current();
        // It may have been rotated since it was looked at.
        if (now == null || !isGood(hash, now)) {
            sendAway(socket);
        }
    }

    /** Connections that are open. */
    int connections() {
        return inside.size();
    }

    /** Those whose token has been replaced, and is good for its overlap still. */
    int connectionsByEarlierToken() {
        var now = shared.current();
        return now == null || now.revision() == 0
                ? 0
                : (int) inside.values().stream()
                        .filter(hash -> !hash.equals(now.hash()))
                        .count();
    }

    @Nullable
    SharedToken current() {
        return shared.current();
    }

    /** One that nobody can guess, and that goes into a header, an address and a subprotocol as it is. */
    static String random() {
        var bytes = new byte[32];
        RANDOM.nextBytes(bytes);
        return HexFormat.of().formatHex(bytes);
    }

    /** Puts {@code token} in the place of the present one, on every node. */
    CompletionStage<Rotated> rotate(String token, Duration overlap, Actor actor, String reason, long expectedRevision) {
        return shared.rotate(
                new SharedTokens.Rotation(hash(token), configured, overlap, actor, reason, expectedRevision));
    }

    @Override
    public void close() {
        unwatch.run();
        synchronized (this) {
            if (nextEnd != null) {
                nextEnd.run();
            }
        }
    }

    private boolean isGood(String hash, SharedToken now) {
        return now.revision() == 0
                ? !configured.isEmpty() && hash.equals(configured)
                : now.admits(hash, clock.instant());
    }

    /** Another token, or an earlier one's end. */
    private void changed() {
        var now = shared.current();
        if (now == null) {
            return;
        }
        var sent = inside.entrySet().stream()
                .filter(guest -> !isGood(guest.getValue(), now))
                .map(Map.Entry::getKey)
                .toList();
        sent.forEach(VoiceTokens::sendAway);
        if (!sent.isEmpty()) {
            LOG.info("{} connections are closed: VOICE_WS_TOKEN was rotated", sent.size());
        }
        awaitNextEnd(now);
    }

    private void awaitNextEnd(SharedToken now) {
        var at = clock.instant();
        var next = now.earlier().stream()
                .map(SharedToken.Earlier::until)
                .filter(until -> until.isAfter(at))
                .min(Instant::compareTo);
        synchronized (this) {
            if (nextEnd != null) {
                nextEnd.run();
            }
            // A moment later: at the very time itself it is good no more.
            nextEnd = next.map(until -> timer.apply(Duration.between(at, until).plusMillis(1), this::changed))
                    .orElse(null);
        }
    }

    private static void sendAway(WebSocket socket) {
        socket.close(WebSocketClose.POLICY, "unauthenticated");
    }

    private static String hash(String token) {
        try {
            return HexFormat.of()
                    .formatHex(MessageDigest.getInstance("SHA-256").digest(token.getBytes(StandardCharsets.UTF_8)));
        } catch (NoSuchAlgorithmException impossible) {
            throw new IllegalStateException("every JVM has SHA-256", impossible);
        }
    }
}
