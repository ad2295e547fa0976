package parley.session;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.function.Predicate;
import parley.protocol.ClientEvent;
import parley.protocol.Content;
import parley.protocol.Item;
import parley.protocol.ServerEvent;
import parley.wire.Frame;

/**
 * What a provider was sent and has not taken yet: items, and changes of the configuration. Whoever takes its place is told
 * it again, so that nothing that was written is lost with a provider. Keeps at most {@code to-provider-frames} events;
 * beyond, the oldest is taken for acknowledged. Confined to the conversation's loop.
 */
final class Untaken {
    /** An event and the frame that told it. */
    record Sent(ClientEvent event, Frame frame) {}

    private final ArrayDeque<Sent> sent = new ArrayDeque<>();
    private final int most;

    Untaken(int most) {
        this.most = most;
    }

    /** The frame stays the sender's. */
    void sent(ClientEvent event, Frame frame) {
        sent.add(new Sent(event, Frame.copyOf(frame)));
        if (sent.size() > most) {
            sent.remove().frame().release();
        }
    }

    /** What the provider acknowledges, or does not want, is not told again. */
    void saw(ServerEvent event) {
        switch (event) {
            case ServerEvent.ConversationItemDone done -> taken(done.item());
            case ServerEvent.ConversationItemCreated created -> taken(created.item());
            case ServerEvent.SessionUpdated updated -> configured();
            case ServerEvent.Error refused -> refused(refused.error());
            default -> {}
        }
    }

    /** The provider has made it an item of the conversation. */
    void taken(Item item) {
        removeFirst(one ->
                one.event() instanceof ClientEvent.ConversationItemCreate created && isSame(created.item(), item));
    }

    /** The provider has taken a change of the configuration: the first that it was sent. */
    void configured() {
        removeFirst(one -> one.event() instanceof ClientEvent.SessionUpdate);
    }

    /**
     * The provider does not want an event, and no other one would: the one it names, or else the first of the kind of
     * which it names a parameter.
     */
    void refused(ServerEvent.ErrorBody error) {
        var eventId = error.eventId();
        var parameter = String.valueOf(error.param());
        if (eventId != null) {
            removeFirst(one -> eventId.equals(one.event().eventId()));
        } else if (parameter.startsWith("session")) {
            configured();
        } else if (parameter.startsWith("item") || parameter.startsWith("previous_item_id")) {
            removeFirst(one -> one.event() instanceof ClientEvent.ConversationItemCreate);
        }
    }

    boolean isEmpty() {
        return sent.isEmpty();
    }

    /** What is to be told again, handed over, in order. */
    List<Sent> takeAgain() {
        var again = new ArrayList<>(sent);
        sent.clear();
        return again;
    }

    void release() {
        takeAgain().forEach(one -> one.frame().release());
    }

    private void removeFirst(Predicate<Sent> wanted) {
        for (var all = sent.iterator(); all.hasNext(); ) {
            var one = all.next();
            if (wanted.test(one)) {
                all.remove();
                one.frame().release();
                return;
            }
        }
    }

    /** Acknowledgements come in order, and leave out what is heavy: audio, images. */
    private static boolean isSame(Item mine, Item theirs) {
        if (mine.id() != null) {
            return mine.id().equals(theirs.id());
        }
        return switch (mine) {
            case Item.Message message ->
                theirs instanceof Item.Message taken
                        && taken.role() == message.role()
                        && Objects.equals(outline(taken), outline(message));
            case Item.FunctionCallOutput output ->
                theirs instanceof Item.FunctionCallOutput taken
                        && taken.callId().equals(output.callId());
            case Item.FunctionCall call ->
                theirs instanceof Item.FunctionCall taken
                        && Objects.equals(taken.callId(), call.callId())
                        && taken.name().equals(call.name());
            default -> mine.getClass() == theirs.getClass();
        };
    }

    private static List<Object> outline(Item.Message message) {
        return message.content().stream()
                .<Object>map(part -> switch (part) {
                    case Content.InputText(var text) -> text;
                    case Content.OutputText(var text) -> text;
                    default -> part.getClass();
                })
                .toList();
    }
}
