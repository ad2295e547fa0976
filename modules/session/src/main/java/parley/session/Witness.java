package parley.session;

import java.time.Clock;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import parley.protocol.AudioFormat;
import parley.protocol.Content;
import parley.protocol.Item;
import parley.protocol.Peek;
import parley.protocol.Response;
import parley.protocol.ServerEvent;
import parley.protocol.SessionConfig;
import parley.protocol.Wire;
import parley.session.SessionEvent.AgentCut;
import parley.session.SessionEvent.AgentHeard;
import parley.session.SessionEvent.AgentSaid;
import parley.session.SessionEvent.AnswerBegan;
import parley.session.SessionEvent.Configured;
import parley.session.SessionEvent.ItemDeleted;
import parley.session.SessionEvent.Spent;
import parley.session.SessionEvent.ToolAnswered;
import parley.session.SessionEvent.ToolCalled;
import parley.session.SessionEvent.UpstreamOpened;
import parley.session.SessionEvent.UserSaid;
import parley.session.SessionEvent.UserTranscribed;

/**
 * Tells from what passes between caller and provider what became a fact: who said what, what was called, what it cost.
 *
 * <p>Sees every event but audio, of which it sees the length. Confined to the conversation's loop.
 */
final class Witness {
    private final Clock clock;
    private final Prices prices;
    private final List<SessionEvent> facts = new ArrayList<>();
    private final Map<String, Millis> generated = new HashMap<>();
    /** The words of items that are no items of the conversation yet, in the order in which they began. */
    private final Map<String, StringBuilder> words = new LinkedHashMap<>();

    private final Map<String, Long> cutMs = new HashMap<>();
    private final Map<String, Long> speechStart = new HashMap<>();
    private final Map<String, Long> spokenMs = new HashMap<>();
    private final Set<String> told = new HashSet<>();
    private final Set<String> aside = new HashSet<>();
    private String model;
    private String transcriber = "";
    private AudioFormat inputFormat = AudioFormat.PCM16_24K;
    private AudioFormat outputFormat = AudioFormat.PCM16_24K;
    private boolean interruptible = true;
    private boolean findsTurns = true;
    private boolean answersByItself = true;
    private @Nullable SessionConfig configured;
    private Consumer<Spent> bill = spent -> {};
    private long appendedMs;
    /** Bytes that are no whole millisecond. */
    private int leftOver;

    private long committedMs;

    Witness(String model, Prices prices, Clock clock) {
        this.model = model;
        this.prices = prices;
        this.clock = clock;
    }

    /** Who is told of each cost as it becomes known. */
    void onSpent(Consumer<Spent> told) {
        bill = told;
    }

    /** The item is a fact already, told by an earlier host of the session. */
    void knows(String itemId) {
        told.add(itemId);
    }

    /** A fact that nothing said by either side tells. */
    void note(SessionEvent fact) {
        facts.add(fact);
    }

    /** The facts since the last call. */
    List<SessionEvent> takeFacts() {
        var taken = List.copyOf(facts);
        facts.clear();
        return taken;
    }

    boolean hasFacts() {
        return !facts.isEmpty();
    }

    /** Whether the provider stops the agent by itself when the caller speaks. */
    boolean interruptible() {
        return interruptible;
    }

    /** Whether the provider finds the turns by itself; else the caller commits them. */
    boolean findsTurns() {
        return findsTurns;
    }

    /** Whether the end of a turn makes the provider answer. */
    boolean answersByItself() {
        return findsTurns && answersByItself;
    }

    /** Whether the caller is speaking as far as the provider can tell. */
    boolean isSpokenTo() {
        return !speechStart.isEmpty();
    }

    AudioFormat outputFormat() {
        return outputFormat;
    }

    AudioFormat inputFormat() {
        return inputFormat;
    }

    /**
     * The caller's audio passed by. Frames need not be whole milliseconds long: what is left over counts with the next.
     *
     * @return how many milliseconds it adds
     */
    long heard(int bytes) {
        leftOver += bytes;
        long ms = leftOver / inputFormat.bytesPerMillisecond();
        leftOver %= inputFormat.bytesPerMillisecond();
        appendedMs += ms;
        return ms;
    }

    /** The agent's audio passed by. */
    void generated(String itemId, long ms) {
        generated.computeIfAbsent(itemId, first -> new Millis()).sum += ms;
    }

    /** The agent's audio came, and nobody will hear it: its response was interrupted before. */
    void unheard(String itemId, long ms) {
        generated(itemId, ms);
        if (!cutMs.containsKey(itemId)) {
            cut(itemId, 0);
        }
    }

    /** The item was interrupted after this much of it had been heard. */
    void cut(String itemId, long heardMs) {
        var before = cutMs.put(itemId, heardMs);
        if (told.contains(itemId) && !Long.valueOf(heardMs).equals(before)) {
            facts.add(new AgentCut(itemId, heardMs, now()));
        }
    }

    /** How far an item of the agent is being heard; a fact when it is heard at all. */
    void isHeard(String itemId, long heardMs) {
        var text = words.get(itemId);
        facts.add(new AgentHeard(
                itemId, text == null ? "" : text.toString(), sum(generated.get(itemId)), heardMs, now()));
    }

    /**
     * The provider is gone: what it had said of items that were not done is all there will be of them.
     *
     * @return whether there were any
     */
    boolean providerLost() {
        boolean cut = false;
        var begun = new LinkedHashSet<>(words.keySet());
        begun.addAll(generated.keySet());
        for (var itemId : begun) {
            if (told.add(itemId)) {
                cut = true;
                var text = words.get(itemId);
                facts.add(
                        new AgentSaid(itemId, text == null ? "" : text.toString(), sum(generated.get(itemId)), now()));
                var heard = cutMs.get(itemId);
                if (heard != null) {
                    facts.add(new AgentCut(itemId, heard, now()));
                }
            }
        }
        words.clear();
        generated.clear();
        speechStart.clear();
        spokenMs.clear();
        aside.clear();
        committedMs = appendedMs;
        return cut;
    }

    /** Whether a response runs beside the conversation, and says nothing to the caller's ear that would be journaled. */
    boolean isAside(String responseId) {
        return aside.contains(responseId);
    }

    /** The same of the frame that was looked at last. */
    boolean isAside(Peek peek) {
        return !aside.isEmpty() && aside.stream().anyMatch(peek::isResponse);
    }

    /** The session as the provider last stated it; null before it did. */
    @Nullable
    SessionConfig configuration() {
        return configured;
    }

    /** A provider has taken the session; {@code model}: the one it was asked for, if it does not say. */
    void answered(String provider, String model, ServerEvent.SessionCreated created) {
        saw(created);
        var session = created.session();
        note(new UpstreamOpened(
                provider,
                session.model() == null ? model : session.model(),
                session.id() == null ? "" : session.id(),
                now()));
    }

    void saw(ServerEvent event) {
        switch (event) {
            case ServerEvent.SessionCreated e -> configured(e.session());
            case ServerEvent.SessionUpdated e -> {
                if (configured(e.session())) {
                    facts.add(new Configured(Wire.json(e.session().json()), now()));
                }
            }
            case ServerEvent.InputAudioBufferSpeechStarted e -> speechStart.put(e.itemId(), e.audioStartMs());
            case ServerEvent.InputAudioBufferSpeechStopped e -> {
                var start = speechStart.remove(e.itemId());
                spokenMs.put(e.itemId(), start == null ? 0 : Math.max(0, e.audioEndMs() - start));
            }
            case ServerEvent.InputAudioBufferCommitted e -> {
                // A caller that commits in the middle of its speech is told of no end of it.
                speechStart.remove(e.itemId());
                spokenMs.putIfAbsent(e.itemId(), appendedMs - committedMs);
                committedMs = appendedMs;
            }
            case ServerEvent.InputAudioBufferCleared e -> {
                speechStart.clear();
                committedMs = appendedMs;
            }
            case ServerEvent.ConversationItemDone e -> done(e.item());
            case ServerEvent.ConversationItemCreated e -> done(e.item());
            case ServerEvent.ConversationItemInputAudioTranscriptionCompleted e -> {
                facts.add(new UserTranscribed(e.itemId(), e.transcript(), now()));
                if (e.usage() != null) {
                    spent("transcription:" + e.itemId(), Tokens.of(e.usage()), transcriber);
                }
            }
            case ServerEvent.ConversationItemTruncated e -> cut(e.itemId(), e.audioEndMs());
            case ServerEvent.ConversationItemDeleted e -> facts.add(new ItemDeleted(e.itemId(), now()));
            case ServerEvent.ResponseCreated e -> {
                if (e.response().conversationId() == null) {
                    aside.add(e.response().id());
                } else {
                    facts.add(new AnswerBegan(e.response().id(), now()));
                }
            }
            case ServerEvent.ResponseOutputAudioTranscriptDelta e -> spelled(e.responseId(), e.itemId(), e.delta());
            case ServerEvent.ResponseOutputTextDelta e -> spelled(e.responseId(), e.itemId(), e.delta());
            case ServerEvent.ResponseOutputItemDone e -> {
                if (!aside.contains(e.responseId())) {
                    done(e.item());
                }
            }
            case ServerEvent.ResponseDone e -> over(e.response());
            default -> {}
        }
    }

    /** The agent's words passed by, ahead of the audio as a rule. */
    void spelled(String responseId, String itemId, String delta) {
        if (!told.contains(itemId) && !isAside(responseId)) {
            words.computeIfAbsent(itemId, first -> new StringBuilder()).append(delta);
        }
    }

    private boolean configured(SessionConfig session) {
        boolean changed = !session.equals(configured);
        configured = session;
        model = session.model() == null ? model : session.model();
        inputFormat = session.inputFormat() == null ? inputFormat : session.inputFormat();
        outputFormat = session.outputFormat() == null ? outputFormat : session.outputFormat();
        var detection = session.turnDetection();
        // A provider that says nothing of it does as the protocol's default: it listens, and stops when spoken over.
        if (session.states("audio.input.turn_detection")) {
            findsTurns = detection != null;
            interruptible = detection != null && detection.interruptResponse();
            answersByItself = detection != null && detection.createResponse();
        }
        var transcription = session.inputTranscription();
        transcriber = transcription == null || transcription.model() == null ? "" : transcription.model();
        return changed;
    }

    /** Providers announce an item's end in up to two events; the first is believed. */
    private void done(Item item) {
        var id = item.id();
        if (id == null || isInProgress(item) || !told.add(id)) {
            return;
        }
        switch (item) {
            case Item.Message message -> said(id, message);
            case Item.FunctionCall call ->
                facts.add(new ToolCalled(
                        id, call.callId() == null ? id : call.callId(), call.name(), call.arguments(), now()));
            case Item.FunctionCallOutput output ->
                facts.add(new ToolAnswered(id, output.callId(), output.output(), now()));
            default -> {}
        }
    }

    private static boolean isInProgress(Item item) {
        return switch (item) {
            case Item.Message message -> message.status() == Item.Status.IN_PROGRESS;
            case Item.FunctionCall call -> call.status() == Item.Status.IN_PROGRESS;
            default -> false;
        };
    }

    private void said(String id, Item.Message message) {
        switch (message.role()) {
            case USER -> facts.add(new UserSaid(id, words(message), orZero(spokenMs.remove(id)), now()));
            case ASSISTANT -> {
                words.remove(id);
                var text = words(message);
                facts.add(new AgentSaid(id, text == null ? "" : text, sum(generated.remove(id)), now()));
                var heard = cutMs.get(id);
                if (heard != null) {
                    facts.add(new AgentCut(id, heard, now()));
                }
            }
            case SYSTEM -> {}
        }
    }

    private void over(Response response) {
        aside.remove(response.id());
        if (response.usage() != null) {
            spent(response.id(), Tokens.of(response.usage()), model);
        }
    }

    private void spent(String source, Tokens tokens, String of) {
        var at = now();
        var spent = new Spent(source, tokens, of, prices.version(), prices.micros(tokens, of, at), at);
        facts.add(spent);
        bill.accept(spent);
    }

    private Instant now() {
        return clock.instant();
    }

    /** Of an item's audio; counted for each frame, so it is no value in a map. */
    private static final class Millis {
        private long sum;
    }

    private static long sum(@Nullable Millis millis) {
        return millis == null ? 0 : millis.sum;
    }

    private static long orZero(@Nullable Long value) {
        return value == null ? 0 : value;
    }

    /** The words of a message; null when it is speech without a transcript. */
    private static @Nullable String words(Item.Message message) {
        var words = message.content().stream()
                .map(Witness::words)
                .filter(text -> text != null)
                .collect(Collectors.joining(" "));
        return words.isEmpty() && message.content().stream().anyMatch(Content.InputAudio.class::isInstance)
                ? null
                : words;
    }

    private static @Nullable String words(Content part) {
        return switch (part) {
            case Content.InputText(var text) -> text;
            case Content.InputAudio(var audio, var transcript) -> transcript;
            case Content.OutputText(var text) -> text;
            case Content.OutputAudio(var audio, var transcript) -> transcript;
            case Content.Text(var text) -> text;
            case Content.Audio(var audio, var transcript) -> transcript;
            case Content.InputImage image -> "[image]";
            case Content.Unknown unknown -> null;
        };
    }
}
