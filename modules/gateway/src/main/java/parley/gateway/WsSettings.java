package parley.gateway;

import com.typesafe.config.Config;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * {@code parley.gateway.ws} in reference.conf, where each key is explained. {@link GatewaySettings} checks it together with
 * everything else.
 *
 * @param token the first that the callers of {@code /ws} share; null: there is no {@code /ws}
 * @param tenant that they belong to
 * @param user who calls where nobody is named
 */
public record WsSettings(@Nullable String token, String tenant, String user) {
    static WsSettings from(Config ws) {
        var token = ws.getString("token");
        return new WsSettings(token.isEmpty() ? null : token, ws.getString("tenant"), ws.getString("user"));
    }

    /** What is wrong with it, in the words of its keys. */
    List<String> complaints(boolean production) {
        var wrong = new ArrayList<String>();
        if (token != null) {
            TokenSettings.secret("ws.token", token, production, wrong);
            if (wrong.isEmpty() && !VoiceTokens.TOKEN.matcher(token).matches()) {
                wrong.add("ws.token: a character that no header takes, or too long (expected: 32 to 256 letters, digits"
                        + " and - . _ ~ + /, = at the end)");
            }
        }
        if (tenant.isEmpty()) {
            wrong.add("ws.tenant: empty (expected: a name)");
        }
        if (user.isEmpty()) {
            wrong.add("ws.user: empty (expected: a user's id)");
        }
        return wrong;
    }

    /** Secrets stay out of everything that is printed. */
    @Override
    public String toString() {
        return "WsSettings[" + (token == null ? "off" : "on") + "]";
    }
}
