/** Whatever serves the OpenAI Realtime protocol (GA) over a WebSocket: OpenAI, Azure, the simulator, and others. */
@NullMarked
package parley.provider.openai;

import org.jspecify.annotations.NullMarked;
