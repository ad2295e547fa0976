package parley.gateway;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import parley.admission.Admission;
import parley.admission.Arm;
import parley.admission.CallerId;
import parley.admission.Quotas;
import parley.session.Face;
import parley.session.Sessions;

/** L7: whom the faces and the sessions' resource ask before a session begins. */
@Tag("stream")
class QuotaTest {
    private static final String KEY = "Sec-WebSocket-Protocol: realtime, openai-insecure-api-key.";

    private final Rig rig = new Rig();
    private final Admission admission = Rig.admission();
    private final FakeQuotas quotas = new FakeQuotas();
    private final Gateway gateway = rig.open(Rig.settings(), RateSettings.from(Rig.config()), admission, quotas);

    @AfterEach
    void close() {
        rig.close();
    }

    /** Answers later, on a thread of its own, what the test says. */
    private static final class FakeQuotas implements Quotas {
        final List<String> taken = new ArrayList<>();
        final List<String> givenBack = new ArrayList<>();
        volatile Answer answer = new Answer.Granted();

        @Override
        public CompletionStage<Answer> take(CallerId caller, String session) {
            synchronized (this) {
                taken.add(caller.user() + " " + session);
            }
            return look(caller);
        }

        @Override
        public CompletionStage<Answer> look(CallerId caller) {
            return CompletableFuture.supplyAsync(() -> answer);
        }

        @Override
        public synchronized void giveBack(CallerId caller, String session) {
            givenBack.add(caller.user() + " " + session);
        }

        synchronized List<String> taken() {
            return List.copyOf(taken);
        }

        synchronized List<String> givenBack() {
            return List.copyOf(givenBack);
        }
    }

    private Line line() throws IOException {
        return Line.to(gateway.address());
    }

    private static String bearer(String user) {
        return "Authorization: Bearer " + Rig.token(user);
    }

    private void refuses() {
        quotas.answer = new Quotas.Answer.Refused(5, Duration.ofMillis(61_001));
    }

    @ParameterizedTest
    @ValueSource(strings = {"/v1/realtime", "/v1/ws/voice"})
    void aNewSessionCountsAndOneThatIsGoneOnWithDoesNot(String path) throws IOException {
        var id = FakeSessions.id(0);
        try (var first = line();
                var again = line();
                var named = line()) {
            assertThat(first.upgrade(path, bearer("anna")).status()).isEqualTo(101);
            first.say("x");
            first.hear();
            refuses();
            assertThat(again.upgrade(path + "?session_id=" + id + "&resume_token=t", bearer("anna"))
                            .status())
                    .isEqualTo(101);
            assertThat(named.upgrade(path + "?session_id=" + id, bearer("anna")).status())
                    .as("opened ahead")
                    .isEqualTo(101);
        }

        assertThat(quotas.taken()).containsExactly("anna " + id);
        assertThat(quotas.givenBack()).isEmpty();
    }

    @Test
    void whoHasBegunEnoughIsRefusedBeforeTheUpgradeAndHoldsNoPlace() throws IOException {
        refuses();
        try (var line = line()) {
            var reply = line.upgrade("/v1/realtime", bearer("anna"));

            assertThat(reply.status()).isEqualTo(429);
            assertThat(reply.header("retry-after")).isEqualTo("62");
            assertThat(reply.body()).contains("\"code\":\"quota_exceeded\"").contains("\"retry_after_ms\":61001");
            assertThat(admission.connections()).isZero();
            assertThat(line.ask("GET", "/health").status()).isEqualTo(200);
        }
    }

    @Test
    void aPageIsToldAfterTheUpgrade() throws IOException {
        refuses();
        try (var line = line()) {
            assertThat(line.upgrade("/v1/ws/voice", KEY + Rig.token("anna")).status())
                    .isEqualTo(101);

            assertThat(line.hear().text())
                    .contains("\"code\":\"quota_exceeded\"")
                    .contains("\"retry_after_ms\":61001");
            assertThat(line.hear()).isEqualTo(new Line.Heard(1013, "quota_exceeded"));
        }
    }

    @Test
    void whenNobodyCountsTheAnswerIsToComeAgain() throws IOException {
        quotas.answer = new Quotas.Answer.Unanswered(Duration.ofSeconds(5));
        try (var line = line()) {
            var reply = line.upgrade("/v1/realtime", bearer("anna"));

            assertThat(reply.status()).isEqualTo(503);
            assertThat(reply.header("retry-after")).isEqualTo("5");
            assertThat(reply.body()).contains("\"code\":\"quota_unavailable\"");
            assertThat(line.post("/v1/sessions", "{}", bearer("anna")).status()).isEqualTo(503);
            assertThat(admission.connections()).isZero();
        }
    }

    @Test
    void whoIsRefusedForAnotherReasonIsNotCounted() throws IOException {
        var closed = rig.open(Rig.settings(), RateSettings.from(Rig.config()), Rig.admission("deny = [anna]"), quotas);
        try (var line = Line.to(closed.address())) {
            assertThat(line.upgrade("/v1/realtime", bearer("anna")).status()).isEqualTo(403);
            assertThat(line.post("/v1/sessions", "{}", bearer("anna")).status()).isEqualTo(403);
            assertThat(line.post("/v1/sessions", "{\"face\":\"fax\"}", bearer("ben"))
                            .status())
                    .isEqualTo(400);
        }

        assertThat(quotas.taken()).isEmpty();
    }

    @Test
    void aSessionThatIsOpenedAheadCountsWhenItIsOpened() throws IOException {
        try (var line = line()) {
            var opened = line.post("/v1/sessions", "{}", bearer("anna"));
            refuses();
            var refused = line.post("/v1/sessions", "{}", bearer("anna"));

            assertThat(opened.status()).isEqualTo(201);
            assertThat(refused.status()).isEqualTo(429);
            assertThat(refused.body()).contains("\"code\":\"quota_exceeded\"");
            assertThat(rig.sessions.opened()).containsOnlyKeys(FakeSessions.id(0));
            assertThat(rig.sessions.opened().get(FakeSessions.id(0)))
                    .isEqualTo(new Sessions.Opening(
                            new CallerId("anna", "default"), Face.VOICE, Arm.VOICE, null, "BUCKET", 0L));
        }
    }

    @Test
    void aSessionThatCouldNotBeginIsGivenBack() throws IOException {
        try (var line = line();
                var socket = line()) {
            assertThat(line.post("/v1/sessions", "{}", bearer("slow")).status()).isEqualTo(503);
            assertThat(socket.upgrade("/v1/realtime", bearer("slow")).status()).isEqualTo(101);
            assertThat(socket.hear().text()).contains("session_unavailable");
        }

        var id = FakeSessions.id(0);
        Rig.await("both", () -> quotas.givenBack().size() == 2);
        assertThat(quotas.givenBack()).containsOnly("slow " + id);
    }

    @Test
    void aPageThatAsksWhyIsToldAndNothingCounts() throws IOException {
        try (var line = line()) {
            assertThat(line.ask("GET", "/v1/realtime", bearer("anna")).status()).isEqualTo(426);
            refuses();
            assertThat(line.ask("GET", "/v1/realtime", bearer("anna")).status()).isEqualTo(429);
            assertThat(line.ask("GET", "/v1/realtime?session_id=" + FakeSessions.id(0), bearer("anna"))
                            .status())
                    .isEqualTo(426);
        }

        assertThat(quotas.taken()).isEmpty();
    }
}
