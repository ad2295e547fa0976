package parley.app;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.util.Collections;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Pattern;
import org.apache.pekko.Version;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * What {@code pekko.fail-mixed-versions} would check, which {@code application.conf} switches off because of the few that
 * are held back: artifacts of one family are of one version.
 */
@Tag("unit")
class PekkoVersionsTest {
    /** Until there is one of Pekko's own version; their versions stand in the parent POM. */
    private static final Map<String, String> HELD_BACK = Map.of("discovery", "1.2.1");

    private static final Pattern JAR = Pattern.compile("/pekko-([a-z0-9-]+)_2\\.13-([0-9][^/]*)\\.jar!");

    /** Families with versions of their own, by how their names begin; all the rest are Pekko. */
    private static final Pattern FAMILY = Pattern.compile(
            "(http|parsing|management|discovery-kubernetes|projection|persistence-jdbc|persistence-r2dbc|connectors).*");

    @Test
    void artifactsOfOneFamilyAreOfOneVersion() throws IOException {
        var found = found();
        var versions = new TreeMap<String, TreeSet<String>>();
        found.forEach((artifact, version) -> {
            if (!HELD_BACK.containsKey(artifact)) {
                versions.computeIfAbsent(family(artifact), first -> new TreeSet<>())
                        .add(version);
            }
        });

        assertThat(found).hasSizeGreaterThan(15).containsAllEntriesOf(HELD_BACK);
        assertThat(versions)
                .allSatisfy((family, all) -> assertThat(all).as(family).hasSize(1));
        assertThat(versions).containsEntry("pekko", new TreeSet<>(java.util.List.of(Version.current())));
    }

    private static String family(String artifact) {
        if (artifact.equals("http-cors")) {
            return artifact;
        }
        var family = FAMILY.matcher(artifact);
        return !family.matches()
                ? "pekko"
                : switch (family.group(1)) {
                    case "discovery-kubernetes" -> "management";
                    case "parsing" -> "http";
                    default -> family.group(1);
                };
    }

    private static Map<String, String> found() throws IOException {
        var found = new TreeMap<String, String>();
        for (var manifest :
                Collections.list(PekkoVersionsTest.class.getClassLoader().getResources("META-INF/MANIFEST.MF"))) {
            var jar = JAR.matcher(manifest.getPath());
            // Tools of tests come with a version of their own.
            if (jar.find() && !jar.group(1).endsWith("testkit")) {
                assertThat(found.put(jar.group(1), jar.group(2)))
                        .as(jar.group(1) + " is there twice")
                        .isNull();
            }
        }
        return found;
    }
}
