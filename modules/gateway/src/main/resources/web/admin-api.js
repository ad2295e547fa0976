/** The admin API as the page asks it: who asks, what went wrong in words, and the one stream of news. */

const ANSWER_WITHIN_MS = 15_000;
const BACKOFF_FIRST_MS = 500;
const BACKOFF_LIMIT_MS = 10_000;
/** The server says something every 15 s. */
const SILENT_AFTER_MS = 40_000;

/** An answer that is not what was asked for. `status` 0: none came. */
export class Problem extends Error {
  constructor(status, body = {}) {
    super(body.detail ?? body.title ?? (status === 0 ? 'The gateway does not answer.' : `The gateway answered ${status}.`));
    this.status = status;
    this.body = body;
  }

  /** The role that was missing; '' when that was not it. */
  get missingRole() {
    if (this.status !== 403) return '';
    return /expected:.*?\b(viewer|operator|approver|admin)\b/.exec(this.message)?.[1] ?? 'operator';
  }

  /** Nobody knows whether it was done. */
  get isUnknown() {
    return this.status === 0 || this.status >= 500;
  }

  /** For people. */
  get words() {
    if (this.status === 403) return `This needs the role ${this.missingRole}, which your token does not have.`;
    if (this.status === 0) return this.message;
    return [this.body.title, this.message].filter((text, k, all) => text && all.indexOf(text) === k).join(': ');
  }
}

export class Api {
  #token;
  #refused;

  /** @param refused is called when the token is not, or no longer, good */
  constructor(token, refused) {
    this.#token = token;
    this.#refused = refused;
  }

  get(path) {
    return this.ask('GET', path);
  }

  /** The same with null for what this gateway, or this caller, does not have. */
  async find(path) {
    try {
      return await this.get(path);
    } catch (problem) {
      if (problem.status === 404) return null;
      throw problem;
    }
  }

  /**
   * @param revision the change is refused when it is no longer this one
   * @param key asked again with the same key, it is done once
   */
  async ask(method, path, { body, revision, key } = {}) {
    const headers = { Authorization: `Bearer ${this.#token}`, 'Parley-Via': 'ui' };
    if (body !== undefined) headers['Content-Type'] = 'application/json';
    if (revision !== undefined) headers['If-Match'] = `"rev-${revision}"`;
    if (key !== undefined) headers['Idempotency-Key'] = key;
    let answer;
    let json;
    try {
      answer = await fetch(path, {
        method, headers, cache: 'no-store', credentials: 'omit', signal: AbortSignal.timeout(ANSWER_WITHIN_MS),
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      json = await answer.json().catch(() => ({}));
    } catch {
      throw new Problem(0);
    }
    if (answer.ok) return json;
    if (answer.status === 401) this.#refused(json.detail ?? '');
    throw new Problem(answer.status, json);
  }

  /** Follows the news until the signal ends it. */
  watch(path, signal, { news, state }) {
    return new Stream(path, this.#token, signal, { news, state, refused: this.#refused }).run();
  }
}

/** Server-sent events over fetch, because EventSource cannot say who asks. One connection, made again when it is lost. */
class Stream {
  #path;
  #token;
  #signal;
  #handlers;
  #lastId = '';

  constructor(path, token, signal, handlers) {
    this.#path = path;
    this.#token = token;
    this.#signal = signal;
    this.#handlers = handlers;
  }

  async run() {
    for (let attempt = 0; !this.#signal.aborted; attempt++) {
      const heard = await this.#once().catch(() => false);
      if (this.#signal.aborted || heard === null) return;
      if (heard) attempt = 0;
      this.#handlers.state('reconnecting');
      const ceiling = Math.min(BACKOFF_LIMIT_MS, BACKOFF_FIRST_MS * 2 ** attempt);
      await this.#pause(ceiling * (0.5 + Math.random() / 2));
    }
  }

  /** One connection to its end; whether anything was heard, null: there is no point in another. */
  async #once() {
    const line = new AbortController();
    const stop = () => line.abort();
    this.#signal.addEventListener('abort', stop, { once: true });
    let silence = setTimeout(stop, SILENT_AFTER_MS);
    let heard = false;
    try {
      const headers = { Authorization: `Bearer ${this.#token}`, Accept: 'text/event-stream' };
      if (this.#lastId) headers['Last-Event-ID'] = this.#lastId;
      const answer = await fetch(this.#path, { headers, cache: 'no-store', credentials: 'omit', signal: line.signal });
      if (answer.status === 401) this.#handlers.refused('');
      if ([401, 403, 404].includes(answer.status)) return null;
      if (!answer.ok) return false;
      this.#handlers.state('live');
      const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
      for (let rest = ''; ;) {
        const { done, value } = await reader.read();
        if (done) return heard;
        clearTimeout(silence);
        silence = setTimeout(stop, SILENT_AFTER_MS);
        heard = true;
        const events = (rest + value).split(/\r?\n\r?\n/);
        rest = events.pop();
        events.forEach(event => this.#tell(event));
      }
    } catch {
      return heard;
    } finally {
      clearTimeout(silence);
      this.#signal.removeEventListener('abort', stop);
    }
  }

  #tell(text) {
    let type = 'message';
    const data = [];
    for (const line of text.split(/\r?\n/)) {
      const [, name, value] = /^([a-z]+): ?(.*)$/.exec(line) ?? [];
      if (name === 'event') type = value;
      if (name === 'data') data.push(value);
      if (name === 'id') this.#lastId = value;
    }
    if (data.length === 0) return;
    let json;
    try {
      json = JSON.parse(data.join('\n'));
    } catch {
      return;
    }
    this.#handlers.news(type, json);
  }

  /** Until its time, or until the network is back. */
  #pause(ms) {
    return new Promise(done => {
      const go = () => {
        clearTimeout(timer);
        removeEventListener('online', go);
        this.#signal.removeEventListener('abort', go);
        done();
      };
      const timer = setTimeout(go, ms);
      addEventListener('online', go);
      this.#signal.addEventListener('abort', go);
    });
  }
}

/** For a request that may have to be asked again. randomUUID is there on secure pages only. */
export function newKey() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), byte => byte.toString(16).padStart(2, '0')).join('');
}
