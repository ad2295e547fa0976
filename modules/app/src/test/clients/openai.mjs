import { once } from 'node:events';
import OpenAI from 'openai';
import { OpenAIRealtimeWS } from 'openai/realtime/ws';
import { ASK_FOR_SECONDS, CALLER_TOKEN, halfHeard, main, NODE_URL, Player, Seen, speech } from './call.mjs';

const WEATHER = {
  type: 'function',
  name: 'weather',
  description: 'The weather in a city.',
  parameters: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
};
const LISTENING = {
  input: {
    transcription: { model: 'gpt-4o-mini-transcribe' },
    turn_detection: { type: 'server_vad', interrupt_response: true, create_response: true },
  },
};

const written = (text) => ({
  type: 'conversation.item.create',
  item: { type: 'message', role: 'user', content: [{ type: 'input_text', text }] },
});

const connection = () =>
  new OpenAIRealtimeWS({ model: 'simulator' }, new OpenAI({ apiKey: CALLER_TOKEN, baseURL: `${NODE_URL}/v1` }));

async function call(session, talk) {
  const rt = connection();
  const seen = new Seen();
  const player = new Player();
  const troubles = [];
  rt.on('event', (event) => seen.take(event));
  rt.on('response.output_audio.delta', (delta) => player.play(delta));
  rt.on('error', (error) => {
    troubles.push(error.error?.code ?? error.message);
    if (!error.error) seen.take({ type: 'trouble', message: error.message });
  });
  await seen.nth(1, 'session.created');
  rt.send({ type: 'session.update', session: { type: 'realtime', ...session } });
  await seen.nth(1, 'session.updated');

  const notes = await talk({
    seen,
    player,
    send: (event) => rt.send(event),
    ask: (text) => {
      rt.send(written(text));
      rt.send({ type: 'response.create' });
    },
    speak: () => {
      for (const piece of speech()) {
        rt.send({ type: 'input_audio_buffer.append', audio: piece.toString('base64') });
      }
    },
  });

  const closed = once(rt.socket, 'close');
  rt.close();
  const [code] = await closed;
  return { seen, troubles, code, ...notes };
}

/** The caller speaks, stops the player, and tells how much of the item was heard. */
async function speakOver({ seen, player, send, speak }, itemId) {
  speak();
  await seen.nth(1, 'input_audio_buffer.speech_started');
  const heardMs = player.playedMs(itemId);
  const receivedMs = player.receivedMs(itemId);
  send({ type: 'conversation.item.truncate', item_id: itemId, content_index: 0, audio_end_ms: heardMs });
  await seen.nth(1, 'conversation.item.truncated');
  await seen.nth(2, 'response.done');
  await seen.nth(1, 'conversation.item.input_audio_transcription.completed');
  send({ type: 'conversation.item.retrieve', item_id: itemId });
  await seen.nth(1, 'conversation.item.retrieved');
  return { itemId, heardMs, receivedMs };
}

await main({
  'text-turn': () =>
    call({ output_modalities: ['text'] }, async ({ seen, ask }) => {
      ask('say exactly: Good morning from Parley.');
      await seen.nth(1, 'response.done');
    }),

  'voice-turn': () =>
    call({ audio: LISTENING }, async ({ seen, speak }) => {
      speak();
      await seen.nth(1, 'response.done');
      await seen.nth(1, 'conversation.item.input_audio_transcription.completed');
    }),

  'function-call': () =>
    call({ tools: [WEATHER] }, async ({ seen, send, ask }) => {
      ask('Tell me the weather, city=Paris');
      const { call_id } = await seen.item('function_call');
      await seen.nth(1, 'response.done');
      send({
        type: 'conversation.item.create',
        item: { type: 'function_call_output', call_id, output: 'sunny' },
      });
      send({ type: 'response.create' });
      await seen.nth(2, 'response.done');
    }),

  'barge-in': () =>
    call({ audio: LISTENING }, async (line) => {
      line.ask('Please tell me a long story.');
      const { item_id } = await halfHeard(line);
      return speakOver(line, item_id);
    }),

  'late-barge-in': () =>
    call({ audio: LISTENING }, async (line) => {
      line.ask(ASK_FOR_SECONDS);
      const { response } = await line.seen.nth(1, 'response.done');
      return speakOver(line, response.output[0].id);
    }),

  'error-survives': () =>
    call({ output_modalities: ['text'] }, async ({ seen, send, ask }) => {
      send({
        type: 'conversation.item.truncate',
        event_id: 'wrong-1',
        item_id: 'item_of_nobody',
        content_index: 0,
        audio_end_ms: 10,
      });
      await seen.nth(1, 'error');
      send({ type: 'input_audio_buffer.commit', event_id: 'wrong-2' });
      await seen.nth(2, 'error');
      send({ type: 'no.such.event', event_id: 'wrong-3' });
      await seen.nth(3, 'error');
      ask('say exactly: Still here.');
      await seen.nth(1, 'response.done');
    }),

  refused: async () => {
    const rt = connection();
    const refusal = await new Promise((resolve) => rt.on('error', (error) => resolve(error.message)));
    return { seen: new Seen(), refusal };
  },
});
