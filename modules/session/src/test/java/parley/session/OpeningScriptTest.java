package parley.session;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import parley.protocol.ClientEvent;
import parley.protocol.Content;
import parley.protocol.Item;
import parley.protocol.ServerEvent;
import parley.protocol.SessionConfig;
import parley.protocol.Wire;

@Tag("unit")
class OpeningScriptTest {
    private static final ClientEvent UPDATE = new ClientEvent.SessionUpdate("parley_opening", SessionConfig.EMPTY);
    private static final ClientEvent FIRST = item("item_1");
    private static final ClientEvent SECOND = item("item_2");
    private static final ServerEvent.SessionCreated CREATED =
            (ServerEvent.SessionCreated) Wire.server(Events.created());

    private final OpeningScript script = new OpeningScript(List.of(UPDATE, FIRST, SECOND));

    private static ClientEvent item(String id) {
        return new ClientEvent.ConversationItemCreate(
                "parley_opening_" + id,
                null,
                new Item.Message(id, null, Item.Role.USER, List.of(new Content.InputText("hi"))));
    }

    private boolean swallows(String event) {
        return script.swallows(Wire.server(event));
    }

    @Test
    void theSessionBeginsWhenTheProviderHasTakenEverything() {
        assertThat(script.begin(CREATED)).containsExactly(UPDATE, FIRST, SECOND);
        assertThat(swallows(Events.updated())).isTrue();
        assertThat(swallows(Events.itemDone(Events.userItem("item_1", "hi")))).isTrue();
        assertThat(script.finished()).isEmpty();
        assertThat(swallows(Events.itemDone(Events.userItem("item_1", "hi")).replace("item.done", "item.added")))
                .as("it is settled, and the next of the same id is not the script's")
                .isFalse();
        assertThat(swallows(Events.itemDone(Events.userItem("item_2", "hi")).replace("item.done", "item.added")))
                .isTrue();
        assertThat(swallows(Events.itemDone(Events.userItem("item_2", "hi")))).isTrue();

        assertThat(script.finished()).isPresent();
        assertThat(script.finished()).as("once").isEmpty();
    }

    @Test
    void theCallersOwnAcknowledgementsAreNotSwallowed() {
        script.begin(CREATED);
        swallows(Events.updated());

        assertThat(swallows(Events.updated())).isFalse();
        assertThat(swallows(Events.itemDone(Events.userItem("item_9", "hi")))).isFalse();
    }

    @Test
    void whatTheProviderRefusesIsSettledToo() {
        var refusal = "{\"type\":\"error\",\"event_id\":\"e\",\"error\":{\"type\":\"invalid_request_error\","
                + "\"message\":\"no\",\"event_id\":\"%s\"}}";
        script.begin(CREATED);

        assertThat(swallows(refusal.formatted("parley_opening"))).isTrue();
        assertThat(swallows(refusal.formatted("parley_opening_item_1"))).isTrue();
        assertThat(swallows(refusal.formatted("parley_opening_item_2"))).isTrue();
        assertThat(swallows(refusal.formatted("callers"))).isFalse();
        assertThat(script.finished()).contains(CREATED);
    }

    @Test
    void aDeletionIsSettledWhenItIsConfirmedOrRefused() {
        var deleted = "{\"type\":\"conversation.item.deleted\",\"event_id\":\"e\",\"item_id\":\"item_1\"}";
        var deleting = new OpeningScript(List.of(
                new ClientEvent.ConversationItemDelete("parley_opening_1", "item_1"),
                new ClientEvent.ConversationItemDelete("parley_opening_2", "item_2")));
        deleting.begin(CREATED);

        assertThat(deleting.swallows(Wire.server(deleted))).isTrue();
        assertThat(deleting.finished()).isEmpty();
        assertThat(deleting.swallows(Wire.server(Events.error("parley_opening_2"))))
                .isTrue();
        assertThat(deleting.finished()).contains(CREATED);
        assertThat(deleting.swallows(Wire.server(deleted)))
                .as("the caller's own")
                .isFalse();
    }

    @Test
    void anItemThatIsNeverAnsweredDoesNotKeepTheCallerWaiting() {
        script.begin(CREATED);
        swallows(Events.updated());

        assertThat(script.giveUp()).isPresent();
        assertThat(swallows(Events.itemDone(Events.userItem("item_1", "hi"))))
                .as("late, and still not the caller's business")
                .isTrue();
        assertThat(script.finished()).isEmpty();
    }

    @Test
    void nothingIsSwallowedBeforeTheScriptBegan() {
        assertThat(swallows(Events.updated())).isFalse();
    }
}
