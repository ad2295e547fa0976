package parley.admission;

import java.time.Instant;

/** Facts about a user's sessions. Journaled: a field may be added with a default, never renamed, retyped or removed. */
sealed interface QuotaEvent extends CborSerializable {
    /** A session was granted. */
    record Taken(String session, Instant at) implements QuotaEvent {}

    /** It never began. */
    record GivenBack(String session, Instant at) implements QuotaEvent {}
}
