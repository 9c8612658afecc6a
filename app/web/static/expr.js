// The expression language of forms, evaluated over the trees that the server
// sends (survey/expr/tree.go). A port of eval.go, functions.go and value.go:
// fixtures/expressions.json is run by both, in Go and in a browser, and a change
// here without one there fails. Where the two differ on purpose, and why, stands
// in docs/decisions/0013-the-form-in-the-browser.md.

import { Clock, DAY, clockOf, dateText, formatDate, milliseconds, parseClock, parseMoment, roundAway, timeText } from './moment.js';

let digest = null;

// loadDigest fetches what digest() needs; few forms call it.
export async function loadDigest() { ({ digest } = await import('./digest.js')); }

// A value is an object with its kind, and with n (a number, a truth value as 0
// or 1, days), s (a text) or nodes (a list of values).
export const NOT_ASKED = Object.freeze({ kind: 'not_asked' });
export const BLANK = Object.freeze({ kind: 'blank' });
export const num = (n) => ({ kind: 'number', n });
export const str = (s) => ({ kind: 'text', s });
export const bool = (b) => (b ? TRUE : FALSE);
const TRUE = Object.freeze({ kind: 'bool', n: 1 });
const FALSE = Object.freeze({ kind: 'bool', n: 0 });
export const date = (n) => ({ kind: 'date', n });
export const time = (n) => ({ kind: 'time', n });
export const datetime = (n) => ({ kind: 'datetime', n });
export const nodeSet = (nodes) => ({ kind: 'nodes', nodes });
export { Clock };

const TOLERANCE = 1e-12;

// Space as the server knows it: JavaScript leaves out U+0085 and takes U+FEFF.
const SPACE = '\\t\\n\\v\\f\\r \\u0085\\u00a0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000';
const around = new RegExp(`^[${SPACE}]+|[${SPACE}]+$`, 'g');
const between = new RegExp(`[${SPACE}]+`);
export const trim = (s) => s.replace(around, '');
export const fields = (s) => trim(s).split(between).filter((w) => w !== '');

// first gives the value that stands for a node-set where one is needed.
function first(v) {
  while (v.kind === 'nodes') {
    if (v.nodes.length === 0) return BLANK;
    v = v.nodes[0];
  }
  return v;
}

export function isEmpty(v) {
  v = first(v);
  return v.kind === 'not_asked' || v.kind === 'blank' || (v.kind === 'text' && v.s === '');
}

// parseNumber reads digits, a point or a comma, a minus; no exponents.
function parseNumber(s) {
  s = trim(s).replaceAll(',', '.');
  return /^-?(\d+\.?\d*|\.\d+)$/.test(s) ? Number(s) : NaN;
}

// numberOf gives a value as a number where it is reckoned with: NaN for what is
// empty or no number; of moments the days that the host's clock shows.
export function numberOf(v, env) {
  v = first(v);
  switch (v.kind) {
    case 'number': case 'bool': case 'date': case 'time': return v.n;
    case 'datetime': return env.clock.wall(v.n);
    case 'text': return parseNumber(v.s);
  }
  return NaN;
}

// plain writes a finite number without an exponent.
export function plain(n) {
  const s = String(n);
  const m = /^(-?)(\d)(?:\.(\d+))?e([+-]\d+)$/.exec(s);
  if (!m) return s;
  const digits = m[2] + (m[3] ?? '');
  const point = 1 + Number(m[4]);
  if (point <= 0) return m[1] + '0.' + '0'.repeat(-point) + digits;
  return m[1] + digits.padEnd(point, '0');
}

function formatNumber(n) {
  if (Number.isNaN(n)) return 'NaN';
  if (!Number.isFinite(n)) return n > 0 ? 'Infinity' : '-Infinity';
  const whole = roundAway(n);
  if (Math.abs(n - whole) < TOLERANCE && Math.abs(whole) < 1e15) return String(whole === 0 ? 0 : whole);
  return plain(n);
}

// textOf gives a value as a text: whole numbers without decimals, dates as
// 2018-03-15, times as 19:30:00.000, moments in the host's zone.
export function textOf(v, env) {
  v = first(v);
  switch (v.kind) {
    case 'number': return formatNumber(v.n);
    case 'text': return v.s;
    case 'bool': return v.n ? 'true' : 'false';
    case 'date': return dateText(Math.floor(v.n));
    case 'time': return timeText(clockOf(milliseconds(v.n - Math.floor(v.n))));
    case 'datetime': return env.clock.text(v.n);
  }
  return '';
}

// truth gives a value as a truth value: numbers other than 0 and NaN, texts
// that are not empty, dates.
export function truth(v) {
  v = first(v);
  switch (v.kind) {
    case 'number': return Math.abs(v.n) > TOLERANCE;
    case 'bool': return v.n !== 0;
    case 'date': case 'time': case 'datetime': return true;
    case 'text': return v.s !== '';
  }
  return false;
}

const members = (v) => (v.kind === 'nodes' ? v.nodes : isEmpty(v) ? [] : [v]);
const flat = (values) => values.flatMap((v) => (v.kind === 'nodes' ? v.nodes : [v]));

// Readings of a value as a moment, a day, a time of day; null if it is none.
function moment(v, env) {
  v = first(v);
  switch (v.kind) {
    case 'datetime': case 'number': return Number.isFinite(v.n) ? v.n : null;
    case 'date': return env.clock.fromWall(v.n);
    case 'text': return parseMoment(trim(v.s), env.clock);
  }
  return null;
}

function dayOf(v, env) {
  if (v.kind === 'date') return v.n;
  if (v.kind === 'number') return Number.isFinite(v.n) ? Math.trunc(v.n) : null;
  const m = moment(v, env);
  return m === null ? null : Math.floor(env.clock.wall(m));
}

function timeOfDay(v, env) {
  v = first(v);
  if (v.kind === 'time') return v.n;
  if (v.kind === 'number') return Number.isFinite(v.n) ? v.n - Math.floor(v.n) : null;
  if (v.kind === 'text') {
    const clock = parseClock(trim(v.s));
    if (clock !== null) return clock;
  }
  const m = moment(v, env);
  if (m === null) return null;
  const wall = milliseconds(m) + env.clock.offset(milliseconds(m));
  return (wall - Math.floor(wall / DAY) * DAY) / DAY;
}

const same = (a, b) => a === b || Math.abs(a - b) < TOLERANCE;
const temporal = (v) => v.kind === 'date' || v.kind === 'datetime';

function equal(a, b, env) {
  if (a.kind === 'bool' || b.kind === 'bool') return truth(a) === truth(b);
  if (a.kind === 'number' || b.kind === 'number') return same(numberOf(a, env), numberOf(b, env));
  if (a.kind === 'datetime' && b.kind === 'datetime') return same(a.n, b.n);
  if (a.kind === 'time' || b.kind === 'time') {
    const x = timeOfDay(a, env);
    const y = timeOfDay(b, env);
    return x !== null && y !== null && same(x, y);
  }
  if ((a.kind === 'datetime' && b.kind === 'text') || (a.kind === 'text' && b.kind === 'datetime')) {
    const x = moment(a, env);
    const y = moment(b, env);
    return x !== null && y !== null && same(x, y);
  }
  if (temporal(a) && temporal(b)) return Math.floor(numberOf(a, env)) === Math.floor(numberOf(b, env));
  return textOf(a, env) === textOf(b, env);
}

function ordered(o, a, b, env) {
  let x = numberOf(a, env);
  let y = numberOf(b, env);
  if (a.kind === 'datetime' && b.kind === 'datetime') [x, y] = [a.n, b.n];
  else if (temporal(a) && temporal(b) && a.kind !== b.kind) [x, y] = [Math.floor(x), Math.floor(y)];
  switch (o) {
    case '<': return x < y;
    case '<=': return x <= y;
    case '>': return x > y;
  }
  return x >= y;
}

// compare compares two values; a node-set compares if any member does, one
// without members is empty.
function compare(o, a, b, env) {
  if (a.kind === 'nodes' && a.nodes.length > 0) return a.nodes.some((m) => compare(o, m, b, env));
  if (b.kind === 'nodes' && b.nodes.length > 0) return b.nodes.some((m) => compare(o, a, m, env));
  if (o === '=') return equal(a, b, env);
  if (o === '!=') return !equal(a, b, env);
  return ordered(o, a, b, env);
}

function selected(list, member) {
  member = trim(member);
  if (member === '') return list === '';
  return (' ' + list + ' ').includes(' ' + member + ' ');
}

const words = (list) => list.split(' ').filter((w) => w !== '');

// whole cuts a number as Java's intValue() does: 0 for NaN, bounded.
const whole = (n) => (Number.isNaN(n) ? 0 : Math.trunc(Math.max(-1e9, Math.min(1e9, n))));

// roundDecimal rounds by the shortest decimal that stands for the number;
// halves go up, for negative numbers towards zero.
function roundDecimal(x, places) {
  if (!Number.isFinite(x)) return x;
  const [mantissa, exponent] = Math.abs(x).toExponential().split('e');
  const digits = mantissa.replace('.', '');
  const keep = Number(exponent) + 1 + places;
  if (keep >= digits.length) return x;
  if (keep < 0) return x < 0 ? -0 : 0;
  let kept = BigInt('0' + digits.slice(0, keep));
  if (digits[keep] >= '5' && !(digits.slice(keep) === '5' && x < 0)) kept++;
  const n = Number(kept + 'e' + -places);
  return x < 0 || Object.is(x, -0) ? -n : n;
}

// extreme gives the smallest or largest number; NaN if there is none.
function extreme(values, env, pick) {
  let best = NaN;
  for (const v of flat(values)) {
    const n = numberOf(v, env);
    if (!Number.isNaN(n)) best = Number.isNaN(best) ? n : pick(best, n);
  }
  return num(best);
}

const patterns = new Map();

// pattern compiles a regular expression of the server's dialect (RE2) to match a
// whole text, null if it is not valid.
function pattern(source) {
  let re = patterns.get(source);
  if (re !== undefined) return re;
  try {
    const [flags, translated] = translate(source);
    re = new RegExp('(?<![\\s\\S])(?:' + translated + ')(?![\\s\\S])', 'u' + flags);
  } catch {
    re = null;
  }
  patterns.set(source, re);
  return re;
}

const posix = { alpha: 'A-Za-z', digit: '0-9', alnum: '0-9A-Za-z', upper: 'A-Z', lower: 'a-z', space: '\\t\\n\\v\\f\\r ', blank: '\\t ', punct: '!-\\/:-@\\[-`\\{-~', xdigit: '0-9A-Fa-f', word: '0-9A-Za-z_', cntrl: '\\0-\\x1f\\x7f', ascii: '\\0-\\x7f', graph: '!-~', print: ' -~' };
const hex = (c) => '\\u{' + c.codePointAt(0).toString(16) + '}';

// translate writes a pattern of RE2 as JavaScript has it: named groups, classes
// of POSIX and Unicode, \A \z \Q, escapes of any sign, and brackets that stand
// for themselves. The flags are those that the pattern begins with.
function translate(source) {
  let flags = '';
  let rest = source.replace(/^\(\?([ims]+)\)/, (_, f) => { flags = f; return ''; });
  let out = '';
  let inClass = false;
  // take cuts off what a pattern matches at the beginning of the rest.
  const take = (re) => {
    const m = re.exec(rest);
    if (m) rest = rest.slice(m[0].length);
    return m;
  };
  let m;
  while (rest !== '') {
    if ((m = take(/^\\Q([\s\S]*?)(?:\\E|$)/))) out += [...m[1]].map(hex).join('');
    else if ((m = take(/^\\([pP])([A-Z])/))) out += `\\${m[1]}{${m[2]}}`;
    else if ((m = take(/^\\([pP])\{(\^?)(\w+)\}/))) out += unicodeClass((m[1] === 'P') !== (m[2] === '^') ? 'P' : 'p', m[3]);
    else if ((m = take(/^\\x\{([0-9A-Fa-f]+)\}/))) out += `\\u{${m[1]}}`;
    else if ((m = take(/^\\([0-7]{1,3})/))) out += hex(String.fromCharCode(parseInt(m[1], 8)));
    else if (take(/^\\s/)) out += inClass ? '\\t\\n\\f\\r ' : '[\\t\\n\\f\\r ]';
    else if (!inClass && take(/^\\S/)) out += '[^\\t\\n\\f\\r ]';
    else if (!inClass && take(/^\\A/)) out += '(?<![\\s\\S])';
    else if (!inClass && take(/^\\z/)) out += '(?![\\s\\S])';
    else if (take(/^\\a/)) out += '\\x07';
    else if ((m = take(/^\\([^\w\s])/u))) out += hex(m[1]);
    else if ((m = take(/^\\[\s\S]/u))) out += m[0];
    else if (inClass && (m = take(/^\[:(\^?)(\w+):\]/))) {
      if (m[1] !== '' || !posix[m[2]]) throw new SyntaxError('class');
      out += posix[m[2]];
    } else if (inClass && take(/^\]/)) [out, inClass] = [out + ']', false];
    else if (inClass && (m = take(/^[\s\S]/u))) out += m[0] === '[' ? '\\[' : m[0];
    else if ((m = take(/^\[(\^?)(\]?)/))) [out, inClass] = [out + '[' + m[1] + (m[2] && '\\]'), true];
    else if (take(/^\(\?P</)) out += '(?<';
    else if ((m = take(/^\(\?[ims]+\)/))) throw new SyntaxError('flags'); // only at the beginning
    else if ((m = take(/^\{\d+(?:,\d*)?\}\??/))) out += m[0];
    else if ((m = take(/^[\]{}]/))) out += '\\' + m[0];
    else if (take(/^\./)) out += flags.includes('s') ? '[\\s\\S]' : '[^\\n]';
    else out += take(/^[\s\S]/u)[0];
  }
  return [flags.replace('s', ''), out];
}

// unicodeClass writes \p{L} and \p{Greek}: a script has its name with it.
function unicodeClass(p, name) {
  return name.length <= 2 ? `\\${p}{${name}}` : `\\${p}{Script=${name}}`;
}

function randomLetters(n) {
  const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
  return Array.from(crypto.getRandomValues(new Uint8Array(n)), (b) => letters[b % 32]).join('');
}

export function uuid() {
  const b = crypto.getRandomValues(new Uint8Array(16));
  b[6] = (b[6] & 0x0f) | 0x40;
  b[8] = (b[8] & 0x3f) | 0x80;
  const hex = Array.from(b, (x) => x.toString(16).padStart(2, '0')).join('');
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
}

function base64(bytes) {
  return btoa(String.fromCharCode(...bytes));
}

function base64Decode(s) {
  s = s.replace(/[\r\n]/g, '');
  if (s.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(s)) return BLANK;
  try {
    const bytes = Uint8Array.from(atob(s), (c) => c.charCodeAt(0));
    return str(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes));
  } catch {
    return BLANK;
  }
}

// distance gives the length in metres of the path through geopoints, on a
// sphere of 6,378,100 m.
function distance(values, env) {
  const points = [];
  for (const v of flat(values)) {
    for (const part of textOf(v, env).split(';')) {
      const f = fields(part);
      if (f.length < 2) continue;
      const p = [parseNumber(f[0]), parseNumber(f[1])];
      if (p.some(Number.isNaN)) return BLANK;
      points.push(p.map((x) => x * Math.PI / 180));
    }
  }
  let total = 0;
  for (let i = 1; i < points.length; i++) {
    const [p, q] = [points[i - 1], points[i]];
    const h = Math.sin((q[0] - p[0]) / 2) ** 2 + Math.cos(p[0]) * Math.cos(q[0]) * Math.sin((q[1] - p[1]) / 2) ** 2;
    total += 2 * 6378100 * Math.asin(Math.min(1, Math.sqrt(h)));
  }
  return num(total);
}

const numeric = (f) => (a, env) => num(f(...a.map((v) => numberOf(v, env))));
const textual = (f) => (a, env) => f(...a.map((v) => textOf(v, env)));
const ownText = (f) => (a, env) => f(textOf(a.length > 0 ? a[0] : env.self, env));
const reading = (read, as) => (a, env) => {
  const n = read(a[0], env);
  return n === null ? BLANK : as(n);
};

// functions take their evaluated arguments.
const functions = {
  true: () => TRUE,
  false: () => FALSE,
  not: (a) => bool(!truth(a[0])),
  boolean: (a) => bool(truth(a[0])),
  'boolean-from-string': textual((s) => bool(s === '1' || s.toLowerCase() === 'true')),
  selected: textual((list, member) => bool(selected(list, member))),
  'selected-at': (a, env) => str(words(textOf(a[0], env))[whole(numberOf(a[1], env))] ?? ''),
  'count-selected': textual((list) => num(words(list).length)),
  count: (a) => num(flat(a).filter((v) => v.kind !== 'not_asked').length),
  'count-non-empty': (a) => num(flat(a).filter((v) => !isEmpty(v)).length),
  sum: (a, env) => num(flat(a).map((v) => numberOf(v, env)).filter((n) => !Number.isNaN(n)).reduce((x, y) => x + y, 0)),
  min: (a, env) => extreme(a, env, Math.min),
  max: (a, env) => extreme(a, env, Math.max),
  join: (a, env) => str(flat(a.slice(1)).map((v) => textOf(v, env)).join(textOf(a[0], env))),
  position: (a, env) => num(env.position),
  'indexed-repeat': (a, env) => members(a[0])[Math.max(1, whole(numberOf(a[2], env))) - 1] ?? BLANK,
  string: textual(str),
  'string-length': ownText((s) => num([...s].length)),
  concat: (a, env) => str(flat(a).map((v) => textOf(v, env)).join('')),
  substr: (a, env) => {
    const runes = [...textOf(a[0], env)];
    const bound = (v) => {
      const n = whole(numberOf(v, env));
      return Math.max(0, Math.min(runes.length, n < 0 ? n + runes.length : n));
    };
    return str(runes.slice(bound(a[1]), a.length === 3 ? bound(a[2]) : runes.length).join(''));
  },
  'substring-before': textual((s, t) => str(s.includes(t) ? s.slice(0, s.indexOf(t)) : '')),
  'substring-after': textual((s, t) => str(s.includes(t) ? s.slice(s.indexOf(t) + t.length) : '')),
  contains: textual((s, t) => bool(s.includes(t))),
  'starts-with': textual((s, t) => bool(s.startsWith(t))),
  'ends-with': textual((s, t) => bool(s.endsWith(t))),
  'normalize-space': ownText((s) => str(fields(s).join(' '))),
  translate: textual((s, from, to) => {
    const [f, t] = [[...from], [...to]];
    return str([...s].map((c) => (f.includes(c) ? t[f.indexOf(c)] ?? '' : c)).join(''));
  }),
  regex: textual((s, source) => bool(pattern(source)?.test(s) ?? false)),
  number: numeric((x) => x),
  int: numeric(Math.trunc),
  round: (a, env) => {
    const x = numberOf(a[0], env);
    const places = a.length === 2 ? whole(numberOf(a[1], env)) : 0;
    return num(Number.isFinite(x) && Math.abs(places) > 30 ? NaN : roundDecimal(x, places));
  },
  abs: numeric(Math.abs),
  sqrt: numeric(Math.sqrt),
  exp: numeric(Math.exp),
  exp10: numeric((x) => 10 ** x),
  log: numeric(Math.log),
  log10: numeric(Math.log10),
  sin: numeric(Math.sin),
  cos: numeric(Math.cos),
  tan: numeric(Math.tan),
  asin: numeric(Math.asin),
  acos: numeric(Math.acos),
  atan: numeric(Math.atan),
  atan2: numeric(Math.atan2),
  pow: numeric((x, y) => (x === 1 || (x === -1 && !Number.isFinite(y) && !Number.isNaN(y)) ? 1 : x ** y)),
  pi: () => num(Math.PI),
  floor: numeric(Math.floor),
  ceiling: numeric(Math.ceil),
  today: (a, env) => date(env.clock.today()),
  now: (a, env) => datetime(env.clock.now / DAY),
  date: reading(dayOf, date),
  'date-time': reading(moment, datetime),
  'decimal-date-time': reading(moment, num),
  'decimal-time': reading(timeOfDay, num),
  'format-date': (a, env) => {
    const v = first(a[0]);
    if (v.kind === 'time') return str(formatDate(milliseconds(v.n), textOf(a[1], env)));
    const m = moment(v, env);
    if (m === null) return str('');
    const ms = milliseconds(m);
    return str(formatDate(ms + env.clock.offset(ms), textOf(a[1], env)));
  },
  checklist: (a, env) => {
    const [low, high] = [whole(numberOf(a[0], env)), whole(numberOf(a[1], env))];
    const n = flat(a.slice(2)).filter(truth).length;
    return bool((low < 0 || n >= low) && (high < 0 || n <= high));
  },
  'weighted-checklist': (a, env) => {
    const [low, high] = [numberOf(a[0], env), numberOf(a[1], env)];
    let pairs = a.slice(2);
    if (pairs.length === 2 && pairs.every((v) => v.kind === 'nodes')) {
      const [values, weights] = pairs.map((v) => v.nodes);
      pairs = values.slice(0, weights.length).flatMap((v, i) => [v, weights[i]]);
    }
    let total = 0;
    for (let i = 0; i + 1 < pairs.length; i += 2) if (truth(pairs[i])) total += numberOf(pairs[i + 1], env);
    return bool(total >= low && total <= high);
  },
  uuid: (a, env) => str(a.length > 0 ? randomLetters(Math.max(0, Math.min(1000, whole(numberOf(a[0], env))))) : uuid()),
  digest: (a, env) => {
    const sum = digest(textOf(a[1], env).toUpperCase(), new TextEncoder().encode(textOf(a[0], env)));
    if (sum === null) return BLANK;
    if (a.length === 3 && textOf(a[2], env).toLowerCase() === 'hex') return str(Array.from(sum, (b) => b.toString(16).padStart(2, '0')).join(''));
    return str(base64(sum));
  },
  'base64-decode': textual(base64Decode),
  distance,
};
functions.index = functions.position;
functions['is-selected'] = functions.selected;
functions['format-date-time'] = functions['format-date'];

// evaluate works out a tree. env answers what it asks: ref(slot) gives the value
// in a slot, self the item's own, clock is a Clock, position the 1-based index of
// the repeat instance (0 outside), host an object of further functions (args,
// env). It never throws over a tree of the server's: what has no value is blank.
export function evaluate(tree, env) {
  if (tree === null) return BLANK;
  if (typeof tree === 'number') return num(tree);
  if (typeof tree === 'string') return str(tree);
  const [o, a, b, c] = tree;
  switch (o) {
    case '$': return env.ref(a);
    case '.': return env.self;
    case 'or': return bool(truth(evaluate(a, env)) || truth(evaluate(b, env)));
    case 'and': return bool(truth(evaluate(a, env)) && truth(evaluate(b, env)));
    case '=': case '!=': case '<': case '<=': case '>': case '>=':
      return bool(compare(o, evaluate(a, env), evaluate(b, env), env));
    case '+': return num(numberOf(evaluate(a, env), env) + numberOf(evaluate(b, env), env));
    case '-': return num(numberOf(evaluate(a, env), env) - numberOf(evaluate(b, env), env));
    case '*': return num(numberOf(evaluate(a, env), env) * numberOf(evaluate(b, env), env));
    case 'div': return num(numberOf(evaluate(a, env), env) / numberOf(evaluate(b, env), env));
    case 'mod': return num(numberOf(evaluate(a, env), env) % numberOf(evaluate(b, env), env));
    case 'neg': return num(-numberOf(evaluate(a, env), env));
    case '|': return nodeSet(tree.slice(1).flatMap((k) => members(evaluate(k, env))));
    case 'if': return evaluate(truth(evaluate(a, env)) ? b : c, env);
    case 'once': return isEmpty(env.self) ? evaluate(a, env) : env.self;
    case 'coalesce': {
      const v = evaluate(a, env);
      const f = first(v);
      return isEmpty(f) || (f.kind === 'number' && Number.isNaN(f.n)) ? evaluate(b, env) : v;
    }
  }
  const f = Object.hasOwn(functions, o) ? functions[o] : env.host?.[o];
  return f ? f(tree.slice(1).map((k) => evaluate(k, env)), env) : BLANK;
}

// references lists the slots that a tree reads.
export function references(tree, into = new Set()) {
  if (Array.isArray(tree)) {
    if (tree[0] === '$') into.add(tree[1]);
    else for (const k of tree.slice(1)) references(k, into);
  }
  return into;
}
