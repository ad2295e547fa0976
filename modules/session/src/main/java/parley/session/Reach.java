package parley.session;

import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;
import parley.wire.Port;
import parley.wire.WebSocketClose;

/** How an edge gets a session's line again. */
interface Reach {
    /**
     * Asks for it once. Called on the caller's loop; bounded by whoever answers. A failure is taken for {@link Later}.
     *
     * @param lastSeq the last numbered event that went to the caller; -1 on the strict face
     */
    CompletionStage<Answered> again(long lastSeq);

    /** What came of it. */
    sealed interface Answered {
        /** The new line, which is used on the caller's loop. */
        record Line(Port port) implements Answered {}

        /** Nobody answers yet: to be asked again. */
        record Later() implements Answered {}

        /**
         * There is no line to be had any more.
         *
         * @param close what the caller's connection ends with
         * @param lastWords an event that the caller hears before; null for none
         */
        record Never(WebSocketClose close, @Nullable String lastWords) implements Answered {}
    }
}
