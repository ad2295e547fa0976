/**
 * Carries WebSocket messages between sockets and streams, on the event loop of the socket.
 *
 * <p>Netty owns the sockets. A {@link parley.wire.WebSocket} reads and writes RFC 6455 frames in the buffers the socket
 * filled, touching each byte once, and joins Pekko Streams through two stages:
 *
 * <pre>
 *   bytes ─▶ WebSocket ─▶ FromPort ─▶ … your flow … ─▶ ToPort ─▶ WebSocket ─▶ bytes
 *            (inbox of 16 frames, then the socket is not read)      (pulls only while the socket is writable)
 * </pre>
 *
 * <p>A stream that carries frames runs on the dispatcher of its socket's event loop ({@link parley.wire.Loops}), so a
 * frame never changes threads. Read first: {@link parley.wire.Frame}, {@link parley.wire.WebSocket},
 * {@link parley.wire.HttpServer}.
 */
@NullMarked
package parley.wire;

import org.jspecify.annotations.NullMarked;
