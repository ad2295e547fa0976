import { OpenAIRealtimeWebSocket, RealtimeAgent, RealtimeSession, tool } from '@openai/agents-realtime';
import { z } from 'zod';
import { ASK_FOR_SECONDS, CALLER_TOKEN, halfHeard, main, NODE_URL, Player, Seen, speech } from './call.mjs';

const asked = [];
const weather = tool({
  name: 'weather',
  description: 'The weather in a city.',
  parameters: z.object({ city: z.string() }),
  execute: ({ city }) => {
    asked.push(city);
    return 'sunny';
  },
});

const connection = (model, tools, config) => {
  const transport = new OpenAIRealtimeWebSocket({ url: `${NODE_URL.replace(/^http/, 'ws')}/v1/realtime` });
  const agent = new RealtimeAgent({ name: 'greeter', instructions: 'Be brief.', tools });
  return { transport, session: new RealtimeSession(agent, { transport, model, config }) };
};

async function call({ model = 'simulator', tools = [], ...config }, talk) {
  const { transport, session } = connection(model, tools, config);
  const seen = new Seen();
  const player = new Player();
  const troubles = [];
  const known = new Set();
  const grasped = new Set();
  let audioBytes = 0;
  let interruptions = 0;
  /** How much of the first answer is played when it is interrupted: the client measures between these two. */
  const played = {};
  let item;
  let playsSince;
  let closed;
  const disconnected = new Promise((resolve) => (closed = resolve));
  transport.on('disconnected', closed);
  session.on('error', ({ error }) => troubles.push(error?.error?.code ?? String(error?.message ?? error)));
  session.on('audio', ({ data }) => {
    audioBytes += data.byteLength;
    playsSince ??= performance.now();
  });
  session.on('audio_interrupted', () => {
    interruptions++;
    played.most ??= player.playedMs(item);
  });
  session.on('transport_event', (event) => {
    // An event that has not the shape the client expects is handed out raw only, and not under its type.
    if (!known.has(event.type)) transport.on(event.type, () => grasped.add(event.type));
    known.add(event.type);
    if (event.type === 'response.output_audio.delta') {
      item ??= event.item_id;
      player.play(event);
    }
    if (event.type === 'input_audio_buffer.speech_started') {
      played.least ??= Math.floor(Math.min(player.receivedMs(item), performance.now() - playsSince));
    }
    seen.take(event);
  });
  await session.connect({ apiKey: CALLER_TOKEN });
  await seen.nth(2, 'session.updated');

  const notes = await talk({
    session,
    transport,
    seen,
    player,
    speak: () => {
      for (const piece of speech()) {
        session.sendAudio(piece.buffer.slice(piece.byteOffset, piece.byteOffset + piece.length));
      }
    },
  });

  const history = session.history.map(({ itemId, type, role, status, name, output, content }) => ({
    itemId,
    type,
    role,
    status,
    name,
    output,
    words: content?.map((part) => part.text ?? part.transcript).join(' '),
  }));
  session.close();
  await disconnected;
  const strange = [...known].filter((type) => !grasped.has(type));
  return { seen, troubles, strange, history, asked, audioBytes, interruptions, played, usage: session.usage, ...notes };
}

/** The client itself notices that the caller speaks, and tells how much was heard. */
async function speakOver({ seen, player, speak }, itemId) {
  speak();
  await seen.nth(1, 'input_audio_buffer.speech_started');
  const receivedMs = player.receivedMs(itemId);
  await seen.nth(1, 'conversation.item.truncated');
  await seen.nth(2, 'response.done');
  await seen.nth(2, 'conversation.item.retrieved');
  return { itemId, receivedMs };
}

await main({
  'text-turn': () =>
    call({ outputModalities: ['text'] }, async ({ session, seen }) => {
      session.sendMessage('say exactly: Good morning from Parley.');
      await seen.nth(1, 'response.done');
    }),

  'voice-turn': () =>
    call({}, async ({ seen, speak }) => {
      speak();
      await seen.nth(1, 'response.done');
      await seen.nth(1, 'conversation.item.retrieved');
    }),

  /** A model that is not the node's default, and can be told from it. */
  'other-model': () =>
    call({ model: 'simulator:delta_ms=250' }, async ({ session, seen }) => {
      session.sendMessage('say exactly: Good morning from Parley.');
      await seen.nth(1, 'response.done');
    }),

  'function-call': () =>
    call({ tools: [weather] }, async ({ session, seen }) => {
      session.sendMessage('Tell me the weather, city=Paris');
      await seen.nth(2, 'response.done');
    }),

  'barge-in': () =>
    call({}, async (line) => {
      line.session.sendMessage('Please tell me a long story.');
      const { item_id } = await halfHeard(line);
      return speakOver(line, item_id);
    }),

  'late-barge-in': () =>
    call({}, async (line) => {
      line.session.sendMessage(ASK_FOR_SECONDS);
      const { response } = await line.seen.nth(1, 'response.done');
      return speakOver(line, response.output[0].id);
    }),

  /** The application stops the agent, as a button would, and goes on writing. */
  interrupt: () =>
    call({}, async ({ session, seen, player }) => {
      session.sendMessage('Please tell me a long story.');
      const { item_id } = await halfHeard({ seen, player });
      const playedMs = player.playedMs(item_id);
      const receivedMs = player.receivedMs(item_id);
      session.interrupt();
      await seen.nth(1, 'conversation.item.retrieved');
      await seen.nth(1, 'response.done');
      session.sendMessage('say exactly: As you wish.');
      await seen.nth(2, 'response.done');
      return { itemId: item_id, playedMs, receivedMs };
    }),

  'error-survives': () =>
    call({ outputModalities: ['text'] }, async ({ session, transport, seen }) => {
      transport.sendEvent({
        type: 'conversation.item.truncate',
        event_id: 'wrong-1',
        item_id: 'item_of_nobody',
        content_index: 0,
        audio_end_ms: 10,
      });
      await seen.nth(1, 'error');
      transport.sendEvent({ type: 'input_audio_buffer.commit', event_id: 'wrong-2' });
      await seen.nth(2, 'error');
      transport.sendEvent({ type: 'no.such.event', event_id: 'wrong-3' });
      await seen.nth(3, 'error');
      session.sendMessage('say exactly: Still here.');
      await seen.nth(1, 'response.done');
    }),

  refused: async () => {
    const { session } = connection('simulator', [], {});
    session.on('error', () => {});
    const refusal = await session.connect({ apiKey: CALLER_TOKEN }).then(
      () => 'none',
      (error) => error.message,
    );
    return { seen: new Seen(), refusal };
  },
});
