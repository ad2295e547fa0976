package parley.session;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.serialization.Serialization;
import org.apache.pekko.serialization.SerializationExtension;
import org.apache.pekko.serialization.SerializerWithStringManifest;
import org.apache.pekko.serialization.jackson.JacksonCborSerializer;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import parley.admission.Arm;
import parley.session.SessionState.Live;
import parley.session.SessionState.Over;
import parley.session.SessionState.Vacant;
import parley.session.Sessions.Join;
import parley.session.Sessions.Opening;

/**
 * What is journaled or crosses nodes. The facts are kept as bytes in {@code facts/}: a later release must read them.
 * {@code -Dparley.golden=write} writes those that are missing.
 */
@Tag("entity")
class SerializationTest {
    private static final Path GOLDEN = Path.of("src/test/resources/parley/session/facts");
    private static final SessionId ID = new SessionId("sess_0010000000000000000000");
    private static Rig rig;
    private static Serialization serialization;

    @BeforeAll
    static void start() {
        rig = new Rig();
        serialization = SerializationExtension.get(rig.system);
    }

    @AfterAll
    static void stop() {
        rig.close();
    }

    static List<SessionEvent> facts() {
        return Facts.ALL;
    }

    static Stream<Object> whatCrossesNodes() {
        var opening = new Opening(Facts.ANNA, Face.REALTIME, Arm.CONTROL, null);
        var turns =
                List.of(Turn.user(Facts.USER_SAID), Turn.agent(Facts.AGENT_SAID).cutAt(3));
        var live = new Live(Facts.OPENED, Facts.UPSTREAM, "{}", "seat", "hash", turns, Facts.SOME, 7);
        var refused = new Answer.Refused(Answer.Refusal.UNAVAILABLE, "later", Duration.ofMillis(2500));
        return Stream.of(
                new Vacant(),
                live,
                Live.opened(Facts.OPENED),
                new Over(live, EndReason.MAX_LENGTH, null, Rig.NOON),
                new Answer.Opened(ID),
                refused,
                new Answer.Refused(Answer.Refusal.OVER, "over", null),
                new Answer.Described(
                        new Answer.View(
                                ID,
                                Facts.ANNA,
                                Face.VOICE,
                                Arm.VOICE,
                                "live",
                                "pekko://here",
                                null,
                                null,
                                true,
                                2,
                                new Answer.View.Tokens(1, 2, 3, 4, 5),
                                0.25,
                                Rig.NOON,
                                null),
                        turns),
                new VoiceSession.Seating.Taken("pekko://here", "127.0.0.1", 17356, "seat"),
                new VoiceSession.Seating.Denied(refused),
                new Join(opening, true, "token"));
    }

    @ParameterizedTest
    @MethodSource
    void whatCrossesNodes(Object message) {
        if (message instanceof CborSerializable) {
            assertThat(roundTrip(message)).isEqualTo(message);
        } else {
            assertThat(message).as("travels inside a command").isInstanceOf(Join.class);
        }
    }

    @Test
    void commandsFindTheirWayBackToWhoAsked() {
        ActorRef<Answer> asked = rig.system.deadLetters();
        ActorRef<VoiceSession.Seating> seated = rig.system.deadLetters();
        var opening = new Opening(Facts.ANNA, Face.REALTIME, Arm.CONTROL, null);
        for (var command : List.of(
                new VoiceSession.Open(opening, asked),
                new VoiceSession.Describe(Facts.ANNA, asked),
                new VoiceSession.End(Facts.ANNA, asked),
                new VoiceSession.TakeSeat(new Join(opening, true, null), "pekko://there", 3, seated))) {
            assertThat(roundTrip(command)).isEqualTo(command);
        }
    }

    @ParameterizedTest
    @MethodSource("facts")
    void aFactIsReadAsItWasWritten(SessionEvent fact) throws IOException {
        var file = GOLDEN.resolve(fact.getClass().getSimpleName() + ".cbor");
        if (!Files.exists(file) && "write".equals(System.getProperty("parley.golden"))) {
            Files.createDirectories(GOLDEN);
            Files.write(file, serialization.serialize(fact).get());
        }

        var read = serialization
                .deserialize(Files.readAllBytes(file), serializer(fact).identifier(), manifest(fact))
                .get();

        assertThat(read).isEqualTo(fact);
        assertThat(roundTrip(fact)).isEqualTo(fact);
    }

    @Test
    void aFactFromANewerReleaseIsReadWithoutItsNewField() throws IOException {
        var cbor = new com.fasterxml.jackson.dataformat.cbor.databind.CBORMapper();
        var tree = (com.fasterxml.jackson.databind.node.ObjectNode)
                cbor.readTree(serialization.serialize(Facts.DELETED).get());
        var newer = cbor.writeValueAsBytes(tree.put("why", "asked to"));

        assertThat(serialization
                        .deserialize(newer, serializer(Facts.DELETED).identifier(), manifest(Facts.DELETED))
                        .get())
                .isEqualTo(Facts.DELETED);
    }

    @ParameterizedTest
    @EnumSource(EndReason.class)
    void everyReasonIsJournaledByItsName(EndReason reason) {
        var ended = new SessionEvent.Ended(reason, null, Rig.NOON);

        assertThat(roundTrip(ended)).isEqualTo(ended);
    }

    @Test
    void journaledNamesAreTheseAndStay() {
        assertThat(names(EndReason.values()))
                .contains(
                        "CALLER_LEFT",
                        "ENDED_BY_CALLER",
                        "ENDED_BY_OPERATOR",
                        "MAX_LENGTH",
                        "PROVIDER_REFUSED",
                        "PROVIDER_LOST");
        assertThat(names(Face.values())).contains("REALTIME", "VOICE");
        assertThat(names(Arm.values())).contains("VOICE", "CONTROL");
        assertThat(names(Turn.Role.values())).contains("USER", "AGENT", "TOOL_CALL", "TOOL_RESULT");
    }

    private static List<String> names(Enum<?>[] values) {
        var names = new ArrayList<String>();
        for (var value : values) {
            names.add(value.name());
        }
        return names;
    }

    private static SerializerWithStringManifest serializer(Object message) {
        return (JacksonCborSerializer) serialization.findSerializerFor(message);
    }

    private static String manifest(Object message) {
        return serializer(message).manifest(message);
    }

    private static Object roundTrip(Object message) {
        return serialization
                .deserialize(
                        serialization.serialize(message).get(),
                        serializer(message).identifier(),
                        manifest(message))
                .get();
    }
}
