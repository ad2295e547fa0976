/** The admin page: who is signed in, what the rollout is, and the switch that stops it. */

import { Api, Problem } from './admin-api.js';
import { Ask, Slider, diffTable, notNow } from './admin-change.js';
import { Guardrails, VERDICTS } from './admin-guardrails.js';
import { History } from './admin-history.js';
import { Rules } from './admin-rules.js';
import { Hold } from './admin-hold.js';
import {
  byId, clock, duration, element, facts, icon, ignoreRepeats, length, moment, nodeName, show, spoken, write,
} from './admin-parts.js';
import { Costs, SessionList } from './admin-sessions.js';

const TOKEN = 'parley-admin-token';
const REFRESH_EVERY_MS = 15_000;
/** Where a card for the switch has no room beside the rest. */
const narrow = matchMedia('(max-width: 60rem)');

const STATES = {
  paused: 'Paused', running: 'Running', holding: 'Holding', suspended: 'Suspended', rolled_back: 'Rolled back',
  completed: 'Completed', off: 'Not enabled', killed: 'Switched off',
};
const STATE_ICONS = { killed: 'off' };

const LIVE = { finish_turn: 'Live sessions end after their turn.', close: 'Live sessions are closed.', go_on: 'Live sessions go on.' };

let api = null;
let rollout = null;
let desk = null;

// Signing in and out

async function signIn(token) {
  const asked = new Api(token, why => signedOut(why));
  write(byId('sign-in-button'), 'Signing in…');
  try {
    const current = await asked.get('/admin/rollout');
    open(asked, token);
    learn(current);
    follow();
  } catch (problem) {
    if (!(problem instanceof Problem)) throw problem;
    if (problem.status === 403) {
      // Whoever may see nothing may still hold the token that can only stop it.
      open(asked, token);
      limited(problem);
    } else if (problem.status !== 401) {
      show(byId('sign-in-problem'), problem.words);
    }
  } finally {
    write(byId('sign-in-button'), 'Sign in');
  }
}

function open(asked, token) {
  api = asked;
  sessionStorage.setItem(TOKEN, token);
  byId('token').value = '';
  show(byId('sign-in-problem'), '');
  show(byId('notice'), '');
  view('desk');
  showBearer(token);
}

function limited(problem) {
  document.body.dataset.limited = 'true';
  show(byId('notice'), `This token may not see the rollout: it lacks the role ${problem.missingRole}. It may still be allowed to switch voice off.`);
  byId('line').hidden = true;
  byId('kill-card').open = true;
  byId('kill').focus();
}

/** @param why '' for a token that is not good any more; null: by the operator */
function signedOut(why) {
  const wasOpen = api !== null;
  sessionStorage.removeItem(TOKEN);
  desk?.stop();
  desk = null;
  api = null;
  rollout = null;
  delete document.body.dataset.limited;
  delete document.body.dataset.killed;
  byId('banner').hidden = true;
  if (ask.isOpen) ask.close();
  rules.close();
  view('sign-in');
  document.title = 'Parley rollout';
  show(byId('sign-in-problem'), why === null ? ''
    : wasOpen ? 'Your token is not valid any more. Sign in again.'
      : `This token is not valid${why ? `: ${why}` : '.'}`);
  byId('token').focus();
}

function view(name) {
  document.body.dataset.view = name;
  byId('sign-in').hidden = name !== 'sign-in';
  byId('desk').hidden = name !== 'desk';
  byId('session-bar').hidden = name !== 'desk';
}

/** What a JSON Web Token says of its bearer; only to be shown. */
function showBearer(token) {
  let claims = {};
  try {
    claims = JSON.parse(new TextDecoder().decode(Uint8Array.from(
      atob(token.split('.')[1].replaceAll('-', '+').replaceAll('_', '/')), letter => letter.charCodeAt(0))));
  } catch {
    // Another kind of token.
  }
  const roles = Array.isArray(claims.roles) ? claims.roles.join(', ') : '';
  const until = Number.isFinite(claims.exp) ? `until ${clock(new Date(claims.exp * 1000))}` : '';
  write(byId('who'), [claims.sub, roles, until].filter(Boolean).join(' · '));
}

// What is told

function follow() {
  const ending = new AbortController();
  const guardrails = new Guardrails(announce);
  const history = new History(api, rollout.revision);
  const sessions = new SessionList(api, announce);
  const costs = new Costs(api);
  const refresh = () => {
    if (document.hidden) return;
    sessions.refresh();
    costs.refresh();
    history.follow();
    describe();
  };
  const timer = setInterval(refresh, REFRESH_EVERY_MS);
  document.addEventListener('visibilitychange', refresh);
  desk = {
    guardrails,
    history,
    stop() {
      ending.abort();
      clearInterval(timer);
      document.removeEventListener('visibilitychange', refresh);
      history.stop();
      sessions.stop();
      costs.stop();
      guardrails.clear();
    },
  };
  guardrails.show(rollout.guardrails);
  refresh();
  showLine('connecting');
  api.watch('/admin/rollout/events', ending.signal, { news, state: showLine });
}

function news(type, data) {
  if (type === 'guardrail.verdict') desk?.guardrails.show(Array.isArray(data) ? data : data.guardrails);
  else if (type === 'rollout.changed' || type === 'rollout.kill') learn(data);
}

function showLine(state) {
  byId('line').hidden = false;
  byId('line').dataset.line = state;
  write(byId('line-text'), state);
}

/** The newest revision wins, from wherever it comes. The switch has nothing to do with revisions. */
function learn(told) {
  const before = rollout;
  rollout = before !== null && told.revision < before.revision ? { ...before, killed: told.killed } : told;
  desk?.guardrails.show(told.guardrails);
  const changed = before !== null && before.revision !== rollout.revision;
  const switched = before !== null && (before.killed?.epoch ?? 0) !== (rollout.killed?.epoch ?? 0);
  describe();
  slider.show(rollout);
  rules.show(rollout);
  if (changed || switched) {
    desk?.history.happened();
    const { by, reason } = rollout.changed;
    announce(`${byId('state-word').textContent}, ${rollout.percentage} percent. `
      + (switched ? '' : `Changed by ${by}${reason ? `: ${reason}` : ''}.`));
  }
}

function announce(text) {
  write(byId('announcement'), text);
}

// What is shown

function describe() {
  if (rollout === null) return;
  const { percentage, revision, changed, killed, enabled, effective } = rollout;
  const state = killed ? 'killed' : enabled ? rollout.state : 'off';
  const word = STATES[state] ?? spoken(state);
  document.body.dataset.state = state;
  document.title = `${killed ? '■ ' : ''}${percentage} % ${word.toLowerCase()} · Parley`;
  byId('state-icon').replaceChildren(icon(STATE_ICONS[state] ?? state));
  write(byId('state-word'), word);
  write(byId('percentage'), String(percentage));
  write(byId('share-of'), (effective?.percentage ?? percentage) === percentage ? 'of users' : 'of users, and nobody gets in now');
  byId('why').replaceChildren(...waits().flatMap((text, k) => k === 0 ? [text] : [element('br'), text]));
  byId('changed').replaceChildren(...(changed?.at
    ? [`Revision ${revision}, by `, element('strong', {}, changed.by), ', ', moment(changed.at), changed.reason ? `: ${changed.reason}` : ', no reason given']
    : [`Revision ${revision}: as configured, nobody has changed it`]));
  for (const action of ['promote', 'pause', 'resume', 'rollback']) {
    const why = notNow(rollout, action);
    byId(action).disabled = why !== '';
    byId(action).title = why;
  }
  write(byId('promote'), `Promote${nextStep() ? ` to ${nextStep().percentage} %` : ''}`);
  byId('enable').hidden = enabled;
  showProposed(rollout.proposed);
  showKill(killed);
}

/** What somebody wants, where it takes somebody else to let more users in. */
function showProposed(proposed) {
  byId('proposed').hidden = !proposed;
  if (!proposed) return;
  byId('proposed-text').replaceChildren(element('strong', {}, proposed.by), ' proposes, ', moment(proposed.at), proposed.reason ? `: ${proposed.reason}` : '');
  byId('proposed-diff').replaceChildren(diffTable(proposed.diff));
}

function showKill(killed) {
  document.body.dataset.killed = killed ? 'true' : 'false';
  byId('banner').hidden = !killed;
  if (killed) {
    write(byId('banner-title'), 'Voice is switched off everywhere');
    byId('banner-text').replaceChildren('By ', element('strong', {}, killed.by), ', ', moment(killed.at),
      killed.reason ? `: ${killed.reason}. ` : ', no reason given. ', LIVE[killed.live] ?? '');
  }
  write(byId('kill-title'), killed ? 'Switch off another way' : 'Switch voice off');
  write(byId('kill-label'), killed ? 'Hold to apply this to live sessions' : 'Hold to switch off everywhere');
}

const nextStep = () => rollout.plan?.steps[(rollout.plan.step ?? -1) + 1];

/** Why nothing happens right now, or when what will. */
function waits() {
  const { state, enabled, killed, plan, waiting_for: waiting } = rollout;
  if (killed) return ['New callers are refused on every node until somebody releases voice.'];
  if (!enabled) return ['Nobody gets voice, whatever the percentage says, until it is enabled.'];
  const step = plan?.steps[plan.step];
  const next = nextStep();
  const lines = {
    paused: [step ? `Nothing goes on by itself. Resume bakes ${rollout.percentage} % for ${length(duration(step.bake))}.`
      : `No stage of the plan is reached: ${next ? `promote begins with ${next.percentage} %` : 'nothing goes on by itself'}.`],
    running: step ? [bakes(step, next)] : [],
    holding: ['Evidence has been missing for too long. Nobody more gets in until somebody decides.'],
    suspended: ['The trouble is everybody’s, not the rollout’s. New sessions do without voice; it goes on by itself afterwards.'],
    rolled_back: ['It was taken back, and stays so until somebody resumes or promotes, with a reason.'],
    completed: ['The last stage is reached, and has baked.'],
  }[state] ?? [];
  return [...lines, ...(waiting ?? []).map(waitsFor).filter(Boolean)];
}

function bakes({ bake, approval }, next) {
  const until = new Date(new Date(rollout.since).getTime() + duration(bake));
  const left = until.getTime() - Date.now();
  const then = !next ? 'then it is completed' : approval ? 'then somebody has to promote it' : `then ${next.percentage} %`;
  return left > 0
    ? `Bakes until ${clock(until)}, ${length(left)} more, ${then} if the evidence is there.`
    : `Has baked since ${clock(until)}. ${approval && next ? 'Somebody has to promote it.' : 'Waits for evidence.'}`;
}

function waitsFor({ kind, guardrail, have, need }) {
  if (kind === 'bake') return '';
  if (kind === 'approval') return 'Waits for somebody to promote it.';
  if (kind === 'tenant') return `${spoken(guardrail)}: only the tenant ${have} fails.`;
  if (kind === 'verdict') return `${spoken(guardrail).replace(/^./, letter => letter.toUpperCase())}: ${VERDICTS[have] ?? spoken(have)}.`;
  const what = [kind, guardrail].filter(Boolean).map(spoken).join(' of ');
  return need === undefined || need === null ? `Waits for ${what}.` : `Waits for ${what}: ${have ?? 0} of ${need}.`;
}

// What can be pressed

const ask = new Ask({
  get api() { return api; },
  get rollout() { return rollout; },
  learn: told => learn(told),
  announce,
});

const slider = new Slider((percentage, closed) => ask.open({
  // Whether it raises or lowers may change while it is asked.
  title: `Set to ${percentage} %`,
  verb: `Set to ${percentage} %`,
  method: 'PUT', path: '/admin/rollout', body: { percentage }, closed,
}));

const rules = new Rules((title, body, closed) => ask.open({
  title, verb: 'Apply', method: 'PUT', path: '/admin/rollout', body, closed,
}));

const ACTIONS = {
  promote: () => ({ title: `Promote to ${nextStep().percentage} %`, verb: 'Promote' }),
  pause: () => ({ title: 'Pause the ramp', verb: 'Pause' }),
  resume: () => ({ title: 'Resume the ramp', verb: 'Resume' }),
  rollback: () => ({ title: 'Roll back one stage', verb: 'Roll back' }),
  approve: () => ({ title: `Approve what ${rollout.proposed.by} proposes`, verb: 'Approve' }),
  reject: () => ({ title: `Reject what ${rollout.proposed.by} proposes`, verb: 'Reject' }),
};
for (const [action, words] of Object.entries(ACTIONS)) {
  byId(action).addEventListener('click', () => ask.open({ ...words(), method: 'POST', path: `/admin/rollout/${action}`, body: {} }));
}

byId('enable').addEventListener('click', () => ask.open({
  title: 'Enable voice', verb: 'Enable', method: 'PUT', path: '/admin/rollout', body: { enabled: true },
}));

byId('release').addEventListener('click', () => ask.open({
  title: 'Release voice', verb: 'Release', method: 'POST', path: '/admin/rollout/release', body: {}, unconditional: true,
  entering: rollout.enabled && rollout.state !== 'suspended' ? rollout.percentage : 0,
  note: 'Sessions that were ended do not come back by themselves.',
  learn: answer => {
    learn({ ...rollout, killed: null, effective: { ...rollout.effective, percentage: rollout.enabled ? rollout.percentage : 0 } });
    told(answer, 'on again');
  },
}));

async function kill() {
  const asked = api;
  byId('kill').setAttribute('aria-disabled', 'true');
  write(byId('kill-answer'), 'Switching off…');
  try {
    const answer = await asked.ask('POST', '/admin/rollout/kill', {
      body: { live: byId('kill-live').value, reason: byId('kill-reason').value.trim() },
    });
    byId('kill-reason').value = '';
    if (rollout) learn({ ...rollout, killed: answer.killed, effective: { ...rollout.effective, percentage: 0 } });
    told(answer, 'off');
  } catch (problem) {
    if (!(problem instanceof Problem)) throw problem;
    write(byId('kill-answer'), problem.isUnknown ? `${problem.words} It may not be switched off: try again, or ask another node.` : problem.words);
    byId('kill-answer').dataset.good = 'false';
  } finally {
    byId('kill').removeAttribute('aria-disabled');
  }
}

/** Which nodes know. */
function told({ acked = [], missing = [], elapsed_ms: ms }, way) {
  const answer = byId('kill-answer');
  answer.dataset.good = String(missing.length === 0);
  answer.replaceChildren(
    missing.length === 0 ? `Voice is ${way} on all ${acked.length} nodes, in ${ms} ms.`.replace('all 1 nodes', 'the one node')
      : `Voice is ${way} on ${acked.length} of ${acked.length + missing.length} nodes after ${ms} ms. The others are told until they answer.`,
    facts([['know', acked.map(nodeName).join(', ')], ['missing', missing.map(nodeName).join(', ')]]));
}

new Hold(byId('kill'), kill, text => show(byId('kill-help'), text || 'Hold it for a second, or press Enter twice.'));

byId('sign-in-form').addEventListener('submit', event => {
  event.preventDefault();
  const token = byId('token').value.trim();
  if (token !== '') signIn(token);
});
ignoreRepeats(byId('sign-in-form'));
byId('sign-out').addEventListener('click', () => signedOut(null));

byId('explain').addEventListener('submit', async event => {
  event.preventDefault();
  const query = new URLSearchParams({ user: byId('explain-user').value.trim() });
  const tenant = byId('explain-tenant').value.trim();
  const cohorts = byId('explain-cohorts').value.split(',').map(cohort => cohort.trim()).filter(Boolean).join(',');
  if (tenant) query.set('tenant', tenant);
  if (cohorts) query.set('cohorts', cohorts);
  try {
    const { user, arm, rule, bucket, rules } = await api.get(`/admin/rollout/decision?${query}`);
    const gets = arm === 'voice';
    byId('explained').replaceChildren(
      element('p', { class: 'decision', 'data-arm': arm }, icon(gets ? 'pass' : 'fail'),
        element('span', {}, element('strong', {}, user), gets ? ' gets voice' : ' does not get voice', `, by the rule “${spoken(rule)}”. Bucket ${bucket}.`)),
      element('ol', { class: 'rules' }, ...rules.map(each => element('li', { 'data-decided': each.rule === rule },
        element('strong', {}, spoken(each.rule)), ` ${each.says}`, each.rule === rule ? element('em', {}, ' decided') : null))));
  } catch (problem) {
    if (!(problem instanceof Problem)) throw problem;
    byId('explained').replaceChildren(element('p', { class: 'problem' }, problem.words));
  }
});

function place() {
  byId('kill-card').open = !narrow.matches;
}
narrow.addEventListener('change', place);
// Beside the rest there is room for it: always open.
byId('kill-summary').addEventListener('click', event => {
  if (!narrow.matches) event.preventDefault();
});
place();

async function helpInDevelopment() {
  try {
    byId('development-help').hidden = !(await fetch('/v1/dev-token', { cache: 'no-store' })).ok;
  } catch {
    // Then it is not shown.
  }
}

const kept = sessionStorage.getItem(TOKEN);
if (kept) await signIn(kept);
else byId('token').focus();
if (api === null) helpInDevelopment();
