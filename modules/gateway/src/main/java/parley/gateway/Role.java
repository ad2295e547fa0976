package parley.gateway;

import java.util.Locale;
import java.util.Optional;
import java.util.stream.Stream;

/** What an operator may do. A closed list: a token's other roles mean nothing here. */
enum Role {
    /** Kills, and nothing else; no token can name it. */
    BREAK_GLASS,
    /** Looks. */
    VIEWER,
    /** Pauses, rolls back, promotes and kills, too. */
    OPERATOR,
    /** Everything. */
    ADMIN;

    /** Whether it may do what asks for {@code least}; to kill asks for {@link #BREAK_GLASS}. */
    boolean mayAs(Role least) {
        return switch (this) {
            case BREAK_GLASS -> least == BREAK_GLASS;
            case VIEWER -> least == VIEWER;
            case OPERATOR -> least != ADMIN;
            case ADMIN -> true;
        };
    }

    /** As a token's claim names it. */
    static Optional<Role> named(String name) {
        return switch (name) {
            case "viewer" -> Optional.of(VIEWER);
            case "operator" -> Optional.of(OPERATOR);
            case "admin" -> Optional.of(ADMIN);
            default -> Optional.empty();
        };
    }

    static boolean isOne(String name) {
        return named(name).isPresent();
    }

    /** The one that may most. */
    static Optional<Role> highest(Stream<String> names) {
        return names.flatMap(name -> named(name).stream()).max(Role::compareTo);
    }

    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }
}
