/**
 * The life of one conversation: its facts, its live streams, and the history told from its facts.
 *
 * <p>A session is {@code opening} (admitted, the provider is dialled), {@code live} (with or without a caller on the
 * line), {@code over}; never back. It consists of two halves that share an id:
 *
 * <pre>
 *   VoiceSession   the entity, sharded and event-sourced: who calls, what was said, called and spent, why it ended.
 *                  Survives everything. Sees facts, never audio.
 *   Conversation   the live half, on the event loop of the caller's socket: two ports (caller, provider), the queues
 *                  between them, pacing, barge-in. Dies with its node and is made again from the journal.
 * </pre>
 *
 * <p>Read first: {@link parley.session.Sessions} (the door), {@link parley.session.VoiceSession}, {@link
 * parley.session.Conversation}.
 */
@NullMarked
package parley.session;

import org.jspecify.annotations.NullMarked;
