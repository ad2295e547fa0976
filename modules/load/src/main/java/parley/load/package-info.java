/**
 * Talks to a gateway as very many callers would, and reports what they heard.
 *
 * <p>Read first: {@link parley.load.Crowd} (the order of events), {@link parley.load.Caller} (one socket) and
 * {@link parley.load.DuplexConduct} (how each frame is followed through the gateway and back).
 *
 * <pre>
 *   Main ─▶ Options ─▶ Run (once) | Ramp (more and more) ─▶ Report, RampReport        Comparison (of two reports)
 *                       │
 *                       └─▶ Crowd: one Lane per event loop: the clock that lets its callers speak, and their Tally
 *                             └─▶ Caller ─▶ Conduct: duplex (every frame comes back) | turn (speak, listen) | idle
 * </pre>
 *
 * <p>Time is an open loop: a frame's moment is fixed before the run starts, and its round trip counts from that moment
 * whether or not this program was ready to send it, so a slow gateway cannot slow its own examination.
 *
 * <p>Nothing here is shared with the server. The WebSocket codec is Netty's own, events are read by a scan of their
 * bytes, and no other module of the product is imported: a load test built from the server's parts would only confirm
 * what the server believes of itself.
 */
@NullMarked
package parley.load;

import org.jspecify.annotations.NullMarked;
