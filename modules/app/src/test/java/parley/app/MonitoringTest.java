package parley.app;

import static java.util.stream.Collectors.toCollection;
import static java.util.stream.Collectors.toSet;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.abort;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import org.yaml.snakeyaml.LoaderOptions;
import org.yaml.snakeyaml.Yaml;
import org.yaml.snakeyaml.constructor.SafeConstructor;

/** O3, R17: what k8s/monitoring holds is valid, tested, explained, and asks only for what the nodes tell. */
@Tag("unit")
@Execution(ExecutionMode.CONCURRENT)
class MonitoringTest {
    private static final Path MONITORING = TestNode.home().resolve("k8s/monitoring");
    private static final Path DOCS = TestNode.home().resolve("docs");
    private static final JsonNode RULES = yaml(MONITORING.resolve("alerts.yaml"));
    /** Told by Prometheus itself, of every target. */
    private static final Set<String> PROMETHEUS_OWN = Set.of("up", "scrape_duration_seconds", "ALERTS");

    private static final Pattern ALERT_NAME = Pattern.compile("\\b[A-Z][a-z]+(?:[A-Z][a-z]+)+(?:\\d[hd])?\\b");
    private static final Pattern METRIC = Pattern.compile("`([a-z][a-z0-9]*(?:_[a-z0-9]+)+)`");
    /** A label, and the values of it that are wanted or not. */
    private static final Pattern MATCHER = Pattern.compile("(\\w+)(?:=~|!=|!~|=)\"([^\"]*)\"");

    private static final Set<String> NOT_OURS = Set.of("job", "cluster", "instance", "le", "alertstate", "severity");
    /** To a document of ours, or within one. */
    private static final Pattern LINK = Pattern.compile("]\\(((?:[\\w./-]+\\.md)?)(?:#([\\w-]+))?\\)");

    @Test
    void prometheusTakesTheConfigurationAndItsRules() throws Exception {
        assertThat(promtool("check", "config", "prometheus.yml")).contains("1 rule files found");
        assertThat(promtool("check", "rules", "alerts.yaml")).contains("SUCCESS");
    }

    @Test
    void theRuleTestsPass() throws Exception {
        var command = new ArrayList<>(List.of("test", "rules"));
        tests().forEach(file -> command.add(MONITORING.relativize(file).toString()));

        assertThat(promtool(command.toArray(String[]::new))).contains("SUCCESS");
    }

    @Test
    void everyAlertIsSeenFiringAndSeenSilent() {
        var firing = new TreeSet<String>();
        var silent = new TreeSet<String>();
        for (var file : tests()) {
            for (var test : yaml(file).path("tests")) {
                for (var expectation : test.path("alert_rule_test")) {
                    var seen = expectation.path("exp_alerts").isEmpty() ? silent : firing;
                    seen.add(expectation.path("alertname").asText());
                }
            }
        }

        assertThat(firing).as("alerts with a case in which they fire").containsExactlyInAnyOrderElementsOf(alerts());
        assertThat(silent).as("alerts with a case in which they do not").containsExactlyInAnyOrderElementsOf(alerts());
    }

    @Test
    void everyAlertSaysHowUrgentItIsAndWhatToDo() {
        assertThat(alertRules()).isNotEmpty().allSatisfy(rule -> {
            assertThat(rule.at("/labels/severity").asText()).isIn("page", "ticket");
            assertThat(rule.at("/annotations/summary").asText()).isNotBlank();
            assertThat(rule.at("/annotations/description").asText()).isNotBlank();
            assertThat(rule.at("/annotations/runbook_url").asText())
                    .startsWith("https://")
                    .endsWith("#" + anchor(rule.path("alert").asText()));
        });
    }

    @Test
    void theRunbooksHaveASectionForEveryAlertAndForNothingElse() {
        assertThat(headings(DOCS.resolve("runbooks.md"), "### ")).containsExactlyInAnyOrderElementsOf(alerts());
    }

    @Test
    void noTwoAlertsHaveOneName() {
        assertThat(alertRules().stream().map(rule -> rule.path("alert").asText()))
                .doesNotHaveDuplicates();
    }

    @Test
    void alertsThatDocumentsAndDashboardsNameExist() {
        for (var document : List.of("slo.md", "cost.md")) {
            var tables = read(DOCS.resolve(document)).lines().filter(line -> line.startsWith("|"));
            assertThat(tables.flatMap(line -> ALERT_NAME.matcher(line).results().map(MatchResult::group)))
                    .as(document)
                    .isSubsetOf(alerts());
        }
        for (var dashboard : dashboards()) {
            assertThat(panels(json(dashboard))
                            .map(panel -> panel.path("description").asText())
                            .flatMap(text -> ALERT_NAME.matcher(text).results().map(MatchResult::group)))
                    .as(dashboard.getFileName().toString())
                    .isSubsetOf(alerts());
        }
    }

    @Test
    void linksBetweenDocumentsLeadSomewhere() {
        var documents = new ArrayList<>(files(DOCS, ".md"));
        documents.add(TestNode.home().resolve("README.md"));
        var broken = new ArrayList<String>();
        for (var document : documents) {
            LINK.matcher(read(document)).results().forEach(link -> {
                var target = link.group(1).isEmpty()
                        ? document
                        : Objects.requireNonNull(document.getParent()).resolve(link.group(1));
                if (!Files.exists(target)
                        || !(link.group(2) == null || anchors(target).contains(link.group(2)))) {
                    broken.add(document.getFileName() + ": " + link.group());
                }
            });
        }

        assertThat(broken).isEmpty();
    }

    @Test
    void theOperatorOfKubernetesGetsTheSameRules() {
        var rule = yaml(MONITORING.resolve("prometheusrule.yaml"));

        assertThat(rule.path("kind").asText()).isEqualTo("PrometheusRule");
        assertThat(rule.path("spec")).isEqualTo(RULES);
    }

    @Test
    void rulesAskOnlyForWhatIsTold() {
        var told = told();
        var asked = new TreeSet<String>();
        rules().forEach(rule -> asked.addAll(names(rule.path("expr").asText())));

        asked.removeAll(told);
        assertThat(asked)
                .as("names in alerts.yaml that docs/telemetry.md does not have")
                .isEmpty();
    }

    @Test
    void dashboardsAskOnlyForWhatIsTold() {
        var told = told();
        for (var dashboard : dashboards()) {
            var asked = new TreeSet<String>();
            expressions(dashboard).forEach(expression -> asked.addAll(names(expression)));

            asked.removeAll(told);
            assertThat(asked)
                    .as("names in %s that docs/telemetry.md does not have", dashboard.getFileName())
                    .isEmpty();
        }
    }

    @Test
    void theyAskForValuesOfLabelsThatThereAre() {
        var telemetry = read(DOCS.resolve("telemetry.md"));
        var expressions = new ArrayList<String>();
        rules().forEach(rule -> expressions.add(rule.path("expr").asText()));
        dashboards().forEach(dashboard -> expressions.addAll(expressions(dashboard)));

        assertThat(expressions.stream()
                        .flatMap(expression -> MATCHER.matcher(expression).results())
                        .filter(matcher -> !NOT_OURS.contains(matcher.group(1)))
                        .flatMap(matcher -> Stream.of(matcher.group(2).split("\\|")))
                        .filter(value -> !value.contains("$") && !value.matches("[\\d.]*"))
                        .filter(value -> !telemetry.contains("`" + value + "`")))
                .as("values that docs/telemetry.md does not have")
                .isEmpty();
    }

    @Test
    void prometheusTakesWhatDashboardsAsk() throws Exception {
        var rules = new StringBuilder("groups:\n- name: dashboards\n  rules:\n");
        for (var dashboard : dashboards()) {
            for (var expression : expressions(dashboard)) {
                rules.append("  - record: dashboard:expression\n    expr: ")
                        .append(new ObjectMapper().writeValueAsString(filledIn(expression)))
                        .append('\n');
            }
        }
        var file = Files.createTempFile("dashboards", ".yaml");
        Files.writeString(file, rules);

        assertThat(promtool("check", "rules", "--lint=none", file.toString())).contains("SUCCESS");
    }

    @Test
    void everyPanelSaysWhatToDo() {
        for (var dashboard : dashboards()) {
            assertThat(panels(json(dashboard)).filter(panel -> panel.has("targets")))
                    .as(dashboard.getFileName().toString())
                    .isNotEmpty()
                    .allSatisfy(panel -> {
                        assertThat(panel.path("title").asText()).isNotBlank();
                        assertThat(panel.path("description").asText()).isNotBlank();
                    });
        }
    }

    @Test
    void everyDashboardChoosesByClusterNodeProviderAndArm() {
        for (var dashboard : dashboards()) {
            assertThat(json(dashboard).at("/templating/list").findValuesAsText("name"))
                    .as(dashboard.getFileName().toString())
                    .contains("cluster", "node", "provider", "arm");
        }
    }

    @Test
    void whatIsGeneratedIsAsItsSourceSays() throws Exception {
        assertThat(run("node", TestNode.home().resolve("scripts/monitoring").toString(), "check"))
                .contains("as their sources say");
    }

    @Test
    void theScriptSaysWhatItDoes() throws Exception {
        var script = TestNode.home().resolve("scripts/monitoring").toString();

        assertThat(run("node", script, "--help"))
                .startsWith("What k8s/monitoring holds")
                .contains("scripts/monitoring ask TARGET...", "Exit codes: 0");
        assertThat(run("node", script, "ask", "--help")).isEqualTo(run("node", script, "--help"));
    }

    /** Where the runbooks of whoever runs this stand, they say in one place, and every alert leads there. */
    @Test
    void whereAlertsLeadIsSaidInOnePlace(@TempDir Path directory) throws Exception {
        for (var file : List.of("alerts.yaml", "dashboards.mjs", "prometheusrule.yaml")) {
            Files.copy(MONITORING.resolve(file), directory.resolve(file));
        }
        Files.createDirectory(directory.resolve("dashboards"));
        Files.createDirectory(directory.resolve("tests"));
        for (var test : tests()) {
            Files.copy(test, directory.resolve("tests").resolve(test.getFileName()));
        }
        var wiki = "https://wiki.example.com/voice/runbooks";

        var script = List.of(
                "env",
                "PARLEY_MONITORING=" + directory,
                "node",
                TestNode.home().resolve("scripts/monitoring").toString());
        run(with(script, "runbooks", wiki));

        assertThat(run(with(script, "check"))).contains("as their sources say");
        assertThat(run(with(script, "runbooks"))).isEqualToIgnoringWhitespace(wiki);
        for (var rules : List.of("alerts.yaml", "prometheusrule.yaml")) {
            assertThat(read(directory.resolve(rules)).lines().filter(line -> line.contains("runbook_url:")))
                    .hasSizeGreaterThan(50)
                    .allMatch(line -> line.contains(wiki + "#"));
        }
    }

    private static String[] with(List<String> command, String... arguments) {
        return Stream.concat(command.stream(), Stream.of(arguments)).toArray(String[]::new);
    }

    /** Everything that may be asked for: what nodes tell, what Prometheus tells of them, what is recorded. */
    private static Set<String> told() {
        var told = new HashSet<>(PROMETHEUS_OWN);
        rules().filter(rule -> rule.has("record"))
                .forEach(rule -> told.add(rule.path("record").asText()));
        for (var line : read(DOCS.resolve("telemetry.md")).lines().toList()) {
            var row = line.split("\\|", 4);
            if (row.length == 4 && row[0].isEmpty()) {
                METRIC.matcher(row[1]).results().map(match -> match.group(1)).forEach(name -> {
                    told.add(name);
                    if (row[2].strip().startsWith("histogram")) {
                        Stream.of("_bucket", "_count", "_sum").forEach(part -> told.add(name + part));
                    }
                });
            }
        }
        return told;
    }

    /** The names of series in an expression: what is left of it without strings, matchers, labels, functions, numbers. */
    private static Set<String> names(String expression) {
        var bare = filledIn(expression)
                .replaceAll("\"[^\"]*\"", " ")
                .replaceAll("\\{[^}]*}", " ")
                .replaceAll("\\[[^]]*]", " ")
                .replaceAll("\\b(by|without|on|ignoring|group_left|group_right)\\s*\\([^)]*\\)", " ")
                .replaceAll("\\boffset\\s+\\w+", " ")
                .replaceAll("\\b(and|or|unless|bool|group_left|group_right)\\b", " ");
        return Pattern.compile("[a-zA-Z_:][\\w:]*+(?!\\s*\\()")
                .matcher(bare.replaceAll("\\b\\d[\\w.]*", " "))
                .results()
                .map(MatchResult::group)
                .collect(toSet());
    }

    /** Grafana's variables, as they could be. */
    private static String filledIn(String expression) {
        return expression
                .replaceAll("\\$\\{?__(rate_interval|interval|range)}?", "5m")
                .replaceAll("\\$\\{?\\w+(:\\w+)?}?", "x");
    }

    private static Set<String> alerts() {
        return alertRules().stream().map(rule -> rule.path("alert").asText()).collect(toCollection(TreeSet::new));
    }

    private static List<JsonNode> alertRules() {
        return rules().filter(rule -> rule.has("alert")).toList();
    }

    private static Stream<JsonNode> rules() {
        return stream(RULES.path("groups")).flatMap(group -> stream(group.path("rules")));
    }

    private static Stream<JsonNode> panels(JsonNode dashboard) {
        return stream(dashboard.path("panels"))
                .flatMap(panel -> Stream.concat(Stream.of(panel), stream(panel.path("panels"))));
    }

    private static List<String> expressions(Path dashboard) {
        return json(dashboard).findValuesAsText("expr");
    }

    private static List<Path> dashboards() {
        return files(MONITORING.resolve("dashboards"), ".json");
    }

    private static List<Path> tests() {
        return files(MONITORING.resolve("tests"), ".yaml");
    }

    private static Set<String> headings(Path document, String level) {
        return read(document)
                .lines()
                .filter(line -> line.startsWith(level))
                .map(line -> line.substring(level.length()).strip())
                .collect(toCollection(TreeSet::new));
    }

    private static Set<String> anchors(Path document) {
        return read(document)
                .lines()
                .filter(line -> line.startsWith("#"))
                .map(line -> anchor(line.replaceFirst("#+ ", "")))
                .collect(toSet());
    }

    /** As GitHub makes it of a heading. */
    private static String anchor(String heading) {
        return heading.toLowerCase(Locale.ROOT)
                .replaceAll("[^\\w\\s-]", "")
                .strip()
                .replaceAll("\\s", "-");
    }

    private static List<Path> files(Path directory, String ending) {
        try (var files = Files.list(directory)) {
            return files.filter(file -> file.toString().endsWith(ending))
                    .sorted()
                    .toList();
        } catch (IOException unreadable) {
            throw new UncheckedIOException(unreadable);
        }
    }

    private static JsonNode yaml(Path file) {
        var loaded = new Yaml(new SafeConstructor(new LoaderOptions())).<Map<String, ?>>load(read(file));
        return new ObjectMapper().valueToTree(loaded);
    }

    private static JsonNode json(Path file) {
        try {
            return new ObjectMapper().readTree(file.toFile());
        } catch (IOException malformed) {
            throw new UncheckedIOException(malformed);
        }
    }

    private static Stream<JsonNode> stream(JsonNode array) {
        return StreamSupport.stream(array.spliterator(), false);
    }

    private static String read(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException unreadable) {
            throw new UncheckedIOException(unreadable);
        }
    }

    private static String promtool(String... arguments) throws Exception {
        return run(Stream.concat(Stream.of("promtool"), Stream.of(arguments)).toArray(String[]::new));
    }

    /** What a command says that must succeed. */
    static String run(String... command) throws Exception {
        var said = Files.createTempFile("monitoring", ".out");
        Process process;
        try {
            process = new ProcessBuilder(command)
                    .directory(MONITORING.toFile())
                    .redirectErrorStream(true)
                    .redirectOutput(said.toFile())
                    .start();
        } catch (IOException notThere) {
            return missing(command[0] + " is not installed: Debian's package prometheus has it", notThere);
        }
        try {
            assertThat(process.waitFor(2, TimeUnit.MINUTES))
                    .as("%s ended", command[0])
                    .isTrue();
            assertThat(process.exitValue())
                    .as(() -> String.join(" ", command) + ": " + read(said))
                    .isZero();
            return read(said);
        } finally {
            process.destroyForcibly();
            Files.deleteIfExists(said);
        }
    }

    /** A developer may do without; the build that decides may not. */
    private static String missing(String what, IOException why) {
        if (Boolean.parseBoolean(System.getenv("CI"))) {
            throw new AssertionError(what, why);
        }
        return abort(what);
    }
}
