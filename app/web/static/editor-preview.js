// The preview: the form as it asks, with the score that answers come to. The
// server works both out, with the code that counts later.
import { h, fill, debounce, uniqueID } from './dom.js';
import { chooses, holdsItems } from './editor-model.js';

export class Preview {
  #answers = {};
  #unit = {};
  #result = null;
  #items = new Map(); // from name to what is shown of it
  #asked = 0;

  constructor(ed, box) {
    this.ed = ed;
    this.box = box;
    this.lang = ed.lang;
    this.ask = debounce(200, () => this.#ask());
    this.later = debounce(600, () => this.draw());
  }

  /** Draws the form anew: the template has changed. */
  draw() {
    const { say, model, lists } = this.ed;
    this.#items.clear();
    const { t } = model;
    if (!t.languages.includes(this.lang)) this.lang = t.languages[0];
    const fact = (name, label, options) => h('label', {}, label, h('select', {
      value: this.#unit[name] ?? '', onchange: (e) => { this.#unit[name] = e.target.value || undefined; this.ask(); },
    }, h('option', { value: '' }, '–'), (options ?? []).map((o) => h('option', { value: o.code }, `${o.code} · ${o.label?.[this.ed.lang] ?? ''}`))));
    this.score = h('section', { class: 'score', 'aria-live': 'polite' });
    fill(this.box,
      h('div', { class: 'preview-tools' },
        h('label', {}, say('editor.preview_language'), h('select', { value: this.lang, onchange: (e) => { this.lang = e.target.value; this.draw(); } }, t.languages.map((l) => h('option', { value: l }, l)))),
        h('details', {}, h('summary', {}, say('editor.preview_unit')), fact('sector', say('by.sector'), lists.sectors), fact('structure', say('by.structure'), lists.structures), fact('setting', say('by.setting'), lists.settings)),
        h('button', { type: 'button', class: 'small', onclick: () => { this.#answers = {}; this.draw(); } }, say('editor.preview_clear'))),
      h('div', { class: 'phone', lang: this.lang }, h('h2', {}, this.#text(t.title) || t.code), t.items.map((it) => this.#show(it, this.#answers))),
      this.score);
    this.ask();
  }

  #text(texts) {
    return texts?.[this.lang] || Object.values(texts ?? {})[0] || '';
  }

  #show(item, answers) {
    if (holdsItems(item.kind)) {
      const rows = item.kind === 'repeat' ? (answers[item.name] ??= [{}]) : null;
      const el = h('fieldset', { class: 'p-group' }, h('legend', {}, this.#text(item.label) || item.name), item.hint && h('p', { class: 'quiet' }, this.#text(item.hint)),
        rows ? rows.map((row) => h('div', { class: 'p-row' }, (item.items ?? []).map((it) => this.#show(it, row)))) : (item.items ?? []).map((it) => this.#show(it, answers)),
        rows && h('button', { type: 'button', class: 'small', onclick: () => { rows.push({}); this.draw(); } }, '+ ', this.ed.say('editor.preview_row')));
      if (answers === this.#answers) this.#items.set(item.name, { el });
      return el;
    }
    const note = h('p', { class: 'problem', role: 'status' });
    const value = h('output', { class: 'quiet' });
    const el = h('div', { class: `p-item p-${item.kind}` }, this.#control(item, answers), value, note);
    if (answers === this.#answers) this.#items.set(item.name, { el, note, value: item.kind === 'calculate' ? value : null });
    if (item.kind === 'calculate' && !this.#text(item.label)) el.classList.add('p-silent');
    return el;
  }

  #control(item, answers) {
    const label = this.#text(item.label) || (item.kind === 'calculate' ? item.name : '…');
    const hint = item.hint && h('p', { class: 'quiet' }, this.#text(item.hint));
    const set = (v) => {
      if (v === '' || v === null || v?.length === 0) delete answers[item.name];
      else answers[item.name] = v;
      this.ask();
    };
    if (item.kind === 'note' || item.kind === 'calculate') return [h('p', {}, label), hint];
    if (chooses(item.kind)) {
      const many = item.kind === 'select_multiple';
      const group = uniqueID('p');
      return h('fieldset', {}, h('legend', {}, label), hint, (this.ed.model.list(item.list)?.choices ?? []).map((c) => h('label', { class: 'p-choice' },
        h('input', {
          type: many ? 'checkbox' : 'radio', name: group, value: c.name,
          checked: many ? answers[item.name]?.includes(c.name) : answers[item.name] === c.name,
          onchange: (e) => {
            if (!many) return set(c.name);
            const now = new Set(answers[item.name] ?? []);
            if (e.target.checked) now.add(c.name); else now.delete(c.name);
            return set([...now]);
          },
        }), h('span', {}, this.#text(c.label) || c.name, c.points !== undefined && h('span', { class: 'tag' }, c.points),
          c.anchor && h('span', { class: 'quiet anchor' }, this.#text(c.anchor))))));
    }
    const id = uniqueID('p');
    const types = { integer: 'number', decimal: 'number', date: 'date', time: 'time', datetime: 'datetime-local' };
    const type = types[item.kind] ?? 'text';
    const off = item.kind === 'image' || item.kind === 'geopoint';
    return [h('label', { for: id }, label), hint, h('input', {
      id, type, step: item.kind === 'decimal' ? 'any' : null, value: answers[item.name] ?? '', disabled: off || Boolean(item.read_only),
      oninput: (e) => set(type === 'number' && e.target.value !== '' ? Number(e.target.value) : e.target.value),
    })];
  }

  async #ask() {
    const turn = ++this.#asked;
    const body = JSON.stringify({ template: this.ed.model.t, answers: this.#answers, unit: this.#unit });
    let result;
    try {
      const response = await fetch(`/api/v1/templates/try?lang=${this.ed.lang}`, { method: 'POST', body, headers: { 'Content-Type': 'application/json' } });
      if (!response.ok) return;
      result = await response.json();
    } catch {
      return; // without a network there is no preview; saving tells of it
    }
    if (turn !== this.#asked) return;
    this.#result = result;
    this.#draw(result);
    this.ed.checked(result.problems);
  }

  #draw({ items, faults, score }) {
    const { say, model } = this.ed;
    for (const [name, { el, note, value }] of this.#items) {
      const state = items[name];
      el.hidden = Boolean(state) && (!state.applies || (state.state === 'not_asked' && state.applies));
      if (value) value.textContent = state?.value ?? '';
      if (note) note.textContent = faults.filter((f) => f.item === name && name in this.#answers).map((f) => f.message).join(' ');
    }
    if (!Object.keys(items).length) {
      fill(this.score, h('p', { class: 'problem' }, say('editor.preview_broken')));
      return;
    }
    if (!score) {
      fill(this.score);
      return;
    }
    const band = (code) => this.#text(model.t.scheme.bands?.find((b) => b.code === code)?.label) || code;
    const label = (name) => { for (const it of this.ed.allItems()) if (it.name === name) return this.#text(it.label); return ''; };
    fill(this.score,
      h('h3', {}, score.not_graded ? say('editor.not_graded') : say('editor.score', { total: score.total, of: score.of })),
      score.not_graded && h('p', {}, score.not_graded, score.missing.length > 0 && [' ', say('editor.missing', { items: score.missing.join(', ') })]),
      score.band && h('p', {}, h('b', {}, band(score.band)), score.band !== score.band_before_caps && ` (${say('editor.before_caps', { band: band(score.band_before_caps) })})`),
      score.caps.length > 0 && h('ul', {}, score.caps.map((code) => h('li', {}, h('code', {}, code), ' ', this.#text(model.t.scheme.caps.find((c) => c.code === code)?.label)))),
      h('details', {}, h('summary', {}, say('editor.explain')), h('table', {}, h('tbody', {}, score.lines.map((l) => h('tr', {}, h('th', { scope: 'row' }, h('code', {}, l.item), ' ', label(l.item)), h('td', {}, l.value ?? ''), h('td', { class: 'n' }, `${l.earned} / ${l.available}`)))))),
      h('button', { type: 'button', onclick: () => this.#keep(score) }, say('editor.keep_case')));
  }

  /** Keeps the answers, with what they come to now, as a test case. */
  #keep(score) {
    const { model, say } = this.ed;
    const cases = (model.t.cases ??= []);
    const unit = Object.fromEntries(Object.entries(this.#unit).filter(([, v]) => v));
    model.change('', () => cases.push({
      name: say('editor.case_n', { n: cases.length + 1 }), answers: structuredClone(this.#answers), unit, total: score.total, band: score.band || undefined, caps: score.caps.length ? score.caps : undefined,
    }));
    this.ed.open('cases');
  }

  /** Puts a case's answers into the form. */
  load(answers, unit) {
    this.#answers = structuredClone(answers);
    this.#unit = { ...unit };
    this.draw();
  }
}
