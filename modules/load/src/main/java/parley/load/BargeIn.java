package parley.load;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.WebSocket;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.LongAdder;
import java.util.stream.Stream;
import org.HdrHistogram.ConcurrentHistogram;

/**
 * The command {@code barge-in}: how fast a gateway stops the agent when the caller speaks.
 *
 * <p>Is the provider and the callers at once, on one clock. The provider sends twenty seconds of speech and then {@code
 * speech_started}; the voice face holds the speech back to the pace of hearing and must throw the rest away. Measured is
 * the time from that event leaving the provider to its reaching the caller, behind which no audio of the interrupted
 * answer may come: two sockets more than the gateway itself. The gateway is started with {@code
 * PARLEY_PROVIDER_URL=http://127.0.0.1:<provider port>/v1}; the provider echoes the audio of other sessions, so that
 * the same node can be loaded meanwhile.
 */
public final class BargeIn {
    private static final int SECONDS_PER_RUN = 20;
    private static final int CLEAN = 0;
    private static final int NOT_CLEAN = 1;
    private static final int BAD_OPTION = 2;

    private final ConcurrentHistogram micros = new ConcurrentHistogram(TimeUnit.SECONDS.toMicros(60), 3);
    private final LongAdder stale = new LongAdder();
    private final LongAdder heardBefore = new LongAdder();

    private BargeIn() {}

    public static void main(String[] arguments) throws InterruptedException {
        System.exit(run(List.of(arguments), System.getenv()));
    }

    private static int run(List<String> arguments, Map<String, String> environment) throws InterruptedException {
        if (arguments.contains("--help")) {
            System.out.print(BargeInOptions.HELP);
            return CLEAN;
        }
        try {
            return run(BargeInOptions.parse(arguments, environment));
        } catch (IllegalArgumentException wrong) {
            System.err.println("barge-in: " + wrong.getMessage());
            return BAD_OPTION;
        }
    }

    private static int run(BargeInOptions options) throws InterruptedException {
        try (var provider =
                EchoServer.start(options.providerPort(), InterruptedConversation::new, EchoConversation::new)) {
            System.err.println("provider on port " + provider.port() + "; callers come in " + options.delay() + " s");
            TimeUnit.SECONDS.sleep(options.delay());
            var measured = new BargeIn();
            var callers = Stream.generate(() -> measured.call(options.url(), options.token(), options.runs()))
                    .limit(options.sessions())
                    .toArray(CompletableFuture<?>[]::new);
            CompletableFuture.allOf(callers).get((long) options.runs() * SECONDS_PER_RUN, TimeUnit.SECONDS);
            System.out.print(measured.report());
            return measured.stale.sum() == 0 ? CLEAN : NOT_CLEAN;
        } catch (IOException port) {
            System.err.println("barge-in: --provider-port: " + options.providerPort() + " (" + port.getMessage() + ")");
        } catch (TimeoutException late) {
            System.err.println(
                    "barge-in: not all runs ended in time: is the node's PARLEY_PROVIDER_URL http://127.0.0.1:"
                            + options.providerPort() + "/v1?");
        } catch (ExecutionException failed) {
            System.err.println("barge-in: a caller was lost: " + failed.getCause());
        }
        return NOT_CLEAN;
    }

    private CompletableFuture<Void> call(URI url, String token, int runs) {
        var caller = new Caller(runs);
        HttpClient.newHttpClient()
                .newWebSocketBuilder()
                .header("Authorization", "Bearer " + token)
                .buildAsync(url, caller)
                .whenComplete((socket, failure) -> {
                    if (failure != null) caller.done.completeExceptionally(failure);
                });
        return caller.done;
    }

    private String report() {
        return String.format(
                """
                barge-ins                        %d
                speech_started to caller, ms     P50 %.2f   P90 %.2f   P99 %.2f   max %.2f
                audio heard before, per run      %.1f s of 20
                stale audio after it             %d frames
                """,
                micros.getTotalCount(),
                micros.getValueAtPercentile(50) / 1000.0,
                micros.getValueAtPercentile(90) / 1000.0,
                micros.getValueAtPercentile(99) / 1000.0,
                micros.getMaxValue() / 1000.0,
                heardBefore.sum() / 10.0 / Math.max(1, micros.getTotalCount()),
                stale.sum());
    }

    /** Asks, listens, is interrupted, asks again. */
    private final class Caller implements WebSocket.Listener {
        private final CompletableFuture<Void> done = new CompletableFuture<>();
        private final StringBuilder message = new StringBuilder();
        private int runsLeft;
        private boolean interrupted;

        Caller(int runs) {
            this.runsLeft = runs;
        }

        @Override
        public CompletionStage<?> onText(WebSocket socket, CharSequence part, boolean last) {
            message.append(part);
            if (last) {
                hear(socket, message.toString());
                message.setLength(0);
            }
            socket.request(1);
            return null;
        }

        @Override
        public CompletionStage<?> onClose(WebSocket socket, int code, String reason) {
            done.completeExceptionally(new IOException("closed: " + code + " " + reason));
            return null;
        }

        @Override
        public void onError(WebSocket socket, Throwable error) {
            done.completeExceptionally(error);
        }

        private void hear(WebSocket socket, String event) {
            int from = event.indexOf(InterruptedConversation.SPEECH);
            if (event.contains("\"response.output_audio.delta\"")) {
                (interrupted ? stale : heardBefore).increment();
            } else if (event.contains("\"input_audio_buffer.speech_started\"") && from >= 0) {
                var stamp = event.substring(from + InterruptedConversation.SPEECH.length());
                long sent = Long.parseLong(stamp.substring(0, stamp.indexOf('"')));
                micros.recordValue(TimeUnit.NANOSECONDS.toMicros(System.nanoTime() - sent));
                interrupted = true;
            } else if (event.contains("\"session.created\"") || event.contains("\"response.done\"")) {
                ask(socket);
            }
        }

        private void ask(WebSocket socket) {
            if (runsLeft-- == 0) {
                socket.sendClose(WebSocket.NORMAL_CLOSURE, "");
                done.complete(null);
                return;
            }
            interrupted = false;
            socket.sendText("{\"type\":\"response.create\"}", true);
        }
    }
}
