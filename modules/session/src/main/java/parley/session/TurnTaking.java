package parley.session;

import parley.protocol.Content;
import parley.protocol.Item;
import parley.protocol.Response;
import parley.protocol.ServerEvent;
import parley.wire.Frame;

/**
 * Whose turn it is: whether the provider owes an answer, and may not stay silent.
 *
 * <p>It owes one when it was asked for one, by the caller or by Parley, when it has taken a turn that it answers by
 * itself, and until the answer that it gives is done. Learns that from every event of the provider, and tells those who
 * wait with the caller. Knows as well what of the caller's speech is not settled ({@link Utterance}), and asks the model
 * to go on when the calls of its tools are answered. Confined to the conversation's loop.
 */
final class TurnTaking {
    private final ProviderSide provider;
    private final ToProvider toProvider;
    private final Utterance utterance;
    private final Witness witness;
    private final ToolCalls tools;
    private final TurnTimes times;
    private final SessionOutcome outcome;

    private boolean answering;
    private boolean asked;
    /** Whether the provider has ended a turn, and is going to answer it. */
    private boolean taken;
    /** Of the caller, that the provider has not confirmed. */
    private int commits;

    /** The id of the event by which Parley itself asked for an answer last. */
    private String ownAsk = "";

    TurnTaking(
            ProviderSide provider,
            ToProvider toProvider,
            Utterance utterance,
            Witness witness,
            ToolCalls tools,
            TurnTimes times,
            SessionOutcome outcome) {
        this.provider = provider;
        this.toProvider = toProvider;
        this.utterance = utterance;
        this.witness = witness;
        this.tools = tools;
        this.times = times;
        this.outcome = outcome;
    }

    // ---- who asks

    /** The caller asks for an answer. */
    void asks(Frame frame) {
        asked = true;
        tellDue();
        toProvider.ask(frame);
    }

    /** The caller ends its turn. */
    void commits(Frame frame) {
        commits++;
        toProvider.commit(frame);
    }

    /**
     * Parley asks for an answer.
     *
     * @param first whether ahead of the audio that waits
     */
    void ask(boolean first) {
        asked = true;
        tellDue();
        tools.asked();
        ownAsk = ProviderSide.ownId();
        provider.ask(ownAsk, first);
    }

    /** A model goes on only when asked, and may be asked only when its response is done and every call is answered. */
    void goOnAfterTools() {
        if (!answering && tools.takeGoOn()) {
            ask(false);
        }
    }

    // ---- what the provider says

    /** An event of the provider, which the witness has seen. */
    void saw(ServerEvent event) {
        switch (event) {
            case ServerEvent.InputAudioBufferSpeechStarted started -> utterance.speaks();
            case ServerEvent.InputAudioBufferSpeechStopped stopped -> {
                times.speechEnded(System.nanoTime());
                utterance.ends(stopped.audioEndMs());
            }
            case ServerEvent.InputAudioBufferCommitted committed -> committed();
            case ServerEvent.InputAudioBufferCleared cleared -> utterance.cleared();
            case ServerEvent.ConversationItemDone done -> isItem(done.item());
            case ServerEvent.ConversationItemCreated created -> isItem(created.item());
            case ServerEvent.ConversationItemInputAudioTranscriptionCompleted written -> {
                times.words(System.nanoTime());
                utterance.isWritten(written.itemId());
            }
            case ServerEvent.ResponseCreated created -> {
                if (!witness.isAside(created.response().id())) {
                    begins();
                }
            }
            case ServerEvent.ResponseOutputAudioTranscriptDelta delta -> says();
            case ServerEvent.ResponseOutputTextDelta delta -> says();
            case ServerEvent.ResponseDone done -> ends(done.response());
            case ServerEvent.Error refused -> refused(refused.error());
            default -> {}
        }
    }

    private void committed() {
        times.committed(System.nanoTime());
        utterance.committed(witness.findsTurns());
        // Only a turn that the provider has ended itself makes it answer.
        taken = witness.answersByItself() && commits == 0;
        commits = Math.max(0, commits - 1);
        tellDue();
    }

    private void isItem(Item item) {
        if (item instanceof Item.Message message
                && message.role() == Item.Role.USER
                && message.content().stream().anyMatch(Content.InputAudio.class::isInstance)) {
            utterance.isItem(String.valueOf(message.id()));
            if (answering || !(asked || taken)) {
                // It is being answered already, or nobody waits for an answer.
                utterance.settled();
            }
        }
    }

    private void begins() {
        utterance.settled();
        asked = false;
        taken = false;
        answering = true;
        tellDue();
    }

    /** The provider says something of its answer, in words, audio or calls. */
    void says() {
        if (times.awaitsFirst()) {
            times.first(System.nanoTime());
        }
    }

    private void ends(Response response) {
        boolean failed = response.status() == Response.Status.FAILED;
        if (failed) {
            times.failed("answer_failed");
        }
        answering &= response.conversationId() == null;
        tellDue();
        if (response.status() == Response.Status.CANCELLED) {
            tools.cancelled(response.id());
        } else if (failed) {
            outcome.answerFailed();
        }
    }

    /** Whatever was asked for may have been refused: it is not waited for. */
    private void refused(ServerEvent.ErrorBody error) {
        asked = false;
        taken = false;
        utterance.settled();
        if (isAboutCommit(error)) {
            commits = 0;
            utterance.refusesEnd();
        }
        tellDue();
    }

    private static boolean isAboutCommit(ServerEvent.ErrorBody error) {
        return String.valueOf(error.code()).startsWith("input_audio_buffer");
    }

    /** The provider complains about what Parley said. */
    void refusedOwn(ServerEvent.ErrorBody error) {
        if (isAboutCommit(error)) {
            utterance.refusesEnd();
        }
        if (ownAsk.equals(error.eventId())) {
            asked = false;
            utterance.settled();
            tellDue();
        }
    }

    /**
     * The provider is gone, and owes nothing any more. An answer that nobody was told to give yet is asked for of the next.
     *
     * @return whether it owed an answer that nothing will be told again for
     */
    boolean lost() {
        boolean due = (asked && !toProvider.hasAsk()) || (taken && !utterance.isOpen());
        answering = false;
        asked = toProvider.hasAsk();
        taken = false;
        commits = 0;
        outcome.lost();
        tellDue();
        return due;
    }

    /** Those who wait for the provider's answer hear whether it owes one. */
    private void tellDue() {
        boolean due = isDue();
        provider.due(due);
        long now = System.nanoTime();
        outcome.due(due, now);
        times.due(due, now);
    }

    // ---- whose turn it is

    /** Whether the provider owes an answer, or is giving one. */
    boolean isDue() {
        return answering || asked || taken;
    }

    boolean isAnswering() {
        return answering;
    }

    /** Whether an answer was asked for, and has not begun. */
    boolean isAsked() {
        return asked;
    }

    /** Whether nobody but Parley would make the model speak. */
    boolean isOpen() {
        return !isDue() && !tools.isRunning();
    }

    /** Whether something happens that ends without an event of its own. */
    boolean isBusy() {
        return isDue() || witness.isSpokenTo() || !tools.isIdle();
    }

    /** Whether nothing of a turn is open: another provider could go on from here. */
    boolean isSettled() {
        return !isBusy() && !utterance.isOpen();
    }
}
