package parley.load.chaos;

/** What the server said when a caller came back. */
enum Resume {
    /** Everything that was missed follows, once and in order. */
    RECOVERED,
    /** Something is missing; the history is told. */
    NOT_RECOVERED,
    /** The history is told, as always on the strict face. */
    HISTORY,
    /** Nothing: a server that does not announce it. */
    UNTOLD
}
