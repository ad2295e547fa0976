package parley.wire;

import org.apache.pekko.stream.Attributes;
import org.apache.pekko.stream.Outlet;
import org.apache.pekko.stream.SourceShape;
import org.apache.pekko.stream.stage.AbstractOutHandler;
import org.apache.pekko.stream.stage.GraphStage;
import org.apache.pekko.stream.stage.GraphStageLogic;

/**
 * What arrives at a port. Ends when the port has ended and everything was taken. Cancelling it leaves the port open and
 * drops what still arrives: {@link ToPort} closes.
 */
final class FromPort extends GraphStage<SourceShape<Frame>> {
    private final Port port;
    private final Outlet<Frame> out = Outlet.create("FromPort.out");
    private final SourceShape<Frame> shape = SourceShape.of(out);

    FromPort(Port port) {
        this.port = port;
    }

    @Override
    public SourceShape<Frame> shape() {
        return shape;
    }

    @Override
    public GraphStageLogic createLogic(Attributes attributes) {
        return new Logic();
    }

    /** The port owns the frames; a callback that is dropped because the stage is gone loses nothing but a signal. */
    private final class Logic extends GraphStageLogic {
        private boolean attached;
        private boolean signalled;

        Logic() {
            super(shape);
            setHandler(out, new AbstractOutHandler() {
                @Override
                public void onPull() {
                    next();
                }
            });
        }

        @Override
        public void preStart() {
            Loops.require(port.loop());
            attached = true;
            var readable = createAsyncCallback((Integer ignored) -> {
                signalled = false;
                if (isAvailable(out)) {
                    next();
                }
            });
            port.onReadable(() -> {
                if (!signalled) {
                    signalled = true;
                    readable.invoke(0);
                }
            });
        }

        private void next() {
            var frame = port.poll();
            if (frame != null) {
                push(out, frame);
                return;
            }
            var ending = port.ending();
            if (ending != null && Streams.isPlain(ending)) {
                completeStage();
            } else if (ending != null) {
                failStage(Streams.failure(ending));
            }
        }

        @Override
        public void postStop() {
            if (attached) {
                port.onReadable(null);
                port.discard();
            }
        }
    }
}
