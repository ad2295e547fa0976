/** The microphone and the loudspeaker: PCM16 mono at 24 kHz in base64 on this side, the browser's audio on the other. */

const SAMPLE_RATE = 24_000;
const SAMPLES_PER_MS = SAMPLE_RATE / 1000;
const PLAYBACK_REPORT_MS = 200;

const workletUrl = name => new URL(`./${name}-worklet.js`, import.meta.url);

export class Microphone {
  #stream;
  #context;
  #node;

  /** Asks for the microphone; rejects as getUserMedia does. `onFrame(base64, level)` is called every 40 ms. */
  static async open(onFrame, onLost) {
    if (!navigator.mediaDevices) throw new DOMException('not a secure page', 'SecurityError');
    const microphone = new Microphone();
    try {
      await microphone.#start(onFrame, onLost);
      return microphone;
    } catch (problem) {
      microphone.close();
      throw problem;
    }
  }

  async #start(onFrame, onLost) {
    this.#stream = await navigator.mediaDevices.getUserMedia({
      audio: { echoCancellation: true, noiseSuppression: true, autoGainControl: true, channelCount: 1 },
    });
    this.#stream.getAudioTracks()[0].addEventListener('ended', onLost);
    // At the device's own rate: not every browser connects a microphone to a context of another one.
    this.#context = new AudioContext({ latencyHint: 'interactive' });
    await this.#context.audioWorklet.addModule(workletUrl('capture'));
    this.#node = new AudioWorkletNode(this.#context, 'capture', {
      numberOfOutputs: 0, channelCount: 1, channelCountMode: 'explicit',
    });
    this.#node.port.onmessage = ({ data }) => onFrame(toBase64(data.pcm), data.level);
    this.#context.createMediaStreamSource(this.#stream).connect(this.#node);
    await this.#context.resume();
  }

  /** A muted microphone sends silence rather than nothing: the server must hear that a sentence is over. */
  set muted(muted) {
    for (const track of this.#stream.getAudioTracks()) track.enabled = !muted;
  }

  wake() {
    return this.#context?.resume();
  }

  close() {
    if (this.#node) this.#node.port.onmessage = null;
    this.#stream?.getTracks().forEach(track => track.stop());
    this.#context?.close();
  }
}

export class Player {
  #context;
  #node;
  #onChange;
  #onHeard;
  #received = new Map();
  #played = new Map();
  #lastReport = 0;
  #lastItem = null;
  #cleared = null;

  playing = false;
  level = 0;

  /**
   * @param onHeard  (itemId, playedMs) about every 200 ms while an item plays, and once when it stops
   * @param onChange the voice started or fell silent, or the text may follow it a little further
   */
  static async open({ onHeard, onChange }) {
    const player = new Player();
    player.#onHeard = onHeard;
    player.#onChange = onChange;
    player.#context = new AudioContext({ sampleRate: SAMPLE_RATE, latencyHint: 'interactive' });
    await player.#context.audioWorklet.addModule(workletUrl('playback'));
    player.#node = new AudioWorkletNode(player.#context, 'playback', {
      numberOfInputs: 0, outputChannelCount: [1],
    });
    player.#node.port.onmessage = ({ data }) => player.#report(data);
    player.#node.connect(player.#context.destination);
    // Not awaited: where the browser wants another gesture first, this promise waits for it.
    player.wake();
    return player;
  }

  enqueue(item, base64) {
    const samples = fromBase64(base64);
    this.#received.set(item, (this.#received.get(item) ?? 0) + samples.length);
    this.#node.port.postMessage({ type: 'chunk', item, samples }, [samples.buffer]);
  }

  /** No more sound follows for this item. */
  end(item) {
    if (this.#received.has(item)) this.#node.port.postMessage({ type: 'end', item });
  }

  /** Falls silent at once and forgets what was queued; fulfilled when the last position has been told. */
  clear() {
    this.#node.port.postMessage({ type: 'clear' });
    return new Promise(done => { this.#cleared = done; });
  }

  playedMs(item = this.#lastItem) {
    return Math.floor((this.#played.get(item) ?? 0) / SAMPLES_PER_MS);
  }

  receivedMs(item) {
    return Math.floor((this.#received.get(item) ?? 0) / SAMPLES_PER_MS);
  }

  wake() {
    return this.#context.resume();
  }

  close() {
    this.#node.port.onmessage = null;
    this.#context.close();
  }

  #report({ type, item, samples, level }) {
    if (type === 'dropped') {
      this.#received.set(item, this.#received.get(item) - samples);
      return;
    }
    if (item !== null) {
      this.#played.set(item, samples);
      this.#lastItem = item;
      this.#tell(item, type !== 'playing');
    }
    this.playing = type === 'playing' || (type === 'finished' && this.playing);
    this.level = level;
    this.#onChange(item);
    if (type === 'cleared') this.#cleared?.();
  }

  #tell(item, stopped) {
    const now = performance.now();
    if (!stopped && now - this.#lastReport < PLAYBACK_REPORT_MS) return;
    this.#lastReport = stopped ? 0 : now;
    this.#onHeard(item, this.playedMs(item));
  }
}

/** Stands in where the browser gives no sound, as on a page without TLS: the conversation goes on in writing. */
export const SILENCE = {
  playing: false, level: 0,
  enqueue() {}, end() {}, async clear() {}, wake() {}, close() {},
  playedMs: () => 0, receivedMs: () => 0,
};

function toBase64(buffer) {
  return btoa(String.fromCharCode(...new Uint8Array(buffer)));
}

function fromBase64(base64) {
  let binary = '';
  try {
    binary = atob(base64);
  } catch {
    // A broken piece is a short silence, not the end of the conversation.
  }
  const bytes = Uint8Array.from(binary, character => character.charCodeAt(0));
  const pcm = new DataView(bytes.buffer);
  return Float32Array.from({ length: bytes.length >> 1 }, (_, k) => pcm.getInt16(2 * k, true) / 32_768);
}
