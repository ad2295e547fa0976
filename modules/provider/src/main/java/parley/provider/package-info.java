/**
 * Holds one conversation with an upstream model and hides which kind it is.
 *
 * <p>{@link parley.provider.Providers#from} reads the settings and gives a {@link parley.provider.Provider}; dialling it
 * gives a {@link parley.wire.Port}: frames of the realtime protocol's GA dialect in both directions, byte for
 * byte what the provider said. {@code openai} speaks to whatever serves that protocol over a WebSocket; {@code
 * simulator} is a server of it, for development, tests and load.
 */
@NullMarked
package parley.provider;

import org.jspecify.annotations.NullMarked;
