package parley.gateway;

import java.util.Locale;
import java.util.function.Function;
import org.apache.pekko.http.javadsl.server.Route;
import parley.admission.Actor;
import parley.admission.Rollouts;

/** Operators by the roles of their tokens. */
final class Operators implements Guard {
    private final Callers callers;
    private final Rollouts rollouts;

    /** @param rollouts writes down whom it refuses */
    Operators(Callers callers, Rollouts rollouts) {
        this.callers = callers;
        this.rollouts = rollouts;
    }

    @Override
    public Route as(Role least, Function<Actor, Route> inner) {
        return callers.asCaller(bearer -> {
            var role = role(bearer);
            var actor = new Actor(
                    "user",
                    bearer.caller().user(),
                    role == null ? "" : role.name().toLowerCase(Locale.ROOT),
                    "api");
            if (role == null || role.compareTo(least) < 0) {
                rollouts.denied(actor, "admin", "needs the role " + least.name().toLowerCase(Locale.ROOT));
                return Responses.problem(Problem.forbidden("roles: " + bearer.roles() + " (expected: "
                        + least.name().toLowerCase(Locale.ROOT) + " or more)"));
            }
            return inner.apply(actor);
        });
    }

    @Override
    public Route asKiller(Function<Actor, Route> inner) {
        return as(Role.OPERATOR, inner);
    }

    private static @org.jspecify.annotations.Nullable Role role(Tokens.Bearer bearer) {
        Role most = null;
        for (var role : Role.values()) {
            if (bearer.roles().contains(role.name().toLowerCase(Locale.ROOT))) {
                most = role;
            }
        }
        return most;
    }
}
