package parley.app;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;
import java.net.http.HttpClient;
import java.net.http.WebSocket;
import java.util.Arrays;
import java.util.Base64;
import java.util.Map;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import parley.load.EchoServer;

/** What a frame of audio costs on its way through a whole node, in bytes of heap: they can be counted on any machine. */
@Tag("client")
class AudioPathTest {
    private static final int WARM_UP = 6_000;
    private static final int MEASURED = 4_000;
    /** A frame of 100 ms, 6.4 kB, there and back. Whoever copies one, or parses it, needs four times as much. */
    private static final long MOST_BYTES = 1_500;

    private static EchoServer provider;
    private static TestNode node;

    @BeforeAll
    static void start() throws Exception {
        provider = EchoServer.start(0);
        node = TestNode.start(Map.of(
                "parley.app.simulated",
                false,
                "parley.provider.url",
                "http://127.0.0.1:" + provider.port() + "/v1",
                "parley.session.max-frames-per-second",
                0));
    }

    @AfterAll
    static void stop() {
        node.close();
        provider.close();
    }

    @Test
    void aFrameOfAudioIsNeitherCopiedToTheHeapNorParsed() throws Exception {
        try (var http = HttpClient.newHttpClient()) {
            var caller = new Caller();
            var socket = http.newWebSocketBuilder()
                    .header("Authorization", "Bearer " + node.token("audio"))
                    .buildAsync(node.ws("/v1/realtime?model=simulator"), caller)
                    .get(60, TimeUnit.SECONDS);
            caller.awaits(1);
            caller.says(socket, WARM_UP);
            long before = allocated();
            caller.says(socket, MEASURED);
            long perRoundTrip = (allocated() - before) / MEASURED;
            socket.abort();

            assertThat(perRoundTrip)
                    .as("bytes of heap per frame, there and back")
                    .isBetween(1L, MOST_BYTES);
        }
    }

    /** By the threads that carry audio, since they began. */
    private static long allocated() {
        var threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        return Arrays.stream(threads.getThreadInfo(threads.getAllThreadIds()))
                .filter(thread -> thread != null && thread.getThreadName().startsWith("parley-loop"))
                .mapToLong(thread -> threads.getThreadAllocatedBytes(thread.getThreadId()))
                .sum();
    }

    /** Says a few frames at a time and waits until it has heard as many events. */
    private static final class Caller implements WebSocket.Listener {
        private static final int AT_A_TIME = 8;
        private static final String APPEND = "{\"type\":\"input_audio_buffer.append\",\"audio\":\""
                + Base64.getEncoder().encodeToString(new byte[4800]) + "\"}";

        private final Semaphore heard = new Semaphore(0);

        @Override
        public CompletionStage<?> onText(WebSocket socket, CharSequence text, boolean last) {
            if (last) {
                heard.release();
            }
            socket.request(1);
            return null;
        }

        void awaits(int events) throws InterruptedException {
            assertThat(heard.tryAcquire(events, 60, TimeUnit.SECONDS)).isTrue();
        }

        void says(WebSocket socket, int frames) throws Exception {
            for (int i = 0; i < frames; i += AT_A_TIME) {
                for (int j = 0; j < AT_A_TIME; j++) {
                    socket.sendText(APPEND, true).get(60, TimeUnit.SECONDS);
                }
                awaits(AT_A_TIME);
            }
        }
    }
}
