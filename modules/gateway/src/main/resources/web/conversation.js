/** What the events of a conversation mean: whose turn it is, what is said, what is played, what must fall silent. */

import { explain, restored } from './words.js';

/** Text runs ahead of its sound; until an item's sound is complete, this pace tells how far the voice has come. */
const SPOKEN_CHARACTERS_PER_SECOND = 15;
/** Past this, a turn without an answer is no longer called thinking. */
const ANSWER_EXPECTED_WITHIN_MS = 15_000;
/** After a resume: what was said or written and is still not told by then was lost, and is sent again. */
const TOLD_WITHIN_MS = 1_500;
/** A pause is over when something happens again; where nothing was going to happen, nobody waits for ever. */
const PAUSE_SHOWN_MS = 10_000;

/** Races between the two ends, not faults. */
const BENIGN = new Set([
  'response_cancel_not_active', 'input_audio_buffer_commit_empty', 'conversation_already_has_active_response',
]);

const seconds = ms => `${(ms / 1000).toFixed(1)} s`;
const newId = () => `item_${crypto.getRandomValues(new BigUint64Array(1))[0].toString(36)}`;

export class Conversation {
  #send;
  #player;
  #speech;
  #transcript;
  #changed;
  #textOnly;
  #response = null;
  #answerWanted = false;
  #answerTimer = 0;
  #settleTimer = 0;
  #pauseTimer = 0;
  /** The ids told after a resume that lost what was missed. */
  #history = null;
  #uncommitted = null;
  /** Turns that were lost and sent again: the next ones that are heard are these, under other ids. */
  #saidAgain = [];
  #saying = null;
  #speechStarts = new Map();
  #soundComplete = new Set();
  #silenced = new Set();
  #unplayed = new Set();
  #unconfirmed = new Map();
  #cut = new Set();
  #transcribed = new Set();
  #toolCalls = new Map();

  userSpeaking = false;

  constructor({ send, player, speech, transcript, changed, textOnly }) {
    this.#send = send;
    this.#player = player;
    this.#speech = speech;
    this.#transcript = transcript;
    this.#changed = changed;
    this.#textOnly = textOnly;
  }

  get thinking() {
    return this.#response !== null || this.#answerTimer !== 0;
  }

  /** The other end said that it needs a moment. */
  get paused() {
    return this.#pauseTimer !== 0;
  }

  begin() {
    this.#configure();
    this.#settle();
  }

  /** The socket is gone; what of it was lost is not known before another one is there. */
  interrupted() {
    clearTimeout(this.#settleTimer);
  }

  /** The socket is there again. Either all that was missed follows, or the history in its place. */
  resumed({ recovered }) {
    if (!recovered) {
      this.#history = new Set();
      this.#speech.hold();
      this.#cutShort();
      this.#transcript.find(this.#uncommitted)?.wait('You spoke');
      this.userSpeaking = false;
    }
    clearTimeout(this.#settleTimer);
    this.#settleTimer = setTimeout(() => this.#settle(), TOLD_WITHIN_MS);
  }

  #settle() {
    if (this.#history !== null) {
      this.#saidAgain = [this.#speech.repeat(this.#history), this.#uncommitted].filter(Boolean);
      this.#history = null;
    }
    if (this.#silenced.has(this.#response)) this.#send({ type: 'response.cancel' });
    for (const [id, text] of this.#unconfirmed) this.#sendText(id, text);
    this.#changed();
  }

  type(text) {
    const id = newId();
    this.#unconfirmed.set(id, text);
    const turn = this.#transcript.turn(id, 'you');
    turn.write(text);
    turn.finish();
    // Also when only the last of its sound was left to play: the other end must know what was not heard.
    const wasAudible = this.fallSilent() !== undefined;
    if (wasAudible || this.#response !== null) this.#send({ type: 'response.cancel' });
    this.#sendText(id, text);
  }

  /** The person takes the floor: nothing of what was being said may still be heard, nor arrive late. */
  fallSilent() {
    if (this.#response !== null) this.#silenced.add(this.#response);
    if (this.#unplayed.size === 0) return undefined;
    for (const item of this.#unplayed) {
      this.#silenced.add(item);
      this.follow(item);
      const turn = this.#transcript.find(item);
      turn?.wait(`The agent spoke for ${seconds(this.#player.playedMs(item))}`);
      turn?.interrupt();
    }
    this.#unplayed.clear();
    return this.#player.clear();
  }

  /** How far the voice has come in the text of its item. */
  follow(item) {
    const turn = this.#transcript.find(item);
    if (!turn) return;
    const playedMs = this.#player.playedMs(item);
    const isWhole = this.#soundComplete.has(item) && !this.#cut.has(item);
    turn.hearUpTo(isWhole
      ? turn.text.length * playedMs / Math.max(1, this.#player.receivedMs(item))
      : SPOKEN_CHARACTERS_PER_SECOND * playedMs / 1000);
    if (!this.#soundComplete.has(item) || playedMs < this.#player.receivedMs(item)) return;
    this.#unplayed.delete(item);
    if (this.#cut.has(item)) turn.interrupt();
  }

  close() {
    clearTimeout(this.#answerTimer);
    clearTimeout(this.#settleTimer);
    this.#goOn();
    this.userSpeaking = false;
  }

  receive(event) {
    this.#goOn();
    this.#handle(event);
    this.#changed();
  }

  #handle(event) {
    switch (event.type) {
      case 'error': return this.#error(event.error ?? {});

      case 'input_audio_buffer.speech_started': return this.#speechStarted(event);
      case 'input_audio_buffer.committed': return this.#committed(event.item_id);
      case 'input_audio_buffer.speech_stopped': return this.#speechStopped(event);
      case 'conversation.item.input_audio_transcription.delta': return this.#userSaid(event.item_id, event.delta, true);
      case 'conversation.item.input_audio_transcription.completed': return this.#userSaid(event.item_id, event.transcript, false);

      case 'conversation.item.added':
      case 'conversation.item.created':
      case 'conversation.item.done': return this.#item(event.item ?? {});
      case 'conversation.item.truncated': return this.#truncated(event);

      case 'response.created': return this.#responseStarted(event.response);
      case 'response.done': return this.#responseDone(event.response);
      case 'response.output_item.added':
      case 'response.output_item.done': return this.#item(event.item ?? {});
      case 'response.function_call_arguments.done':
      case 'response.mcp_call_arguments.done': return this.#transcript.find(event.item_id)?.write(event.arguments);

      case 'response.output_audio_transcript.delta':
      case 'response.output_text.delta': return this.#agentSays(event);
      case 'response.output_audio.delta': return this.#voice(event);
      case 'response.output_audio.done': return this.#voiceDone(event.item_id);

      case 'session.reconnecting': return this.#pause();
      case 'session.restored': return this.#restored(event.lost ?? []);

      default: return this.#other(event);
    }
  }

  #configure() {
    this.#send({
      type: 'session.update',
      session: {
        type: 'realtime',
        ...(this.#textOnly ? { output_modalities: ['text'] } : {}),
        audio: { input: { transcription: { model: 'gpt-4o-mini-transcribe' }, turn_detection: { type: 'server_vad' } } },
      },
    });
  }

  #error({ code, message }) {
    if (code === 'conversation_already_has_active_response') this.#answerWanted = true;
    else if (code === 'response_cancel_not_active') this.#responseDone(null);
    if (!BENIGN.has(code)) this.#transcript.note(explain(code, message, 'Something went wrong at the other end.'));
  }

  /** Events of Parley's own that bring a sentence for people, such as a warning before the time is up. */
  #other(event) {
    if (event.type?.startsWith('voice-') && typeof event.message === 'string') this.#transcript.note(event.message);
  }

  #pause() {
    this.#pauseTimer = setTimeout(() => {
      this.#goOn();
      this.#changed();
    }, PAUSE_SHOWN_MS);
  }

  #goOn() {
    clearTimeout(this.#pauseTimer);
    this.#pauseTimer = 0;
  }

  #restored(lost) {
    for (const { call_id: call } of lost) this.#toolCalls.get(call)?.mark('failed');
    // While the history is told, the page itself is about to say again what is missing there.
    const kinds = lost.map(({ kind }) => kind).filter(kind => kind !== 'speech' || this.#history === null);
    const sentence = restored(kinds);
    if (sentence !== '') this.#transcript.note(sentence);
  }

  // What the person says

  #speechStarted({ item_id: item, audio_start_ms: start }) {
    this.fallSilent();
    this.#speech.started();
    this.#uncommitted = item;
    this.#transcript.rename(this.#saidAgain.shift(), item);
    this.#speechStarts.set(item, start);
    this.userSpeaking = true;
    this.#transcript.turn(item, 'you').wait('Speaking…');
  }

  #speechStopped({ item_id: item, audio_end_ms: end }) {
    this.userSpeaking = false;
    const length = end - this.#speechStarts.get(item);
    const turn = this.#transcript.turn(item, 'you');
    turn.wait(length > 0 ? `You spoke for ${seconds(length)}` : 'You spoke');
    turn.finish();
    this.#expectAnswer();
  }

  #committed(item) {
    this.#speech.committed(item);
    this.#uncommitted = null;
  }

  #userSaid(item, text, isPart) {
    if (!text) return;
    // A late part must not be added to the whole.
    if (isPart && this.#transcribed.has(item)) return;
    if (!isPart) this.#transcribed.add(item);
    const turn = this.#transcript.turn(item, 'you');
    turn.write(isPart ? turn.text + text : text);
    turn.finish();
  }

  #sendText(id, text) {
    const sent = this.#send({
      type: 'conversation.item.create',
      item: { id, type: 'message', role: 'user', content: [{ type: 'input_text', text }] },
    });
    if (!sent) return;
    this.#expectAnswer();
    this.#answerWanted = true;
    this.#askForAnswer();
  }

  /** Only one answer may be in the making, so a wanted one waits for the end of the running one. */
  #askForAnswer() {
    if (!this.#answerWanted || this.#response !== null) return;
    this.#answerWanted = false;
    this.#send({ type: 'response.create' });
  }

  #expectAnswer() {
    clearTimeout(this.#answerTimer);
    this.#answerTimer = setTimeout(() => {
      this.#answerTimer = 0;
      this.#changed();
    }, ANSWER_EXPECTED_WITHIN_MS);
  }

  #answerCame() {
    clearTimeout(this.#answerTimer);
    this.#answerTimer = 0;
  }

  // What the agent says

  #responseStarted(response) {
    this.#answerCame();
    this.#response = response?.id ?? '';
  }

  #responseDone(response) {
    if (response?.status_details?.error?.code === 'upstream_lost') {
      this.#cutShort();
      return;
    }
    this.#response = null;
    this.#answerCame();
    this.#endSound();
    if (response?.status === 'failed') {
      this.#transcript.note(response.status_details?.error?.message ?? 'The agent could not answer.');
    } else if (response?.status === 'incomplete') {
      this.#transcript.note('The answer ended early.');
    }
    this.#askForAnswer();
  }

  /** A fault ended the answer. What came of it is still played, and another one begins by itself. */
  #cutShort() {
    if (this.#response === null) return;
    this.#response = null;
    if (this.#unplayed.has(this.#saying)) {
      if (!this.#soundComplete.has(this.#saying)) this.#cut.add(this.#saying);
    } else if (this.#player.receivedMs(this.#saying) === 0) {
      this.#transcript.find(this.#saying)?.interrupt();
    }
    this.#endSound();
    this.#expectAnswer();
  }

  #agentSays({ item_id: item, response_id: response, delta }) {
    if (this.#isSilenced(item, response)) return;
    this.#response = response ?? this.#response;
    this.#saying = item;
    const turn = this.#transcript.turn(item, 'agent');
    turn.write(turn.text + delta);
    if (this.#player.receivedMs(item) > 0) this.follow(item);
  }

  #voice({ item_id: item, response_id: response, delta }) {
    if (this.#isSilenced(item, response)) return;
    this.#response = response ?? this.#response;
    this.#player.enqueue(item, delta);
    if (this.#player.receivedMs(item) === 0) return;
    this.#unplayed.add(item);
    const turn = this.#transcript.turn(item, 'agent');
    if (turn.placeholder === '') {
      turn.wait('Speaking…');
      turn.hearUpTo(0);
    }
  }

  #voiceDone(item) {
    if (this.#silenced.has(item)) return;
    this.#soundComplete.add(item);
    this.#player.end(item);
    this.#transcript.find(item)?.wait(`The agent spoke for ${seconds(this.#player.receivedMs(item))}`);
  }

  /** For items whose own end was never told. */
  #endSound() {
    for (const item of this.#unplayed) {
      if (!this.#soundComplete.has(item)) this.#voiceDone(item);
    }
  }

  #isSilenced(item, response) {
    return this.#silenced.has(item) || this.#silenced.has(response);
  }

  #truncated({ item_id: item, audio_end_ms: heardMs }) {
    const turn = this.#transcript.find(item);
    const receivedMs = this.#player.receivedMs(item);
    if (!turn || receivedMs === 0 || !this.#soundComplete.has(item)) return;
    turn.interrupt();
    turn.hearUpTo(turn.text.length * heardMs / receivedMs);
  }

  // Whole items: from the other end, or repeated after a resume

  #item(item) {
    this.#unconfirmed.delete(item.id);
    this.#history?.add(item.id);
    if (item.type === 'message' && item.role !== 'system') this.#message(item);
    else if (item.type === 'function_call' || item.type === 'mcp_call') this.#toolCall(item);
    else if (item.type === 'function_call_output') this.#toolCalls.get(item.call_id)?.mark('done');
  }

  #message({ id, role, status, content }) {
    const text = (content ?? []).map(part => part.transcript ?? part.text ?? '').join('');
    const known = this.#transcript.find(id);
    // What an interrupted item was going to say is not what was said.
    if (known?.interrupted || (!known && text === '')) return;
    const turn = known ?? this.#transcript.turn(id, role === 'assistant' ? 'agent' : 'you');
    if (text !== '') turn.write(text);
    // What the history tells of it is what was heard.
    if (text !== '' && this.#cut.delete(id)) turn.interrupt();
    if (status !== 'in_progress' && !this.userSpeaking) turn.finish();
  }

  #toolCall({ id, type, name, arguments: input, status, call_id: call, error }) {
    const entry = this.#transcript.tool(id, name);
    this.#toolCalls.set(call, entry);
    if (input) entry.write(input);
    if (error) entry.mark('failed');
    else if (status === 'incomplete') entry.mark('cancelled');
    else if (type === 'mcp_call' && status === 'completed') entry.mark('done');
  }
}
