/** One scenario: node page.mjs <name>, with NODE_URL, CHROMIUM and SHOTS (a directory) in the environment. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { ask, askUntil, open, play } from './browser.mjs';
import { Network } from './network.mjs';
import { writeSpeech } from './speech.mjs';
import { Voice, pause, until } from './voice.mjs';

const AUDIBLE = 0.01;
const microphone = (name, parts) => writeSpeech(join(process.env.SHOTS, `${name}.wav`), parts);
const audible = heard => heard.filter(moment => moment.rms > AUDIBLE);
/** Milliseconds of sound that reached the loudspeaker. */
const audibleMs = heard => 1000 * heard.slice(1).reduce((sum, { at, rms }, k) => sum + (rms > AUDIBLE ? at - heard[k].at : 0), 0);
/** The longest time, in milliseconds, that was silent from one moment to the next, between the first and the last sound. */
function longestSilence(heard) {
  let longest = 0;
  let since = null;
  for (const { at, rms } of heard.slice(heard.findIndex(moment => moment.rms > AUDIBLE))) {
    if (rms > AUDIBLE) {
      if (since) longest = Math.max(longest, 1000 * (since.to - since.from));
      since = null;
    } else {
      since = { from: since?.from ?? at, to: at };
    }
  }
  return longest;
}

const STORY = 'once upon a time there was a line that broke in the middle of a word and nobody heard it at all';
/** How long after the news of speech the loudspeaker may still sound: its buffers, and a busy machine. */
const SILENT_WITHIN_MS = 150;
/** Half a second of frames without a sound: longer than from one syllable to the next. */
const SPOKEN = 12;

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
    await p.judge(heard => {
      const soundMs = audibleMs(heard);
      assert.ok(soundMs > 0.6 * playedMs && soundMs < playedMs + 200, `${soundMs} ms of ${playedMs} ms are audible`);
    });
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

    await p.judge(heard => assert.ok(audibleMs(heard) > 500, 'the answer is audible'));
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
    await p.judge(heard => assert.ok(audibleMs(heard) > 500, 'the answer is audible'));
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

    await p.judge(heard => {
      // What is measured at a moment sounded up to 43 ms before.
      const since = heard.filter(moment => moment.at > at + SILENT_WITHIN_MS / 1000 && moment.at < at + 1);
      assert.ok(since.length > 15, `${since.length} moments after the interruption`);
      assert.deepEqual(audible(since), [], 'nothing more of the story is audible');
    });
    const story = (await p.transcript()).find(turn => turn.role === 'agent');
    assert.equal(story.interrupted, true);
    assert.ok(story.heard.length > 0 && story.heard.length < story.text.length, `heard: ${story.heard}`);
    const storyMs = await p.page.evaluate(item => window.parley.playedMs(item), story.id);
    await p.judge(() => assert.equal(storyMs, stoppedAt, 'the story does not play on'));

    const { session_id: id } = await p.event('voice-welcome');
    const { turns } = await askUntil(`/v1/sessions/${id}/transcript`, ({ turns }) => turns.length === 4 && turns[1].interrupted, 'the cut');
    assert.equal(turns[1].item_id, story.id);
    assert.equal(turns[1].heard_ms, told);
    await p.judge(() => assert.ok(Math.abs(turns[1].heard_ms - storyMs) < 250,
      `the server says ${turns[1].heard_ms} ms, the page played ${storyMs} ms`));
    assert.ok(turns[1].text.length < turns[1].full_text.length);
    await p.shot('barge-in-answered');
  },

  async cut() {
    const voice = new Voice();
    const p = await open({ voice, expected: /\/v1\/(ws\/voice|tickets)/ });
    await p.page.click('#start-typing');
    const first = await voice.begin();
    await p.say('Tell me a story');
    const asked = await first.hears('conversation.item.create');
    voice.item(asked.item.id, 'user', 'Tell me a story');
    const story = voice.answer('item_story', STORY);
    await p.playsPast(1_000);
    const playedBeforeTheCut = await p.playedMs();
    voice.cut();
    await p.state('reconnecting');
    await p.shot('cut');
    // What was there is played on.
    await p.playsPast(playedBeforeTheCut + 500);
    voice.heal();
    voice.resume(await voice.line(1), 2);
    await p.state('agent-speaking');
    await story;
    await p.state('listening');

    const length = STORY.split(' ').length * 200;
    assert.equal(await p.playedMs(), length, 'every piece is played, and once');
    const turns = await p.transcript();
    assert.deepEqual(turns.map(turn => [turn.role, turn.text]), [['you', 'Tell me a story'], ['agent', STORY]]);
    assert.equal(turns[1].heard, STORY);
    assert.equal(turns[1].interrupted, false);
    const acknowledged = voice.lines.flatMap(line => line.all('ack')).at(-1);
    await until(() => voice.lines[1].all('ack').at(-1)?.seq === voice.seq, `the last ack, after ${acknowledged?.seq}`);
    assert.equal(voice.lines[1].all('conversation.item.create').length, 0, 'what arrived is not sent again');
    await p.shot('cut-healed');
  },

  async draining() {
    const voice = new Voice();
    const p = await open({ voice });
    await p.page.click('#start-typing');
    const first = await voice.begin();
    await p.say('Tell me a story');
    const asked = await first.hears('conversation.item.create');
    voice.item(asked.item.id, 'user', 'Tell me a story');
    const story = voice.answer('item_story', STORY);
    await p.playsPast(600);
    const announcedAt = performance.now();
    voice.mention(first, { type: 'session.draining', reason: 'restart', deadline_ms: 10_000, reconnect: { after_ms: 400 } });
    const second = await voice.line(1);
    assert.ok(performance.now() - announcedAt > 350, 'not before its time');
    assert.equal(first.open, true, 'the old line is kept');

    // The old line goes on meanwhile with what the new one will tell again.
    await pause(600);
    voice.resume(second);
    await until(() => !first.open, 'the end of the old line');
    await story;
    await p.state('listening');

    const states = await p.states();
    assert.ok(!states.includes('reconnecting'), `nothing to see: ${states}`);
    assert.equal(voice.lines.length, 2);
    assert.equal(await p.playedMs(), STORY.split(' ').length * 200, 'every piece is played, and once');
    await p.judge(heard => {
      const silentMs = longestSilence(heard);
      assert.ok(silentMs < 40, `${silentMs} ms of silence within the story`);
    });
    assert.deepEqual((await p.transcript()).map(turn => turn.text), ['Tell me a story', STORY]);
  },

  async takenOver() {
    const voice = new Voice();
    const p = await open({ voice });
    await p.page.click('#start-typing');
    const first = await voice.begin();
    voice.mention(first, { type: 'session.draining', reason: 'restart', deadline_ms: 10_000, reconnect: { after_ms: 0 } });
    const second = await voice.line(1);
    // The news of the takeover may be faster than the new line.
    first.close(4001, 'resumed elsewhere');
    await p.say('Are you there?');
    voice.resume(second);
    assert.equal((await second.hears('conversation.item.create')).item.content[0].text, 'Are you there?');
    second.close(4001, 'resumed elsewhere');
    await p.state('ended');
    assert.equal(await p.text('#gate-text'), 'It goes on in another place.');
    assert.equal(voice.lines.length, 2, 'whoever was taken over by another page stays away');
  },

  async startOver() {
    const voice = new Voice();
    const p = await open({ voice, microphone: microphone('start-over', { before: 1_500, speech: 1_000, after: 60_000 }) });
    await p.page.click('#start');
    const first = await voice.begin();
    await p.say('Hello');
    const asked = await first.hears('conversation.item.create');
    voice.item(asked.item.id, 'user', 'Hello');
    await voice.answer('item_hello', 'hello to you');
    await until(() => first.speech.length > 3, 'speech');
    voice.say({ type: 'input_audio_buffer.speech_started', item_id: 'item_lost', audio_start_ms: 1_500 });
    await p.state('user-speaking');
    await until(() => first.silence > SPOKEN, 'the end of the speech');
    voice.say({ type: 'input_audio_buffer.speech_stopped', item_id: 'item_lost', audio_end_ms: 2_500 });
    voice.say({ type: 'input_audio_buffer.committed', item_id: 'item_lost' });
    let dead = false;
    const lost = voice.answer('item_cut', STORY, { stopped: () => dead });
    await p.playsPast(300);
    dead = true;
    await lost;
    first.close(1012, "the session's node is gone");

    const second = await voice.line(1);
    voice.startOver(second);
    voice.say({ type: 'session.restored', cause: 'node_lost', lost: [{ kind: 'answer', item_id: 'item_cut', heard_ms: 300 }, { kind: 'speech' }] });
    voice.item(asked.item.id, 'user', 'Hello');
    voice.item('item_hello', 'assistant', 'hello to you');
    voice.item('item_unseen', 'user', 'said from elsewhere');
    await p.shot('start-over');
    await until(() => second.silence > SPOKEN, 'the speech again');
    await p.judge(() => {
      assert.ok(first.speech.length > 15, `${first.speech.length} frames of speech`);
      assert.deepEqual(second.speech, first.speech, 'what was said is sent again, whole and once');
    });

    voice.say({ type: 'input_audio_buffer.speech_started', item_id: 'item_again', audio_start_ms: 500 });
    voice.say({ type: 'input_audio_buffer.speech_stopped', item_id: 'item_again', audio_end_ms: 1_500 });
    voice.say({ type: 'input_audio_buffer.committed', item_id: 'item_again' });
    await voice.answer('item_answer', 'now I heard you');
    await p.state('agent-speaking');
    await p.state('listening');
    const turns = await p.transcript();
    assert.deepEqual(turns.map(turn => [turn.role, turn.id, turn.interrupted]), [
      ['you', asked.item.id, false], ['agent', 'item_hello', false], ['you', 'item_again', false],
      ['agent', 'item_cut', true], ['you', 'item_unseen', false], ['agent', 'item_answer', false],
    ]);
    await p.judge(() => assert.ok(turns[3].heard.length > 0 && turns[3].heard.length < turns[3].text.length,
      `heard: ${turns[3].heard}`));
    assert.deepEqual(await p.notes(), ['The conversation had to be restored: the agent begins its answer again.']);
    await p.shot('started-over');
  },

  async lostWhileSpeaking() {
    const voice = new Voice();
    const p = await open({ voice, microphone: microphone('lost-while-speaking', { before: 1_500, speech: 2_500, after: 60_000 }) });
    await p.page.click('#start');
    const first = await voice.begin();
    await until(() => first.speech.length > 3, 'speech');
    voice.say({ type: 'input_audio_buffer.speech_started', item_id: 'item_lost', audio_start_ms: 1_500 });
    await p.state('user-speaking');
    await until(() => first.speech.length > 20, 'more of it');
    await p.judge(() => assert.ok(first.speech.length < 45, `${first.speech.length} frames before the loss`));
    first.close(1006, '');
    await pause(500);
    const second = await voice.line(1);
    voice.startOver(second);
    await until(() => second.silence > SPOKEN, 'the end of the speech');
    await p.judge(() => {
      assert.deepEqual(second.speech.slice(0, first.speech.length), first.speech, 'from its beginning');
      // A syllable's end may fall below what counts as loud.
      assert.ok(second.speech.length > 55 && second.speech.length <= 64, `${second.speech.length} frames of 2.5 s`);
    });
    voice.say({ type: 'input_audio_buffer.speech_started', item_id: 'item_again', audio_start_ms: 500 });
    voice.say({ type: 'input_audio_buffer.speech_stopped', item_id: 'item_again', audio_end_ms: 3_000 });
    await p.state('thinking');
    assert.deepEqual((await p.transcript()).map(turn => [turn.id, turn.placeholder]), [['item_again', 'You spoke for 2.5 s']]);
  },

  async closeCodes() {
    const voice = new Voice();
    const p = await open({ voice });
    await p.page.click('#start-typing');
    let line = await voice.begin();
    for (const code of [1001, 1006, 1011, 1012, 1013, 4200, 4429]) {
      line.close(code, 'for now');
      line = await voice.line(voice.lines.length);
      voice.resume(line);
      await p.state('listening');
    }
    line.close(1012, 'the session moves');
    line = await voice.line(voice.lines.length);
    const refusedAt = performance.now();
    line.send({ type: 'error', error: { type: 'server_error', code: 'session_unavailable', message: 'try again', retry_after_ms: 900 } });
    line.close(1013, 'session_unavailable');
    line = await voice.line(voice.lines.length);
    assert.ok(performance.now() - refusedAt > 850, 'it waits as long as it was told');
    voice.resume(line);
    await p.state('listening');
    assert.deepEqual(await p.notes(), []);

    for (const [code, reason, state] of [
      [1000, '', 'ended'], [1008, 'not_in_rollout', 'refused'], [1009, 'a message too long', 'ended'],
      [4000, 'invalid_request_error.model_not_found', 'ended'], [4001, 'resumed elsewhere', 'ended'],
      [4400, 'bad_request', 'ended'], [4404, 'session_over', 'ended'], [4503, 'voice_disabled', 'unavailable'],
    ]) {
      line.close(code, reason);
      await p.state(state);
      const { length } = voice.lines;
      await pause(400);
      assert.equal(voice.lines.length, length, `nobody comes back after ${code}`);
      await p.page.click('#start');
      line = await voice.begin();
    }
  },

  async upstreamLost() {
    const voice = new Voice();
    const p = await open({ voice });
    await p.page.click('#start-typing');
    const first = await voice.begin();
    await p.say('Tell me a story');
    const asked = await first.hears('conversation.item.create');
    voice.item(asked.item.id, 'user', 'Tell me a story');
    voice.say({ type: 'response.output_item.done', item: { id: 'item_call', type: 'function_call', name: 'look_up', call_id: 'call_1', arguments: '{}' } });
    let lost = false;
    const story = voice.answer('item_story', STORY, { stopped: () => lost });
    await p.playsPast(600);
    lost = true;
    await story;
    voice.say({ type: 'response.done', response: { id: 'resp_item_story', status: 'failed',
      status_details: { type: 'failed', error: { type: 'server_error', code: 'upstream_lost' } } } });
    voice.mention(first, { type: 'session.reconnecting', what: 'provider' });
    await p.state('waiting');
    assert.equal(await p.text('#status'), 'One moment…');
    await p.shot('waiting');
    voice.say({ type: 'session.restored', cause: 'provider_lost',
      lost: [{ kind: 'tool_result', call_id: 'call_1' }, { kind: 'speech' }] });
    await voice.answer('item_story_again', 'once more from the beginning');
    await p.state('listening');

    assert.deepEqual((await p.transcript()).map(turn => [turn.role, turn.id, turn.interrupted]),
      [['you', asked.item.id, false], ['tool', 'item_call', undefined], ['agent', 'item_story', true], ['agent', 'item_story_again', false]]);
    assert.equal(await p.page.getAttribute('li.tool', 'data-tool'), 'failed');
    assert.deepEqual(await p.notes(), ['The conversation had to be restored: what a tool had found is lost, '
      + 'and your last words are lost, please say them again.'], 'no error');
    assert.equal(voice.lines.length, 1);
  },

  async reconnect() {
    const network = await Network.to(new URL(process.env.NODE_URL).port);
    try {
      const p = await open({ url: network.url, expected: /\/v1\/(ws\/voice|tickets)/ });
      await p.page.click('#start-typing');
      await p.state('listening');
      await p.say(`say exactly: ${STORY}`);
      await p.playsPast(500);
      const { session_id: id } = await p.event('voice-welcome');
      network.cut();
      await p.state('reconnecting');
      await p.shot('reconnecting');
      await pause(1_000);
      network.heal();
      const resumed = await p.event('session.resumed');
      assert.equal(resumed.recovered, true);
      await p.state('agent-speaking');
      // Not the state: a machine that is busy lets the loudspeaker run dry for a moment.
      await p.page.waitForFunction(story => window.parley.transcript().at(-1).heard === story, STORY);
      await p.state('listening');

      const storyMs = await p.playedMs();
      assert.deepEqual((await p.transcript()).map(turn => [turn.role, turn.heard]), [['you', `say exactly: ${STORY}`], ['agent', STORY]]);
      const { turns } = await askUntil(`/v1/sessions/${id}/transcript`, ({ turns }) => turns.length === 2, 'the transcript');
      assert.equal(turns[1].text, STORY);
      assert.equal(turns[1].interrupted, undefined);
      assert.ok(Math.abs(turns[1].audio_ms - storyMs) <= 1, `${turns[1].audio_ms} ms sent, ${storyMs} ms played`);

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
    const p = await open({ token: null, expected: /\/v1\/(dev-token|tickets)$/ });
    await p.shot('token');
    await p.page.fill('#token', 'not.a.token');
    await p.page.keyboard.press('Enter');
    await p.state('refused');

    assert.equal(await p.text('#gate-text'), 'This token is not valid. Please ask for a new one.');
    assert.deepEqual(await p.page.$$eval('#transcript li', lines => lines.map(line => line.textContent)), []);
    assert.equal(await p.page.evaluate(() => document.activeElement.id), 'token');
    await p.shot('refused');
  },

  async ticket() {
    const p = await open({ expected: /\/v1\/tickets$/ });
    await p.page.click('#start-typing');
    await p.state('listening');
    await p.page.route('**/v1/tickets', route => route.fulfill({ status: 503 }));
    await p.page.click('#end');
    await p.state('ended');
    await p.page.click('#start-typing');
    await p.state('listening');

    const [first, second] = await p.page.evaluate(() => window.dialled);
    assert.match(first.address, /[?&]ticket=[^&]+/);
    assert.deepEqual(first.protocols, ['realtime']);
    assert.doesNotMatch(second.address, /ticket/);
    assert.match(second.protocols[1], /^openai-insecure-api-key\./);
  },

  async renewed() {
    const p = await open({ token: null, expected: /\/v1\/dev-token$/ });
    const token = process.env.SHORT_TOKEN;
    await p.page.fill('#token', token);
    await p.page.click('#start-typing');
    await p.state('listening');
    await p.page.waitForFunction(old => sessionStorage.getItem('parley-token') !== old, token);

    const renewed = await p.page.evaluate(() => sessionStorage.getItem('parley-token'));
    assert.equal(JSON.parse(Buffer.from(renewed.split('.')[1], 'base64url')).sub, 'anna');
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
