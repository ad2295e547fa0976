/** Changing the rollout: first what would happen, then a reason, and a second yes where more users would get in. */

import { Problem, newKey } from './admin-api.js';
import { byId, effect, element, ignoreRepeats, show, spoken, write } from './admin-parts.js';

/** A press this soon after the first is the same press. */
const SECOND_PRESS_AFTER_MS = 400;

export class Ask {
  #dialog = byId('ask');
  #form = byId('ask-form');
  #problem = byId('ask-problem');
  #effect = byId('ask-effect');
  #confirm = byId('ask-confirm');
  #reason = byId('ask-reason');
  #go = byId('ask-go');
  #page;
  #wish = null;
  /** What the dry run saw: a change is made to that and nothing newer. */
  #revision = 0;
  #entering = 0;
  /** Who or what gets in by name. */
  #names = [];
  /** Nothing is done before it was shown. */
  #previewed = false;
  #confirmed = false;
  #settling = 0;
  #key = '';
  #busy = false;
  #done = false;

  /** @param page api, rollout, learn(rollout), announce(text) */
  constructor(page) {
    this.#page = page;
    this.#form.addEventListener('submit', event => {
      event.preventDefault();
      this.#submit();
    });
    ignoreRepeats(this.#form);
    byId('ask-cancel').addEventListener('click', () => this.#dialog.close());
    this.#dialog.addEventListener('close', () => {
      this.#wish?.closed?.(this.#done);
      this.#wish = null;
    });
  }

  get #raises() {
    return this.#entering > 0 || this.#names.length > 0;
  }

  get isOpen() {
    return this.#dialog.open;
  }

  close() {
    this.#dialog.close();
  }

  /**
   * @param wish
   *   title, verb   what is going to be done
   *   method, path, body   as the API wants it
   *   entering      users in per cent that get voice by it, where no dry run tells
   *   unconditional it is done whatever has changed meanwhile
   *   learn(answer) takes the answer; the page's own way by default
   *   closed(done)  it is no longer asked
   */
  async open(wish) {
    this.#wish = wish;
    this.#done = false;
    this.#key = newKey();
    write(byId('ask-title'), wish.title);
    this.#reason.value = '';
    show(this.#problem, '');
    this.#dialog.showModal();
    this.#reason.focus();
    await this.#preview();
  }

  async #preview() {
    const wish = this.#wish;
    this.#unconfirm();
    this.#previewed = false;
    this.#revision = this.#page.rollout.revision;
    byId('ask-details').hidden = true;
    if (wish.entering !== undefined) {
      this.#tell({ entering_percent: wish.entering }, wish.note ?? '');
      return;
    }
    write(this.#effect, 'Asking what would happen…');
    show(byId('ask-note'), '');
    this.#go.disabled = true;
    try {
      const would = await this.#page.api.ask(wish.method, `${wish.path}?dry_run=true`,
        { body: { ...wish.body, reason: 'dry run' }, revision: this.#revision });
      if (wish !== this.#wish) return;
      this.#tell(would.users, note(would), named(this.#page.rollout, would));
      this.#showDiff(would.diff ?? []);
    } catch (problem) {
      if (wish !== this.#wish) return;
      write(this.#effect, '');
      await this.#failed(problem, false);
    }
  }

  /** @param names who or what gets in, and out, by name */
  #tell(users, text, names = { enter: [], leave: [] }) {
    this.#previewed = true;
    this.#entering = users?.entering_percent ?? 0;
    this.#names = names.enter;
    const byShare = effect(users);
    const byName = [...names.enter.map(name => `+ ${name}`), ...names.leave.map(name => `− ${name}`)];
    const share = this.#entering > 0 || (users?.leaving_percent ?? 0) > 0;
    this.#effect.replaceChildren(...[...(share || byName.length === 0 ? [byShare] : []), ...byName].flatMap((line, k) => k === 0 ? [line] : [element('br'), line]));
    this.#effect.dataset.names = String(byName.length > 0);
    this.#effect.dataset.way = this.#raises ? 'up' : share || names.leave.length > 0 ? 'down' : 'same';
    show(byId('ask-note'), text);
    this.#go.disabled = false;
    write(this.#go, this.#wish.verb);
  }

  #showDiff(diff) {
    byId('ask-details').hidden = diff.length === 0;
    byId('ask-diff').replaceChildren(diffTable(diff));
  }

  async #submit() {
    const wish = this.#wish;
    if (wish === null || this.#busy || this.#go.disabled || this.#settling !== 0) return;
    if (!this.#previewed) {
      show(this.#problem, '');
      await this.#preview();
      return;
    }
    if (this.#raises && !this.#confirmed) {
      this.#confirmed = true;
      const who = [this.#entering > 0 ? `${this.#entering} % more of all users` : '', ...this.#names].filter(Boolean).join(', ');
      show(this.#confirm, `This lets ${who} in. Press once more to confirm.`);
      write(this.#go, `Confirm: ${wish.verb.toLowerCase()}`);
      // Not disabled as such: it keeps the focus.
      this.#go.setAttribute('aria-disabled', 'true');
      this.#settling = setTimeout(() => this.#settle(), SECOND_PRESS_AFTER_MS);
      return;
    }
    this.#busy = true;
    this.#form.setAttribute('aria-busy', 'true');
    try {
      const answer = await this.#page.api.ask(wish.method, wish.path, {
        body: { ...wish.body, reason: this.#reason.value.trim() },
        ...(wish.unconditional ? {} : { revision: this.#revision, key: this.#key }),
      });
      (wish.learn ?? this.#page.learn)(answer);
      this.#page.announce(answer.waits_for_approval ? `Proposed: ${wish.title}. Somebody else has to approve it.` : `Done: ${wish.title}.`);
      this.#done = true;
      this.#dialog.close();
    } catch (problem) {
      if (wish === this.#wish) await this.#failed(problem, true);
    } finally {
      this.#busy = false;
      this.#form.removeAttribute('aria-busy');
    }
  }

  async #failed(problem, tried) {
    if (!(problem instanceof Problem)) throw problem;
    const { status, body } = problem;
    if (status === 412 && body.current) {
      this.#page.learn(body.current);
      const reason = body.current.changed?.reason;
      show(this.#problem, `${body.changed_by ?? 'Somebody'} changed it meanwhile${reason ? `: ${reason}` : ''}. `
        + 'The new state is loaded. Below is what your change would do now.');
      // Refused once, it may be asked again with a key that nobody has seen.
      this.#key = newKey();
      await this.#preview();
      return;
    }
    this.#unconfirm();
    this.#go.disabled = !tried && !problem.isUnknown;
    show(this.#problem, tried && problem.isUnknown
      ? `It is not known whether this was done: ${problem.words} Press again: it will be done once, not twice.`
      : problem.words);
    if (problem.isUnknown) write(this.#go, 'Ask again');
  }

  #settle() {
    clearTimeout(this.#settling);
    this.#settling = 0;
    this.#go.removeAttribute('aria-disabled');
  }

  #unconfirm() {
    this.#confirmed = false;
    this.#settle();
    show(this.#confirm, '');
    write(this.#go, this.#wish.verb);
  }
}

function note(would) {
  const texts = [];
  if (would.waits_for_approval) texts.push('This is only proposed: nothing happens before somebody else approves it.');
  if ((would.users?.leaving_percent ?? 0) > 0) texts.push('Their running calls go on.');
  if (would.state === 'paused' && would.diff?.some(({ path, to }) => path === '/state' && to.toLowerCase() === 'paused')) {
    texts.push('The ramp pauses: nothing more happens by itself.');
  }
  if (would.killed) texts.push('Voice is switched off: it counts when voice is released.');
  return texts.join(' ');
}

/** What lists say beside the percentage; as many names of each as can be read. */
function named(now, would) {
  const enter = [];
  const leave = [];
  const changes = (one, more, fewer, added, removed) => {
    const plus = [...added].filter(name => !removed.has(name));
    const minus = [...removed].filter(name => !added.has(name));
    if (plus.length > 0) more.push(`${one(plus.length)} ${some(plus)}`);
    if (minus.length > 0) fewer.push(`${one(minus.length)} ${some(minus)}`);
  };
  const counted = (name, plural) => count => count === 1 ? name : `${count} ${plural}`;
  const whole = (tenants, way) => new Set(Object.entries(tenants ?? {}).filter(([, rule]) => rule === way).map(([name]) => name));
  changes(counted('the user', 'users'), enter, leave, new Set(would.allow), new Set(now.allow));
  changes(counted('the cohort', 'cohorts'), enter, leave, new Set(would.cohorts), new Set(now.cohorts));
  changes(counted('the tenant', 'tenants'), enter, leave, whole(would.tenants, 'on'), whole(now.tenants, 'on'));
  changes(counted('denied: the user', 'users that were denied:'), leave, enter, new Set(would.deny), new Set(now.deny));
  changes(counted('switched off: the tenant', 'tenants that were switched off:'), leave, enter, whole(would.tenants, 'off'), whole(now.tenants, 'off'));
  return { enter, leave };
}

const some = names => names.length <= 3 ? names.join(', ') : `${names.slice(0, 2).join(', ')} and ${names.length - 2} more`;

export function diffTable(diff) {
  return element('table', { class: 'diff-table' },
    element('thead', {}, element('tr', {}, ...['What', 'From', 'To'].map(name => element('th', { scope: 'col' }, name)))),
    element('tbody', {}, ...diff.map(({ path, from, to }) => element('tr', {},
      element('th', { scope: 'row' }, spoken(path.replace(/^\//, '').replaceAll('/', ' '))),
      element('td', {}, from), element('td', {}, to)))));
}

/** The slider and the stages. Moving the slider changes nothing: the review does. */
export class Slider {
  #slider = byId('slider');
  #ask;
  #now = 0;
  #wanted = null;

  /** @param ask is called with a percentage and what to do when it is no longer asked */
  constructor(ask) {
    this.#ask = ask;
    this.#slider.addEventListener('input', () => {
      this.#wanted = Number(this.#slider.value);
      this.#render();
    });
    this.#slider.addEventListener('keydown', event => {
      if (event.key === 'Enter' && !event.repeat) {
        event.preventDefault();
        this.#review();
      }
      if (event.key === 'Escape') this.#leave();
    });
    byId('slide').addEventListener('submit', event => {
      event.preventDefault();
      this.#review();
    });
    byId('slide-back').addEventListener('click', () => {
      this.#leave();
      this.#slider.focus();
    });
  }

  show(rollout) {
    this.#now = rollout.percentage;
    if (this.#wanted === this.#now) this.#wanted = null;
    const { steps = [], step = -1 } = rollout.plan ?? {};
    const buttons = steps.map(({ percentage }, number) => element('button', {
      type: 'button', class: 'stage', 'data-percentage': percentage,
      'data-reached': number <= step, 'aria-current': number === step ? 'step' : null,
      disabled: percentage === this.#now,
      onclick: () => this.#ask(percentage, () => this.#leave()),
    }, `${percentage} %`));
    const focused = document.activeElement?.closest?.('#stages') ? document.activeElement.dataset.percentage : null;
    byId('stages').replaceChildren(...buttons);
    if (focused) buttons.find(button => button.dataset.percentage === focused && !button.disabled)?.focus();
    this.#render();
  }

  #review() {
    const wanted = Number(this.#slider.value);
    if (wanted !== this.#now) this.#ask(wanted, () => this.#leave());
  }

  #leave() {
    this.#wanted = null;
    this.#render();
  }

  #render() {
    const value = this.#wanted ?? this.#now;
    if (Number(this.#slider.value) !== value) this.#slider.value = value;
    this.#slider.style.setProperty('--value', `${value}%`);
    this.#slider.setAttribute('aria-valuetext', `${value} percent of users`);
    const moved = this.#wanted !== null && this.#wanted !== this.#now;
    write(byId('wanted'), moved ? `${this.#now} % → ${value} %` : `${value} %`);
    byId('review-line').hidden = !moved;
    write(byId('review'), `Review ${value} %…`);
  }
}

/** Why an action makes no sense now; '' when it does. The controller decides in the end. */
export function notNow(rollout, action) {
  const { state, percentage, plan = {}, killed } = rollout;
  const { steps = [], step = -1 } = plan;
  switch (action) {
    case 'promote':
      if (killed) return 'Voice is switched off.';
      if (state === 'suspended') return 'It goes on by itself when the trouble is over.';
      return step >= steps.length - 1 ? 'The last stage is reached.' : '';
    case 'pause':
      return ['running', 'holding'].includes(state) ? '' : 'Nothing runs that could pause.';
    case 'resume':
      if (killed) return 'Voice is switched off.';
      if (step < 0) return 'No stage is reached: promote begins the first.';
      return ['running', 'completed'].includes(state) ? 'Nothing is paused.' : '';
    case 'rollback':
      return percentage === 0 ? 'Nobody has voice.' : '';
    default:
      return '';
  }
}
