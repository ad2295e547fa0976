package parley.load;

import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.util.ReferenceCountUtil;
import java.nio.charset.StandardCharsets;

/** Answers whatever it is asked as a gateway does that has no room. To be the first of its channel. */
final class HttpRefusal extends ChannelInboundHandlerAdapter {
    private static final String BODY = "{\"type\": \"urn:parley:problem:capacity\", \"code\": \"capacity\","
            + " \"title\": \"No voice for this call\", \"detail\": \"1000 connections\", \"status\": 503}";

    @Override
    public void channelRead(ChannelHandlerContext context, Object message) {
        ReferenceCountUtil.release(message);
        var head = "HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/problem+json\r\nContent-Length: "
                + BODY.length() + "\r\n\r\n";
        context.writeAndFlush(Unpooled.copiedBuffer(head + BODY, StandardCharsets.US_ASCII))
                .addListener(ChannelFutureListener.CLOSE);
    }
}
