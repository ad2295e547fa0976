/** Who is talking now, one of them closely, and what it costs. Each is hidden where this gateway does not tell. */

import { Problem } from './admin-api.js';
import { byId, element, facts, moment, show, spoken, usd, write } from './admin-parts.js';

const PAGE = 50;
const CONFIRM_WITHIN_MS = 5_000;
const COST_ROWS = 14;

export class SessionList {
  #api;
  #more = byId('more-sessions');
  #body = byId('sessions').tBodies[0];
  #next = null;
  #pages = 1;
  /** This gateway does not tell, or not this operator: it is not asked again. */
  #absent = false;
  #view;

  constructor(api, announce) {
    this.#api = api;
    this.#view = new SessionView(api, announce, () => this.refresh());
    this.#more.onclick = () => {
      this.#pages++;
      this.refresh();
    };
    byId('sessions-again').onclick = () => this.refresh();
  }

  /** As many pages again as were asked for. */
  async refresh() {
    if (this.#absent) return;
    const sessions = [];
    const silent = new Set();
    try {
      this.#next = null;
      for (let page = 0; page < this.#pages; page++) {
        const answer = await this.#api.find(`/admin/sessions?limit=${PAGE}${this.#next ? `&after=${encodeURIComponent(this.#next)}` : ''}`);
        if (answer === null || !Array.isArray(answer.sessions)) {
          this.#absent = true;
          return;
        }
        sessions.push(...answer.sessions);
        answer.silent_nodes?.forEach(node => silent.add(node));
        this.#next = answer.next ?? null;
        if (this.#next === null) break;
      }
    } catch (problem) {
      if (!(problem instanceof Problem)) throw problem;
      this.#absent = problem.status === 403;
      return;
    }
    byId('session-card').hidden = false;
    write(byId('session-title'), `Sessions ${sessions.length}${this.#next ? '+' : ''}`);
    show(byId('silent-nodes'), silent.size === 0 ? '' : `Without those of nodes that did not answer: ${[...silent].join(', ')}.`);
    byId('no-sessions').hidden = sessions.length > 0;
    byId('sessions').hidden = sessions.length === 0;
    this.#more.hidden = this.#next === null;
    const focused = document.activeElement?.dataset.session;
    this.#body.replaceChildren(...sessions.map(session => this.#row(session)));
    if (focused) [...this.#body.querySelectorAll('button')].find(button => button.dataset.session === focused)?.focus();
  }

  stop() {
    this.#view.close();
    byId('session-card').hidden = true;
    this.#body.replaceChildren();
  }

  #row(session) {
    const cell = (label, content, number = false) =>
      element('td', { 'data-label': label, class: number ? 'number' : null }, content ?? '');
    return element('tr', {},
      element('th', { scope: 'row' }, element('button', {
        type: 'button', class: 'link', 'data-session': session.id, title: session.id,
        onclick: () => this.#view.open(session.id),
      }, session.id.replace(/^sess_/, '').slice(0, 10))),
      cell('Caller', session.tenant && session.tenant !== 'default' ? `${session.caller} (${session.tenant})` : session.caller),
      cell('Phase', `${spoken(session.phase)}${session.attached === false ? ', nobody there' : ''}`),
      cell('Node', session.node),
      cell('Edge', session.edge_node),
      cell('Provider', session.provider),
      cell('Turns', String(session.turns ?? ''), true),
      cell('Cost', usd(session.cost_usd), true),
      cell('Since', session.opened_at ? moment(session.opened_at) : ''));
  }
}

class SessionView {
  #api;
  #announce;
  #ended;
  #dialog = byId('session');
  #problem = byId('session-problem');
  #read = byId('session-read');
  #end = byId('session-end');
  #transcript = byId('session-transcript');
  #id = '';
  #sure = 0;

  constructor(api, announce, ended) {
    this.#api = api;
    this.#announce = announce;
    this.#ended = ended;
    byId('session-close').onclick = () => this.close();
    this.#dialog.onclose = () => this.#unsure();
    this.#read.onclick = () => this.#readTranscript();
    this.#end.onclick = () => this.#endSession();
  }

  async open(id) {
    this.#id = id;
    this.#unsure();
    write(byId('session-name'), id);
    show(this.#problem, '');
    byId('session-facts').replaceChildren();
    this.#transcript.replaceChildren();
    this.#transcript.hidden = true;
    this.#read.hidden = false;
    this.#dialog.showModal();
    await this.#try(async () => this.#show(await this.#api.get(`/admin/sessions/${encodeURIComponent(id)}`)));
  }

  close() {
    if (this.#dialog.open) this.#dialog.close();
  }

  #show(session) {
    byId('session-facts').replaceChildren(facts([
      ['caller', session.caller], ['tenant', session.tenant], ['face', session.face], ['arm', session.arm],
      ['let in by', session.rule ? `${spoken(session.rule)}${session.rollout_revision == null ? '' : `, revision ${session.rollout_revision}`}` : ''],
      ['phase', spoken(session.phase)], ['end', spoken(session.end_reason)],
      ['caller there', session.attached === undefined ? '' : session.attached ? 'yes' : 'no'],
      ['node', session.node], ['edge node', session.edge_node],
      ['provider', [session.provider, session.model].filter(Boolean).join(' · ')],
      ['turns', String(session.turns ?? '')], ['cost', usd(session.cost_usd)],
      ['tokens', typeof session.tokens === 'object' && session.tokens !== null
        ? Object.entries(session.tokens).map(([kind, count]) => `${spoken(kind)} ${count}`).join(', ') : session.tokens],
      ['opened', session.opened_at ? moment(session.opened_at) : ''],
    ]));
    this.#end.hidden = session.phase === 'over';
  }

  #readTranscript() {
    return this.#try(async () => {
      const { turns } = await this.#api.get(`/admin/sessions/${encodeURIComponent(this.#id)}/transcript`);
      this.#transcript.replaceChildren(...(turns.length === 0
        ? [element('li', { class: 'soft' }, 'Nothing has been said.')]
        : turns.map(turn => element('li', {}, element('span', { class: 'soft' }, spoken(turn.role), ' ', turn.at ? moment(turn.at) : ''),
          element('span', {}, turn.text ?? '–')))));
      this.#transcript.hidden = false;
      this.#read.hidden = true;
    });
  }

  /** Pressed twice. */
  async #endSession() {
    if (this.#sure === 0) {
      write(this.#end, 'Press again to end it');
      this.#sure = setTimeout(() => this.#unsure(), CONFIRM_WITHIN_MS);
      return;
    }
    this.#unsure();
    await this.#try(async () => {
      await this.#api.ask('DELETE', `/admin/sessions/${encodeURIComponent(this.#id)}`);
      this.#announce('The session is ended.');
      this.close();
      this.#ended();
    });
  }

  #unsure() {
    clearTimeout(this.#sure);
    this.#sure = 0;
    write(this.#end, 'End session');
  }

  async #try(act) {
    try {
      show(this.#problem, '');
      await act();
    } catch (problem) {
      if (!(problem instanceof Problem)) throw problem;
      show(this.#problem, problem.status === 404 ? 'It is not there any more.' : problem.words);
    }
  }
}

const AMOUNTS = [['sessions', 'Sessions'], ['cost_usd', 'Cost']];

export class Costs {
  #api;
  #by = byId('cost-by');
  #absent = false;

  constructor(api) {
    this.#api = api;
    this.#by.onchange = () => this.refresh();
  }

  async refresh() {
    if (this.#absent) return;
    const by = this.#by.value;
    let answer;
    try {
      answer = await this.#api.find(`/admin/costs?by=${by}`);
    } catch (problem) {
      if (!(problem instanceof Problem)) throw problem;
      this.#absent = problem.status === 403;
      return;
    }
    const rows = answer?.rows;
    if (!Array.isArray(rows)) {
      this.#absent = true;
      return;
    }
    if (by !== this.#by.value) return;
    byId('cost-card').hidden = false;
    const shown = by === 'day' ? rows.slice(-COST_ROWS).reverse()
      : rows.toSorted((one, other) => Number(other.cost_usd) - Number(one.cost_usd)).slice(0, COST_ROWS);
    const amounts = AMOUNTS.filter(([name]) => rows.some(row => row[name] !== undefined));
    byId('costs').tHead.replaceChildren(element('tr', {},
      element('th', { scope: 'col' }, by === 'day' ? 'Day' : 'Tenant'),
      ...amounts.map(([, title]) => element('th', { scope: 'col', class: 'number' }, title))));
    byId('costs').tBodies[0].replaceChildren(
      ...shown.map(row => costRow(row[by] ?? '', row, amounts)),
      ...(answer.total_usd === undefined ? [] : [costRow('Total', { cost_usd: answer.total_usd }, amounts)]));
  }

  stop() {
    byId('cost-card').hidden = true;
  }
}

function costRow(name, row, amounts) {
  return element('tr', {}, element('th', { scope: 'row' }, name), ...amounts.map(([key, title]) =>
    element('td', { class: 'number', 'data-label': title }, key === 'cost_usd' ? usd(row[key]) : String(row[key] ?? ''))));
}
