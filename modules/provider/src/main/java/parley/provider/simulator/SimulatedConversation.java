package parley.provider.simulator;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import parley.protocol.ClientEvent;
import parley.protocol.EventType;
import parley.protocol.Ids;
import parley.protocol.MalformedEvent;
import parley.protocol.Peek;
import parley.protocol.ServerEvent;
import parley.protocol.Wire;

/**
 * One session of the realtime protocol, without a socket: a message of the client comes in, events go out.
 *
 * <p>Confined to the thread of its {@link Timers}. It lives from {@link #open} to {@link #end} and answers whatever
 * comes in between: what it does not understand gets an {@code error} event, never an exception. Frames of audio, which
 * are nearly all frames, are not parsed.
 */
final class SimulatedConversation {

    /**
     * How a client came.
     *
     * @param modelNamed whether it chose the model; one that did not may still do so in its first update
     */
    record Opening(
            String model, boolean modelNamed, @Nullable String intent, boolean beta) {}

    private static final Logger LOG = LoggerFactory.getLogger(SimulatedConversation.class);
    private static final int REFUSED = 4000;
    private static final int GOING_AWAY = 1001;

    private final Opening opening;
    private final Parts parts;
    private final Events events;
    private final Listening listening;
    private final Responses responses;
    private final ItemRequests items;
    private final Peek peek = new Peek();
    private Timers.@Nullable Timer age;

    SimulatedConversation(
            Opening opening,
            Switches switches,
            SimulatorSettings settings,
            Speech speech,
            Timers timers,
            RandomGenerator random,
            Outlet outlet,
            Diary diary,
            SimulatorCounters counters) {
        var expires = timers.now().plusSeconds(switches.ageLimitSeconds());
        var session = opening.intent() == null
                ? LiveSession.realtime(opening.model(), opening.modelNamed(), expires, switches)
                : LiveSession.transcription(expires, switches);
        this.opening = opening;
        this.events = new Events(outlet, switches, counters, random);
        this.parts = new Parts(
                session,
                new Conversation(Ids.conversation(), settings, counters),
                events,
                timers,
                speech,
                switches,
                settings,
                diary,
                counters);
        this.responses = new Responses(parts);
        this.listening = new Listening(parts, responses);
        this.items = new ItemRequests(parts);
        responses.onAnswered(listening::answered);
    }

    /** Greets the client, or tells it why not and closes. */
    void open() {
        var refusal = refusal();
        if (refusal != null) {
            events.refuse(null, refusal);
            events.close(REFUSED, "invalid_request_error." + refusal.code());
            return;
        }
        if (!parts.switches().silentCreated()) {
            events.send(
                    new ServerEvent.SessionCreated(Ids.event(), parts.session().config()));
        }
        age = parts.timers().after(parts.switches().ageLimitSeconds() * 1000, this::expire);
    }

    /**
     * Takes one message, which stands in the buffer's own array from position to limit. The buffer belongs to the
     * caller again when this returns.
     */
    void receive(ByteBuffer message) {
        try {
            if (!isAudio(message)
                    || !listening.append(
                            message.array(), message.arrayOffset() + peek.audioOffset(), peek.audioLength())) {
                var copy = new byte[message.remaining()];
                message.get(message.position(), copy);
                obey(Wire.client(copy));
            }
        } catch (MalformedEvent malformed) {
            refuse(malformed);
        } catch (RuntimeException bug) {
            parts.counters().faults.increment();
            LOG.error("a client event could not be handled", bug);
            events.error("server_error", null, new Refusal("server_error", "The simulator has a fault.", null));
        }
    }

    /** Takes a message that is not text. */
    void receiveBinary() {
        events.refuse(null, new Refusal("invalid_event", "Binary messages are not supported.", null));
    }

    /** The connection is gone: nothing more is sent, nothing is waited for. */
    void end() {
        if (age != null) age.cancel();
        responses.abandon();
        listening.stopWaiting();
    }

    private @Nullable Refusal refusal() {
        if (opening.beta()) {
            return new Refusal("beta_api_shape_disabled", "The beta shape of this API is no longer supported.", null);
        }
        if (opening.intent() != null) {
            return opening.intent().equals("transcription")
                    ? null
                    : new Refusal("invalid_intent", "The intent is not supported.", "intent");
        }
        if (opening.model().isBlank()) return new Refusal("invalid_model", "The model is empty.", "model");
        var known = parts.settings().models();
        var name = ModelName.plain(opening.model());
        return known.isEmpty() || known.contains(name)
                ? null
                : new Refusal("model_not_found", "The model does not exist or you do not have access to it.", "model");
    }

    private boolean isAudio(ByteBuffer message) {
        return peek.scan(message, message.position(), message.remaining())
                && peek.type() == EventType.INPUT_AUDIO_BUFFER_APPEND
                && peek.hasAudio();
    }

    private void obey(ClientEvent event) {
        switch (event) {
            case ClientEvent.SessionUpdate update -> update(update);
            case ClientEvent.InputAudioBufferAppend append -> append(append);
            case ClientEvent.InputAudioBufferCommit commit -> listening.commit(commit.eventId());
            case ClientEvent.InputAudioBufferClear clear -> listening.clear();
            case ClientEvent.OutputAudioBufferClear clear ->
                events.refuse(
                        clear.eventId(),
                        new Refusal("invalid_event", "output_audio_buffer.clear needs WebRTC or SIP.", "type"));
            case ClientEvent.ConversationItemCreate create -> items.create(create);
            case ClientEvent.ConversationItemRetrieve retrieve -> items.retrieve(retrieve);
            case ClientEvent.ConversationItemTruncate truncate -> items.truncate(truncate);
            case ClientEvent.ConversationItemDelete delete -> items.delete(delete);
            case ClientEvent.ResponseCreate create -> responses.create(create.response(), create.eventId());
            case ClientEvent.ResponseCancel cancel -> responses.cancel(cancel.responseId(), cancel.eventId());
            case ClientEvent.Unknown unknown ->
                events.refuse(
                        unknown.eventId(),
                        new Refusal("invalid_value", "type: unknown (expected: a client event)", "type"));
        }
    }

    private void update(ClientEvent.SessionUpdate update) {
        var refusal = parts.session().update(update.session());
        if (refusal != null) {
            events.refuse(update.eventId(), refusal);
            return;
        }
        events.send(new ServerEvent.SessionUpdated(Ids.event(), parts.session().config()));
        listening.sessionChanged();
    }

    /** Base64 with JSON escapes in it, or no base64. */
    private void append(ClientEvent.InputAudioBufferAppend append) {
        var base64 = append.audio().getBytes(StandardCharsets.UTF_8);
        if (!listening.append(base64, 0, base64.length)) {
            events.refuse(append.eventId(), Refusal.invalidValue("audio", "not base64", "base64 of the input format"));
        }
    }

    private void refuse(MalformedEvent malformed) {
        events.refuse(
                malformed.eventId(), new Refusal(malformed.code().wireName(), malformed.message(), malformed.param()));
    }

    private void expire() {
        responses.abandon();
        events.error(
                "invalid_request_error",
                null,
                new Refusal("session_expired", "Your session hit the maximum duration.", null));
        events.close(GOING_AWAY, "Your session hit the maximum duration.");
    }
}
