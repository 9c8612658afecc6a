// A form while it is filled in, without the server and without a page: skip
// logic, calculations, checks, what is missing, the score. The counterpart of
// survey/fill.go, read.go and validate.go; a test fills forms at random and
// compares what both make of them. It knows no DOM and no network.
//
//   await prepare(form);
//   const engine = open(form, { answers, unit, lists, now, zone, lang });
//   engine.set('present', 36);          // paths whose look changed
//   engine.get('present').problems;
//
// form comes from GET /api/v1/templates/{code}/versions/{version}/form. A path is
// an item's name, inside of repeats with the repeat and the row before it:
// 'speakers/0/name'; '' stands for the form as a whole. Values are those of the
// answers' JSON: null is blank, undefined "never touched", so that a default holds.
//
// Keep draft() on the phone: it is what was entered, also where an earlier answer
// now hides it. Send answers(): what was asked, defaults included.

import { BLANK, Clock, NOT_ASKED, date, datetime, evaluate, fields, isEmpty, loadDigest, numberOf, num, plain, references, str, textOf, time, truth } from './expr.js';
import { DAY, dayNumber, parseClock, parseMoment } from './moment.js';

const MAX_TEXT = 32767; // UTF-16 units: what one cell of a workbook holds
const utc = { clock: new Clock(0, '+00:00') };

// plans hold what is worked out once for a form.
const plans = new WeakMap();

function planOf(form) {
  let plan = plans.get(form);
  if (!plan) plans.set(form, plan = makePlan(form));
  return plan;
}

const texts = (text) => Object.values(text ?? {});
const inserted = (text) => [...text.matchAll(/\$\{\s*([^}\s]+)\s*\}/g)].map((m) => m[1]);

function makePlan(form) {
  const scopes = [{ parent: -1, repeat: -1, slots: [], names: new Map() }];
  const slots = new Map();
  const plan = { form, nodes: [], scopes, slots, readers: [], rulers: [], checkers: [], position: [] };
  for (const [slot, item] of form.items.entries()) {
    const up = item.in === undefined ? null : plan.nodes[item.in];
    const node = { slot, item, list: item.list === undefined ? null : form.lists[item.list], inner: -1, reads: new Set(), rules: new Set() };
    node.scope = up === null ? 0 : up.inner >= 0 ? up.inner : up.scope;
    if (item.kind === 'repeat') {
      node.inner = scopes.length;
      scopes.push({ parent: node.scope, repeat: slot, slots: [], names: new Map() });
    }
    const scope = scopes[node.scope];
    scope.slots.push(slot);
    if (!scope.names.has(item.name)) scope.names.set(item.name, slot);
    if (!slots.has(item.name)) slots.set(item.name, slot);
    plan.nodes.push(node);
    plan.readers.push([]);
    plan.rulers.push([]);
    plan.checkers.push([]);
  }
  for (const node of plan.nodes) {
    const { slot, item } = node;
    // What its state and value are worked out from, and what else its look is.
    for (const s of [item.in, item.of]) if (s !== undefined) node.reads.add(s);
    for (const tree of [item.relevant, item.calculation, item.default]) references(tree, node.reads);
    for (const tree of [item.required, item.constraint, item.evidence, item.filter]) references(tree, node.rules);
    if (item.of !== undefined) node.rules.add(item.of);
    const said = [item.label, item.hint, item.required_message, item.constraint_message, ...(item.of === undefined ? [] : [form.items[item.of].label])];
    for (const text of said.flatMap(texts)) for (const name of inserted(text)) if (slots.has(name)) node.rules.add(slots.get(name));
    for (const s of node.reads) plan.readers[s].push(slot);
    for (const s of node.rules) plan.rulers[s].push(slot);
  }
  (form.checks ?? []).forEach((check, i) => {
    for (const s of references(check.test)) plan.checkers[s].push(i);
  });
  form.order.forEach((slot, i) => { plan.position[slot] = i; });
  return plan;
}

let score = null;

// prepare fetches the parts of the program that only some forms need. It has to
// have been done before open.
export async function prepare(form) {
  if (form.scheme && !score) ({ score } = await import('./score.js'));
  if (JSON.stringify(form).includes('"digest"')) await loadDigest();
}

// open begins, or continues, filling in a form. answers is what draft() or
// answers() gave; unit the facts {structure, sector, setting, tags, members} of
// the unit; lists the type lists, for under(); now a Date or milliseconds; zone
// the round's, steady what is known of it (moment.js).
export function open(form, options = {}) {
  return new Engine(planOf(form), options);
}

const ASKS = new Set(['note', 'group', 'repeat', 'calculate']);

class Engine {
  #plan;
  #frames = [];
  #failed = [];
  #score;
  #clock;
  #host;
  #choices = new Map();

  constructor(plan, { answers = {}, unit = {}, lists = null, now = Date.now(), zone = 'Asia/Ho_Chi_Minh', steady = null, lang = 'vi' }) {
    this.#plan = plan;
    this.form = plan.form;
    this.lang = lang;
    this.#clock = new Clock(now, zone, steady);
    this.#host = hostFunctions(unit ?? {}, lists);
    this.#failed = (this.form.checks ?? []).map(() => false);
    this.unknown = [];
    this.#top = this.#take(answers ?? {}, 0, null, 0);
    this.#gather();
    this.#workOutAll();
  }

  #top;

  // --- changing -------------------------------------------------------------

  // set puts a value in; undefined takes it back as if it had never been touched.
  // It gives the paths of all items whose look changed.
  set(path, value) {
    const at = this.#find(path);
    if (!at) return [];
    const { node, frame } = at;
    if (node.inner >= 0) {
      frame.cells[node.slot].given = value;
      this.#replaceRows(frame, node, Array.isArray(value) ? value : []);
      return this.#rowsChanged(node);
    }
    if (node.item.kind === 'group' || (node.item.kind === 'calculate' && !node.item.fills)) return [];
    frame.cells[node.slot].given = value;
    return this.#workOut([node.slot]);
  }

  // addRow adds an empty instance at the end of a repeat.
  addRow(path) {
    const at = this.#find(path);
    if (!at || at.node.inner < 0) return [];
    const rows = at.frame.rows.get(at.node.slot);
    at.frame.cells[at.node.slot].given = undefined;
    rows.push(this.#take({}, at.node.inner, at.frame, rows.length));
    return this.#rowsChanged(at.node);
  }

  // removeRow takes an instance out of a repeat; those behind it move up.
  removeRow(path, i) {
    const at = this.#find(path);
    if (!at || at.node.inner < 0) return [];
    const rows = at.frame.rows.get(at.node.slot);
    if (!(i in rows)) return [];
    rows.splice(i, 1);
    rows.forEach((row, index) => { row.index = index; });
    return this.#rowsChanged(at.node);
  }

  // setNow moves the clock that today() and now() read.
  setNow(now) {
    this.#clock = new Clock(now, this.#clock.zone, this.#clock.steady);
    return this.#workOutAll();
  }

  // setLanguage changes the language of labels and messages.
  setLanguage(lang) {
    this.lang = lang;
    return this.#looksOf(this.#plan.nodes.map((n) => n.slot));
  }

  // --- asking ---------------------------------------------------------------

  // get tells everything about one item; null if there is none at the path.
  get(path) {
    const at = this.#find(path);
    if (!at) return null;
    const { node, frame } = at;
    const cell = frame.cells[node.slot];
    const { item } = node;
    return {
      path, name: item.name, kind: item.kind, item, state: cell.state, applies: cell.applies, relevant: cell.state !== 'not_asked',
      value: cell.given === undefined ? cell.filled ?? null : cell.given, calculated: this.#shownValue(node, cell),
      shown: this.#shown(node, cell), required: this.#isRequired(node, frame), readonly: item.read_only === true || item.kind === 'calculate',
      label: this.label(path), hint: this.#say(item.hint, frame), guidance: this.#say(item.guidance, frame), type: item.type ?? '', appearance: item.appearance ?? '', role: item.role ?? '',
      choices: this.#choicesOf(node, frame), rows: node.inner >= 0 ? frame.rows.get(node.slot).length : undefined,
      problems: this.#problemsOf(node, frame),
    };
  }

  // tree gives what is to be shown, in order: items as {path, kind, name}, groups
  // with items, repeats with rows of {path, items}.
  tree() {
    const inside = (frame, parent) => {
      const out = [];
      for (const slot of this.#plan.scopes[frame.scope].slots) {
        const node = this.#plan.nodes[slot];
        if (node.item.in !== parent || node.item.kind === 'calculate' || frame.cells[slot].state === 'not_asked') continue;
        const { kind, name } = node.item;
        const line = { path: this.#path(frame, node), kind, name };
        if (kind === 'group') {
          line.items = inside(frame, slot);
          if (line.items.length === 0) continue;
        }
        if (kind === 'repeat') {
          line.rows = frame.rows.get(slot).map((row, i) => ({ path: `${line.path}/${i}`, items: inside(row, slot) }));
        }
        if (node.item.of !== undefined) line.of = this.form.items[node.item.of].name;
        out.push(line);
      }
      return out;
    };
    return inside(this.#top, undefined);
  }

  // stamp writes down when the form was begun (the first time) and when it was
  // finished, where the form has items for that: call it with true before sending.
  stamp(finished = false) {
    const moment = this.#clock.text(this.#clock.now / DAY);
    const stamps = { start: moment, today: moment.slice(0, 10), ...(finished ? { end: moment } : {}) };
    const changed = [];
    for (const node of this.#plan.nodes) {
      const { name, type, fills } = node.item;
      if (!fills || node.scope !== 0 || !(type in stamps)) continue;
      if (type === 'end' || isBlank(this.#top.cells[node.slot].given)) changed.push(...this.set(name, stamps[type]));
    }
    return changed;
  }

  // answers gives what PUT /api/v1/responses/{id} takes: what is asked, blank ones
  // null, defaults included, calculations left to the server. What was entered and
  // does not fit goes along as it is, for problems() tells of it.
  answers() { return this.#answersOf(this.#top); }

  // draft gives what was entered and nothing else, to go on with later.
  draft() { return this.#draftOf(this.#top); }

  // problems lists what is wrong or missing, in document order; missing what
  // must be filled in and is not.
  problems() {
    const out = [];
    this.#walk((node, frame) => out.push(...this.#problemsOf(node, frame)));
    (this.form.checks ?? []).forEach((check, i) => {
      if (this.#failed[i] && !this.#besideItem(check)) out.push(this.#checkProblem(check, ''));
    });
    return out;
  }

  missing() { return this.problems().filter((p) => p.code === 'answer.required' || p.code === 'answer.evidence_required'); }

  // progress counts the items that are asked, and of them those with an answer;
  // an evidence note counts where it is required or given.
  progress() {
    let [answered, asked] = [0, 0];
    this.#walk((node, frame) => {
      const cell = frame.cells[node.slot];
      if (ASKS.has(node.item.kind) || cell.state === 'not_asked' || node.item.read_only) return;
      if (node.item.of !== undefined && cell.state === 'blank' && !this.#isRequired(node, frame)) return;
      asked++;
      if (cell.state !== 'blank') answered++;
    });
    return { answered, asked };
  }

  // score gives the score as the server would reckon it, all in hundredths of a
  // point; null when the form has no scheme. See score.js.
  score() {
    if (!this.form.scheme) return null;
    this.#score ??= score(this.form, {
      cell: (slot) => this.#top.cells[slot],
      evaluate: (tree, self, host) => this.#eval(tree, this.#top, self, host),
    });
    return this.#score;
  }

  // label gives an item's label with the values of others filled in; of an
  // evidence note that of its item.
  label(path, lang = this.lang) {
    const at = this.#find(path);
    if (!at) return '';
    const { item } = at.node;
    return this.#say((item.of === undefined ? item : this.form.items[item.of]).label, at.frame, lang);
  }

  // textOf gives an item's value as expressions read it, '' for none.
  textOf(path) {
    const at = this.#find(path);
    return at ? textOf(at.frame.cells[at.node.slot].value, { clock: this.#clock }) : '';
  }

  // text chooses a text in the engine's language, or in the form's first.
  text(text, lang = this.lang) {
    if (!text) return '';
    return text[lang] || text[this.form.languages[0]] || Object.values(text).find(Boolean) || '';
  }

  // --- frames ---------------------------------------------------------------

  // A frame holds one cell for every slot of its scope, and the rows of the
  // repeats directly in it.
  #take(answers, scope, parent, index) {
    const frame = { scope, parent, index, cells: {}, rows: new Map() };
    for (const slot of this.#plan.scopes[scope].slots) {
      frame.cells[slot] = { state: 'not_asked', applies: true, choice: -1, value: NOT_ASKED, given: undefined, filled: undefined, faults: [], look: '' };
      if (this.#plan.nodes[slot].inner >= 0) frame.rows.set(slot, []);
    }
    for (const [name, value] of Object.entries(answers)) {
      const slot = this.#plan.scopes[scope].names.get(name);
      if (slot === undefined) {
        this.unknown.push(name);
        continue;
      }
      frame.cells[slot].given = value;
      const node = this.#plan.nodes[slot];
      if (node.inner >= 0) this.#replaceRows(frame, node, Array.isArray(value) ? value : []);
    }
    return frame;
  }

  #replaceRows(frame, node, rows) {
    frame.rows.set(node.slot, rows.filter((row) => row !== null && typeof row === 'object')
      .map((row, i) => this.#take(row, node.inner, frame, i)));
  }

  // gather lists the frames of every scope in document order.
  #gather() {
    this.#frames = this.#plan.scopes.map(() => []);
    const add = (frame) => {
      this.#frames[frame.scope].push(frame);
      for (const rows of frame.rows.values()) rows.forEach(add);
    };
    add(this.#top);
  }

  #encloses(outer, inner) {
    for (let s = inner; s >= 0; s = this.#plan.scopes[s].parent) if (s === outer) return true;
    return false;
  }

  // within gives the frames of a scope inside the widest frame around both.
  #within(around, scope) {
    let common = around;
    while (common && !this.#encloses(common.scope, scope)) common = common.parent;
    if (!common) return this.#frames[scope];
    return this.#frames[scope].filter((f) => {
      for (let p = f; p; p = p.parent) if (p === common) return true;
      return false;
    });
  }

  #cell(slot, from) {
    const { scope } = this.#plan.nodes[slot];
    let f = from;
    while (f.scope !== scope) f = f.parent;
    return f.cells[slot];
  }

  #find(path) {
    const parts = String(path).split('/');
    let frame = this.#top;
    for (let i = 0; ; i += 2) {
      const slot = this.#plan.scopes[frame.scope].names.get(parts[i]);
      if (slot === undefined) return null;
      if (i === parts.length - 1) return { node: this.#plan.nodes[slot], frame };
      frame = frame.rows.get(slot)?.[parts[i + 1]];
      if (!frame || i + 2 >= parts.length) return null;
    }
  }

  #path(frame, node) {
    let path = node.item.name;
    for (let f = frame; f.parent; f = f.parent) {
      path = `${this.#plan.nodes[this.#plan.scopes[f.scope].repeat].item.name}/${f.index}/${path}`;
    }
    return path;
  }

  // walk visits every node in every frame, rows where their repeat stands.
  #walk(visit, frame = this.#top) {
    for (const slot of this.#plan.scopes[frame.scope].slots) {
      const node = this.#plan.nodes[slot];
      visit(node, frame);
      if (node.inner >= 0) for (const row of frame.rows.get(slot)) this.#walk(visit, row);
    }
  }

  // --- working out ----------------------------------------------------------

  #eval(tree, frame, self = BLANK, host = null) {
    return evaluate(tree, {
      ref: (slot) => this.#ref(slot, frame), self, clock: this.#clock,
      position: frame.scope === 0 ? 0 : frame.index + 1, host: host ? { ...this.#host, ...host } : this.#host,
    });
  }

  #ref(slot, frame) {
    const node = this.#plan.nodes[slot];
    if (node.inner >= 0) return { kind: 'nodes', nodes: this.#within(frame, node.inner).map(() => str(node.item.name)) };
    for (let f = frame; f; f = f.parent) if (f.scope === node.scope) return f.cells[slot].value;
    return { kind: 'nodes', nodes: this.#within(frame, node.scope).map((f) => f.cells[slot]).filter((c) => c.state !== 'not_asked').map((c) => c.value) };
  }

  #workOutAll() {
    return this.#workOut(this.#plan.nodes.map((n) => n.slot), true);
  }

  #rowsChanged(node) {
    this.#gather();
    const dirty = new Set([node.slot]);
    const inside = (scope) => {
      for (const slot of this.#plan.scopes[scope].slots) {
        dirty.add(slot);
        if (this.#plan.nodes[slot].inner >= 0) inside(this.#plan.nodes[slot].inner);
      }
    };
    inside(node.inner);
    const changed = this.#workOut(dirty, true);
    const path = [...this.#frames[node.scope]].map((f) => this.#path(f, node));
    return [...new Set([...path, ...changed])];
  }

  // workOut settles the given slots and whatever depends on what thereby
  // changes; with all, whatever depends on them at all.
  #workOut(slots, all = false) {
    const { order } = this.form;
    const { readers, rulers, checkers, position, nodes } = this.#plan;
    const dirty = new Uint8Array(order.length);
    const looks = new Set(slots);
    const checks = new Set();
    for (const slot of slots) dirty[position[slot]] = 1;
    for (let i = 0; i < order.length; i++) {
      if (!dirty[i]) continue;
      const slot = order[i];
      let changed = all;
      looks.add(slot);
      for (const frame of this.#frames[nodes[slot].scope]) if (this.#settle(nodes[slot], frame)) changed = true;
      if (!changed) continue;
      for (const s of readers[slot]) dirty[position[s]] = 1;
      for (const s of rulers[slot]) looks.add(s);
      for (const k of checkers[slot]) checks.add(k);
    }
    this.#score = undefined;
    const out = [];
    for (const k of all ? this.#failed.keys() : checks) {
      const check = this.form.checks[k];
      const fails = !truth(this.#eval(check.test, this.#top));
      if (fails === this.#failed[k]) continue;
      this.#failed[k] = fails;
      if (this.#besideItem(check)) looks.add(check.slot);
      else out.push('');
    }
    return [...out, ...this.#looksOf(looks)];
  }

  #looksOf(slots) {
    const out = [];
    for (const slot of slots) {
      const node = this.#plan.nodes[slot];
      for (const frame of this.#frames[node.scope]) {
        const cell = frame.cells[slot];
        const look = JSON.stringify([cell.state, this.#shown(node, cell), cell.given, this.#isRequired(node, frame), this.#problemsOf(node, frame),
          this.#say(node.item.label, frame), this.#say(node.item.hint, frame),
          node.item.filter === undefined ? 0 : this.#offered(node, frame)]);
        if (look !== cell.look) {
          cell.look = look;
          out.push(this.#path(frame, node));
        }
      }
    }
    return out;
  }

  // settle works out one node in one frame and tells whether it came to something else.
  #settle(node, frame) {
    const { slot, item } = node;
    const cell = frame.cells[slot];
    const before = { state: cell.state, value: cell.value, applies: cell.applies, faults: cell.faults.length };
    cell.choice = -1;
    cell.faults = [];
    cell.filled = undefined;
    cell.applies = true;
    let asked = true;
    const above = item.of ?? item.in;
    if (item.in !== undefined) {
      const up = this.#cell(item.in, frame);
      asked = up.state !== 'not_asked';
      cell.applies = up.applies;
    }
    if (item.of !== undefined) {
      const of = this.#cell(above, frame);
      asked = of.state !== 'not_asked';
      cell.applies = of.applies;
    }
    if (cell.applies && item.applies !== undefined) cell.applies = truth(this.#eval(item.applies, frame));
    if (asked && cell.applies && item.relevant !== undefined) asked = truth(this.#eval(item.relevant, frame));
    if (!asked || !cell.applies) {
      cell.state = 'not_asked';
      cell.value = NOT_ASKED;
    } else if (item.kind === 'group' || item.kind === 'repeat') {
      cell.state = 'value';
      if (item.kind === 'repeat' && cell.given !== undefined && !Array.isArray(cell.given) && !isBlank(cell.given)) fault(cell, 'answer.not_rows');
    } else if (item.kind === 'note') {
      blank(cell);
    } else if (item.fills && readMetadata(item.type, cell)) {
      // what the client filled in by itself stands for the calculation
    } else if (item.kind === 'calculate') {
      settleWith(cell, this.#eval(item.calculation ?? null, frame));
    } else if (cell.given !== undefined) {
      read(node, cell, cell.given);
    } else if (item.default !== undefined) {
      this.#fillDefault(node, cell, frame);
    } else {
      blank(cell);
    }
    return before.state !== cell.state || before.applies !== cell.applies || before.faults !== cell.faults.length || !sameValue(before.value, cell.value);
  }

  #fillDefault(node, cell, frame) {
    const v = this.#eval(node.item.default, frame);
    blank(cell);
    if (isEmpty(v) || (v.kind === 'number' && Number.isNaN(v.n))) return;
    const numeric = node.item.kind === 'integer' || node.item.kind === 'decimal';
    cell.filled = numeric ? rawNumber(v) : textOf(v, utc);
    read(node, cell, cell.filled);
  }

  // --- rules ----------------------------------------------------------------

  #isRequired(node, frame) {
    const { item } = node;
    if (item.of !== undefined) {
      return item.evidence !== undefined && truth(this.#eval(item.evidence, frame, this.#cell(item.of, frame).value));
    }
    if (ASKS.has(item.kind)) return false;
    return item.always === true || (item.required !== undefined && truth(this.#eval(item.required, frame, frame.cells[node.slot].value)));
  }

  #problemsOf(node, frame) {
    const { item } = node;
    const cell = frame.cells[node.slot];
    const path = this.#path(frame, node);
    const out = cell.faults.map((f) => ({ path, item: item.name, severity: 'error', ...f, text: '' }));
    const add = (code, more = {}) => out.push({ path, item: item.name, severity: 'error', code, args: {}, value: '', text: '', ...more });
    if (cell.state === 'blank') {
      if (item.kind !== 'note' && out.length === 0 && this.#isRequired(node, frame)) {
        if (item.of !== undefined) add('answer.evidence_required', { args: { of: this.form.items[item.of].name } });
        else add('answer.required', { text: this.#say(item.required_message, frame) });
      }
    } else if (cell.state !== 'not_asked' && item.constraint !== undefined && item.kind !== 'calculate' && item.kind !== 'note' && node.inner < 0 && item.kind !== 'group') {
      if (!truth(this.#eval(item.constraint, frame, cell.value))) {
        add('answer.constraint', { args: { rule: item.rule ?? '' }, value: shorten(cell.given ?? cell.filled), text: this.#say(item.constraint_message, frame) });
      }
    }
    if (frame === this.#top) {
      (this.form.checks ?? []).forEach((check, i) => {
        if (check.slot === node.slot && this.#failed[i]) out.push(this.#checkProblem(check, path));
      });
    }
    return out;
  }

  #besideItem(check) {
    return check.slot !== undefined && this.#plan.nodes[check.slot].scope === 0;
  }

  #checkProblem(check, path) {
    const item = check.slot === undefined ? '' : this.form.items[check.slot].name;
    return { path, item, severity: 'error', code: 'check.failed', args: { check: check.code }, value: '', text: this.#say(check.label, this.#top) };
  }

  // --- showing --------------------------------------------------------------

  // say chooses a text and fills in what stands for other items: ${present}.
  #say(text, frame, lang = this.lang) {
    const said = this.text(text, lang);
    if (!said.includes('${')) return said;
    return said.replace(/\$\{\s*([^}\s]+)\s*\}/g, (all, name) => {
      const slot = this.#plan.slots.get(name);
      if (slot === undefined) return all;
      const node = this.#plan.nodes[slot];
      for (let f = frame; f; f = f.parent) if (f.scope === node.scope) return this.#shown(node, f.cells[slot], lang);
      return this.#within(frame, node.scope).map((f) => this.#shown(node, f.cells[slot], lang)).filter(Boolean).join(', ');
    });
  }

  #shownValue(node, cell) {
    if (cell.state === 'not_asked' || cell.state === 'blank' || node.inner >= 0 || node.item.kind === 'group') return null;
    return cell.value.kind === 'number' ? cell.value.n : textOf(cell.value, { clock: this.#clock });
  }

  // shown is a value as people read it: labels of choices, days in the usual order.
  #shown(node, cell, lang = this.lang) {
    const v = this.#shownValue(node, cell);
    if (v === null) return '';
    const { kind } = node.item;
    if (node.list) {
      const names = kind === 'select_multiple' ? fields(String(v)) : [String(v)];
      return names.map((n) => this.text(node.list.choices.find((c) => c.name === n)?.label, lang)).join(', ');
    }
    if (kind === 'date' && lang === 'vi') return String(v).split('-').reverse().join('/');
    if (kind === 'time') return String(v).slice(0, 5);
    if (kind === 'datetime') return String(v).slice(0, 16).replace('T', ' ');
    if (typeof v === 'number') {
      const s = textOf(num(Math.abs(v) < 1e15 ? Math.round(v * 1e6) / 1e6 : v), utc);
      return lang === 'vi' ? s.replace('.', ',') : s;
    }
    return String(v);
  }

  // choicesOf gives the choices that are offered: those that meet the item's
  // filter, and the ones that are taken.
  #choicesOf(node, frame) {
    const choices = this.#allChoices(node);
    if (!choices || node.item.filter === undefined) return choices;
    const offered = this.#offered(node, frame);
    return choices.filter((_, i) => offered[i]);
  }

  #offered(node, frame) {
    const cell = frame.cells[node.slot];
    const taken = fields(textOf(cell.value, utc));
    return node.list.choices.map((c) => taken.includes(c.name) || truth(this.#eval(node.item.filter, frame, cell.value, {
      column: (a) => str((textOf(a[0], utc) === 'name' ? c.name : c.columns?.[textOf(a[0], utc)]) ?? ''),
    })));
  }

  #allChoices(node) {
    if (!node.list) return undefined;
    const key = node.item.list + ' ' + this.lang;
    let choices = this.#choices.get(key);
    if (!choices) {
      choices = node.list.choices.map((c) => ({ name: c.name, label: this.text(c.label), anchor: this.text(c.anchor), means: c.means ?? '', points: c.points }));
      this.#choices.set(key, choices);
    }
    return choices;
  }

  // --- giving back ----------------------------------------------------------

  #answersOf(frame) {
    const out = {};
    for (const slot of this.#plan.scopes[frame.scope].slots) {
      const node = this.#plan.nodes[slot];
      const { kind, name } = node.item;
      const cell = frame.cells[slot];
      if (kind === 'group' || kind === 'note' || cell.state === 'not_asked') continue;
      if (kind === 'calculate') {
        if (node.item.fills && !isBlank(cell.given)) out[name] = cell.given;
        continue;
      }
      if (node.inner >= 0) out[name] = frame.rows.get(slot).map((row) => this.#answersOf(row));
      else if (cell.state === 'blank') out[name] = cell.faults.length > 0 ? cell.given ?? null : null;
      else out[name] = kept(kind, cell.given ?? cell.filled);
    }
    return out;
  }

  #draftOf(frame) {
    const out = {};
    for (const slot of this.#plan.scopes[frame.scope].slots) {
      const node = this.#plan.nodes[slot];
      const { given } = frame.cells[slot];
      if (node.inner >= 0 && (isBlank(given) || Array.isArray(given))) {
        const rows = frame.rows.get(slot);
        if (rows.length > 0) out[node.item.name] = rows.map((row) => this.#draftOf(row));
      } else if (given !== undefined && (node.item.kind !== 'calculate' || node.item.fills)) {
        out[node.item.name] = given;
      }
    }
    return out;
  }
}

// --- reading values (survey/read.go) ------------------------------------------

const isBlank = (v) => v === null || v === undefined || v === '' || (Array.isArray(v) && v.length === 0);
const kept = (kind, v) => (kind === 'select_multiple' && typeof v === 'string' ? fields(v) : v);

function blank(cell) {
  cell.state = 'blank';
  cell.value = BLANK;
}

function settleWith(cell, v) {
  if (isEmpty(v) || (v.kind === 'number' && Number.isNaN(v.n))) return blank(cell);
  cell.state = 'value';
  cell.value = v;
}

function rawNumber(v) {
  const n = numberOf(v, utc);
  return Number.isNaN(n) ? textOf(v, utc) : n;
}

function sameValue(a, b) {
  if (a === b) return true;
  return a.kind === b.kind && a.kind !== 'nodes' && Object.is(a.n, b.n) && a.s === b.s;
}

function fault(cell, code, value = '', args = {}) {
  cell.faults.push({ code, args, value });
}

// shorten gives a short form of a value for messages.
function shorten(v) {
  let s = '';
  if (typeof v === 'number') s = plain(v);
  else if (typeof v === 'string') s = v;
  else if (typeof v === 'boolean') s = String(v);
  else if (Array.isArray(v)) s = v.every((x) => typeof x === 'string') ? v.join(' ') : '[…]';
  const runes = [...s];
  return runes.length > 60 ? runes.slice(0, 59).join('') + '…' : s;
}

function choiceNames(list) {
  const names = list.choices.slice(0, 12).map((c) => c.name);
  return names.join(', ') + (list.choices.length > 12 ? ', …' : '');
}

const stateOf = (choice) => ({ na: 'na', not_observed: 'not_observed' })[choice.means] ?? 'value';

function read(node, cell, given) {
  blank(cell);
  if (isBlank(given)) return;
  const wrong = (code, args) => fault(cell, code, shorten(given), args);
  switch (node.item.kind) {
    case 'integer': case 'decimal':
      if (typeof given !== 'number' || !Number.isFinite(given)) return wrong('answer.not_number');
      if (node.item.kind === 'integer' && (!Number.isInteger(given) || Math.abs(given) > 1e15)) return wrong('answer.not_integer');
      cell.state = 'value';
      cell.value = num(given);
      return;
    case 'select_one': case 'rubric': {
      const args = { choices: choiceNames(node.list) };
      if (typeof given !== 'string') return wrong('answer.not_choice', args);
      const i = node.list.choices.findIndex((c) => c.name === given);
      if (i < 0) return wrong('answer.unknown_choice', args);
      cell.choice = i;
      cell.value = str(given);
      cell.state = stateOf(node.list.choices[i]);
      return;
    }
    case 'select_multiple': return readChoices(node, cell, given);
  }
  if (typeof given !== 'string') return wrong('answer.not_text');
  readText(node.item.kind, cell, given, wrong);
}

function readChoices(node, cell, given) {
  const args = { choices: choiceNames(node.list) };
  const names = typeof given === 'string' ? fields(given) : Array.isArray(given) && given.every((n) => typeof n === 'string') ? given : null;
  if (names === null) return fault(cell, 'answer.not_choices', shorten(given), args);
  let state = 'value';
  for (const [i, name] of names.entries()) {
    const choice = node.list.choices.find((c) => c.name === name);
    if (!choice) return fault(cell, 'answer.unknown_choice', shorten(name), args);
    if (names.indexOf(name) < i) return fault(cell, 'answer.choice_twice', name);
    if (choice.means) {
      if (names.length > 1) return fault(cell, 'answer.na_with_others', name);
      state = stateOf(choice);
    }
  }
  cell.state = state;
  cell.value = str(names.join(' '));
}

function readText(kind, cell, s, wrong) {
  if (s.length > MAX_TEXT) return wrong('answer.text_too_long', { max: String(MAX_TEXT) });
  // eslint-disable-next-line no-control-regex
  if (/[\0-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]/.test(s)) return wrong('answer.control_character', { max: String(MAX_TEXT) });
  let value = str(s);
  switch (kind) {
    case 'date': {
      const m = /^(\d{4})-(\d\d)-(\d\d)$/.exec(s);
      const day = m && dayNumber(+m[1], +m[2], +m[3]);
      if (day === null) return wrong('answer.not_date');
      value = date(day);
      break;
    }
    case 'time': {
      const fraction = /^\d{1,2}:\d\d(:\d\d([.,]\d+)?)?([Zz]|[+-]\d\d:\d\d)?$/.test(s) ? parseClock(s.replace('z', 'Z')) : null;
      if (fraction === null) return wrong('answer.not_time');
      value = time(fraction);
      break;
    }
    case 'datetime': {
      const days = /^\d{4}-\d\d-\d\dT\d{1,2}:\d\d:\d\d([.,]\d+)?(Z|[+-]\d\d:\d\d)$/.test(s) ? parseMoment(s, utc.clock) : null;
      if (days === null) return wrong('answer.not_datetime');
      value = datetime(Math.round(days * DAY) / DAY);
      break;
    }
    case 'geopoint':
      if (!isGeopoint(s)) return wrong('answer.not_geopoint');
  }
  cell.state = 'value';
  cell.value = value;
}

// readMetadata takes what a client filled in by itself; false for what is not of
// the shape.
function readMetadata(type, cell) {
  const s = cell.given;
  if (typeof s !== 'string' || s === '') return false;
  const faults = [];
  const kind = { today: 'date', start: 'datetime', end: 'datetime' }[type] ?? 'text';
  readText(kind, cell, s, (code) => faults.push(code));
  return faults.length === 0;
}

// isGeopoint reads "latitude longitude [altitude [accuracy]]".
function isGeopoint(s) {
  const parts = fields(s);
  const limits = [90, 180, 1e6, 1e7];
  return parts.length >= 2 && parts.length <= 4
    && parts.every((p, i) => /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/.test(p) && Math.abs(Number(p)) <= limits[i]);
}

// --- what expressions may ask of the unit (survey/functions.go) ----------------

function hostFunctions(unit, lists) {
  const tags = unit.tags ?? [];
  const word = (a) => textOf(a[0], utc);
  return {
    unit: (a) => {
      switch (word(a)) {
        case 'sector': case 'structure': case 'setting': return str(unit[word(a)] ?? '');
        case 'members': return num(unit.members ?? 0);
      }
      return BLANK;
    },
    tagged: (a) => ({ kind: 'bool', n: tags.includes(word(a)) ? 1 : 0 }),
    under: (a) => ({ kind: 'bool', n: sectorUnder(lists, unit.sector ?? '', word(a)) ? 1 : 0 }),
  };
}

function sectorUnder(lists, sector, code) {
  const sectors = lists?.sectors ?? [];
  for (let i = 0; lists && i <= sectors.length; i++) { // bounded: a circle among parents must not hang
    if (sector === code) return true;
    const s = sectors.find((x) => x.code === sector);
    if (!s) return false;
    if (s.rollup === code) return true;
    if (!s.parent) return false;
    sector = s.parent;
  }
  return false;
}
