package parley.session;

import io.netty.channel.EventLoop;
import io.netty.util.concurrent.ScheduledFuture;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import parley.admission.CallerId;
import parley.protocol.ClientEvent;
import parley.protocol.Ids;
import parley.protocol.ServerEvent;
import parley.protocol.Wire;
import parley.provider.Provider;
import parley.provider.ProviderPool;
import parley.provider.ProviderRefused;
import parley.wire.Frame;
import parley.wire.LogFields;
import parley.wire.WebSocketClose;

/**
 * A conversation's side towards the providers: there is one, or one is being sought, and never do two hear the caller.
 *
 * <p>Dials the first provider that its breaker lets through, the next one when that refuses, and begins again with
 * backoff once the conversation has begun, for {@code redial.for}. A line that ends, or says nothing for {@code
 * stall-after} while an answer is due, is replaced: the next one is told the history and the turn that was being spoken.
 * Before a provider's maximum age the next line is prepared beside it and takes its place between two turns.
 *
 * <p>Confined to the conversation's loop.
 */
final class ProviderSide implements Upstream.Owner {
    /** Whose providers these are. Called on the loop. */
    interface Talk {
        /** The conversation as it is now, for a provider to be told. */
        SessionState.Live soFar();

        OpeningScript script(SessionState.Live conversation);

        /** A provider is on the line, again and again. */
        void answered(Provider provider, ServerEvent.SessionCreated created);

        /** @param session as it begins for the caller; null when the provider never said so */
        void opened(ServerEvent.@Nullable SessionCreated session);

        /** A frame of the provider, handed over. */
        void says(Frame frame);

        /** The caller may go on: what waits for the provider is within its bound again. */
        void callerMayGoOn();

        boolean callerMayHear();

        /** The provider is lost, and another one is sought. What is due is due again. */
        void lost(String why);

        /** It takes longer than a moment. */
        void stillLost();

        /** No provider takes the conversation. The end. */
        void refused(ProviderRefused refusal);

        /** The provider has ended the conversation and said why. The end. */
        void dismissed(WebSocketClose close);

        /** Whether another provider could go on from here, and nobody would hear it. */
        boolean isBetweenTurns();

        /** The same, but the last answer may still be heard: it is all there. */
        boolean isSettled();

        /** Another provider takes this one's place: what that had not taken is said to it. */
        void sayAgain();
    }

    /** Why a provider was lost, when it was not it that said so. */
    static final String MUTE = "mute";

    static final String SUSPENDED = "suspended";

    /** Begins the ids of events that Parley says by itself. */
    private static final String OWN = "parley_";

    /** A line that lived so long was a good one. */
    private static final long GOOD_MS = 10_000;

    private static final long A_MOMENT_MS = 1_000;
    private static final long LOOK_FOR_QUIET_MS = 50;

    private final EventLoop loop;
    private final LogFields concerned;
    private final Room room;
    private final ProviderPool providers;
    private final SessionSettings settings;
    private final Talk talk;
    private final ToProvider waiting;
    private final String safetyIdentifier;
    private final Set<String> tried = new HashSet<>();
    private @Nullable String model;
    private @Nullable Upstream current;
    /** Prepared to take the current one's place. */
    private @Nullable Upstream next;

    private @Nullable ScheduledFuture<?> retry;
    private @Nullable ScheduledFuture<?> ageing;

    private boolean dialled;
    private boolean begun;
    private boolean suspended;
    private boolean over;
    /** Since when nobody is on the line; 0 while somebody is. */
    private long lostAt;

    private int attempts;
    private int preparations;
    private boolean due;
    private long spokeAt;
    private boolean watching;

    /** @param soFar the session as the journal has it */
    ProviderSide(
            EventLoop loop, LogFields concerned, Room room, Talk talk, ToProvider waiting, SessionState.Live soFar) {
        this.concerned = concerned;
        this.loop = loop;
        this.room = room;
        this.providers = room.providers().of(soFar.opened().arm());
        this.settings = room.settings();
        this.talk = talk;
        this.waiting = waiting;
        this.model = soFar.opened().model();
        this.begun = soFar.upstream() != null || soFar.hosting().epoch() > 1;
        this.safetyIdentifier = pseudonym(soFar.opened().caller());
    }

    /** What a provider may know of a caller: the same for all its sessions, and nothing else. */
    private static String pseudonym(CallerId caller) {
        return "parley-" + Secret.hash(caller.tenant() + "\n" + caller.user()).substring(0, 32);
    }

    boolean isDialled() {
        return dialled;
    }

    /** Whether a provider hears the caller now. */
    boolean isOpen() {
        return current != null && current.isOpen();
    }

    /** @param wanted as the caller named it; null for the provider's own */
    void dial(@Nullable String wanted) {
        if (!dialled && !over) {
            dialled = true;
            model = wanted == null ? model : wanted;
            if (begun) {
                nobodyIsThere();
            }
            seek(null);
        }
    }

    // ---- Parley's own words

    /** For an event that Parley says by itself. */
    static String ownId() {
        return OWN + Ids.event();
    }

    /** Whether it is such an event: a complaint about it is not the caller's. */
    static boolean isOwn(@Nullable String eventId) {
        return eventId != null && eventId.startsWith(OWN);
    }

    /** An event of Parley's, behind what waits. Nothing, when it is over. */
    void say(ClientEvent event) {
        if (!over) {
            var frame = Frame.text(Wire.bytes(event));
            if (event instanceof ClientEvent.ConversationItemCreate) {
                waiting.kept(frame, event);
            } else {
                waiting.control(frame);
            }
            readable();
        }
    }

    /** The same, for an answer; {@code first}: ahead of the audio that waits. */
    void ask(String eventId, boolean first) {
        if (!over) {
            var frame = Frame.text(Wire.bytes(new ClientEvent.ResponseCreate(eventId, null)));
            if (first) {
                waiting.askFirst(frame);
            } else {
                waiting.ask(frame);
            }
            readable();
        }
    }

    /** Tells the provider something that is nobody else's business, and before what waits. */
    void tell(List<ClientEvent> events) {
        if (current != null) {
            current.tellMore(events);
        }
    }

    /** Whether the provider has not said this item itself, but was told it, in words. */
    boolean wasTold(String itemId) {
        return current != null && current.wasTold(itemId);
    }

    // ---- frames

    /** Something waits for the provider. */
    void readable() {
        if (current != null) {
            current.readable();
        }
    }

    /** The caller takes more. */
    void writable() {
        if (current != null) {
            current.writable();
        }
    }

    /** Whether an event answers something of the opening. */
    boolean isOpening(ServerEvent event) {
        return current != null && current.isOpening(event);
    }

    // ---- seeking

    private void seek(@Nullable ProviderRefused last) {
        if (over || suspended) {
            return;
        }
        var provider = providers.next(tried);
        if (provider != null && room.prices().refuses(provider.modelFor(model))) {
            notTaken(provider, withoutPrice(provider.modelFor(model)));
        } else if (provider != null) {
            current = line(provider);
            current.dial(model, safetyIdentifier);
        } else if (!begun || patienceIsOver()) {
            over = true;
            talk.refused(
                    last != null
                            ? last
                            : new ProviderRefused("upstream_unavailable", "no provider can be reached", true));
        } else {
            tried.clear();
            later(settings.redial().backoff(attempts++));
        }
    }

    private static ProviderRefused withoutPrice(String model) {
        return new ProviderRefused(
                "model_without_price", "model: " + model + " (expected: one whose price this deployment knows)", false);
    }

    private Upstream line(Provider provider) {
        var soFar = talk.soFar();
        return new Upstream(loop, concerned, provider, soFar, talk.script(soFar), this, room);
    }

    private void later(long millis) {
        notLater();
        retry = loop.schedule(
                () -> {
                    if (current == null) {
                        seek(null);
                    }
                },
                millis,
                TimeUnit.MILLISECONDS);
    }

    private void notLater() {
        if (retry != null) {
            retry.cancel(false);
            retry = null;
        }
    }

    private boolean patienceIsOver() {
        boolean tooLong = lostAt != 0
                && System.nanoTime() - lostAt > settings.redial().patience().toNanos();
        return tooLong || attempts >= settings.redial().attempts();
    }

    @Override
    public void refused(Upstream line, ProviderRefused refusal) {
        if (line == next) {
            providers.refused(line.provider(), refusal);
            prepareAgain();
            return;
        }
        if (line != current) {
            return;
        }
        current = null;
        notTaken(line.provider(), refusal);
    }

    private void notTaken(Provider provider, ProviderRefused refusal) {
        room.metrics().dialsRefused.increment();
        providers.refused(provider, refusal);
        tried.add(provider.name());
        if (!begun && !refusal.retryable() && !"upstream_refused".equals(refusal.code())) {
            over = true;
            talk.refused(refusal);
        } else {
            seek(refusal);
        }
    }

    @Override
    public void answered(Upstream line, ServerEvent.SessionCreated created) {
        if (line == current) {
            talk.answered(line.provider(), created);
        }
    }

    @Override
    public void opened(Upstream line, ServerEvent.@Nullable SessionCreated session) {
        if (session != null) {
            providers.succeeded(line.provider());
        }
        if (line == next && !isOpen()) {
            replace(line);
            return;
        }
        if (line != current) {
            replaceWhenQuiet(line);
            return;
        }
        if (lostAt != 0) {
            room.metrics().redialled.increment();
        }
        lostAt = 0;
        begun = true;
        if (session != null) {
            tried.clear();
        }
        watchAge(line);
        talk.opened(session);
    }

    // ---- talking

    @Override
    public void says(Upstream line, Frame frame) {
        if (line == current) {
            spokeAt = System.nanoTime();
            talk.says(frame);
        } else {
            line.takeOpening(frame);
        }
    }

    @Override
    public @Nullable Frame next(Upstream line) {
        if (line != current) {
            return null;
        }
        boolean held = waiting.isFull();
        var frame = waiting.next();
        if (held && !waiting.isFull()) {
            talk.callerMayGoOn();
        }
        return frame;
    }

    @Override
    public boolean mayHear(Upstream line) {
        return line != current || talk.callerMayHear();
    }

    // ---- losing

    @Override
    public void lost(Upstream line, WebSocketClose close) {
        if (line == next) {
            prepareAgain();
            return;
        }
        if (line != current || over) {
            return;
        }
        boolean said = close.byPeer() && close.code() != WebSocketClose.LOST;
        if (said && ((!line.isOpen() && !begun) || isJudgement(close.code()))) {
            over = true;
            current = null;
            talk.dismissed(close);
            return;
        }
        // That a good line ends says little of the provider, and all its lines may end at once: the dial will tell.
        if (!isAge(close) && line.ageMs() < GOOD_MS) {
            providers.failed(line.provider());
        }
        gone(line, close.code() + " " + close.reason());
    }

    /** The current line is of no use any more; another one takes its place. */
    private void gone(Upstream line, String why) {
        current = null;
        notAgeing();
        attempts = line.ageMs() > GOOD_MS ? 0 : attempts + 1;
        if (!line.isOpen()) {
            tried.add(line.provider().name());
            seek(new ProviderRefused("upstream_unavailable", "the provider ended the call before it began", true));
            return;
        }
        room.metrics().upstreamsLost.increment();
        nobodyIsThere();
        talk.lost(why);
        if (over || suspended) {
            return;
        }
        if (attempts > settings.redial().attempts()) {
            over = true;
            talk.refused(new ProviderRefused("upstream_unavailable", "no provider stays", true));
            return;
        }
        if (next != null && next.isOpen()) {
            replace(next);
        } else {
            later(
                    attempts > 1
                            ? settings.redial().backoff(attempts)
                            : settings.redial().first());
        }
    }

    private void nobodyIsThere() {
        if (lostAt == 0) {
            long since = System.nanoTime();
            lostAt = since;
            loop.schedule(
                    () -> {
                        if (lostAt == since && !over) {
                            talk.stillLost();
                        }
                    },
                    A_MOMENT_MS,
                    TimeUnit.MILLISECONDS);
        }
    }

    /** A provider that ends a session for what was said in it would do so again. */
    private static boolean isJudgement(int code) {
        return code >= 4000
                || code == WebSocketClose.POLICY
                || code == WebSocketClose.TOO_BIG
                || code == WebSocketClose.UNSUPPORTED_DATA
                || code == WebSocketClose.INVALID_TEXT
                || code == WebSocketClose.PROTOCOL_ERROR;
    }

    private static boolean isAge(WebSocketClose close) {
        return close.code() == WebSocketClose.GOING_AWAY || close.code() == WebSocketClose.NORMAL;
    }

    // ---- muteness

    /** Whether the provider owes an answer: then it may not stay silent. */
    void due(boolean answer) {
        due = answer;
        spokeAt = System.nanoTime();
        if (answer && !watching) {
            watching = true;
            watch(settings.stallAfter().toNanos());
        }
    }

    private void watch(long nanos) {
        loop.schedule(
                () -> {
                    var line = current;
                    if (line == null || !line.isOpen() || !talk.callerMayHear()) {
                        // Not its doing: it has all the time again.
                        spokeAt = System.nanoTime();
                    }
                    long left = spokeAt + settings.stallAfter().toNanos() - System.nanoTime();
                    if (over || !due) {
                        watching = false;
                    } else if (line != null && left <= 0) {
                        watching = false;
                        room.metrics().upstreamsMute.increment();
                        providers.failed(line.provider());
                        tried.add(line.provider().name());
                        line.hangUp();
                        gone(line, MUTE);
                    } else {
                        watch(left);
                    }
                },
                nanos,
                TimeUnit.NANOSECONDS);
    }

    // ---- age

    private void watchAge(Upstream line) {
        long most = line.provider().maxAge().toMillis();
        if (most > 0) {
            long lead = Math.min(settings.rolloverLead().toMillis(), most / 3);
            // Not all at the same moment, when all were opened at the same moment.
            long early = ThreadLocalRandom.current().nextLong(lead / 4 + 1);
            prepareIn(Math.max(0, most - lead - early - line.ageMs()), line);
        }
    }

    private void prepareIn(long millis, Upstream line) {
        notAgeing();
        ageing = loop.schedule(() -> prepareNext(line), millis, TimeUnit.MILLISECONDS);
    }

    private void prepareAgain() {
        next = null;
        preparations++;
        if (current != null && !over && !suspended) {
            prepareIn(settings.redial().backoff(preparations), current);
        }
    }

    private void notAgeing() {
        if (ageing != null) {
            ageing.cancel(false);
            ageing = null;
        }
    }

    private void prepareNext(Upstream line) {
        if (line == current && !over && !suspended && next == null) {
            next = line(line.provider());
            next.dial(model, safetyIdentifier);
        }
    }

    private void replaceWhenQuiet(Upstream prepared) {
        if (prepared != next || over) {
            return;
        }
        var line = current;
        if (line == null || !line.isOpen()) {
            // Lost meanwhile, and sought: whoever opens first goes on.
            replace(prepared);
        } else if (talk.isBetweenTurns() || (isLate(line) && talk.isSettled())) {
            room.metrics().rollovers.increment();
            talk.sayAgain();
            replace(prepared);
        } else {
            loop.schedule(() -> replaceWhenQuiet(prepared), LOOK_FOR_QUIET_MS, TimeUnit.MILLISECONDS);
        }
    }

    /** Whether more than half of the time has passed in which a replacement should have been possible. */
    private boolean isLate(Upstream line) {
        long most = line.provider().maxAge().toMillis();
        long lead = Math.min(settings.rolloverLead().toMillis(), most / 3);
        return line.ageMs() > most - lead / 2;
    }

    /** The prepared line is told what was said meanwhile, and is the one from now on. */
    private void replace(Upstream prepared) {
        var before = current;
        next = null;
        preparations = 0;
        notLater();
        current = prepared;
        lostAt = 0;
        prepared.tellMore(History.since(prepared.knows(), talk.soFar()));
        if (before != null) {
            before.hangUp();
        }
        watchAge(prepared);
        var stated = prepared.stated();
        if (stated != null) {
            talk.answered(prepared.provider(), new ServerEvent.SessionCreated(null, stated));
        }
        talk.opened(null);
        prepared.readable();
    }

    // ---- the end, or a pause

    /** No provider may hear the caller until {@link #resume}: perhaps somebody else talks to one for this session. */
    void suspend() {
        if (over || suspended) {
            return;
        }
        suspended = true;
        var line = current;
        hangUp();
        if (line != null && line.isOpen()) {
            nobodyIsThere();
            talk.lost(SUSPENDED);
        }
    }

    void resume() {
        if (suspended) {
            suspended = false;
            attempts = 0;
            tried.clear();
            if (dialled) {
                seek(null);
            }
        }
    }

    /** Nothing more passes. Safe to repeat. */
    void end() {
        over = true;
        hangUp();
        waiting.release();
    }

    private void hangUp() {
        notLater();
        notAgeing();
        if (current != null) {
            current.hangUp();
            current = null;
        }
        if (next != null) {
            next.hangUp();
            next = null;
        }
    }
}
