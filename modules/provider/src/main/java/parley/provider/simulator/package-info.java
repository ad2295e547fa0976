/**
 * A server that speaks the realtime protocol (general availability) and has no model behind it.
 *
 * <p>The default upstream of a fresh checkout, the fake of every higher test, the upstream of load tests and the fault
 * injector. It hears turns by loudness, answers with audible synthetic speech, calls functions, counts tokens and fails
 * on demand. It is honest: it says what it measured, and never pretends to have understood speech.
 *
 * <pre>
 *   Simulator ─ Entrance, Door, Crowd ◀─ Faults             who gets in, who is there, what is done to all
 *   socket ─▶ Connection ─┬─▶ EchoLoad                      one frame in, one frame out; nothing is decoded
 *                         └─▶ SimulatedConversation         what a client may ask
 *                               ├─ LiveSession              the session object and its merge rules
 *                               ├─ Listening ─ VoiceActivity  audio in: turns, commits, "transcripts"
 *                               ├─ Conversation             items, their audio, their order
 *                               ├─ Diary ─▶ ConnectionStory what a test may ask about it later
 *                               └─ Responses ─ ResponseRun  answers out: Answers decides, Speech speaks, Tokens counts
 * </pre>
 *
 * <p>Everything from {@code SimulatedConversation} down is confined to one thread, knows no socket, and takes its time
 * from {@code Timers}: in tests a held clock. Read first: {@link parley.provider.simulator.Simulator},
 * {@link parley.provider.simulator.Switches}, {@code SimulatedConversation}.
 */
@NullMarked
package parley.provider.simulator;

import org.jspecify.annotations.NullMarked;
