package parley.protocol;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("unit")
class IdsTest {

    @Test
    void anIdHasTheFormOfTheWire() {
        assertThat(Ids.event()).matches("event_[0-9A-Za-z]{20}");
        assertThat(Ids.item()).matches("item_[0-9A-Za-z]{20}").hasSizeLessThanOrEqualTo(32);
        assertThat(Ids.response()).matches("resp_[0-9A-Za-z]{20}");
        assertThat(Ids.session()).matches("sess_[0-9A-Za-z]{20}");
        assertThat(Ids.conversation()).matches("conv_[0-9A-Za-z]{20}");
        assertThat(Ids.call()).matches("call_[0-9A-Za-z]{20}").hasSizeLessThanOrEqualTo(32);
    }

    @Test
    void idsDoNotRepeatWhenManyThreadsAsk() {
        Set<String> ids = ConcurrentHashMap.newKeySet();

        IntStream.range(0, 200_000).parallel().forEach(i -> ids.add(Ids.event()));

        assertThat(ids).hasSize(200_000);
    }
}
