import { readFileSync } from 'node:fs';

/** What one caller brings: where to, as whom, and a recording of speech (WAV, 24 kHz, 16 bit, mono). */
export const { NODE_URL, CALLER_TOKEN, SPEECH } = process.env;

/** Asks for an answer that is sent in about a second, and takes many to be heard. */
export const ASK_FOR_SECONDS =
  'say exactly: This answer has been sent long before anybody can have heard all of it, ' +
  'for it is made much faster than it is spoken.';

const PATIENCE_MS = 60_000;
const BYTES_PER_MS = 48;

/** All that came over one connection, as the client handed it out, and a way to wait for more of it. */
export class Seen {
  events = [];
  #waiting = new Set();

  take(event) {
    this.events.push(event);
    for (const look of this.#waiting) look();
  }

  all(type) {
    return this.events.filter((event) => event.type === type);
  }

  /** Resolves with what `find` gives, as soon as that is something. */
  until(what, find) {
    return new Promise((resolve, reject) => {
      const look = () => {
        const found = find();
        if (!found) return;
        this.#waiting.delete(look);
        clearTimeout(limit);
        resolve(found);
      };
      const limit = setTimeout(() => {
        this.#waiting.delete(look);
        const last = this.events.slice(-5).map((event) => JSON.stringify(event).slice(0, 300));
        reject(new Error(`waited ${PATIENCE_MS} ms for ${what}; the last events:\n${last.join('\n')}`));
      }, PATIENCE_MS);
      this.#waiting.add(look);
      look();
    });
  }

  /** Resolves with the `n`th event of a type. */
  nth(n, type) {
    return this.until(`${type} number ${n}`, () => this.all(type)[n - 1]);
  }

  /** Resolves with the first item of a type, or of a role, that is done. */
  item(kind) {
    const is = ({ item }) => item.type === kind || item.role === kind;
    return this.until(`an item of ${kind}`, () => this.all('conversation.item.done').find(is)?.item);
  }
}

/** Plays each item's audio as it comes, in real time, and knows how far it is. */
export class Player {
  #items = new Map();

  play(delta) {
    const item = this.#items.get(delta.item_id) ?? { since: performance.now(), ms: 0 };
    item.ms += Buffer.from(delta.delta, 'base64').length / BYTES_PER_MS;
    this.#items.set(delta.item_id, item);
  }

  receivedMs(itemId) {
    return this.#items.get(itemId)?.ms ?? 0;
  }

  playedMs(itemId) {
    const item = this.#items.get(itemId);
    return item ? Math.floor(Math.min(item.ms, performance.now() - item.since)) : 0;
  }
}

/** Resolves with a delta of an item of which two seconds have come, and some has been played. */
export function halfHeard({ seen, player }) {
  const is = ({ item_id }) => player.receivedMs(item_id) > 2000 && player.playedMs(item_id) > 100;
  return seen.until('two seconds of audio', () => seen.all('response.output_audio.delta').find(is));
}

/** The recording in pieces of 100 ms, and a second of silence, so that it is noticed that the caller is done. */
export function speech() {
  const wav = readFileSync(SPEECH);
  const pcm = wav.subarray(wav.indexOf('data', 12, 'latin1') + 8);
  const spoken = Buffer.concat([pcm, Buffer.alloc(1000 * BYTES_PER_MS)]);
  const pieces = [];
  for (let at = 0; at < spoken.length; at += 100 * BYTES_PER_MS) {
    pieces.push(Buffer.from(spoken.subarray(at, at + 100 * BYTES_PER_MS)));
  }
  return pieces;
}

/** Runs the scenario that the command line names, and prints what it has seen as one line. */
export async function main(scenarios) {
  const name = process.argv[2];
  if (!Object.hasOwn(scenarios, name)) {
    throw new Error(`scenario: ${name} (expected: one of ${Object.keys(scenarios).join(', ')})`);
  }
  const { seen, ...notes } = await scenarios[name]();
  process.stdout.write(JSON.stringify({ scenario: name, events: seen.events, notes }) + '\n');
}
