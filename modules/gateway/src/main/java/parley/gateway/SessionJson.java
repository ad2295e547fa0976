package parley.gateway;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Locale;
import parley.session.Answer;
import parley.session.Face;
import parley.session.SessionId;
import parley.session.Turn;

/** Sessions as the API shows them. */
final class SessionJson {
    private SessionJson() {}

    static ObjectNode opened(SessionId id, Face face) {
        var address = face == Face.VOICE ? "/v1/ws/voice" : "/v1/realtime";
        return JsonNodeFactory.instance
                .objectNode()
                .put("id", id.value())
                .put("connect", address + "?session_id=" + id)
                .put("transcript", "/v1/sessions/" + id + "/transcript");
    }

    static ObjectNode view(Answer.View session) {
        var json = JsonNodeFactory.instance
                .objectNode()
                .put("id", session.id().value())
                .put("caller", session.caller().user())
                .put("tenant", session.caller().tenant())
                .put("face", lower(session.face()))
                .put("arm", lower(session.arm()))
                .put("rule", session.rule() == null ? null : session.rule().toLowerCase(Locale.ROOT))
                .put("rollout_revision", session.revision())
                .put("phase", session.phase())
                .put("attached", session.attached())
                .put("node", session.node())
                .put("edge_node", session.edgeNode())
                .put("provider", session.provider())
                .put("model", session.model())
                .put("turns", session.turns())
                .put("cost_usd", session.costUsd())
                .put("opened_at", session.openedAt().toString())
                .put("end_reason", session.endReason() == null ? null : lower(session.endReason()));
        json.putObject("tokens")
                .put("text_in", session.tokens().textIn())
                .put("audio_in", session.tokens().audioIn())
                .put("cached_in", session.tokens().cachedIn())
                .put("text_out", session.tokens().textOut())
                .put("audio_out", session.tokens().audioOut());
        return json;
    }

    static ObjectNode census(Answer.Census census, int limit) {
        var json = JsonNodeFactory.instance.objectNode();
        var sessions = json.putArray("sessions");
        census.sessions().forEach(session -> sessions.add(view(session)));
        json.put(
                "next",
                census.sessions().size() < limit
                        ? null
                        : census.sessions().getLast().id().value());
        census.silent().forEach(json.putArray("silent_nodes")::add);
        return json;
    }

    static ObjectNode transcript(Answer.Described described) {
        var json = JsonNodeFactory.instance.objectNode();
        json.put("session_id", described.session().id().value());
        var turns = json.putArray("turns");
        described.transcript().forEach(turn -> turns.add(turn(turn)));
        return json;
    }

    private static ObjectNode turn(Turn turn) {
        var json = JsonNodeFactory.instance
                .objectNode()
                .put("role", lower(turn.role()))
                .put("item_id", turn.itemId())
                .put("text", turn.heardText())
                .put("at", turn.at().toString());
        if (turn.audioMs() > 0) {
            json.put("audio_ms", turn.audioMs());
        }
        if (turn.interrupted()) {
            json.put("interrupted", true).put("heard_ms", turn.heardMs()).put("full_text", turn.text());
        }
        if (turn.name() != null) {
            json.put("name", turn.name());
        }
        if (turn.callId() != null) {
            json.put("call_id", turn.callId());
        }
        return json;
    }

    private static String lower(Enum<?> value) {
        return value.name().toLowerCase(Locale.ROOT);
    }
}
