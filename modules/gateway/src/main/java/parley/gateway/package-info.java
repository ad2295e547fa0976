/**
 * Turns each face's HTTP and WebSocket dialect into calls, and answers into words a caller understands.
 *
 * <p>One Netty front owns the port ({@link parley.gateway.Gateway}): WebSocket upgrades of a face go to {@link
 * parley.gateway.FaceHandler}, everything else to the Pekko HTTP routes in {@link parley.gateway.GatewayRoutes}, one
 * class per resource. Whoever calls is known before either ({@link parley.gateway.Tokens}); every refusal is an {@code
 * application/problem+json} of the one catalogue ({@link parley.gateway.Problem}).
 */
@NullMarked
package parley.gateway;

import org.jspecify.annotations.NullMarked;
