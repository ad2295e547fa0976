/** What happened: the audit, newest first, though the API tells it from the oldest. */

import { Problem } from './admin-api.js';
import { diffTable } from './admin-change.js';
import { byId, element, facts, moment, nodeName, show, spoken } from './admin-parts.js';

const PAGE = 30;
const MOST_LINES = 200;
/** A kill is written down after it was done. */
const LATER_MS = [300, 3_000];

export class History {
  #api;
  #revision;
  #list = byId('history');
  #older = byId('older');
  #trouble = byId('history-problem');
  /** Numbers of the oldest line that is shown, and of the newest. */
  #first = 0;
  #last = 0;
  #begun = false;
  #stopped = false;
  #reading = Promise.resolve();
  #timers = [];

  /** @param revision the present one: there are at least as many lines */
  constructor(api, revision) {
    this.#api = api;
    this.#revision = revision;
    this.#list.replaceChildren();
    this.#older.onclick = () => this.#next(() => this.#page());
    byId('verify').onclick = () => this.#verify();
    show(byId('verified'), '');
  }

  /** Reads on from where it is: one reading after the other, so that no line comes twice. */
  follow() {
    return this.#next(() => this.#begun ? this.#newer() : this.#begin());
  }

  /** Something happened, and is or will be written. */
  happened() {
    this.#forgetTimers();
    this.#timers = [0, ...LATER_MS].map(ms => setTimeout(() => this.follow(), ms));
  }

  stop() {
    this.#forgetTimers();
    this.#stopped = true;
    this.#list.replaceChildren();
  }

  #next(read) {
    this.#reading = this.#reading.then(async () => {
      if (this.#stopped) return;
      try {
        await read();
        show(this.#trouble, '');
      } catch (problem) {
        if (!(problem instanceof Problem)) throw problem;
        show(this.#trouble, problem.words);
      }
    });
    return this.#reading;
  }

  async #begin() {
    this.#last = await this.#end();
    this.#first = this.#last + 1;
    await this.#page();
    this.#begun = true;
  }

  /** The number of the newest line, in a few questions for one line each. */
  async #end() {
    let there = 0;
    let step = Math.max(1, this.#revision);
    while (await this.#exists(there + step)) {
      there += step;
      step *= 2;
    }
    // Line `there` is there, and line `there + step` is not.
    for (let beyond = there + step; beyond - there > 1;) {
      const middle = Math.floor((there + beyond) / 2);
      if (await this.#exists(middle)) there = middle;
      else beyond = middle;
    }
    return there;
  }

  async #exists(line) {
    return (await this.#lines(line - 1, 1)).length > 0;
  }

  /** One page of older lines. */
  async #page() {
    const after = Math.max(0, this.#first - 1 - PAGE);
    const count = this.#first - 1 - after;
    const lines = count === 0 ? [] : await this.#lines(after, count);
    this.#list.append(...lines.reverse().map(line));
    this.#first = after + 1;
    this.#older.hidden = this.#first <= 1;
    if (this.#list.childElementCount === 0) this.#list.append(element('li', { class: 'soft nothing' }, 'Nothing has happened yet.'));
  }

  async #newer() {
    for (;;) {
      const lines = await this.#lines(this.#last, MOST_LINES);
      if (lines.length > 0) this.#list.querySelector('.nothing')?.remove();
      this.#list.prepend(...lines.toReversed().map(line));
      this.#last = lines.at(-1)?.seq ?? this.#last;
      if (lines.length < MOST_LINES) return;
    }
  }

  async #lines(after, limit) {
    return (await this.#api.get(`/admin/rollout/history?after=${after}&limit=${limit}`)).lines;
  }

  async #verify() {
    show(byId('verified'), 'Reading every line…');
    try {
      const { lines, whole, first_broken: broken } = await this.#api.get('/admin/rollout/history/verify');
      show(byId('verified'), whole
        ? `All ${lines} lines are as they were written.`
        : `Line ${broken} is not as it was written, of ${lines}.`);
    } catch (problem) {
      if (!(problem instanceof Problem)) throw problem;
      show(byId('verified'), problem.words);
    }
  }

  #forgetTimers() {
    this.#timers.forEach(clearTimeout);
    this.#timers = [];
  }
}

function line({ seq, at, actor, action, outcome, reason, revision, diff, evidence, nodes, hash }) {
  const share = diff?.find(({ path }) => path === '/percentage');
  const live = diff?.find(({ path }) => path === '/killed/live')?.to;
  return element('li', { value: seq },
    element('details', { class: 'event', 'data-outcome': outcome },
      element('summary', {},
        element('span', { class: 'event-at' }, moment(at)),
        element('span', { class: 'event-what' },
          element('strong', {}, actor?.id || actor?.type || 'nobody known'), ' ',
          spoken(action.replace(/^rollout\./, '').replace(/^(release) .*/, '$1').replace('live=', 'live: ')),
          live ? ` live: ${spoken(live)}` : '', share ? ` ${share.from} → ${share.to} %` : '',
          outcome === 'applied' ? null : element('em', {}, ` ${outcome}`)),
        reason ? element('span', { class: 'event-why' }, reason) : null),
      element('div', { class: 'event-more' },
        diff?.length > 0 ? diffTable(diff) : null,
        facts([
          ['line', String(seq)],
          ['revision', revision.from === revision.to ? String(revision.to) : `${revision.from} → ${revision.to}`],
          ['by', [actor?.type, actor?.id, actor?.role, actor?.via].filter(Boolean).join(' · ')],
          ['nodes', nodes?.map(nodeName).join(', ')],
          ['hash', element('code', {}, String(hash).slice(0, 16))],
        ]),
        evidence ? element('pre', { class: 'evidence', tabindex: '0' }, pretty(evidence)) : null)));
}

function pretty(evidence) {
  try {
    return JSON.stringify(typeof evidence === 'string' ? JSON.parse(evidence) : evidence, null, 2);
  } catch {
    return String(evidence);
  }
}
