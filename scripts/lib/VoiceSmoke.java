import java.io.IOException;
import java.net.ConnectException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.WebSocket;
import java.net.http.WebSocketHandshakeException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.CertificateFactory;
import java.time.Duration;
import java.util.Base64;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicLong;
import java.util.regex.Pattern;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLHandshakeException;
import javax.net.ssl.TrustManagerFactory;

/**
 * One caller of a guided face: handshake, welcome, ping, ack, and a spoken turn whose answer is heard. Run by
 * scripts/e2e-voice.sh, on any JDK, without the product's build. The token comes from the environment: SMOKE_TOKEN; and so
 * does a file with the certificates that are trusted instead of the JDK's: CA_FILE.
 *
 * <p>Ends with 0 when everything was as it should be, 1 when not, 2 when it was called wrongly, 4 when the address does
 * not exist.
 */
public final class VoiceSmoke {
    private static final int RATE = 24_000;
    private static final Pattern TYPE = Pattern.compile("\"type\"\\s*:\\s*\"([a-z_.-]+)\"");
    private static final Pattern SESSION = Pattern.compile("\"session_id\"\\s*:\\s*\"([A-Za-z0-9_-]+)\"");

    private final LinkedBlockingQueue<String> events = new LinkedBlockingQueue<>(10_000);
    private final CompletableFuture<String> closed = new CompletableFuture<>();
    /** When the first sound of the agent came, {@link System#nanoTime}; 0: not yet. */
    private final AtomicLong firstAudio = new AtomicLong();
    private final Duration patience;

    private VoiceSmoke(Duration patience) {
        this.patience = patience;
    }

    public static void main(String[] arguments) throws Exception {
        if (arguments.length != 4) {
            System.err.println("usage: VoiceSmoke <ws url> <seconds> <acks: yes|no> <turn: yes|no>");
            System.exit(2);
        }
        SSLContext trusted;
        var authorities = System.getenv().getOrDefault("CA_FILE", "");
        try {
            trusted = authorities.isEmpty() ? SSLContext.getDefault() : trusting(Path.of(authorities));
        } catch (IOException | GeneralSecurityException | InvalidPathException unreadable) {
            System.err.println("CA_FILE: " + authorities + " (expected: certificates in PEM form): " + unreadable.getMessage());
            System.exit(2);
            return;
        }
        var smoke = new VoiceSmoke(Duration.ofSeconds(Integer.parseInt(arguments[1])));
        System.exit(smoke.run(URI.create(arguments[0]), trusted, arguments[2].equals("yes"), arguments[3].equals("yes")));
    }

    private static SSLContext trusting(Path authorities) throws IOException, GeneralSecurityException {
        var store = KeyStore.getInstance(KeyStore.getDefaultType());
        store.load(null, null);
        try (var file = Files.newInputStream(authorities)) {
            for (var each : CertificateFactory.getInstance("X.509").generateCertificates(file)) {
                store.setCertificateEntry("authority-" + store.size(), each);
            }
        }
        if (store.size() == 0) {
            throw new IOException("there is none in it");
        }
        var trust = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        trust.init(store);
        var context = SSLContext.getInstance("TLS");
        context.init(null, trust.getTrustManagers(), null);
        return context;
    }

    private int run(URI url, SSLContext trusted, boolean acks, boolean turn) throws InterruptedException {
        var token = System.getenv().getOrDefault("SMOKE_TOKEN", "");
        long began = System.nanoTime();
        WebSocket socket;
        try {
            var builder = HttpClient.newBuilder()
                    .connectTimeout(patience)
                    .sslContext(trusted)
                    .build()
                    .newWebSocketBuilder()
                    .connectTimeout(patience);
            if (!token.isEmpty()) {
                builder.header("Authorization", "Bearer " + token);
            }
            socket = builder.buildAsync(url, new Ear()).get(patience.toSeconds(), TimeUnit.SECONDS);
        } catch (ExecutionException | TimeoutException | CompletionException refused) {
            return refused(url, refused);
        }
        passed("handshake", began, "");
        try {
            began = System.nanoTime();
            var first = next(began);
            require(is(first, "voice-welcome"), "voice-welcome: the first message was " + type(first));
            var session = SESSION.matcher(first);
            passed("voice-welcome", began, session.find() ? session.group(1) : "");
            await("session.created", "the provider answers", System.nanoTime());

            began = System.nanoTime();
            socket.sendText("{\"type\":\"ping\"}", true);
            await("pong", null, began);
            passed("ping, pong", began, "");

            began = System.nanoTime();
            socket.sendText("{\"type\":\"input_audio_buffer.clear\",\"event_id\":\"smoke_1\"}", true);
            if (acks) {
                await("ack", null, began);
                passed("ack", began, "");
            }
            if (turn) {
                speak(socket);
            }
            socket.sendClose(WebSocket.NORMAL_CLOSURE, "").orTimeout(5, TimeUnit.SECONDS).exceptionally(gone -> socket);
            closed.completeOnTimeout("no answer to the close", 5, TimeUnit.SECONDS).join();
            System.out.println("ok    closed");
            return 0;
        } catch (IllegalStateException failed) {
            System.out.println("FAIL  " + failed.getMessage());
            socket.abort();
            return 1;
        }
    }

    /** A second of a tone and then silence, as a microphone would send it; the server hears the end, or is told. */
    private void speak(WebSocket socket) throws InterruptedException {
        firstAudio.set(0);
        long spoken = 0;
        for (int frame = 0; frame < 100; frame++) {
            socket.sendText(
                            "{\"type\":\"input_audio_buffer.append\",\"audio\":\"" + sound(frame, frame < 50) + "\"}",
                            true)
                    .orTimeout(patience.toSeconds(), TimeUnit.SECONDS)
                    .exceptionally(lost -> socket)
                    .join();
            TimeUnit.MILLISECONDS.sleep(20);
            if (frame == 49) {
                spoken = System.nanoTime();
            }
        }
        boolean committed = false;
        while (true) {
            var event = events.poll(committed || firstAudio.get() != 0 ? patience.toMillis() : 3000, TimeUnit.MILLISECONDS);
            if (event == null && !committed && firstAudio.get() == 0) {
                // A provider that takes a tone for no speech.
                committed = true;
                socket.sendText("{\"type\":\"input_audio_buffer.commit\"}", true)
                        .thenCompose(sent -> sent.sendText("{\"type\":\"response.create\"}", true));
                continue;
            }
            require(event != null, "spoken turn: no answer within " + patience.toSeconds() + " s" + end());
            require(!is(event, "error"), "spoken turn: " + event);
            if (is(event, "response.done")) {
                require(firstAudio.get() != 0, "spoken turn: the answer had no sound: " + event);
                System.out.printf(
                        "ok    spoken turn, first audio %d ms after the end of the tone%n",
                        TimeUnit.NANOSECONDS.toMillis(firstAudio.get() - spoken));
                return;
            }
        }
    }

    /** 20 ms: a tone of 440 Hz, or nothing. */
    private static String sound(int frame, boolean tone) {
        var pcm = new byte[RATE / 50 * 2];
        for (int i = 0; tone && i < RATE / 50; i++) {
            int sample = (int) (12_000 * Math.sin(2 * Math.PI * 440 * (frame * (RATE / 50) + i) / RATE));
            pcm[2 * i] = (byte) sample;
            pcm[2 * i + 1] = (byte) (sample >> 8);
        }
        return Base64.getEncoder().encodeToString(pcm);
    }

    private void await(String type, String name, long began) throws InterruptedException {
        while (true) {
            var event = next(began);
            require(!is(event, "error"), type + ": " + event);
            if (is(event, type)) {
                if (name != null) {
                    passed(name, began, "");
                }
                return;
            }
        }
    }

    private String next(long began) throws InterruptedException {
        long left = patience.toNanos() - (System.nanoTime() - began);
        var event = events.poll(Math.max(0, left), TimeUnit.NANOSECONDS);
        require(event != null, "nothing came within " + patience.toSeconds() + " s" + end());
        return event;
    }

    private String end() {
        return closed.isDone() ? "; the server closed: " + closed.join() : "";
    }

    private int refused(URI url, Exception refused) {
        var cause = refused.getCause() == null ? refused : refused.getCause();
        if (cause instanceof WebSocketHandshakeException handshake) {
            int status = handshake.getResponse().statusCode();
            System.out.println("FAIL  handshake: refused with " + status
                    + switch (status) {
                        case 401 -> ": the token is not good here (VOICE_WS_TOKEN for /ws, else PARLEY_TOKEN)";
                        case 403 -> ": the token's user may not, or is not in the rollout";
                        case 404 -> ": there is nothing at " + url.getPath();
                        case 429 -> ": too often";
                        case 503 -> ": voice is off or full, or the node leaves";
                        default -> "";
                    });
            return status == 404 ? 4 : 1;
        }
        System.out.println("FAIL  handshake: "
                + switch (cause) {
                    case ConnectException nobody -> "nobody answers at " + url.getAuthority();
                    case TimeoutException late -> "no answer from " + url.getAuthority() + " within " + patience.toSeconds() + " s";
                    case SSLHandshakeException untrusted ->
                        "the certificate of " + url.getAuthority() + " is not trusted (CA_FILE: certificates to trust): "
                                + untrusted.getMessage();
                    default -> cause.toString();
                });
        return 1;
    }

    private static void passed(String what, long began, String detail) {
        System.out.printf(
                "ok    %s, %d ms%s%n",
                what,
                TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - began),
                detail.isEmpty() ? "" : ", " + detail);
    }

    private static void require(boolean condition, String otherwise) {
        if (!condition) {
            throw new IllegalStateException(otherwise);
        }
    }

    private static boolean is(String event, String type) {
        return event != null && type(event).equals(type);
    }

    /** The event's own type stands before those of what is in it. */
    private static String type(String event) {
        var found = TYPE.matcher(event);
        return found.find() ? found.group(1) : "?";
    }

    private final class Ear implements WebSocket.Listener {
        private final StringBuilder message = new StringBuilder();

        @Override
        public CompletionStage<?> onText(WebSocket from, CharSequence part, boolean last) {
            message.append(part);
            if (last) {
                var event = message.toString();
                if (is(event, "response.output_audio.delta") || is(event, "response.audio.delta")) {
                    firstAudio.compareAndSet(0, System.nanoTime());
                }
                events.offer(event);
                message.setLength(0);
            }
            from.request(1);
            return null;
        }

        @Override
        public CompletionStage<?> onClose(WebSocket from, int code, String reason) {
            closed.complete(code + " " + reason);
            return null;
        }

        @Override
        public void onError(WebSocket from, Throwable broken) {
            closed.complete(String.valueOf(broken));
        }
    }
}
