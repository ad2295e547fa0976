package parley.session;

import java.io.IOException;
import java.net.ConnectException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.Props;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.cluster.ClusterEvent.MemberEvent;
import org.apache.pekko.cluster.Member;
import org.apache.pekko.cluster.MemberStatus;
import org.apache.pekko.cluster.UniqueAddress;
import org.apache.pekko.cluster.typed.Cluster;
import org.apache.pekko.cluster.typed.Subscribe;
import org.apache.pekko.remote.artery.QuarantinedEvent;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Notices at once that another member's process has ended, and downs it.
 *
 * <p>Each node holds a connection that says nothing to the next members' cluster port, in the order of their addresses.
 * The operating system closes it when the process ends, however it ends. Then the node connects again: refused twice
 * means that the machine answers and nobody listens there, so the process is gone and cannot do harm. That is proof,
 * and needs neither a majority nor a wait. Silence is none: a frozen process, a lost machine and a cut network look
 * alike, and are left to the failure detector and the split brain resolver.
 *
 * <p>A firewall that answers in a member's name, refusing what it cut, would look like an end. Two things must come
 * together for that to do harm: it must end the connection that stood, and refuse the next two. Where that can happen,
 * switch this off.
 */
final class DeathWatch implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(DeathWatch.class);
    private static final int REFUSALS = 2;
    /** Of the pause: waits this much longer when a member's port is closed, silent or unreachable for other reasons. */
    private static final int BETWEEN_OTHER_ATTEMPTS = 10;

    private final ActorSystem<?> system;
    private final Cluster cluster;
    private final DeathWatchSettings settings;
    private final AtomicLong ended = new AtomicLong();
    private final Set<UniqueAddress> present = new HashSet<>();
    private final Map<UniqueAddress, Watch> watches = new HashMap<>();
    private boolean closed;

    private DeathWatch(ActorSystem<?> system, DeathWatchSettings settings) {
        this.system = system;
        this.cluster = Cluster.get(system);
        this.settings = settings;
    }

    /** Watches from now on, as members come and go, until it is closed or the system ends. */
    static DeathWatch start(ActorSystem<?> system, DeathWatchSettings settings) {
        var watch = new DeathWatch(system, settings);
        if (settings.enabled()) {
            system.systemActorOf(watch.memberships(), "death-watch", Props.empty());
        }
        return watch;
    }

    /** Processes whose end this node has proved. */
    long ended() {
        return ended.get();
    }

    @Override
    public synchronized void close() {
        closed = true;
        watches.values().forEach(Watch::stop);
        watches.clear();
    }

    private Behavior<MemberEvent> memberships() {
        return Behaviors.setup(context -> {
            cluster.subscriptions().tell(Subscribe.create(context.getSelf(), MemberEvent.class));
            return Behaviors.receive(MemberEvent.class)
                    .onAnyMessage(changed -> {
                        changed(changed.member());
                        return Behaviors.same();
                    })
                    .onSignal(org.apache.pekko.actor.typed.PostStop.class, stopped -> {
                        close();
                        return Behaviors.same();
                    })
                    .build();
        });
    }

    private synchronized void changed(Member member) {
        if (isPresent(member)) {
            present.add(member.uniqueAddress());
        } else {
            present.remove(member.uniqueAddress());
        }
        if (!closed) {
            watchTheNext();
        }
    }

    private void watchTheNext() {
        var next = next(cluster.selfMember().uniqueAddress(), present, settings.members());
        watches.entrySet().removeIf(watch -> {
            boolean over = !next.contains(watch.getKey());
            if (over) {
                watch.getValue().stop();
            }
            return over;
        });
        for (var member : next) {
            watches.computeIfAbsent(member, absent -> {
                var watch = new Watch(member);
                Thread.ofVirtual().name("death-watch").start(watch);
                return watch;
            });
        }
    }

    /** Those that follow {@code self} in the order of their addresses, after the last the first; never itself. */
    static List<UniqueAddress> next(UniqueAddress self, Set<UniqueAddress> members, int count) {
        var ring = new TreeMap<String, UniqueAddress>();
        members.forEach(member -> ring.put(name(member), member));
        ring.remove(name(self));
        var order = new ArrayList<>(ring.tailMap(name(self)).values());
        order.addAll(ring.headMap(name(self)).values());
        return order.subList(0, Math.min(count, order.size()));
    }

    private static String name(UniqueAddress member) {
        return member.address() + "#" + member.longUid();
    }

    private static boolean isPresent(Member member) {
        // One that leaves in good order closes its doors when it is exiting.
        return !Set.of(MemberStatus.down(), MemberStatus.exiting(), MemberStatus.removed())
                .contains(member.status());
    }

    private void down(UniqueAddress member) {
        synchronized (this) {
            if (!present.contains(member)) {
                return;
            }
        }
        ended.incrementAndGet();
        LOG.warn("member {} has ended: nobody listens there any more", member.address());
        org.apache.pekko.cluster.Cluster.get(system.classicSystem()).down(member.address());
        // A downed member is removed once it is unreachable as well. This is how the transport says that this
        // incarnation will never answer again; the failure detector would take seconds to find out. It comes after the
        // downing, so that nobody counts the member among those unreachable.
        system.classicSystem()
                .eventStream()
                .publish(new QuarantinedEvent(
                        new org.apache.pekko.remote.UniqueAddress(member.address(), member.longUid())));
    }

    private boolean isUnreachable(UniqueAddress member) {
        return cluster.state().getUnreachable().stream()
                .anyMatch(other -> other.uniqueAddress().equals(member));
    }

    /** One member's watch, on a virtual thread of its own. */
    private final class Watch implements Runnable {
        private final UniqueAddress member;
        private volatile boolean stopped;
        private volatile @Nullable Socket socket;

        Watch(UniqueAddress member) {
            this.member = member;
        }

        void stop() {
            stopped = true;
            var open = socket;
            if (open != null) {
                quietly(open);
            }
        }

        @Override
        public void run() {
            boolean stood = false;
            int refused = 0;
            while (!stopped) {
                switch (connection()) {
                    case STOOD -> {
                        // Connects again at once: the port of an ended process refuses within a millisecond.
                        refused = 0;
                        if (stood) {
                            pause(1);
                        }
                        stood = true;
                        continue;
                    }
                    case REFUSED -> refused++;
                    case SILENT -> refused = 0;
                }
                // Who was never reached may be behind something that refuses for ever.
                if (refused >= REFUSALS && (stood || isUnreachable(member))) {
                    down(member);
                    return;
                }
                pause(refused > 0 && refused < REFUSALS ? 1 : BETWEEN_OTHER_ATTEMPTS);
            }
        }

        private Attempt connection() {
            var address = new InetSocketAddress(
                    member.address().getHost().orElse(""),
                    member.address().getPort().orElse(0));
            boolean connected = false;
            try (var open = new Socket()) {
                socket = open;
                open.setKeepAlive(true);
                open.connect(address, Math.toIntExact(settings.answerWithin().toMillis()));
                connected = true;
                while (!stopped && open.getInputStream().read() >= 0) {
                    // The cluster's transport has nothing to say to us.
                }
                return Attempt.STOOD;
            } catch (ConnectException refused) {
                return Attempt.REFUSED;
            } catch (IOException cut) {
                return connected ? Attempt.STOOD : Attempt.SILENT;
            }
        }

        private void pause(int times) {
            LockSupport.parkNanos(settings.pause().multipliedBy(times).toNanos());
        }

        private static void quietly(Socket open) {
            try {
                open.close();
            } catch (IOException closed) {
                // It is closed.
            }
        }
    }

    private enum Attempt {
        STOOD,
        REFUSED,
        SILENT
    }
}
