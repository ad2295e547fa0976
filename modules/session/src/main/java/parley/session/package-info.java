/**
 * The life of one conversation: its facts, its live lines, and the history told from its facts.
 *
 * <p>A session is {@code opening} (admitted, the provider is dialled), {@code live} (with or without a caller on the
 * line), {@code over}; never back. It consists of two halves that share an id, and an edge:
 *
 * <pre>
 *   VoiceSession   the entity, sharded and event-sourced: who calls, what was said, called and spent, why it ended.
 *                  Survives everything. Sees facts, never audio.
 *   Conversation   the live half, on one event loop of the entity's node: the caller's side and the provider's, the
 *                  queues between them, pacing, barge-in. Either line may end and be replaced. Dies with its node, or
 *                  lets go when the session moves, and is made again from the journal; outlives the entity's restarts.
 *   EdgeLine       on the node with the caller's socket: asks for the session's line again when that ends, and keeps
 *                  the socket open meanwhile.
 * </pre>
 *
 * <p>A session has one owner. {@link parley.session.DeathWatch} proves that a node is gone, {@link
 * parley.session.Quorum} stops a node that is cut off, and the journal admits one writer; {@link
 * parley.session.ShardPlacement} says where sessions live. {@link parley.session.JournalWatch} knows whether the journal
 * takes writes, {@link parley.session.Sweep} finds sessions that nobody watches, {@link parley.session.LeavePermit} lets
 * one node leave at a time, {@link parley.session.UsedOnce} knows what was used.
 *
 * <p>What a session may cost is watched by {@link parley.session.Spending}. {@link parley.session.Projections} tells tables
 * of sessions, turns and costs from the journal, for {@link parley.session.Costs} and everybody's reports.
 *
 * <p>Read first: {@link parley.session.Sessions} (the door), {@link parley.session.VoiceSession}, {@link
 * parley.session.Conversation} with its parts, {@link parley.session.TurnTaking}, {@link parley.session.Delivery} and
 * {@link parley.session.Ending}; then {@link parley.session.EdgeLine} and {@link parley.session.ProviderSide}.
 */
@NullMarked
package parley.session;

import org.jspecify.annotations.NullMarked;
