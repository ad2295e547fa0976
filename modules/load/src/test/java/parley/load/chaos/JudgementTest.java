package parley.load.chaos;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import parley.load.chaos.Account.Role;
import parley.load.chaos.Account.Said;

@Tag("unit")
class JudgementTest {
    private final Diary diary = new Diary(0, 0);
    private final List<Said> transcript = new ArrayList<>();

    JudgementTest() {
        diary.sessionId("sess_1");
    }

    @Test
    void aConversationInWhichEveryTurnWasAnsweredOnceIsClean() {
        said(answered(turn(Turn.Kind.SPOKEN)));
        said(answered(turn(Turn.Kind.TYPED)));

        assertThat(judged().complaints()).isEmpty();
    }

    @Test
    void aTurnWithoutAnAnswerIsLost() {
        said(turn(Turn.Kind.SPOKEN));

        assertThat(judged().lost()).isEqualTo(1);
        assertThat(judged().complaints()).containsExactly("turn 1 was not answered");
    }

    @Test
    void aTurnWithTwoWholeAnswersIsDoubled() {
        var turn = answered(turn(Turn.Kind.SPOKEN));
        said(turn);
        answer(turn, "again", "completed");

        assertThat(judged().doubled()).isEqualTo(1);
    }

    @Test
    void anAnswerThatWasBegunAgainCountsOnce() {
        var turn = turn(Turn.Kind.SPOKEN);
        answer(turn, "cut", "failed");
        answered(turn);
        said(turn);
        transcript.add(1, new Said(Role.AGENT, "cut", "", true));

        assertThat(judged().complaints()).isEmpty();
        assertThat(judged().begunAgain()).isEqualTo(1);
    }

    @Test
    void theBeginningOfAnAnswerIsNoSecondAnswer() {
        var turn = turn(Turn.Kind.SPOKEN);
        answer(turn, "cut", "failed");
        turn.answer("cut").items.add("item_cut");
        answered(turn);
        said(turn);
        transcript.add(1, new Said(Role.AGENT, "item_cut", "", false));

        assertThat(judged().complaints()).isEmpty();
    }

    @Test
    void anAnswerThatStandsInTheHistoryIsNoLoss() {
        var turn = turn(Turn.Kind.SPOKEN);
        turn.answeredInHistory = true;
        said(turn);
        transcript.add(new Said(Role.AGENT, "unheard", "", false));

        assertThat(judged().complaints()).isEmpty();
    }

    @Test
    void aTurnThatTheTranscriptLacksIsLost() {
        answered(turn(Turn.Kind.SPOKEN));

        assertThat(judged().lost()).isEqualTo(1);
    }

    @Test
    void aTurnThatStandsInTheTranscriptUnderTwoNamesIsDoubled() {
        var turn = answered(turn(Turn.Kind.SPOKEN));
        turn.items.add("item_again");
        said(turn);
        transcript.add(0, new Said(Role.USER, "item_again", "", false));

        assertThat(judged().doubled()).isEqualTo(1);
    }

    @Test
    void aToolThatRanTwiceIsDoubled() {
        var turn = answered(turn(Turn.Kind.TOOL));
        said(turn);
        transcript.add(1, new Said(Role.TOOL_RESULT, "r1", "c1", false));
        transcript.add(2, new Said(Role.TOOL_RESULT, "r2", "c2", false));

        assertThat(judged().doubled()).isEqualTo(1);
    }

    @Test
    void turnsInAnotherOrderAreTold() {
        var first = answered(turn(Turn.Kind.SPOKEN));
        said(answered(turn(Turn.Kind.SPOKEN)));
        said(first);

        assertThat(judged().complaints()).containsExactly("the transcript is out of order");
    }

    @Test
    void aTurnThatNobodySaidIsTold() {
        said(answered(turn(Turn.Kind.SPOKEN)));
        transcript.add(new Said(Role.USER, "item_of_nobody", "", false));

        assertThat(judged().complaints()).containsExactly("the transcript holds 1 turns that nobody said");
    }

    @Test
    void answersThatWerePaidForTwiceAreTold() {
        said(answered(turn(Turn.Kind.SPOKEN)));
        diary.outputTokens = 40;

        assertThat(Judgement.of(diary, new Account(transcript, 0.1, 40)).complaints())
                .isEmpty();
        assertThat(Judgement.of(diary, new Account(transcript, 0.1, 80)).complaints())
                .containsExactly("paid for 80 tokens of answers, and heard 40");
        diary.answersLost = 1;
        assertThat(Judgement.of(diary, new Account(transcript, 0.1, 80)).complaints())
                .as("the caller was told")
                .isEmpty();
    }

    @Test
    void aSessionThatEndedByItselfIsLost() {
        diary.lost(new Ending(4404, "session_over"));

        assertThat(judged().sessionLost()).isTrue();
    }

    private Judgement judged() {
        return Judgement.of(diary, new Account(transcript, 0.1, 0));
    }

    private Turn turn(Turn.Kind kind) {
        var turn = new Turn(diary.turns.size() + 1, kind);
        turn.items.add("item_" + turn.number);
        diary.turns.add(turn);
        return turn;
    }

    private static Turn answered(Turn turn) {
        answer(turn, "resp_" + turn.number, "completed");
        return turn;
    }

    private static void answer(Turn turn, String id, String status) {
        var answer = turn.answer(id);
        answer.status = status;
        answer.speaks = true;
        answer.heardMillis = 1000;
    }

    /** In the transcript as well. */
    private void said(Turn turn) {
        transcript.add(new Said(Role.USER, "item_" + turn.number, "", false));
        if (turn.kind == Turn.Kind.TOOL) transcript.add(new Said(Role.TOOL_CALL, "call", "c1", false));
        if (turn.isAnswered() && !turn.answeredInHistory) {
            transcript.add(new Said(Role.AGENT, "answer_" + turn.number, "", false));
        }
    }
}
