package parley.provider.simulator;

import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import parley.protocol.Item;
import parley.provider.simulator.ConnectionStory.Answered;
import parley.provider.simulator.ConnectionStory.Given;
import parley.provider.simulator.ConnectionStory.Heard;
import parley.provider.simulator.ConnectionStory.Moment;

/**
 * Writes down what becomes of one connection. Written on the connection's thread, read by any.
 *
 * <p>Of turns, of responses and of items it keeps the newest {@code longest-story} each, and counts the others.
 */
final class Diary {

    private final String caller;
    private final String model;
    private final int most;
    private final SimulatorCounters counters;
    private final LongSupplier nanos;
    private final Moment opened;
    private final ArrayDeque<Heard> turns = new ArrayDeque<>();
    private final LinkedHashMap<String, Answered> responses = new LinkedHashMap<>();
    private final ArrayDeque<Given> items = new ArrayDeque<>();
    private @Nullable Moment frozen;
    private @Nullable Moment closed;
    private int closeCode;
    private boolean heard;
    private long firstAudio;
    private long lastAudio;
    private long audioMicros;
    private long forgotten;

    Diary(
            String caller,
            String model,
            SimulatorSettings settings,
            SimulatorCounters counters,
            LongSupplier nanos,
            Instant now) {
        this.caller = caller;
        this.model = model;
        this.most = settings.longestStory();
        this.counters = counters;
        this.nanos = nanos;
        this.opened = new Moment(nanos.getAsLong(), now);
    }

    synchronized void audio(long micros) {
        lastAudio = nanos.getAsLong();
        if (!heard) firstAudio = lastAudio;
        heard = true;
        audioMicros += micros;
    }

    synchronized void heard(Entry turn) {
        turns.add(new Heard(turn.id(), now(), turn.audioMillis(), turn.speechMillis(), turn.hertz(), turn.isTone()));
        if (turns.size() > most) {
            turns.remove();
            forget();
        }
    }

    synchronized void began(String responseId) {
        responses.put(responseId, new Answered(responseId, now(), null, null, null));
        if (responses.size() > most) {
            responses.pollFirstEntry();
            forget();
        }
    }

    /** @param made null when it made nothing */
    synchronized void ended(String responseId, String status, @Nullable Item made) {
        var callId = made instanceof Item.FunctionCall call ? call.callId() : null;
        responses.computeIfPresent(responseId, (id, begun) -> new Answered(id, begun.created(), now(), status, callId));
    }

    synchronized void given(Entry entry) {
        items.add(
                switch (entry.item()) {
                    case Item.Message message ->
                        given(entry, "message", message.role().wireName(), null);
                    case Item.FunctionCall call -> given(entry, "function_call", null, call.callId());
                    case Item.FunctionCallOutput output -> given(entry, "function_call_output", null, output.callId());
                    default -> given(entry, "mcp_approval_response", null, null);
                });
        if (items.size() > most) {
            items.remove();
            forget();
        }
    }

    synchronized void froze() {
        frozen = now();
    }

    synchronized void closed(int code) {
        closed = now();
        closeCode = code;
    }

    synchronized ConnectionStory story() {
        return new ConnectionStory(
                caller,
                model,
                opened,
                frozen,
                closed,
                closeCode,
                heard ? moment(firstAudio) : null,
                heard ? moment(lastAudio) : null,
                audioMicros / 1000,
                List.copyOf(turns),
                new ArrayList<>(responses.values()),
                List.copyOf(items),
                forgotten);
    }

    private Given given(Entry entry, String type, @Nullable String role, @Nullable String callId) {
        return new Given(entry.id(), now(), type, role, entry.letters(), callId);
    }

    private void forget() {
        forgotten++;
        counters.forgottenLines.increment();
    }

    private Moment now() {
        return moment(nanos.getAsLong());
    }

    private Moment moment(long at) {
        return new Moment(at, opened.at().plusNanos(at - opened.nanos()));
    }
}
