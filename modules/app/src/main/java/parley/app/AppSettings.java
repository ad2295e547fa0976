package parley.app;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigException;
import com.typesafe.config.ConfigFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import parley.admission.AdmissionSettings;
import parley.admission.BudgetSettings;
import parley.admission.CapacitySettings;
import parley.admission.ControlArm;
import parley.admission.QuotaSettings;
import parley.gateway.DenialSettings;
import parley.gateway.GatewaySettings;
import parley.gateway.RateSettings;
import parley.gateway.TelemetrySettings;
import parley.provider.BreakerSettings;
import parley.provider.ProviderSettings;
import parley.provider.simulator.SimulatorSettings;
import parley.session.CostSettings;
import parley.session.Journal;
import parley.session.JournalSettings;
import parley.session.MetricsSettings;
import parley.session.Prices;
import parley.session.PrivacySettings;
import parley.session.ProbeSettings;
import parley.session.ProjectionSettings;
import parley.session.SessionSettings;
import parley.tool.ToolSettings;
import parley.wire.LoopSettings;
import parley.wire.WireSettings;

/**
 * Every module's settings, checked together before anything starts.
 *
 * @param journal null: the embedded database
 * @param control who answers the control arm; empty: the same as everybody
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
        LoopSettings loops,
        WireSettings wire,
        WireSettings upstreamWire,
        AdmissionSettings admission,
        QuotaSettings quota,
        BudgetSettings budget,
        CapacitySettings capacity,
        ToolSettings tools,
        List<ProviderSettings> providers,
        List<ProviderSettings> control,
        BreakerSettings breaker,
        SimulatorSettings simulator,
        SessionSettings session,
        Prices prices,
        GatewaySettings gateway,
        RateSettings rates,
        JournalSettings journaling,
        JoinSettings joining,
        LeavingSettings leaving,
        LogSettings logs) {

    /** What was read, or why not, and what an operator should know. */
    record Reading(@Nullable AppSettings settings, List<String> errors, List<String> warnings) {}

    /** The same, of whom no variable is known. */
    static Reading read(Config config) {
        return read(config, Variables.none(), Map.of(), Clock.systemUTC());
    }

    /**
     * Reads everything and complains about everything at once.
     *
     * @param written resolved, with the development secrets in place where production forbids none
     * @param variables what operators call the keys
     * @param environment this process's
     */
    static Reading read(Config written, Variables variables, Map<String, String> environment, Clock clock) {
        var errors = new Complaints(written, variables);
        var warnings = new Complaints(written, variables);
        var config = ConfigRules.rightKinds(written, variables, errors);
        boolean production = config.getBoolean("parley.gateway.production");
        var journal = read(config, errors, AppSettings::journal);
        var loops = read(config, errors, LoopSettings::from);
        var wire = read(config, errors, WireSettings::from);
        var admission = read(config, errors, AdmissionSettings::from);
        var quota = read(config, errors, QuotaSettings::from);
        var budget = read(config, errors, BudgetSettings::from);
        var capacity = read(config, errors, CapacitySettings::from);
        var tools = read(config, errors, ToolSettings::from);
        var upstreamWire = read(config, errors, WireSettings::upstream);
        var providers = read(config, errors, ProviderSettings::all);
        var control = read(config, errors, ProviderSettings::control);
        var breaker = read(config, errors, BreakerSettings::from);
        var simulator = read(config, errors, SimulatorSettings::from);
        var session = read(config, errors, SessionSettings::from);
        // The sessions read it themselves; what is wrong with it is told with everything else.
        read(config, errors, PrivacySettings::from);
        read(config, errors, CostSettings::from);
        read(config, errors, ProbeSettings::from);
        read(config, errors, ProjectionSettings::from);
        read(config, errors, MetricsSettings::from);
        read(config, errors, TelemetrySettings::from);
        read(config, errors, DenialSettings::from);
        read(config, errors, TracingSettings::from);
        var prices = read(config, errors, Prices::from);
        var gateway = read(config, errors, GatewaySettings::from);
        var rates = read(config, errors, RateSettings::from);
        var journaling = read(config, errors, JournalSettings::from);
        var joining = read(config, errors, JoinSettings::from);
        var leaving = read(config, errors, LeavingSettings::from);
        var logs = read(config, errors, LogSettings::from);
        boolean simulated = config.getBoolean("parley.app.simulated");
        if (production && simulated) {
            errors.line("OPENAI_API_KEY: not set (expected in production: a provider's key, or PARLEY_PROVIDER_URL)");
        }
        if (production && !config.hasPath("parley.app.database-url")) {
            errors.line(
                    "DATABASE_URL: not set (expected in production: postgresql://user:password@host:port/database)");
        }
        if (gateway != null && gateway.https()) {
            requireFile("PARLEY_TLS_CERTIFICATE", gateway.certificate(), errors);
            requireFile("PARLEY_TLS_KEY", gateway.certificateKey(), errors);
        }
        if (providers != null && control != null && prices != null) {
            var complaints = production && prices.unknown() == Prices.Unknown.REFUSE ? errors : warnings;
            requirePrice("REALTIME_API_MODEL", providers.getFirst(), prices, complaints);
            for (var provider : providers.subList(1, providers.size())) {
                requirePrice("parley.provider.fallbacks: " + provider.name(), provider, prices, complaints);
            }
            for (var provider : control) {
                requirePrice("parley.provider.control: " + provider.name(), provider, prices, complaints);
            }
        }
        if (control != null && !control.isEmpty() && admission != null && admission.control() == ControlArm.REFUSE) {
            warnings.line(
                    "parley.provider.control: nobody is answered by it (expected: parley.admission.control = serve,"
                            + " PARLEY_CONTROL_ARM, or no such provider)");
        }
        var rules = new ConfigRules(config, environment, variables, clock, errors, warnings);
        rules.plainText();
        rules.ports();
        rules.files();
        rules.cluster();
        rules.switches();
        rules.unknownVariables();
        if (gateway != null) {
            rules.secrets(gateway);
            rules.door(gateway);
        }
        if (providers != null) {
            rules.providers(providers);
        }
        if (journal != null) {
            rules.database(journal);
        }
        var settings = errors.lines().isEmpty()
                ? new AppSettings(
                        config,
                        Path.of(config.getString("parley.app.data-directory")),
                        production,
                        journal,
                        simulated,
                        config.getString("pekko.remote.artery.canonical.hostname"),
                        config.getInt("pekko.remote.artery.canonical.port"),
                        config.getInt("parley.app.management-port"),
                        present(loops),
                        present(wire),
                        present(upstreamWire),
                        present(admission),
                        present(quota),
                        present(budget),
                        present(capacity),
                        present(tools),
                        present(providers),
                        present(control),
                        present(breaker),
                        present(simulator),
                        present(session),
                        present(prices),
                        present(gateway),
                        present(rates),
                        present(journaling),
                        present(joining),
                        present(leaving),
                        present(logs))
                : null;
        return new Reading(settings, errors.lines(), warnings.lines());
    }

    private static void requirePrice(String where, ProviderSettings provider, Prices prices, Complaints complaints) {
        if (!prices.knows(provider.model())) {
            complaints.line(where + ": " + provider.model() + " has no price in parley.prices (expected: one of "
                    + prices.models().keySet().stream().sorted().toList() + "); its sessions "
                    + switch (prices.unknown()) {
                        case REFUSE -> "are refused";
                        case DEFAULT -> "cost what those of " + prices.stated() + " do";
                        case FREE -> "cost 0";
                    });
        }
    }

    private static void requireFile(String variable, @Nullable Path file, Complaints errors) {
        if (file != null && !Files.isReadable(file)) {
            errors.line(variable + ": " + file + " (expected: a file that can be read)");
        }
    }

    private static @Nullable Journal journal(Config config) {
        return config.hasPath("parley.app.database-url")
                ? Journal.at(config.getString("parley.app.database-url"))
                : null;
    }

    private static <T> @Nullable T read(Config config, Complaints errors, Function<Config, @Nullable T> reader) {
        try {
            return reader.apply(config);
        } catch (IllegalArgumentException wrong) {
            errors.block(String.valueOf(wrong.getMessage()));
        } catch (ConfigException wrong) {
            errors.line(String.valueOf(wrong.getMessage()).lines().findFirst().orElse("unreadable"));
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
