/** A button that is not pressed by accident: held for less than a second, or Enter twice. */

const HOLD_MS = 800;
const ARMED_FOR_MS = 5_000;

export class Hold {
  #button;
  #done;
  #said;
  #timer = 0;
  #armed = 0;

  /** @param said is told what to do next, '' for nothing */
  constructor(button, done, said) {
    this.#button = button;
    this.#done = done;
    this.#said = said;
    button.style.setProperty('--hold', `${HOLD_MS}ms`);
    button.addEventListener('pointerdown', event => {
      if (event.button !== 0) return;
      button.setPointerCapture(event.pointerId);
      this.#begin();
    });
    for (const type of ['pointerup', 'pointercancel', 'blur']) button.addEventListener(type, () => this.#letGo());
    button.addEventListener('contextmenu', event => event.preventDefault());
    button.addEventListener('keydown', event => this.#keyDown(event));
    button.addEventListener('keyup', event => {
      if (event.key !== ' ') return;
      event.preventDefault();
      this.#letGo();
    });
    // A press by a screen reader comes as a click alone.
    button.addEventListener('click', event => {
      event.preventDefault();
      if (event.detail === 0) this.#press();
    });
  }

  #keyDown(event) {
    if (event.key !== ' ' && event.key !== 'Enter') return;
    event.preventDefault();
    if (event.repeat) return;
    if (event.key === ' ') this.#begin();
    else this.#press();
  }

  #begin() {
    if (this.#timer !== 0 || this.#isOff()) return;
    this.#button.dataset.held = 'true';
    this.#timer = setTimeout(() => this.#finish(), HOLD_MS);
  }

  #letGo() {
    if (this.#timer === 0) return;
    clearTimeout(this.#timer);
    this.#timer = 0;
    delete this.#button.dataset.held;
    this.#said('Not switched. Hold the button until it is full, or press Enter twice.');
  }

  #press() {
    if (this.#isOff()) return;
    if (this.#armed !== 0) {
      this.#finish();
      return;
    }
    this.#button.dataset.armed = 'true';
    this.#said('Press Enter again to switch voice off.');
    this.#armed = setTimeout(() => {
      this.#disarm();
      this.#said('');
    }, ARMED_FOR_MS);
  }

  #finish() {
    clearTimeout(this.#timer);
    this.#timer = 0;
    delete this.#button.dataset.held;
    this.#disarm();
    this.#said('');
    this.#done();
  }

  #disarm() {
    clearTimeout(this.#armed);
    this.#armed = 0;
    delete this.#button.dataset.armed;
  }

  #isOff() {
    return this.#button.getAttribute('aria-disabled') === 'true';
  }
}
