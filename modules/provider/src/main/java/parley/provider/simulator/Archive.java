package parley.provider.simulator;

import java.time.Instant;
import java.util.ArrayDeque;
import java.util.List;

/** The diaries of the newest {@code kept-stories} connections, open or not. Any thread. */
final class Archive {

    private final SimulatorSettings settings;
    private final SimulatorCounters counters;
    private final ArrayDeque<Diary> diaries = new ArrayDeque<>();

    Archive(SimulatorSettings settings, SimulatorCounters counters) {
        this.settings = settings;
        this.counters = counters;
    }

    /** A new connection's diary. When there are too many, the oldest is dropped. */
    Diary begin(String caller, String model) {
        var diary = new Diary(caller, model, settings, counters, System::nanoTime, Instant.now());
        synchronized (diaries) {
            diaries.add(diary);
            if (diaries.size() > settings.keptStories()) {
                diaries.remove();
                counters.forgottenStories.increment();
            }
        }
        return diary;
    }

    /** In the order in which the connections were opened. */
    List<ConnectionStory> stories() {
        List<Diary> kept;
        synchronized (diaries) {
            kept = List.copyOf(diaries);
        }
        return kept.stream().map(Diary::story).toList();
    }
}
