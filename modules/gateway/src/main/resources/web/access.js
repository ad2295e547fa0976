/** Who talks: an access token, renewed for as long as the conversation goes on, and the tickets it is good for. */

const TICKET_WITHIN_MS = 3_000;
const RENEWAL_WITHIN_MS = 10_000;
/** So early before a token ends it is renewed, or at the last quarter of what it has left. */
const RENEWAL_LEAD_MS = 300_000;
const RENEWAL_AGAIN_MS = 30_000;
/** Longer than this no timer of a browser runs. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

export class Access {
  #renewed;
  #timer = 0;
  #closed = false;

  /** The newest token. */
  token;

  /** @param renewed(token) is told each new token */
  constructor(token, renewed) {
    this.token = token;
    this.#renewed = renewed;
    this.#plan(endOf(token) - Date.now());
  }

  /** A ticket for one connection, or null: then the token itself has to be shown. */
  async ticket() {
    const { body } = await this.#ask('/v1/tickets', TICKET_WITHIN_MS);
    return typeof body?.ticket === 'string' ? body.ticket : null;
  }

  close() {
    this.#closed = true;
    clearTimeout(this.#timer);
  }

  #plan(left) {
    // A token that says nothing of its end, or has ended, is not for this page to judge.
    if (!(left > 0) || this.#closed) return;
    const delay = left - Math.min(left / 4, RENEWAL_LEAD_MS);
    if (delay <= LONGEST_TIMER_MS) this.#timer = setTimeout(() => this.#renew(left - delay), delay);
  }

  /** @param left milliseconds, until the token ends */
  async #renew(left) {
    const { status, body } = await this.#ask('/v1/tokens/refresh', RENEWAL_WITHIN_MS);
    if (this.#closed) return;
    if (status === 200 && typeof body?.token === 'string') {
      this.token = body.token;
      this.#renewed(body.token);
      // At the end of all renewals the new one lasts no longer than the old one.
      const life = 1_000 * body.expires_in;
      if (life > left) this.#plan(life);
    } else if (![401, 403, 404].includes(status) && left > RENEWAL_AGAIN_MS) {
      this.#timer = setTimeout(() => this.#renew(left - RENEWAL_AGAIN_MS), RENEWAL_AGAIN_MS);
    }
  }

  /** Never fails: whoever asks goes on without. */
  async #ask(address, within) {
    try {
      const answer = await fetch(address, {
        method: 'POST', headers: { Authorization: `Bearer ${this.token}` }, cache: 'no-store',
        signal: AbortSignal.timeout(within),
      });
      return { status: answer.status, body: answer.ok ? await answer.json() : null };
    } catch {
      return { status: 0, body: null };
    }
  }
}

/** In milliseconds since 1970; NaN when the token does not tell. */
function endOf(token) {
  try {
    const claims = token.split('.')[1].replaceAll('-', '+').replaceAll('_', '/');
    return 1_000 * JSON.parse(atob(claims)).exp;
  } catch {
    return NaN;
  }
}
