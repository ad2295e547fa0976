/** Sound for a fake microphone: a hummed sentence, which a browser's noise suppression takes for a voice. */
import { writeFileSync } from 'node:fs';

const RATE = 48_000;
const SYLLABLES_PER_SECOND = 4;
const OVERTONES = 24;

/** Writes a WAV file of silence, speech, and silence, so many milliseconds each. */
export function writeSpeech(file, { before, speech, after }) {
  const [quiet, loud, rest] = [before, speech, after].map(ms => ms * RATE / 1000);
  const samples = new Int16Array(quiet + loud + rest);
  let phase = 0;
  for (let k = 0; k < loud; k++) {
    const second = k / RATE;
    phase += 2 * Math.PI * (130 + 25 * Math.sin(2 * Math.PI * 0.7 * second)) / RATE;
    let voice = 0;
    for (let n = 1; n <= OVERTONES; n++) voice += Math.sin(n * phase) / n ** 0.8;
    const syllable = 0.35 + 0.65 * Math.abs(Math.sin(Math.PI * SYLLABLES_PER_SECOND * second));
    samples[quiet + k] = 5_000 * syllable * voice / 2;
  }
  writeFileSync(file, Buffer.concat([header(samples.byteLength), Buffer.from(samples.buffer)]));
  return file;
}

function header(bytes) {
  const head = Buffer.alloc(44);
  head.write('RIFF', 0);
  head.writeUInt32LE(36 + bytes, 4);
  head.write('WAVEfmt ', 8);
  head.writeUInt32LE(16, 16);
  head.writeUInt16LE(1, 20);
  head.writeUInt16LE(1, 22);
  head.writeUInt32LE(RATE, 24);
  head.writeUInt32LE(RATE * 2, 28);
  head.writeUInt16LE(2, 32);
  head.writeUInt16LE(16, 34);
  head.write('data', 36);
  head.writeUInt32LE(bytes, 40);
  return head;
}
