package parley.session;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.dataformat.cbor.databind.CBORMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.serialization.Serialization;
import org.apache.pekko.serialization.SerializationExtension;
import org.apache.pekko.serialization.jackson.JacksonCborSerializer;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import parley.admission.Arm;

/**
 * What is journaled or crosses nodes, read by the nodes of the next release and, while that is rolled out, by those of
 * the last. {@code stored/<release>/} holds the bytes each release wrote, one file per name of {@link Forms}.
 *
 * <p>A form changes over two releases, because for a while both run and read each other:
 *
 * <ul>
 *   <li>A field is added: in one release, with a default for when it is missing. A reference that is missing is null and a
 *       number 0; where that is not the default, the record's constructor says what is. Nodes of the last release ignore
 *       it, so nothing may depend on their having read it.
 *   <li>A kind is added: a node that does not know it cannot read a journal that holds it, so the first release reads it
 *       and the second writes it. One that is written at once rules out going back, and taking over a session on a node
 *       of the last release.
 *   <li>A constant is added to an enum: as a kind.
 *   <li>A field is not wanted any more: the first release reads it and does not need it, the second leaves it out. In a
 *       fact it stays for ever, read or not.
 *   <li>A field is renamed or retyped: never; a new one is added, the first release writes both and reads the new one
 *       first, and in a state, whose snapshots are all made anew, a later one drops the old.
 * </ul>
 *
 * <p>At a release, {@code -Dparley.stored=write} writes its files; from then on {@link Forms#ofEveryRelease} says what
 * they have to be read as, and they are never written again.
 */
@Tag("entity")
class SerializationTest {
    private static final Path STORED = Path.of("src/test/resources/parley/session/stored");
    private static final CBORMapper CBOR = new CBORMapper();
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

    /** A value, and where it comes from. */
    record Form(String release, String name, Object value) {
        Path file() {
            return STORED.resolve(release).resolve(name + ".cbor");
        }

        @Override
        public String toString() {
            return release + " " + name;
        }
    }

    static Stream<Form> ofThisRelease() {
        return Forms.ofThisRelease(rig.system.deadLetters()).entrySet().stream()
                .map(form -> new Form(Forms.THIS_RELEASE, form.getKey(), form.getValue()));
    }

    static Stream<Form> ofEveryRelease() {
        return Forms.ofEveryRelease(rig.system.deadLetters()).entrySet().stream()
                .flatMap(release -> release.getValue().entrySet().stream()
                        .map(form -> new Form(release.getKey(), form.getKey(), form.getValue())));
    }

    // ---- between releases

    @ParameterizedTest
    @MethodSource("ofEveryRelease")
    void whatAReleaseWroteIsRead(Form form) throws IOException {
        if (!Files.exists(form.file()) && "write".equals(System.getProperty("parley.stored"))) {
            Files.createDirectories(form.file().getParent());
            Files.write(form.file(), bytes(form.value()));
        }

        assertSame(read(Files.readAllBytes(form.file()), form.name()), form.value());
    }

    @Test
    void everyStoredFileIsRead() throws IOException {
        var read = ofEveryRelease().map(Form::file).collect(Collectors.toSet());
        try (var files = Files.walk(STORED)) {
            assertThat(files.filter(Files::isRegularFile)).allMatch(read::contains);
        }
    }

    @ParameterizedTest
    @MethodSource("ofThisRelease")
    void whatANewerReleaseAddsIsPassedOver(Form form) throws IOException {
        var newer = CBOR.readTree(bytes(form.value()));
        addToEveryObject(newer);

        assertSame(read(CBOR.writeValueAsBytes(newer), form.name()), form.value());
    }

    private static void addToEveryObject(JsonNode node) {
        node.forEach(SerializationTest::addToEveryObject);
        if (node instanceof ObjectNode object) {
            object.putObject("addedLater").put("why", "asked to");
        }
    }

    /** So a reference that this release added is null in what the last one wrote. */
    @ParameterizedTest
    @MethodSource("ofThisRelease")
    void aReferenceThatIsMissingIsNull(Form form) throws IOException {
        var older = CBOR.readTree(bytes(form.value()));
        removeNulls(older);

        assertSame(read(CBOR.writeValueAsBytes(older), form.name()), form.value());
    }

    private static void removeNulls(JsonNode node) {
        if (node instanceof ObjectNode object) {
            object.properties().removeIf(field -> field.getValue().isNull());
        }
        node.forEach(SerializationTest::removeNulls);
    }

    // ---- within a release

    @ParameterizedTest
    @MethodSource("ofThisRelease")
    void whatIsWrittenIsRead(Form form) {
        assertThat(read(bytes(form.value()), form.name())).isEqualTo(form.value());
    }

    @Test
    void everyKindHasAForm() {
        var kinds = new TreeSet<String>();
        for (var family : Set.of(
                SessionEvent.class,
                SessionState.class,
                VoiceSession.Command.class,
                VoiceSession.Seating.class,
                Interview.Command.class,
                Answer.class)) {
            Arrays.stream(family.getPermittedSubclasses())
                    .filter(CborSerializable.class::isAssignableFrom)
                    .forEach(kind -> kinds.add(kind.getName()));
        }

        for (var alone : Set.of(Interview.Named.class, Interview.Began.class, Interview.Present.class)) {
            kinds.add(alone.getName());
        }

        var formed = new TreeSet<String>();
        ofThisRelease().forEach(form -> formed.add(Forms.manifest(form.name())));
        assertThat(formed).isEqualTo(kinds);
    }

    @ParameterizedTest
    @EnumSource(EndReason.class)
    void everyReasonIsJournaledByItsName(EndReason reason) throws IOException {
        var ended = new SessionEvent.Ended(reason, null, Rig.NOON);

        assertThat(CBOR.readTree(bytes(ended)).path("reason").textValue()).isEqualTo(reason.name());
        assertThat(read(bytes(ended), "SessionEvent.Ended")).isEqualTo(ended);
    }

    @Test
    void journaledNamesAreTheseAndStay() {
        assertThat(names(EndReason.values()))
                .contains(
                        "CALLER_LEFT",
                        "ENDED_BY_CALLER",
                        "ENDED_BY_OPERATOR",
                        "MAX_LENGTH",
                        "IDLE",
                        "PROVIDER_REFUSED",
                        "PROVIDER_LOST");
        assertThat(names(Face.values())).contains("REALTIME", "VOICE");
        assertThat(names(Arm.values())).contains("VOICE", "CONTROL");
        assertThat(names(Turn.Role.values())).contains("USER", "AGENT", "TOOL_CALL", "TOOL_RESULT");
        assertThat(names(Answer.Refusal.values())).contains("UNKNOWN", "OVER", "FORBIDDEN", "TAKEN", "UNAVAILABLE");
    }

    private static Set<String> names(Enum<?>[] values) {
        return Arrays.stream(values).map(Enum::name).collect(Collectors.toSet());
    }

    /** Whom to answer is another system's address in stored bytes, and compared elsewhere. */
    private static void assertSame(Object read, Object expected) {
        assertThat(read)
                .usingRecursiveComparison()
                .withStrictTypeChecking()
                .ignoringFieldsOfTypes(ActorRef.class)
                .isEqualTo(expected);
    }

    private static byte[] bytes(Object message) {
        return serialization.serialize(message).get();
    }

    private static Object read(byte[] bytes, String name) {
        var serializer = (JacksonCborSerializer) serialization.findSerializerFor(Facts.ENDED);
        return serialization
                .deserialize(bytes, serializer.identifier(), Forms.manifest(name))
                .get();
    }
}
