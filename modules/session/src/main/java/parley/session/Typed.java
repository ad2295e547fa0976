package parley.session;

import java.util.ArrayDeque;
import java.util.List;
import java.util.Objects;
import parley.protocol.ClientEvent;
import parley.protocol.Item;
import parley.wire.Frame;

/**
 * What the caller wrote, and no provider has taken yet: whoever takes a lost provider's place is told it again. Keeps at
 * most {@code to-provider-frames} items; beyond, the oldest is taken for acknowledged. Confined to the conversation's
 * loop.
 */
final class Typed {
    /** An item's event and the frame that told it. */
    record Sent(ClientEvent.ConversationItemCreate event, Frame frame) {}

    private final ArrayDeque<Sent> sent = new ArrayDeque<>();
    private final int most;

    Typed(int most) {
        this.most = most;
    }

    /** The frame stays the caller's. */
    void sent(ClientEvent.ConversationItemCreate event, Frame frame) {
        sent.add(new Sent(event, Frame.copyOf(frame)));
        if (sent.size() > most) {
            sent.remove().frame().release();
        }
    }

    /** The provider has made it an item of the conversation. */
    void taken(Item item) {
        for (var all = sent.iterator(); all.hasNext(); ) {
            var one = all.next();
            if (isSame(one.event().item(), item)) {
                all.remove();
                one.frame().release();
                return;
            }
        }
    }

    /** What is to be told again, handed over, in order. */
    List<Sent> takeAgain() {
        var again = List.copyOf(sent);
        sent.clear();
        return again;
    }

    void release() {
        takeAgain().forEach(one -> one.frame().release());
    }

    private static boolean isSame(Item mine, Item theirs) {
        if (mine.id() != null) {
            return mine.id().equals(theirs.id());
        }
        return switch (mine) {
            case Item.Message message ->
                theirs instanceof Item.Message taken
                        && taken.role() == message.role()
                        && Objects.equals(taken.content(), message.content());
            case Item.FunctionCallOutput output ->
                theirs instanceof Item.FunctionCallOutput taken
                        && taken.callId().equals(output.callId());
            default -> mine.getClass() == theirs.getClass();
        };
    }
}
