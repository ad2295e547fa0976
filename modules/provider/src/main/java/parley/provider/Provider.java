package parley.provider;

import io.netty.channel.EventLoop;
import java.time.Duration;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;
import parley.wire.Port;

/** Whoever answers. Thread-safe. */
public interface Provider {
    /** As operators call it, and as the journal and the metrics name it. */
    String name();

    /** The model a conversation gets when its caller names none. */
    String defaultModel();

    /**
     * The model a conversation gets here.
     *
     * @param asked as the caller named it, switches and all; null when the caller named none
     * @return that very name, or the default when this provider does not go by it
     */
    default String modelFor(@Nullable String asked) {
        return asked == null ? defaultModel() : asked;
    }

    /** How old this provider lets a conversation become before it ends it by itself; zero when it never does. */
    default Duration maxAge() {
        return Duration.ZERO;
    }

    /**
     * Opens one conversation.
     *
     * @return the line to the model, completed on the call's loop: client events go out, server events come in, {@code
     *     session.created} first; fails with {@link ProviderRefused} and nothing else
     */
    CompletionStage<Port> dial(Call call);

    /**
     * What a conversation is opened with.
     *
     * @param loop where the conversation's streams run
     * @param model what {@link #modelFor} made of the caller's wish
     * @param safetyIdentifier a stable pseudonym of the caller, which providers use against abuse
     */
    record Call(EventLoop loop, String model, String safetyIdentifier) {}
}
