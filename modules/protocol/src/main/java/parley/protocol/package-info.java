/**
 * The realtime language: every event a client or a server may send, as a record, and the only code that knows its JSON.
 *
 * <p>Read first: {@link parley.protocol.ClientEvent}, {@link parley.protocol.ServerEvent} and
 * {@link parley.protocol.Wire}. Then {@link parley.protocol.Peek}, which tells audio from everything else without
 * parsing, and {@link parley.protocol.Beta} for those who still speak the old dialect.
 *
 * <pre>
 *   frame ──▶ Peek ──▶ audio: the bytes are passed on as they are
 *                └───▶ anything else: Wire ──▶ ClientEvent | ServerEvent ──▶ Wire ──▶ frame
 *   beta frame ──▶ Wire.parse ──▶ Beta ──▶ Wire …
 * </pre>
 *
 * <p>The facts are those of the OpenAI Realtime reference (general availability). Component names are the camelCase of
 * the wire's snake_case.
 */
@NullMarked
package parley.protocol;

import org.jspecify.annotations.NullMarked;
