package parley.session;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import parley.protocol.ClientEvent;
import parley.protocol.ServerEvent;
import parley.protocol.Wire;
import parley.wire.Frame;

@Tag("unit")
@ExtendWith(NoLeaks.class)
class UntakenTest {
    private final Untaken untaken = new Untaken(2);

    private void sends(String item) {
        says("{\"type\":\"conversation.item.create\",\"item\":" + item + "}");
    }

    private void says(String text) {
        ClientEvent event = Wire.client(text.getBytes(StandardCharsets.UTF_8));
        var frame = Frame.text(text);
        untaken.sent(event, frame);
        frame.release();
    }

    private static String update(String eventId) {
        return "{\"type\":\"session.update\",\"event_id\":\"" + eventId + "\",\"session\":{\"type\":\"realtime\"}}";
    }

    private static String nameless(String words) {
        return "{\"type\":\"message\",\"role\":\"user\",\"content\":[{\"type\":\"input_text\",\"text\":\"" + words
                + "\"}]}";
    }

    private void isTaken(String item) {
        untaken.taken(((ServerEvent.ConversationItemDone) Wire.server(Events.itemDone(item))).item());
    }

    private List<String> again() {
        return untaken.takeAgain().stream()
                .map(one -> {
                    var text = one.frame().utf8();
                    one.frame().release();
                    return text;
                })
                .toList();
    }

    @AfterEach
    void release() {
        untaken.release();
    }

    @Test
    void whatNobodyTookIsToldAgainInOrder() {
        sends(nameless("one"));
        sends(Events.userItem("u2", "two"));

        assertThat(again())
                .satisfiesExactly(
                        first -> assertThat(first).contains("one"),
                        second -> assertThat(second).contains("two"));
        assertThat(again()).as("handed over").isEmpty();
    }

    @Test
    void anItemIsKnownByItsNameOrByItsWords() {
        sends(nameless("one"));
        sends(Events.userItem("u2", "two"));
        isTaken(Events.userItem("item_x", "one"));
        isTaken(Events.userItem("u2", "two, as the provider has it"));
        isTaken(Events.userItem("u3", "three"));

        assertThat(again()).isEmpty();
    }

    @Test
    void aResultIsKnownByItsCall() {
        sends("{\"type\":\"function_call_output\",\"call_id\":\"call_1\",\"output\":\"noon\"}");
        isTaken("{\"id\":\"r\",\"type\":\"function_call_output\",\"call_id\":\"call_1\",\"output\":\"noon\"}");

        assertThat(again()).isEmpty();
    }

    @Test
    void anItemThatIsSpokenIsKnownThoughItsSoundIsNotEchoed() {
        sends("{\"type\":\"message\",\"role\":\"user\",\"content\":[{\"type\":\"input_audio\",\"audio\":\"AAAA\"}]}");
        isTaken(Events.userItem("item_x", "one"));
        assertThat(untaken.isEmpty()).as("another one was taken").isFalse();
        isTaken(Events.spokenItem("item_y"));

        assertThat(again()).isEmpty();
    }

    @Test
    void whatWasRefusedIsNotToldAgain() {
        says(update("e1"));
        untaken.refused(error("e2", null));
        untaken.refused(error(null, "response.audio"));
        assertThat(untaken.isEmpty()).isFalse();
        untaken.refused(error("e1", null));

        assertThat(again()).isEmpty();
    }

    @Test
    void aRefusalThatNamesNoEventNamesItsKind() {
        says(update("e1"));
        sends(nameless("one"));
        untaken.refused(error(null, "item.content"));
        assertThat(untaken.isEmpty()).as("the configuration").isFalse();
        untaken.refused(error(null, "session.audio.input.format"));

        assertThat(again()).isEmpty();
    }

    @Test
    void whatTheClientSaysInTheModelsNameIsTaken() {
        sends("{\"type\":\"function_call\",\"call_id\":\"call_1\",\"name\":\"look\",\"arguments\":\"{}\"}");
        isTaken(Events.call("c1", "call_2", "completed"));
        assertThat(untaken.isEmpty()).as("another call").isFalse();
        isTaken(
                "{\"id\":\"c2\",\"type\":\"function_call\",\"call_id\":\"call_1\",\"name\":\"look\",\"arguments\":\"{}\"}");

        assertThat(again()).isEmpty();
    }

    private static ServerEvent.ErrorBody error(@Nullable String eventId, @Nullable String parameter) {
        return new ServerEvent.ErrorBody("invalid_request_error", "invalid_value", "no", parameter, eventId);
    }

    @Test
    void changesOfTheConfigurationAreTakenInTheirOrder() {
        says(update("e1"));
        says(update("e2"));
        untaken.configured();

        assertThat(again()).containsExactly(update("e2"));
    }

    @Test
    void theOldestIsForgottenBeyondTheBound() {
        sends(nameless("one"));
        sends(nameless("two"));
        sends(nameless("three"));

        assertThat(again()).hasSize(2).noneMatch(text -> text.contains("one"));
    }
}
