package parley.provider.simulator;

import java.util.List;
import parley.protocol.Content;
import parley.protocol.Ids;
import parley.protocol.Item;
import parley.protocol.ServerEvent;

/** An answer in writing: one word a step. */
final class WrittenOutput implements Output {

    private final Place place;
    private final Events events;
    private final List<String> words;
    private final boolean limited;
    private final StringBuilder written = new StringBuilder();
    private int next;

    /** @param most tokens that may be made */
    WrittenOutput(Place place, Events events, String text, long most) {
        this.place = place;
        this.events = events;
        this.words = Words.within(text, most);
        this.limited = words.size() < Words.of(text).size();
    }

    @Override
    public Item empty() {
        return new Item.Message(place.itemId(), Item.Status.IN_PROGRESS, Item.Role.ASSISTANT, List.of());
    }

    @Override
    public void begin() {
        events.send(new ServerEvent.ResponseContentPartAdded(
                Ids.event(), place.responseId(), place.itemId(), Place.OUTPUT, Place.CONTENT, new Content.Text("")));
    }

    @Override
    public boolean step() {
        if (next >= words.size()) return false;
        var word = words.get(next++);
        written.append(word);
        events.send(new ServerEvent.ResponseOutputTextDelta(
                Ids.event(), place.responseId(), place.itemId(), Place.OUTPUT, Place.CONTENT, word));
        return next < words.size();
    }

    @Override
    public Item finish(Item.Status status) {
        var text = written.toString();
        events.send(new ServerEvent.ResponseOutputTextDone(
                Ids.event(), place.responseId(), place.itemId(), Place.OUTPUT, Place.CONTENT, text));
        events.send(new ServerEvent.ResponseContentPartDone(
                Ids.event(), place.responseId(), place.itemId(), Place.OUTPUT, Place.CONTENT, new Content.Text(text)));
        return new Item.Message(place.itemId(), status, Item.Role.ASSISTANT, List.of(new Content.OutputText(text)));
    }

    @Override
    public boolean limited() {
        return limited;
    }

    @Override
    public Tokens tokens() {
        return Tokens.ofText(written.toString());
    }
}
