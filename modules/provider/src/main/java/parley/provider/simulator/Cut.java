package parley.provider.simulator;

import io.netty.channel.Channel;
import io.netty.channel.ChannelOption;
import parley.wire.WebSocket;
import parley.wire.WebSocketClose;

/**
 * The loss of a connection as a broken network loses it: a TCP reset, no closing handshake.
 *
 * <p>A well-behaved socket has no such operation, and must not get one for the sake of a fault injector; so this one
 * reaches for the channel inside of it.
 */
final class Cut {

    private Cut() {}

    static void off(WebSocket socket) {
        try {
            var field = WebSocket.class.getDeclaredField("channel");
            field.setAccessible(true);
            var channel = (Channel) field.get(socket);
            // Closing with a linger of zero is what makes TCP send a reset instead of an end.
            channel.config().setOption(ChannelOption.SO_LINGER, 0);
            channel.close();
        } catch (ReflectiveOperationException renamed) {
            socket.close(WebSocketClose.INTERNAL_ERROR, "cut");
        }
    }
}
