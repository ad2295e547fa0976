package parley.session;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.Unpooled;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Supplier;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import parley.wire.Frame;
import parley.wire.Loops;
import parley.wire.Port;
import parley.wire.WebSocketClose;

@Tag("stream")
@ExtendWith(NoLeaks.class)
class LinkPortTest {
    private static final SessionSettings SETTINGS = Rig.settings(Map.of("parley.session.link.dead-after", "60s"));
    private static Loops loops;

    private Wires wires;

    @BeforeAll
    static void start() {
        loops = Loops.create(2);
    }

    @AfterAll
    static void stop() {
        loops.close();
    }

    @BeforeEach
    void connect() {
        wires = new Wires(loops, SETTINGS, 0);
    }

    @AfterEach
    void disconnect() {
        wires.close();
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 4, 10})
    void afterACloseExactlyWhatTheOtherSideDidNotTakeComesBack(int taken) {
        var line = wires.line();
        var said = IntStream.range(0, 10)
                .mapToObj(n -> n % 3 == 0 ? control(n) : audio(n))
                .toList();
        sends(line.caller(), said);
        assertThat(takes(line.session(), taken)).isEqualTo(said.subList(0, taken));
        line.session().close(1012, "moved");

        assertThat(Rig.await(line.caller().closed())).isEqualTo(new WebSocketClose(1012, "moved", true));
        assertThat(untaken(line.caller())).isEqualTo(said.subList(taken, 10));
        assertThat(untaken(line.caller())).isEmpty();
    }

    @Test
    void theSameHoldsWhenTheSessionIsOnAnotherLoopThanTheConnection() {
        for (int taken = 0; taken < 30; taken++) {
            try (var apart = new Wires(loops, SETTINGS, 1)) {
                var line = apart.line();
                var said = IntStream.range(0, 30).mapToObj(LinkPortTest::audio).toList();
                sends(line.caller(), said);
                takes(line.session(), taken);
                line.session().close(1012, "moved");
                Rig.await(line.caller().closed());

                assertThat(untaken(line.caller())).isEqualTo(said.subList(taken, 30));
            }
        }
    }

    @Test
    void whatWasReceivedAndNotTakenIsNotHandedOutAfterTheClose() {
        var line = wires.line();
        sends(line.caller(), List.of(control(1), control(2)));
        takes(line.session(), 1);
        line.session().close(1012, "moved");

        assertThat(on(line.session(), () -> line.session().poll())).isNull();
        Rig.await(line.caller().closed());
        assertThat(untaken(line.caller())).containsExactly(control(2));
    }

    @Test
    void afterALostConnectionNoControlFrameThatWasTakenIsInDoubt() {
        var line = wires.line();
        sends(line.caller(), List.of(audio(1), control(2), audio(3), control(4), audio(5), control(6)));
        takes(line.session(), 5);
        // Comes after the credits.
        sends(line.session(), List.of("{\"type\":\"here\"}"));
        takes(line.caller(), 1);
        wires.cut();
        Rig.await(line.caller().closed());

        assertThat(untaken(line.caller())).containsExactly(audio(5), control(6));
    }

    @Test
    void whatWasReceivedAndNotTakenIsNotHandedOutWhenTheConnectionIsLost() {
        var line = wires.line();
        var received = new AtomicInteger();
        run(line.session(), () -> line.session().onReadable(received::incrementAndGet));
        sends(line.caller(), List.of(control(1), control(2)));
        Rig.eventually(() -> received.get() == 2);
        takes(line.session(), 1);
        // Comes after the credit.
        sends(line.session(), List.of("{\"type\":\"here\"}"));
        takes(line.caller(), 1);
        wires.cut();
        Rig.await(line.session().closed());

        assertThat(on(line.session(), () -> line.session().poll())).isNull();
        Rig.await(line.caller().closed());
        assertThat(untaken(line.caller())).containsExactly(control(2));
    }

    @Test
    void aLostConnectionEndsItsLinesSoThatTheyAreAskedForAgain() {
        var line = wires.line();
        wires.cut();

        assertThat(Rig.await(line.caller().closed()))
                .isEqualTo(new WebSocketClose(1012, "the session's node is gone", true));
        assertThat(Rig.await(line.session().closed()).code()).isEqualTo(1012);
    }

    @Test
    void whatComesBackHasMemoryOfItsOwnSoThatTheOldConnectionMayStillWrite() {
        var line = wires.line();
        var content = Frame.text(control(7));
        var shared = content.buffer().retainedDuplicate();
        run(line.caller(), () -> line.caller().send(content));
        line.session().close(1012, "moved");
        Rig.await(line.caller().closed());
        var again = on(line.caller(), line.caller()::untaken).getFirst();
        again.buffer().setByte(again.buffer().readerIndex(), 'X');

        assertThat(Frame.text(shared).utf8()).isEqualTo(control(7));
        shared.release();
        again.release();
    }

    @Test
    void theSenderIsHeldBackAtTheWindowAndWhatIsKeptIsNoMore() {
        var line = wires.line();
        var window = IntStream.range(0, SETTINGS.linkFrames())
                .mapToObj(LinkPortTest::audio)
                .toList();
        sends(line.caller(), window);
        assertThat(on(line.caller(), line.caller()::isWritable)).isFalse();

        var writable = new CompletableFuture<Void>();
        run(line.caller(), () -> line.caller().onWritable(() -> writable.complete(null)));
        takes(line.session(), SETTINGS.linkFrames() / 2);
        Rig.await(writable);
        line.session().close(1012, "moved");
        Rig.await(line.caller().closed());
        assertThat(untaken(line.caller())).isEqualTo(window.subList(window.size() / 2, window.size()));
    }

    @Test
    void theSessionsEndKeepsNothing() {
        var line = wires.line();
        sends(line.session(), List.of(control(1), control(2)));
        line.caller().close(1000, "");
        Rig.await(line.session().closed());

        assertThat(untaken(line.session())).isEmpty();
    }

    @Test
    void whoClosesKeepsNothing() {
        var line = wires.line();
        sends(line.caller(), List.of(control(1), control(2)));
        line.caller().close(1000, "");
        Rig.await(line.caller().closed());

        assertThat(untaken(line.caller())).isEmpty();
        Rig.await(line.session().closed());
        assertThat(takes(line.session(), 2)).containsExactly(control(1), control(2));
    }

    @Test
    void aFrameThatIsTooLongEndsItsLineAndNoOther() {
        var line = wires.line();
        var other = wires.line();
        sends(line.caller(), List.of("x".repeat(100_000)));

        assertThat(Rig.await(line.caller().closed()).code()).isEqualTo(1009);
        assertThat(Rig.await(line.session().closed()).code()).isEqualTo(1009);
        sends(other.caller(), List.of(control(1)));
        assertThat(takes(other.session(), 1)).containsExactly(control(1));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "7fffffff02000000", // longer than allowed
                "0000000109", // no header
                "0000000409000000", // no such kind
                "0000000404000000", // CLOSE without its code
                "0000000503000000ff", // CREDIT cut short
            })
    void aConnectionThatDoesNotKeepToTheLanguageIsClosed(String message) {
        var line = wires.line();
        wires.channel().writeAndFlush(Unpooled.wrappedBuffer(io.netty.buffer.ByteBufUtil.decodeHexDump(message)));

        assertThat(Rig.await(line.session().closed()).code()).isEqualTo(1012);
        assertThat(Rig.await(line.caller().closed()).code()).isEqualTo(1012);
    }

    @Test
    void aConnectionOnWhichNothingIsSaidStays() throws Exception {
        var quick = Rig.settings(Map.of("parley.session.link.ping", "100ms", "parley.session.link.dead-after", "2s"));
        try (var quiet = new Wires(loops, quick, 0)) {
            var line = quiet.line();
            var ended = line.caller().closed().toCompletableFuture();

            assertThat(ended.completeOnTimeout(new WebSocketClose(0, "open", false), 4, TimeUnit.SECONDS)
                            .get()
                            .reason())
                    .isEqualTo("open");
            sends(line.caller(), List.of(control(1)));
            assertThat(takes(line.session(), 1)).containsExactly(control(1));
        }
    }

    /** The kernel answers for a frozen process: it accepts, and takes what fits. */
    @Test
    void aNodeThatSaysNothingIsTakenForDead() throws IOException {
        var rig = new Rig(Map.of("parley.session.link.ping", "50ms", "parley.session.link.dead-after", "200ms"));
        try (var frozen = new ServerSocket(0, 5, InetAddress.getLoopbackAddress())) {
            var link = rig.link();
            long asked = System.nanoTime();
            var line = Rig.await(link.open(rig.loops.get(1), "127.0.0.1", frozen.getLocalPort(), "seat"));

            assertThat(Rig.await(line.closed()).code()).isEqualTo(1012);
            assertThat(TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - asked)).isBetween(150L, 10_000L);
            link.close();
        } finally {
            rig.close();
        }
    }

    static String control(int number) {
        return "{\"type\":\"conversation.item.create\",\"event_id\":\"c" + number + "\"}";
    }

    static String audio(int number) {
        return "{\"type\":\"input_audio_buffer.append\",\"event_id\":\"a" + number + "\",\"audio\":\""
                + "B".repeat(64 * 20) + "\"}";
    }

    private static void sends(Port port, List<String> texts) {
        run(port, () -> texts.forEach(text -> port.send(Frame.text(text))));
    }

    private static List<String> takes(Port port, int count) {
        var texts = new ArrayList<String>();
        long patience = System.nanoTime() + TimeUnit.SECONDS.toNanos(60);
        while (texts.size() < count && System.nanoTime() < patience) {
            var frame = on(port, () -> Stream.ofNullable(port.poll()).toList());
            frame.forEach(each -> {
                texts.add(each.utf8());
                each.release();
            });
            if (frame.isEmpty()) {
                LockSupport.parkNanos(1_000_000);
            }
        }
        return texts;
    }

    private static List<String> untaken(LinkPort port) {
        var frames = on(port, port::untaken);
        var texts = frames.stream().map(Frame::utf8).toList();
        frames.forEach(Frame::release);
        return texts;
    }

    private static void run(Port port, Runnable action) {
        Rig.await(CompletableFuture.runAsync(action, port.loop()));
    }

    private static <T> T on(Port port, Supplier<T> question) {
        return Rig.await(CompletableFuture.supplyAsync(question, port.loop()));
    }
}
