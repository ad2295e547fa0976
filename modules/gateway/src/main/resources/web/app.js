/** The page: what can be pressed, what is shown, and which phase the conversation is in. */

import { Access } from './access.js';
import { Microphone, Player, SILENCE } from './audio.js';
import { Connection } from './connection.js';
import { Conversation } from './conversation.js';
import { Score, Sketch, loudness } from './score.js';
import { Speech } from './speech.js';
import { Transcript } from './transcript.js';
import { explain } from './words.js';

const LAST_WORDS_MS = 1_500;

const STATUS = {
  idle: 'Ready', connecting: 'Connecting', listening: 'Listening', 'user-speaking': 'You speak',
  thinking: 'Thinking', waiting: 'One moment…', 'agent-speaking': 'Agent speaks', reconnecting: 'Reconnecting',
  ended: 'Ended', refused: 'Refused', unavailable: 'Voice unavailable',
};

const ANNOUNCED = {
  connecting: 'Connecting.', live: 'Connected.', reconnecting: 'The connection dropped. Reconnecting.',
};

const GATE = {
  idle: {
    title: 'Let’s talk', text: 'Press start and speak. Interrupt whenever you like.', start: 'Start talking', type: 'Type instead',
  },
  token: {
    title: 'Let’s talk', text: 'Paste your access token to begin. It is kept in this tab only.',
    start: 'Start talking', type: 'Type instead',
  },
  ended: { title: 'The conversation has ended', text: '', start: 'Start again', type: 'Type instead' },
  lost: {
    title: 'The connection is gone', text: 'It could not be restored. Nothing more was heard on either side.',
    start: 'Start again', type: 'Type instead',
  },
  failed: { title: 'That did not work', text: 'The other end gave no reason.', start: 'Try again' },
  refused: { title: 'Access refused', text: 'This token is not valid. Please ask for a new one.', start: 'Try again' },
  busy: { title: 'Not available just now', text: 'Please try again in a little while.', start: 'Try again' },
  unavailable: {
    title: 'Voice is not available', text: 'You can go on in writing.', start: 'Try voice again', type: 'Continue by typing',
  },
};

const MICROPHONE_PROBLEMS = {
  NotAllowedError: 'The microphone is blocked for this page. You can type, or allow it in the browser and press the microphone button.',
  NotFoundError: 'No microphone was found. You can type, or connect one and press the microphone button.',
  NotReadableError: 'Another program is using the microphone. You can type, or close it and press the microphone button.',
  SecurityError: 'Browsers only open the microphone on secure pages (https). You can type.',
};

const byId = id => document.getElementById(id);
const body = document.body;
const gate = {
  section: byId('gate'), title: byId('gate-title'), text: byId('gate-text'), form: byId('gate-form'),
  start: byId('start'), type: byId('start-typing'), tokenField: byId('token-field'), token: byId('token'),
};
const dock = {
  section: byId('dock'), notice: byId('notice'), form: byId('say'), text: byId('text'),
  field: byId('field'), mute: byId('mute'), end: byId('end'), latest: byId('latest'),
};

const transcript = new Transcript(byId('transcript'), byId('scroller'), following => { dock.latest.hidden = following; });
const score = new Score(byId('score'), () => ({ agent: loudness(player.level), you: loudness(microphoneLevel) }));
new Sketch(byId('sketch'));

/** idle, connecting, live, reconnecting, ended, refused, unavailable */
let phase = 'idle';
let attempt = 0;
let access = null;
let connection = null;
let conversation = null;
let speech = null;
let player = SILENCE;

let microphone = null;
let microphoneState = 'off';
let microphoneProblem = '';
let microphoneLevel = 0;
let unreportedPlayback = null;

let developmentToken = false;
const tokenLoaded = loadToken();

// A conversation from its beginning to its end

async function start({ voice, textOnly = false }) {
  const mine = ++attempt;
  microphoneProblem = '';
  enter('connecting');
  // First of all, because browsers give sound only to what follows closely on a press.
  const opened = await openPlayer();
  if (voice) await openMicrophone(mine);
  const token = await currentToken();
  if (mine !== attempt) {
    opened.close();
    return;
  }
  player = opened;
  access = new Access(token, keepToken);
  connection = new Connection(access, {
    welcome: begun,
    resumed,
    event: event => conversation.receive(event),
    down,
    over: outcome => finished({ ...outcome, textOnly }),
  });
  speech = new Speech(connection);
  conversation = new Conversation({
    send: event => connection.send(event), player, speech, transcript, changed: render,
    textOnly: textOnly || player === SILENCE,
  });
  score.start();
  connection.open();
  render();
}

async function openPlayer() {
  try {
    return await Player.open({ onHeard: reportPlayback, onChange: voiceMoved });
  } catch {
    return SILENCE;
  }
}

function begun() {
  enter('live');
  conversation.begin();
}

function down() {
  conversation.interrupted();
  enter(phase === 'connecting' ? 'connecting' : 'reconnecting');
}

function resumed({ recovered }) {
  enter('live');
  conversation.resumed({ recovered });
  if (recovered && unreportedPlayback) connection.send(unreportedPlayback);
  unreportedPlayback = null;
}

async function endByUser() {
  if (!connection) {
    finished({ kind: 'ended', textOnly: false });
    return;
  }
  const ending = connection;
  // A suspended player never answers.
  await Promise.race([conversation.fallSilent(), new Promise(done => setTimeout(done, 100))]);
  ending.end();
}

function finished({ kind, code, message, offersText, textOnly }) {
  if (kind !== 'ended') conversation?.fallSilent();
  release();
  const words = GATE[kind];
  const text = explain(code, message, words.text);
  transcript.takeBack(text);
  // Where writing was refused as well, it is not offered again.
  const goesOnInWriting = !textOnly && (kind === 'unavailable' || offersText);
  showGate({
    ...words,
    text,
    type: goesOnInWriting ? GATE.unavailable.type : kind === 'unavailable' ? '' : words.type,
    typingFirst: goesOnInWriting,
  });
  enter({ lost: 'ended', failed: 'ended', busy: 'refused' }[kind] ?? kind);
  write(byId('announcement'), [gate.title.textContent, gate.text.textContent].filter(Boolean).join('. '));
  if (code === 'unauthenticated' && !developmentToken) forgetToken();
  (gate.tokenField.hidden || kind !== 'refused' ? firstChoice() : gate.token).focus({ preventScroll: true });
}

function release() {
  attempt++;
  conversation?.close();
  // A server that says goodbye closes while its last second is still queued here.
  const last = player;
  setTimeout(() => last.close(), LAST_WORDS_MS);
  player = SILENCE;
  access?.close();
  access = null;
  connection = null;
  speech = null;
  unreportedPlayback = null;
  closeMicrophone();
  score.stop();
}

// Sound

async function openMicrophone(mine) {
  microphoneState = 'opening';
  try {
    const opened = await Microphone.open(heardUser, microphoneLost);
    if (mine !== attempt) {
      opened.close();
      return;
    }
    microphone = opened;
    microphoneState = 'on';
    microphoneProblem = '';
  } catch (problem) {
    if (mine !== attempt) return;
    microphoneState = 'denied';
    microphoneProblem = MICROPHONE_PROBLEMS[problem.name] ?? 'The microphone could not be opened. You can type.';
  }
  render();
}

function closeMicrophone() {
  microphone?.close();
  microphone = null;
  microphoneState = 'off';
  microphoneLevel = 0;
}

function microphoneLost() {
  closeMicrophone();
  microphoneProblem = 'The microphone was disconnected. You can type, or press the microphone button to try again.';
  render();
}

function heardUser(audio, level) {
  microphoneLevel = level;
  speech?.add(audio);
}

async function toggleMicrophone() {
  if (microphoneState === 'opening') return;
  if (!microphone) {
    await openMicrophone(attempt);
    return;
  }
  microphoneState = microphoneState === 'muted' ? 'on' : 'muted';
  microphone.muted = microphoneState === 'muted';
  render();
}

function reportPlayback(item, playedMs) {
  const report = { type: 'playback', item_id: item, played_ms: playedMs };
  if (!connection?.send(report)) unreportedPlayback = report;
}

function voiceMoved(item) {
  if (item !== null) conversation.follow(item);
  render();
}

// Token

async function loadToken() {
  try {
    const answer = await fetch('/v1/dev-token', { cache: 'no-store' });
    if (answer.ok) {
      gate.token.value = (await answer.json()).token;
      developmentToken = true;
      return;
    }
  } catch {
    // Unreachable now; the field lets the person go on once it is back.
  }
  gate.token.value = sessionStorage.getItem('parley-token') ?? '';
  gate.tokenField.hidden = false;
}

async function currentToken() {
  if (developmentToken) await loadToken();
  else keepToken(gate.token.value.trim());
  return gate.token.value.trim();
}

function keepToken(token) {
  gate.token.value = token;
  if (!developmentToken) sessionStorage.setItem('parley-token', token);
}

function forgetToken() {
  sessionStorage.removeItem('parley-token');
  gate.token.value = '';
}

// What is shown

function state() {
  if (phase !== 'live') return phase;
  if (conversation.userSpeaking) return 'user-speaking';
  if (player.playing) return 'agent-speaking';
  if (conversation.paused) return 'waiting';
  return conversation.thinking ? 'thinking' : 'listening';
}

function enter(next) {
  const changed = phase !== next;
  phase = next;
  if (changed && ANNOUNCED[next]) write(byId('announcement'), ANNOUNCED[next]);
  render();
  if (changed && next === 'live' && !body.contains(document.activeElement?.closest('#dock'))) {
    (microphone ? dock.mute : dock.text).focus({ preventScroll: true });
  }
}

function render() {
  const now = state();
  const running = ['connecting', 'live', 'reconnecting'].includes(phase);
  const speaks = microphoneState === 'on';

  body.dataset.state = now;
  body.dataset.mic = microphoneState;
  body.dataset.transcript = transcript.empty ? 'empty' : 'some';
  write(byId('status'), now === 'listening' && !speaks ? { muted: 'Muted' }[microphoneState] ?? 'Connected' : STATUS[now]);

  gate.section.hidden = running;
  dock.section.hidden = !running;
  for (const part of [dock.mute, dock.field]) part.inert = phase === 'connecting';
  dock.mute.setAttribute('aria-pressed', String(microphoneState === 'muted'));
  label(dock.mute, { on: 'Mute the microphone', muted: 'Unmute the microphone' }[microphoneState] ?? 'Turn on the microphone');

  dock.text.placeholder = microphone ? 'Or type…' : 'Write a message…';

  show(dock.notice, phase === 'reconnecting'
    ? 'The connection dropped. Trying again; what you write meanwhile is kept.' : microphoneProblem);
  show(byId('hint'), running && transcript.empty ? hint(speaks) : '');
}

function hint(speaks) {
  if (phase === 'connecting') return 'One moment…';
  if (microphoneState === 'muted') return 'You are muted.';
  return speaks ? 'Go ahead, I’m listening.' : 'Write something to begin.';
}

function showGate({ title, text, start: startLabel, type = '', typingFirst = false }) {
  write(gate.title, title);
  show(gate.text, text);
  write(gate.start, startLabel);
  show(gate.type, type);
  gate.start.className = typingFirst ? 'plain' : 'primary';
  gate.type.className = typingFirst ? 'primary' : 'plain';
  gate.type.dataset.keep = typingFirst;
}

function firstChoice() {
  return gate.form.querySelector('.primary');
}

function write(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

function show(element, text) {
  write(element, text);
  element.hidden = text === '';
}

function label(button, text) {
  if (button.title === text) return;
  button.title = text;
  button.setAttribute('aria-label', text);
}

async function showVersion() {
  try {
    const { version } = await (await fetch('/health')).json();
    if (version) write(byId('version'), `Parley ${version}`);
  } catch {
    // The page works as well without its number.
  }
}

// What can be pressed

async function tokenMissing() {
  // Who presses before the development token has come means it all the same.
  await tokenLoaded;
  if (gate.token.value.trim() !== '') return false;
  gate.token.focus();
  return true;
}

gate.form.addEventListener('submit', async event => {
  event.preventDefault();
  if (await tokenMissing()) return;
  transcript.clear();
  start({ voice: true });
});

gate.type.addEventListener('click', async () => {
  if (await tokenMissing()) return;
  const goesOn = gate.type.dataset.keep === 'true';
  if (goesOn && !transcript.empty) transcript.note('Continued in writing.');
  if (!goesOn) transcript.clear();
  start({ voice: false, textOnly: goesOn });
});

dock.form.addEventListener('submit', event => {
  event.preventDefault();
  const text = dock.text.value.trim();
  if (text === '') return;
  dock.text.value = '';
  conversation.type(text);
  transcript.toEnd();
  render();
});

dock.mute.addEventListener('click', toggleMicrophone);
dock.end.addEventListener('click', endByUser);
dock.latest.addEventListener('click', () => transcript.toEnd());
addEventListener('pagehide', () => connection?.end());

// A phone suspends sound for a call or a lock screen; the next touch may bring it back.
addEventListener('pointerdown', () => {
  player.wake();
  microphone?.wake();
});

window.parley = {
  state,
  playedMs: item => player.playedMs(item),
  transcript: () => transcript.entries(),
};

await tokenLoaded;
if (phase === 'idle') showGate(developmentToken ? GATE.idle : GATE.token);
render();
showVersion();
