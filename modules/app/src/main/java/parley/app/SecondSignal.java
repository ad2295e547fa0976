package parley.app;

import java.lang.reflect.Proxy;
import java.util.Map;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * The first SIGTERM or SIGINT ends the program in order, the second at once: whoever sends it does not want to wait.
 *
 * <p>By reflection, because the compiler warns of the only type that can do it. Where it is missing, a second signal
 * does nothing.
 */
final class SecondSignal {
    private static final Map<String, Integer> CODES = Map.of("TERM", 143, "INT", 130);

    private SecondSignal() {}

    static void halts() {
        var ending = new AtomicBoolean();
        CODES.forEach((name, code) -> {
            try {
                var signal = Class.forName("sun.misc.Signal");
                var handler = Class.forName("sun.misc.SignalHandler");
                signal.getMethod("handle", signal, handler)
                        .invoke(
                                null,
                                signal.getConstructor(String.class).newInstance(name),
                                Proxy.newProxyInstance(
                                        handler.getClassLoader(),
                                        new Class<?>[] {handler},
                                        (proxy, method, received) ->
                                                method.getName().equals("handle") && end(ending, code)));
            } catch (ReflectiveOperationException | IllegalArgumentException missing) {
                // The virtual machine ends the program as it always does.
            }
        });
    }

    private static boolean end(AtomicBoolean ending, int code) {
        if (ending.getAndSet(true)) {
            Runtime.getRuntime().halt(code);
        }
        Thread.ofPlatform().name("parley-signal").start(() -> System.exit(code));
        return true;
    }
}
