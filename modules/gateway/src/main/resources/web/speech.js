/** What the person says: on its way to the other end, and kept for as long as the other end may lose it. */

const FRAMES_PER_SECOND = 25;
/** Spoken while nothing could leave: sent when it can, the oldest given up first. */
const WAITING_LIMIT = 5 * FRAMES_PER_SECOND;
/** A longer turn is not sent again: half of it would be another sentence. */
const TURN_LIMIT = 15 * FRAMES_PER_SECOND;
/** The other end notices speech a little after it began. */
const BEFORE_SPEECH = FRAMES_PER_SECOND;
/** About four seconds of speech; behind that, what is said now waits for the network. */
const BACKLOG_LIMIT_BYTES = 256 * 1024;

export class Speech {
  #connection;
  /** Since the newest turn that was committed; the first `#sent` of them have left. */
  #frames = [];
  #sent = 0;
  #speaking = false;
  #turn = null;
  #held = false;

  constructor(connection) {
    this.#connection = connection;
  }

  /** Another frame from the microphone. */
  add(audio) {
    this.#frames.push(audio);
    if (this.#frames.length - this.#sent > WAITING_LIMIT) this.#frames.splice(this.#sent, 1);
    this.#flow();
    this.#forget();
  }

  started() {
    this.#speaking = true;
  }

  /** What was said so far is a turn of the conversation now, under this id. */
  committed(item) {
    const frames = this.#frames.splice(0, this.#sent);
    this.#turn = frames.length < TURN_LIMIT ? { item, frames } : null;
    this.#sent = 0;
    this.#speaking = false;
  }

  /** Nothing leaves before it is known what has to leave first. */
  hold() {
    this.#held = true;
  }

  /**
   * Sends again what the other end has lost: the newest turn, when it is not among the items known there, and what
   * was being said. Then goes on.
   *
   * @returns the item of the turn that was sent again, if it had one
   */
  repeat(known) {
    const turn = this.#turn && !known.has(this.#turn.item) ? this.#turn : null;
    const begun = this.#speaking && this.#sent < TURN_LIMIT ? this.#sent : 0;
    this.#frames.splice(0, this.#sent - begun);
    if (turn) {
      this.#frames.unshift(...turn.frames);
      this.#turn = null;
    }
    this.#speaking = turn !== null || begun > 0;
    this.#sent = 0;
    this.#held = false;
    this.#flow(Infinity);
    return turn?.item;
  }

  #flow(limit = BACKLOG_LIMIT_BYTES) {
    if (this.#held) return;
    while (this.#sent < this.#frames.length && this.#connection.backlog < limit) {
      if (!this.#connection.send({ type: 'input_audio_buffer.append', audio: this.#frames[this.#sent] })) return;
      this.#sent++;
    }
  }

  #forget() {
    const excess = Math.min(this.#sent, this.#frames.length - (this.#speaking ? TURN_LIMIT : BEFORE_SPEECH));
    if (excess <= 0) return;
    this.#frames.splice(0, excess);
    this.#sent -= excess;
  }
}
