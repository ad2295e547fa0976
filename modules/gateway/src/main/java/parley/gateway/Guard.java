package parley.gateway;

import java.util.function.Function;
import org.apache.pekko.http.javadsl.server.Route;
import parley.admission.Actor;

/** Lets operators in by what they may do, and tells who they are. Whoever is refused is written down. */
interface Guard {
    /** What somebody may do; each may do what those before may. */
    enum Role {
        VIEWER,
        OPERATOR,
        ADMIN
    }

    Route as(Role least, Function<Actor, Route> inner);

    /** Those who may at least stop it: operators, and whoever holds the token that can do nothing else. */
    Route asKiller(Function<Actor, Route> inner);
}
