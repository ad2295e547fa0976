package parley.admission;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.function.Consumer;
import org.apache.pekko.dispatch.Futures;
import org.apache.pekko.persistence.AtomicWrite;
import org.apache.pekko.persistence.PersistentRepr;
import org.apache.pekko.persistence.journal.japi.AsyncWriteJournal;
import scala.concurrent.Future;
import scala.jdk.javaapi.CollectionConverters;

/** One journal for all nodes of this JVM, as a database is: what a node wrote outlives it. */
public final class SharedJournal extends AsyncWriteJournal {
    static final Map<String, String> CONFIG = Map.of(
            "pekko.persistence.journal.plugin",
            "shared-journal",
            "shared-journal.class",
            SharedJournal.class.getName());

    private static final Map<String, ConcurrentSkipListMap<Long, PersistentRepr>> EVENTS = new ConcurrentHashMap<>();

    static void clear() {
        EVENTS.clear();
    }

    @Override
    public Future<Iterable<Optional<Exception>>> doAsyncWriteMessages(Iterable<AtomicWrite> writes) {
        writes.forEach(write -> CollectionConverters.asJava(write.payload())
                .forEach(event -> of(event.persistenceId()).put(event.sequenceNr(), event)));
        return Futures.successful(List.of());
    }

    @Override
    public Future<Void> doAsyncDeleteMessagesTo(String id, long upTo) {
        of(id).headMap(upTo, true).clear();
        return Futures.successful(null);
    }

    @Override
    public Future<Void> doAsyncReplayMessages(
            String id, long from, long to, long most, Consumer<PersistentRepr> replay) {
        of(id).subMap(from, true, to, true).values().stream().limit(most).forEach(replay);
        return Futures.successful(null);
    }

    @Override
    public Future<Long> doAsyncReadHighestSequenceNr(String id, long from) {
        var events = of(id);
        return Futures.successful(events.isEmpty() ? 0L : events.lastKey());
    }

    private static ConcurrentSkipListMap<Long, PersistentRepr> of(String id) {
        return EVENTS.computeIfAbsent(id, fresh -> new ConcurrentSkipListMap<>());
    }
}
