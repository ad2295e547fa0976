package parley.session;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;
import parley.admission.Arm;
import parley.protocol.ClientEvent;
import parley.protocol.Item;
import parley.protocol.Wire;
import parley.session.Conversations.Manner;
import parley.wire.Port;

/** A conversation without its entity: who sits, who is dialled, and what the entity would be told, is the test's. */
final class Stage implements AutoCloseable {
    final Rig rig;
    final Reported reported = new Reported();
    final Conversations conversations = new Conversations();
    private final FakeProvider[] providers;
    private final SessionSettings settings;
    private @Nullable Conversation running;
    private long seats;

    Stage(Rig rig, SessionSettings settings, FakeProvider... providers) {
        this.rig = rig;
        this.settings = settings;
        this.providers = providers;
    }

    Stage(Rig rig) {
        this(rig, rig.settings, rig.provider);
    }

    /** What the entity would be told. It writes at once what it is told, unless the journal is away. */
    static final class Reported implements Conversation.Reports {
        final LinkedBlockingQueue<Object> all = new LinkedBlockingQueue<>();
        private final List<SessionEvent> journal = new ArrayList<>();
        private @Nullable Conversation writes;
        private boolean away;
        private long written;

        record Call(String callId, String name, String arguments) {}

        record Over(EndReason reason, String detail) {}

        record Parted() {}

        record Seated(String seat) {}

        record CallerEnded(String seat, int code) {}

        @Override
        public synchronized void facts(Unwritten.Batch batch) {
            all.add(batch);
            if (!away) {
                write(batch);
            }
        }

        private void write(Unwritten.Batch batch) {
            if (batch.number() > written) {
                assertThat(batch.number()).as("no number is left out").isEqualTo(written + 1);
                written = batch.number();
                journal.addAll(batch.facts());
                all.addAll(batch.facts());
            }
            if (writes != null) {
                writes.written(written);
            }
        }

        /** From now on the journal takes nothing. */
        synchronized void goesAway() {
            away = true;
        }

        /** The journal is back, and the entity has begun anew. */
        synchronized void comesBack() {
            away = false;
            if (writes != null) {
                writes.tellAgain(written);
            }
        }

        /** The facts in the journal, of a kind. */
        synchronized <T> List<T> journaled(Class<T> kind) {
            return journal.stream().filter(kind::isInstance).map(kind::cast).toList();
        }

        @Override
        public void callTool(String callId, String name, String arguments) {
            all.add(new Call(callId, name, arguments));
        }

        @Override
        public void ended(EndReason reason, String detail) {
            all.add(new Over(reason, detail));
        }

        @Override
        public void parted() {
            all.add(new Parted());
        }

        @Override
        public void callerSeated(String seat) {
            all.add(new Seated(seat));
        }

        @Override
        public void callerEnded(String seat, int code) {
            all.add(new CallerEnded(seat, code));
        }

        /** The next report of a kind; others before it are skipped. */
        <T> T next(Class<T> kind) {
            try {
                for (; ; ) {
                    var report = all.poll(60, TimeUnit.SECONDS);
                    assertThat(report)
                            .as("a %s within 60 s", kind.getSimpleName())
                            .isNotNull();
                    if (kind.isInstance(report)) {
                        return kind.cast(report);
                    }
                }
            } catch (InterruptedException interrupted) {
                throw new IllegalStateException(interrupted);
            }
        }
    }

    // ---- a conversation

    /** What a session has in its journal when its first host has made the conversation. */
    static List<SessionEvent> fresh(Face face, @Nullable String model) {
        return List.of(
                new SessionEvent.Opened(Facts.ANNA, face, Arm.VOICE, model, Rig.NOON, null, null),
                new SessionEvent.Hosted("first", Rig.NOON),
                Facts.ATTACHED);
    }

    static SessionState.Live state(List<SessionEvent> facts) {
        SessionState state = new SessionState.Vacant();
        for (var fact : facts) {
            state = state.after(fact);
        }
        return (SessionState.Live) state;
    }

    Conversation starts(Face face, @Nullable String model) {
        return starts(state(fresh(face, model)), true, Owed.NOTHING);
    }

    /** A session with this journal, on its next host. */
    Conversation goesOn(List<SessionEvent> facts) {
        var before = state(facts);
        boolean orderly = before.hosting().released();
        var all = new ArrayList<>(facts);
        all.add(new SessionEvent.Hosted("next", Rig.NOON));
        all.addAll(Owed.facts(before, rig.tools, Rig.NOON));
        var owed = Owed.after(state(all));
        return starts(state(all), orderly, owed);
    }

    private Conversation starts(SessionState.Live live, boolean orderly, Owed owed) {
        var started = new Conversation(
                SessionId.mint(1),
                rig.loops.get(0),
                rig.room(settings, conversations, providers),
                reported,
                live,
                orderly,
                owed,
                SessionTrace.none());
        reported.writes = started;
        running = started;
        started.start();
        return started;
    }

    Conversation conversation() {
        return java.util.Objects.requireNonNull(running);
    }

    /** For the first time. */
    FakePort sits(String seat, @Nullable String welcome) {
        return sits(seat, Manner.FIRST, -1, welcome);
    }

    FakePort sits(String seat, Manner manner, long lastSeq, @Nullable String welcome) {
        return takes(seat, new Conversations.Seat(conversation(), manner, ++seats, lastSeq, welcome, false));
    }

    FakePort takes(String name, Conversations.Seat seat) {
        var caller = new FakePort(conversation().loop());
        Port line = Rig.await(conversation().seat(name, seat));
        caller.joins(line);
        return caller;
    }

    /** A conversation in which both ends have greeted. */
    record Talk(Conversation conversation, FakePort caller, FakePort provider) {}

    Talk talk(Face face) {
        var begun = starts(face, "usual");
        var caller = sits("seat-1", null);
        var provider = rig.provider.called().taken();
        provider.says(Events.created());
        caller.hears("session.created");
        return new Talk(begun, caller, provider);
    }

    // ---- a provider that is told a history

    /** Takes the next call, greets, and takes the whole opening: {@code items} of history and perhaps a configuration. */
    static Told taken(FakeProvider provider, int items) {
        var line = provider.called().taken();
        line.says(Events.created());
        return taken(line, items);
    }

    static Told taken(FakePort line, int items) {
        var told = new ArrayList<Item>();
        String update = null;
        while (told.size() < items) {
            var text = line.hears();
            switch (Wire.client(text.getBytes(java.nio.charset.StandardCharsets.UTF_8))) {
                case ClientEvent.SessionUpdate event -> {
                    update = text;
                    line.says(Events.updated());
                }
                case ClientEvent.ConversationItemCreate event -> {
                    told.add(event.item());
                    line.says(Events.itemDone(itemOf(text)));
                }
                default -> throw new AssertionError("not of an opening: " + text);
            }
        }
        return new Told(line, update, told);
    }

    /** The item in an event that creates it. */
    static String itemOf(String create) {
        var item = Wire.parse(create.getBytes(java.nio.charset.StandardCharsets.UTF_8))
                .get("item");
        return item.toString();
    }

    /** A provider, and what it was told before the caller could speak. */
    record Told(FakePort line, @Nullable String update, List<Item> items) {}

    // ---- waiting

    void eventually(BooleanSupplier holds) {
        Rig.eventually(holds);
    }

    /** Everything that was scheduled on the loop before has run. */
    void settle() {
        for (int i = 0; i < 5; i++) {
            CompletableFuture.runAsync(() -> {}, conversation().loop())
                    .orTimeout(60, TimeUnit.SECONDS)
                    .join();
        }
    }

    @Override
    public void close() {
        if (running != null) {
            reported.comesBack();
            running.end(EndReason.ENDED_BY_OPERATOR);
            settle();
        }
        for (var provider : providers) {
            provider.forget();
        }
    }
}
