package parley.load;

import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;

/** Says nothing and ignores what it hears. */
final class IdleConduct implements Conduct {
    @Override
    public void speak(ChannelHandlerContext socket, Schedule schedule, long due) {}

    @Override
    public void hear(EventScan scan, EventScan.Kind kind, ByteBuf text, Schedule schedule) {}

    @Override
    public void settle() {}
}
