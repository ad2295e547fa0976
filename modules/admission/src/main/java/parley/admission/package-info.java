/**
 * Decides whether a caller gets in and by which arm.
 *
 * <p>Every face asks one question, {@link parley.admission.Admission#admit}, before it upgrades a connection, and gets a
 * value: {@link parley.admission.Decision.Admitted} with a place to give back, or {@link
 * parley.admission.Decision.Refused} with the reason, when to come again, and what still works meanwhile. Answers come
 * from the memory of this node, in well under a microsecond. Nothing here knows of voice.
 *
 * <p>How many sessions a user may begin within an hour is asked of the cluster instead, and of the journal through it ({@link
 * parley.admission.Quotas}): one sharded entity per user.
 *
 * <p>Read first: {@link parley.admission.Admission}, {@link parley.admission.Decision}, {@link parley.admission.Flag}.
 */
@NullMarked
package parley.admission;

import org.jspecify.annotations.NullMarked;
