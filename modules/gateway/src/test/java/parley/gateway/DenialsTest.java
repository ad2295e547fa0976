package parley.gateway;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.typesafe.config.ConfigFactory;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import parley.admission.Actor;
import parley.gateway.Operators.Denied;
import parley.meter.Meters;

/** What the audit gets of those who were refused, and what it is spared. */
@Tag("unit")
class DenialsTest {
    private final List<Denied> audit = new ArrayList<>();
    private final Meters meters = new Meters();
    private final ArrayDeque<Timer> timers = new ArrayDeque<>();
    private long now;
    private final DenialSettings settings = DenialSettings.from(ConfigFactory.load());
    private final Denials denials = new Denials(settings, audit::add, meters, (delay, action) -> {
        var timer = new Timer(now + delay.toSeconds(), delay, action);
        timers.add(timer);
        return () -> timers.remove(timer);
    });

    private record Timer(long due, Duration delay, Runnable action) {}

    @Test
    void aScannersFirstAttemptIsToldAtOnceAndTheOthersTogether() {
        for (int i = 0; i < 1000; i++) {
            denials.accept(stranger("198.51.100.0/24", "/admin/sessions/guess-" + i));
        }

        assertThat(audit).hasSize(1);
        assertThat(audit.getFirst().action()).isEqualTo("GET /admin/sessions");
        assertThat(audit.getFirst().reason()).isEqualTo("unauthenticated: no token, from 198.51.100.0/24");

        assertThat(pass()).isEqualTo(Duration.ofMinutes(1));

        assertThat(audit).hasSize(2);
        assertThat(audit.getLast().reason())
                .isEqualTo("unauthenticated: no token; 999 times within a minute, from 198.51.100.0/24");
        assertThat(audit.getLast().actor().id()).isEqualTo("nobody");
    }

    @Test
    void whoGoesOnIsToldOfLessAndLessOftenAndOneWhoStopsIsForgotten() {
        denials.accept(stranger("198.51.100.0/24", "/admin/rollout"));
        var windows = new ArrayList<Long>();
        for (int i = 0; i < 9; i++) {
            denials.accept(stranger("198.51.100.0/24", "/admin/rollout"));
            windows.add(pass().toMinutes());
        }

        assertThat(windows).containsExactly(1L, 2L, 4L, 8L, 16L, 32L, 60L, 60L, 60L);
        assertThat(audit).hasSize(10);

        pass();
        assertThat(pass()).as("forgotten after").isEqualTo(Duration.ofHours(1));
        assertThat(timers).isEmpty();
        denials.accept(stranger("198.51.100.0/24", "/admin/rollout"));
        assertThat(audit).hasSize(11);
    }

    @Test
    void aScannerThatTakesItsTimeIsToldOfAsSeldomAsOneInAHurry() {
        for (long second = 0; second < Duration.ofDays(1).toSeconds(); second += 61) {
            passUntil(second);
            denials.accept(stranger("198.51.100.0/24", "/admin/rollout"));
        }

        assertThat(refused("unauthenticated")).isEqualTo(1417);
        assertThat(audit).as("lines of a day").hasSizeLessThan(35);
    }

    @Test
    void whoWasQuietForAWindowGoesOnWhereTheyWere() {
        denials.accept(stranger("198.51.100.0/24", "/admin/rollout"));
        assertThat(pass()).isEqualTo(Duration.ofMinutes(1));
        denials.accept(stranger("198.51.100.0/24", "/admin/rollout"));

        assertThat(audit).hasSize(1);
        assertThat(pass()).isEqualTo(Duration.ofMinutes(2));
        assertThat(audit).hasSize(2);
        assertThat(audit.getLast().why()).isEqualTo("no token; 1 time within 2 minutes");
    }

    @Test
    void strangersAreToldApartByNetworkResourceAndReason() {
        denials.accept(stranger("198.51.100.0/24", "/admin/rollout"));
        denials.accept(stranger("203.0.113.0/24", "/admin/rollout"));
        denials.accept(stranger("198.51.100.0/24", "/admin/costs"));
        denials.accept(denied(null, "expired", "198.51.100.0/24", "/admin/rollout"));

        assertThat(audit).hasSize(4);
    }

    @Test
    void fromHoweverManyNetworksTheyComeTheAuditIsNotFilled() {
        for (int i = 0; i < 5000; i++) {
            denials.accept(stranger("10." + i / 256 + "." + i % 256 + ".0/24", "/admin/rollout"));
        }

        assertThat(audit).hasSize(settings.strangers() + 1);

        while (!timers.isEmpty()) {
            pass();
        }
        assertThat(audit).hasSize(settings.strangers() + 2);
        assertThat(audit.getLast().reason())
                .isEqualTo("unauthenticated: no token; " + (5000 - settings.strangers() - 1)
                        + " times within a minute, from other networks");
        assertThat(refused("unauthenticated")).isEqualTo(5000);
    }

    @Test
    void nobodyIsBlamedForWhatOthersTriedAndHoweverManyTheyAreTheAuditIsNotFilled() {
        for (int i = 0; i < 5000; i++) {
            denials.accept(denied("user-" + i, "role", "198.51.100.0/24", "/admin/rollout"));
            denials.accept(denied("user-" + i, "role", "198.51.100.0/24", "/admin/rollout"));
        }

        int told = 2 * settings.known() + settings.each();
        assertThat(audit).hasSize(told);
        while (!timers.isEmpty()) {
            pass();
        }
        assertThat(audit).hasSize(told + 1);
        assertThat(audit.getLast().actor()).isEqualTo(new Actor("user", "others", "", "api"));
        assertThat(audit.getLast().reason())
                .isEqualTo(
                        "role_too_small: role; " + (10_000 - told) + " times within a minute, from several networks");
        assertThat(refused("role_too_small")).isEqualTo(10_000);
    }

    @Test
    void ofSomebodyKnownEachAttemptIsToldAlsoWhileAScannerIsAtWork() {
        for (int i = 0; i < 500; i++) {
            denials.accept(stranger("10.0." + i % 256 + ".0/24", "/admin/rollout"));
        }
        audit.clear();

        denials.accept(denied("eve@acme", "role", "198.51.100.0/24", "/admin/users/anna"));
        denials.accept(denied("eve@acme", "role", "198.51.100.0/24", "/admin/users/anna"));
        denials.accept(denied("eve@acme", "role", "198.51.100.0/24", "/admin/users/bert"));

        assertThat(audit)
                .extracting(Denied::path)
                .containsExactly("/admin/users/anna", "/admin/users/anna", "/admin/users/bert");
        assertThat(refused("role_too_small")).isEqualTo(3);
    }

    @Test
    void whoIsKnownAndTriesByTheThousandIsToldTogetherInTheEnd() {
        for (int i = 0; i < 1000; i++) {
            denials.accept(denied("eve@acme", "role", "198.51.100.0/24", "/admin/users/" + i));
        }

        assertThat(audit).hasSize(settings.each());
        assertThat(pass()).isEqualTo(Duration.ofMinutes(1));
        assertThat(audit).hasSize(settings.each() + 1);
        assertThat(audit.getLast().actor().id()).isEqualTo("eve@acme");
        assertThat(audit.getLast().why()).endsWith("980 times within a minute");

        // And each again, of the window that follows.
        for (int i = 0; i < 25; i++) {
            denials.accept(denied("eve@acme", "role", "198.51.100.0/24", "/admin/costs"));
        }
        assertThat(audit).hasSize(2 * settings.each() + 1);
        denials.flush();
        assertThat(audit).hasSize(2 * settings.each() + 2);
        assertThat(audit.getLast().why()).endsWith("5 times within 2 minutes");
        assertThat(timers).isEmpty();
    }

    @Test
    void settingsAreReadAndChecked() {
        assertThat(settings).isEqualTo(new DenialSettings(20, 200, 20, Duration.ofMinutes(1), Duration.ofHours(1)));
        assertThat(DenialSettings.from(Rig.config(
                        "denials { strangers = 1, known = 2, each = 3, first-window = 1s," + " longest-window = 2s }")))
                .isEqualTo(new DenialSettings(1, 2, 3, Duration.ofSeconds(1), Duration.ofSeconds(2)));
        assertThatThrownBy(() -> new DenialSettings(0, 200, 1001, Duration.ofHours(2), Duration.ofHours(1)))
                .hasMessage("parley.gateway.denials: strangers: 0 (expected: 1..1000); each: 1001 (expected: 1..1000);"
                        + " longest-window: PT1H (expected: first-window, PT2H, to 1 day)");
    }

    private void passUntil(long second) {
        var next = timers.stream().min(Comparator.comparingLong(Timer::due));
        while (next.isPresent() && next.get().due() <= second) {
            now = next.get().due();
            timers.remove(next.get());
            next.get().action().run();
            next = timers.stream().min(Comparator.comparingLong(Timer::due));
        }
        now = second;
    }

    private Duration pass() {
        var next = timers.removeFirst();
        next.action().run();
        return next.delay();
    }

    private double refused(String reason) {
        var line = "voice_admin_refused_total{reason=\"" + reason + "\"} ";
        return meters.prometheus()
                .lines()
                .filter(said -> said.startsWith(line))
                .mapToDouble(said -> Double.parseDouble(said.substring(line.length())))
                .sum();
    }

    private static Denied stranger(String network, String path) {
        return denied(null, "no token", network, path);
    }

    private static Denied denied(@Nullable String name, String why, String network, String path) {
        var code = name == null ? "unauthenticated" : "role_too_small";
        return new Denied(name, null, Role.VIEWER, "GET", path, code, why, network, "api");
    }
}
