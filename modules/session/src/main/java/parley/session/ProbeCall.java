package parley.session;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import io.netty.channel.EventLoop;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import parley.admission.Arm;
import parley.admission.CallerId;
import parley.protocol.ClientEvent;
import parley.protocol.Content;
import parley.protocol.Item;
import parley.protocol.MalformedEvent;
import parley.protocol.Response;
import parley.protocol.ResponseRequest;
import parley.protocol.ServerEvent;
import parley.protocol.Wire;
import parley.provider.Provider;
import parley.provider.ProviderPool;
import parley.provider.ProviderRefused;
import parley.wire.Frame;
import parley.wire.LogFields;
import parley.wire.WebSocketClose;

/**
 * One synthetic session: dials as a conversation would, provider after provider behind their breakers, says one written
 * sentence, and listens to the answer. Nobody's: it is in no journal, no table and no count of callers.
 *
 * <p>Ends when the answer is done, when it fails, or {@code patience} after the dial or after the question. Confined to its
 * loop.
 */
final class ProbeCall implements Upstream.Owner {
    /** By this name the provider knows that it is nobody. */
    static final String NAME = "parley-probe";

    private static final CallerId NOBODY = new CallerId(NAME, NAME);

    private final EventLoop loop;
    private final Room room;
    private final Arm arm;
    private final ProviderPool providers;
    private final ProbeSettings settings;
    private final Consumer<Probed> told;
    private final Set<String> tried = new HashSet<>();
    private final ArrayDeque<Frame> question = new ArrayDeque<>();
    private @Nullable Upstream line;
    private @Nullable Provider asked;
    private @Nullable String model;
    private @Nullable Duration firstAudio;
    private boolean created;
    private boolean over;
    private long askedAt;

    /** @param told of the result, once, on the loop */
    ProbeCall(EventLoop loop, Room room, Arm arm, ProbeSettings settings, Consumer<Probed> told) {
        this.loop = loop;
        this.room = room;
        this.arm = arm;
        this.providers = room.providers().of(arm);
        this.settings = settings;
        this.told = told;
    }

    void start() {
        loop.execute(() -> {
            giveUpAfter(settings.patience());
            seek("upstream_unavailable");
        });
    }

    /** Nobody wants to know any more. */
    void cancel() {
        loop.execute(() -> {
            over = true;
            hangUp();
        });
    }

    private void seek(String why) {
        if (over) {
            return;
        }
        var provider = providers.next(tried);
        if (provider == null) {
            end(why);
            return;
        }
        asked = provider;
        model = provider.modelFor(null);
        if (room.prices().refuses(model)) {
            notTaken(provider, new ProviderRefused("model_without_price", "its price is not known", false));
            return;
        }
        var nothing = SessionState.Live.opened(new SessionEvent.Opened(
                NOBODY, Face.REALTIME, arm, null, room.clock().instant(), null, null));
        line = new Upstream(loop, LogFields.NONE, provider, nothing, new OpeningScript(List.of()), this, room);
        line.dial(null, NAME);
    }

    private void giveUpAfter(Duration time) {
        long since = askedAt;
        loop.schedule(
                () -> {
                    // The question begins the time anew.
                    if (!over && askedAt == since) {
                        mute();
                    }
                },
                time.toMillis(),
                TimeUnit.MILLISECONDS);
    }

    private void mute() {
        if (firstAudio != null) {
            // It was heard; only its end was not, nor what it cost.
            end("");
            return;
        }
        if (asked != null) {
            providers.failed(asked);
        }
        end(created ? ProviderSide.MUTE : "no_answer");
    }

    // ---- the line

    @Override
    public void refused(Upstream by, ProviderRefused refusal) {
        if (by == line) {
            line = null;
            notTaken(by.provider(), refusal);
        }
    }

    private void notTaken(Provider provider, ProviderRefused refusal) {
        providers.refused(provider, refusal);
        tried.add(provider.name());
        seek(refusal.code());
    }

    @Override
    public void answered(Upstream by, ServerEvent.SessionCreated session) {
        model = session.session().model() == null ? model : session.session().model();
    }

    @Override
    public void opened(Upstream by, ServerEvent.@Nullable SessionCreated session) {
        if (by != line || over) {
            return;
        }
        if (session != null) {
            providers.succeeded(by.provider());
        }
        if (!created) {
            created = true;
            askedAt = System.nanoTime();
            giveUpAfter(settings.patience());
            question.add(Frame.text(Wire.bytes(new ClientEvent.ConversationItemCreate(null, null, sentence()))));
            question.add(Frame.text(Wire.bytes(new ClientEvent.ResponseCreate(null, briefly()))));
            by.readable();
        }
    }

    private Item sentence() {
        return new Item.Message(null, null, Item.Role.USER, List.of(new Content.InputText(settings.says())));
    }

    private ResponseRequest briefly() {
        return ResponseRequest.of(
                JsonNodeFactory.instance.objectNode().put("max_output_tokens", settings.maxOutputTokens()));
    }

    @Override
    public void says(Upstream by, Frame frame) {
        try {
            if (by == line && !over && frame.isText()) {
                heard(by, Wire.server(frame.bytes()));
            }
        } catch (MalformedEvent notOurs) {
            // A dialect that knows more than we do.
        } finally {
            frame.release();
        }
    }

    private void heard(Upstream by, ServerEvent event) {
        if (by.isOpening(event)) {
            return;
        }
        switch (event) {
            case ServerEvent.ResponseOutputAudioDelta audio -> {
                if (firstAudio == null) {
                    firstAudio = Duration.ofNanos(System.nanoTime() - askedAt);
                }
            }
            case ServerEvent.ResponseDone(var eventId, var response) -> done(response);
            case ServerEvent.Error(var eventId, var error) -> end(String.valueOf(error.code()));
            default -> {}
        }
    }

    /** Cut short because it was to be short is well. */
    private void done(Response response) {
        var used = response.usage();
        long micros = used == null || model == null
                ? 0
                : room.prices().micros(Tokens.of(used), model, room.clock().instant());
        boolean failed = response.status() == Response.Status.FAILED;
        end(failed ? "answer_failed" : firstAudio == null ? "no_audio" : "", micros);
    }

    @Override
    public @Nullable Frame next(Upstream by) {
        return by == line ? question.poll() : null;
    }

    @Override
    public boolean mayHear(Upstream by) {
        return true;
    }

    @Override
    public void lost(Upstream by, WebSocketClose close) {
        if (by == line && !over) {
            line = null;
            providers.failed(by.provider());
            end(firstAudio == null ? "provider_lost" : "");
        }
    }

    // ---- the end

    private void end(String why) {
        end(why, 0);
    }

    private void end(String why, long costMicros) {
        if (!over) {
            over = true;
            hangUp();
            told.accept(new Probed(
                    arm,
                    room.clock().instant(),
                    asked == null ? null : asked.name(),
                    created,
                    firstAudio,
                    why,
                    costMicros));
        }
    }

    private void hangUp() {
        question.forEach(Frame::release);
        question.clear();
        if (line != null) {
            line.hangUp();
            line = null;
        }
    }
}
