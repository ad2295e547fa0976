package parley.wire;

import org.apache.pekko.stream.Attributes;
import org.apache.pekko.stream.Inlet;
import org.apache.pekko.stream.SinkShape;
import org.apache.pekko.stream.stage.AbstractInHandler;
import org.apache.pekko.stream.stage.GraphStage;
import org.apache.pekko.stream.stage.GraphStageLogic;

/**
 * What is sent to a port. Pulls only while the port is writable. Its completion closes the port with 1000, its failure
 * with 1011 or the code the failure carries; cancels when the port has ended.
 */
final class ToPort extends GraphStage<SinkShape<Frame>> {
    private final Port port;
    private final Inlet<Frame> in = Inlet.create("ToPort.in");
    private final SinkShape<Frame> shape = SinkShape.of(in);

    ToPort(Port port) {
        this.port = port;
    }

    @Override
    public SinkShape<Frame> shape() {
        return shape;
    }

    @Override
    public GraphStageLogic createLogic(Attributes attributes) {
        return new Logic();
    }

    private final class Logic extends GraphStageLogic {
        private boolean attached;

        Logic() {
            super(shape);
            setHandler(in, new AbstractInHandler() {
                @Override
                public void onPush() {
                    port.send(grab(in));
                    pullIfWritable();
                }

                @Override
                public void onUpstreamFinish() {
                    port.close(WebSocketClose.NORMAL, "");
                    completeStage();
                }

                @Override
                public void onUpstreamFailure(Throwable failure) {
                    if (failure instanceof Streams.Closing closing) {
                        port.close(closing.close().code(), closing.close().reason());
                        completeStage();
                    } else {
                        port.close(WebSocketClose.INTERNAL_ERROR, "internal error");
                        failStage(failure);
                    }
                }
            });
        }

        @Override
        public void preStart() {
            Loops.require(port.loop());
            attached = true;
            var writable = createAsyncCallback((Integer ignored) -> pullIfWritable());
            port.onWritable(() -> writable.invoke(0));
            pullIfWritable();
        }

        private void pullIfWritable() {
            if (port.ending() != null) {
                completeStage();
            } else if (port.isWritable() && !hasBeenPulled(in) && !isClosed(in)) {
                pull(in);
            }
        }

        @Override
        public void postStop() {
            // An abrupt stop (the actor system ends) must not leave a port that nobody serves.
            if (attached) {
                port.onWritable(null);
                port.close(WebSocketClose.GOING_AWAY, "");
            } else {
                port.close(WebSocketClose.INTERNAL_ERROR, "internal error");
            }
        }
    }
}
