package parley.provider.simulator;

/** Where in a response an item stands; an answer here has one item. */
record Place(String responseId, String itemId) {
    static final int OUTPUT = 0;
    static final int CONTENT = 0;
}
