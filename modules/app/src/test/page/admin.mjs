/**
 * One scenario: node admin.mjs <name>, with NODE_URL, CHROMIUM and SHOTS (a directory) in the environment, and tokens:
 * ADMIN for anna, OTHER for bea, an operator, VIEWER, and NOBODY for somebody without a role.
 */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { chromium } from 'playwright-core';
import { Network } from './network.mjs';

const { NODE_URL: NODE, ADMIN, OTHER, VIEWER, NOBODY } = process.env;
const WITHIN_MS = 60_000;
const LAPTOP = { width: 1280, height: 800 };
/** Parts of the API that not every gateway has: the page asks once, and the browser says that there is nothing. */
const MAY_BE_ABSENT = '/admin/(sessions|costs)';

// ---- the API, asked by somebody else than the page

async function ask(method, path, body, token = OTHER, headers = {}) {
  const answer = await fetch(new URL(path, NODE), {
    method, headers: { Authorization: `Bearer ${token}`, ...headers }, body: body && JSON.stringify(body),
  });
  const json = await answer.json();
  assert.ok(answer.ok, `${method} ${path}: ${answer.status} ${JSON.stringify(json)}`);
  return json;
}

const rollout = () => ask('GET', '/admin/rollout');

/** The rollout, once it fits: a node tells what it has learned, a moment after the change. */
async function once(fits, what) {
  const end = performance.now() + WITHIN_MS;
  for (;;) {
    const now = await rollout();
    if (fits(now)) return now;
    assert.ok(performance.now() < end, `${what}: ${JSON.stringify(now)}`);
    await new Promise(done => setTimeout(done, 50));
  }
}

const oncePercentageIs = percentage => once(now => now.percentage === percentage, `${percentage} %`);

async function change(body) {
  const { revision } = await rollout();
  const changed = await ask('PUT', '/admin/rollout', body, OTHER, { 'If-Match': `"rev-${revision}"` });
  await once(now => now.revision >= changed.revision, 'the change');
  return changed;
}

/** 5 %, paused, at the first stage, and not killed. */
async function reset(reason = 'before the night') {
  if ((await rollout()).killed) await ask('POST', '/admin/rollout/release', { reason });
  await once(now => !now.killed, 'the release');
  await change({ percentage: 6, reason });
  return change({ percentage: 5, reason });
}

// ---- the page

let opened = null;

/** @param expected what the browser may complain about */
async function open({ token = ADMIN, url = NODE, expected, before = () => {}, ...options } = {}) {
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM, headless: true,
    args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
      '--disable-component-update', '--disable-sync'],
  });
  const context = await browser.newContext({ viewport: LAPTOP, ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(WITHIN_MS);
  const complaints = [];
  const allowed = new RegExp([MAY_BE_ABSENT, expected].filter(Boolean).join('|'));
  page.on('console', message => {
    const about = `${message.text()} ${message.location().url}`;
    if (['error', 'warning'].includes(message.type()) && !allowed.test(about)) complaints.push(about);
  });
  page.on('pageerror', error => complaints.push(String(error.stack)));
  await context.exposeBinding('violated', (_, text) => { complaints.push(text); });
  await context.addInitScript(() => document.addEventListener('securitypolicyviolation',
    event => window.violated(`security policy: ${event.violatedDirective} ${event.blockedURI}`)));
  await before(page);
  const p = opened = {
    page,
    browser,
    complaints,
    text: async selector => (await page.textContent(selector)).trim(),
    says: (selector, words) => page.waitForFunction(([where, pattern]) =>
      new RegExp(pattern).test([...document.querySelectorAll(where)].filter(part => part.checkVisibility()).map(part => part.textContent).join('\n')),
      [selector, words instanceof RegExp ? words.source : words]),
    shows: selector => page.waitForSelector(selector, { state: 'visible' }),
    hides: selector => page.waitForSelector(selector, { state: 'hidden' }),
    shot: name => page.screenshot({ path: join(process.env.SHOTS, `admin-${name}.png`) }),
    signIn: async as => {
      await page.fill('#token', as);
      await page.keyboard.press('Enter');
    },
    slide: to => page.locator('#slider').evaluate((slider, value) => {
      slider.value = value;
      slider.dispatchEvent(new Event('input', { bubbles: true }));
    }, to),
    previewed: effect => p.says('#ask-effect', `^${effect}$`.replace('+', '\\+')),
    go: () => page.click('#ask-go:not([aria-disabled])'),
    tabTo: async (id, key = 'Tab') => {
      for (let k = 0; k < 150; k++) {
        if (await page.evaluate(wanted => document.activeElement.id === wanted, id)) return;
        await page.keyboard.press(key);
      }
      assert.fail(`${id} cannot be reached with ${key}`);
    },
    sideways: () => page.evaluate(() => [document.documentElement, document.body, ...document.querySelectorAll('main, dialog')]
      .filter(part => part.scrollWidth > part.clientWidth + 1).map(part => part.id || part.tagName)),
  };
  await page.goto(new URL('/admin', url).href);
  if (token !== null) {
    await p.signIn(token);
    await p.hides('#sign-in');
  }
  return p;
}

const inView = (page, selector) => page.locator(selector).evaluate(part => {
  const { top, bottom, left, right } = part.getBoundingClientRect();
  const hit = document.elementFromPoint((left + right) / 2, (top + bottom) / 2);
  return top >= 0 && left >= 0 && bottom <= innerHeight && right <= innerWidth && (part.contains(hit) || hit.contains(part));
});

const SCENARIOS = {
  async state() {
    const { revision } = await reset('before the night');
    const p = await open();
    await p.says('#state-word', '^Paused$');
    await p.says('#line-text', '^live$');
    assert.equal(await p.text('#percentage'), '5');
    assert.match(await p.text('#changed'), new RegExp(`^Revision ${revision}, by bea@default, \\d\\d:\\d\\d:\\d\\d: before the night$`));
    assert.equal(await p.text('#why'), 'Nothing goes on by itself. Resume bakes 5 % for 15 min.');
    assert.equal(await p.page.title(), '5 % paused · Parley');
    await p.shows('#history li');
    for (const part of ['#state-card', '#slider', '#promote', '#rollback', '#kill']) {
      assert.ok(await inView(p.page, part), `${part} is seen without scrolling`);
    }
    await p.shot('laptop-light');
    await p.page.emulateMedia({ colorScheme: 'dark' });
    await p.shot('laptop-dark');

    assert.equal(await p.page.evaluate(() => localStorage.length), 0);
    await p.page.reload();
    await p.says('#state-word', '^Paused$');
    await p.page.click('#sign-out');
    await p.shows('#sign-in');
    assert.equal(await p.page.evaluate(() => sessionStorage.length + localStorage.length), 0);
  },

  async token() {
    const p = await open({ token: null, expected: '/admin/rollout' });
    await p.says('#development-help', 'scripts/parley token --user me --role admin');
    await p.shot('sign-in');
    await p.signIn('not.a.token');
    await p.says('#sign-in-problem', '^This token is not valid');
    assert.equal(await p.page.evaluate(() => document.activeElement.id), 'token');

    await p.signIn(ADMIN);
    await p.shows('#state-word');
    // As if its time were over.
    await p.page.route('**/admin/rollout/decision*', route => route.fulfill({
      status: 401, contentType: 'application/problem+json', body: '{"title":"Who are you?","detail":"the token has expired"}',
    }));
    await p.page.fill('#kill-reason', 'half a sentence');
    await p.page.fill('#explain-user', 'carol');
    await p.page.keyboard.press('Enter');
    await p.says('#sign-in-problem', '^Your token is not valid any more');
    await p.signIn(ADMIN);
    await p.shows('#state-word');
    assert.equal(await p.page.inputValue('#kill-reason'), 'half a sentence', 'what was written is kept');
  },

  async raise() {
    await reset();
    const p = await open();
    await p.shows('.stage');
    await p.slide(25);
    assert.equal(await p.text('#wanted'), '5 % → 25 %');
    await p.page.click('#review');
    await p.previewed('+20 % of users enter');
    await p.go();
    assert.equal((await rollout()).percentage, 5, 'not without a reason');
    await p.page.fill('#ask-reason', 'clean for an hour');
    await p.go();
    await p.says('#ask-confirm', '20 % more');
    await p.shot('confirm');
    assert.equal((await rollout()).percentage, 5, 'not without a second yes');
    await p.go();
    await p.hides('#ask');
    await p.says('#percentage', '^25$');

    const { changed } = await oncePercentageIs(25);
    assert.deepEqual([changed.by, changed.reason], ['anna@default', 'clean for an hour']);
    await p.says('#history li:first-child', 'anna@default change 5 → 25 %.*clean for an hour');
    await p.page.click('#history li:first-child summary');
    await p.says('#history li:first-child .diff-table', 'percentage525');
    await p.says('.stage[aria-current]', '^25 %$');
    await p.says('#announcement', 'anna@default: clean for an hour|Done');
  },

  async lower() {
    await reset();
    await change({ percentage: 50, reason: 'for the test' });
    const p = await open();
    await p.page.click('.stage[data-percentage="5"]');
    await p.previewed('−45 % of users leave');
    await p.says('#ask-note', 'Their running calls go on');
    await p.page.fill('#ask-reason', 'complaints');
    await p.page.keyboard.press('Enter');
    await p.hides('#ask');
    await oncePercentageIs(5);
  },

  async race() {
    await reset();
    const p = await open({ expected: '/admin/rollout' });
    await p.page.click('.stage[data-percentage="25"]');
    await p.previewed('+20 % of users enter');
    await change({ percentage: 7, reason: 'stop it, users complain' });
    await p.says('#percentage', '^7$');
    await p.page.fill('#ask-reason', 'clean for an hour');
    await p.go();
    await p.go();
    await p.says('#ask-problem', '^bea@default changed it meanwhile: stop it, users complain');
    await p.previewed('+18 % of users enter');
    await p.shot('race');
    assert.equal((await rollout()).percentage, 7, 'nothing is overwritten');
    await p.go();
    await p.go();
    await p.hides('#ask');
    assert.equal((await oncePercentageIs(25)).changed.by, 'anna@default', 'whoever has read it may go on');
  },

  async lostAnswer() {
    const { revision } = await reset();
    const p = await open({ expected: '/admin/rollout' });
    await p.shows('.stage');
    await p.slide(3);
    await p.page.click('#review');
    await p.previewed('−2 % of users leave');
    let lost = 0;
    await p.page.route(url => url.pathname === '/admin/rollout' && url.search === '', async route => {
      if (lost++ > 0) return route.continue();
      await route.fetch();
      return route.abort();
    });
    await p.page.fill('#ask-reason', 'complaints');
    await p.go();
    await p.says('#ask-problem', '^It is not known whether this was done');
    await p.go();
    await p.hides('#ask');
    assert.equal((await oncePercentageIs(3)).revision, revision + 1, 'done once');
  },

  async actions() {
    await reset();
    const p = await open();
    const enabled = () => p.page.$$eval('.actions button:not([disabled]):not([hidden])', buttons => buttons.map(button => button.id));
    const act = async (action, effect, presses) => {
      await p.page.click(`#${action}`);
      await p.previewed(effect);
      await p.page.fill('#ask-reason', `to see ${action}`);
      for (let k = 0; k < presses; k++) await p.go();
      await p.hides('#ask');
    };
    await p.says('#state-word', '^Paused$');
    assert.deepEqual(await enabled(), ['promote', 'resume', 'rollback']);
    await act('resume', 'Nobody enters or leaves', 1);
    await p.says('#state-word', '^Running$');
    await p.says('#why', 'Bakes until \\d\\d:\\d\\d');
    assert.deepEqual(await enabled(), ['promote', 'pause', 'rollback']);
    await p.says('#promote', '^Promote to 25 %$');
    await act('promote', '+20 % of users enter', 2);
    await p.says('#percentage', '^25$');
    await act('rollback', '−20 % of users leave', 1);
    await p.says('#state-word', '^Rolled back$');
    assert.deepEqual(await enabled(), ['promote', 'resume', 'rollback']);
    await act('rollback', '−5 % of users leave', 1);
    await p.says('#percentage', '^0$');
    assert.deepEqual(await enabled(), ['promote']);
  },

  async kill() {
    await reset();
    const p = await open();
    await p.says('#line-text', '^live$');
    await p.page.fill('#kill-reason', 'the wrong voice for everybody');
    await p.page.hover('#kill');
    await p.page.mouse.down();
    await p.page.mouse.up();
    await p.says('#kill-help', '^Not switched');
    assert.equal((await rollout()).killed, null, 'not by a mere press');
    await p.page.mouse.down();
    await p.shows('#banner');
    await p.page.mouse.up();
    await p.says('#kill-answer', 'Voice is off on the one node, in \\d+ ms');
    assert.match(await p.text('#banner-text'), /^By anna@default, .*: the wrong voice for everybody\. Live sessions end after their turn\.$/);
    const { killed } = await once(now => now.killed, 'the kill');
    assert.deepEqual([killed.by, killed.live, killed.reason], ['anna@default', 'finish_turn', 'the wrong voice for everybody']);
    assert.equal(await p.page.isDisabled('#promote'), true);
    await p.says('#history li:first-child', 'anna@default kill live: finish turn.*the wrong voice');
    await p.shot('killed');

    await p.page.click('#release');
    await p.previewed('+5 % of users enter');
    await p.page.fill('#ask-reason', 'the right voice is back');
    await p.go();
    assert.ok((await rollout()).killed, 'not without a second yes');
    await p.go();
    await p.hides('#banner');
    await once(now => !now.killed, 'the release');
    await p.says('#history li:first-child', 'anna@default release.*the right voice is back');
    await p.says('#state-word', '^Paused$');
  },

  async keys() {
    await reset();
    const p = await open({ token: null });
    const { keyboard } = p.page;
    await p.tabTo('token');
    await keyboard.type(ADMIN);
    await keyboard.press('Enter');
    await p.shows('.stage');
    await p.tabTo('slider');
    await keyboard.press('ArrowRight');
    await p.says('#review', '^Review 6 %…$');
    const outline = await p.page.evaluate(() => getComputedStyle(document.activeElement).outlineStyle);
    assert.notEqual(outline, 'none', 'the focus is seen');
    await keyboard.press('Enter');
    await p.previewed('+1 % of users enter');
    await keyboard.type('one more');
    await keyboard.press('Enter');
    await p.shows('#ask-confirm');
    await p.shows('#ask-go:not([aria-disabled])');
    await keyboard.press('Enter');
    await p.hides('#ask');
    await p.says('#percentage', '^6$');
    assert.equal(await p.page.evaluate(() => document.activeElement.id), 'slider', 'the focus is where it was');

    await p.tabTo('kill');
    await keyboard.press('Enter');
    await p.says('#kill-help', '^Press Enter again');
    assert.equal((await rollout()).killed, null, 'not by a mere press');
    await keyboard.press('Enter');
    await p.shows('#banner');
    const { epoch } = (await rollout()).killed;
    await p.shows('#kill:not([aria-disabled])');
    await keyboard.down('Space');
    await once(({ killed }) => killed.epoch > epoch, 'held, it is switched again');
    await keyboard.up('Space');
    await p.tabTo('release', 'Shift+Tab');
    await keyboard.press('Enter');
    await p.previewed('+6 % of users enter');
    await keyboard.press('Escape');
    await p.hides('#ask');
    assert.ok((await rollout()).killed, 'left alone');
  },

  async viewer() {
    await reset();
    const p = await open({ token: VIEWER, expected: '/admin/rollout' });
    await p.says('#percentage', '^5$');
    await p.page.click('#rollback');
    await p.says('#ask-problem', '^This needs the role operator, which your token does not have');
    await p.page.click('#ask-cancel');
    await p.page.focus('#kill');
    await p.page.keyboard.press('Enter');
    await p.page.keyboard.press('Enter');
    await p.says('#kill-answer', 'needs the role operator');
    assert.equal((await rollout()).killed, null);
    await p.says('#percentage', '^5$');
  },

  async killOnly() {
    await reset();
    const p = await open({ token: NOBODY, expected: '/admin/rollout' });
    await p.says('#notice', 'lacks the role viewer');
    await p.hides('#change-card');
    assert.ok(await inView(p.page, '#kill'));
    await p.shot('kill-only');
    // As it is for the token that can do nothing else.
    await p.page.route('**/admin/rollout/kill', route => route.fulfill({
      contentType: 'application/json',
      body: '{"killed":{"by":"break-glass","reason":"no reason given","at":"2026-11-28T05:32:17.239Z","live":"close","epoch":1},"acked":["n1","n2"],"missing":["n3"],"elapsed_ms":1003}',
    }));
    await p.page.focus('#kill');
    await p.page.keyboard.press('Enter');
    await p.page.keyboard.press('Enter');
    await p.says('#kill-answer', 'off on 2 of 3 nodes after 1003 ms.*missingn3');
  },

  async lists() {
    await reset();
    await change({ allow: ['otto', 'zoe'], deny: [], cohorts: [], tenants: {}, reason: 'the lists as they were' });
    const p = await open({ expected: '/admin/rollout' });
    await p.says('#rules', 'allowed usersotto, zoe');
    await p.page.click('#edit-lists');
    assert.equal(await p.page.inputValue('#lists-allow'), 'otto\nzoe');
    await p.page.click('#lists-review');
    await p.says('#lists-problem', '^Nothing is changed yet');
    await p.page.fill('#lists-allow', 'zoe\n  <b>carol</b>  \n\nzoe');
    await p.page.fill('#lists-deny', 'mallory');
    await p.page.fill('#lists-cohorts', 'premium');
    await p.page.fill('#lists-on', 'red');
    await p.page.fill('#lists-off', 'red\nblue');
    await p.page.click('#lists-review');
    await p.says('#lists-problem', '^red: a tenant is in or out');
    assert.equal(await p.page.evaluate(() => document.activeElement.id), 'lists-off');
    await p.page.fill('#lists-off', 'blue');
    assert.deepEqual(await p.sideways(), []);
    await p.shot('lists');
    await p.page.click('#lists-review');
    await p.says('#ask-effect', /\+ the user <b>carol<\/b>.*\+ the cohort premium.*\+ the tenant red.*− the user otto.*− denied: the user mallory.*− switched off: the tenant blue/);
    assert.deepEqual((await rollout()).allow, ['otto', 'zoe'], 'only shown yet');
    await p.page.click('#ask-cancel');
    await p.shows('#lists');
    assert.equal(await p.page.inputValue('#lists-cohorts'), 'premium', 'what was typed is kept');
    await p.page.click('#lists-review');
    await p.says('#ask-effect', 'premium');
    // Somebody is faster: what was asked for is shown against the new state.
    await change({ cohorts: ['staff'], reason: 'staff first' });
    await p.page.fill('#ask-reason', 'the pilot begins');
    await p.go();
    await p.says('#ask-confirm', 'the user <b>carol</b>.*once more');
    await p.go();
    await p.says('#ask-problem', '^bea@default changed it meanwhile: staff first');
    await p.says('#ask-effect', /− the user otto.*the cohort staff/);
    await p.shot('lists-ask');
    await p.go();
    await p.go();
    await p.hides('#ask');
    await p.says('#rules', 'cohortspremium');
    const now = await once(({ allow }) => allow.length === 2 && allow[0] === '<b>carol</b>', 'the lists');
    assert.deepEqual([now.deny, now.cohorts, now.tenants, now.percentage], [['mallory'], ['premium'], { blue: 'off', red: 'on' }, 5]);
    const { lines } = await ask('GET', '/admin/rollout/history?limit=200');
    assert.ok(lines.some(({ actor, reason }) => actor.via === 'ui' && reason === 'the pilot begins'), 'the audit knows that it was the page');
    await change({ allow: [], deny: [], cohorts: [], tenants: {}, reason: 'after the test' });
  },

  async plan() {
    await reset();
    const { plan } = await rollout();
    const p = await open({ expected: '/admin/rollout' });
    await p.says('#plan', '5 %15 min');
    const { keyboard } = p.page;
    await p.tabTo('edit-plan');
    await keyboard.press('Enter');
    const rows = p.page.locator('.plan-row');
    assert.equal(await rows.count(), plan.steps.length);
    await rows.nth(0).locator('[name=bake]').fill('soon');
    await p.page.click('#plan-review');
    await p.says('#plan-editor-problem', '^Stage 1: bakes “soon” \\(expected: such as 15 min or 24 h\\)');
    assert.equal(await p.page.evaluate(() => document.activeElement.name), 'bake');
    await rows.nth(0).locator('[name=bake]').fill('1.5 h');
    await rows.nth(1).locator('[name=percentage]').fill('5');
    await keyboard.press('Enter');
    await p.says('#plan-editor-problem', '^Stage 2: 5 % after 5 % \\(expected: rising\\)');
    await rows.nth(1).locator('[name=percentage]').fill('20');
    await rows.nth(1).locator('[name=sessions]').fill('120');
    await rows.nth(1).locator('[name=approval]').check();
    await p.page.getByRole('button', { name: `Remove stage ${plan.steps.length}` }).click();
    await p.page.click('#plan-add');
    assert.equal(await p.page.evaluate(() => document.activeElement.name), 'percentage', 'the new stage is where one is');
    assert.deepEqual(await p.sideways(), []);
    await p.shot('plan');
    await p.page.click('#plan-review');
    await p.previewed('Nobody enters or leaves');
    await p.page.click('#ask-details summary');
    await p.says('#ask-diff', '20 % for PT\\w+, 120 sessions, then by hand');
    await p.page.fill('#ask-reason', 'slower');
    await keyboard.press('Enter');
    await p.hides('#ask');
    await p.says('#plan', '5 %90 min.*20 %.*120 sessions, then by hand');
    const now = await once(({ plan: { steps } }) => steps[1].percentage === 20, 'the plan');
    assert.deepEqual([now.plan.steps[0].bake, now.plan.steps[1].min_sessions, now.plan.steps[1].approval, now.state], ['PT1H30M', 120, true, 'paused']);
    await change({ plan: { steps: plan.steps, max_hold: plan.max_hold }, reason: 'after the test' });
  },

  async live() {
    await reset();
    const network = await Network.to(new URL(NODE).port);
    try {
      const p = await open({ url: network.url, expected: '/admin/' });
      await p.says('#line-text', '^live$');
      await change({ percentage: 8, reason: 'a little more' });
      await p.says('#percentage', '^8$');
      await p.says('#announcement', 'Changed by bea@default: a little more');
      await p.says('#history li:first-child', 'bea@default change 5 → 8 %');
      network.cut();
      await p.says('#line-text', '^reconnecting$');
      await change({ percentage: 9, reason: 'while nobody looked' });
      network.heal();
      await p.says('#line-text', '^live$');
      await p.says('#percentage', '^9$');
      await p.says('#history li:first-child', 'bea@default change 8 → 9 %');
    } finally {
      network.close();
    }
  },

  async explain() {
    await reset();
    const p = await open();
    await p.page.fill('#explain-user', '<b>carol</b>');
    await p.page.keyboard.press('Enter');
    await p.says('.decision', '<b>carol</b> (gets|does not get) voice, by the rule “bucket”\\. Bucket \\d+\\.');
    assert.deepEqual(await p.page.$$eval('.rules li strong', rules => rules.map(rule => rule.textContent)),
      ['node off', 'killed', 'switched off', 'denied', 'tenant', 'allowed', 'cohort', 'bucket']);
    assert.match(await p.text('.rules li[data-decided="true"]'), /^bucket .*decided$/);
  },

  async history() {
    await reset();
    for (let k = 0; k < 40; k++) await change({ percentage: 6 + k % 2, reason: `change ${k}` });
    let asked = 0;
    const p = await open({ before: page => page.on('request', request => { asked += /\/history\?/.test(request.url()); }) });
    await p.says('#history li:first-child', 'change 39');
    const count = () => p.page.$$eval('#history li', lines => lines.length);
    assert.equal(await count(), 30);
    assert.ok(asked < 30, `${asked} questions for the newest page`);
    await p.page.click('#older');
    await p.page.waitForFunction(() => document.querySelectorAll('#history li').length > 30);
    const numbers = await p.page.$$eval('#history li', lines => lines.map(line => line.value));
    assert.deepEqual(numbers, numbers.map((_, k) => numbers[0] - k), 'each line once, newest first');
    await p.page.click('#verify');
    await p.says('#verified', '^All \\d+ lines are as they were written');
  },

  async more() {
    await reset();
    const p = await open({ expected: '/admin/', before: tellMore });
    await p.says('.guardrail:first-child', 'Error rate|error rate');
    await p.says('.guardrail:first-child .verdict', 'fails');
    await p.says('.guardrail:first-child', '14\\s% \\(9\\s% to 20\\s%\\), at most 5\\s%');
    assert.equal(await p.page.locator('.guardrail svg[role="img"]').count(), 4);
    assert.equal(await p.page.getAttribute('.guardrail:first-child', 'data-verdict'), 'fail');
    await p.says('.guardrail:first-child .detects', '^sees a drop from 99\\.5\\s% to 95\\s%; by now even to 95\\.2\\s%$');
    await p.says('.guardrail:nth-child(2) .detects', 'from 99\\s% to 90\\s% within 78 sessions, 3 h more at this traffic\\. So far only one to 86\\s%\\.$');
    await p.says('#why', 'Waits for evidence of connection success: 41 of 59');

    await p.says('#proposed', 'bea@default proposes, .*: clean <i>for an hour</i>[^]*percentage525');
    await p.page.route('**/admin/rollout/approve*', async route => {
      const answer = await route.fetch({ url: new URL('/admin/rollout/promote?dry_run=true', NODE).href });
      await route.fulfill({ response: answer });
    });
    await p.page.click('#approve');
    await p.says('#ask-title', '^Approve what bea@default proposes$');
    await p.previewed('+20 % of users enter');
    await p.page.keyboard.press('Escape');
    await p.says('#session-title', '^Sessions 1$');
    await p.says('#sessions tbody', 'caller-8f3a.*10\\.0\\.0\\.1.*10\\.0\\.0\\.2.*openai');
    await p.says('#silent-nodes', '10\\.0\\.0\\.3');
    await p.says('#costs', '2026-11-27.*\\$13\\.50');
    await p.page.selectOption('#cost-by', 'tenant');
    await p.says('#costs', 'acme.*\\$13\\.50');
    await p.shot('more');
    await p.page.click('#sessions button');
    await p.says('#session-facts', 'audio out 1400');
    await p.page.click('#session-read');
    await p.says('#session-transcript', '<i>Good morning</i>');
    await p.page.click('#session-end');
    await p.says('#session-end', '^Press again to end it$');
    await p.shot('session');
    const ended = p.page.waitForRequest(request => request.method() === 'DELETE');
    await p.page.click('#session-end');
    assert.match((await ended).url(), /\/admin\/sessions\/sess_2975ze1qa9h8n7wj11cjis$/);
    await p.hides('#session');
  },

  async phone() {
    await reset(`${'averylongwordwithoutanyspace'.repeat(8)}`);
    const p = await open({ viewport: { width: 360, height: 740 }, deviceScaleFactor: 2, expected: '/admin/', before: tellMore });
    await p.shows('.guardrail');
    await p.shows('#history li');
    assert.deepEqual(await p.sideways(), []);
    assert.ok(await inView(p.page, '#kill-summary'), 'the switch is at hand');
    await p.shot('phone');
    await p.page.click('#history li:first-child summary');
    await p.page.fill('#explain-user', 'carol');
    await p.page.keyboard.press('Enter');
    await p.shows('.rules');
    assert.deepEqual(await p.sideways(), []);
    await p.page.click('.stage[data-percentage="25"]');
    await p.previewed('+20 % of users enter');
    assert.deepEqual(await p.sideways(), []);
    await p.shot('phone-ask');
    await p.page.keyboard.press('Escape');
    await p.page.click('#edit-lists');
    assert.deepEqual(await p.sideways(), []);
    await p.shot('phone-lists');
    await p.page.keyboard.press('Escape');
    await p.page.click('#edit-plan');
    assert.deepEqual(await p.sideways(), []);
    await p.shot('phone-plan');
    await p.page.keyboard.press('Escape');
    await p.page.click('#kill-summary');
    assert.ok(await inView(p.page, '#kill'));
    await p.page.fill('#kill-reason', 'the wrong voice for everybody');
    await p.page.focus('#kill');
    await p.page.keyboard.press('Enter');
    await p.page.keyboard.press('Enter');
    await p.shows('#banner');
    assert.deepEqual(await p.sideways(), []);
    await p.shot('phone-killed');
    await p.page.emulateMedia({ colorScheme: 'dark' });
    await p.shot('phone-killed-dark');
  },
};

/** What this node may not have yet. */
async function tellMore(page) {
  const guardrail = (id, verdict, more) => ({
    id, signal: id, bound: 0.05, comparator: 'control', on_fail: 'rollback_previous', observe_only: false, verdict,
    limit: 7, control_samples: 300, needed: 59, ...more,
  });
  const guardrails = [
    guardrail('connection_success', 'inconclusive',
      { score: 1.4, observed: 0.024, low: 0.006, high: 0.09, samples: 41, bound: 0.1, why: '41 of the 59 sessions that it takes',
        detects: { from: 0.99, to: 0.9, sessions: 78, visible: 0.86, sessions_per_hour: 12.3 } }),
    guardrail('error_rate', 'fail', { score: 7.4, observed: 0.14, low: 0.09, high: 0.2, samples: 88, why: 'the share is above its bound',
      detects: { from: 0.995, to: 0.95, sessions: 84, visible: 0.952, sessions_per_hour: 26.4 } }),
  ];
  const session = {
    id: 'sess_2975ze1qa9h8n7wj11cjis', caller: 'caller-8f3a', tenant: 'acme', face: 'voice', arm: 'voice', phase: 'live',
    node: '10.0.0.1', edge_node: '10.0.0.2', provider: 'openai', model: 'gpt-realtime', cost_usd: 0.0412, turns: 7,
    attached: true, opened_at: new Date().toISOString(),
  };
  const tell = (route, json) => route.fulfill({ contentType: 'application/json', body: JSON.stringify(json) });
  await page.route(url => url.pathname === '/admin/rollout', async route => {
    const answer = await route.fetch();
    const json = await answer.json();
    await route.fulfill({ response: answer, json: {
      ...json, guardrails,
      proposed: { by: 'bea@default', at: json.changed.at, reason: 'clean <i>for an hour</i>', diff: [{ path: '/percentage', from: '5', to: '25' }] },
      waiting_for: [{ kind: 'evidence', guardrail: 'connection_success', have: 41, need: 59 }],
    } });
  });
  await page.route('**/admin/rollout/events', route => route.fulfill({
    contentType: 'text/event-stream', body: `retry: 2000\n\nevent: guardrail.verdict\ndata: ${JSON.stringify(guardrails)}\n\n`,
  }));
  await page.route('**/admin/sessions**', route => tell(route, { sessions: [session], next: null, silent_nodes: ['10.0.0.3'] }));
  await page.route('**/admin/sessions/*', route => tell(route, { ...session, end_reason: null, tokens: { audio_in: 900, audio_out: 1400 } }));
  await page.route('**/admin/sessions/*/transcript', route =>
    tell(route, { turns: [{ role: 'user', text: '<i>Good morning</i>', at: new Date().toISOString() }] }));
  await page.route('**/admin/costs**', route => tell(route, {
    rows: [{ [new URL(route.request().url()).searchParams.get('by')]: route.request().url().includes('by=day') ? '2026-11-27' : 'acme', sessions: 12, cost_usd: 13.5 }],
    total_usd: 13.5, next: null,
  }));
}

try {
  await SCENARIOS[process.argv[2]]();
} catch (failure) {
  await opened?.page.screenshot({ path: join(process.env.SHOTS, 'admin-failed.png') }).catch(() => {});
  console.error(await opened?.page.evaluate(() => document.body.innerText).catch(String));
  throw failure;
} finally {
  await opened?.browser.close();
  if (opened?.complaints.length > 0) {
    console.error('The browser complained:', opened.complaints);
    process.exitCode = 1;
  }
}
