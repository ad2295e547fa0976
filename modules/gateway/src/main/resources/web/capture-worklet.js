/** Turns the microphone into 40 ms frames of PCM16 mono at 24 kHz, whatever rate the device runs at. */

const TARGET_RATE = 24_000;
const FRAME_SAMPLES = TARGET_RATE * 40 / 1000;
const ZERO_CROSSINGS = 16;

const greatestCommonDivisor = (a, b) => (b === 0 ? a : greatestCommonDivisor(b, a % b));

/**
 * Band-limited resampling by a rational factor. The output positions repeat after `phases` samples, so every
 * filter that is ever needed is computed once and no rounding error of a position can add up.
 */
class Resampler {
  constructor(inputRate) {
    const divisor = greatestCommonDivisor(inputRate, TARGET_RATE);
    this.step = inputRate / divisor;
    this.phases = TARGET_RATE / divisor;

    // Just below the lower of the two Nyquist frequencies: what lies above would come back as a false low tone.
    const cutoff = 0.94 * Math.min(1, TARGET_RATE / inputRate);
    this.reach = Math.ceil(ZERO_CROSSINGS / cutoff);
    this.filters = Array.from({ length: this.phases }, (_, phase) => this.filter(phase / this.phases, cutoff));

    this.input = new Float32Array(2 * this.reach);
    this.filled = 2 * this.reach;
    this.position = this.reach * this.phases;
  }

  filter(fraction, cutoff) {
    const taps = new Float32Array(2 * this.reach);
    let sum = 0;
    for (let k = 0; k < taps.length; k++) {
      const distance = k - this.reach + 1 - fraction;
      const x = Math.PI * cutoff * distance;
      const window = Math.cos(Math.PI * distance / (2 * this.reach)) ** 2;
      taps[k] = (x === 0 ? 1 : Math.sin(x) / x) * window;
      sum += taps[k];
    }
    return taps.map(tap => tap / sum);
  }

  /** Calls `emit` with each output sample that `block` completes. */
  push(block, emit) {
    this.append(block);
    let start = Math.floor(this.position / this.phases);
    while (start + this.reach < this.filled) {
      const taps = this.filters[this.position % this.phases];
      const first = start - this.reach + 1;
      let sample = 0;
      for (let k = 0; k < taps.length; k++) sample += taps[k] * this.input[first + k];
      emit(sample);
      this.position += this.step;
      start = Math.floor(this.position / this.phases);
    }
    this.discard(start - this.reach + 1);
  }

  append(block) {
    if (this.filled + block.length > this.input.length) {
      const larger = new Float32Array(this.filled + 4 * block.length);
      larger.set(this.input.subarray(0, this.filled));
      this.input = larger;
    }
    this.input.set(block, this.filled);
    this.filled += block.length;
  }

  discard(count) {
    const samples = Math.min(count, this.filled);
    this.input.copyWithin(0, samples, this.filled);
    this.filled -= samples;
    this.position -= samples * this.phases;
  }
}

class Capture extends AudioWorkletProcessor {
  constructor() {
    super();
    this.resampler = new Resampler(sampleRate);
    this.begin();
  }

  begin() {
    this.frame = new Int16Array(FRAME_SAMPLES);
    this.filled = 0;
    this.energy = 0;
  }

  process([input]) {
    if (input.length > 0) this.resampler.push(input[0], sample => this.add(sample));
    return true;
  }

  add(sample) {
    const clipped = Math.max(-1, Math.min(1, sample));
    this.frame[this.filled++] = Math.round(clipped * 32_767);
    this.energy += clipped * clipped;
    if (this.filled < FRAME_SAMPLES) return;
    const level = Math.sqrt(this.energy / FRAME_SAMPLES);
    this.port.postMessage({ pcm: this.frame.buffer, level }, [this.frame.buffer]);
    this.begin();
  }
}

registerProcessor('capture', Capture);
