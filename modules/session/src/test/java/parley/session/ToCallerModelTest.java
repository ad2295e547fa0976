package parley.session;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import java.time.Clock;
import java.time.ZoneOffset;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.Tag;
import net.jqwik.api.Tuple;
import net.jqwik.api.lifecycle.AfterContainer;
import net.jqwik.api.lifecycle.BeforeContainer;
import org.jspecify.annotations.Nullable;
import parley.protocol.Peek;
import parley.protocol.Wire;
import parley.wire.Frame;
import parley.wire.Loops;

/**
 * Whatever happens in whatever order, a caller that says truly what it has gets every event once and in order, or is told
 * that it does not. The world knows all that was ever sent; the caller has what reached it before its line broke.
 *
 * <p>B3, R7: random stories of what is sent, kept and sent again.
 */
@Tag("unit")
class ToCallerModelTest {
    private static final int REPLAY_EVENTS = 8;
    private static final long REPLAY_AUDIO_MS = 1500;
    private static final long MAX_SEQ = 1L << 52;

    private static @Nullable Loops loops;
    private static int timesAnew;

    sealed interface Step {}

    record Audio(int ms, boolean nextItem) implements Step {}

    record Word() implements Step {}

    record Outside() implements Step {}

    record Done() implements Step {}

    record BargeIn() implements Step {}

    record UpstreamLost() implements Step {}

    record Pass(int ms) implements Step {}

    record Take(int frames) implements Step {}

    record Arrive(int frames) implements Step {}

    record Acknowledge(int ahead) implements Step {}

    record Play(int ms) implements Step {}

    record Draining() implements Step {}

    record Leave() implements Step {}

    record Return(Memory memory, int by) implements Step {}

    enum Memory {
        TRUE,
        NONE,
        LESS,
        MORE,
        ABSURD
    }

    @BeforeContainer
    static void start() {
        loops = Loops.create(1);
        NoLeaks.watch();
    }

    @AfterContainer
    static void stop() throws InterruptedException {
        assertThat(timesAnew).as("stories in which something was told anew").isPositive();
        assertThat(NoLeaks.reports()).isEmpty();
        if (loops != null) {
            loops.close();
        }
    }

    @Provide
    Arbitrary<Step> step() {
        var small = Arbitraries.integers().between(1, 12);
        var memory = Arbitraries.frequency(
                Tuple.of(6, Memory.TRUE),
                Tuple.of(1, Memory.NONE),
                Tuple.of(1, Memory.LESS),
                Tuple.of(1, Memory.MORE),
                Tuple.of(1, Memory.ABSURD));
        return Arbitraries.frequencyOf(
                Tuple.of(
                        8,
                        Arbitraries.integers()
                                .between(0, 7)
                                .flatMap(n -> Arbitraries.frequency(Tuple.of(4, false), Tuple.of(1, true))
                                        .map(next -> new Audio(100 * n, next)))),
                Tuple.of(4, Arbitraries.just(new Word())),
                Tuple.of(2, Arbitraries.just(new Outside())),
                Tuple.of(2, Arbitraries.just(new Done())),
                Tuple.of(1, Arbitraries.just(new BargeIn())),
                Tuple.of(1, Arbitraries.just(new UpstreamLost())),
                Tuple.of(3, small.map(n -> new Pass(n * n * 20))),
                Tuple.of(6, small.map(Take::new)),
                Tuple.of(6, small.map(Arrive::new)),
                Tuple.of(1, Arbitraries.integers().between(-5, 2).map(Acknowledge::new)),
                Tuple.of(1, small.map(n -> new Play(n * 100))),
                Tuple.of(1, Arbitraries.just(new Draining())),
                Tuple.of(2, Arbitraries.just(new Leave())),
                Tuple.of(3, memory.flatMap(kind -> small.map(by -> new Return(kind, by)))));
    }

    @Provide
    Arbitrary<List<Step>> story() {
        return step().list().ofMaxSize(80);
    }

    @Property(tries = 3000)
    void everyStoryEndsWell(@ForAll("story") List<Step> story) {
        var world = new World();
        try {
            for (var step : story) {
                world.happens(step);
                world.isInOrder();
            }
            world.endsWell();
        } finally {
            world.ends();
        }
        world.hasReleasedEverything();
    }

    /** @param item of which it is a slice, up to {@code toMs}; null for everything but audio */
    private record Sent(
            long seq, String text, long audioMs, @Nullable String item, long toMs, ByteBuf bytes, boolean inTurn) {
        String unnumbered() {
            return text.replaceFirst("\"seq\":[0-9]+,", "");
        }
    }

    private record OnTheWay(Frame frame, String text, long seq, boolean about) {}

    private static final class World {
        private final ToCaller queue = new ToCaller(
                Face.VOICE,
                Rig.settings(Map.of(
                        "parley.session.agent-lead",
                        "1s",
                        "parley.session.agent-buffer",
                        "3s",
                        "parley.session.replay.events",
                        REPLAY_EVENTS,
                        "parley.session.replay.audio",
                        REPLAY_AUDIO_MS + "ms")),
                new SessionMetrics(),
                0);
        private final Witness witness = new Witness("usual", Rig.prices(), Clock.fixed(Rig.NOON, ZoneOffset.UTC));
        private final Peek peek = new Peek();
        private final List<ByteBuf> made = new ArrayList<>();
        private final Map<Long, Sent> sent = new HashMap<>();
        private final ArrayDeque<Sent> kept = new ArrayDeque<>();
        private final ArrayDeque<OnTheWay> onTheWay = new ArrayDeque<>();
        private final Map<String, Long> sentMs = new HashMap<>();
        /** How far into each item the caller on this line can have got. */
        private Map<String, Long> reach = new HashMap<>();

        private long acked;

        private final Set<String> ended = new HashSet<>();
        private final Set<String> toldEnded = new HashSet<>();
        private long now = -3_000_000_000L;
        private int events;
        private int responses;
        private int items;
        private boolean responding;
        private boolean there = true;
        /** The last number that this line has carried, or began with. */
        private long lineSeq;
        /** The last number that the caller has. */
        private long has;
        /** The last number that is not kept any more. */
        private long gone;
        /** Nothing up to here may be sent again. */
        private long floor;
        /** Was sent to a line on which nobody heard anything, and is next. */
        private final ArrayDeque<Sent> comesAnew = new ArrayDeque<>();
        /** Whether the client has told of its playback since something was lost. */
        private boolean played;
        /** What was sent up to here the caller has spoken over. */
        private long cut;

        void happens(Step step) {
            switch (step) {
                case Audio audio -> audio(audio);
                case Word word -> queue.control(event("response.output_audio_transcript.delta", ""));
                case Outside outside -> queue.fromOutside(event("conversation.item.added", ""));
                case Done done -> done();
                case BargeIn bargeIn -> bargeIn();
                case UpstreamLost lost -> {
                    queue.upstreamLost();
                    done();
                }
                case Pass pass -> now += pass.ms() * 1_000_000L;
                case Take take -> take(take.frames());
                case Arrive arrive -> arrive(arrive.frames());
                case Acknowledge ack -> acknowledge(has + ack.ahead());
                case Play play -> {
                    played = true;
                    queue.playback("item_" + items, play.ms(), now);
                }
                case Draining draining -> queue.aboutConnection("{\"type\":\"about\"}");
                case Leave leave -> leave();
                case Return back -> comesBack(back);
            }
        }

        private Frame event(String type, String more) {
            var frame = Frame.text("{\"type\":\"" + type + "\",\"n\":" + ++events + more + "}");
            made.add(frame.buffer());
            return frame;
        }

        private String response() {
            return "resp_" + responses;
        }

        private void audio(Audio audio) {
            if (queue.isFull()) {
                return;
            }
            if (!responding) {
                responding = true;
                responses++;
                items++;
                queue.responseBegun(response());
            } else if (audio.nextItem()) {
                items++;
            }
            var frame = event(
                    "response.output_audio.delta",
                    ",\"ms\":" + audio.ms() + ",\"response_id\":\"" + response() + "\",\"item_id\":\"item_" + items
                            + "\",\"delta\":\"AAAA\"");
            peek.scan(frame.view(), frame.view().position(), frame.length());
            queue.audio(frame, peek, audio.ms(), witness);
        }

        private void done() {
            if (responding) {
                responding = false;
                queue.responseDone(response(), event("response.done", ",\"of\":\"" + response() + "\""));
            }
        }

        private void bargeIn() {
            queue.interrupt(now);
            cut = queue.seq();
            comesAnew.removeIf(event -> event.item() != null);
            queue.fromOutside(event("input_audio_buffer.speech_started", ""));
            assertThat(queue.heard(now)).isEmpty();
        }

        private void take(int frames) {
            for (int i = 0; i < frames; i++) {
                var frame = queue.next(now, loop(), () -> {});
                if (frame == null) {
                    return;
                }
                assertThat(there).isTrue();
                var text = frame.utf8();
                var json = Wire.parse(frame.bytes());
                long seq = json.path("seq").asLong(-1);
                boolean about = json.path("type").asText().equals("about");
                if (about) {
                    assertThat(seq).isEqualTo(lineSeq);
                } else {
                    assertThat(seq).isEqualTo(lineSeq + 1).isGreaterThan(floor);
                    lineSeq = seq;
                    if (sent.containsKey(seq)) {
                        assertThat(text).isEqualTo(sent.get(seq).text());
                    } else {
                        firstTime(frame, text, json, seq);
                    }
                    reached(sent.get(seq));
                }
                writeHeaderBefore(frame.buffer());
                onTheWay.add(new OnTheWay(frame, text, seq, about));
            }
        }

        private void firstTime(Frame frame, String text, com.fasterxml.jackson.databind.JsonNode json, long seq) {
            assertThat(seq).isEqualTo(queue.seq());
            long ms = json.path("ms").asLong(0);
            var item = json.path("item_id").textValue();
            if (item != null) {
                sentMs.merge(item, ms, Long::sum);
            }
            made.add(frame.buffer());
            var type = json.path("type").asText();
            boolean inTurn = type.startsWith("response.");
            var event = new Sent(seq, text, ms, item, item == null ? 0 : sentMs.get(item), frame.buffer(), inTurn);
            if (inTurn && !comesAnew.isEmpty()) {
                assertThat(event.unnumbered()).isEqualTo(comesAnew.remove().unnumbered());
            }
            sent.put(seq, event);
            kept.add(event);
            while (kept.size() > REPLAY_EVENTS
                    || kept.stream().mapToLong(Sent::audioMs).sum() > REPLAY_AUDIO_MS) {
                gone = kept.remove().seq();
            }
            if (json.path("type").asText().equals("response.done")) {
                ended.add(json.path("of").asText());
            }
            for (var response : queue.takeFullySent()) {
                assertThat(ended).contains(response);
                assertThat(toldEnded.add(response)).isTrue();
            }
            assertThat(toldEnded).isEqualTo(ended);
        }

        private void reached(@Nullable Sent event) {
            if (event != null && event.item() != null) {
                reach.merge(event.item(), event.toMs(), Long::max);
            }
        }

        /** As the link does, whose header differs from line to line. */
        private static void writeHeaderBefore(ByteBuf buffer) {
            if (buffer.readerIndex() >= 8) {
                buffer.setLong(buffer.readerIndex() - 8, 0x2222222222222222L);
            }
        }

        private void arrive(int frames) {
            for (int i = 0; i < frames && !onTheWay.isEmpty(); i++) {
                var arrived = onTheWay.remove();
                assertThat(arrived.frame().utf8()).isEqualTo(arrived.text());
                arrived.frame().release();
                if (arrived.about()) {
                    // Where it is higher, the caller was told that what is between is lost.
                    has = Math.max(has, arrived.seq());
                } else if (arrived.seq() > has) {
                    assertThat(arrived.seq()).isEqualTo(has + 1);
                    has = arrived.seq();
                }
            }
        }

        private void acknowledge(long seq) {
            queue.acked(seq);
            acked = Math.max(acked, Math.min(seq, lineSeq));
            while (!kept.isEmpty() && kept.getFirst().seq() <= Math.min(seq, lineSeq)) {
                gone = kept.remove().seq();
            }
        }

        private void leave() {
            breakLine();
            there = false;
            queue.absent(now);
            assertThat(queue.heard(now + 60_000_000_000L)).isEqualTo(queue.heard(now));
        }

        private void breakLine() {
            onTheWay.forEach(lost -> lost.frame().release());
            onTheWay.clear();
        }

        private void comesBack(Return back) {
            breakLine();
            long says = switch (back.memory()) {
                case TRUE -> has;
                case NONE -> -1;
                case LESS -> Math.max(0, has - back.by());
                case MORE -> has + back.by();
                case ABSURD -> Long.MAX_VALUE - back.by();
            };
            long named = there && says >= 0 ? Math.max(says, acked) : says;
            long last = named < 0 && queue.seq() == 0 ? 0 : named;
            long before = queue.seq();
            boolean recovers = last >= gone && last <= before;
            var resumption = queue.present(says, now);
            // A client's word on its playback may mean that it has heard something; all else is certain.
            boolean heardNothing =
                    last >= 0 && last < floor && gone == floor && (!played || resumption.missedEvents() == -1);
            there = true;

            assertThat(resumption.recovered()).isEqualTo(recovers);
            if (recovers) {
                long missed = kept.stream().filter(event -> event.seq() > last).count();
                assertThat(resumption).isEqualTo(ToCaller.Resumption.complete((int) missed));
                lineSeq = last;
                has = last;
                reach = new HashMap<>();
                sent.values().stream().filter(event -> event.seq() <= last).forEach(this::reached);
            } else {
                boolean told = last >= 0 && last <= before;
                var anew = kept.stream()
                        .filter(event -> heardNothing && event.inTurn() && event.seq() > cut)
                        .toList();
                anew.stream()
                        .filter(event -> event.item() != null)
                        .forEach(event -> sentMs.merge(event.item(), event.toMs() - event.audioMs(), Math::min));
                anew.reversed().forEach(comesAnew::addFirst);
                timesAnew += anew.isEmpty() ? 0 : 1;
                played = false;
                assertThat(resumption.replayed()).isZero();
                assertThat(resumption.missedEvents()).isEqualTo(told && !heardNothing ? before - last : -1);
                if (resumption.missedAudioMs() >= 0) {
                    assertThat(told).isTrue();
                    assertThat(resumption.missedAudioMs())
                            .isLessThanOrEqualTo(sent.values().stream()
                                    .mapToLong(Sent::audioMs)
                                    .sum());
                }
                lineSeq = (last > before && last <= MAX_SEQ ? last : before) + 1;
                floor = lineSeq;
                gone = lineSeq;
                has = back.memory() == Memory.TRUE ? has : Math.min(has, lineSeq);
                kept.clear();
            }
            assertThat(queue.seq()).isEqualTo(Math.max(before, lineSeq));
            queue.aboutConnection("{\"type\":\"about\"}");
        }

        private Loops loopsOf() {
            if (loops == null) {
                throw new IllegalStateException("not started");
            }
            return loops;
        }

        private io.netty.channel.EventLoop loop() {
            return loopsOf().next();
        }

        /** What holds at any time. */
        void isInOrder() {
            for (var item : queue.heard(now)) {
                assertThat(item.heardMs()).isBetween(0L, reach.getOrDefault(item.itemId(), 0L));
            }
            if (responding || queue.openResponse() != null) {
                assertThat(queue.isQuiet(now)).isFalse();
            }
            if (onTheWay.isEmpty()) {
                assertThat(sent.values().stream()
                                .filter(event -> event.bytes().refCnt() > 0)
                                .map(Sent::seq))
                        .containsExactlyInAnyOrderElementsOf(
                                kept.stream().map(Sent::seq).toList());
            }
        }

        void endsWell() {
            if (!there) {
                comesBack(new Return(Memory.TRUE, 0));
            }
            for (int seconds = 0; seconds < 600 && !comesAnew.isEmpty(); seconds++) {
                now += 1_000_000_000L;
                take(100);
            }
            assertThat(comesAnew).isEmpty();
        }

        void ends() {
            breakLine();
            queue.nobodyListens();
        }

        void hasReleasedEverything() {
            assertThat(made).allMatch(buffer -> buffer.refCnt() == 0);
        }
    }
}
