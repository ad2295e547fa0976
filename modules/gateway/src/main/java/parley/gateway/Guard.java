package parley.gateway;

import java.util.function.Function;
import org.apache.pekko.http.javadsl.server.Route;
import parley.admission.Actor;

/** Lets operators in by what they may do, and tells who they are. Whoever is refused is written down. */
interface Guard {
    /** @param least what is needed; to stop everything {@link Role#BREAK_GLASS} is enough */
    Route as(Role least, Function<Actor, Route> inner);
}
