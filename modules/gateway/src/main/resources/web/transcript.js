/** The running transcript as the page shows it: turns of both sides, tool calls, and quiet notes between them. */

const NAMES = { you: 'You', agent: 'Agent' };

const element = (tag, className, text = '') => {
  const made = document.createElement(tag);
  made.className = className;
  made.textContent = text;
  return made;
};

/** One side's turn. Text beyond `heard` characters is there, but was not spoken yet, or never will be. */
class Turn {
  #said = element('span', 'said');
  #ahead = element('span', 'ahead');
  #mark = element('span', 'mark');

  constructor(id, role) {
    this.id = id;
    this.role = role;
    this.text = '';
    this.placeholder = '';
    this.heard = Infinity;
    this.interrupted = false;

    this.line = element('li', `turn ${role}`);
    // A screen reader waits for the whole sentence instead of reading each of its fragments.
    this.line.setAttribute('aria-busy', 'true');
    const words = element('p', 'words');
    words.append(this.#said, this.#ahead, this.#mark);
    this.line.append(element('span', 'who', NAMES[role]), words);
  }

  write(text) {
    this.text = text;
    this.draw();
  }

  wait(placeholder) {
    this.placeholder = placeholder;
    this.draw();
  }

  hearUpTo(characters) {
    // Back to the start of a word, because half a bright word looks like an error.
    const boundary = characters >= this.text.length ? Infinity : this.text.lastIndexOf(' ', characters) + 1;
    this.heard = this.interrupted || this.heard === Infinity ? boundary : Math.max(this.heard, boundary);
    this.draw();
  }

  interrupt() {
    this.interrupted = true;
    this.finish();
  }

  finish() {
    this.line.removeAttribute('aria-busy');
    this.draw();
  }

  draw() {
    const silent = this.text === '';
    this.line.classList.toggle('silent', silent);
    this.line.classList.toggle('interrupted', this.interrupted);
    this.#said.textContent = silent ? this.placeholder : this.text.slice(0, this.heard);
    this.#ahead.textContent = silent || this.heard === Infinity ? '' : this.text.slice(this.heard);
    this.#mark.textContent = this.interrupted ? ' interrupted' : '';
  }
}

class ToolCall {
  #state = element('span', 'tool-state');
  #input = element('code', 'tool-input');

  constructor(id, name) {
    this.id = id;
    this.role = 'tool';
    this.name = name;
    this.text = '';
    this.line = element('li', 'tool');
    this.line.append(element('span', 'tool-name', name), this.#input, this.#state);
    this.mark('running');
  }

  write(text) {
    this.text = text;
    this.#input.textContent = text === '{}' ? '' : text;
    this.#input.title = text;
  }

  mark(state) {
    this.line.dataset.tool = state;
    this.#state.textContent = state;
  }
}

export class Transcript {
  #list;
  #scroller;
  #entries = new Map();
  #following = true;

  constructor(list, scroller, onFollow) {
    this.#list = list;
    this.#scroller = scroller;
    scroller.addEventListener('scroll', () => {
      this.#following = scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight < 48;
      onFollow(this.#following);
    }, { passive: true });
    // The newest line stays in sight when text grows, and when the keyboard of a phone takes half the page.
    const watcher = new ResizeObserver(() => this.#following && this.toEnd());
    watcher.observe(list);
    watcher.observe(scroller);
  }

  get empty() {
    return this.#list.childElementCount === 0;
  }

  find(id) {
    return this.#entries.get(id);
  }

  turn(id, role) {
    return this.#entries.get(id) ?? this.#add(new Turn(id, role));
  }

  tool(id, name) {
    return this.#entries.get(id) ?? this.#add(new ToolCall(id, name));
  }

  /** The same entry, at the same place, is known by another id from now on. */
  rename(id, to) {
    const entry = this.#entries.get(id);
    if (!entry) return;
    entry.id = to;
    this.#entries = new Map([...this.#entries.values()].map(each => [each.id, each]));
  }

  note(text) {
    if (this.#list.lastElementChild?.textContent === text) return;
    this.#list.append(element('li', 'note', text));
  }

  /** Takes the newest note back, because it is told at another place. */
  takeBack(text) {
    const last = this.#list.lastElementChild;
    if (last?.className === 'note' && last.textContent === text) last.remove();
  }

  entries() {
    return [...this.#entries.values()].map(({ id, role, name, text, placeholder, heard, interrupted }) => ({
      id, role, name, text, placeholder, interrupted,
      heard: heard === undefined ? undefined : text.slice(0, heard),
    }));
  }

  toEnd() {
    this.#scroller.scrollTop = this.#scroller.scrollHeight;
  }

  clear() {
    this.#entries.clear();
    this.#list.replaceChildren();
    this.#following = true;
  }

  #add(entry) {
    this.#entries.set(entry.id, entry);
    this.#list.append(entry.line);
    return entry;
  }
}
