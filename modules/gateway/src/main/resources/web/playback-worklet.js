/**
 * Plays the agent's voice, item after item without a gap, and counts every sample it hands to the loudspeaker.
 * It runs in a context of 24 kHz, so one sample of an item is one sample here and the count is exact.
 */

const QUANTUM = 128;
/** Collected before a start and after a gap, so that a late packet does not make the voice stutter. */
const CUSHION_SAMPLES = sampleRate * 60 / 1000;
/** The server stays about a second ahead; only a faulty one reaches this. */
const QUEUE_LIMIT_SAMPLES = sampleRate * 30;
const REPORT_QUANTA = 8;

class Playback extends AudioWorkletProcessor {
  constructor() {
    super();
    this.queue = [];
    this.queuedSamples = 0;
    this.ends = 0;
    this.offset = 0;
    this.item = null;
    this.played = 0;
    this.running = false;
    this.fadeOut = null;
    this.energy = 0;
    this.quanta = 0;
    this.port.onmessage = ({ data }) => this[data.type](data);
  }

  chunk({ item, samples }) {
    if (this.queuedSamples + samples.length > QUEUE_LIMIT_SAMPLES) {
      // The newest goes, because losing older sound would shift every later position of the item.
      this.port.postMessage({ type: 'dropped', item, samples: samples.length });
      return;
    }
    this.queue.push({ item, samples });
    this.queuedSamples += samples.length;
  }

  end({ item }) {
    this.queue.push({ item, samples: null });
    this.ends++;
  }

  /** Silence within one quantum; its samples fade, since a cut in mid-wave is a click. */
  clear() {
    if (this.running) {
      const last = new Float32Array(QUANTUM);
      const count = this.fill(last);
      for (let k = 0; k < count; k++) last[k] *= 1 - (k + 1) / count;
      this.fadeOut = last;
    }
    this.queue = [];
    this.queuedSamples = 0;
    this.ends = 0;
    this.offset = 0;
    this.stop('cleared');
  }

  process(_, [[output]]) {
    if (this.fadeOut) {
      output.set(this.fadeOut);
      this.fadeOut = null;
      return true;
    }
    if (!this.running && (this.queuedSamples >= CUSHION_SAMPLES || this.ends > 0)) this.running = true;
    if (!this.running) return true;
    const count = this.fill(output);
    this.meter(output);
    if (count < QUANTUM) this.stop('idle');
    return true;
  }

  /** Moves samples from the queue to `output`; returns how many there were. */
  fill(output) {
    let count = 0;
    while (count < QUANTUM && this.queue.length > 0) {
      const { item, samples } = this.queue[0];
      if (samples === null) {
        this.finish(item);
        continue;
      }
      this.turnTo(item);
      const length = Math.min(QUANTUM - count, samples.length - this.offset);
      output.set(samples.subarray(this.offset, this.offset + length), count);
      count += length;
      this.offset += length;
      this.played += length;
      this.queuedSamples -= length;
      if (this.offset === samples.length) {
        this.queue.shift();
        this.offset = 0;
      }
    }
    return count;
  }

  finish(item) {
    this.queue.shift();
    this.ends--;
    if (item !== this.item) return;
    this.report('finished');
    this.item = null;
  }

  turnTo(item) {
    if (item === this.item) return;
    if (this.item !== null) this.report('finished');
    this.item = item;
    this.played = 0;
  }

  stop(how) {
    this.running = false;
    this.energy = 0;
    this.quanta = 0;
    this.report(how);
    if (how === 'cleared') this.item = null;
  }

  meter(output) {
    for (const sample of output) this.energy += sample * sample;
    if (++this.quanta < REPORT_QUANTA) return;
    this.report('playing', Math.sqrt(this.energy / (QUANTUM * REPORT_QUANTA)));
    this.energy = 0;
    this.quanta = 0;
  }

  report(type, level = 0) {
    this.port.postMessage({ type, item: this.item, samples: this.played, level });
  }
}

registerProcessor('playback', Playback);
