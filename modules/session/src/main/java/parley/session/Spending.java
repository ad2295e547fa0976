package parley.session;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import io.netty.channel.EventLoop;
import java.util.Locale;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import parley.admission.Budget;
import parley.admission.CallerId;
import parley.protocol.Ids;
import parley.protocol.ServerEvent;
import parley.protocol.Wire;
import parley.wire.LogFields;

/**
 * What a session may cost, and what becomes of it then.
 *
 * <p>At {@code alert-usd} a guided caller, the log and the metrics hear of it, once in the session's life. At {@code
 * cap-usd}, or when the {@link Budget} that it shares with others is used up, no further turn begins: what the caller says
 * is not passed on any more, the running turn is heard to its end, within {@code finish-within}, and the session ends. What
 * it has cost is known from its facts, so all this goes on wherever the session moves.
 *
 * <p>Confined to the conversation's loop.
 */
final class Spending {
    /** Whose money it is. Called on the loop. */
    interface Talk {
        /** The session with everything that is known of it. */
        SessionState.Live soFar();

        /** Whether the caller is there, has heard all, and waits for nothing. */
        boolean isHeardOut();

        /** For a guided caller's eyes. */
        void notice(String event);

        /** The end. */
        void usedUp(String detail);
    }

    /** What was used up. */
    private enum Limit {
        /** What one session may cost. */
        SESSION,
        /** What many may cost together. */
        SHARED
    }

    private static final Logger LOG = LoggerFactory.getLogger(Spending.class);
    private static final long LOOK_FOR_QUIET_MS = 20;

    private final EventLoop loop;
    private final Talk talk;
    private final CostSettings settings;
    private final Budget budget;
    private final SessionMetrics metrics;
    private final SessionId id;
    private final LogFields concerned;
    private final CallerId caller;
    private long known;
    private boolean alerted;
    private boolean closed;
    private @Nullable Limit limit;

    /**
     * @param soFar the session as the journal has it: of what it had cost by then its caller was told, and the budget by
     *     whoever held it
     */
    Spending(EventLoop loop, LogFields concerned, Talk talk, Room room, SessionId id, SessionState.Live soFar) {
        this.concerned = concerned;
        this.loop = loop;
        this.talk = talk;
        this.settings = room.cost();
        this.budget = room.budget();
        this.metrics = room.metrics();
        this.id = id;
        this.caller = soFar.opened().caller();
        this.known = soFar.costMicros();
        this.alerted = isReached(settings.alertMicros());
    }

    /** Begins to ask now and then. */
    void start() {
        if (!closed) {
            ask();
            loop.schedule(this::start, settings.askEvery().toMillis(), TimeUnit.MILLISECONDS);
        }
    }

    /** Whether no further turn may begin. */
    boolean isUsedUp() {
        return limit != null;
    }

    /** Something may have been spent. */
    void look() {
        if (tell()) {
            ask();
        }
    }

    /** @return whether anything was spent since the budget was told last */
    private boolean tell() {
        long now = talk.soFar().costMicros();
        long more = now - known;
        known = now;
        if (more > 0) {
            budget.report(caller, more);
        }
        return more != 0;
    }

    /** A turn begins. */
    void ask() {
        if (closed) {
            return;
        }
        if (!alerted && isReached(settings.alertMicros())) {
            alerted = true;
            metrics.costAlerts.increment();
            concerned.around(() -> LOG.warn(
                    "session {} has cost {} USD, alert-usd is {}", id, usd(known), usd(settings.alertMicros())));
            talk.notice(event("alert", Limit.SESSION));
        }
        if (limit == null) {
            var reached = isReached(settings.capMicros()) ? Limit.SESSION : budget.spent(caller) ? Limit.SHARED : null;
            if (reached != null) {
                stop(reached);
            }
        }
    }

    /** Why a turn does not begin; {@code eventId}: of what would have begun it. */
    static ServerEvent.Error refusal(@Nullable String eventId) {
        return new ServerEvent.Error(
                Ids.event(),
                new ServerEvent.ErrorBody(
                        "invalid_request_error",
                        "budget_used_up",
                        "no further turn begins: the session's budget is used up, and it ends",
                        null,
                        eventId));
    }

    private boolean isReached(long micros) {
        return micros > 0 && known >= micros;
    }

    private void stop(Limit reached) {
        limit = reached;
        switch (reached) {
            case SESSION -> metrics.costCaps.increment();
            case SHARED -> metrics.budgetStops.increment();
        }
        concerned.around(
                () -> LOG.warn("session {} ends after this turn: {}, {} USD so far", id, why(reached), usd(known)));
        talk.notice(event("used_up", reached));
        long deadline = System.nanoTime() + settings.finishWithin().toNanos();
        loop.execute(() -> finish(deadline, why(reached)));
    }

    private void finish(long deadline, String why) {
        if (closed) {
            return;
        }
        if (talk.isHeardOut() || System.nanoTime() - deadline >= 0) {
            talk.usedUp(why);
        } else {
            loop.schedule(() -> finish(deadline, why), LOOK_FOR_QUIET_MS, TimeUnit.MILLISECONDS);
        }
    }

    private String why(Limit reached) {
        return switch (reached) {
            case SESSION -> "the session's cap of " + usd(settings.capMicros()) + " USD";
            case SHARED -> "the budget it shares";
        };
    }

    private String event(String state, Limit of) {
        var json = JsonNodeFactory.instance
                .objectNode()
                .put("type", "session.budget")
                .put("state", state)
                .put("limit", of.name().toLowerCase(Locale.ROOT))
                .put("spent_usd", usd(known));
        if (settings.capMicros() > 0) {
            json.put("cap_usd", usd(settings.capMicros()));
        }
        return Wire.json(json);
    }

    private static double usd(long micros) {
        return micros / 1e6;
    }

    /** The session is over, or goes on elsewhere. */
    void close() {
        if (!closed) {
            closed = true;
            tell();
        }
    }
}
