package parley.provider.simulator;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;
import parley.protocol.ClientEvent.ConversationItemCreate;
import parley.protocol.ClientEvent.ConversationItemDelete;
import parley.protocol.ClientEvent.ConversationItemRetrieve;
import parley.protocol.ClientEvent.ConversationItemTruncate;
import parley.protocol.Content;
import parley.protocol.Ids;
import parley.protocol.Item;
import parley.protocol.ServerEvent;

/** What a client may do to the items of the conversation. */
final class ItemRequests {

    private static final int LONGEST_ID = 32;

    private final Parts parts;
    private final Conversation conversation;
    private final Events events;

    ItemRequests(Parts parts) {
        this.parts = parts;
        this.conversation = parts.conversation();
        this.events = parts.events();
    }

    void create(ConversationItemCreate request) {
        var id = request.item().id() == null ? Ids.item() : request.item().id();
        var refusal = refusal(request, id);
        if (refusal != null) {
            events.refuse(request.eventId(), refusal);
            return;
        }
        var sound = new ArrayList<byte[]>();
        var item = finished(request.item(), id, sound);
        var entry = new Entry(id, item);
        var after = request.previousItemId();
        var previous = after == null ? conversation.append(entry) : conversation.insertAfter(after, entry);
        if (!sound.isEmpty()) keep(entry, sound);
        parts.diary().given(entry);
        events.send(new ServerEvent.ConversationItemAdded(Ids.event(), previous, item));
        events.send(new ServerEvent.ConversationItemDone(Ids.event(), previous, item));
    }

    void retrieve(ConversationItemRetrieve request) {
        var entry = conversation.find(request.itemId());
        if (entry == null) {
            events.refuse(request.eventId(), Refusal.noSuchItem("item_retrieve_invalid_item_id", request.itemId()));
        } else {
            events.send(new ServerEvent.ConversationItemRetrieved(Ids.event(), entry.itemWithAudio()));
        }
    }

    void truncate(ConversationItemTruncate request) {
        var entry = conversation.find(request.itemId());
        var refusal = entry == null
                ? Refusal.noSuchItem("item_truncate_invalid_item_id", request.itemId())
                : refusal(request, entry);
        if (refusal != null || entry == null) {
            if (refusal != null) events.refuse(request.eventId(), refusal);
            return;
        }
        conversation.truncate(entry, request.audioEndMs());
        events.send(new ServerEvent.ConversationItemTruncated(
                Ids.event(), entry.id(), request.contentIndex(), request.audioEndMs()));
    }

    void delete(ConversationItemDelete request) {
        if (conversation.remove(request.itemId())) {
            events.send(new ServerEvent.ConversationItemDeleted(Ids.event(), request.itemId()));
        } else {
            events.refuse(request.eventId(), Refusal.noSuchItem("item_delete_invalid_item_id", request.itemId()));
        }
    }

    private @Nullable Refusal refusal(ConversationItemCreate request, String id) {
        if (id.isEmpty() || id.length() > LONGEST_ID) {
            return Refusal.invalidValue("item.id", id.length() + " characters", "1 to 32 characters");
        }
        if (conversation.find(id) != null || id.equals(Conversation.ROOT)) {
            return Refusal.invalidValue("item.id", id, "an id that is not taken");
        }
        var after = request.previousItemId();
        if (after != null && !after.equals(Conversation.ROOT) && conversation.find(after) == null) {
            return Refusal.invalidValue("previous_item_id", quoted(after), "an item of the conversation, or root");
        }
        return switch (request.item()) {
            case Item.Message message -> contentRefusal(message);
            case Item.FunctionCall call -> callId(call.callId());
            case Item.FunctionCallOutput output ->
                conversation.call(output.callId()) == null
                        ? Refusal.invalidValue("item.call_id", quoted(output.callId()), "the id of a function call")
                        : null;
            case Item.McpApprovalResponse response -> null;
            default ->
                Refusal.invalidValue("item.type", "unsupported", "message, function_call or function_call_output");
        };
    }

    private static @Nullable Refusal callId(@Nullable String callId) {
        return callId != null && callId.length() > LONGEST_ID
                ? Refusal.invalidValue("item.call_id", callId.length() + " characters", "at most 32 characters")
                : null;
    }

    private static @Nullable Refusal contentRefusal(Item.Message message) {
        for (int i = 0; i < message.content().size(); i++) {
            var part = message.content().get(i);
            var path = "item.content[" + i + "]";
            if (message.role() == Item.Role.ASSISTANT && part instanceof Content.OutputAudio) {
                return Refusal.missing(path + ".text", "a string: audio of the assistant cannot be created");
            }
            if (!fits(message.role(), part)) {
                return Refusal.invalidValue(path + ".type", "unsupported", expected(message.role()));
            }
            if (part instanceof Content.InputAudio spoken) {
                if (spoken.audio() == null) return Refusal.missing(path + ".audio", "base64");
                if (decode(spoken.audio()) == null) {
                    return Refusal.invalidValue(path + ".audio", "not base64", "base64 of the input format");
                }
            }
        }
        return null;
    }

    private static boolean fits(Item.Role role, Content part) {
        return switch (part) {
            case Content.InputText text -> role != Item.Role.ASSISTANT;
            case Content.InputAudio spoken -> role == Item.Role.USER;
            case Content.InputImage image -> role == Item.Role.USER;
            case Content.OutputText text -> role == Item.Role.ASSISTANT;
            default -> false;
        };
    }

    private static String expected(Item.Role role) {
        return switch (role) {
            case SYSTEM -> "input_text";
            case USER -> "input_text, input_audio or input_image";
            case ASSISTANT -> "output_text";
        };
    }

    private static @Nullable Refusal refusal(ConversationItemTruncate request, Entry entry) {
        if (!(entry.item() instanceof Item.Message message) || message.role() != Item.Role.ASSISTANT) {
            return Refusal.invalidValue("item_id", entry.id(), "a message of the assistant");
        }
        if (request.contentIndex() != Place.CONTENT) {
            return Refusal.invalidValue("content_index", String.valueOf(request.contentIndex()), "0");
        }
        if (request.audioEndMs() > entry.audioMillis()) {
            return new Refusal(
                    "invalid_value",
                    "Audio content of " + entry.audioMillis() + "ms is already shorter than " + request.audioEndMs()
                            + "ms",
                    "audio_end_ms");
        }
        return null;
    }

    /** The item as the server shows it: with its id, completed, its sound set aside. */
    private static Item finished(Item item, String id, List<byte[]> sound) {
        return switch (item) {
            case Item.Message message -> {
                var content = new ArrayList<Content>();
                for (var part : message.content()) content.add(silent(part, sound));
                yield new Item.Message(id, Item.Status.COMPLETED, message.role(), content);
            }
            case Item.FunctionCall call ->
                new Item.FunctionCall(
                        id,
                        Item.Status.COMPLETED,
                        call.callId() == null ? Ids.call() : call.callId(),
                        call.name(),
                        call.arguments());
            case Item.FunctionCallOutput output ->
                new Item.FunctionCallOutput(id, Item.Status.COMPLETED, output.callId(), output.output());
            case Item.McpApprovalResponse response ->
                new Item.McpApprovalResponse(id, response.approvalRequestId(), response.approve(), response.reason());
            default -> item;
        };
    }

    private static Content silent(Content part, List<byte[]> sound) {
        if (!(part instanceof Content.InputAudio spoken) || spoken.audio() == null) return part;
        var bytes = decode(spoken.audio());
        if (bytes != null) sound.add(bytes);
        return new Content.InputAudio(null, spoken.transcript());
    }

    private void keep(Entry entry, List<byte[]> sound) {
        var format = parts.session().inputFormat();
        long length = sound.stream().mapToLong(piece -> piece.length).sum();
        long millis = length / format.bytesPerMillisecond();
        entry.sounds(millis, millis);
        conversation.keep(entry, new ItemAudio(format, sound, length));
    }

    private static byte @Nullable [] decode(String base64) {
        var characters = base64.getBytes(StandardCharsets.US_ASCII);
        var bytes = new byte[Base64Audio.room(characters.length)];
        int length = Base64Audio.decode(characters, 0, characters.length, bytes, 0);
        return length < 0 ? null : Arrays.copyOf(bytes, length);
    }

    private static String quoted(String id) {
        return id.length() <= LONGEST_ID ? id : id.substring(0, LONGEST_ID) + "…";
    }
}
