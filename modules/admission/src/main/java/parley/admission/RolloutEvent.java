package parley.admission;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Instant;
import java.util.HexFormat;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** What is journaled of the rollout. A field may be added with a default, never renamed, retyped or removed. */
sealed interface RolloutEvent extends CborSerializable {
    /**
     * Something was done, or somebody tried to: one line of the audit. Each carries the hash of the one before.
     *
     * @param result the rollout from now on; null when this line did not change it
     * @param key the caller's idempotency key, and {@code body} the hash of what was asked with it; null without
     */
    record Recorded(
            Audit audit,
            @Nullable Rollout result,
            @Nullable String key,
            @Nullable String body) implements RolloutEvent {}

    /**
     * One line of the audit.
     *
     * @param seq its number; the first is 1
     * @param action such as {@code rollout.change}, {@code rollout.promote}, {@code rollout.kill}
     * @param outcome {@code applied}, {@code proposed}, {@code denied} or {@code failed}
     * @param revisionFrom before and {@code revisionTo} after; the same when nothing changed
     * @param evidence what an automatic act rests on, as JSON; empty for a person's
     * @param nodes those that acknowledged, for a kill
     * @param previous the hash of the line before; empty for the first
     * @param hash SHA-256 over all of the above
     */
    record Audit(
            long seq,
            Instant at,
            Actor actor,
            String action,
            String outcome,
            String reason,
            long revisionFrom,
            long revisionTo,
            List<Rollout.Diff> diff,
            String evidence,
            List<String> nodes,
            String previous,
            String hash)
            implements CborSerializable {
        public Audit {
            diff = List.copyOf(diff);
            nodes = List.copyOf(nodes);
        }

        /** The same with its hash. */
        Audit sealed() {
            return new Audit(
                    seq,
                    at,
                    actor,
                    action,
                    outcome,
                    reason,
                    revisionFrom,
                    revisionTo,
                    diff,
                    evidence,
                    nodes,
                    previous,
                    fingerprint());
        }

        /** Whether nobody has changed this line since, and {@code before} is the one it was written after. */
        boolean follows(@Nullable Audit before) {
            return hash.equals(fingerprint()) && previous.equals(before == null ? "" : before.hash());
        }

        private String fingerprint() {
            // Lengths in front: no two different lines give the same text.
            var text = new StringBuilder();
            for (var part : List.of(
                    Long.toString(seq),
                    at.toString(),
                    actor.toString(),
                    action,
                    outcome,
                    reason,
                    Long.toString(revisionFrom),
                    Long.toString(revisionTo),
                    diff.toString(),
                    evidence,
                    nodes.toString(),
                    previous)) {
                text.append(part.length()).append(':').append(part);
            }
            try {
                var hash = MessageDigest.getInstance("SHA-256")
                        .digest(text.toString().getBytes(StandardCharsets.UTF_8));
                return HexFormat.of().formatHex(hash);
            } catch (NoSuchAlgorithmException impossible) {
                throw new IllegalStateException("every JVM has SHA-256", impossible);
            }
        }
    }
}
