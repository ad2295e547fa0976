/**
 * Holds one conversation with an upstream model and hides which kind it is.
 *
 * <p>{@link parley.provider.Providers#pool} makes the providers of the settings; the {@link parley.provider.ProviderPool}
 * says which {@link parley.provider.Provider} takes a call, and leaves one alone that keeps failing. Dialling it gives a
 * {@link parley.wire.Port}: frames of the realtime protocol's GA dialect in both directions, byte for byte what the
 * provider said. {@code openai} speaks to whatever serves that protocol over a WebSocket; {@code
 * simulator} is a server of it, for development, tests and load.
 */
@NullMarked
package parley.provider;

import org.jspecify.annotations.NullMarked;
