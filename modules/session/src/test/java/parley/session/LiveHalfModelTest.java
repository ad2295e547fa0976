package parley.session;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import parley.admission.Outcomes;
import parley.provider.BreakerSettings;
import parley.provider.ProviderPool;
import parley.session.Conversations.Manner;
import parley.wire.Frame;
import parley.wire.Port;

/**
 * Whatever happens to the lines of a conversation, its journal and its host, in whatever order: the caller's turns are
 * heard and written once, every answer that is due is given, and nothing is said twice. A story is known by its seed;
 * {@code -Dparley.story=<seed>} tells it again, {@code -Dparley.stories=<n>} as often.
 *
 * <p>B12, R1: random stories of the live half.
 */
@Tag("stream")
@ExtendWith(NoLeaks.class)
class LiveHalfModelTest {
    private static final int STORIES = Integer.getInteger("parley.stories", 40);
    private static final int STEPS = 60;

    private static Rig rig;

    @BeforeAll
    static void start() {
        rig = new Rig();
    }

    @AfterAll
    static void stop() {
        rig.close();
    }

    static LongStream seeds() {
        var one = Long.getLong("parley.story");
        return one != null
                ? LongStream.generate(() -> one).limit(Integer.getInteger("parley.stories", 1))
                : IntStream.range(0, STORIES).mapToLong(i -> 1000 + i);
    }

    @ParameterizedTest
    @MethodSource("seeds")
    void everyStoryEndsWell(long seed) {
        new World(seed).tells(STEPS);
    }

    /** Everything around one conversation. Its parts live on the conversation's loop; the story is told from outside. */
    private static final class World implements Conversation.Reports {
        private static final Pattern SEQ = Pattern.compile("^\\{\"seq\":(\\d+),");

        private final Random random;
        private final SessionSettings settings = Rig.settings(Map.ofEntries(
                Map.entry("parley.session.created-wait", "10s"),
                Map.entry("parley.session.mic-buffer", "100s"),
                Map.entry("parley.session.utterance", "100s"),
                Map.entry("parley.session.to-provider-frames", 1000),
                Map.entry("parley.session.agent-lead", "50s"),
                Map.entry("parley.session.stall-after", "300ms"),
                Map.entry("parley.session.hand-over", "100ms"),
                Map.entry("parley.session.heard-every", "5ms"),
                Map.entry("parley.session.replay.events", 25),
                Map.entry("parley.session.redial.first-backoff", "1ms"),
                Map.entry("parley.session.redial.max-backoff", "4ms"),
                Map.entry("parley.session.redial.attempts", 100000),
                Map.entry("parley.session.redial.for", "10m")));
        private final RealtimeServer server = new RealtimeServer();
        private final Conversations conversations = new Conversations();
        private final Room room = new Room(
                "pekko://here",
                rig.loops,
                ProvidersByArm.alike(new ProviderPool(
                        List.of(server),
                        new BreakerSettings(1000, java.time.Duration.ofSeconds(1), java.time.Duration.ofSeconds(1)),
                        System::nanoTime)),
                rig.tools,
                Rig.prices(),
                settings,
                rig.transcripts,
                new SessionMetrics(),
                rig.room().clock(),
                conversations,
                rig.cost,
                rig.budget,
                Outcomes.none());
        private final List<String> story = new ArrayList<>();
        private @Nullable Conversation conversation;
        private boolean suspended;

        // The journal.
        private final List<SessionEvent> journal =
                new CopyOnWriteArrayList<>(Stage.fresh(Face.VOICE, "usual").subList(0, 1));
        private Unwritten.@Nullable Batch unwritten;
        private boolean held;
        private boolean parted;
        private final List<String> calls = new ArrayList<>();

        // The caller.
        private @Nullable Port line;
        private int seats;
        private long lastSeq;
        private long seatedAt;
        private boolean introduced = true;
        /** Whether the welcome of this connection came; one that comes after it was missed before. */
        private boolean welcomed = true;

        private char turn = 'A' - 1;
        private boolean speaking;
        private int written;
        /** What was said, and must have been heard in the end. */
        private final TreeSet<String> toBeHeard = new TreeSet<>();

        /** What went wrong on the loop. */
        private @Nullable Throwable fault;

        World(long seed) {
            random = new Random(seed);
        }

        // ---- the story

        void tells(int steps) {
            try {
                comes();
                for (int i = 0; i < steps; i++) {
                    happens(random.nextInt(100));
                    settle();
                    eventually("at most one provider", () -> server.open().size() <= 1);
                }
                endsWell();
            } catch (Throwable failure) {
                var told = onLoop(() -> List.copyOf(server.log));
                throw new AssertionError(
                        failure.getMessage() + "\nthe story: " + story + "\nthe server: " + told, failure);
            } finally {
                isOver();
            }
        }

        private void happens(int dice) {
            if (dice < 14) {
                speaks();
            } else if (dice < 26) {
                fallsSilent();
            } else if (dice < 32) {
                writes();
            } else if (dice < 50) {
                step("goes on", line -> line.goesOn());
            } else if (dice < 60) {
                step("finishes", line -> line.finishes());
            } else if (dice < 64) {
                step("calls", line -> line.callsTool());
            } else if (dice < 70) {
                toolsAnswer();
            } else if (dice < 77) {
                step("is cut", line -> line.isCut());
            } else if (dice < 78) {
                step("is mute", line -> line.mute = true);
                pause(900);
            } else if (dice < 80) {
                // Who never had a provider is not patient.
                if (journaled(SessionEvent.UpstreamOpened.class).isEmpty()) {
                    return;
                }
                note("refuses " + !server.refuses);
                onLoop(() -> server.refuses = !server.refuses);
            } else if (dice < 84) {
                leaves(random.nextInt(6));
            } else if (dice < 89) {
                comes();
            } else if (dice < 92) {
                held = !held;
                note("journal held " + held);
                if (!held) {
                    release(random.nextBoolean(), random.nextBoolean());
                }
            } else if (dice < 94) {
                suspended = !suspended;
                note("suspended " + suspended);
                if (suspended) {
                    conversations.suspend();
                } else {
                    conversations.resume();
                }
            } else if (dice < 97) {
                moves();
            } else if (dice < 98) {
                crashes();
            } else {
                pause(random.nextInt(20));
            }
        }

        private void note(String what) {
            story.add(what);
            onLoop(() -> server.log.add("-- " + what));
        }

        private void step(String what, java.util.function.Consumer<RealtimeServer.Line> step) {
            note(what);
            onLoop(() -> {
                server.open().forEach(step);
                return null;
            });
        }

        /** All is well again: what is due must come now. */
        private void endsWell() {
            note("all is well");
            onLoop(() -> server.refuses = false);
            // Who fell silent and owes nothing is not noticed: only its socket could tell.
            step("those who are mute are cut", line -> {
                if (line.mute) {
                    line.isCut();
                }
            });
            if (suspended) {
                suspended = false;
                conversations.resume();
            }
            if (held) {
                held = false;
                release(false, false);
            }
            comes();
            if (speaking) {
                fallsSilent();
            }
            eventually("everybody is there", () -> server.open().size() == 1);
            long patience = System.nanoTime() + TimeUnit.SECONDS.toNanos(60);
            while (!isQuiet() && System.nanoTime() < patience) {
                pause(20);
                toolsAnswer();
                onLoop(() -> {
                    server.open().forEach(RealtimeServer.Line::finishes);
                    return null;
                });
                settle();
            }
            pause(50);
            settle();
            eventually("all is written", () -> unwritten == null);
            var live = Stage.state(journal);
            var said = said(live);
            assertThat(said).as("each turn is an item once").doesNotHaveDuplicates();
            assertThat(said).as("every turn is heard").containsAll(toBeHeard);
            assertThat(Owed.after(live).answer()).as("an answer is due").isFalse();
            var spent = journaled(SessionEvent.Spent.class).stream()
                    .map(SessionEvent.Spent::source)
                    .toList();
            assertThat(spent).doesNotHaveDuplicates();
            assertThat(journaled(SessionEvent.AgentSaid.class).stream().map(SessionEvent.AgentSaid::itemId))
                    .doesNotHaveDuplicates();
            assertThat(onLoop(() -> server.twoHeard))
                    .as("two providers hear the caller")
                    .isFalse();
            onLoop(() -> {
                for (var line : server.lines) {
                    assertThat(line.items).as("items of one provider").doesNotHaveDuplicates();
                    assertThat(String.join("", line.users.values())
                                    .chars()
                                    .filter(c -> c < 'a')
                                    .toArray())
                            .as("turns of one provider")
                            .doesNotHaveDuplicates();
                    assertThat(line.asked).as("asked by Parley").isLessThanOrEqualTo(1 + line.results);
                    assertThat(line.collisions).as("asked while it answers").isZero();
                }
                return null;
            });
        }

        /** Whether all that is due has come. */
        private boolean isQuiet() {
            return onLoop(() -> {
                var live = Stage.state(journal);
                boolean answered = !Owed.after(live).answer()
                        && calls.isEmpty()
                        && server.open().stream().allMatch(line -> line.answering == null);
                return answered && unwritten == null && said(live).containsAll(toBeHeard);
            });
        }

        /** The turns of the caller in the journal, each by its sound or its words. */
        private static List<String> said(SessionState.Live live) {
            return live.turns().stream()
                    .filter(turn -> turn.role() == Turn.Role.USER)
                    .flatMap(turn -> String.valueOf(turn.text()).startsWith("typed")
                            ? Stream.of(String.valueOf(turn.text()))
                            : String.valueOf(turn.text()).chars().mapToObj(c -> String.valueOf((char) c)))
                    .toList();
        }

        private void isOver() {
            if (conversation != null) {
                held = false;
                conversation.end(EndReason.ENDED_BY_OPERATOR);
                settle();
                if (line != null) {
                    var caller = line;
                    eventually("the caller's line ends", () -> caller.ending() != null);
                }
                eventually("the provider's line ends", () -> server.open().isEmpty());
                assertThat(room.metrics().live()).isZero();
            }
            onLoop(() -> {
                server.lines.forEach(Port::discard);
                return null;
            });
        }

        private <T> List<T> journaled(Class<T> kind) {
            return journal.stream()
                    .flatMap(
                            event -> event instanceof SessionEvent.Told told ? told.facts().stream() : Stream.of(event))
                    .filter(kind::isInstance)
                    .map(kind::cast)
                    .toList();
        }

        // ---- hosts

        private void moves() {
            if (conversation == null) {
                return;
            }
            note("moves");
            if (held) {
                held = false;
                release(false, false);
            }
            parted = false;
            conversation.handOver();
            eventually("it lets go", () -> parted);
            conversation = null;
            forgets();
            movesOn();
        }

        private void crashes() {
            if (conversation == null) {
                return;
            }
            note("crashes");
            conversation.fenced();
            settle();
            conversation = null;
            onLoop(() -> unwritten = null);
            calls.clear();
            forgets();
            movesOn();
        }

        /** What is not in the history now is the client's to say again. */
        private void forgets() {
            speaking = false;
            toBeHeard.retainAll(said(Stage.state(journal)));
        }

        /** A caller who is there stays. */
        private void movesOn() {
            if (line != null) {
                var before = line;
                eventually("the line ends", () -> {
                    drain();
                    return before.ending() != null;
                });
                sits(Manner.MOVED);
            }
        }

        private Conversation hosted() {
            if (conversation == null) {
                var before = Stage.state(journal);
                boolean orderly =
                        before.hosting().host() == null || before.hosting().released();
                journal.add(new SessionEvent.Hosted("host-" + journal.size(), Rig.NOON));
                journal.addAll(Owed.facts(before, rig.tools, Rig.NOON));
                var live = Stage.state(journal);
                var owed = before.hosting().host() == null
                        ? Owed.NOTHING
                        : Owed.after(live)
                                .and(Owed.lostCalls(before, rig.tools).stream()
                                        .<Owed.Lost>map(call -> new Owed.Lost.ToolResult(String.valueOf(call.callId())))
                                        .toList());
                calls.clear();
                conversation = new Conversation(
                        SessionId.mint(1), rig.loops.get(0), room, this, live, orderly, owed, SessionTrace.none());
                conversation.start();
            }
            return conversation;
        }

        // ---- the entity

        @Override
        public void facts(Unwritten.Batch batch) {
            unwritten = batch;
            if (!held) {
                checked(() -> write(batch));
            }
        }

        private void write(Unwritten.Batch batch) {
            unwritten = null;
            long told = Stage.state(journal).hosting().told();
            assertThat(batch.number()).isBetween(told, told + 1);
            if (batch.number() > told) {
                journal.add(new SessionEvent.Told(batch.number(), batch.facts(), Rig.NOON));
            }
            java.util.Objects.requireNonNull(conversation).written(batch.number());
        }

        /** The journal takes facts again: late, or the entity began anew and does not know whether it had taken one. */
        private void release(boolean anew, boolean taken) {
            note("journal back, anew " + anew + ", taken " + taken);
            onLoop(() -> {
                var batch = unwritten;
                if (batch != null && (!anew || taken)) {
                    if (anew) {
                        journal.add(new SessionEvent.Told(batch.number(), batch.facts(), Rig.NOON));
                    } else {
                        write(batch);
                    }
                }
                if (anew && conversation != null) {
                    conversation.tellAgain(Stage.state(journal).hosting().told());
                }
                return null;
            });
        }

        @Override
        public void callTool(String callId, String name, String arguments) {
            checked(() -> {
                assertThat(journaled(SessionEvent.ToolCalled.class))
                        .as("written before it is executed")
                        .anyMatch(call -> call.callId().equals(callId));
                assertThat(calls).doesNotContain(callId);
                calls.add(callId);
            });
        }

        private void toolsAnswer() {
            var due = onLoop(() -> {
                var all = List.copyOf(calls);
                calls.clear();
                return all;
            });
            for (var call : due) {
                note("tool answers");
                hosted().answerTool(call, "noon");
            }
        }

        @Override
        public void ended(EndReason reason, String detail) {
            checked(() -> assertThat(reason).as("it goes on: " + detail).isNull());
        }

        @Override
        public void parted() {
            parted = true;
        }

        @Override
        public void callerSeated(String seat) {}

        @Override
        public void callerEnded(String seat, int code) {}

        // ---- the caller

        private void comes() {
            if (line == null) {
                note("comes");
                sits(seats == 0 ? Manner.FIRST : Manner.BACK);
            }
        }

        private void sits(Manner manner) {
            var host = hosted();
            var seat = new Conversations.Seat(
                    host,
                    manner,
                    ++seats,
                    lastSeq,
                    manner == Manner.MOVED ? null : "{\"type\":\"voice-welcome\"}",
                    false);
            introduced = manner != Manner.BACK;
            welcomed = introduced;
            seatedAt = lastSeq;
            var taken = Rig.await(host.seat("seat-" + seats, seat));
            onLoop(() -> {
                line = taken;
                taken.onReadable(this::drain);
                drain();
                return null;
            });
            settle();
        }

        private void drain() {
            if (line == null) {
                return;
            }
            for (var frame = line.poll(); frame != null; frame = line.poll()) {
                var event = frame.utf8();
                frame.release();
                checked(() -> hears(event));
            }
        }

        private void hears(String event) {
            var matcher = SEQ.matcher(event);
            assertThat(matcher.find()).isTrue();
            long seq = Long.parseLong(matcher.group(1));
            var type = event.replaceFirst("^\\{\"seq\":\\d+,\"type\":\"([^\"]+)\".*", "$1");
            if (type.equals("session.resumed")) {
                boolean recovered = event.contains("\"recovered\":true");
                assertThat(seq).as("where it goes on").isGreaterThanOrEqualTo(lastSeq);
                assertThat(recovered && seq != lastSeq).as("all or nothing").isFalse();
                lastSeq = seq;
                seatedAt = seq;
                introduced = false;
            } else if (type.equals("session.reconnecting")) {
                assertThat(seq).as("about the connection").isEqualTo(lastSeq);
            } else if (!welcomed && type.equals("voice-welcome")) {
                welcomed = true;
                assertThat(seq).as("about the connection").isGreaterThanOrEqualTo(lastSeq);
            } else if (!introduced && type.equals("session.created")) {
                assertThat(seq).isEqualTo(lastSeq);
                introduced = true;
            } else {
                assertThat(seq).as("no gap, and nothing twice: " + type).isEqualTo(lastSeq + 1);
                lastSeq = seq;
            }
        }

        /** @param lost how many of the last events never reached it */
        private void leaves(int lost) {
            if (line != null) {
                note("leaves, having lost " + lost);
                onLoop(() -> {
                    lastSeq = Math.max(seatedAt, lastSeq - lost);
                    var left = line;
                    line = null;
                    left.onReadable(null);
                    left.close(1006, "");
                    return null;
                });
            }
        }

        private void speaks() {
            if (line != null && (speaking || turn < 'Y')) {
                if (!speaking) {
                    speaking = true;
                    turn++;
                }
                note("speaks " + turn);
                says(Events.append(turn, 100));
            }
        }

        private void fallsSilent() {
            if (line != null) {
                note("is silent");
                says(Events.append(RealtimeServer.SILENCE, 100));
                if (speaking) {
                    toBeHeard.add(String.valueOf(turn));
                    speaking = false;
                }
            }
        }

        private void writes() {
            if (line != null && !speaking) {
                var text = "typed" + ++written;
                note("writes " + text);
                says(
                        "{\"type\":\"conversation.item.create\",\"item\":{\"type\":\"message\",\"role\":\"user\",\"content\":"
                                + "[{\"type\":\"input_text\",\"text\":\"" + text + "\"}]}}");
                toBeHeard.add(text);
            }
        }

        private void says(String event) {
            onLoop(() -> {
                java.util.Objects.requireNonNull(line).send(Frame.text(event));
                return null;
            });
        }

        /** A complaint is the story's, and not the conversation's. */
        private void checked(Runnable action) {
            try {
                action.run();
            } catch (AssertionError failure) {
                fault = fault == null ? failure : fault;
            }
        }

        // ---- time

        private void settle() {
            for (int i = 0; i < 12; i++) {
                onLoop(() -> null);
            }
            if (fault != null) {
                throw new AssertionError("on the loop", fault);
            }
        }

        private static void pause(int millis) {
            LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(millis));
        }

        private void eventually(String what, java.util.function.BooleanSupplier holds) {
            long patience = System.nanoTime() + TimeUnit.SECONDS.toNanos(60);
            while (!onLoop(holds::getAsBoolean)) {
                assertThat(System.nanoTime()).as(what).isLessThan(patience);
                pause(2);
            }
        }

        /** On the conversation's loop, which must not keep anybody waiting. */
        private static <T> T onLoop(java.util.function.Supplier<T> action) {
            return CompletableFuture.supplyAsync(action, rig.loops.get(0))
                    .orTimeout(60, TimeUnit.SECONDS)
                    .join();
        }
    }
}
