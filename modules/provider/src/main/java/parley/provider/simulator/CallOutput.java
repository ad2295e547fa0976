package parley.provider.simulator;

import parley.protocol.Ids;
import parley.protocol.Item;
import parley.protocol.ServerEvent;

/** A function call: its arguments a few characters a step. */
final class CallOutput implements Output {

    private static final int STEP = 16;

    private final Place place;
    private final Events events;
    private final String callId = Ids.call();
    private final String name;
    private final String arguments;
    private final boolean limited;
    private int sent;

    /** @param most tokens that may be made; arguments that are cut off are not JSON */
    CallOutput(Place place, Events events, String name, String arguments, long most) {
        this.place = place;
        this.events = events;
        this.name = name;
        this.arguments = Words.cut(arguments, most);
        this.limited = this.arguments.length() < arguments.length();
    }

    @Override
    public Item empty() {
        return item(Item.Status.IN_PROGRESS, "");
    }

    @Override
    public void begin() {
        // The item itself already says which function it is.
    }

    @Override
    public boolean step() {
        int end = Math.min(arguments.length(), sent + STEP);
        var delta = arguments.substring(sent, end);
        sent = end;
        events.send(new ServerEvent.ResponseFunctionCallArgumentsDelta(
                Ids.event(), place.responseId(), place.itemId(), Place.OUTPUT, callId, delta));
        return sent < arguments.length();
    }

    @Override
    public Item finish(Item.Status status) {
        var made = arguments.substring(0, sent);
        events.send(new ServerEvent.ResponseFunctionCallArgumentsDone(
                Ids.event(), place.responseId(), place.itemId(), Place.OUTPUT, callId, name, made));
        return item(status, made);
    }

    @Override
    public boolean limited() {
        return limited;
    }

    @Override
    public Tokens tokens() {
        return Tokens.ofText(name).plus(Tokens.ofText(arguments.substring(0, sent)));
    }

    private Item item(Item.Status status, String made) {
        return new Item.FunctionCall(place.itemId(), status, callId, name, made);
    }
}
