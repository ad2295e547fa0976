package parley.session;

import static org.assertj.core.api.Assertions.assertThat;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.stream.StreamSupport;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.cluster.Member;
import org.apache.pekko.cluster.MemberStatus;
import org.apache.pekko.cluster.typed.Cluster;

/** Another member, in a process of its own that can be frozen and killed. */
final class Peer implements AutoCloseable {
    private final Process process;

    private Peer(Process process) {
        this.process = process;
    }

    /** A process that joins the cluster of {@code seed}. */
    static Peer start(String host, int port, ActorSystem<?> seed, String pause) throws IOException {
        var address = Cluster.get(seed).selfMember().address();
        return new Peer(new ProcessBuilder(List.of(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-Xmx128m",
                        "-XX:+UseSerialGC",
                        "-XX:TieredStopAtLevel=1",
                        "-cp",
                        System.getProperty("java.class.path"),
                        Peer.class.getName(),
                        host,
                        Integer.toString(port),
                        address.toString(),
                        pause))
                .inheritIO()
                .start());
    }

    public static void main(String[] arguments) {
        var config = ConfigFactory.parseMap(Map.of("pekko.cluster.seed-nodes", List.of(arguments[2])))
                .withFallback(config(arguments[0], Integer.parseInt(arguments[1]), arguments[3]));
        ActorSystem.create(Behaviors.empty(), "peers", config.resolve());
    }

    /** A member alone, in this process. */
    static ActorSystem<Void> alone(String host, int port, String pause) {
        ActorSystem<Void> system = ActorSystem.create(
                Behaviors.empty(), "peers", config(host, port, pause).resolve());
        var cluster = Cluster.get(system);
        cluster.manager()
                .tell(new org.apache.pekko.cluster.typed.Join(
                        cluster.selfMember().address()));
        assertThat(eventually(Duration.ofMinutes(1), () -> members(system) == 1))
                .isTrue();
        return system;
    }

    private static Config config(String host, int port, String pause) {
        return ConfigFactory.parseMap(Map.ofEntries(
                        Map.entry("pekko.actor.provider", "cluster"),
                        Map.entry("pekko.loglevel", "ERROR"),
                        Map.entry("pekko.log-dead-letters", "off"),
                        Map.entry("pekko.remote.artery.canonical.hostname", host),
                        Map.entry("pekko.remote.artery.canonical.port", port),
                        Map.entry("pekko.remote.artery.transport", "tcp"),
                        Map.entry("pekko.cluster.jmx.enabled", "off"),
                        Map.entry("pekko.cluster.gossip-interval", "200ms"),
                        Map.entry("pekko.cluster.leader-actions-interval", "200ms"),
                        Map.entry("pekko.cluster.failure-detector.heartbeat-interval", "500ms"),
                        Map.entry("pekko.cluster.failure-detector.acceptable-heartbeat-pause", pause)))
                .withFallback(ConfigFactory.defaultReference());
    }

    /** Members that are up, as {@code system} sees it. */
    static long members(ActorSystem<?> system) {
        return StreamSupport.stream(Cluster.get(system).state().getMembers().spliterator(), false)
                .map(Member::status)
                .filter(MemberStatus.up()::equals)
                .count();
    }

    /** Whether it held within {@code bound}. */
    static boolean eventually(Duration bound, BooleanSupplier holds) {
        long end = System.nanoTime() + bound.toNanos();
        while (!holds.getAsBoolean()) {
            if (System.nanoTime() > end) {
                return false;
            }
            LockSupport.parkNanos(Duration.ofMillis(10).toNanos());
        }
        return true;
    }

    void freeze() throws Exception {
        signal("STOP");
    }

    void thaw() throws Exception {
        signal("CONT");
    }

    /** Nothing in the process gets to say good-bye. */
    void kill() throws InterruptedException {
        process.destroyForcibly().waitFor(60, TimeUnit.SECONDS);
    }

    private void signal(String name) throws Exception {
        new ProcessBuilder("kill", "-" + name, Long.toString(process.pid()))
                .start()
                .waitFor();
    }

    @Override
    public void close() {
        process.destroyForcibly();
    }
}
