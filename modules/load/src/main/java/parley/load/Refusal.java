package parley.load;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.handler.codec.http.FullHttpResponse;
import io.netty.util.AttributeKey;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/**
 * Keeps what a server says of the upgrade that it refuses: the handshake drops the answer's body. Sees one answer, and
 * is gone.
 */
final class Refusal extends ChannelInboundHandlerAdapter {
    private static final AttributeKey<String> SAID = AttributeKey.valueOf(Refusal.class, "said");
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final int LONGEST_CODE = 40;
    private static final int LONGEST_TITLE = 80;

    /** To be put behind the status; empty when nothing was said that can be told. */
    static String said(Channel channel) {
        var said = channel.attr(SAID).get();
        return said == null ? "" : said;
    }

    /**
     * What a body says of itself, to be put behind the status: a problem's {@code code} and {@code title}, or the code of
     * an {@code error} as providers have it. Never free text, which may repeat a key, and never long.
     */
    static String said(String body) {
        try {
            var json = JSON.readTree(body);
            var error = json.path("error");
            var code = shown(
                    error.isObject() ? first(error.path("code"), error.path("type")) : json.path("code"), LONGEST_CODE);
            var title = shown(json.path("title"), LONGEST_TITLE);
            return code == null ? title == null ? "" : ", " + title : ", " + code + (title == null ? "" : ": " + title);
        } catch (JsonProcessingException notJson) {
            return "";
        }
    }

    private static JsonNode first(JsonNode wanted, JsonNode otherwise) {
        return wanted.isTextual() ? wanted : otherwise;
    }

    private static @Nullable String shown(JsonNode text, int longest) {
        var words = text.isTextual()
                ? text.textValue().replaceAll("\\p{Cntrl}", " ").strip()
                : "";
        return words.isEmpty() ? null : words.length() <= longest ? words : words.substring(0, longest) + "…";
    }

    @Override
    public void channelRead(ChannelHandlerContext context, Object message) {
        if (message instanceof FullHttpResponse answer) {
            context.channel().attr(SAID).set(said(answer.content().toString(StandardCharsets.UTF_8)));
            context.pipeline().remove(this);
        }
        context.fireChannelRead(message);
    }
}
