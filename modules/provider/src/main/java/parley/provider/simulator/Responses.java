package parley.provider.simulator;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import parley.protocol.Content;
import parley.protocol.Item;
import parley.protocol.ResponseRequest;
import parley.protocol.ServerEvent.RateLimit;
import parley.protocol.SessionConfig;
import parley.protocol.Tool;

/** The responses of one session: one at a time in the conversation, and any number within a bound outside of it. */
final class Responses implements Listening.Turns {

    private static final long REQUESTS_PER_MINUTE = 5_000;
    private static final long TOKENS_PER_MINUTE = 1_000_000;
    private static final long MINUTE = 60_000;
    private static final long RESERVED_TOKENS = 4_096;

    /** How long the conversation's answer will still be heard. */
    @FunctionalInterface
    interface Answered {
        void in(long playedAfterMillis);
    }

    private final Parts parts;
    private final Answers answers;
    private final Map<String, ResponseRun> running = new LinkedHashMap<>();
    private Answered answered = millis -> {};
    private @Nullable ResponseRun active;
    private Tokens readBefore = Tokens.NONE;
    private String readBeforeText = "";
    private long minuteBegan;
    private long requests;
    private long tokens;

    Responses(Parts parts) {
        this.parts = parts;
        this.answers = new Answers(parts.settings(), parts.switches());
        this.minuteBegan = parts.timers().millis();
    }

    /** Who is told when an answer in the conversation has ended. */
    void onAnswered(Answered listener) {
        answered = listener;
    }

    /** Starts what the client asks for, or says why not. */
    void create(@Nullable ResponseRequest request, @Nullable String clientEventId) {
        var refusal = begin(request == null ? ResponseRequest.EMPTY : request);
        if (refusal != null) parts.events().refuse(clientEventId, refusal);
    }

    /** @param responseId null for the conversation's own */
    void cancel(@Nullable String responseId, @Nullable String clientEventId) {
        var run = responseId == null ? active : running.get(responseId);
        if (run == null) {
            parts.events()
                    .refuse(
                            clientEventId,
                            new Refusal(
                                    "response_cancel_not_active",
                                    "Cancellation failed: no active response found",
                                    null));
        } else {
            run.stop("client_cancelled");
        }
    }

    /** The connection is gone. */
    void abandon() {
        running.values().forEach(ResponseRun::abandon);
        running.clear();
        active = null;
    }

    @Override
    public void interrupted() {
        if (active != null) active.stop("turn_detected");
    }

    @Override
    public void ended() {
        if (parts.session().realtime()) create(null, null);
    }

    @Override
    public boolean answering() {
        return active != null;
    }

    private @Nullable Refusal begin(ResponseRequest request) {
        var session = parts.session();
        if (!session.realtime()) {
            return new Refusal("invalid_event", "A transcription session has no responses.", "type");
        }
        boolean inConversation = !request.outOfBand();
        if (inConversation && active != null) {
            return new Refusal(
                    "conversation_already_has_active_response",
                    "Conversation already has an active response in progress: " + active.id()
                            + ". Wait until the response is finished before creating a new one.",
                    null);
        }
        if (running.size() >= parts.settings().mostResponses()) {
            return new Refusal("rate_limit_exceeded", "Too many responses at the same time.", null);
        }
        var voice = session.voiceChange(request.voice(), "response.audio.output.voice");
        if (voice != null) return voice;
        var context = new ArrayList<Entry>();
        var unknown = context(request, context);
        if (unknown != null) return unknown;
        run(asked(request, inConversation, context));
        return null;
    }

    private void run(Asked asked) {
        var preamble = Tokens.of(asked.instructions(), asked.tools());
        var preambleText = asked.instructions() + asked.tools();
        var cached = preambleText.equals(readBeforeText) ? readBefore : Tokens.NONE;
        var input = preamble;
        for (var entry : asked.context()) {
            input = input.plus(Tokens.of(entry));
            if (entry.seen()) cached = cached.plus(Tokens.of(entry));
        }
        readBefore = preamble;
        readBeforeText = preambleText;
        var run = new ResponseRun(asked, parts, input, cached, this::ended);
        running.put(run.id(), run);
        if (asked.inConversation()) active = run;
        parts.counters().responses.increment();
        run.begin(answers, limits(input.total() + RESERVED_TOKENS));
    }

    private void ended(ResponseRun run, long playedAfterMillis) {
        running.remove(run.id());
        if (run != active) return;
        active = null;
        answered.in(playedAfterMillis);
    }

    private Asked asked(ResponseRequest request, boolean inConversation, List<Entry> context) {
        var session = parts.session();
        var config = session.config();
        var modalities = request.outputModalities().isEmpty() ? config.outputModalities() : request.outputModalities();
        List<Tool> ownTools = request.tools();
        var ownChoice = request.toolChoice();
        var ownFormat = request.outputFormat();
        var ownVoice = request.voice();
        var own = request.instructions();
        return new Asked(
                inConversation,
                !modalities.contains("text"),
                own == null ? "" : own,
                own == null ? session.instructions() : own,
                ownTools == null ? config.tools() : ownTools,
                ownChoice == null ? session.toolChoice() : ownChoice,
                maxTokens(request.maxOutputTokens(), config.maxOutputTokens()),
                ownFormat == null ? session.outputFormat() : ownFormat,
                ownVoice == null ? session.voice() : ownVoice,
                session.speed(),
                request.metadata(),
                context);
    }

    /** Collects what the model reads. */
    private @Nullable Refusal context(ResponseRequest request, List<Entry> context) {
        var input = request.input();
        if (input == null) {
            context.addAll(parts.conversation().entries());
            return null;
        }
        for (int i = 0; i < input.size(); i++) {
            var item = input.get(i);
            if (item instanceof Item.ItemReference reference) {
                var entry = parts.conversation().find(reference.id());
                if (entry == null) {
                    return Refusal.invalidValue(
                            "response.input[" + i + "].id", reference.id(), "an item of the conversation");
                }
                context.add(entry);
            } else {
                context.add(outside(item));
            }
        }
        return null;
    }

    private Entry outside(Item item) {
        var entry = new Entry("", item);
        if (item instanceof Item.Message message) {
            long millis = 0;
            for (var part : message.content()) {
                if (part instanceof Content.InputAudio spoken && spoken.audio() != null) {
                    millis +=
                            parts.session().inputFormat().millis(spoken.audio().length());
                }
            }
            entry.sounds(millis, millis);
        }
        return entry;
    }

    private List<RateLimit> limits(long reserved) {
        long now = parts.timers().millis();
        if (now - minuteBegan >= MINUTE) {
            minuteBegan = now;
            requests = 0;
            tokens = 0;
        }
        requests++;
        tokens += reserved;
        double reset = (MINUTE - (now - minuteBegan)) / 1000.0;
        return List.of(
                new RateLimit("requests", REQUESTS_PER_MINUTE, Math.max(0, REQUESTS_PER_MINUTE - requests), reset),
                new RateLimit("tokens", TOKENS_PER_MINUTE, Math.max(0, TOKENS_PER_MINUTE - tokens), reset));
    }

    private static int maxTokens(@Nullable Integer own, @Nullable Integer sessions) {
        if (own != null) return own;
        return sessions == null ? SessionConfig.UNLIMITED : sessions;
    }
}
