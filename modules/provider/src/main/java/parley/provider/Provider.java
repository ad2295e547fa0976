package parley.provider;

import io.netty.channel.EventLoop;
import java.util.concurrent.CompletionStage;
import parley.wire.Port;

/** Whoever answers. Thread-safe. */
public interface Provider {
    /** As operators call it, and as the journal and the metrics name it. */
    String name();

    /** The model a conversation gets when its caller names none. */
    String defaultModel();

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
     * @param model as the caller asked for it
     * @param safetyIdentifier a stable pseudonym of the caller, which providers use against abuse
     */
    record Call(EventLoop loop, String model, String safetyIdentifier) {}
}
