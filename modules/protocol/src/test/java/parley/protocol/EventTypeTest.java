package parley.protocol;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

@Tag("unit")
class EventTypeTest {

    @ParameterizedTest
    @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "UNKNOWN")
    void aTypeIsFoundByItsNameWhereverItStands(EventType type) {
        byte[] name = type.wireName().getBytes(UTF_8);
        for (ByteOrder order : new ByteOrder[] {ByteOrder.BIG_ENDIAN, ByteOrder.LITTLE_ENDIAN}) {
            ByteBuffer direct = ByteBuffer.allocateDirect(name.length + 7).order(order);
            direct.put(3, name);

            assertThat(EventType.of(direct, 3, name.length)).isEqualTo(type);
            assertThat(direct.position()).isZero();
        }
        assertThat(EventType.of(type.wireName())).isEqualTo(type);
    }

    @ParameterizedTest
    @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "UNKNOWN")
    void aNameWithOneOtherLetterIsUnknown(EventType type) {
        byte[] name = type.wireName().getBytes(UTF_8);
        List<String> found = new ArrayList<>();
        for (int i = 0; i < name.length; i++) {
            for (int letter = 0; letter < 256; letter++) {
                byte[] other = name.clone();
                other[i] = (byte) letter;
                boolean isKnown = EventType.of(ByteBuffer.wrap(other), 0, other.length) != EventType.UNKNOWN;
                if (isKnown && !Arrays.equals(other, name)) found.add(new String(other, UTF_8));
            }
        }
        assertThat(found).isEmpty();
        assertThat(EventType.of(type.wireName() + "x")).isEqualTo(EventType.UNKNOWN);
        assertThat(EventType.of(ByteBuffer.wrap(name), 0, name.length - 1)).isNotEqualTo(type);
    }

    @Test
    void theEmptyNameIsUnknown() {
        assertThat(EventType.of("")).isEqualTo(EventType.UNKNOWN);
    }

    @Test
    void aConstantIsNamedAfterItsWireName() {
        assertThat(EventType.values())
                .filteredOn(type -> type != EventType.UNKNOWN)
                .allSatisfy(type -> assertThat(type.name())
                        .isEqualToIgnoringCase(type.wireName().replace('.', '_')));
    }

    @Test
    void onlyTheUnknownMayComeFromBothSides() {
        assertThat(Arrays.stream(EventType.values()).filter(type -> type.direction() == EventType.Direction.BOTH))
                .containsExactly(EventType.UNKNOWN);
    }
}
