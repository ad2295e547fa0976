package parley.gateway;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import parley.admission.Admission;
import parley.admission.Arm;
import parley.admission.CallerId;
import parley.admission.Quotas;
import parley.session.Face;
import parley.session.Sessions.Opening;

/** F2: the address of an interview, and what its caller is told before the upgrade. */
@Tag("stream")
class InterviewsTest {
    private static final String CONNECT = "/api/v1/interviews/int-1/realtime/connect";

    private final Rig rig = new Rig();
    private final Admission admission = Rig.admission();
    private final Counting quotas = new Counting();
    private final Gateway gateway = rig.open(Rig.settings(), RateSettings.from(Rig.config()), admission, quotas);

    private static final class Counting implements Quotas {
        final List<String> taken = new CopyOnWriteArrayList<>();
        volatile Answer answer = new Answer.Granted();

        @Override
        public CompletionStage<Answer> take(CallerId caller, String session) {
            taken.add(session);
            return look(caller);
        }

        @Override
        public CompletionStage<Answer> look(CallerId caller) {
            return CompletableFuture.completedFuture(answer);
        }

        @Override
        public void giveBack(CallerId caller, String session) {
            throw new IllegalStateException("an interview keeps its session's name");
        }
    }

    @AfterEach
    void close() {
        rig.close();
    }

    private Line line() throws IOException {
        return Line.to(gateway.address());
    }

    private static String token(String user) {
        return "?token=" + Rig.token(user);
    }

    private void everybodyLeft() {
        Rig.await("no connections", () -> admission.connections() == 0);
    }

    @Test
    void aCallerWithATokenInTheAddressIsPutThroughToTheInterviewsSession() throws IOException {
        try (var line = line()) {
            assertThat(line.upgrade(CONNECT + token("anna") + "&model=m").status())
                    .isEqualTo(101);
            line.say("{}");
            assertThat(line.hear().text()).isEqualTo("{}");
        }
        var join = rig.sessions.joins().remove();
        assertThat(join.opening().interview()).isEqualTo("int-1");
        assertThat(join.opening().face()).isEqualTo(Face.VOICE);
        assertThat(join.opening().model()).isEqualTo("m");
        assertThat(join.again()).isFalse();
        assertThat(join.acks()).isFalse();
        assertThat(quotas.taken).containsExactly(FakeSessions.id(100).value());
        everybodyLeft();
    }

    @Test
    void aSecondOneIsRefusedBeforeTheUpgradeAndAPageWithACode() throws IOException {
        try (var first = line();
                var second = line();
                var page = line();
                var back = line()) {
            first.upgrade(CONNECT + token("anna"));

            var refused = second.upgrade(CONNECT, "Authorization: Bearer " + Rig.token("anna"));

            assertThat(refused.status()).isEqualTo(409);
            assertThat(refused.body()).contains("\"code\":\"interview_taken\"");
            assertThat(page.upgrade(CONNECT + token("anna"), "Origin: http://" + page.host())
                            .status())
                    .isEqualTo(101);
            assertThat(page.hear().text()).contains("interview_taken");
            assertThat(page.hear()).isEqualTo(new Line.Heard(4409, "interview_taken"));
            Rig.await("the page is gone", () -> admission.connections() == 1);
            assertThat(back.upgrade(CONNECT + token("anna") + "&resume_token=t&last_seq=7")
                            .status())
                    .isEqualTo(101);
        }
        var joins = List.copyOf(rig.sessions.joins());
        assertThat(joins.getLast().resumeToken()).isEqualTo("t");
        assertThat(joins.getLast().lastSeq()).isEqualTo(7);
        assertThat(joins.getLast().again()).isTrue();
        assertThat(quotas.taken).as("one session, one place").hasSize(1);
        everybodyLeft();
    }

    @Test
    void afterItsEndAnInterviewBeginsAnother() throws IOException {
        var over = FakeSessions.id(100);
        rig.sessions.interviews().put("default int-1", over);
        rig.sessions
                .opened()
                .put(
                        over,
                        new Opening(
                                new CallerId("anna", "default"), Face.VOICE, Arm.VOICE, "over", null, null, "int-1"));
        try (var line = line()) {
            assertThat(line.upgrade(CONNECT + token("anna")).status()).isEqualTo(101);
        }
        assertThat(quotas.taken).hasSize(1).doesNotContain(over.value());
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "/api/v1/interviews/int-1/realtime/connect|X: y|401",
                "/api/v1/interviews/int-1/realtime/connect?token=x|X: y|401",
                "/api/v1/interviews/int%201/realtime/connect?token=GOOD|X: y|400",
                "/api/v1/interviews//realtime/connect?token=GOOD|X: y|400",
                "/api/v1/interviews/gone/realtime/connect?token=GOOD|X: y|503",
                "/api/v1/interviews/int-1/realtime/connect?token=GOOD&last_seq=x|X: y|400",
                "/api/v1/interviews/int-1/realtime/connect?token=SLOW|X: y|503",
                "/api/v1/interviews/int-1/realtime/connect?token=BROKEN|X: y|503",
                "/api/v1/interviews/int-1/realtime|Authorization: Bearer GOOD|404",
                "/v1/ws/voice?token=GOOD|X: y|401",
            })
    void aRefusalComesBeforeTheUpgrade(String path, String header, int status) throws IOException {
        try (var line = line()) {
            var reply = line.upgrade(filled(path), filled(header));

            assertThat(reply.status()).isEqualTo(status);
        }
        everybodyLeft();
    }

    @Test
    void aTokenThatIsNotGoodClosesAPageWith1008() throws IOException {
        try (var line = line()) {
            line.upgrade(CONNECT + "?token=x", "Origin: http://" + line.host());
            assertThat(line.hear().text()).contains("unauthenticated");
            assertThat(line.hear()).isEqualTo(new Line.Heard(1008, "unauthenticated"));
        }
    }

    @Test
    void whoHasBegunEnoughBeginsNone() throws IOException {
        quotas.answer = new Quotas.Answer.Refused(5, Duration.ofMinutes(1));
        try (var line = line()) {
            assertThat(line.upgrade(CONNECT + token("anna")).status()).isEqualTo(429);
        }
        everybodyLeft();
        assertThat(rig.sessions.joins()).isEmpty();
    }

    @Test
    void whatIsAskedWithoutAnUpgradeTellsWhyNot() throws IOException {
        try (var line = line()) {
            assertThat(line.ask("GET", CONNECT + token("anna")).status()).isEqualTo(426);
            assertThat(line.ask("GET", CONNECT).status()).isEqualTo(401);
            assertThat(line.ask("GET", "/api/v1/interviews/a%20b/realtime/connect" + token("anna"))
                            .status())
                    .isEqualTo(400);
        }
    }

    private static String filled(String text) {
        return text.replace("GOOD", Rig.token("anna"))
                .replace("SLOW", Rig.token("slow"))
                .replace("BROKEN", Rig.token("broken"));
    }
}
