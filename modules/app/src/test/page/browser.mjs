/** The page in a headless chromium with a fake microphone, watched for complaints and for what it plays. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium } from 'playwright-core';

const NODE = process.env.NODE_URL;
const SHOTS = process.env.SHOTS;
const WITHIN_MS = 60_000;
const TOKEN_PATH = '/v1/dev-token';
/** Sound and speech are only to be judged on a machine that never stood still for so long. */
const STANDSTILL_MS = 100;
const ATTEMPTS = 5;
const BEAT_MS = 20;

/**
 * In the page: what a context plays is measured all the time, and the server's events are noted by the clock of that
 * sound. It needs no code of another origin, because the page's security policy is part of what is tested.
 */
function listen() {
  window.heard = [];
  window.events = [];
  window.states = [];
  window.dialled = [];
  new MutationObserver(() => window.states.push(document.body?.dataset.state))
    .observe(document, { subtree: true, attributeFilter: ['data-state'] });
  let player = null;
  const { connect } = AudioNode.prototype;
  AudioNode.prototype.connect = function (to, ...rest) {
    if (to instanceof AudioDestinationNode && player !== this.context) {
      player = this.context;
      const meter = player.createAnalyser();
      meter.fftSize = 1024;
      connect.call(this, meter, rest[0] ?? 0);
      const samples = new Float32Array(meter.fftSize);
      setInterval(() => {
        meter.getFloatTimeDomainData(samples);
        window.heard.push({ at: meter.context.currentTime, when: performance.now(), rms: Math.hypot(...samples) / Math.sqrt(samples.length) });
      }, 20);
    }
    return connect.call(this, to, ...rest);
  };
  const Socket = window.WebSocket;
  window.WebSocket = class extends Socket {
    constructor(...address) {
      super(...address);
      window.dialled.push({ address: String(address[0]), protocols: address[1] });
      this.addEventListener('message', ({ data }) => window.events.push({ at: player?.currentTime, ...JSON.parse(data), delta: null }));
    }
  };
}

class Standstill extends Error {}

let opened = null;
let beatAt = performance.now();
let stoodStillMs = 0;
setInterval(() => {
  const now = performance.now();
  stoodStillMs = Math.max(stoodStillMs, now - beatAt);
  beatAt = now;
}, BEAT_MS).unref();

/** The longest time, in milliseconds, for which the page, its sound or this script stood still. */
function standstillMs(heard) {
  const pauses = heard.slice(1).map(({ when }, k) => when - heard[k].when);
  const lags = heard.filter(({ at }) => at > 0).map(({ at, when }) => when - 1000 * at);
  return Math.max(stoodStillMs, ...pauses, Math.max(...lags) - Math.min(...lags));
}

/**
 * Runs a scenario to its end, and its browser, too. The scenario fails as well when the browser had to complain. It begins
 * anew when what it found may be due to a standstill.
 */
export async function play(scenario, attempts = ATTEMPTS) {
  let repeats = false;
  try {
    await scenario();
  } catch (failure) {
    repeats = failure instanceof Standstill && attempts > 1;
    if (!repeats) {
      console.error(await opened?.describe().catch(String));
      throw failure;
    }
  } finally {
    const complaints = await opened?.close();
    if (complaints?.length > 0) {
      console.error('The browser complained:', complaints);
      process.exitCode = 1;
    }
  }
  if (repeats) await play(scenario, attempts - 1);
}

/**
 * @param microphone a WAV file; null: the person denies the microphone
 * @param token null: the gateway hands out none, as in production; 'late': only when handOverToken is called
 * @param expected what the browser may complain about
 * @param voice answers in place of the node's voice face; null: the node does
 */
export async function open({ microphone = null, token = 'development', url = NODE, expected, voice = null, ...options } = {}) {
  const profile = mkdtempSync(join(tmpdir(), 'parley-page-'));
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: process.env.CHROMIUM, headless: true, viewport: { width: 1180, height: 780 },
    ...(microphone ? { permissions: ['microphone'] } : {}), ...options,
    args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
      '--disable-component-update', '--disable-sync', '--autoplay-policy=no-user-gesture-required',
      '--use-fake-device-for-media-stream',
      ...(microphone ? ['--use-fake-ui-for-media-stream', `--use-file-for-fake-audio-capture=${microphone}%noloop`]
        : ['--deny-permission-prompts'])],
  });
  await voice?.on(context);
  const page = context.pages()[0] ?? await context.newPage();
  page.setDefaultTimeout(WITHIN_MS);
  const complaints = [];
  page.on('console', message => {
    const about = `${message.text()} ${message.location().url}`;
    if (['error', 'warning'].includes(message.type()) && !expected?.test(about)) complaints.push(about);
  });
  page.on('pageerror', error => complaints.push(String(error.stack)));
  await context.exposeBinding('violated', (_, text) => { complaints.push(text); });
  await context.addInitScript(() => document.addEventListener('securitypolicyviolation',
    event => window.violated(`security policy: ${event.violatedDirective} ${event.blockedURI}`)));
  await context.addInitScript(listen);
  if (token === null) await page.route(`**${TOKEN_PATH}`, route => route.fulfill({ status: 404 }));
  let handOverToken = () => {};
  if (token === 'late') {
    const asked = new Promise(done => { handOverToken = done; });
    await page.route(`**${TOKEN_PATH}`, async route => {
      await asked;
      await route.continue();
    });
  }
  await page.goto(url);
  await page.waitForFunction(() => window.parley);
  stoodStillMs = 0;

  return opened = {
    page,
    handOverToken,
    state: wanted => page.waitForFunction(state => document.body.dataset.state === state, wanted),
    say: async text => {
      await page.fill('#text', text);
      await page.keyboard.press('Enter');
    },
    text: selector => page.textContent(selector),
    transcript: () => page.evaluate(() => window.parley.transcript()),
    playedMs: () => page.evaluate(() => window.parley.playedMs()),
    playsPast: ms => page.waitForFunction(least => window.parley.playedMs() > least, ms),
    notes: () => page.$$eval('#transcript .note', notes => notes.map(note => note.textContent)),
    states: () => page.evaluate(() => window.states),
    /** Checks what can only be as expected when nothing stood still, given what was heard so far. */
    judge: async check => {
      const heard = await page.evaluate(() => window.heard);
      try {
        check(heard);
      } catch (failure) {
        const ms = standstillMs(heard);
        throw ms > STANDSTILL_MS ? new Standstill(`after a standstill of ${ms} ms`, { cause: failure }) : failure;
      }
    },
    event: type => page.waitForFunction(wanted => window.events.find(event => event.type === wanted), type)
      .then(found => found.jsonValue()),
    shot: name => page.screenshot({ path: join(SHOTS, `${name}.png`) }),
    /** What there was to see, for whoever has to find out why it was not what was expected. */
    async describe() {
      await page.screenshot({ path: join(SHOTS, 'failed.png') });
      return page.evaluate(seen => JSON.stringify({
        state: document.body.dataset.state, gate: document.getElementById('gate').innerText,
        notice: document.getElementById('notice').textContent, transcript: window.parley?.transcript(),
        events: window.events.filter(({ type }) => !type.endsWith('.delta')).slice(-20)
          .map(({ type, error }) => error ? `${type}: ${error.message}` : type),
        complaints: seen,
      }), complaints);
    },
    async close() {
      await context.close();
      rmSync(profile, { recursive: true, force: true });
      return complaints;
    },
  };
}

/** The gateway's API, asked as the page's own caller. */
export async function ask(path) {
  const { token } = await (await fetch(new URL(TOKEN_PATH, NODE))).json();
  const answer = await fetch(new URL(path, NODE), { headers: { Authorization: `Bearer ${token}` } });
  assert.equal(answer.status, 200, `${path}: ${answer.status}`);
  return answer.json();
}

/** What the API tells, once it fits: facts reach the journal a moment after the page. */
export async function askUntil(path, fits, what) {
  const end = performance.now() + WITHIN_MS;
  for (;;) {
    const answer = await ask(path);
    if (fits(answer)) return answer;
    assert.ok(performance.now() < end, `${what}: ${JSON.stringify(answer)}`);
    await new Promise(done => setTimeout(done, 50));
  }
}
