package parley.gateway;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.time.Duration;
import java.time.Instant;
import java.time.format.DateTimeParseException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;
import parley.admission.Flag;
import parley.admission.Kill;
import parley.admission.Plan;
import parley.admission.Rollout;
import parley.admission.Rollouts;
import parley.admission.Rollouts.Changed;
import parley.admission.Rollouts.GuardrailReport;
import parley.admission.Rollouts.GuardrailView;
import parley.admission.Rollouts.Proposal;

/** The rollout as the API shows it, and as operators write it. */
final class RolloutJson {
    private static final String FLAG = "voice-realtime";
    private static final Set<String> WRITABLE = Set.of(
            "enabled",
            "percentage",
            "salt",
            "allow",
            "deny",
            "cohorts",
            "tenants",
            "plan",
            "reason",
            "expected_revision");
    /** Shown by GET; a PUT of what was shown may repeat them. */
    private static final Set<String> READ_ONLY = Set.of(
            "flag",
            "revision",
            "state",
            "killed",
            "effective",
            "changed",
            "waiting_for",
            "guardrails",
            "sample_ratio",
            "since",
            "proposed");

    /** Before that, how many come in an hour is anybody's guess. */
    private static final double LEAST_HOURS = 1.0 / 60;

    private RolloutJson() {}

    static ObjectNode of(Rollout rollout, Kill kill) {
        var flag = rollout.flag();
        var json = object().put("flag", FLAG)
                .put("revision", rollout.revision())
                .put("state", word(rollout.phase()))
                .put("since", since(rollout.since()))
                .put("enabled", flag.enabled());
        json.set("killed", killed(kill));
        json.put("percentage", flag.percentage());
        json.putObject("effective").put("percentage", kill.on() ? 0 : rollout.effectivePercentage());
        json.set("plan", plan(rollout));
        names(json, "allow", flag.allow());
        names(json, "deny", flag.deny());
        names(json, "cohorts", flag.cohorts());
        var tenants = json.putObject("tenants");
        flag.tenants().forEach((tenant, rule) -> tenants.put(tenant, word(rule)));
        json.put("salt", flag.salt());
        json.putObject("changed")
                .put("by", rollout.changed().by().id())
                .put("type", rollout.changed().by().type())
                .put("at", since(rollout.changed().at()))
                .put("reason", rollout.changed().reason());
        json.set("proposed", proposed(rollout));
        return json;
    }

    private static JsonNode proposed(Rollout rollout) {
        var proposed = rollout.proposed();
        if (proposed == null) {
            return JsonNodeFactory.instance.nullNode();
        }
        var json = object().put("by", proposed.by().by().id())
                .put("at", since(proposed.by().at()))
                .put("reason", proposed.by().reason());
        diff(json, rollout.proposedDiff());
        return json;
    }

    /** The same with what the guardrails say of it. */
    static ObjectNode of(Rollout rollout, Kill kill, GuardrailReport report, Instant now) {
        var json = of(rollout, kill);
        json.set("guardrails", guardrails(report, rollout.since(), now));
        json.set("sample_ratio", sampleRatio(report.sampleRatio()));
        var waiting = json.putArray("waiting_for");
        report.waitingFor().forEach(each -> {
            var told = waiting.addObject().put("kind", each.kind()).put("guardrail", nullIfEmpty(each.guardrail()));
            told.set("have", numberOrText(each.have()));
            told.set("need", numberOrText(each.need()));
        });
        return json;
    }

    private static JsonNode sampleRatio(Rollouts.@Nullable SampleRatioView ratio) {
        return ratio == null
                ? JsonNodeFactory.instance.nullNode()
                : object().put("voice", ratio.voice())
                        .put("control", ratio.control())
                        .put("percentage", ratio.percentage())
                        .put("p", ratio.p())
                        .put("mismatch", ratio.mismatch());
    }

    /** @param since when this evidence began */
    static ArrayNode guardrails(GuardrailReport report, Instant since, Instant now) {
        var array = JsonNodeFactory.instance.arrayNode();
        report.guardrails().forEach(each -> {
            var json = array.addObject();
            json.put("id", each.id())
                    .put("signal", word(each.signal()))
                    .put("bound", each.bound())
                    .put("comparator", each.comparator())
                    .put("on_fail", each.onFail())
                    .put("observe_only", each.observeOnly())
                    .put("verdict", each.verdict())
                    .put("cause", each.cause())
                    .put("score", each.score())
                    .put("limit", each.limit())
                    .put("observed", each.observed())
                    .put("low", each.low())
                    .put("high", each.high())
                    .put("samples", each.samples())
                    .put("control_samples", each.controlSamples())
                    .put("needed", each.needed())
                    .put("why", each.why());
            json.set("detects", detects(each, since, now));
        });
        return array;
    }

    private static JsonNode detects(GuardrailView guardrail, Instant since, Instant now) {
        var detects = guardrail.detects();
        if (detects == null) {
            return JsonNodeFactory.instance.nullNode();
        }
        var json = object().put("from", detects.from())
                .put("to", detects.to())
                .put("sessions", detects.sessions())
                .put("visible", detects.visible());
        double hours = Duration.between(since, now).toMillis() / 3.6e6;
        return guardrail.samples() == 0 || hours < LEAST_HOURS || since.equals(Instant.EPOCH)
                ? json.putNull("sessions_per_hour")
                : json.put("sessions_per_hour", Math.round(10 * guardrail.samples() / hours) / 10.0);
    }

    static ObjectNode of(Changed.Applied applied, Kill kill) {
        // First of all whether it was done: the rest looks the same.
        var json = object().put("dry_run", applied.dryRun())
                .put("waits_for_approval", applied.waits())
                .put("repeated", applied.repeated());
        json.setAll(of(applied.now(), kill));
        diff(json, applied.diff());
        json.putObject("users").put("entering_percent", applied.entering()).put("leaving_percent", applied.leaving());
        return json;
    }

    static ObjectNode of(Rollouts.Killed killed) {
        var json = object();
        json.set("killed", killed(killed.kill()));
        killed.acked().forEach(json.putArray("acked")::add);
        killed.missing().forEach(json.putArray("missing")::add);
        json.put("elapsed_ms", killed.elapsed().toMillis());
        return json;
    }

    static ObjectNode of(Rollouts.Explained explained) {
        var json = object().put("user", explained.caller().user())
                .put("tenant", explained.caller().tenant())
                .put("bucket", explained.bucket())
                .put("percentage", explained.percentage())
                .put("arm", word(explained.arm()))
                .put("served", explained.served())
                .put("rule", word(explained.rule()))
                .put("revision", explained.revision());
        var rules = json.putArray("rules");
        explained
                .rules()
                .forEach(rule -> rules.addObject()
                        .put("rule", word(rule.rule()))
                        .put("matched", rule.matched())
                        .put("says", rule.says()));
        return json;
    }

    static ObjectNode history(List<Rollouts.Recorded> lines) {
        var json = object();
        var array = json.putArray("lines");
        lines.forEach(line -> array.add(of(line)));
        return json;
    }

    static ObjectNode of(Rollouts.Verified verified) {
        return object().put("lines", verified.lines())
                .put("whole", verified.firstBroken() == 0)
                .put("first_broken", verified.firstBroken() == 0 ? null : verified.firstBroken());
    }

    private static ObjectNode of(Rollouts.Recorded line) {
        var json = object().put("seq", line.seq()).put("at", line.at().toString());
        json.putObject("actor")
                .put("type", line.actor().type())
                .put("id", line.actor().id())
                .put("role", line.actor().role())
                .put("via", line.actor().via());
        json.put("action", line.action()).put("outcome", line.outcome()).put("reason", line.reason());
        json.putObject("revision").put("from", line.revisionFrom()).put("to", line.revisionTo());
        diff(json, line.diff());
        if (!line.evidence().isEmpty()) {
            json.put("evidence", line.evidence());
        }
        if (!line.nodes().isEmpty()) {
            line.nodes().forEach(json.putArray("nodes")::add);
        }
        return json.put("hash", line.hash());
    }

    /** By whom and why; null while it is off. */
    private static JsonNode killed(Kill kill) {
        if (!kill.on()) {
            return JsonNodeFactory.instance.nullNode();
        }
        return object().put("by", kill.by())
                .put("reason", kill.reason())
                .put("at", since(kill.at()))
                .put("live", word(kill.live()))
                .put("epoch", kill.epoch());
    }

    private static ObjectNode plan(Rollout rollout) {
        var json = object();
        var steps = json.putArray("steps");
        rollout.plan()
                .steps()
                .forEach(step -> steps.addObject()
                        .put("percentage", step.percentage())
                        .put("bake", step.bake().toString())
                        .put("min_sessions", step.minSessions())
                        .put("approval", step.approval()));
        return json.put("max_hold", rollout.plan().maxHold().toString()).put("step", rollout.step());
    }

    private static void diff(ObjectNode json, List<Rollout.Diff> diff) {
        var array = json.putArray("diff");
        diff.forEach(each -> array.addObject()
                .put("path", each.path())
                .put("from", each.from())
                .put("to", each.to()));
    }

    // ---- what operators write

    /** @throws IllegalArgumentException naming what is wrong and what was expected */
    static Proposal proposal(ObjectNode body) {
        body.fieldNames().forEachRemaining(name -> {
            if (!WRITABLE.contains(name) && !READ_ONLY.contains(name)) {
                throw new IllegalArgumentException(
                        name + ": not known (expected: one of " + new TreeSet<>(WRITABLE) + ")");
            }
        });
        return new Proposal(
                flag(body, "enabled"),
                percentage(body),
                text(body, "salt"),
                names(body, "allow"),
                names(body, "deny"),
                names(body, "cohorts"),
                tenants(body),
                plan(body));
    }

    static void onlyThese(ObjectNode body, Set<String> known) {
        body.fieldNames().forEachRemaining(name -> {
            if (!known.contains(name)) {
                throw new IllegalArgumentException(name + ": not known (expected: " + new TreeSet<>(known) + ")");
            }
        });
    }

    static @Nullable String text(ObjectNode body, String name) {
        var value = body.get(name);
        if (value == null || value.isNull()) {
            return null;
        }
        if (!value.isTextual()) {
            throw new IllegalArgumentException(name + ": " + kind(value) + " (expected: text)");
        }
        return value.textValue();
    }

    private static @Nullable Boolean flag(ObjectNode body, String name) {
        var value = body.get(name);
        if (value == null) {
            return null;
        }
        if (!value.isBoolean()) {
            throw new IllegalArgumentException(name + ": " + value + " (expected: true or false)");
        }
        return value.booleanValue();
    }

    private static @Nullable Integer percentage(ObjectNode body) {
        var value = body.get("percentage");
        if (value == null) {
            return null;
        }
        if (!value.isInt()) {
            throw new IllegalArgumentException("percentage: " + value + " (expected: a whole number, 0..100)");
        }
        return value.intValue();
    }

    private static @Nullable Set<String> names(ObjectNode body, String name) {
        var value = body.get(name);
        if (value == null) {
            return null;
        }
        if (!value.isArray()) {
            throw new IllegalArgumentException(name + ": " + kind(value) + " (expected: an array of text)");
        }
        var names = new HashSet<String>();
        for (var element : value) {
            if (!element.isTextual()) {
                throw new IllegalArgumentException(name + ": " + kind(element) + " in it (expected: text)");
            }
            names.add(element.textValue());
        }
        return names;
    }

    private static @Nullable Map<String, Flag.Tenant> tenants(ObjectNode body) {
        var value = body.get("tenants");
        if (value == null) {
            return null;
        }
        if (!value.isObject()) {
            throw new IllegalArgumentException(
                    "tenants: " + kind(value) + " (expected: {\"name\": \"on\" or \"off\"})");
        }
        var tenants = new HashMap<String, Flag.Tenant>();
        value.properties().forEach(rule -> {
            switch (rule.getValue().asText()) {
                case "on" -> tenants.put(rule.getKey(), Flag.Tenant.ON);
                case "off" -> tenants.put(rule.getKey(), Flag.Tenant.OFF);
                default ->
                    throw new IllegalArgumentException(
                            "tenants: " + rule.getKey() + ": " + rule.getValue() + " (expected: \"on\" or \"off\")");
            }
        });
        return tenants;
    }

    private static @Nullable Plan plan(ObjectNode body) {
        var value = body.get("plan");
        if (value == null) {
            return null;
        }
        if (!value.path("steps").isArray()) {
            throw new IllegalArgumentException("plan: no steps (expected: {\"steps\": [{\"percentage\": 5, \"bake\":"
                    + " \"PT15M\", \"min_sessions\": 59}]})");
        }
        var steps = new ArrayList<Plan.Step>();
        for (var step : value.path("steps")) {
            if (!step.path("percentage").isInt()) {
                throw new IllegalArgumentException(
                        "plan: percentage " + step.path("percentage") + " (expected: 1..100)");
            }
            steps.add(new Plan.Step(
                    step.path("percentage").intValue(),
                    duration("bake", step.path("bake").asText("PT15M")),
                    step.path("min_sessions").asInt(0),
                    step.path("approval").asBoolean(false)));
        }
        return new Plan(steps, duration("max_hold", value.path("max_hold").asText("PT24H")));
    }

    private static Duration duration(String name, String text) {
        try {
            return Duration.parse(text);
        } catch (DateTimeParseException malformed) {
            throw new IllegalArgumentException(
                    "plan: " + name + " " + text + " (expected: an ISO-8601 time such as PT15M)");
        }
    }

    static String kind(JsonNode value) {
        return "a JSON " + value.getNodeType().name().toLowerCase(Locale.ROOT);
    }

    private static void names(ObjectNode json, String name, Set<String> names) {
        var array = json.putArray(name);
        new TreeSet<>(names).forEach(array::add);
    }

    private static JsonNode numberOrText(String value) {
        if (value.isEmpty()) {
            return JsonNodeFactory.instance.nullNode();
        }
        return value.matches("[0-9]{1,18}")
                ? JsonNodeFactory.instance.numberNode(Long.parseLong(value))
                : JsonNodeFactory.instance.textNode(value);
    }

    private static @Nullable String nullIfEmpty(String value) {
        return value.isEmpty() ? null : value;
    }

    private static @Nullable String since(Instant at) {
        return at.equals(Instant.EPOCH) ? null : at.toString();
    }

    private static ObjectNode object() {
        return JsonNodeFactory.instance.objectNode();
    }

    private static String word(Enum<?> value) {
        return value.name().toLowerCase(Locale.ROOT);
    }
}
