package parley.session;

import java.util.BitSet;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.TreeMap;
import parley.admission.Arm;
import parley.meter.Meters;
import parley.provider.Provider;
import parley.provider.ProviderPool;

/** What of this node's sessions is looked up when somebody asks: it costs nothing meanwhile. */
final class SessionGauges {
    /** Where a conversation stands. */
    private enum Phase {
        /** No provider has answered yet. */
        OPENING,
        LIVE,
        /** Nobody is on the caller's line. */
        AWAY
    }

    private record Kind(Phase phase, Arm arm, Face face, String provider) {}

    private SessionGauges() {}

    static void conversations(Meters meters, Conversations conversations) {
        meters.gauges("voice_sessions", "Conversations by phase.", out -> {
            var counts = new HashMap<Kind, Integer>();
            conversations.forEach(conversation -> counts.merge(kind(conversation), 1, Integer::sum));
            counts.forEach((kind, count) -> out.add(
                    count,
                    "phase",
                    lower(kind.phase()),
                    "arm",
                    lower(kind.arm()),
                    "face",
                    lower(kind.face()),
                    "provider",
                    kind.provider()));
        });
        meters.gauge("voice_cluster_shards", "Shards with sessions on this node.", () -> {
            var shards = new BitSet();
            conversations.forEach(conversation -> shards.set(conversation.id().shard()));
            return shards.cardinality();
        });
    }

    private static Kind kind(Conversation conversation) {
        var soFar = conversation.soFar();
        var upstream = soFar.upstream();
        var phase = upstream == null ? Phase.OPENING : conversation.hasCaller() ? Phase.LIVE : Phase.AWAY;
        return new Kind(
                phase, soFar.opened().arm(), soFar.opened().face(), upstream == null ? "none" : upstream.provider());
    }

    static void providers(Meters meters, ProvidersByArm byArm) {
        providers(meters, byArm.control());
        // Where both arms have one of the same name, it is the candidate's that is told of.
        providers(meters, byArm.voice());
    }

    private static void providers(Meters meters, ProviderPool providers) {
        for (var name : names(providers)) {
            for (var state : ProviderPool.State.values()) {
                meters.gauge(
                        "voice_provider_state",
                        "1 for the state of the provider's breaker.",
                        () -> providers.state(name) == state ? 1 : 0,
                        "provider",
                        name,
                        "state",
                        lower(state));
            }
            meters.counted(
                    "voice_provider_opened_total",
                    "How often the breaker opened.",
                    () -> providers.opened(name),
                    "provider",
                    name);
            meters.counted(
                    "voice_provider_calls_refused_total",
                    "Calls that the breaker kept back.",
                    () -> providers.refused(name),
                    "provider",
                    name);
        }
    }

    /** Whether by each way the last synthetic session went well; nothing before there was one. */
    static void probes(Meters meters, Probes probes) {
        meters.gauges("voice_probe_success", "1: the last synthetic session went well.", out -> {
            var well = new TreeMap<String, Boolean>();
            probes.last()
                    .forEach(probed -> well.merge(
                            probed.provider() == null ? "none" : probed.provider(),
                            probed.success(),
                            Boolean::logicalAnd));
            well.forEach((target, success) -> out.add(success ? 1 : 0, "target", target));
        });
    }

    static Set<String> names(ProvidersByArm byArm) {
        var names = new LinkedHashSet<>(names(byArm.voice()));
        names.addAll(names(byArm.control()));
        return names;
    }

    /** Whether a breaker of these lets a call through, now or as a trial. */
    static boolean isAnyCallable(ProviderPool providers) {
        return names(providers).stream().anyMatch(name -> providers.state(name) != ProviderPool.State.OPEN);
    }

    private static List<String> names(ProviderPool providers) {
        return providers.all().stream().map(Provider::name).toList();
    }

    static void link(Meters meters, SessionLink link) {
        var connections = "voice_link_connections";
        var says = "Connections of the media link.";
        meters.gauge(connections, says, link::connectionsIn, "direction", "in");
        meters.gauge(connections, says, link::connectionsOut, "direction", "out");
        meters.gauge("voice_link_lines", "Sessions' lines over the media link.", link::lines);
        meters.counted(
                "voice_link_lines_lost_total", "Lines that ended with a connection of the link.", link::linesLost);
    }

    static void watchers(Meters meters, JournalWatch journal, Sweep sweep, Retention retention, DeathWatch deaths) {
        meters.gauge("voice_journal_up", "1: the database takes writes.", () -> journal.isUp() ? 1 : 0);
        meters.counted("voice_journal_outages_total", "Times the database went down.", journal::outages);
        meters.counted("voice_sweep_woken_total", "Sessions found that nobody watched.", sweep::woken);
        meters.counted("voice_sweep_failures_total", "Looks for such sessions that failed.", sweep::failures);
        meters.counted("voice_retention_sessions_total", "Sessions deleted because of their age.", retention::sessions);
        meters.counted("voice_retention_failures_total", "Runs of that which failed.", retention::failures);
        meters.counted(
                "voice_cluster_deaths_total", "Neighbours put out because their process was gone.", deaths::ended);
    }

    private static String lower(Enum<?> value) {
        return value.name().toLowerCase(Locale.ROOT);
    }
}
