/** Guardrails: what each says, the score against its limit while the page is open, and what was seen against the bound. */

import { byId, clock, drawing, element, icon, length, percent, spoken } from './admin-parts.js';

const MOST_POINTS = 600;
const SHORTEST_SPAN_MS = 60_000;
const WIDTH = 240;
const SCORE_HEIGHT = 48;
const BAR_HEIGHT = 18;

/** As people say them. */
export const VERDICTS = { pass: 'passes', fail: 'fails', inconclusive: 'not decided', no_data: 'no data', error: 'cannot judge' };

const FAILING = { rollback_previous: 'back one stage', rollback_zero: 'back to nobody', pause: 'pause' };

const rank = ({ verdict }) => ['fail', 'error', 'inconclusive', 'no_data', 'pass'].indexOf(verdict);

export class Guardrails {
  #points = new Map();
  #verdicts = new Map();
  #announce;

  constructor(announce) {
    this.#announce = announce;
  }

  show(guardrails) {
    if (!Array.isArray(guardrails) || guardrails.length === 0) return;
    const now = Date.now();
    for (const guardrail of guardrails) {
      this.#note(guardrail, now);
      const before = this.#verdicts.get(guardrail.id);
      if (before !== undefined && before !== guardrail.verdict && [before, guardrail.verdict].includes('fail')) {
        this.#announce(`Guardrail ${spoken(guardrail.id)} ${VERDICTS[guardrail.verdict] ?? guardrail.verdict}.`);
      }
      this.#verdicts.set(guardrail.id, guardrail.verdict);
    }
    byId('guardrail-card').hidden = false;
    // What is wrong is looked for first.
    byId('guardrails').replaceChildren(...guardrails.toSorted((one, other) => rank(one) - rank(other)).map(guardrail => this.#card(guardrail, now)));
  }

  clear() {
    this.#points.clear();
    this.#verdicts.clear();
    byId('guardrail-card').hidden = true;
    byId('guardrails').replaceChildren();
  }

  #note({ id, score }, at) {
    const points = this.#points.get(id) ?? [];
    if (Number.isFinite(score)) points.push({ at, score });
    if (points.length > MOST_POINTS) points.shift();
    this.#points.set(id, points);
  }

  #card(guardrail, now) {
    const { id, verdict, score, limit, observed, low, high, bound, samples, control_samples: control, needed, why } = guardrail;
    const seen = Number.isFinite(observed) && samples > 0;
    const interval = Number.isFinite(low) && Number.isFinite(high) ? ` (${percent(low)} to ${percent(high)})` : '';
    const evidence = [
      `${samples ?? 0}${needed > samples ? ` of ${needed}` : ''} sessions`,
      control > 0 ? `${control} compared` : '',
    ].filter(Boolean).join(', ');
    return element('li', { class: 'guardrail', 'data-verdict': verdict },
      element('div', { class: 'guardrail-head' },
        element('h3', {}, spoken(id)),
        element('span', { class: 'verdict' }, icon(verdict), VERDICTS[verdict] ?? spoken(verdict))),
      scoreChart(this.#points.get(id) ?? [], limit, now,
        `Score ${round(score)} of limit ${round(limit)}`),
      boundChart(guardrail, seen ? `Observed ${percent(observed)}${interval}, bound ${percent(bound)}` : `Nothing observed, bound ${percent(bound)}`),
      element('p', { class: 'figures' },
        seen ? `${percent(observed)}${interval}, at most ${percent(bound)}` : `nothing seen yet, at most ${percent(bound)}`),
      element('p', { class: 'figures' }, evidence),
      guardrail.detects ? element('p', { class: 'figures detects' }, ...sight(guardrail)) : null,
      why ? element('p', { class: 'figures' }, why) : null,
      element('p', { class: 'figures soft' },
        guardrail.observe_only ? 'only observed' : `on failure: ${FAILING[guardrail.on_fail] ?? spoken(guardrail.on_fail)}`));
  }
}

/** What this guardrail is able to see, and by when: too little traffic sees nothing, whatever the verdict is. */
function sight({ detects: { from, to, sessions, visible, sessions_per_hour: perHour }, samples, control_samples: control }) {
  const have = control > 0 ? Math.min(samples, control) : samples;
  const drop = `a drop from ${percent(from)} to ${percent(to)}`;
  if (have >= sessions) return [`sees ${drop}; by now even to ${percent(visible)}`];
  const left = perHour > 0 ? `, ${length(3_600_000 * (sessions - have) / perHour)} more at this traffic` : '';
  return [`sees ${drop} within ${sessions} sessions${left}. `,
    have === 0 ? '' : element('strong', {}, visible > 0.5 ? `So far only one to ${percent(visible)}.` : 'So far it sees next to nothing.')];
}

const round = value => Number.isFinite(value) ? String(Number(value.toFixed(1))) : '–';

function scoreChart(points, limit, now, label) {
  const since = points[0]?.at ?? now;
  const span = Math.max(SHORTEST_SPAN_MS, now - since);
  const top = Math.max(limit > 0 ? limit * 1.2 : 1, ...points.map(point => point.score));
  const x = at => WIDTH * (at - since) / span;
  const y = score => SCORE_HEIGHT - 2 - (SCORE_HEIGHT - 4) * Math.max(0, score) / top;
  let path = '';
  points.forEach((point, k) => { path += k === 0 ? `M${x(point.at)} ${y(point.score)}` : `H${x(point.at)}V${y(point.score)}`; });
  if (points.length > 0) path += `H${x(now)}`;
  return element('figure', { class: 'chart' },
    drawing('svg', { viewBox: `0 0 ${WIDTH} ${SCORE_HEIGHT}`, preserveAspectRatio: 'none', role: 'img', 'aria-label': label },
      drawing('path', { class: 'axis', d: `M0 ${SCORE_HEIGHT - 1}H${WIDTH}` }),
      Number.isFinite(limit) ? drawing('path', { class: 'limit', d: `M0 ${y(limit)}H${WIDTH}` }) : null,
      drawing('path', { class: 'score', d: path })),
    element('figcaption', {}, `since ${clock(new Date(since))}`,
      element('span', {}, `score ${round(points.at(-1)?.score)} of ${round(limit)}`)));
}

function boundChart({ bound, observed, low, high, samples }, label) {
  const seen = samples > 0 && Number.isFinite(observed);
  const top = Math.min(1, Math.max(2 * bound, seen ? observed * 1.1 : 0, seen && Number.isFinite(high) ? Math.min(high, 4 * bound) : 0)) || 1;
  const x = share => WIDTH * Math.min(1, share / top);
  const middle = BAR_HEIGHT / 2;
  return drawing('svg', { class: 'bound', viewBox: `0 0 ${WIDTH} ${BAR_HEIGHT}`, preserveAspectRatio: 'none', role: 'img', 'aria-label': label },
    drawing('path', { class: 'axis', d: `M0 ${middle}H${WIDTH}` }),
    seen && Number.isFinite(low) && Number.isFinite(high)
      ? drawing('rect', { class: 'interval', x: x(low), y: middle - 4, width: Math.max(1, x(high) - x(low)), height: 8 }) : null,
    drawing('path', { class: 'limit', d: `M${x(bound)} 0V${BAR_HEIGHT}` }),
    seen ? drawing('path', { class: 'observed', d: `M${x(observed)} 1V${BAR_HEIGHT - 1}` }) : null);
}
