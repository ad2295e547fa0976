/**
 * Carries WebSocket messages between sockets, on the event loop of the socket.
 *
 * <p>Netty owns the sockets. A {@link parley.wire.WebSocket} reads and writes RFC 6455 frames in the buffers the socket
 * filled, touching each byte once. It is a {@link parley.wire.Port}, and two ports are joined:
 *
 * <pre>
 *   bytes ─▶ WebSocket ─▶ Pipe ─▶ any other Port, e.g. a side of a conversation
 *            (inbox of 16 frames, then the socket is not read)
 *   bytes ◀─ WebSocket ◀─ Pipe ◀─ (polls only while the socket is writable)
 * </pre>
 *
 * <p>Both ports live on one event loop ({@link parley.wire.Loops}), so a frame never changes threads. Read first: {@link
 * parley.wire.Frame}, {@link parley.wire.Port}, {@link parley.wire.WebSocket}, {@link parley.wire.HttpServer}.
 */
@NullMarked
package parley.wire;

import org.jspecify.annotations.NullMarked;
