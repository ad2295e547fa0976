/** One conversation over as many sockets as it takes: resumes after a drop, and delivers every event once. */

const PING_EVERY_MS = 10_000;
const MISSED_PONGS = 2;
const SEATED_WITHIN_MS = 10_000;
const ACK_EVERY_MS = 1_000;
const BACKOFF_FIRST_MS = 250;
const BACKOFF_LIMIT_MS = 5_000;
/** A socket that lived this long was a success; a shorter one must not restart the backoff from the beginning. */
const STEADY_AFTER_MS = 5_000;
/** The server keeps a session without a client for two minutes. */
const GIVE_UP_AFTER_MS = 120_000;

const LOST = 1006;
const TRY_AGAIN_LATER = 1013;
const RESUMED_ELSEWHERE = 4001;
const NO_SESSION = 4404;
const RETRYABLE = new Set([1001, 1005, LOST, 1011, 1012, TRY_AGAIN_LATER, 1014, 1015]);
/** Among 4000 to 4499, which otherwise ask to come again: refused for good, taken over, not understood, no session. */
const FINAL = new Set([4000, RESUMED_ELSEWHERE, 4400, NO_SESSION]);
const isRetryable = code => RETRYABLE.has(code) || (code >= 4000 && code <= 4499 && !FINAL.has(code));
/** The server let us in, but found nobody to talk to: the session is over. */
const NO_AGENT = /^no provider/;
/** Errors after which there is nothing to come back to. */
const OVER_WITH = new Set(['upstream_lost', 'session_expired']);

/** One socket, from its opening to its end. Whoever closes it hears no more of it. */
class Line {
  #socket;
  #received;
  #closed;
  #timers = new Set();
  #unansweredPings = 0;

  /** What the server complained of last. */
  complaint = {};
  /** True when another one was opened to take over from it. */
  succeeded = false;
  /** True when it was opened with a ticket, not with the token itself. */
  byTicket;

  constructor(url, token, ticket, { received, closed }) {
    this.#received = received;
    this.#closed = closed;
    this.byTicket = ticket !== null;
    if (this.byTicket) url.searchParams.set('ticket', ticket);
    this.#socket = new WebSocket(url, this.byTicket ? ['realtime'] : ['realtime', `openai-insecure-api-key.${token}`]);
    this.#socket.onmessage = ({ data }) => this.#receive(data);
    this.#socket.onclose = ({ code, reason }) => this.#end(code, reason);
    this.#timers.add(setTimeout(() => this.#abandon(), SEATED_WITHIN_MS));
  }

  /** Bytes that wait for the network. */
  get backlog() {
    return this.#socket.bufferedAmount;
  }

  /** From now on it carries the conversation: no longer waited for, but watched. `each` is done now and then. */
  seat(each) {
    this.#forgetTimers();
    this.#timers.add(setInterval(() => this.#ping(), PING_EVERY_MS));
    this.#timers.add(setInterval(each, ACK_EVERY_MS));
  }

  send(event) {
    this.#socket.send(JSON.stringify(event));
  }

  /** Without a code of its own it tells that the conversation goes on over another socket, and is not left. */
  close(code = RESUMED_ELSEWHERE, reason = 'resumed elsewhere') {
    this.#socket.onclose = null;
    this.#socket.onmessage = null;
    this.#forgetTimers();
    this.#socket.close(code, reason);
  }

  #receive(data) {
    this.#unansweredPings = 0;
    let event;
    try {
      event = JSON.parse(data);
    } catch {
      return;
    }
    if (event?.type === 'error') this.complaint = event.error ?? {};
    if (typeof event?.type === 'string') this.#received(this, event);
  }

  #ping() {
    if (this.#unansweredPings++ < MISSED_PONGS) this.send({ type: 'ping' });
    else this.#abandon();
  }

  /** A dead peer never answers the closing handshake, so nobody waits for it. */
  #abandon() {
    this.close();
    this.#end(LOST, '');
  }

  #end(code, reason) {
    this.#forgetTimers();
    this.#closed(this, code, reason);
  }

  #forgetTimers() {
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
  }
}

export class Connection {
  #access;
  #handlers;
  /** Carries the conversation, or is about to. */
  #line = null;
  /** Opened while the line still works, to take over from it. */
  #successor = null;
  #session = null;
  #lastSeq = 0;
  #ackedSeq = 0;
  #endedReason = null;
  #attempt = 0;
  #downSince = performance.now();
  #dialTimer = 0;
  #dials = 0;
  #steadyTimer = 0;
  /** Whether the next connection shows the token itself, because tickets cannot be checked. */
  #withoutTicket = false;

  /** True while the line carries the conversation. */
  live = false;

  /**
   * @param access whose conversation it is
   * @param handlers
   *   welcome()            the session is there
   *   resumed({recovered}) it is there again: with all that was missed to follow, or with its history instead
   *   event(event)         each further server event, once and in order
   *   down()               the socket is gone and another one is being tried
   *   over({kind, code, message, offersText}) nothing more will come; kind: ended, refused, busy, unavailable, failed, lost
   */
  constructor(access, handlers) {
    this.#access = access;
    this.#handlers = handlers;
    addEventListener('online', this.#dialNow);
  }

  async open() {
    clearTimeout(this.#dialTimer);
    this.#dialTimer = 0;
    const dial = ++this.#dials;
    const ticket = this.#withoutTicket ? null : await this.#access.ticket();
    // Ended meanwhile, or dialled anew.
    if (!this.#handlers || dial !== this.#dials) return;
    this.#withoutTicket = false;
    let line;
    try {
      line = new Line(this.#url(), this.#access.token, ticket, { received: this.#received, closed: this.#closed });
    } catch {
      this.#finish({ kind: 'refused', message: 'The access token contains characters that cannot be part of one.' });
      return;
    }
    if (this.live) {
      this.#successor = line;
      this.#line.succeeded = true;
    } else {
      this.#line = line;
    }
  }

  /** Says whether the event left; what does not leave while the connection is down is the caller's to keep. */
  send(event) {
    if (this.live) this.#line.send(event);
    return this.live;
  }

  /** Bytes that wait for the network. */
  get backlog() {
    return this.live ? this.#line.backlog : 0;
  }

  end() {
    for (const line of [this.#line, this.#successor]) line?.close(1000, 'ended by the user');
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

  #received = (line, event) => {
    switch (event.type) {
      // These tell of a connection, not of the session: their seq is the place where it stands.
      case 'voice-welcome': return this.#welcome(line, event);
      case 'session.resumed': return this.#resumed(line, event);
      case 'session.draining': return this.#makeBeforeBreak(line, event);
      case 'session.reconnecting': return this.#handlers.event(event);
    }
    // Before it is seated, a line says why it will not be: that is for whoever asked to get in, not for the conversation.
    if (!this.live || line !== this.#line || event.seq <= this.#lastSeq) return;
    this.#lastSeq = event.seq ?? this.#lastSeq;
    if (event.type === 'pong') return;
    if (event.type === 'voice-ended') this.#endedReason = event.reason ?? '';
    this.#handlers.event(event);
  };

  #welcome(line, { session_id: id, resume_token: resumeToken, seq }) {
    const first = this.#session === null;
    this.#session = { id, resumeToken };
    if (!first) return;
    this.#lastSeq = seq;
    this.#seat(line);
    this.#handlers.welcome();
  }

  #resumed(line, { recovered, seq }) {
    // Without what was missed, the count goes on from where this line began, not from what another one told since.
    if (!recovered) this.#lastSeq = seq;
    this.#seat(line);
    this.#handlers.resumed({ recovered });
  }

  #seat(line) {
    if (line !== this.#line) {
      this.#line.close();
      this.#line = line;
      this.#successor = null;
    }
    this.live = true;
    line.complaint = {};
    line.seat(() => this.#ack());
    clearTimeout(this.#steadyTimer);
    this.#steadyTimer = setTimeout(() => { this.#attempt = 0; }, STEADY_AFTER_MS);
  }

  /** What is acknowledged need not be kept for a replay. */
  #ack() {
    if (this.#ackedSeq === this.#lastSeq) return;
    this.#ackedSeq = this.#lastSeq;
    this.send({ type: 'ack', seq: this.#lastSeq });
  }

  /** The server is about to leave: this line works until the next one is seated elsewhere. */
  #makeBeforeBreak(line, { reconnect }) {
    if (!this.live || line !== this.#line || this.#successor !== null || this.#dialTimer !== 0) return;
    this.#dialIn(reconnect?.after_ms ?? 0);
  }

  #closed = async (line, code, reason) => {
    this.#withoutTicket ||= line.byTicket && line.complaint.code === 'identity_unavailable';
    if (line === this.#successor) {
      this.#successor = null;
      this.#dialIn(this.#pause(line));
      return;
    }
    const wasLive = this.live;
    this.live = false;
    clearTimeout(this.#steadyTimer);
    if (wasLive) this.#downSince = performance.now();
    const outcome = this.#outcomeOf(line, code, reason) ?? (wasLive || code !== LOST ? null : await this.#askWhy());
    if (!this.#handlers) return;
    if (outcome) this.#finish(outcome);
    else if (performance.now() - this.#downSince > GIVE_UP_AFTER_MS) this.#finish({ kind: 'lost' });
    else this.#goOn(line);
  };

  #goOn(line) {
    if (this.#successor !== null) {
      this.#line = this.#successor;
      this.#successor = null;
      return;
    }
    this.#handlers.down();
    this.#dialIn(this.#pause(line));
  }

  /** Nothing when another socket may well go on with the conversation. */
  #outcomeOf({ complaint, succeeded, byTicket }, code, reason) {
    const { message } = complaint;
    if (byTicket && complaint.code === 'identity_unavailable') return null;
    if (code === 1008) return { kind: 'refused', code: reason, message };
    if (this.#endedReason !== null) return { kind: 'ended', code: this.#endedReason };
    if (code === 1000) return { kind: 'ended', code: reason };
    // Taken over by this page itself, though the news of it may be lost.
    if (code === RESUMED_ELSEWHERE) return succeeded ? null : { kind: 'ended', code: 'resumed_elsewhere' };
    if (code === NO_SESSION) return { kind: 'ended', code: reason, message };
    if (code >= 4500 && code <= 4999) return { kind: 'unavailable', code: reason, message };
    if (code === TRY_AGAIN_LATER && (this.#session === null || NO_AGENT.test(reason))) {
      return { kind: 'busy', code: complaint.code ?? '', message };
    }
    if (OVER_WITH.has(complaint.code)) return { kind: 'ended', code: complaint.code };
    if (isRetryable(code)) return null;
    return { kind: code >= 3000 ? 'failed' : 'lost', message };
  }

  /** Grows from try to try, and is never less than the server asked for. */
  #pause({ complaint }) {
    const ceiling = Math.min(BACKOFF_LIMIT_MS, BACKOFF_FIRST_MS * 2 ** this.#attempt++);
    return Math.random() * ceiling + (complaint.retry_after_ms ?? 0);
  }

  #dialIn(delay) {
    clearTimeout(this.#dialTimer);
    this.#dialTimer = setTimeout(() => this.open(), delay);
  }

  #dialNow = () => {
    if (this.#dialTimer !== 0) this.open();
  };

  /**
   * A browser hides the status of a refused upgrade. The same address asked in plain HTTP tells the problem;
   * any other answer means that the network failed, not the admission.
   */
  async #askWhy() {
    try {
      const url = this.#url();
      url.protocol = location.protocol;
      const answer = await fetch(url, {
        headers: { Authorization: `Bearer ${this.#access.token}` }, cache: 'no-store', signal: AbortSignal.timeout(5_000),
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
    this.#handlers = null;
    this.live = false;
    this.#line?.close();
    this.#successor?.close();
    clearTimeout(this.#dialTimer);
    clearTimeout(this.#steadyTimer);
    removeEventListener('online', this.#dialNow);
    handlers.over({ code: '', message: '', offersText: false, ...outcome });
  }
}
