/** Small parts that the sections of the admin page are made of. Whatever comes from outside becomes text, never markup. */

const SVG = 'http://www.w3.org/2000/svg';

export const byId = id => document.getElementById(id);

/** An element with attributes and children; a child that is null is left out. */
export function element(name, attributes = {}, ...children) {
  return furnish(document.createElement(name), attributes, children);
}

export function drawing(name, attributes = {}, ...children) {
  return furnish(document.createElementNS(SVG, name), attributes, children);
}

function furnish(made, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith('on')) made.addEventListener(name.slice(2), value);
    else if (value === true && !/^(data|aria)-/.test(name)) made.setAttribute(name, '');
    else if (value !== null && value !== undefined && (value !== false || name.startsWith('data-'))) made.setAttribute(name, String(value));
  }
  made.append(...children.filter(child => child !== null && child !== undefined));
  return made;
}

const ICONS = {
  running: 'M8 5v14l11-7Z',
  paused: 'M8 5v14M16 5v14',
  holding: 'M7 4h10M7 20h10M8 4c0 5 8 6 8 8s-8 3-8 8M16 4c0 5-8 6-8 8s8 3 8 8',
  suspended: 'M12 4 2.8 20h18.4ZM12 10v4.5M12 17.4v.1',
  rolled_back: 'M9 6 4 11l5 5M4 11h10a5.5 5.5 0 0 1 0 9h-2',
  completed: 'M4 12.5 9.5 18 20 6.5',
  off: 'M12 3v9M6.5 6.5a8 8 0 1 0 11 0',
  pass: 'M4 12.5 9.5 18 20 6.5',
  fail: 'M6 6l12 12M18 6 6 18',
  inconclusive: 'M5 12h14',
  no_data: 'M12 4a8 8 0 1 0 .01 0M6.5 17.5l11-11',
  error: 'M12 4 2.8 20h18.4ZM12 10v4.5M12 17.4v.1',
};

export function icon(name) {
  return drawing('svg', { viewBox: '0 0 24 24', 'aria-hidden': 'true', class: 'icon' },
    drawing('path', { d: ICONS[name] ?? ICONS.no_data }));
}

export function write(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** Hidden when there is nothing to say. */
export function show(element, text) {
  write(element, text);
  element.hidden = text === '';
}

/** As an operator says it: rolled_back is "rolled back". */
export const spoken = word => String(word ?? '').replaceAll('_', ' ').toLowerCase();

/** Of pekko://parley@10.0.0.1:17355 what differs from node to node. */
export const nodeName = node => String(node).replace(/^[a-z]+:\/\/[^@]*@/, '');

export const percent = (share, digits = 1) => `${Number((100 * share).toFixed(digits))}\u00a0%`;

export function usd(amount) {
  if (amount === null || amount === undefined || amount === '') return '';
  const value = Number(amount);
  return `$${value.toFixed(Math.abs(value) >= 1 || value === 0 ? 2 : 4)}`;
}

const TIME = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23' });
const DAY = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'short' });
const WHOLE = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'long' });

/** A moment, as short as it can be told: the day only when it is not today. */
export function moment(at) {
  if (!at) return element('span', {}, 'never');
  const date = new Date(at);
  const today = date.toDateString() === new Date().toDateString();
  return element('time', { datetime: at, title: WHOLE.format(date) },
    today ? TIME.format(date) : `${DAY.format(date)} ${TIME.format(date)}`);
}

export function clock(date) {
  return TIME.format(date).slice(0, 5);
}

/** ISO-8601 in milliseconds: PT15M, PT24H, P1DT2H. */
export function duration(iso) {
  const parts = /^P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:([\d.]+)S)?)?$/.exec(iso ?? '');
  if (!parts) return 0;
  const [, days = 0, hours = 0, minutes = 0, seconds = 0] = parts;
  return (((Number(days) * 24 + Number(hours)) * 60 + Number(minutes)) * 60 + Number(seconds)) * 1000;
}

/** As a person writes it, "15 min" or "1.5 h", in ISO-8601; null when it is none. */
export function isoDuration(text) {
  const [, number, unit] = /^\s*(\d+(?:\.\d+)?)\s*([a-z]*)\.?\s*$/i.exec(text) ?? [];
  const each = UNITS[Object.keys(UNITS).find(known => known === (unit ?? '').toLowerCase()) ?? 'none'];
  if (number === undefined || each === undefined) return null;
  const seconds = Math.round(Number(number) * each);
  return seconds % 60 === 0 ? `PT${seconds / 60}M` : `PT${seconds}S`;
}

const UNITS = {
  s: 1, sec: 1, second: 1, seconds: 1, '': 60, m: 60, min: 60, minute: 60, minutes: 60,
  h: 3600, hour: 3600, hours: 3600, d: 86_400, day: 86_400, days: 86_400,
};

/** ISO-8601 as a person writes it, without losing anything. */
export function writtenDuration(iso) {
  const seconds = duration(iso) / 1000;
  const [unit, each] = [['days', 86_400], ['h', 3600], ['min', 60]].find(([, size], k) => seconds >= (k === 0 ? 2 : 1) * size && seconds % size === 0) ?? ['s', 1];
  return `${seconds / each} ${unit}`;
}

export function length(ms) {
  const minutes = Math.max(0, Math.round(ms / 60_000));
  if (minutes < 1) return 'less than a minute';
  if (minutes < 120) return `${minutes} min`;
  return minutes < 48 * 60 ? `${Math.round(minutes / 60)} h` : `${Math.round(minutes / 1440)} days`;
}

/** What a dry run says that happens to people. */
export function effect({ entering_percent: entering = 0, leaving_percent: leaving = 0 } = {}) {
  if (entering > 0) return `+${entering} % of users enter`;
  if (leaving > 0) return `−${leaving} % of users leave`;
  return 'Nobody enters or leaves';
}

/** A table of facts. */
export function facts(pairs) {
  return element('dl', { class: 'facts' }, ...pairs
    .filter(([, value]) => value !== null && value !== undefined && value !== '')
    .flatMap(([name, value]) => [element('dt', {}, name), element('dd', {}, value)]));
}

/** A held key repeats itself; whoever holds one has not pressed it twice. */
export function ignoreRepeats(part) {
  part.addEventListener('keydown', event => {
    if (event.key === 'Enter' && event.repeat) event.preventDefault();
  });
}
