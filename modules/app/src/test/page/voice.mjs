/** Stands in for the voice face and says what a scenario tells it, so that the page meets what a cluster seldom does. */
import assert from 'node:assert/strict';

const RATE = 24_000;
const WITHIN_MS = 60_000;
const LOUD = 1_000;

export const pause = ms => new Promise(done => setTimeout(done, ms));

export async function until(condition, what) {
  const end = performance.now() + WITHIN_MS;
  for (;;) {
    const found = condition();
    if (found) return found;
    assert.ok(performance.now() < end, `still waiting for ${what}`);
    await pause(10);
  }
}

/** So many milliseconds of a hum, as an audio delta brings them. */
function hum(ms) {
  const samples = Int16Array.from({ length: ms * RATE / 1000 }, (_, k) => 6_000 * Math.sin(2 * Math.PI * 200 * k / RATE));
  return Buffer.from(samples.buffer).toString('base64');
}

function isLoud(audio) {
  const samples = new Int16Array(new Uint8Array(Buffer.from(audio, 'base64')).buffer);
  return samples.some(sample => Math.abs(sample) > LOUD);
}

/** One socket of the page. */
class Line {
  #route;
  heard = [];
  open = true;
  begun = false;

  constructor(route) {
    this.#route = route;
    this.query = Object.fromEntries(new URL(route.url()).searchParams);
    route.onMessage(data => this.heard.push({ at: performance.now(), ...JSON.parse(data) }));
    route.onClose(() => { this.open = false; });
  }

  send(event) {
    if (this.open) this.#route.send(JSON.stringify(event));
  }

  close(code, reason) {
    if (this.open) this.#route.close({ code, reason });
    this.open = false;
  }

  all(type) {
    return this.heard.filter(event => event.type === type);
  }

  /** The frames from the microphone that are more than noise. */
  get speech() {
    return this.all('input_audio_buffer.append').map(({ audio }) => audio).filter(isLoud);
  }

  /** How many frames have come since the last of them. */
  get silence() {
    const loud = this.all('input_audio_buffer.append').map(({ audio }) => isLoud(audio));
    return loud.includes(true) ? loud.length - 1 - loud.lastIndexOf(true) : 0;
  }

  hears(type) {
    return until(() => this.all(type)[0], `${type} from the page`);
  }
}

const isNew = ({ query, begun }) => !query.session_id && !begun;

export class Voice {
  lines = [];
  /** Every event of the session, sent or not: what a replay is taken from. */
  told = [];
  #reachable = true;
  #seated = null;
  #token = 'token_0';

  async on(context) {
    await context.routeWebSocket(/\/v1\/ws\/voice/, route => {
      const line = new Line(route);
      if (this.#reachable) this.lines.push(line);
      else line.close(1006, '');
    });
  }

  get seq() {
    return this.told.length;
  }

  line(number) {
    return until(() => this.lines[number], `connection ${number + 1} of the page`);
  }

  /** Nothing gets through, in neither direction. */
  cut() {
    this.#reachable = false;
    for (const line of this.lines) line.close(1006, '');
  }

  heal() {
    this.#reachable = true;
  }

  /** An event of the session, to whoever is seated. */
  say(event) {
    this.told.push({ seq: this.seq + 1, ...event });
    this.#seated.send(this.told.at(-1));
  }

  /** An event about the connection, which only tells where the session stands. */
  mention(line, event, seq = this.seq) {
    line.send({ seq, ...event });
  }

  /** Seats the page that comes for a new session. */
  async begin() {
    const line = this.#seated = await until(() => this.lines.findLast(isNew), 'a new conversation');
    line.begun = true;
    this.told = [];
    this.#token = 'token_0';
    this.say({ type: 'voice-welcome', session_id: 'sess_1', resume_token: this.#token, epoch: 1 });
    this.say({ type: 'session.created', session: { id: 'sess_1' } });
    return line;
  }

  /** Seats the page that comes back; `repeated` events are told once more although it has seen them. */
  resume(line, repeated = 0) {
    const seen = Number(line.query.last_seq);
    const missed = this.told.slice(seen - repeated);
    this.#seat(line, seen, { recovered: true, epoch: 1, replayed: missed.length });
    for (const event of missed) line.send(event);
  }

  /** Seats the page that comes back to a session whose events are lost. */
  startOver(line) {
    const seen = Number(line.query.last_seq);
    this.told.length = seen;
    this.#seat(line, seen, { recovered: false, reason: 'node_lost', epoch: 2, missed: null });
  }

  #seat(line, seen, resumed) {
    this.#seated = line;
    assert.equal(line.query.session_id, 'sess_1');
    assert.equal(line.query.resume_token, this.#token);
    this.#token = `token_${this.lines.length}`;
    this.mention(line, { type: 'voice-welcome', session_id: 'sess_1', resume_token: this.#token, epoch: resumed.epoch }, seen);
    this.mention(line, { type: 'session.resumed', ...resumed }, seen);
    this.mention(line, { type: 'session.created', session: { id: 'sess_1' } }, seen);
  }

  item(id, role, text) {
    const item = { id, type: 'message', role, status: 'completed', content: [{ type: 'text', text }] };
    this.say({ type: 'conversation.item.added', item });
    this.say({ type: 'conversation.item.done', item });
  }

  /** An answer at its own pace, a second ahead of being heard; a word every 200 ms. Ends early when told to stop. */
  async answer(item, words, { stopped = () => false } = {}) {
    const response = `resp_${item}`;
    this.say({ type: 'response.created', response: { id: response, status: 'in_progress' } });
    const began = performance.now();
    for (const [k, word] of words.split(' ').entries()) {
      await pause(200 * k - 1_000 - (performance.now() - began));
      if (stopped()) return;
      this.say({ type: 'response.output_audio_transcript.delta', response_id: response, item_id: item, delta: k ? ` ${word}` : word });
      this.say({ type: 'response.output_audio.delta', response_id: response, item_id: item, delta: hum(100) });
      this.say({ type: 'response.output_audio.delta', response_id: response, item_id: item, delta: hum(100) });
    }
    this.say({ type: 'response.output_audio.done', response_id: response, item_id: item });
    this.item(item, 'assistant', words);
    this.say({ type: 'response.done', response: { id: response, status: 'completed' } });
  }
}
