package parley.session;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import parley.meter.Meters;
import parley.wire.Frame;
import parley.wire.Port;
import parley.wire.WebSocketClose;

@Tag("stream")
@ExtendWith(NoLeaks.class)
class SessionLinkTest {
    private static Rig rig;
    private static SessionLink link;

    @BeforeAll
    static void start() {
        rig = new Rig();
        link = rig.link();
    }

    @AfterAll
    static void stop() {
        link.close();
        rig.close();
    }

    private static final class Quiet implements Conversation.Reports {
        final CompletableFuture<Integer> left = new CompletableFuture<>();

        @Override
        public void facts(Unwritten.Batch batch) {}

        @Override
        public void callTool(String callId, String name, String arguments) {}

        @Override
        public void ended(EndReason reason, String detail) {}

        @Override
        public void parted() {}

        @Override
        public void callerSeated(String seat) {}

        @Override
        public void callerEnded(String seat, int code) {
            left.complete(code);
        }
    }

    private static Conversation keeps(String seat, Quiet reports) {
        var conversation = new Conversation(
                SessionId.mint(1),
                rig.loops.get(0),
                rig.room(),
                reports,
                SessionState.Live.opened(new SessionEvent.Opened(
                        Facts.ANNA, Face.REALTIME, parley.admission.Arm.VOICE, "usual", Rig.NOON, null, null)),
                true,
                Owed.NOTHING,
                SessionTrace.none());
        conversation.start();
        rig.conversations.keep(
                seat, new Conversations.Seat(conversation, Conversations.Manner.FIRST, 1, -1, null, false));
        return conversation;
    }

    private static void tells(Meters meters, String... lines) {
        assertThat(meters.prometheus().lines()).contains(lines);
    }

    private static void awaits(Meters meters, String line) {
        Rig.eventually(() -> meters.prometheus().lines().anyMatch(line::equals));
    }

    private static Port opens(String seat) {
        return Rig.await(link.open(rig.loops.get(1), "127.0.0.1", link.port(), seat));
    }

    @Test
    void aSeatThatNobodyKeepsIsRefusedSoThatTheCallerTriesAgain() {
        var line = opens("nobody");

        assertThat(Rig.await(line.closed())).isEqualTo(new WebSocketClose(1012, "the seat is gone", true));
    }

    @Test
    void aSeatIsTakenOnce() {
        var talk = keeps("once", new Quiet());
        var provider = rig.provider.called().taken();
        opens("once");
        var second = opens("once");

        assertThat(Rig.await(second.closed()).code()).isEqualTo(1012);
        talk.end(EndReason.CALLER_LEFT);
        assertThat(provider.ended().code()).isEqualTo(1000);
    }

    @Test
    void aNodeThatCannotBeReachedFailsTheLine() {
        var failed = link.open(rig.loops.get(1), "127.0.0.1", 1, "seat").toCompletableFuture();

        assertThat(failed.handle((line, failure) -> failure)
                        .orTimeout(60, TimeUnit.SECONDS)
                        .join())
                .isInstanceOf(CompletionException.class)
                .hasRootCauseInstanceOf(java.io.IOException.class);
    }

    @Test
    void aLostConnectionDetachesTheCallerAndSendsItBack() {
        var reports = new Quiet();
        var talk = keeps("lost", reports);
        var provider = rig.provider.called().taken();
        var other = rig.link();
        var otherMeters = new Meters();
        SessionGauges.link(otherMeters, other);
        var line = Rig.await(other.open(rig.loops.get(0), "127.0.0.1", link.port(), "lost"));
        rig.loops.get(0).execute(() -> line.send(Frame.text(Events.append(20))));
        provider.says(Events.created());
        assertThat(provider.hears()).isEqualTo(Events.append(20));
        tells(
                otherMeters,
                "voice_link_connections{direction=\"out\"} 1",
                "voice_link_connections{direction=\"in\"} 0",
                "voice_link_lines 1",
                "voice_link_lines_lost_total 0");
        other.close();

        assertThat(Rig.await(line.closed()).code()).isEqualTo(1012);
        assertThat(Rig.await(reports.left)).isEqualTo(1012);
        rig.loops.get(0).execute(line::discard);
        awaits(otherMeters, "voice_link_lines_lost_total 1");
        awaits(otherMeters, "voice_link_lines 0");
        awaits(otherMeters, "voice_link_connections{direction=\"out\"} 0");
        talk.end(EndReason.CALLER_LEFT);
    }

    @Test
    void aCloseCodeTravelsBothWays() {
        var reports = new Quiet();
        var talk = keeps("left", reports);
        rig.provider.called().taken();
        var line = opens("left");
        line.close(1006, "gone");
        assertThat(Rig.await(reports.left)).isEqualTo(1006);
        talk.end(EndReason.CALLER_LEFT);

        var other = keeps("ended", new Quiet());
        rig.provider.called().taken();
        var listened = opens("ended");
        other.end(EndReason.MAX_LENGTH);

        assertThat(Rig.await(listened.closed())).isEqualTo(new WebSocketClose(1000, "max_length", true));
    }

    @Test
    void thePortOfAnotherIsNotTaken() {
        var settings = Rig.settings(java.util.Map.of("parley.session.link.port", link.port()));

        var second =
                SessionLink.start(rig.loops, settings, 1024, rig.conversations).toCompletableFuture();

        assertThat(second.handle((started, failure) -> failure)
                        .orTimeout(60, TimeUnit.SECONDS)
                        .join())
                .isInstanceOf(java.net.BindException.class);
    }

    @Test
    void connectionsOfOtherNodesAreServedByAllLoops() {
        var others =
                java.util.stream.IntStream.range(0, 4).mapToObj(n -> rig.link()).toList();
        others.forEach(other -> Rig.await(other.open(rig.loops.get(1), "127.0.0.1", link.port(), "nobody"))
                .closed()
                .toCompletableFuture()
                .join());

        assertThat(link.loops()).hasSize(rig.loops.count());
        others.forEach(SessionLink::close);
    }

    @Test
    void aStoppedNodesLinesEndAtBothSides() {
        var reports = new Quiet();
        var other = rig.link();
        var talk = keeps("stopped", reports);
        rig.provider.called().taken();
        var line = Rig.await(link.open(rig.loops.get(1), "127.0.0.1", other.port(), "stopped"));
        var answer = new CompletableFuture<Void>();
        rig.loops.get(1).execute(() -> {
            line.onReadable(() -> answer.complete(null));
            line.send(Frame.text("nonsense"));
        });
        Rig.await(answer);
        other.close();

        assertThat(Rig.await(line.closed()).code()).isEqualTo(1012);
        assertThat(Rig.await(reports.left)).isEqualTo(1012);
        rig.loops.get(1).execute(line::discard);
        talk.end(EndReason.CALLER_LEFT);
    }
}
