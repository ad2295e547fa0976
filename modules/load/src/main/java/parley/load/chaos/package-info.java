/**
 * Holds conversations with a cluster while something breaks, and finds out from outside whether each of them went on.
 *
 * <p>Read first: {@link parley.load.chaos.TalkingCaller} (what a caller does), {@link parley.load.chaos.Presence} (how it
 * stays connected) and {@link parley.load.chaos.Judgement} (what counts as lost, doubled, begun again).
 *
 * <pre>
 *   Callers ─▶ TalkingCaller ─▶ Presence ─▶ Line (one socket after the other)
 *                  │ writes its Diary: turns, answers, resumes, pauses
 *                  ▼
 *   Inspection: Diary + transcript and cost by REST ─▶ Judgement ─▶ Findings
 * </pre>
 *
 * <p>Nothing here believes the server: what counts is what a caller heard, and what anybody can read afterwards.
 */
@NullMarked
package parley.load.chaos;

import org.jspecify.annotations.NullMarked;
