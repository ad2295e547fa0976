/** Both voices on one line: the agent's level above it, the person's below, the present at the right edge. */

const COLUMN_MS = 50;
const PITCH = 6;
const BAR = 3;
const QUIETEST_DB = -48;
const LOUDEST_DB = -9;

/** Ears hear ratios, so the bars show decibels. */
export const loudness = level =>
  Math.max(0, Math.min(1, (20 * Math.log10(level + 1e-6) - QUIETEST_DB) / (LOUDEST_DB - QUIETEST_DB)));

const prefersStillness = matchMedia('(prefers-reduced-motion: reduce)');
const darkness = matchMedia('(prefers-color-scheme: dark)');

class Canvas {
  constructor(canvas) {
    this.canvas = canvas;
    this.context = canvas.getContext('2d');
    darkness.addEventListener('change', () => this.measure());
    new ResizeObserver(() => this.measure()).observe(canvas);
  }

  measure() {
    const { width, height } = this.canvas.getBoundingClientRect();
    const density = devicePixelRatio || 1;
    this.canvas.width = Math.round(width * density);
    this.canvas.height = Math.round(height * density);
    this.context.scale(density, density);
    this.width = width;
    this.height = height;
    const style = getComputedStyle(this.canvas);
    this.colors = Object.fromEntries(['agent', 'you', 'line'].map(name => [name, style.getPropertyValue(`--${name}`)]));
    this.draw();
  }

  begin() {
    this.context.clearRect(0, 0, this.width, this.height);
  }

  bar(x, loud, color, direction) {
    const middle = this.height / 2;
    const length = BAR + loud * (middle - 2 * BAR);
    this.context.fillStyle = color;
    this.context.beginPath();
    this.context.roundRect(x, direction < 0 ? middle - 2 - length : middle + 2, BAR, length, BAR / 2);
    this.context.fill();
  }

  dot(x) {
    this.context.fillStyle = this.colors.line;
    this.context.beginPath();
    this.context.arc(x + BAR / 2, this.height / 2, 1.25, 0, 2 * Math.PI);
    this.context.fill();
  }

  column(x, agent, you) {
    if (agent === 0 && you === 0) this.dot(x);
    if (agent > 0) this.bar(x, agent, this.colors.agent, -1);
    if (you > 0) this.bar(x, you, this.colors.you, 1);
  }
}

/** The live levels of a conversation. */
export class Score extends Canvas {
  #levels;
  #columns = [];
  #lastColumn = 0;
  #frame = 0;

  /** @param levels returns the present `{agent, you}` loudness, each 0..1 */
  constructor(canvas, levels) {
    super(canvas);
    this.#levels = levels;
  }

  start() {
    this.#columns = [];
    this.#lastColumn = performance.now();
    cancelAnimationFrame(this.#frame);
    this.#tick(this.#lastColumn);
  }

  stop() {
    cancelAnimationFrame(this.#frame);
  }

  #tick = now => {
    this.#frame = requestAnimationFrame(this.#tick);
    if (now - this.#lastColumn > 1_000) this.#lastColumn = now;
    while (now - this.#lastColumn >= COLUMN_MS) {
      this.#lastColumn += COLUMN_MS;
      this.#columns.unshift(this.#levels());
      this.#columns.length = Math.min(this.#columns.length, 400);
    }
    this.draw((now - this.#lastColumn) / COLUMN_MS);
  };

  draw(progress = 0) {
    if (!this.colors) return;
    this.begin();
    if (prefersStillness.matches) this.#drawMeter();
    else this.#drawHistory(progress);
  }

  #drawHistory(progress) {
    const count = Math.ceil(this.width / PITCH) + 1;
    for (let k = 0; k < count; k++) {
      const { agent = 0, you = 0 } = this.#columns[k] ?? {};
      this.column(this.width - BAR - (k + progress) * PITCH + PITCH, agent, you);
    }
  }

  /** Nothing travels: the length of two still rows tells the levels. */
  #drawMeter() {
    const recent = this.#columns.slice(0, 8);
    const loudest = side => Math.max(0, ...recent.map(column => column[side]));
    const count = Math.floor(this.width / PITCH);
    for (let k = 0; k < count; k++) {
      const reach = Math.abs(k + 0.5 - count / 2) / (count / 2);
      this.column(k * PITCH, reach < loudest('agent') ? 0.2 : 0, reach < loudest('you') ? 0.2 : 0);
    }
  }
}

/** A still picture of an imagined conversation: turns, a pause, and one interruption. */
export class Sketch extends Canvas {
  static #turns = [
    { side: 'agent', from: 0.02, to: 0.27 }, { side: 'you', from: 0.31, to: 0.46 },
    { side: 'agent', from: 0.5, to: 0.74 }, { side: 'you', from: 0.71, to: 0.88 }, { side: 'agent', from: 0.92, to: 1.1 },
  ];

  draw() {
    this.begin();
    const count = Math.floor(this.width / PITCH);
    const offset = (this.width - count * PITCH) / 2;
    for (let k = 0; k < count; k++) {
      const levels = { agent: 0, you: 0 };
      for (const turn of Sketch.#turns) {
        const within = (k / count - turn.from) / (turn.to - turn.from);
        if (within < 0 || within > 1) continue;
        const syllables = Math.abs(Math.sin(k * 0.83) * Math.cos(k * 0.37 + 1)) + 0.25 * Math.abs(Math.sin(k * 2.1));
        levels[turn.side] = Math.min(1, 0.08 + syllables * Math.sin(Math.PI * within) ** 0.5);
      }
      this.column(offset + k * PITCH, levels.agent, levels.you);
    }
  }
}
