package parley.provider.simulator;

import parley.protocol.Item;

/**
 * One item of a response while it is made: something spoken, written, or a function call.
 *
 * <p>Used in this order: {@link #empty}, {@link #begin}, {@link #step} until it says no more, {@link #finish}. All but
 * the first may be left out or cut short when a response is stopped.
 */
interface Output {

    /** The item before it has content, in progress. */
    Item empty();

    /** Sends what follows the announcement of the item and comes before the first delta. */
    void begin();

    /** Sends the next delta. @return whether more follows */
    boolean step();

    /** Sends what closes the content. @return the item as far as it got, without audio */
    Item finish(Item.Status status);

    /** Whether the limit of tokens makes it end before its end. */
    boolean limited();

    /** The tokens that were made so far. */
    Tokens tokens();
}
