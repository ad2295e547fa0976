package parley.app;

import java.net.URI;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import parley.admission.CallerId;
import parley.gateway.Gateway;
import parley.gateway.Tokens;
import parley.load.chaos.Callers;
import parley.load.chaos.Face;
import parley.load.chaos.Talk;

/**
 * The command {@code warm}: a node with callers who talk, lose their connection and come back. {@code scripts/parley}
 * lets the virtual machine write down what it loads and compiles meanwhile; a node that starts with that is ready in less
 * than half the time (JEP 483, JEP 515).
 */
final class WarmUp {
    private static final int CALLERS = 16;
    private static final Duration TALK = Duration.ofSeconds(8);
    private static final Duration AWAY = Duration.ofSeconds(1);
    private static final Duration PATIENCE = Duration.ofMinutes(1);

    private WarmUp() {}

    static void run() throws InterruptedException {
        Main.endWithParent();
        var scratch = Scratch.create("parley-warm");
        var settings = scratch.settings(Map.of(
                "parley.app.simulated",
                true,
                "parley.gateway.https.enabled",
                false,
                "parley.provider.name",
                "simulator",
                "parley.provider.model",
                "simulator"));
        try (var node = Node.start(settings, new Started())) {
            for (var face : Face.values()) {
                talk(settings, node, face);
            }
        } finally {
            scratch.delete();
        }
    }

    private static void talk(AppSettings settings, Node node, Face face) throws InterruptedException {
        var tokens = Gateway.tokens(settings.gateway());
        var at = node.gateway().address();
        var address = URI.create("ws://" + at.getHostString() + ":" + at.getPort() + "/");
        var talk = new Talk(
                List.of(address),
                face,
                "simulator",
                CALLERS,
                caller ->
                        tokens.sign(new Tokens.Bearer(new CallerId("warm-" + caller, "default"), List.of()), PATIENCE),
                1,
                false,
                CALLERS);
        try (var callers = Callers.call(talk)) {
            if (!callers.awaitTalk(PATIENCE)) {
                throw new StartFailure("nobody was answered: " + callers.progress());
            }
            TimeUnit.NANOSECONDS.sleep(TALK.toNanos() / 2);
            callers.drop(AWAY, false);
            TimeUnit.NANOSECONDS.sleep(TALK.toNanos() / 2);
            callers.hangUp(PATIENCE);
        }
    }
}
