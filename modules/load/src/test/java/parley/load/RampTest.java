package parley.load;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.handler.codec.http.websocketx.CloseWebSocketFrame;
import io.netty.handler.codec.http.websocketx.TextWebSocketFrame;
import io.netty.handler.codec.http.websocketx.WebSocketServerProtocolHandler;
import io.netty.util.ReferenceCountUtil;
import java.io.ByteArrayOutputStream;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import parley.load.Ramp.Limit;
import parley.load.Ramp.Verdict;

@Tag("stream")
@Timeout(240)
@Execution(ExecutionMode.CONCURRENT)
class RampTest {
    private static final int WITHIN = 20;

    /** What each session puts before the echo. */
    private interface Handlers {
        ChannelHandler session(int number);
    }

    @Test
    void eachStepIsMeasuredByItselfAndNobodyHasToConnectAnew() throws Exception {
        var steps = new ArrayList<Tally>();
        try (var server = EchoServer.start(0, EchoConversation::new);
                var crowd = new Crowd(options(server.port()), silent())) {
            for (int step = 1; step <= 3; step++) {
                crowd.join(2);
                crowd.talk(0, 1);
                steps.add(crowd.take());
                assertThat(crowd.connected()).isEqualTo(2L * step);
            }
            crowd.leave();
            assertThat(crowd.take().closes).isEqualTo(Map.of("1000", 6L));
        }

        for (int step = 1; step <= 3; step++) {
            var seen = steps.get(step - 1);
            assertThat(seen.sent.sum()).isBetween(1L, 20L * step);
            assertThat(seen.heard.sum()).isEqualTo(seen.sent.sum());
            assertThat(seen.roundTrip.getTotalCount()).isEqualTo(seen.sent.sum());
            assertThat(seen.connect.getTotalCount()).isEqualTo(2);
            assertThat(seen.lost + seen.corrupt + seen.reordered).isZero();
        }
    }

    @Test
    void aRampThatMeetsNoLimitComesToItsEnd() throws Exception {
        var report = ramp(number -> new ChannelInboundHandlerAdapter());

        assertThat(report.steps()).hasSize(3);
        assertThat(report.limit()).isEqualTo(Limit.NONE);
        assertThat(report.largest()).isEqualTo(6);
    }

    @Test
    void aLostFrameEndsTheRamp() throws Exception {
        var report = ramp(number -> number == 3 ? new Deaf() : new ChannelInboundHandlerAdapter());

        assertThat(report.steps()).hasSize(2);
        assertThat(report.largest()).isEqualTo(2);
        assertThat(report.steps().getLast().report().frames().lost()).isPositive();
    }

    @Test
    void aSessionThatIsRefusedEndsTheRamp() throws Exception {
        var report = ramp(number -> number == 0 ? new Refusing() : new ChannelInboundHandlerAdapter());

        assertThat(report.steps()).hasSize(1);
        assertThat(report.largest()).isZero();
        assertThat(report.steps().getFirst().report().sessions().failed()).isEqualTo(1);
    }

    @Test
    void anInterruptedStepDoesNotCount() throws Exception {
        try (var server = EchoServer.start(0, EchoConversation::new)) {
            var options = options(server.port(), "--seconds", "3600");
            var ramp = new Ramp(options, options.climb().orElseThrow(), silent(), silent());
            ramp.stop();
            var report = ramp.report();

            assertThat(report.limit()).isEqualTo(Limit.INTERRUPTED);
            assertThat(report.largest()).isZero();
            assertThat(report.steps()).hasSize(1);
        }
    }

    @Test
    void aStepWithinTheBoundIsHeld() {
        assertThat(verdict(step -> step)).isEqualTo(new Verdict(Limit.NONE, "held"));
    }

    @Test
    void whatCameLateAlthoughItWasSentInTimeIsTheGatewaysFault() {
        assertThat(verdict(step -> step.roundTrip(31).service(30)))
                .isEqualTo(new Verdict(Limit.GATEWAY, "P99 31.0 ms is over 20"));
    }

    @Test
    void whatCameLateBecauseItWasSentLateIsTheGeneratorsFault() {
        assertThat(verdict(step -> step.roundTrip(31).service(3)))
                .isEqualTo(new Verdict(Limit.GENERATOR, "P99 31.0 ms is over 20, sent late"));
    }

    @Test
    void whereTheGeneratorWasLateOrFullTheGatewayIsNotBlamed() {
        assertThat(verdict(step -> step.lost(5).late(2.5)))
                .isEqualTo(new Verdict(
                        Limit.GENERATOR,
                        "frames: 5 lost, 0 not sent, 0 doubled, 0 reordered, 0 corrupt, 2.5 % sent over 5 ms late"));
        assertThat(verdict(step -> step.roundTrip(31).service(30).busy(95)))
                .isEqualTo(new Verdict(Limit.GENERATOR, "P99 31.0 ms is over 20, generator's loop 95 % busy"));
    }

    @Test
    void whatCameBackInTimeWasHeldEvenIfItWasSentLate() {
        assertThat(verdict(step -> step.late(2.5)))
                .isEqualTo(new Verdict(Limit.NONE, "held, 2.5 % sent over 5 ms late"));
    }

    @Test
    void aLossIsTheGatewaysLimit() {
        assertThat(verdict(step -> step.lost(5)))
                .isEqualTo(new Verdict(Limit.GATEWAY, "frames: 5 lost, 0 not sent, 0 doubled, 0 reordered, 0 corrupt"));
        assertThat(verdict(step -> step.cut(2)))
                .isEqualTo(new Verdict(Limit.GATEWAY, "0 sessions failed to connect, 2 cut"));
    }

    @Test
    void theLargestNumberIsThatOfTheLastStepThatWasHeld() {
        var held = step(new Figures());
        var over = step(new Figures().roundTrip(31).service(30));
        var late = step(new Figures().roundTrip(31).late(9));

        assertThat(RampTable.conclusion(report(held, over))).endsWith("largest N within P99 <= 20 ms: 100\n");
        assertThat(report(held, over).json())
                .contains("\"largest\" : 100,")
                .contains("\"limit\" : \"gateway\"")
                .contains("\"within_millis\" : 20");
        assertThat(RampTable.conclusion(report(held, late)))
                .contains("100 or more: the GENERATOR was the limit, not the gateway (P99 31.0 ms is over 20, 9.0 %");
        assertThat(RampTable.conclusion(report(held))).contains("100 or more: the ramp ended there");
        assertThat(RampTable.conclusion(report(step(new Figures().lost(1).machine(99)))))
                .endsWith("0; the machine was full: so much all on it carry together\n");
        assertThat(RampTable.conclusion(report(over))).endsWith("largest N within P99 <= 20 ms: 0\n");
    }

    @Test
    void aFirstStepThatIsNotLetInIsNoNumberOfSessions() throws Exception {
        var told = new ByteArrayOutputStream();
        RampReport report;
        try (var server = EchoServer.start(0, Busy::new)) {
            var options = options(server.port());
            var table = new PrintStream(told, false, StandardCharsets.UTF_8);
            report = new Ramp(options, options.climb().orElseThrow(), table, silent()).report();
        }

        var why =
                "2 sessions failed to connect (HTTP 503 Service Unavailable, capacity: No voice for this call), 0 cut";
        assertThat(RampTable.conclusion(report))
                .isEqualTo("\nno N is known: the first step, of 2 sessions, was not let in: " + why + "\n");
        assertThat(told.toString(StandardCharsets.UTF_8))
                .containsOnlyOnce("sessions   P50 ms")
                .endsWith("       2  " + why + "\n");
    }

    @Test
    void moreThreadsAreAdvisedOnlyWhereThereAreProcessorsForThem() {
        assertThat(new Report.Generator(9, 45, 20, 95, 1).advice(2))
                .contains("more --threads (1 now, for 2 processors)");
        assertThat(new Report.Generator(9, 45, 20, 95, 2).advice(2))
                .isEqualTo("use a machine with more processors: there are 2 --threads for 2 already");
        assertThat(new Report.Generator(9, 45, 20, 40, 1).advice(2)).isEqualTo("use a quieter machine");
    }

    private static RampReport report(RampReport.Step... steps) {
        return RampReport.of(new Climb(100, 300, 100, WITHIN), List.of(steps));
    }

    private static RampReport.Step step(Figures figures) {
        return new RampReport.Step(Verdict.of(figures.report(), WITHIN), figures.report());
    }

    private static Verdict verdict(UnaryOperator<Figures> change) {
        return step(change.apply(new Figures())).verdict();
    }

    /** Of a step that was held, unless told otherwise. */
    private record Figures(
            double roundTrip, double service, long lost, long cut, double late, double busy, double machine) {
        Figures() {
            this(12, 11, 0, 0, 0.1, 40, 80);
        }

        Figures roundTrip(double p99) {
            return new Figures(p99, service, lost, cut, late, busy, machine);
        }

        Figures service(double p99) {
            return new Figures(roundTrip, p99, lost, cut, late, busy, machine);
        }

        Figures lost(long frames) {
            return new Figures(roundTrip, service, frames, cut, late, busy, machine);
        }

        Figures cut(long sessions) {
            return new Figures(roundTrip, service, lost, sessions, late, busy, machine);
        }

        Figures late(double percent) {
            return new Figures(roundTrip, service, lost, cut, percent, busy, machine);
        }

        Figures busy(double percent) {
            return new Figures(roundTrip, service, lost, cut, late, percent, machine);
        }

        Figures machine(double percent) {
            return new Figures(roundTrip, service, lost, cut, late, busy, percent);
        }

        Report report() {
            return new Report(
                    new Report.Setup("ws://host/x", "duplex", 100, 100, 5, 10, 10),
                    new Report.Sessions(100, 0, cut, Map.of()),
                    Map.of(
                            "round_trip", new Report.Latency(10_000, 1, 2, roundTrip, 40, 50),
                            "service", new Report.Latency(10_000, 1, 2, service, 40, 50)),
                    new Report.Frames(10_000, 10_000 - lost, lost, 0, 0, 0, 0, 200, 1000, 1000),
                    new Report.Turns(0, 0, 0, 0, Map.of(), Map.of()),
                    Map.of(),
                    Map.of(),
                    new Report.Generator(late, 45, 20, busy, 1),
                    new Report.Machine(2, machine, 1.5),
                    List.of(),
                    lost + cut == 0);
        }
    }

    private static RampReport ramp(Handlers handlers) throws Exception {
        var number = new AtomicInteger();
        try (var server =
                EchoServer.start(0, () -> handlers.session(number.getAndIncrement()), EchoConversation::new)) {
            var options = options(server.port());
            return new Ramp(options, options.climb().orElseThrow(), silent(), silent()).report();
        }
    }

    /** Three steps of two sessions more, with ten frames a second, and no bound that a busy machine could miss. */
    private static Options options(int port, String... more) {
        var arguments = new ArrayList<>(List.of("--url", "ws://127.0.0.1:" + port + "/v1/realtime"));
        arguments.addAll(List.of("--ramp", "2:6:2", "--within", "60000", "--warmup", "0", "--connect-rate", "1000"));
        arguments.addAll(more.length > 0 ? List.of(more) : List.of("--seconds", "1"));
        return Options.parse(arguments, Map.of());
    }

    private static PrintStream silent() {
        return new PrintStream(OutputStream.nullOutputStream(), false, StandardCharsets.UTF_8);
    }

    /** Hears nothing that the caller says. */
    private static final class Deaf extends ChannelInboundHandlerAdapter {
        @Override
        public void channelRead(ChannelHandlerContext context, Object message) {
            if (message instanceof TextWebSocketFrame) ReferenceCountUtil.release(message);
            else context.fireChannelRead(message);
        }
    }

    /** Answers the upgrade as a gateway does that has no room. */
    private static final class Busy extends ChannelInboundHandlerAdapter {
        @Override
        public void handlerAdded(ChannelHandlerContext context) {
            context.pipeline().addFirst("busy", new HttpRefusal());
        }
    }

    private static final class Refusing extends ChannelInboundHandlerAdapter {
        @Override
        public void userEventTriggered(ChannelHandlerContext context, Object event) {
            if (event instanceof WebSocketServerProtocolHandler.HandshakeComplete) {
                context.writeAndFlush(new CloseWebSocketFrame(4000, "no.thanks"));
            }
        }
    }
}
