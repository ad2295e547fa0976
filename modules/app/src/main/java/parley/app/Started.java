package parley.app;

import java.util.ArrayDeque;

/** What a start has brought up so far, to be ended in reverse when it fails or is interrupted. Thread-safe. */
final class Started implements AutoCloseable {
    private final ArrayDeque<AutoCloseable> parts = new ArrayDeque<>();
    private boolean closed;

    /** Remembers a part; one that comes too late, because the process is ending already, is ended at once. */
    <T extends AutoCloseable> T add(T part) {
        boolean late;
        synchronized (this) {
            late = closed;
            if (!late) {
                parts.push(part);
            }
        }
        if (late) {
            end(part);
            throw new StartFailure("interrupted");
        }
        return part;
    }

    /** Ends every part. Safe to repeat. */
    @Override
    public void close() {
        while (true) {
            AutoCloseable part;
            synchronized (this) {
                closed = true;
                part = parts.poll();
            }
            if (part == null) {
                return;
            }
            end(part);
        }
    }

    private static void end(AutoCloseable part) {
        try {
            part.close();
        } catch (Exception alreadyBroken) {
            // The failure that brought us here is the one to tell.
        }
    }
}
