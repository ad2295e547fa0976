/** One conversation over as many sockets as it takes: resumes after a drop, and delivers every event once. */

const PING_EVERY_MS = 10_000;
const MISSED_PONGS = 2;
const WELCOME_WITHIN_MS = 10_000;
const BACKOFF_FIRST_MS = 250;
const BACKOFF_LIMIT_MS = 5_000;
/** A socket that lived this long was a success; a shorter one must not restart the backoff from the beginning. */
const STEADY_AFTER_MS = 5_000;
/** The server keeps a session without a client for two minutes. */
const GIVE_UP_AFTER_MS = 120_000;

const RETRYABLE = new Set([1001, 1005, 1006, 1011, 1012, 1013, 1014, 1015]);
const LOST = 1006;
const TRY_AGAIN_LATER = 1013;
const RESUMED_ELSEWHERE = 4001;
const NO_SESSION = 4404;
/** The server let us in, but found nobody to talk to: the session is over. */
const NO_AGENT = /^no provider/;
/** Errors after which there is nothing to come back to. */
const OVER_WITH = new Set(['upstream_lost', 'session_expired']);

export class Connection {
  #token;
  #handlers;
  #socket = null;
  #session = null;
  #lastSeq = 0;
  #endedReason = null;
  #complaint = null;
  #attempt = 0;
  #downSince = 0;
  #unansweredPings = 0;
  #timers = new Set();
  #retryTimer = 0;

  /** True between a welcome and the loss of its socket. */
  live = false;

  /**
   * @param handlers
   *   welcome({resumed, replaced}) the session is there: new, resumed, or a new one in place of one that was lost
   *   event(event)                 each further server event, once and in order
   *   down()                       the socket is gone and another one is being tried
   *   over({kind, code, message, offersText}) nothing more will come; kind: ended, refused, busy, unavailable, failed, lost
   */
  constructor(token, handlers) {
    this.#token = token;
    this.#handlers = handlers;
    this.#downSince = performance.now();
    addEventListener('online', this.#retryNow);
  }

  open() {
    let socket;
    try {
      socket = new WebSocket(this.#url(), ['realtime', `openai-insecure-api-key.${this.#token}`]);
    } catch {
      this.#finish({ kind: 'refused', message: 'The access token contains characters that cannot be part of one.' });
      return;
    }
    this.#socket = socket;
    socket.onmessage = ({ data }) => this.#receive(data);
    socket.onclose = ({ code, reason }) => this.#closed(code, reason);
    this.#after(WELCOME_WITHIN_MS, () => this.live || this.#abandon());
  }

  /** Says whether the event left; what does not leave while the connection is down is the caller's to keep. */
  send(event) {
    if (!this.live) return false;
    this.#socket.send(JSON.stringify(event));
    return true;
  }

  /** Bytes that wait for the network. */
  get backlog() {
    return this.#socket?.bufferedAmount ?? 0;
  }

  end() {
    this.#socket?.close(1000, 'ended by the user');
    this.#finish({ kind: 'ended' });
  }

  #url() {
    const url = new URL('/v1/ws/voice', location.href);
    url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
    if (this.#session) {
      url.searchParams.set('session_id', this.#session.id);
      url.searchParams.set('resume_token', this.#session.resumeToken);
      url.searchParams.set('last_seq', this.#lastSeq);
    }
    return url;
  }

  #receive(data) {
    this.#unansweredPings = 0;
    let event;
    try {
      event = JSON.parse(data);
    } catch {
      return;
    }
    if (typeof event?.type !== 'string') return;
    if (event.type === 'voice-welcome') {
      this.#welcome(event);
      return;
    }
    if (event.type === 'error') {
      this.#complaint = event.error ?? {};
      // Before a welcome it says why there will be none: that is for whoever asked to get in, not for the conversation.
      if (!this.live) return;
    }
    if (event.seq <= this.#lastSeq) return;
    this.#lastSeq = event.seq ?? this.#lastSeq;
    if (event.type === 'pong') return;
    if (event.type === 'voice-ended') this.#endedReason = event.reason ?? '';
    this.#handlers.event(event);
  }

  #welcome({ session_id: id, resume_token: resumeToken, seq }) {
    const before = this.#session?.id;
    const resumed = before === id;
    this.#session = { id, resumeToken: resumeToken ?? this.#session?.resumeToken };
    // A session that moved to another server begins to count anew.
    this.#lastSeq = seq ?? 0;
    this.#complaint = null;
    this.live = true;
    this.#every(PING_EVERY_MS, () => this.#ping());
    this.#after(STEADY_AFTER_MS, () => { this.#attempt = 0; });
    this.#handlers.welcome({ resumed, replaced: before !== undefined && !resumed });
  }

  #ping() {
    if (this.#unansweredPings >= MISSED_PONGS) {
      this.#abandon();
      return;
    }
    this.#unansweredPings++;
    this.send({ type: 'ping' });
  }

  /** A dead peer never answers the closing handshake, so nobody waits for it. */
  #abandon() {
    this.#socket.onclose = null;
    this.#socket.onmessage = null;
    this.#socket.close();
    this.#closed(LOST, '');
  }

  async #closed(code, reason) {
    const wasLive = this.live;
    this.#forget();
    if (wasLive) this.#downSince = performance.now();
    const outcome = this.#outcomeOf(code, reason) ?? (wasLive ? null : await this.#askWhy());
    if (!this.#handlers) return;
    if (outcome) this.#finish(outcome);
    else this.#retry();
  }

  /** Nothing when another socket may well go on with the conversation. */
  #outcomeOf(code, reason) {
    const message = this.#complaint?.message;
    if (code === 1008) return { kind: 'refused', code: reason, message };
    if (this.#endedReason !== null) return { kind: 'ended', code: this.#endedReason };
    if (code === 1000) return { kind: 'ended', code: reason };
    if (code === RESUMED_ELSEWHERE) return { kind: 'ended', code: 'resumed_elsewhere' };
    if (code === NO_SESSION) return { kind: 'ended', code: reason, message };
    if (code >= 4500 && code <= 4999) return { kind: 'unavailable', code: reason, message };
    if (code === TRY_AGAIN_LATER && (this.#session === null || NO_AGENT.test(reason))) {
      return { kind: 'busy', code: this.#complaint?.code ?? '', message };
    }
    if (this.#complaint && OVER_WITH.has(this.#complaint.code)) return { kind: 'ended', code: this.#complaint.code };
    if (RETRYABLE.has(code)) return null;
    return { kind: code >= 3000 ? 'failed' : 'lost', message };
  }

  #retry() {
    if (performance.now() - this.#downSince > GIVE_UP_AFTER_MS) {
      this.#finish({ kind: 'lost' });
      return;
    }
    this.#handlers.down();
    const ceiling = Math.min(BACKOFF_LIMIT_MS, BACKOFF_FIRST_MS * 2 ** this.#attempt++);
    this.#retryTimer = setTimeout(() => this.#dial(), Math.random() * ceiling);
  }

  #retryNow = () => {
    if (this.#retryTimer !== 0) this.#dial();
  };

  #dial() {
    clearTimeout(this.#retryTimer);
    this.#retryTimer = 0;
    this.open();
  }

  /**
   * A browser hides the status of a refused upgrade. The same address asked in plain HTTP tells the problem;
   * any other answer means that the network failed, not the admission.
   */
  async #askWhy() {
    try {
      const url = this.#url();
      url.protocol = location.protocol;
      const answer = await fetch(url, {
        headers: { Authorization: `Bearer ${this.#token}` }, cache: 'no-store', signal: AbortSignal.timeout(5_000),
      });
      if (!answer.headers.get('content-type')?.startsWith('application/problem+json')) return null;
      const problem = await answer.json();
      if (problem.code === 'draining') return null;
      const refusal = {
        code: problem.code,
        message: problem.detail ?? problem.title,
        offersText: [problem.offer].flat().includes('text'),
      };
      if ([401, 403, 404, 410].includes(answer.status)) return { kind: 'refused', ...refusal };
      // A running conversation waits for room; a new one is better told.
      return [429, 503].includes(answer.status) && !this.#session ? { kind: 'busy', ...refusal } : null;
    } catch {
      return null;
    }
  }

  #finish(outcome) {
    const handlers = this.#handlers;
    if (!handlers) return;
    this.#forget();
    this.#handlers = null;
    clearTimeout(this.#retryTimer);
    removeEventListener('online', this.#retryNow);
    handlers.over({ code: '', message: '', offersText: false, ...outcome });
  }

  #forget() {
    this.live = false;
    this.#unansweredPings = 0;
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
    if (this.#socket) {
      this.#socket.onclose = null;
      this.#socket.onmessage = null;
    }
  }

  #after(delay, action) {
    this.#timers.add(setTimeout(action, delay));
  }

  #every(period, action) {
    this.#timers.add(setInterval(action, period));
  }
}
