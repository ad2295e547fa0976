package parley.app;

import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.lang.management.MemoryUsage;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.EnumMap;
import java.util.Locale;
import java.util.function.ToDoubleFunction;
import parley.meter.Meters;
import parley.wire.Loops;

/** What the process and its JVM say of themselves, read from the JDK's beans and Linux's proc when somebody asks. */
final class ProcessMetrics {
    private static final Path STATUS = Path.of("/proc/self/status");
    private static final int THREADS_DEPTH = 0;

    private ProcessMetrics() {}

    static void tell(Meters meters, String version) {
        meters.gauge(
                "voice_build_info",
                "1.",
                () -> 1,
                "version",
                version,
                "java",
                Runtime.version().toString());
        process(meters);
        memory(meters);
        collectors(meters);
        threads(meters);
        var classes = ManagementFactory.getClassLoadingMXBean();
        meters.gauge("jvm_classes_loaded", "Classes loaded now.", classes::getLoadedClassCount);
        meters.gauge(
                "jvm_cpus",
                "Processors the JVM may use.",
                () -> Runtime.getRuntime().availableProcessors());
    }

    private static void process(Meters meters) {
        var runtime = ManagementFactory.getRuntimeMXBean();
        meters.gauge("process_start_time_seconds", "When the process began.", () -> runtime.getStartTime() / 1e3);
        if (ManagementFactory.getOperatingSystemMXBean() instanceof com.sun.management.OperatingSystemMXBean system) {
            meters.summed(
                    "process_cpu_seconds_total",
                    "User and system time.",
                    () -> Math.max(0, system.getProcessCpuTime()) / 1e9);
        }
        if (ManagementFactory.getOperatingSystemMXBean()
                instanceof com.sun.management.UnixOperatingSystemMXBean system) {
            meters.gauge("process_open_fds", "Open files and sockets.", system::getOpenFileDescriptorCount);
            meters.gauge("process_max_fds", "So many there may be.", system::getMaxFileDescriptorCount);
        }
        meters.gauge("process_resident_memory_bytes", "Memory in use.", () -> status("VmRSS:"));
        meters.gauge("process_virtual_memory_bytes", "Memory reserved.", () -> status("VmSize:"));
    }

    /** NaN where there is no such thing. */
    private static double status(String field) {
        try {
            for (var line : Files.readAllLines(STATUS, StandardCharsets.ISO_8859_1)) {
                if (line.startsWith(field)) {
                    return 1024.0 * Long.parseLong(line.replaceAll("[^0-9]", ""));
                }
            }
        } catch (IOException notLinux) {
            return Double.NaN;
        }
        return Double.NaN;
    }

    private static void memory(Meters meters) {
        for (var area : new String[] {"heap", "nonheap"}) {
            boolean heap = area.equals("heap");
            memory(meters, "jvm_memory_used_bytes", "In use.", area, heap, MemoryUsage::getUsed);
            memory(meters, "jvm_memory_committed_bytes", "Given by the system.", area, heap, MemoryUsage::getCommitted);
            memory(
                    meters,
                    "jvm_memory_max_bytes",
                    "So much there may be.",
                    area,
                    heap,
                    usage -> usage.getMax() < 0 ? Double.NaN : usage.getMax());
        }
        for (var pool : ManagementFactory.getMemoryPoolMXBeans()) {
            meters.gauge(
                    "jvm_memory_pool_used_bytes",
                    "In use, by pool.",
                    () -> pool.getUsage() == null ? Double.NaN : pool.getUsage().getUsed(),
                    "pool",
                    pool.getName());
        }
        meters.gauge("voice_direct_memory_bytes", "Sockets' buffers.", Loops::directMemory);
    }

    private static void memory(
            Meters meters, String name, String says, String area, boolean heap, ToDoubleFunction<MemoryUsage> of) {
        var memory = ManagementFactory.getMemoryMXBean();
        meters.gauge(
                name,
                says,
                () -> of.applyAsDouble(heap ? memory.getHeapMemoryUsage() : memory.getNonHeapMemoryUsage()),
                "area",
                area);
    }

    private static void collectors(Meters meters) {
        for (var collector : ManagementFactory.getGarbageCollectorMXBeans()) {
            meters.counted(
                    "jvm_gc_collections_total",
                    "Collections.",
                    () -> Math.max(0, collector.getCollectionCount()),
                    "gc",
                    collector.getName());
            meters.summed(
                    "jvm_gc_collection_seconds_total",
                    "Time in collections.",
                    () -> Math.max(0, collector.getCollectionTime()) / 1e3,
                    "gc",
                    collector.getName());
        }
    }

    private static void threads(Meters meters) {
        var threads = ManagementFactory.getThreadMXBean();
        meters.gauges("jvm_threads", "Platform threads by state.", out -> {
            var counts = new EnumMap<Thread.State, Integer>(Thread.State.class);
            for (var state : Thread.State.values()) {
                counts.put(state, 0);
            }
            for (var thread : threads.getThreadInfo(threads.getAllThreadIds(), THREADS_DEPTH)) {
                if (thread != null) {
                    counts.merge(thread.getThreadState(), 1, Integer::sum);
                }
            }
            counts.forEach(
                    (state, count) -> out.add(count, "state", state.name().toLowerCase(Locale.ROOT)));
        });
        meters.gauge("jvm_threads_peak", "Most threads there have been.", threads::getPeakThreadCount);
        meters.gauge("jvm_threads_deadlocked", "Threads that wait for each other.", () -> {
            var deadlocked = threads.findDeadlockedThreads();
            return deadlocked == null ? 0 : deadlocked.length;
        });
    }
}
