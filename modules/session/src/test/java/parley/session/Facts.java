package parley.session;

import java.util.List;
import parley.admission.Arm;
import parley.admission.CallerId;

/** One of each fact. */
final class Facts {
    static final CallerId ANNA = new CallerId("anna", "acme");
    static final Tokens SOME = new Tokens(119, 64, 13, 0, 0, 0, 30, 91, 1.5);
    static final SessionEvent.Opened OPENED =
            new SessionEvent.Opened(ANNA, Face.VOICE, Arm.VOICE, "usual", Rig.NOON, null, null);
    static final SessionEvent.Hosted HOSTED = new SessionEvent.Hosted("pekko://here/first", Rig.NOON);
    static final SessionEvent.HandedOver HANDED_OVER = new SessionEvent.HandedOver(41, Rig.NOON);
    static final SessionEvent.AnswerBegan BEGAN = new SessionEvent.AnswerBegan("resp_1", Rig.NOON);
    static final SessionEvent.AgentHeard HEARD =
            new SessionEvent.AgentHeard("item_a", "one two three", 1500, 700, Rig.NOON);
    static final SessionEvent.AnswerEnded ENDED_ANSWER = new SessionEvent.AnswerEnded("resp_1", Rig.NOON);
    static final SessionEvent.CallerAttached ATTACHED =
            new SessionEvent.CallerAttached("seat", "hash", "pekko://here", Rig.NOON, "shown");
    static final SessionEvent.CallerDetached DETACHED = new SessionEvent.CallerDetached("seat", 1006, Rig.NOON);
    static final SessionEvent.UpstreamOpened UPSTREAM =
            new SessionEvent.UpstreamOpened("fake", "usual", "sess_upstream", Rig.NOON);
    static final SessionEvent.UpstreamLost LOST = new SessionEvent.UpstreamLost("1006 lost", Rig.NOON);
    static final SessionEvent.Configured CONFIGURED =
            new SessionEvent.Configured("{\"type\":\"realtime\",\"instructions\":\"kind\"}", Rig.NOON);
    static final SessionEvent.UserSaid USER_SAID = new SessionEvent.UserSaid("item_u", null, 1500, Rig.NOON);
    static final SessionEvent.UserTranscribed TRANSCRIBED =
            new SessionEvent.UserTranscribed("item_u", "hello", Rig.NOON);
    static final SessionEvent.AgentSaid AGENT_SAID =
            new SessionEvent.AgentSaid("item_a", "one two three four", 2000, Rig.NOON);
    static final SessionEvent.AgentCut CUT = new SessionEvent.AgentCut("item_a", 1000, Rig.NOON);
    static final SessionEvent.ToolCalled CALLED =
            new SessionEvent.ToolCalled("item_c", "call_1", "time", "{}", Rig.NOON);
    static final SessionEvent.ToolAnswered ANSWERED =
            new SessionEvent.ToolAnswered("item_r", "call_1", "noon", Rig.NOON);
    static final SessionEvent.ItemDeleted DELETED = new SessionEvent.ItemDeleted("item_u", Rig.NOON);
    static final SessionEvent.Spent SPENT = new SessionEvent.Spent("resp_1", SOME, "usual", "v1", 7206, Rig.NOON);
    static final SessionEvent.Warned WARNED =
            new SessionEvent.Warned(EndReason.IDLE, Rig.NOON.plusSeconds(60), Rig.NOON);
    static final SessionEvent.Ended ENDED = new SessionEvent.Ended(EndReason.PROVIDER_LOST, "1006", Rig.NOON);

    static final SessionEvent.Told TOLD = new SessionEvent.Told(1, List.of(USER_SAID, SPENT), Rig.NOON);

    static final List<SessionEvent> ALL = List.of(
            OPENED,
            HOSTED,
            HANDED_OVER,
            TOLD,
            ATTACHED,
            DETACHED,
            UPSTREAM,
            LOST,
            CONFIGURED,
            USER_SAID,
            TRANSCRIBED,
            BEGAN,
            HEARD,
            AGENT_SAID,
            CUT,
            ENDED_ANSWER,
            CALLED,
            ANSWERED,
            DELETED,
            SPENT,
            WARNED,
            ENDED);

    private Facts() {}
}
