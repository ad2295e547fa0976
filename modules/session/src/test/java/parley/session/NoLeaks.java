package parley.session;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBufUtil;
import io.netty.util.ResourceLeakDetector;
import java.lang.ref.PhantomReference;
import java.lang.ref.ReferenceQueue;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.junit.jupiter.api.extension.AfterAllCallback;
import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.ExtensionContext;
import parley.wire.Loops;

/** Fails a test class that left a buffer unreleased: every buffer is tracked, and every report kept. */
final class NoLeaks implements BeforeAllCallback, AfterAllCallback {
    private static final Queue<String> REPORTS = new ConcurrentLinkedQueue<>();

    @Override
    public void beforeAll(ExtensionContext context) {
        watch();
    }

    @Override
    public void afterAll(ExtensionContext context) throws InterruptedException {
        assertThat(reports()).isEmpty();
    }

    static void watch() {
        ResourceLeakDetector.setLevel(ResourceLeakDetector.Level.PARANOID);
        ByteBufUtil.setLeakListener((resource, records) -> REPORTS.add(resource + " leaked: " + records));
        REPORTS.clear();
    }

    /** What was leaked up to now. A leak shows when its buffer was collected and another one is allocated. */
    static Queue<String> reports() throws InterruptedException {
        for (int round = 0; round < 3; round++) {
            var collected = new ReferenceQueue<Object>();
            var canary = new PhantomReference<>(new Object(), collected);
            for (int attempt = 0; attempt < 20 && !canary.refersTo(null); attempt++) {
                System.gc();
                collected.remove(100);
            }
            Loops.ALLOCATOR.directBuffer(1).release();
        }
        return REPORTS;
    }
}
