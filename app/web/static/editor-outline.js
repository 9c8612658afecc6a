// The outline of the form: a tree that is walked and rearranged by keyboard,
// mouse and touch.
import { h, fill } from './dom.js';
import { holdsItems, walk } from './editor-model.js';

const signs = {
  note: 'i', text: '¶', integer: '#', decimal: '#.#', date: '▦', time: '◷', datetime: '▦', select_one: '◉', select_multiple: '☑',
  rubric: '▤', calculate: 'ƒ', image: '▣', geopoint: '⊕', group: '▾', repeat: '↻',
};

export class Outline {
  #lines = new Map(); // from item to its line
  #dragged = null;

  constructor(ed, box) {
    this.ed = ed;
    this.box = box;
    box.addEventListener('keydown', (e) => this.#key(e));
  }

  draw() {
    this.#lines.clear();
    const { model, say } = this.ed;
    const lines = [...walk(model.t.items)].map(([item, path]) => this.#line(item, path));
    fill(this.box, lines.length ? lines : h('p', { class: 'empty' }, say('editor.no_items')));
    this.mark();
  }

  #line(item, path) {
    const { say } = this.ed;
    const line = h('div', {
      role: 'treeitem', class: 'line', 'aria-level': path.length, tabindex: '-1', draggable: 'true', 'data-depth': Math.min(path.length, 6),
      'aria-expanded': holdsItems(item.kind) ? 'true' : null,
      onclick: () => this.ed.select(this.ed.model.pathOf(item)),
      ondragstart: (e) => { this.#dragged = item; e.dataTransfer.effectAllowed = 'move'; e.dataTransfer.setData('text/plain', item.name); },
      ondragover: (e) => { e.preventDefault(); line.dataset.drop = this.#where(e, line, item); },
      ondragleave: () => { delete line.dataset.drop; },
      ondrop: (e) => {
        e.preventDefault();
        const where = line.dataset.drop;
        delete line.dataset.drop;
        const { model } = this.ed;
        const from = this.#dragged && model.pathOf(this.#dragged);
        if (from) this.ed.moved(model.drop(from, model.pathOf(item), where));
      },
    },
    h('span', { class: 'sign', 'aria-hidden': 'true' }, signs[item.kind] ?? '?'),
    h('span', { class: 'unseen' }, say(`editor.kind_${item.kind}`), ' '),
    h('span', { class: 'what' }, h('code', {}), ' ', h('span', { class: 'label' })),
    h('span', { class: 'points' }), h('span', { class: 'mark' }));
    this.#lines.set(item, line);
    this.relabel(item, line);
    return line;
  }

  #where(e, line, item) {
    const { top, height } = line.getBoundingClientRect();
    const y = (e.clientY - top) / height;
    if (holdsItems(item.kind) && y > 0.3 && y < 0.7) return 'inside';
    return y < 0.5 ? 'before' : 'after';
  }

  /** Writes an item's name and label anew. */
  relabel(item, line = this.#lines.get(item)) {
    if (!line) return;
    line.querySelector('code').textContent = item.name;
    line.querySelector('.label').textContent = item.label?.[this.ed.lang] || Object.values(item.label ?? {})[0] || '';
    line.querySelector('.points').textContent = item.points === undefined ? '' : this.ed.say('editor.n_points', { points: item.points });
  }

  /** Marks the selected item and those with problems. */
  mark() {
    const { model, selected, problems, say } = this.ed;
    const now = model.at(selected);
    const counts = new Map();
    for (const p of problems) {
      const place = model.place(p);
      const item = place.tab === 'items' && place.path ? model.at(place.path) : null;
      if (!item) continue;
      const c = counts.get(item) ?? { error: 0, other: 0 };
      c[p.severity === 'error' ? 'error' : 'other']++;
      counts.set(item, c);
    }
    let any = false;
    for (const [item, line] of this.#lines) {
      const on = item === now;
      any ||= on;
      line.setAttribute('aria-selected', String(on));
      line.tabIndex = on ? 0 : -1;
      const c = counts.get(item);
      const mark = line.querySelector('.mark');
      mark.textContent = c ? (c.error ? `⚠ ${c.error}` : '•') : '';
      mark.title = c?.error ? say('editor.n_errors', { count: c.error }) : '';
      line.classList.toggle('wrong', Boolean(c?.error));
    }
    if (!any) this.box.firstElementChild?.setAttribute('tabindex', '0');
  }

  /** Moves the focus to the selected item. */
  focus() {
    const item = this.ed.model.at(this.ed.selected);
    const line = this.#lines.get(item);
    line?.focus();
    line?.scrollIntoView({ block: 'nearest' });
  }

  #key(e) {
    const { model } = this.ed;
    const path = this.ed.selected;
    const all = [...walk(model.t.items)];
    const at = all.findIndex(([it]) => it === model.at(path));
    const go = (i) => {
      if (!all[i]) return;
      this.ed.select(all[i][1]);
      this.focus();
    };
    const done = (next) => { this.ed.moved(next); this.focus(); };
    const keys = {
      ArrowDown: () => (e.altKey ? done(model.move(path, 'down')) : go(at + 1)),
      ArrowUp: () => (e.altKey ? done(model.move(path, 'up')) : go(at - 1)),
      ArrowRight: () => (e.altKey ? done(model.move(path, 'in')) : go(at + 1)),
      ArrowLeft: () => (e.altKey ? done(model.move(path, 'out')) : path.length > 1 && (this.ed.select(path.slice(0, -1)), this.focus())),
      Home: () => go(0),
      End: () => go(all.length - 1),
      Delete: () => path.length && done(model.remove(path)),
      Enter: () => this.ed.focusPanel(),
      Insert: () => this.ed.add(),
    };
    if ((e.ctrlKey || e.metaKey) && e.key.toLowerCase() === 'd') keys.d = () => done(model.duplicate(path));
    const act = keys[e.key] ?? (e.key.toLowerCase() === 'd' ? keys.d : undefined);
    if (!act || (path.length === 0 && !['Insert', 'ArrowDown', 'ArrowUp', 'Home', 'End'].includes(e.key))) return;
    e.preventDefault();
    act();
  }
}
