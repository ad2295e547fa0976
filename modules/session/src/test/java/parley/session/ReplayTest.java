package parley.session;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import io.netty.channel.embedded.EmbeddedChannel;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import parley.wire.Frame;

@Tag("unit")
@ExtendWith(NoLeaks.class)
class ReplayTest {
    private final SessionMetrics metrics = new SessionMetrics();
    private final Replay replay = replay(4, "1s");

    private Replay replay(int events, String audio) {
        return new Replay(
                Rig.settings(Map.of("parley.session.replay.events", events, "parley.session.replay.audio", audio)),
                metrics,
                10);
    }

    @AfterEach
    void release() {
        replay.clear(0);
    }

    private static Frame event(long seq) {
        return Frame.text("{\"seq\":" + seq + "}");
    }

    private void sent(long seq, long audioMs) {
        var frame = event(seq);
        replay.keep(seq, frame, audioMs, null, 0, true);
        frame.release();
    }

    private List<Long> after(long seq) {
        return replay.after(seq).stream().map(Replay.Sent::seq).toList();
    }

    @Test
    void whatWasSentIsThereUntilItIsAcknowledged() {
        sent(11, 0);
        sent(12, 0);
        sent(13, 0);
        assertThat(after(11)).containsExactly(12L, 13L);

        replay.acked(12);

        assertThat(after(0)).containsExactly(13L);
        assertThat(replay.reachesBackTo(12)).isTrue();
        assertThat(replay.reachesBackTo(11)).isFalse();
        assertThat(metrics.replayForgottenMs()).isZero();
    }

    @Test
    void beforeAnythingWasSentItReachesBackToWhereTheNumbersBegin() {
        assertThat(replay.reachesBackTo(10)).isTrue();
        assertThat(replay.reachesBackTo(9)).isFalse();
        assertThat(replay.audioMsAfter(10)).isZero();
        assertThat(replay.audioMsAfter(9)).as("sent before its time").isEqualTo(-1);
    }

    @Test
    void beyondItsEventsTheOldestGo() {
        for (int seq = 11; seq <= 16; seq++) {
            sent(seq, 0);
        }

        assertThat(after(0)).containsExactly(13L, 14L, 15L, 16L);
        assertThat(replay.reachesBackTo(12)).isTrue();
        assertThat(replay.reachesBackTo(11)).isFalse();
    }

    @Test
    void beyondItsAudioTheOldestGo() {
        sent(11, 400);
        sent(12, 400);
        sent(13, 200);
        assertThat(replay.audioMs()).isEqualTo(1000);
        sent(14, 300);

        assertThat(after(0)).containsExactly(12L, 13L, 14L);
        assertThat(replay.audioMs()).isEqualTo(900);
        assertThat(metrics.replayForgottenMs()).isEqualTo(400);
    }

    @Test
    void anEventThatIsTooLongByItselfIsNotKept() {
        sent(11, 100);
        sent(12, 1001);

        assertThat(replay.events()).isZero();
        assertThat(replay.audioMs()).isZero();
        assertThat(replay.reachesBackTo(12)).isTrue();
        assertThat(replay.reachesBackTo(11)).isFalse();
    }

    @Test
    void howMuchAudioWasMissedIsKnownToTheEventWhereEverythingIsThere() {
        sent(11, 300);
        sent(12, 200);
        sent(13, 100);

        assertThat(replay.audioMsAfter(11)).isEqualTo(300);
        assertThat(replay.audioMsAfter(10)).isEqualTo(600);
        assertThat(replay.audioMsAfter(13)).isZero();
    }

    @Test
    void ofAudioThatHasGoneTheSumIsKnown() {
        for (int seq = 11; seq <= 18; seq++) {
            sent(seq, 200);
        }

        assertThat(replay.audioMsAfter(10)).isEqualTo(1600);
        assertThat(replay.audioMsAfter(12)).as("in proportion").isEqualTo(1200);
    }

    @Test
    void whatWasAcknowledgedIsNotMissed() {
        for (int seq = 11; seq <= 18; seq++) {
            sent(seq, 200);
        }
        replay.acked(16);
        sent(19, 200);

        assertThat(replay.audioMsAfter(16)).isEqualTo(600);
        assertThat(replay.audioMsAfter(15)).isEqualTo(-1);
    }

    @Test
    void anAcknowledgementOfWhatHasGoneFreesNothing() {
        for (int seq = 11; seq <= 16; seq++) {
            sent(seq, 0);
        }
        replay.acked(11);
        replay.acked(-5);

        assertThat(after(0)).containsExactly(13L, 14L, 15L, 16L);
    }

    @Test
    void anAcknowledgementOfEverythingLeavesNothing() {
        sent(11, 100);
        replay.acked(Long.MAX_VALUE);

        assertThat(replay.events()).isZero();
        assertThat(replay.audioMs()).isZero();
        assertThat(replay.reachesBackTo(11)).isTrue();
    }

    @Test
    void aFrameLivesAsLongAsTheWireOrTheReplayNeedsIt() {
        var frame = event(11);
        replay.keep(11, frame, 0, null, 0, true);
        frame.release();
        assertThat(frame.buffer().refCnt()).isEqualTo(1);

        var again = replay.after(10).getFirst().again();
        replay.acked(11);
        assertThat(again.utf8()).isEqualTo("{\"seq\":11}");
        again.release();
        assertThat(frame.buffer().refCnt()).isZero();
    }

    @Test
    void headersThatAreWrittenInFrontOfAFrameAndItsReadingLeaveItAsItWas() {
        var frame = event(11);
        replay.keep(11, frame, 0, null, 0, true);
        var buffer = frame.buffer();
        int start = buffer.readerIndex() - 8;
        int end = buffer.writerIndex();
        buffer.setIndex(start, start).writeLong(-1).writerIndex(end);
        buffer.skipBytes(buffer.readableBytes());
        frame.release();

        var again = replay.after(10).getFirst().again();

        assertThat(again.utf8()).isEqualTo("{\"seq\":11}");
        again.release();
    }

    @Test
    void whatIsSentAgainHasNoRoomForAHeaderThatAnotherWriterWouldSee() {
        sent(11, 0);
        var first = replay.after(10).getFirst().again();
        var second = replay.after(10).getFirst().again();

        assertThat(first.buffer().readerIndex()).isZero();
        assertThat(first.buffer().maxCapacity()).isEqualTo(first.length());
        first.buffer().skipBytes(3);
        assertThat(second.utf8()).isEqualTo("{\"seq\":11}");
        first.release();
        second.release();
    }

    @Test
    void theSameEventUnderWayOnTwoLinesOfALinkReachesEachAsItWas() {
        var channel = new EmbeddedChannel();
        var connection =
                new LinkConnection(channel, 1 << 20, Rig.settings(java.util.Map.of()), (link, stream, seat) -> {});
        var frame = event(11);
        replay.keep(11, frame, 0, null, 0, true);
        connection.send(7, frame);
        connection.send(8, replay.after(10).getFirst().again());
        connection.send(9, replay.after(10).getFirst().again());
        channel.runPendingTasks();

        for (int stream = 7; stream <= 9; stream++) {
            ByteBuf message = channel.readOutbound();
            assertThat(message.readInt()).isEqualTo(4 + 10);
            assertThat(message.readInt()).isEqualTo(LinkConnection.TEXT << 24 | stream);
            assertThat(message.toString(StandardCharsets.UTF_8)).isEqualTo("{\"seq\":11}");
            message.release();
        }
        channel.finishAndReleaseAll();
    }

    @Test
    void afterClearingTheNextNumberFollows() {
        sent(11, 100);
        sent(12, 100);
        replay.clear(40);
        sent(41, 100);

        assertThat(after(0)).containsExactly(41L);
        assertThat(replay.reachesBackTo(40)).isTrue();
        assertThat(replay.reachesBackTo(39)).isFalse();
        assertThat(replay.audioMsAfter(40)).isEqualTo(100);
    }
}
