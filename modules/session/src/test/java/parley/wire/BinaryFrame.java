package parley.wire;

/** What a peer that does not keep to the language sends. */
public final class BinaryFrame {
    private BinaryFrame() {}

    public static Frame of(byte[] content) {
        return Frame.received(Frame.allocate(Loops.ALLOCATOR, content.length).writeBytes(content), false);
    }
}
