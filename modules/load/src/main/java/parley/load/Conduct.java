package parley.load;

import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.handler.codec.http.websocketx.TextWebSocketFrame;

/** What one caller says, and what it makes of what it hears. Runs on the caller's event loop. */
interface Conduct {
    /** A frame is due. */
    void speak(ChannelHandlerContext socket, Schedule schedule, long due);

    /** An event came that was scanned just now; the scan and the text are valid during the call. */
    void hear(EventScan scan, EventScan.Kind kind, ByteBuf text, Schedule schedule);

    /** What was said so far and not answered will not be. More may be said afterwards. */
    void settle();

    /** Sends one frame, or gives up on it when the far side has stopped reading: what is unsent stays bounded. */
    static boolean send(ChannelHandlerContext socket, ByteBuf text, Tally tally) {
        if (!socket.channel().isWritable()) {
            tally.unsent++;
            return false;
        }
        socket.writeAndFlush(new TextWebSocketFrame(text), socket.voidPromise());
        tally.sent.increment();
        return true;
    }
}
