package parley.provider.simulator;

import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;
import parley.protocol.Ids;
import parley.protocol.Item;
import parley.protocol.Previous;
import parley.protocol.Response;
import parley.protocol.ServerEvent;

/**
 * One response, from {@code response.created} to {@code response.done}, which always follows.
 *
 * <p>It is thought of (until the first delta is due and the speech is there), then streamed at a steady pace, faster
 * than it plays; while the client reads too slowly it waits. It ends once: complete, at its limit, failed, or stopped.
 */
final class ResponseRun {

    /** Who is told that it ended, before the client is. */
    @FunctionalInterface
    interface Owner {
        /** @param playedAfterMillis until a client that plays in real time has played all of it */
        void ended(ResponseRun run, long playedAfterMillis);
    }

    private static final long CONGESTION_MILLIS = 20;

    private final Asked asked;
    private final Parts parts;
    private final Owner owner;
    private final Response begun;
    private final Tokens input;
    private final Tokens cached;
    private final long begunAt;
    private final double period;
    private final Entry entry;
    private @Nullable Output output;
    private @Nullable Previous previous;
    private Timers.@Nullable Timer timer;
    private long startedAt;
    private long steps;
    private boolean ended;

    /** @param cached the part of the input that the model has read before */
    ResponseRun(Asked asked, Parts parts, Tokens input, Tokens cached, Owner owner) {
        this.asked = asked;
        this.parts = parts;
        this.owner = owner;
        this.input = input;
        this.cached = cached;
        this.begunAt = parts.timers().millis();
        this.period = parts.switches().deltaMillis() / parts.switches().speed();
        this.entry = new Entry(Ids.item(), new Item.ItemReference(""));
        this.begun = new Response(
                Ids.response(),
                Response.Status.IN_PROGRESS,
                null,
                List.of(),
                asked.inConversation() ? parts.conversation().id() : null,
                List.of(asked.spoken() ? "audio" : "text"),
                asked.maxTokens(),
                asked.format(),
                asked.voice(),
                asked.metadata(),
                null);
    }

    String id() {
        return begun.id();
    }

    void begin(Answers answers, List<ServerEvent.RateLimit> limits) {
        parts.diary().began(begun.id());
        parts.events().send(new ServerEvent.ResponseCreated(Ids.event(), begun));
        parts.events().send(new ServerEvent.RateLimitsUpdated(Ids.event(), limits));
        var failure = parts.switches().failResponse();
        if (!failure.isEmpty()) {
            whenDue(() -> fail(failure, "The simulator was told to fail."));
            return;
        }
        switch (answers.decide(asked)) {
            case Answers.Answer.Call call ->
                whenDue(() -> start(
                        new CallOutput(place(), parts.events(), call.name(), call.arguments(), asked.maxTokens())));
            case Answers.Answer.Words(var words) when asked.spoken() -> speak(words);
            case Answers.Answer.Words(var words) ->
                whenDue(() -> start(new WrittenOutput(place(), parts.events(), words, asked.maxTokens())));
        }
    }

    /** Stops it where it is; without effect when it has ended. */
    void stop(String reason) {
        end(Response.Status.CANCELLED, new Response.StatusDetails("cancelled", reason, null));
    }

    /** The connection is gone: nothing more is sent. */
    void abandon() {
        ended = true;
        if (timer != null) timer.cancel();
    }

    private void speak(String words) {
        var sentences = Words.sentences(words);
        var sounds = sentences.stream()
                .map(sentence -> parts.speech()
                        .say(new Speech.Phrase(sentence.strip(), asked.voice(), asked.speed(), asked.format())))
                .map(CompletionStage::toCompletableFuture)
                .toList();
        CompletableFuture.allOf(sounds.toArray(CompletableFuture<?>[]::new))
                .whenComplete((all, broken) -> parts.timers().soon(() -> {
                    if (broken != null) {
                        fail("server_error", "The simulator could not speak.");
                    } else {
                        whenDue(() -> speak(
                                sentences,
                                sounds.stream().map(CompletableFuture::join).toList()));
                    }
                }));
    }

    private void speak(List<String> sentences, List<byte[]> sounds) {
        parts.session().spoke();
        start(new SpokenOutput(
                place(),
                parts.events(),
                entry,
                asked,
                sentences,
                sounds,
                parts.switches().deltaMillis(),
                asked.maxTokens()));
    }

    private void whenDue(Runnable task) {
        if (ended) return;
        long due = begunAt + parts.switches().firstTokenMillis();
        timer = parts.timers().after(Math.max(0, due - parts.timers().millis()), task);
    }

    private void start(Output made) {
        output = made;
        entry.become(made.empty());
        parts.events()
                .send(new ServerEvent.ResponseOutputItemAdded(Ids.event(), begun.id(), Place.OUTPUT, entry.item()));
        if (asked.inConversation()) {
            previous = parts.conversation().append(entry);
            parts.events().send(new ServerEvent.ConversationItemAdded(Ids.event(), previous, entry.item()));
        }
        made.begin();
        startedAt = parts.timers().millis();
        tick(made);
    }

    private void tick(Output made) {
        long due = 1 + (long) ((parts.timers().millis() - startedAt) / period);
        boolean more = true;
        while (more && steps < due) {
            if (parts.events().congested()) {
                timer = parts.timers().after(CONGESTION_MILLIS, () -> tick(made));
                return;
            }
            more = made.step();
            steps++;
        }
        if (more) {
            long next = startedAt
                    + (long) Math.ceil(steps * period)
                    - parts.timers().millis();
            timer = parts.timers().after(Math.max(1, next), () -> tick(made));
        } else if (made.limited()) {
            end(Response.Status.INCOMPLETE, new Response.StatusDetails("incomplete", "max_output_tokens", null));
        } else {
            end(Response.Status.COMPLETED, null);
        }
    }

    private void fail(String code, String message) {
        end(
                Response.Status.FAILED,
                new Response.StatusDetails("failed", null, new Response.Failure("server_error", code, message)));
    }

    private void end(Response.Status status, Response.@Nullable StatusDetails why) {
        if (ended) return;
        abandon();
        var made = output == null ? Tokens.NONE : finish(output, status);
        asked.context().forEach(Entry::see);
        var usage = status == Response.Status.FAILED
                ? Tokens.usage(Tokens.NONE, Tokens.NONE, Tokens.NONE)
                : Tokens.usage(input, cached, made);
        long played = asked.spoken() && output != null
                ? startedAt + entry.audioMillis() - parts.timers().millis()
                : 0;
        owner.ended(this, Math.max(0, played));
        var items = output == null ? List.<Item>of() : List.of(entry.item());
        parts.diary().ended(begun.id(), status.wireName(), output == null ? null : entry.item());
        parts.events().send(new ServerEvent.ResponseDone(Ids.event(), begun.ended(status, why, items, usage)));
    }

    private Tokens finish(Output made, Response.Status status) {
        entry.become(made.finish(status == Response.Status.COMPLETED ? Item.Status.COMPLETED : Item.Status.INCOMPLETE));
        entry.see();
        if (made instanceof SpokenOutput spoken && asked.inConversation()) {
            parts.conversation().keep(entry, spoken.audio());
            if (entry.truncated()) parts.conversation().truncate(entry, entry.audioMillis());
        }
        var done = new ServerEvent.ResponseOutputItemDone(Ids.event(), begun.id(), Place.OUTPUT, entry.item());
        if (asked.inConversation()) {
            parts.events().sendEither(done, new ServerEvent.ConversationItemDone(Ids.event(), previous, entry.item()));
        } else {
            parts.events().send(done);
        }
        return made.tokens();
    }

    private Place place() {
        return new Place(begun.id(), entry.id());
    }
}
