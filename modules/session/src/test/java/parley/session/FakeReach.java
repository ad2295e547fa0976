package parley.session;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import parley.wire.Port;
import parley.wire.WebSocketClose;

/** A cluster in which the test decides where the session is. */
final class FakeReach implements Reach {
    /** One question, which waits for the test's answer. */
    static final class Asked {
        final long lastSeq;
        final long at = System.nanoTime();
        private final CompletableFuture<Answered> answer = new CompletableFuture<>();

        Asked(long lastSeq) {
            this.lastSeq = lastSeq;
        }

        void line(Port port) {
            answer.complete(new Answered.Line(port));
        }

        void later() {
            answer.complete(new Answered.Later());
        }

        void fails() {
            answer.completeExceptionally(new IllegalStateException("no answer"));
        }

        void never(int code, String reason, @Nullable String lastWords) {
            answer.complete(new Answered.Never(new WebSocketClose(code, reason, false), lastWords));
        }
    }

    private final LinkedBlockingQueue<Asked> questions = new LinkedBlockingQueue<>();
    private volatile @Nullable Port next;

    /** From now on whoever asks gets this line at once. */
    void leadsTo(Port port) {
        next = port;
    }

    @Override
    public CompletionStage<Answered> again(long lastSeq) {
        var asked = new Asked(lastSeq);
        if (next != null) {
            asked.line(next);
        }
        questions.add(asked);
        return asked.answer;
    }

    Asked asked() {
        try {
            var asked = questions.poll(60, TimeUnit.SECONDS);
            if (asked == null) {
                throw new AssertionError("the line was not asked for");
            }
            return asked;
        } catch (InterruptedException interrupted) {
            throw new IllegalStateException(interrupted);
        }
    }

    int questions() {
        return questions.size();
    }
}
