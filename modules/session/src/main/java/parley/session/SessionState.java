package parley.session;

import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;
import parley.session.SessionEvent.AgentCut;
import parley.session.SessionEvent.AgentSaid;
import parley.session.SessionEvent.CallerAttached;
import parley.session.SessionEvent.CallerDetached;
import parley.session.SessionEvent.Configured;
import parley.session.SessionEvent.Ended;
import parley.session.SessionEvent.ItemDeleted;
import parley.session.SessionEvent.Opened;
import parley.session.SessionEvent.Spent;
import parley.session.SessionEvent.ToolAnswered;
import parley.session.SessionEvent.ToolCalled;
import parley.session.SessionEvent.UpstreamLost;
import parley.session.SessionEvent.UpstreamOpened;
import parley.session.SessionEvent.UserSaid;
import parley.session.SessionEvent.UserTranscribed;

/** What a session remembers: one record per phase. Pure: no clock, no actor, no I/O. */
sealed interface SessionState extends CborSerializable {
    /** Nobody was admitted under this id yet. */
    record Vacant() implements SessionState {}

    /**
     * Opened, and not over.
     *
     * @param upstream who took the conversation last; null until a provider did
     * @param configured the effective configuration as JSON; null until the provider stated one
     * @param seat the caller's line; null while nobody is on it
     */
    record Live(
            Opened opened,
            @Nullable UpstreamOpened upstream,
            @Nullable String configured,
            @Nullable String seat,
            @Nullable String resumeTokenHash,
            List<Turn> turns,
            Tokens tokens,
            long costMicros)
            implements SessionState {
        public Live {
            turns = List.copyOf(turns);
        }

        static Live opened(Opened opened) {
            return new Live(opened, null, null, null, null, List.of(), Tokens.NONE, 0);
        }

        private Live with(Turn turn) {
            var more = new ArrayList<>(turns);
            more.add(turn);
            return withTurns(more);
        }

        private Live change(String itemId, UnaryOperator<Turn> change) {
            return withTurns(turns.stream()
                    .map(turn -> turn.itemId().equals(itemId) ? change.apply(turn) : turn)
                    .toList());
        }

        private Live without(String itemId) {
            return withTurns(
                    turns.stream().filter(turn -> !turn.itemId().equals(itemId)).toList());
        }

        private Live withTurns(List<Turn> changed) {
            return new Live(opened, upstream, configured, seat, resumeTokenHash, changed, tokens, costMicros);
        }

        private Live withUpstream(UpstreamOpened changed) {
            return new Live(opened, changed, configured, seat, resumeTokenHash, turns, tokens, costMicros);
        }

        private Live withConfiguration(String changed) {
            return new Live(opened, upstream, changed, seat, resumeTokenHash, turns, tokens, costMicros);
        }

        private Live withSeat(@Nullable String changed, @Nullable String tokenHash) {
            return new Live(opened, upstream, configured, changed, tokenHash, turns, tokens, costMicros);
        }

        private Live with(Spent spent) {
            return new Live(
                    opened,
                    upstream,
                    configured,
                    seat,
                    resumeTokenHash,
                    turns,
                    tokens.plus(spent.tokens()),
                    costMicros + spent.costMicros());
        }
    }

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
            case CallerAttached e -> live.withSeat(e.seat(), e.resumeTokenHash());
            case CallerDetached e -> e.seat().equals(live.seat()) ? live.withSeat(null, live.resumeTokenHash()) : live;
            case UpstreamOpened e -> live.withUpstream(e);
            case UpstreamLost lost -> live;
            case Configured e -> live.withConfiguration(e.session());
            case UserSaid e -> live.with(Turn.user(e));
            case UserTranscribed e -> live.change(e.itemId(), turn -> turn.transcribed(e.text()));
            case AgentSaid e -> live.with(Turn.agent(e));
            case AgentCut e -> live.change(e.itemId(), turn -> turn.cutAt(e.heardMs()));
            case ToolCalled e -> live.with(Turn.called(e));
            case ToolAnswered e -> live.with(Turn.answered(e));
            case ItemDeleted e -> live.without(e.itemId());
            case Spent e -> live.with(e);
            case Ended e -> new Over(live, e.reason(), e.detail(), e.at());
        };
    }
}
