package parley.load.chaos;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * What a session says of itself afterwards, to anybody who asks by REST.
 *
 * @param outputTokens of all its answers
 */
record Account(List<Said> transcript, double costUsd, long outputTokens) {

    /** One line of the transcript, without its words. */
    record Said(Role role, String itemId, String callId, boolean interrupted) {
        /** For people. */
        @Override
        public String toString() {
            return role.name().toLowerCase(Locale.ROOT) + " " + itemId + (interrupted ? ", interrupted" : "");
        }
    }

    enum Role {
        USER,
        AGENT,
        TOOL_CALL,
        TOOL_RESULT
    }

    Account {
        transcript = List.copyOf(transcript);
    }

    static Account of(JsonNode session, JsonNode transcript) {
        var said = new ArrayList<Said>();
        for (var turn : transcript.path("turns")) {
            said.add(new Said(
                    role(turn.path("role").asText()),
                    turn.path("item_id").asText(),
                    turn.path("call_id").asText(),
                    turn.path("interrupted").asBoolean()));
        }
        var tokens = session.path("tokens");
        return new Account(
                said,
                session.path("cost_usd").asDouble(),
                tokens.path("text_out").asLong() + tokens.path("audio_out").asLong());
    }

    private static Role role(String name) {
        return switch (name) {
            case "user" -> Role.USER;
            case "tool_call" -> Role.TOOL_CALL;
            case "tool_result" -> Role.TOOL_RESULT;
            default -> Role.AGENT;
        };
    }
}
