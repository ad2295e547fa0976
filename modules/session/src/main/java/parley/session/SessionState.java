package parley.session;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonProperty;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import parley.session.SessionEvent.AgentCut;
import parley.session.SessionEvent.AgentHeard;
import parley.session.SessionEvent.AgentSaid;
import parley.session.SessionEvent.AnswerBegan;
import parley.session.SessionEvent.AnswerEnded;
import parley.session.SessionEvent.CallerAttached;
import parley.session.SessionEvent.CallerDetached;
import parley.session.SessionEvent.Configured;
import parley.session.SessionEvent.Ended;
import parley.session.SessionEvent.HandedOver;
import parley.session.SessionEvent.Hosted;
import parley.session.SessionEvent.ItemDeleted;
import parley.session.SessionEvent.Opened;
import parley.session.SessionEvent.Spent;
import parley.session.SessionEvent.Told;
import parley.session.SessionEvent.ToolAnswered;
import parley.session.SessionEvent.ToolCalled;
import parley.session.SessionEvent.UpstreamLost;
import parley.session.SessionEvent.UpstreamOpened;
import parley.session.SessionEvent.UserSaid;
import parley.session.SessionEvent.UserTranscribed;
import parley.session.SessionEvent.Warned;

/** What a session remembers: one record per phase. Pure: no clock, no actor, no I/O. */
sealed interface SessionState extends CborSerializable {
    /** Nobody was admitted under this id yet. */
    record Vacant() implements SessionState {}

    /**
     * Opened, and not over.
     *
     * @param upstream who took the conversation last; null until a provider did
     * @param configured the effective configuration as JSON; null until the provider stated one
     * @param line the caller's
     * @param hosting who holds the session
     * @param answer what the caller is owed; null when everything was answered
     */
    record Live(
            Opened opened,
            @Nullable UpstreamOpened upstream,
            @Nullable String configured,
            Line line,
            Hosting hosting,
            @Nullable Answering answer,
            List<Turn> turns,
            Tokens tokens,
            long costMicros)
            implements SessionState {
        public Live {
            turns = List.copyOf(turns);
        }

        /** Also reads what 0.1 wrote, which had the line's parts among its own. */
        @JsonCreator
        static Live read(
                @JsonProperty("opened") Opened opened,
                @JsonProperty("upstream") @Nullable UpstreamOpened upstream,
                @JsonProperty("configured") @Nullable String configured,
                @JsonProperty("line") @Nullable Line line,
                @JsonProperty("hosting") @Nullable Hosting hosting,
                @JsonProperty("answer") @Nullable Answering answer,
                @JsonProperty("turns") List<Turn> turns,
                @JsonProperty("tokens") Tokens tokens,
                @JsonProperty("costMicros") long costMicros,
                @JsonProperty("seat") @Nullable String seat,
                @JsonProperty("resumeTokenHash") @Nullable String resumeTokenHash) {
            return new Live(
                    opened,
                    upstream,
                    configured,
                    line == null ? new Line(seat, resumeTokenHash, null, List.of(), false, null) : line,
                    hosting == null ? Hosting.NONE : hosting,
                    answer,
                    turns,
                    tokens,
                    costMicros);
        }

        static Live opened(Opened opened) {
            return new Live(opened, null, null, Line.NONE, Hosting.NONE, null, List.of(), Tokens.NONE, 0);
        }

        /** @param reason null while it is not over */
        Answer.View view(SessionId id, String node, boolean attached, @Nullable EndReason reason) {
            return new Answer.View(
                    id,
                    opened.caller(),
                    opened.face(),
                    opened.arm(),
                    reason != null ? "over" : upstream == null ? "opening" : "live",
                    node,
                    attached ? line.node() : null,
                    upstream == null ? null : upstream.provider(),
                    upstream == null ? opened.model() : upstream.model(),
                    attached,
                    turns.size(),
                    new Answer.View.Tokens(
                            tokens.textIn(),
                            tokens.audioIn(),
                            tokens.textCached() + tokens.audioCached(),
                            tokens.textOut(),
                            tokens.audioOut()),
                    costMicros / 1e6,
                    opened.at(),
                    reason,
                    opened.rule(),
                    opened.revision());
        }

        private Live with(Turn turn) {
            var more = new ArrayList<>(turns);
            more.add(turn);
            return with(more);
        }

        /** What is said of an item again takes the earlier one's place. */
        private Live said(Turn turn) {
            return turns.stream().anyMatch(known -> known.itemId().equals(turn.itemId()))
                    ? change(turn.itemId(), known -> turn)
                    : with(turn);
        }

        private Live change(String itemId, UnaryOperator<Turn> change) {
            return with(turns.stream()
                    .map(turn -> turn.itemId().equals(itemId) ? change.apply(turn) : turn)
                    .toList());
        }

        /** An answer that has not ended begins where it began, also when something before it goes. */
        private Live without(String itemId) {
            var left =
                    turns.stream().filter(turn -> !turn.itemId().equals(itemId)).toList();
            if (answer == null) {
                return with(left);
            }
            int from = (int) turns.stream()
                    .limit(answer.from())
                    .filter(turn -> !turn.itemId().equals(itemId))
                    .count();
            var heard = answer.heard() == null || answer.heard().itemId().equals(itemId) ? null : answer.heard();
            return with(left).with(new Answering(answer.responseId(), from, heard));
        }

        private Live with(List<Turn> changed) {
            return new Live(opened, upstream, configured, line, hosting, answer, changed, tokens, costMicros);
        }

        private Live with(UpstreamOpened changed) {
            return new Live(opened, changed, configured, line, hosting, answer, turns, tokens, costMicros);
        }

        private Live with(Configured changed) {
            return new Live(opened, upstream, changed.session(), line, hosting, answer, turns, tokens, costMicros);
        }

        private Live with(Line changed) {
            return new Live(opened, upstream, configured, changed, hosting, answer, turns, tokens, costMicros);
        }

        private Live with(Hosting changed) {
            return new Live(opened, upstream, configured, line, changed, answer, turns, tokens, costMicros);
        }

        private Live with(@Nullable Answering changed) {
            return new Live(opened, upstream, configured, line, hosting, changed, turns, tokens, costMicros);
        }

        private Live with(Spent spent) {
            return new Live(
                    opened,
                    upstream,
                    configured,
                    line,
                    hosting,
                    answer,
                    turns,
                    tokens.plus(spent.tokens()),
                    costMicros + spent.costMicros());
        }
    }

    /**
     * The caller's line.
     *
     * @param seat the name of the seat that was given last; null before the first
     * @param resumeTokenHash of the token that brings its caller back; null before the first
     * @param shownTokenHash of the one that brought it back, which is good as well
     * @param unshownTokenHashes of those that were given since that one, but for the last, from the oldest: an attempt that
     *     its caller gave up may arrive behind the one that succeeded, so the caller may hold any of them
     * @param attached whether somebody sits there
     */
    record Line(
            @Nullable String seat,
            @Nullable String resumeTokenHash,
            @Nullable String shownTokenHash,
            List<String> unshownTokenHashes,
            boolean attached,
            @Nullable String node) {
        static final Line NONE = new Line(null, null, null, List.of(), false, null);

        /** More attempts than a caller makes before it hears from one. */
        private static final int MOST_UNSHOWN = 8;

        /** Also reads what says nothing of tokens in between. */
        public Line {
            unshownTokenHashes = unshownTokenHashes == null ? List.of() : List.copyOf(unshownTokenHashes);
        }

        /** Whether the token of this hash brings its caller back. */
        boolean isGood(String tokenHash) {
            return Stream.concat(Stream.of(resumeTokenHash, shownTokenHash), unshownTokenHashes.stream())
                    .anyMatch(good -> Secret.isSame(tokenHash, good));
        }

        private Line taken(CallerAttached by) {
            return new Line(by.seat(), by.resumeTokenHash(), by.shownTokenHash(), unshown(by), true, by.node());
        }

        /** Whoever shows a token has no use for those that were given before it. */
        private List<String> unshown(CallerAttached by) {
            if (resumeTokenHash == null || resumeTokenHash.equals(by.resumeTokenHash())) {
                return unshownTokenHashes;
            }
            if (resumeTokenHash.equals(by.shownTokenHash())) {
                return List.of();
            }
            var given = Stream.concat(unshownTokenHashes.stream(), Stream.of(resumeTokenHash))
                    .toList();
            var since = given.subList(given.indexOf(by.shownTokenHash()) + 1, given.size());
            return since.subList(Math.max(0, since.size() - MOST_UNSHOWN), since.size());
        }

        private Line left() {
            return new Line(seat, resumeTokenHash, shownTokenHash, unshownTokenHashes, false, null);
        }
    }

    /**
     * Who holds the session.
     *
     * @param host the last life of the entity that did; null before the first
     * @param epoch 1 for the first host; one more whenever a host was lost, and with it what it had not journaled
     * @param released whether that host let go in good order
     * @param seq the number of the last event for the caller, known when it did
     * @param told the number of the last that the conversation told
     */
    record Hosting(@Nullable String host, int epoch, boolean released, long seq, long told) {
        static final Hosting NONE = new Hosting(null, 0, false, 0, 0);

        private Hosting by(String next) {
            return new Hosting(next, released ? epoch : epoch + 1, false, seq, 0);
        }

        private Hosting released(long lastSeq) {
            return new Hosting(host, epoch, true, lastSeq, told);
        }

        private Hosting told(long number) {
            return new Hosting(host, epoch, released, seq, number);
        }
    }

    /**
     * An answer that the caller has not heard to the end.
     *
     * @param from how many turns there were before it
     * @param heard how far the item that is being heard was, when somebody looked last, perhaps one of the answer before;
     *     null before
     */
    record Answering(String responseId, int from, @Nullable AgentHeard heard) {}

    /** Over. What was said stays. */
    record Over(Live last, EndReason reason, @Nullable String detail, Instant at) implements SessionState {}

    /** Total, because a replay must never fail: a fact that cannot matter in this phase changes nothing. */
    default SessionState after(SessionEvent event) {
        return switch (this) {
            case Vacant vacant -> event instanceof Opened opened ? Live.opened(opened) : this;
            case Live live -> afterFact(live, event);
            case Over over ->
                afterFact(over.last(), event) instanceof Live late
                        ? new Over(late, over.reason(), over.detail(), over.at())
                        : over;
        };
    }

    private static SessionState afterFact(Live live, SessionEvent event) {
        return switch (event) {
            case Opened again -> live;
            case Hosted e -> live.with(live.hosting().by(e.host()));
            case HandedOver e -> live.with(live.hosting().released(e.seq()));
            case Told e -> e.number() > live.hosting().told() ? afterAll(live, e) : live;
            case CallerAttached e -> live.with(live.line().taken(e));
            case CallerDetached e ->
                e.seat().equals(live.line().seat()) ? live.with(live.line().left()) : live;
            case UpstreamOpened e -> live.with(e);
            case UpstreamLost lost -> live;
            case Configured e -> live.with(e);
            case UserSaid e -> live.said(Turn.user(e));
            case UserTranscribed e -> live.change(e.itemId(), turn -> turn.transcribed(e.text()));
            case AnswerBegan e ->
                live.with(new Answering(
                        e.responseId(),
                        live.turns().size(),
                        live.answer() == null ? null : live.answer().heard()));
            case AgentHeard e ->
                live.answer() == null
                        ? live
                        : live.with(new Answering(
                                live.answer().responseId(), live.answer().from(), e));
            case AgentSaid e -> live.said(Turn.agent(e));
            case AgentCut e -> live.change(e.itemId(), turn -> turn.cutAt(e.heardMs()));
            case AnswerEnded e ->
                live.answer() != null && live.answer().responseId().equals(e.responseId())
                        ? live.with((Answering) null)
                        : live;
            case ToolCalled e -> live.said(Turn.called(e));
            case ToolAnswered e -> live.said(Turn.answered(e));
            case ItemDeleted e -> live.without(e.itemId());
            case Spent e -> live.with(e);
            case Warned warned -> live;
            case Ended e -> new Over(live, e.reason(), e.detail(), e.at());
        };
    }

    private static SessionState afterAll(Live live, Told told) {
        SessionState state = live.with(live.hosting().told(told.number()));
        for (var fact : told.facts()) {
            state = state.after(fact);
        }
        return state;
    }
}
