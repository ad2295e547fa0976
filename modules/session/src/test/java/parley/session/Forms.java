package parley.session;

import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.pekko.actor.typed.ActorRef;
import org.jspecify.annotations.Nullable;
import parley.admission.Arm;
import parley.session.SessionState.Live;
import parley.session.SessionState.Over;
import parley.session.SessionState.Vacant;
import parley.session.Sessions.Join;
import parley.session.Sessions.Opening;

/**
 * One value, or more, of every kind that is journaled or crosses nodes, by name: the class within the package, and what
 * is special about it behind a dash.
 *
 * <p>{@link #ofThisRelease} is written by this code. A method per earlier release says what this code has to read in
 * what that one wrote; it begins as a copy of the former at the time of the release, and is changed only where a field
 * was added: there its default stands.
 */
final class Forms {
    static final String THIS_RELEASE = "0.2";
    private static final Set<Class<?>> SINCE_02 = Set.of(
            SessionEvent.Hosted.class,
            SessionEvent.HandedOver.class,
            SessionEvent.Told.class,
            SessionEvent.AnswerBegan.class,
            SessionEvent.AgentHeard.class,
            SessionEvent.AnswerEnded.class,
            SessionEvent.Warned.class);
    private static final Opening GUIDED = new Opening(Facts.ANNA, Face.VOICE, Arm.VOICE, "usual", null, null);
    private static final SessionId ID = new SessionId("sess_0010000000000000000000");

    private Forms() {}

    /** By release, what has to be read. */
    static Map<String, Map<String, Object>> ofEveryRelease(ActorRef<Object> asked) {
        return Map.of("0.1", of01(asked), THIS_RELEASE, ofThisRelease(asked));
    }

    /** Before sessions moved: no host, no open answer, no numbers. */
    private static Map<String, Object> of01(ActorRef<Object> asked) {
        var forms = new LinkedHashMap<String, Object>();
        Facts.ALL.stream()
                .filter(fact -> !SINCE_02.contains(fact.getClass()))
                .map(fact -> fact.equals(Facts.ATTACHED)
                        ? new SessionEvent.CallerAttached("seat", "hash", "pekko://here", Rig.NOON, null)
                        : fact)
                .forEach(fact -> forms.put(named(fact), fact));
        var line = new SessionState.Line("seat", "hash", null, List.of(), false, null);
        var live = new Live(
                Facts.OPENED, Facts.UPSTREAM, "{}", line, SessionState.Hosting.NONE, null, turns(), Facts.SOME, 7);
        states(live).forEach((special, state) -> forms.put(named(state) + special, state));
        messages(asked).forEach((special, message) -> forms.put(named(message) + special, message));
        forms.remove("VoiceSession.Wake-woken");
        forms.remove("VoiceSession.Inspect-inspected");
        forms.remove("VoiceSession.Stop-stopped");
        forms.remove("VoiceSession.Forget-to-be-deleted");
        forms.put(
                "VoiceSession.TakeSeat-again",
                new VoiceSession.TakeSeat(
                        new Join(GUIDED, true, "token", Join.NOT_TOLD), "", false, "pekko://there", 0, asked.narrow()));
        return forms;
    }

    static Map<String, Object> ofThisRelease(ActorRef<Object> asked) {
        var forms = new LinkedHashMap<String, Object>();
        Facts.ALL.forEach(fact -> forms.put(named(fact), fact));
        forms.put(
                "SessionEvent.Opened-by-a-rollout",
                new SessionEvent.Opened(Facts.ANNA, Face.VOICE, Arm.VOICE, "usual", Rig.NOON, "BUCKET", 42L));
        states(live()).forEach((special, state) -> forms.put(named(state) + special, state));
        messages(asked).forEach((special, message) -> forms.put(named(message) + special, message));
        forms.put(
                "VoiceSession.TakeSeat-traced",
                new VoiceSession.TakeSeat(
                        new Join(
                                GUIDED,
                                true,
                                "token",
                                57,
                                false,
                                "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"),
                        "seat",
                        false,
                        "pekko://there",
                        0,
                        asked.narrow()));
        interviews(asked).forEach((special, message) -> forms.put(named(message) + special, message));
        return forms;
    }

    private static Live live() {
        return new Live(
                Facts.OPENED,
                Facts.UPSTREAM,
                "{}",
                new SessionState.Line("seat", "hash", "shown", List.of("given"), true, null),
                new SessionState.Hosting("pekko://here/first", 2, true, 41, 3),
                new SessionState.Answering("resp_1", 2, Facts.HEARD),
                turns(),
                Facts.SOME,
                7);
    }

    private static Map<String, Object> states(Live live) {
        var states = new LinkedHashMap<String, Object>();
        states.put("", new Vacant());
        states.put("-opened", Live.opened(Facts.OPENED));
        states.put("-full", live);
        states.put("-over", new Over(live, EndReason.MAX_LENGTH, null, Rig.NOON));
        return states;
    }

    private static List<Turn> turns() {
        var turns = new ArrayList<Turn>();
        turns.add(Turn.user(Facts.USER_SAID));
        turns.add(Turn.agent(Facts.AGENT_SAID).cutAt(3));
        turns.add(Turn.called(Facts.CALLED));
        turns.add(Turn.answered(Facts.ANSWERED));
        return turns;
    }

    private static Map<String, Object> messages(ActorRef<Object> asked) {
        var opening = new Opening(Facts.ANNA, Face.REALTIME, Arm.CONTROL, null, null, null);
        var refused = new Answer.Refused(Answer.Refusal.UNAVAILABLE, "later", Duration.ofMillis(2500));
        var messages = new LinkedHashMap<String, Object>();
        messages.put("-commanded", new VoiceSession.Open(opening, asked.narrow()));
        messages.put(
                "-first",
                new VoiceSession.TakeSeat(
                        new Join(opening, false, null, Join.NOT_TOLD), "", false, "pekko://there", 3, asked.narrow()));
        messages.put(
                "-again",
                new VoiceSession.TakeSeat(
                        new Join(GUIDED, true, "token", 57), "seat", true, "pekko://there", 0, asked.narrow()));
        messages.put("-woken", new VoiceSession.Wake());
        messages.put("-asked", new VoiceSession.Describe(Facts.ANNA, asked.narrow()));
        messages.put("-asked-for", new VoiceSession.End(Facts.ANNA, asked.narrow()));
        messages.put("-inspected", new VoiceSession.Inspect(asked.narrow()));
        messages.put("-stopped", new VoiceSession.Stop(asked.narrow()));
        messages.put("-to-be-deleted", new VoiceSession.Forget(Facts.ANNA, asked.narrow()));
        messages.put("-taken", new VoiceSession.Seating.Taken("pekko://here", "127.0.0.1", 17356, "seat"));
        messages.put("-denied", new VoiceSession.Seating.Denied(refused));
        messages.put("-answered", new Answer.Opened(ID));
        messages.put("-later", refused);
        messages.put("-never", new Answer.Refused(Answer.Refusal.OVER, "over", null));
        messages.put("-new", described(null, null, null));
        messages.put("-ended", described("fake", "usual", EndReason.CALLER_LEFT));
        return messages;
    }

    /** Since interviews are found by their name. */
    private static Map<String, Object> interviews(ActorRef<Object> asked) {
        var opening = new Opening(Facts.ANNA, Face.VOICE, Arm.VOICE, null, "BUCKET", null, "int-1");
        var began = new Interview.Began(ID, Rig.NOON);
        var forms = new LinkedHashMap<String, Object>();
        forms.put("-to-be-named", new Interview.Name(null, ID, asked.narrow()));
        forms.put("-named", new Interview.Named(ID, true));
        forms.put("-began", began);
        forms.put("-nothing-yet", new Interview.Present(null));
        forms.put("-present", new Interview.Present(began));
        forms.put(
                "-interview",
                new SessionEvent.Opened(Facts.ANNA, Face.VOICE, Arm.VOICE, null, Rig.NOON, "BUCKET", null, "int-1"));
        forms.put(
                "-for-interview",
                new VoiceSession.TakeSeat(
                        new Join(opening, true, null, Join.NOT_TOLD, true, null),
                        "seat",
                        false,
                        "pekko://there",
                        0,
                        asked.narrow()));
        forms.put("-taken-by-another", new Answer.Refused(Answer.Refusal.TAKEN, "later", Duration.ofMillis(250)));
        return forms;
    }

    private static Answer.Described described(
            @Nullable String provider, @Nullable String model, @Nullable EndReason reason) {
        return new Answer.Described(
                new Answer.View(
                        ID,
                        Facts.ANNA,
                        Face.VOICE,
                        Arm.VOICE,
                        "live",
                        "pekko://here",
                        null,
                        provider,
                        model,
                        true,
                        2,
                        new Answer.View.Tokens(1, 2, 3, 4, 5),
                        0.25,
                        Rig.NOON,
                        reason,
                        null,
                        null),
                turns());
    }

    /** {@code SessionEvent.Opened}. */
    private static String named(Object value) {
        return value.getClass().getName().substring("parley.session.".length()).replace('$', '.');
    }

    /** The name's way back to what the serializer calls it. */
    static String manifest(String name) {
        return "parley.session." + name.replaceFirst("-.*", "").replace('.', '$');
    }
}
