package parley.app;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigException;
import com.typesafe.config.ConfigFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import parley.admission.AdmissionSettings;
import parley.admission.BudgetSettings;
import parley.admission.CapacitySettings;
import parley.admission.QuotaSettings;
import parley.gateway.GatewaySettings;
import parley.gateway.RateSettings;
import parley.provider.BreakerSettings;
import parley.provider.ProviderSettings;
import parley.provider.simulator.SimulatorSettings;
import parley.session.CostSettings;
import parley.session.Journal;
import parley.session.JournalSettings;
import parley.session.Prices;
import parley.session.PrivacySettings;
import parley.session.ProjectionSettings;
import parley.session.SessionSettings;
import parley.tool.ToolSettings;
import parley.wire.WireSettings;

/**
 * Every module's settings, checked together before anything starts.
 *
 * @param journal null: the embedded database
 * @param simulated whether the provider is the embedded simulator
 */
record AppSettings(
        Config config,
        Path data,
        boolean production,
        @Nullable Journal journal,
        boolean simulated,
        String clusterHost,
        int clusterPort,
        int managementPort,
        WireSettings wire,
        WireSettings upstreamWire,
        AdmissionSettings admission,
        QuotaSettings quota,
        BudgetSettings budget,
        CapacitySettings capacity,
        ToolSettings tools,
        List<ProviderSettings> providers,
        BreakerSettings breaker,
        SimulatorSettings simulator,
        SessionSettings session,
        Prices prices,
        GatewaySettings gateway,
        RateSettings rates,
        JournalSettings journaling,
        JoinSettings joining,
        LeavingSettings leaving) {

    /** What was read, or why not, and what an operator should know. */
    record Reading(@Nullable AppSettings settings, List<String> errors, List<String> warnings) {}

    /**
     * Reads everything and complains about everything at once.
     *
     * @param config resolved, with the development secrets in place where production forbids none
     */
    static Reading read(Config config) {
        var errors = new ArrayList<String>();
        var warnings = new ArrayList<String>();
        boolean production = config.getBoolean("parley.gateway.production");
        var journal = read(config, errors, AppSettings::journal);
        var wire = read(config, errors, WireSettings::from);
        var admission = read(config, errors, AdmissionSettings::from);
        var quota = read(config, errors, QuotaSettings::from);
        var budget = read(config, errors, BudgetSettings::from);
        var capacity = read(config, errors, CapacitySettings::from);
        var tools = read(config, errors, ToolSettings::from);
        var upstreamWire = read(config, errors, WireSettings::upstream);
        var providers = read(config, errors, ProviderSettings::all);
        var breaker = read(config, errors, BreakerSettings::from);
        var simulator = read(config, errors, SimulatorSettings::from);
        var session = read(config, errors, SessionSettings::from);
        // The sessions read it themselves; what is wrong with it is told with everything else.
        read(config, errors, PrivacySettings::from);
        read(config, errors, CostSettings::from);
        read(config, errors, ProjectionSettings::from);
        var prices = read(config, errors, Prices::from);
        var gateway = read(config, errors, GatewaySettings::from);
        var rates = read(config, errors, RateSettings::from);
        var journaling = read(config, errors, JournalSettings::from);
        var joining = read(config, errors, JoinSettings::from);
        var leaving = read(config, errors, LeavingSettings::from);
        boolean simulated = config.getBoolean("parley.app.simulated");
        if (production && simulated) {
            errors.add("OPENAI_API_KEY: not set (expected in production: a provider's key, or PARLEY_PROVIDER_URL)");
        }
        if (production && !config.hasPath("parley.app.database-url")) {
            errors.add("DATABASE_URL: not set (expected in production: postgresql://user:password@host:port/database)");
        }
        if (production && gateway != null && gateway.https() && gateway.certificate() == null) {
            errors.add("PARLEY_TLS_CERTIFICATE: not set (expected in production: a certificate and its key, or"
                    + " PARLEY_HTTPS=false behind a proxy that has them)");
        }
        if (gateway != null && gateway.https()) {
            requireFile("PARLEY_TLS_CERTIFICATE", gateway.certificate(), errors);
            requireFile("PARLEY_TLS_KEY", gateway.certificateKey(), errors);
        }
        if (providers != null && prices != null) {
            for (var provider : providers) {
                requirePrice(
                        provider,
                        provider.equals(providers.getFirst()),
                        prices,
                        production && prices.unknown() == Prices.Unknown.REFUSE ? errors : warnings);
            }
        }
        if (production && config.getStringList("pekko.cluster.seed-nodes").size() == 1) {
            warnings.add("PARLEY_SEEDS: one node (expected: at least two; a single seed that starts again finds nobody,"
                    + " and begins a cluster of its own beside the one that runs)");
        }
        if (System.getenv("REALTIME_TEMPERATURE") != null) {
            warnings.add("REALTIME_TEMPERATURE: ignored, the GA protocol has no temperature");
        }
        var settings = errors.isEmpty()
                ? new AppSettings(
                        config,
                        Path.of(config.getString("parley.app.data-directory")),
                        production,
                        journal,
                        simulated,
                        config.getString("pekko.remote.artery.canonical.hostname"),
                        config.getInt("pekko.remote.artery.canonical.port"),
                        config.getInt("parley.app.management-port"),
                        present(wire),
                        present(upstreamWire),
                        present(admission),
                        present(quota),
                        present(budget),
                        present(capacity),
                        present(tools),
                        present(providers),
                        present(breaker),
                        present(simulator),
                        present(session),
                        present(prices),
                        present(gateway),
                        present(rates),
                        present(journaling),
                        present(joining),
                        present(leaving))
                : null;
        return new Reading(settings, errors, warnings);
    }

    private static void requirePrice(ProviderSettings provider, boolean first, Prices prices, List<String> complaints) {
        if (!prices.knows(provider.model())) {
            complaints.add((first ? "REALTIME_API_MODEL" : "parley.provider.fallbacks: " + provider.name()) + ": "
                    + provider.model() + " has no price in parley.prices (expected: one of "
                    + prices.models().keySet().stream().sorted().toList() + "); its sessions "
                    + switch (prices.unknown()) {
                        case REFUSE -> "are refused";
                        case DEFAULT -> "cost what those of " + prices.stated() + " do";
                        case FREE -> "cost 0";
                    });
        }
    }

    private static void requireFile(String variable, @Nullable Path file, List<String> errors) {
        if (file != null && !Files.isReadable(file)) {
            errors.add(variable + ": " + file + " (expected: a file that can be read)");
        }
    }

    private static @Nullable Journal journal(Config config) {
        return config.hasPath("parley.app.database-url")
                ? Journal.at(config.getString("parley.app.database-url"))
                : null;
    }

    private static <T> @Nullable T read(Config config, List<String> errors, Function<Config, @Nullable T> reader) {
        try {
            return reader.apply(config);
        } catch (IllegalArgumentException wrong) {
            errors.add(String.valueOf(wrong.getMessage()));
        } catch (ConfigException wrong) {
            errors.add(String.valueOf(wrong.getMessage()).lines().findFirst().orElse("unreadable"));
        }
        return null;
    }

    private static <T> T present(@Nullable T value) {
        if (value == null) {
            throw new IllegalStateException("checked before");
        }
        return value;
    }

    /** The file of an environment, over every module's defaults. */
    static Config load(Path home, String environment) {
        var file = home.resolve("cluster-config").resolve(environment + ".conf");
        if (!file.toFile().isFile()) {
            throw new StartFailure("PARLEY_ENV: " + environment + " (expected: a file " + file + ")");
        }
        try {
            return ConfigFactory.load(ConfigFactory.parseFile(file.toFile()));
        } catch (ConfigException wrong) {
            throw new StartFailure(String.valueOf(wrong.getMessage()));
        }
    }
}
