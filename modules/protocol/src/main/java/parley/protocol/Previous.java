package parley.protocol;

import org.jspecify.annotations.Nullable;

/**
 * What a server event says about the item before an item. On the wire {@code previous_item_id} has three meanings, kept
 * apart here because clients order their history by it: a null reference to this type is an absent key and states
 * nothing, {@link #FIRST} is an explicit null and puts the item first, anything else names the item before.
 *
 * @param itemId the item before; null when there is none
 */
public record Previous(@Nullable String itemId) {
    /** There is no item before: the explicit null of the wire. */
    public static final Previous FIRST = new Previous(null);

    /** After the item of that id. */
    public static Previous item(String itemId) {
        return new Previous(itemId);
    }
}
