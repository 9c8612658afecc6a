// Conditions made from pickers: "when Number present is less than 10". What the
// pickers cannot say stays an expression that is edited as text; both show the
// same thing.
import { h, fill, uniqueID } from './dom.js';

const compare = ['=', '!=', '<', '<=', '>', '>='];

/**
 * Reads an expression into {join: 'and'|'or', terms: [{item, op, value}]}; null
 * when it is not of that kind. An op is a comparison, 'has', 'has_not' (a
 * choice of several), 'blank' or 'answered'.
 */
export function readCondition(text) {
  text = text.trim();
  if (text === '') return { join: 'and', terms: [] };
  const found = splitTop(text);
  if (!found) return null;
  const terms = found.parts.map(readTerm);
  return terms.every(Boolean) ? { join: found.join, terms } : null;
}

function splitTop(text) {
  const parts = [];
  const joins = new Set();
  let depth = 0;
  let quote = '';
  let from = 0;
  for (let i = 0; i < text.length; i++) {
    const c = text[i];
    if (quote) {
      if (c === quote) quote = '';
    } else if (c === "'" || c === '"') quote = c;
    else if (c === '(' || c === '{') depth++;
    else if (c === ')' || c === '}') depth--;
    else if (depth === 0) {
      const word = /^\s(and|or)\s/.exec(text.slice(i, i + 5));
      if (word) {
        joins.add(word[1]);
        parts.push(text.slice(from, i).trim());
        i += word[0].length - 1;
        from = i;
      }
    }
  }
  if (depth !== 0 || quote || joins.size > 1) return null;
  parts.push(text.slice(from).trim());
  return { join: [...joins][0] ?? 'and', parts };
}

function readTerm(text) {
  let m = /^\$\{([\w.-]+)\}\s*(!=|<=|>=|=|<|>)\s*(?:'([^']*)'|"([^"]*)"|(-?\d+(?:\.\d+)?))$/.exec(text);
  if (m) {
    const [, item, op, single, double, number] = m;
    const value = number ?? single ?? double;
    if (value === '' && (op === '=' || op === '!=')) return { item, op: op === '=' ? 'blank' : 'answered', value: '' };
    return { item, op, value, quoted: number === undefined };
  }
  m = /^(not\()?\s*selected\(\s*\$\{([\w.-]+)\}\s*,\s*'([^']*)'\s*\)\s*(\))?$/.exec(text);
  if (m && Boolean(m[1]) === Boolean(m[4])) return { item: m[2], op: m[1] ? 'has_not' : 'has', value: m[3] };
  return null;
}

/** Writes a condition as an expression. */
export function writeCondition({ join, terms }, itemOf) {
  return terms.map((t) => writeTerm(t, itemOf(t.item))).join(` ${join} `);
}

function writeTerm({ item, op, value }, about) {
  const name = '${' + item + '}';
  if (op === 'blank') return `${name} = ''`;
  if (op === 'answered') return `${name} != ''`;
  if (op === 'has' || op === 'has_not') {
    const has = `selected(${name}, '${value}')`;
    return op === 'has' ? has : `not(${has})`;
  }
  const numeric = ['integer', 'decimal', 'calculate'].includes(about?.kind) && /^-?\d+(\.\d+)?$/.test(value.trim());
  return `${name} ${op} ${numeric ? value.trim() : `'${value.replaceAll("'", '’')}'`}`;
}

/**
 * A field for a condition. items lists what may be asked about: {name, label,
 * kind, choices: [{name, label}]}. changed is called with the new expression.
 */
export function conditionField({ label, hint, value, items, say, changed, problems }) {
  const id = uniqueID('condition');
  const text = h('input', { id, type: 'text', value, spellcheck: 'false', autocomplete: 'off', class: 'expression', 'aria-describedby': `${id}-problems` });
  const rows = h('div', { class: 'terms' });
  const itemOf = (name) => items.find((i) => i.name === name);
  let condition = readCondition(value);

  const told = (expression) => {
    text.value = expression;
    changed(expression);
  };
  const rebuilt = () => told(writeCondition(condition, itemOf));
  text.addEventListener('input', () => {
    changed(text.value);
    condition = readCondition(text.value);
    draw();
  });

  function draw() {
    if (!condition) {
      fill(rows, h('p', { class: 'quiet' }, say('editor.condition_by_hand')));
      return;
    }
    fill(rows,
      condition.terms.length > 1 && h('select', {
        'aria-label': say('editor.condition_join'), value: condition.join,
        onchange: (e) => { condition.join = e.target.value; rebuilt(); },
      }, h('option', { value: 'and' }, say('editor.condition_all')), h('option', { value: 'or' }, say('editor.condition_any'))),
      condition.terms.map((term, i) => termRow(term, i)),
      h('button', {
        type: 'button', class: 'small', disabled: items.length === 0,
        onclick: () => {
          condition.terms.push({ item: items[0].name, op: items[0].kind === 'select_multiple' ? 'has' : '=', value: items[0].choices?.[0]?.name ?? '' });
          rebuilt();
          draw();
        },
      }, '+ ', say('editor.condition_add')));
  }

  function termRow(term, i) {
    const about = itemOf(term.item);
    const ops = about?.kind === 'select_multiple' ? ['has', 'has_not', 'blank', 'answered']
      : about?.choices ? ['=', '!=', 'blank', 'answered'] : [...compare, 'blank', 'answered'];
    if (!ops.includes(term.op)) ops.push(term.op);
    const update = (what, v, again) => { term[what] = v; rebuilt(); if (again) draw(); };
    const value = term.op === 'blank' || term.op === 'answered' ? null
      : about?.choices
        ? h('select', { 'aria-label': say('editor.condition_value'), value: term.value, onchange: (e) => update('value', e.target.value) },
          about.choices.map((c) => h('option', { value: c.name }, c.label)),
          !about.choices.some((c) => c.name === term.value) && h('option', { value: term.value }, term.value || '…'))
        : h('input', { 'aria-label': say('editor.condition_value'), type: 'text', value: term.value, oninput: (e) => update('value', e.target.value) });
    return h('div', { class: 'term' },
      h('select', {
        'aria-label': say('editor.condition_item'), value: term.item,
        onchange: (e) => {
          const next = itemOf(e.target.value);
          term.op = next?.kind === 'select_multiple' ? 'has' : '=';
          term.value = next?.choices?.[0]?.name ?? '';
          update('item', e.target.value, true);
        },
      }, !about && h('option', { value: term.item }, term.item), items.map((it) => h('option', { value: it.name }, it.name === it.label ? it.name : `${it.name} · ${it.label}`))),
      h('select', { 'aria-label': say('editor.condition_op'), value: term.op, onchange: (e) => update('op', e.target.value, true) },
        ops.map((op) => h('option', { value: op }, say(`editor.op_${opNames[op] ?? op}`)))),
      value,
      h('button', { type: 'button', class: 'small', 'aria-label': say('editor.remove'), onclick: () => { condition.terms.splice(i, 1); rebuilt(); draw(); } }, '✕'));
  }

  draw();
  return h('div', { class: 'condition' },
    h('label', { for: id }, label), hint && h('p', { class: 'quiet' }, hint),
    rows, text, h('div', { id: `${id}-problems`, class: 'field-problems' }, problems));
}

const opNames = { '=': 'is', '!=': 'is_not', '<': 'less', '<=': 'most', '>': 'more', '>=': 'least' };
