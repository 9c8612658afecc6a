// The template that is being edited: where things are in it, undo and redo.

/** The kinds of items that contain others. */
export const holdsItems = (kind) => kind === 'group' || kind === 'repeat';
/** The kinds of items that take their values from a list. */
export const chooses = (kind) => kind === 'select_one' || kind === 'select_multiple' || kind === 'rubric';

/** Yields [item, path] of every item in the form's order; a path is a list of positions. */
export function* walk(items, above = []) {
  for (const [i, item] of (items ?? []).entries()) {
    const path = [...above, i];
    yield [item, path];
    yield* walk(item.items, path);
  }
}

export class Model {
  #past = [];
  #future = [];
  #lastKey = '';
  #lastAt = 0;

  /** changed(kind) is called after every change; kind is 'edit' or 'jump' (undo, redo). */
  constructor(template, changed) {
    this.t = template;
    this.changed = changed;
    this.t.items ??= [];
    this.t.lists ??= [];
  }

  /**
   * Makes a change that can be undone. Changes with the same key within a short
   * time are one: a word that is typed is undone as a word.
   */
  change(key, act) {
    const now = Date.now();
    if (key !== this.#lastKey || now - this.#lastAt > 1500 || key === '') {
      this.#past.push(JSON.stringify(this.t));
      if (this.#past.length > 300) this.#past.shift();
    }
    this.#lastKey = key;
    this.#lastAt = now;
    this.#future.length = 0;
    const out = act(this.t);
    this.changed('edit');
    return out;
  }

  undo() { this.#step(this.#past, this.#future); }
  redo() { this.#step(this.#future, this.#past); }
  get canUndo() { return this.#past.length > 0; }
  get canRedo() { return this.#future.length > 0; }

  #step(from, to) {
    if (from.length === 0) return;
    to.push(JSON.stringify(this.t));
    const { rev } = this.t;
    this.t = JSON.parse(from.pop());
    this.t.rev = rev; // the store's count of saves is not part of what is undone
    this.#lastKey = '';
    this.changed('jump');
  }

  /** The item at a path, null if there is none. */
  at(path) {
    let items = this.t.items;
    let item = null;
    for (const i of path ?? []) {
      item = items?.[i] ?? null;
      items = item?.items;
    }
    return item;
  }

  /** The list that holds the item at a path. */
  siblings(path) {
    return path.length === 1 ? this.t.items : (this.at(path.slice(0, -1))?.items ?? []);
  }

  pathOf(item) {
    for (const [it, path] of walk(this.t.items)) if (it === item) return path;
    return null;
  }

  /** Puts an item behind the one at a path, or first into it; gives its path. */
  insert(item, path, inside = false) {
    return this.change('', () => {
      if (!path || path.length === 0) {
        this.t.items.push(item);
        return [this.t.items.length - 1];
      }
      const target = this.at(path);
      if (inside && holdsItems(target.kind)) {
        (target.items ??= []).push(item);
        return [...path, target.items.length - 1];
      }
      const at = path.at(-1) + 1;
      this.siblings(path).splice(at, 0, item);
      return [...path.slice(0, -1), at];
    });
  }

  remove(path) {
    return this.change('', () => {
      const list = this.siblings(path);
      list.splice(path.at(-1), 1);
      if (list.length > 0) return [...path.slice(0, -1), Math.min(path.at(-1), list.length - 1)];
      return path.slice(0, -1);
    });
  }

  duplicate(path) {
    const copy = structuredClone(this.at(path));
    const taken = this.names();
    for (const [it] of walk([copy])) {
      it.name = freeName(it.name, taken);
      taken.add(it.name);
    }
    return this.insert(copy, path);
  }

  /** Moves the item at a path: 'up', 'down', 'in' (to the group before), 'out'. */
  move(path, where) {
    const list = this.siblings(path);
    const i = path.at(-1);
    const item = list[i];
    if (where === 'up' && i > 0) {
      return this.change('', () => { list.splice(i, 1); list.splice(i - 1, 0, item); return [...path.slice(0, -1), i - 1]; });
    }
    if (where === 'down' && i < list.length - 1) {
      return this.change('', () => { list.splice(i, 1); list.splice(i + 1, 0, item); return [...path.slice(0, -1), i + 1]; });
    }
    const before = list[i - 1];
    if (where === 'in' && before && holdsItems(before.kind)) {
      return this.change('', () => {
        list.splice(i, 1);
        (before.items ??= []).push(item);
        return [...path.slice(0, -1), i - 1, before.items.length - 1];
      });
    }
    if (where === 'out' && path.length > 1) {
      const up = path.slice(0, -1);
      return this.change('', () => {
        list.splice(i, 1);
        this.siblings(up).splice(up.at(-1) + 1, 0, item);
        return [...up.slice(0, -1), up.at(-1) + 1];
      });
    }
    return path;
  }

  /** Drops the item at one path before, behind or into the one at another. */
  drop(from, to, where) {
    const item = this.at(from);
    const target = this.at(to);
    if (!item || !target || item === target) return from;
    for (const [it] of walk(item.items)) if (it === target) return from; // not into itself
    return this.change('', () => {
      this.siblings(from).splice(from.at(-1), 1);
      if (where === 'inside' && holdsItems(target.kind)) (target.items ??= []).push(item);
      else {
        const path = this.pathOf(target);
        this.siblings(path).splice(path.at(-1) + (where === 'after' ? 1 : 0), 0, item);
      }
      return this.pathOf(item);
    });
  }

  names() { return new Set([...walk(this.t.items)].map(([it]) => it.name)); }

  list(name) { return this.t.lists.find((l) => l.name === name); }

  /** How many items take their choices from a list. */
  uses(name) { return [...walk(this.t.items)].filter(([it]) => it.list === name).length; }

  /** What a condition may ask about, in the form's order. */
  askable(lang) {
    return [...walk(this.t.items)]
      .filter(([it]) => !holdsItems(it.kind) && it.kind !== 'note')
      .map(([it]) => ({
        name: it.name,
        label: it.label?.[lang] || Object.values(it.label ?? {})[0] || it.name,
        kind: it.kind,
        choices: chooses(it.kind) ? this.list(it.list)?.choices?.map((c) => ({ name: c.name, label: c.label?.[lang] || c.name })) : undefined,
      }));
  }

  /**
   * Finds what a problem is about by the sheet and row it would have in a
   * workbook: {tab, path?, list?, index?}.
   */
  place({ sheet, row, item }) {
    const index = (row ?? 0) - 1;
    switch (sheet) {
      case 'choices': {
        let n = 0;
        for (const list of this.t.lists) {
          if (index < n + list.choices.length) return { tab: 'lists', list: list.name, index: index - n };
          n += list.choices.length;
        }
        return { tab: 'lists' };
      }
      case 'bands': case 'caps': return { tab: 'scoring', part: sheet, index };
      case 'scoring': return { tab: 'scoring' };
      case 'checks': return { tab: 'checks', index };
      case 'cases': return { tab: 'cases', index };
      case 'settings': return { tab: 'settings' };
      default: {
        let n = 0;
        for (const [it, path] of walk(this.t.items)) {
          if (index >= 0 ? n === index : it.name === item) return { tab: 'items', path };
          n++;
        }
        return { tab: 'items' };
      }
    }
  }
}

/** Gives a name like the wanted one that is not taken. */
export function freeName(wanted, taken) {
  if (!taken.has(wanted)) return wanted;
  const stem = wanted.replace(/_?\d+$/, '');
  for (let n = 2; ; n++) if (!taken.has(`${stem}_${n}`)) return `${stem}_${n}`;
}
