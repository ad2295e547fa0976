package parley.app;

import static com.tngtech.archunit.core.importer.ImportOption.Predefined.DO_NOT_INCLUDE_TESTS;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;

@Tag("unit")
@Execution(ExecutionMode.CONCURRENT)
class ArchitectureTest {
    private static final JavaClasses PARLEY =
            new ClassFileImporter().withImportOption(DO_NOT_INCLUDE_TESTS).importPackages("parley");

    /** The module map of docs/architecture.md. */
    private static final Map<String, Set<String>> MAY_USE = Map.of(
            "protocol", Set.of(),
            "wire", Set.of(),
            "meter", Set.of(),
            "admission", Set.of("meter"),
            "tool", Set.of("protocol"),
            "provider", Set.of("protocol", "wire"),
            "session", Set.of("protocol", "wire", "meter", "admission", "provider", "tool"),
            "gateway", Set.of("protocol", "wire", "meter", "admission", "session"),
            "load", Set.of("protocol"));

    private static final Set<String> TAGS =
            Set.of("unit", "entity", "stream", "route", "cluster", "client", "contract");

    @Test
    void aModuleUsesOnlyWhatItMay() {
        MAY_USE.forEach((module, allowed) -> {
            var others = new HashSet<>(MAY_USE.keySet());
            others.add("app");
            others.remove(module);
            others.removeAll(allowed);
            noClasses()
                    .that()
                    .resideInAPackage("parley." + module + "..")
                    .should()
                    .dependOnClassesThat()
                    .resideInAnyPackage(others.stream()
                            .map(other -> "parley." + other + "..")
                            .toArray(String[]::new))
                    .because("the module map is a contract: change the map, with its reason, before the import")
                    .check(PARLEY);
        });
    }

    @Test
    void theMapNamesEveryModuleThereIs() throws IOException {
        try (var directories = Files.list(TestNode.home().resolve("modules"))) {
            assertThat(directories
                            .map(directory -> directory.getFileName().toString())
                            .filter(name -> !name.equals("app")))
                    .containsExactlyInAnyOrderElementsOf(MAY_USE.keySet());
        }
    }

    @Test
    void kindsOfProvidersDoNotKnowEachOther() {
        for (var kind : List.of("openai", "simulator")) {
            noClasses()
                    .that()
                    .resideInAPackage("parley.provider." + kind + "..")
                    .should()
                    .dependOnClassesThat()
                    .resideInAPackage("parley.provider." + (kind.equals("openai") ? "simulator" : "openai") + "..")
                    .because("only Providers knows them all")
                    .check(PARLEY);
        }
    }

    @Test
    void onlyTheSettingsReadTheConfiguration() {
        noClasses()
                .that()
                .haveSimpleNameNotEndingWith("Settings")
                .and()
                .haveSimpleNameNotEndingWith("Switches")
                .and()
                .doNotHaveSimpleName("SimulatorMain")
                .and()
                .resideInAnyPackage("parley.admission..", "parley.tool..", "parley.provider..", "parley.protocol..")
                .should()
                .dependOnClassesThat()
                .haveFullyQualifiedName("com.typesafe.config.Config")
                .because("settings are parsed once and checked before anything starts")
                .check(PARLEY);
    }

    @Test
    void onlyTheProtocolAndTheEdgesKnowJson() {
        noClasses()
                .that()
                .resideInAnyPackage("parley.wire..", "parley.meter..", "parley.admission..")
                .and()
                // Writes files that a person may have to read at night.
                .doNotHaveFullyQualifiedName("parley.admission.Memory")
                .and()
                .doNotHaveFullyQualifiedName("parley.admission.ClusterRollouts")
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage("com.fasterxml.jackson..")
                .check(PARLEY);
    }

    @Test
    void everyTestClassSaysWhatKindItIs() throws IOException {
        try (var files = Files.walk(TestNode.home().resolve("modules"))) {
            var untagged = files.filter(file -> file.toString().endsWith("Test.java"))
                    .filter(file -> file.toString().contains("/src/test/java/"))
                    .filter(file -> !isTagged(file))
                    .map(file -> file.getFileName().toString())
                    .toList();
            assertThat(untagged).isEmpty();
        }
    }

    /** By itself, or by the class it extends. */
    private static boolean isTagged(Path file) {
        try {
            var source = Files.readString(file);
            if (TAGS.stream().anyMatch(tag -> source.contains("@Tag(\"" + tag + "\")"))) {
                return true;
            }
            var parent = Pattern.compile("class \\w+ extends (\\w+)").matcher(source);
            return parent.find() && isTagged(file.resolveSibling(parent.group(1) + ".java"));
        } catch (IOException unreadable) {
            throw new UncheckedIOException(unreadable);
        }
    }
}
