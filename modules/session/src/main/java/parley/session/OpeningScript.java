package parley.session;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import parley.protocol.ClientEvent;
import parley.protocol.ServerEvent;
import parley.protocol.SessionConfig;

/**
 * What Parley tells a provider before the caller may speak: the deployment's configuration, and the history of a
 * conversation that goes on. The provider's acknowledgements are not the caller's business.
 *
 * <p>The caller's {@code session.created} waits until the provider has taken everything, and then shows the effective
 * configuration. Confined to the conversation's loop.
 */
final class OpeningScript {
    private final ArrayList<ClientEvent> events;
    private final Set<String> itemsDue = new HashSet<>();
    private final Set<String> deletionsDue = new HashSet<>();
    private ServerEvent.@Nullable SessionCreated created;
    private @Nullable SessionConfig effective;
    private boolean updateDue;
    private boolean begun;

    /** @param events a {@code session.update}, if any, and items with ids */
    OpeningScript(List<ClientEvent> events) {
        this.events = new ArrayList<>(events);
    }

    boolean isEmpty() {
        return events.isEmpty();
    }

    boolean hasBegun() {
        return begun;
    }

    /** The provider is there, or is taken to be: null. */
    List<ClientEvent> begin(ServerEvent.@Nullable SessionCreated event) {
        begun = true;
        created = event;
        effective = event == null ? null : event.session();
        return due(events);
    }

    /** What is told in addition, when the session has begun. */
    List<ClientEvent> more(List<ClientEvent> added) {
        begun = true;
        events.addAll(added);
        return due(added);
    }

    /** The same before it has: told with everything else. */
    void append(List<ClientEvent> added) {
        events.addAll(added);
    }

    private List<ClientEvent> due(List<ClientEvent> told) {
        for (var sent : told) {
            switch (sent) {
                case ClientEvent.SessionUpdate update -> updateDue = true;
                case ClientEvent.ConversationItemCreate item -> {
                    if (item.item().id() != null) {
                        itemsDue.add(item.item().id());
                    }
                }
                case ClientEvent.ConversationItemDelete item -> deletionsDue.add(item.itemId());
                default -> {}
            }
        }
        return List.copyOf(told);
    }

    /** Whether the provider knows this item only from being told: as text, whatever it was. */
    boolean tells(String itemId) {
        return events.stream()
                .anyMatch(event -> event instanceof ClientEvent.ConversationItemCreate created
                        && itemId.equals(created.item().id()));
    }

    /** The session as the provider stated it last; null before it did. */
    @Nullable
    SessionConfig effective() {
        return effective;
    }

    /** Whether an event of the provider answers the script. An item's end, or an error, settles it. */
    boolean swallows(ServerEvent event) {
        if (!begun) {
            return false;
        }
        return switch (event) {
            case ServerEvent.SessionUpdated updated
            when updateDue -> {
                updateDue = false;
                effective = updated.session();
                yield true;
            }
            case ServerEvent.ConversationItemAdded added ->
                itemsDue.contains(added.item().id());
            case ServerEvent.ConversationItemDone done ->
                itemsDue.remove(done.item().id());
            case ServerEvent.ConversationItemCreated item ->
                itemsDue.remove(item.item().id());
            case ServerEvent.ConversationItemDeleted item -> deletionsDue.remove(item.itemId());
            case ServerEvent.Error error -> settledBy(error);
            default -> false;
        };
    }

    /** The session as the caller shall see it begin; once, when nothing is due any more. */
    Optional<ServerEvent.SessionCreated> finished() {
        if (created == null || effective == null || updateDue || !itemsDue.isEmpty() || !deletionsDue.isEmpty()) {
            return Optional.empty();
        }
        var begun = new ServerEvent.SessionCreated(created.eventId(), effective);
        created = null;
        return Optional.of(begun);
    }

    /**
     * The provider did not answer everything in time: the session as the caller shall see it begin, once. Items that
     * are acknowledged later are still no business of the caller.
     */
    Optional<ServerEvent.SessionCreated> giveUp() {
        updateDue = false;
        var late = created;
        created = null;
        return late == null || effective == null
                ? Optional.empty()
                : Optional.of(new ServerEvent.SessionCreated(late.eventId(), effective));
    }

    private boolean settledBy(ServerEvent.Error error) {
        var refused = error.error().eventId();
        if (refused == null) {
            return false;
        }
        for (var sent : new ArrayList<>(events)) {
            if (refused.equals(sent.eventId())) {
                switch (sent) {
                    case ClientEvent.SessionUpdate update -> updateDue = false;
                    case ClientEvent.ConversationItemCreate item ->
                        itemsDue.remove(item.item().id());
                    case ClientEvent.ConversationItemDelete item -> deletionsDue.remove(item.itemId());
                    default -> {}
                }
                return true;
            }
        }
        return false;
    }
}
