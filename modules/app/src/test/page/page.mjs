/** One scenario: node page.mjs <name>, with NODE_URL, CHROMIUM and SHOTS (a directory) in the environment. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { ask, askUntil, open, play } from './browser.mjs';
import { Network } from './network.mjs';
import { writeSpeech } from './speech.mjs';

const AUDIBLE = 0.01;
const microphone = (name, parts) => writeSpeech(join(process.env.SHOTS, `${name}.wav`), parts);
const audible = heard => heard.filter(moment => moment.rms > AUDIBLE);
/** Milliseconds of sound that reached the loudspeaker. */
const audibleMs = heard => 1000 * heard.slice(1).reduce((sum, { at, rms }, k) => sum + (rms > AUDIBLE ? at - heard[k].at : 0), 0);
/** How long after the news of speech the loudspeaker may still sound: its buffers, and a busy machine. */
const SILENT_WITHIN_MS = 150;

const SCENARIOS = {
  async spoken() {
    const p = await open({ microphone: microphone('spoken', { before: 400, speech: 1_000, after: 60_000 }) });
    await p.page.click('#start');
    await p.state('user-speaking');
    await p.shot('spoken-user');
    await p.state('agent-speaking');
    await p.playsPast(700);
    await p.shot('spoken-agent');
    await p.state('listening');

    const playedMs = await p.playedMs();
    const soundMs = audibleMs(await p.heard());
    assert.ok(soundMs > 0.6 * playedMs && soundMs < playedMs + 200, `${soundMs} ms of ${playedMs} ms are audible`);
    const turns = await p.transcript();
    assert.deepEqual(turns.map(turn => turn.role), ['you', 'agent']);
    assert.match(turns[0].text, /^\[speech, \d\.\d s\]$/);
    assert.match(turns[1].text, /^I heard you speak for .* seconds?\.$/);
    assert.equal(turns[1].heard, turns[1].text);
    await p.shot('spoken-listening');

    const { session_id: id } = await p.event('voice-welcome');
    const told = await askUntil(`/v1/sessions/${id}/transcript`,
      ({ turns }) => turns.length === 2 && turns[0].text !== null, 'the transcript');
    assert.deepEqual(told.turns.map(turn => turn.text), turns.map(turn => turn.text));
    assert.deepEqual(told.turns.map(turn => turn.role), ['user', 'agent']);
    assert.deepEqual(told.turns.map(turn => turn.item_id), turns.map(turn => turn.id));
    assert.ok(Math.abs(told.turns[1].audio_ms - playedMs) <= 1, `${told.turns[1].audio_ms} ms sent, ${playedMs} ms played`);
    assert.equal(told.turns[1].interrupted, undefined);
  },

  async typed() {
    const p = await open();
    await p.page.click('#start');
    await p.state('listening');
    assert.match(await p.text('#notice'), /microphone is blocked.*You can type/);
    await p.shot('denied');
    await p.say('Good morning');
    await p.state('agent-speaking');
    await p.state('listening');

    assert.ok(audibleMs(await p.heard()) > 500, 'the answer is audible');
    assert.deepEqual((await p.transcript()).map(turn => [turn.role, turn.text]),
      [['you', 'Good morning'], ['agent', 'You wrote: Good morning.']]);
    await p.shot('typed');
  },

  async tool() {
    const p = await open();
    await p.page.click('#start-typing');
    await p.state('listening');
    await p.say('What is the current time?');
    await p.state('agent-speaking');
    await p.playsPast(1_000);
    await p.shot('tool');

    const [asked, called, answered] = await p.transcript();
    assert.equal(asked.text, 'What is the current time?');
    assert.deepEqual([called.role, called.name], ['tool', 'current_time']);
    assert.equal(await p.page.getAttribute('li.tool', 'data-tool'), 'done');
    assert.match(answered.text, /^The tool current time answered:/);
    assert.ok(audibleMs(await p.heard()) > 500, 'the answer is audible');
    const { session_id: id } = await p.event('voice-welcome');
    const told = await askUntil(`/v1/sessions/${id}/transcript`, ({ turns }) => turns.length === 4, 'the transcript');
    assert.deepEqual(told.turns.map(turn => turn.role), ['user', 'tool_call', 'tool_result', 'agent']);
  },

  async bargeIn() {
    const p = await open({ microphone: microphone('barge-in', { before: 200, speech: 1_500, after: 60_000 }) });
    await p.page.click('#start-typing');
    await p.state('listening');
    await p.say('Tell me a long story');
    await p.playsPast(1_500);
    await p.page.click('#mute');
    await p.state('user-speaking');
    const stoppedAt = await p.playedMs();
    await p.shot('barge-in');
    const { at } = await p.event('input_audio_buffer.speech_started');
    const told = (await p.event('conversation.item.truncated')).audio_end_ms;
    await p.state('agent-speaking');

    // What is measured at a moment sounded up to 43 ms before.
    const since = (await p.heard()).filter(moment => moment.at > at + SILENT_WITHIN_MS / 1000 && moment.at < at + 1);
    assert.ok(since.length > 15, `${since.length} moments after the interruption`);
    assert.deepEqual(audible(since), [], 'nothing more of the story is audible');
    const story = (await p.transcript()).find(turn => turn.role === 'agent');
    assert.equal(story.interrupted, true);
    assert.ok(story.heard.length > 0 && story.heard.length < story.text.length, `heard: ${story.heard}`);
    const storyMs = await p.page.evaluate(item => window.parley.playedMs(item), story.id);
    assert.equal(storyMs, stoppedAt, 'the story does not play on');

    const { session_id: id } = await p.event('voice-welcome');
    const { turns } = await askUntil(`/v1/sessions/${id}/transcript`, ({ turns }) => turns.length === 4 && turns[1].interrupted, 'the cut');
    assert.equal(turns[1].item_id, story.id);
    assert.equal(turns[1].heard_ms, told);
    assert.ok(Math.abs(turns[1].heard_ms - storyMs) < 250, `the server says ${turns[1].heard_ms} ms, the page played ${storyMs} ms`);
    assert.ok(turns[1].text.length < turns[1].full_text.length);
    await p.shot('barge-in-answered');
  },

  async reconnect() {
    const network = await Network.to(new URL(process.env.NODE_URL).port);
    try {
      const p = await open({ url: network.url, expected: /\/v1\/ws\/voice/ });
      await p.page.click('#start-typing');
      await p.state('listening');
      await p.say('Tell me a long story');
      await p.playsPast(500);
      const { session_id: id } = await p.event('voice-welcome');
      network.cut();
      await p.state('reconnecting');
      await p.shot('reconnecting');
      network.heal();
      await p.page.waitForFunction(session => window.events.filter(
        event => event.type === 'voice-welcome' && event.session_id === session).length === 2, id);
      await p.say('Are you there?');
      await p.page.waitForFunction(() => window.parley.transcript().at(-1).text === 'You wrote: Are you there?');
      await p.state('agent-speaking');
      await p.shot('reconnected');
      } finally {
      network.close();
    }
  },

  async end() {
    const p = await open({ token: 'late' });
    await p.page.click('#start-typing');
    p.handOverToken();
    await p.state('listening');
    await p.say('Tell me a long story');
    await p.playsPast(500);
    const { session_id: id } = await p.event('voice-welcome');
    assert.equal((await ask(`/v1/sessions/${id}`)).phase, 'live');
    await p.page.click('#end');
    await p.state('ended');

    const { end_reason: reason } = await askUntil(`/v1/sessions/${id}`, ({ phase }) => phase === 'over', 'the end');
    assert.equal(reason, 'caller_left');
    assert.equal(await p.text('#gate-title'), 'The conversation has ended');
    assert.equal(await p.page.evaluate(() => document.activeElement.id), 'start');
    await p.shot('ended');
  },

  async refused() {
    const p = await open({ token: null, expected: /\/v1\/dev-token$/ });
    await p.shot('token');
    await p.page.fill('#token', 'not.a.token');
    await p.page.keyboard.press('Enter');
    await p.state('refused');

    assert.equal(await p.text('#gate-text'), 'This token is not valid. Please ask for a new one.');
    assert.deepEqual(await p.page.$$eval('#transcript li', lines => lines.map(line => line.textContent)), []);
    assert.equal(await p.page.evaluate(() => document.activeElement.id), 'token');
    await p.shot('refused');
  },

  async looks() {
    const p = await open({ viewport: { width: 375, height: 700 }, deviceScaleFactor: 2, colorScheme: 'dark' });
    await p.shot('phone-dark-start');
    await p.page.click('#start-typing');
    await p.state('listening');
    await p.say('What is the current time?');
    await p.playsPast(300);
    for (const colorScheme of ['dark', 'light']) {
      await p.page.emulateMedia({ colorScheme });
      const { sideways, paper, ink } = await p.page.evaluate(() => ({
        sideways: [document.documentElement, document.querySelector('main')].some(part => part.scrollWidth > part.clientWidth),
        paper: getComputedStyle(document.body).backgroundColor,
        ink: getComputedStyle(document.body).color,
      }));
      await p.shot(`phone-${colorScheme}`);
      assert.equal(sideways, false, `${colorScheme}: nothing sticks out sideways`);
      const [dark, bright] = colorScheme === 'dark' ? [paper, ink] : [ink, paper];
      assert.ok(brightness(dark) < 60 && brightness(bright) > 200, `${colorScheme}: ${ink} on ${paper}`);
    }
  },
};

function brightness(color) {
  const [red, green, blue] = color.match(/\d+/g).map(Number);
  return (red + green + blue) / 3;
}

await play(SCENARIOS[process.argv[2]]);
