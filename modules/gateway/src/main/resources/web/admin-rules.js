/** Who gets in at any percentage, and the plan of the ramp: shown, and edited in two dialogs. Nothing is changed here. */

import { byId, element, facts, ignoreRepeats, isoDuration, length, duration, show, writtenDuration } from './admin-parts.js';

const MOST_STEPS = 20;
const MOST_SHOWN = 5;
const LISTS = ['allow', 'deny', 'cohorts'];

export class Rules {
  #rollout = null;
  #lists;
  #plan;

  /** @param ask is called with a title, the changed values, and what to do when it is no longer asked */
  constructor(ask) {
    this.#lists = new Lists(ask);
    this.#plan = new Plan(ask);
    byId('edit-lists').addEventListener('click', () => this.#lists.open(this.#rollout));
    byId('edit-plan').addEventListener('click', () => this.#plan.open(this.#rollout));
  }

  show(rollout) {
    this.#rollout = rollout;
    const { allow = [], deny = [], cohorts = [], tenants = {}, plan = {} } = rollout;
    const of = way => Object.keys(tenants).filter(name => tenants[name] === way);
    byId('rules').replaceChildren(facts([
      ['allowed users', few(allow)], ['denied users', few(deny)], ['cohorts', few(cohorts)],
      ['tenants in', few(of('on'))], ['tenants out', few(of('off'))],
    ].map(([name, names]) => [name, names || 'none'])));
    const { steps = [], step = -1, max_hold: hold } = plan;
    byId('plan').replaceChildren(...steps.map(({ percentage, bake, min_sessions: sessions, approval }, number) =>
      element('li', { 'aria-current': number === step ? 'step' : null, 'data-reached': number <= step },
        element('strong', {}, `${percentage} %`),
        element('span', {}, [length(duration(bake)), sessions > 0 ? `${sessions} sessions` : '', approval ? 'then by hand' : ''].filter(Boolean).join(', ')))));
    show(byId('plan-hold'), hold ? `A stage that is not good to leave after ${length(duration(hold))} more is held.` : '');
  }

  close() {
    this.#lists.close();
    this.#plan.close();
  }
}

const few = names => names.length <= MOST_SHOWN ? names.join(', ')
  : `${names.slice(0, MOST_SHOWN).join(', ')} and ${names.length - MOST_SHOWN} more`;

/** A dialog whose values are kept until they are applied or left: a refusal brings them back. */
class Editor {
  #dialog;
  #problem;
  #ask;
  #title;
  #rollout = null;

  constructor(id, title, ask) {
    this.#dialog = byId(id);
    this.#problem = byId(`${id}-problem`);
    this.#title = title;
    this.#ask = ask;
    const form = this.#dialog.querySelector('form');
    form.addEventListener('submit', event => {
      event.preventDefault();
      this.#review();
    });
    ignoreRepeats(form);
    byId(`${id}-cancel`).addEventListener('click', () => this.#dialog.close());
  }

  open(rollout) {
    this.#rollout = rollout;
    this.fill(rollout);
    show(this.#problem, '');
    this.#dialog.showModal();
  }

  close() {
    if (this.#dialog.open) this.#dialog.close();
  }

  #review() {
    const { body, problem, field } = this.read(this.#rollout);
    show(this.#problem, problem ?? (Object.keys(body).length === 0 ? 'Nothing is changed yet.' : ''));
    if (problem) field?.focus();
    if (!this.#problem.hidden) return;
    this.#dialog.close();
    this.#ask(this.#title, body, done => {
      // What was typed is still there.
      if (!done) this.#dialog.showModal();
    });
  }
}

class Lists extends Editor {
  constructor(ask) {
    super('lists', 'Change who gets in', ask);
  }

  fill(rollout) {
    for (const list of LISTS) byId(`lists-${list}`).value = (rollout[list] ?? []).join('\n');
    for (const way of ['on', 'off']) byId(`lists-${way}`).value = tenantsThatAre(way, rollout).join('\n');
  }

  read(rollout) {
    const body = {};
    for (const list of LISTS) {
      const names = namesIn(byId(`lists-${list}`));
      if (!same(names, rollout[list] ?? [])) body[list] = names;
    }
    const on = namesIn(byId('lists-on'));
    const off = namesIn(byId('lists-off'));
    const both = on.find(name => off.includes(name));
    if (both !== undefined) return { body, problem: `${both}: a tenant is in or out, not both.`, field: byId('lists-off') };
    if (!same(on, tenantsThatAre('on', rollout)) || !same(off, tenantsThatAre('off', rollout))) {
      body.tenants = Object.fromEntries([...on.map(name => [name, 'on']), ...off.map(name => [name, 'off'])]);
    }
    return { body };
  }
}

const tenantsThatAre = (way, { tenants = {} }) => Object.keys(tenants).filter(name => tenants[name] === way).sort();

/** One a line, each once. */
const namesIn = field => [...new Set(field.value.split('\n').map(name => name.trim()).filter(Boolean))].sort();

const same = (one, other) => JSON.stringify(one) === JSON.stringify([...other].sort());

class Plan extends Editor {
  #rows = byId('plan-rows');
  #hold = byId('plan-max-hold');

  constructor(ask) {
    super('plan-editor', 'Change the plan', ask);
    byId('plan-add').addEventListener('click', () => {
      const last = this.#rows.lastElementChild;
      const row = this.#row({
        percentage: Math.min(100, Math.max(1, 2 * Number(last?.querySelector('[name=percentage]').value ?? 0))),
        bake: isoDuration(last?.querySelector('[name=bake]').value ?? '') ?? 'PT15M',
        min_sessions: Number(last?.querySelector('[name=sessions]').value ?? 0) || 0,
      });
      this.#rows.append(row);
      this.#renumber();
      row.querySelector('input').focus();
    });
  }

  fill({ plan = {} }) {
    this.#rows.replaceChildren(...(plan.steps ?? []).map(step => this.#row(step)));
    this.#renumber();
    this.#hold.value = writtenDuration(plan.max_hold ?? 'PT24H');
  }

  read({ plan = {} }) {
    const steps = [];
    for (const [number, row] of [...this.#rows.children].entries()) {
      const field = name => row.querySelector(`[name=${name}]`);
      const bake = isoDuration(field('bake').value);
      if (bake === null) return { body: {}, problem: `Stage ${number + 1}: bakes “${field('bake').value}” (expected: such as 15 min or 24 h).`, field: field('bake') };
      steps.push({
        percentage: Number(field('percentage').value), bake, min_sessions: Number(field('sessions').value), approval: field('approval').checked,
      });
      if (number > 0 && steps[number].percentage <= steps[number - 1].percentage) {
        return { body: {}, problem: `Stage ${number + 1}: ${steps[number].percentage} % after ${steps[number - 1].percentage} % (expected: rising).`, field: field('percentage') };
      }
    }
    const hold = isoDuration(this.#hold.value);
    if (hold === null) return { body: {}, problem: `Held after “${this.#hold.value}” (expected: such as 24 h).`, field: this.#hold };
    const before = (plan.steps ?? []).map(({ percentage, bake, min_sessions, approval }) => [percentage, duration(bake), min_sessions, approval]);
    const after = steps.map(({ percentage, bake, min_sessions, approval }) => [percentage, duration(bake), min_sessions, approval]);
    const changed = JSON.stringify([before, duration(plan.max_hold)]) !== JSON.stringify([after, duration(hold)]);
    return { body: changed ? { plan: { steps, max_hold: hold } } : {} };
  }

  #row({ percentage, bake, min_sessions: sessions, approval }) {
    const labelled = (text, input) => element('label', { class: 'field' }, element('span', {}, text), input);
    return element('li', { class: 'plan-row' },
      labelled('% of users', element('input', { name: 'percentage', type: 'number', min: 1, max: 100, step: 1, required: true, value: percentage })),
      labelled('Bakes', element('input', { name: 'bake', type: 'text', required: true, autocomplete: 'off', value: writtenDuration(bake) })),
      labelled('Sessions', element('input', { name: 'sessions', type: 'number', min: 0, max: 1_000_000, step: 1, required: true, value: sessions ?? 0 })),
      element('label', { class: 'check' }, element('input', { name: 'approval', type: 'checkbox', checked: approval === true }), ' then by hand'),
      element('button', { type: 'button', class: 'plain small', onclick: event => this.#remove(event.currentTarget.closest('li')) }, 'Remove'));
  }

  #remove(row) {
    const next = row.nextElementSibling ?? row.previousElementSibling;
    row.remove();
    this.#renumber();
    (next?.querySelector('button') ?? byId('plan-add')).focus();
  }

  /** Whoever does not see the rows hears which one a field belongs to. */
  #renumber() {
    const rows = [...this.#rows.children];
    rows.forEach((row, number) => {
      row.setAttribute('aria-label', `Stage ${number + 1}`);
      const remove = row.querySelector('button');
      remove.setAttribute('aria-label', `Remove stage ${number + 1}`);
      remove.disabled = rows.length === 1;
    });
    byId('plan-add').disabled = rows.length >= MOST_STEPS;
  }
}
