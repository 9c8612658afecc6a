// The template editor: outline, panels, preview; autosave, undo, problems.
import { h, fill, data, speaker, debounce } from './dom.js';
import { Model, walk, chooses, freeName } from './editor-model.js';
import { Fields } from './editor-fields.js';
import { Outline } from './editor-outline.js';
import { Panels } from './editor-panels.js';
import { Preview } from './editor-preview.js';

const given = data('editor-data');
const $ = (id) => document.getElementById(id);
const tabs = ['items', 'lists', 'scoring', 'checks', 'settings', 'cases'];

class Editor {
  lang = given.lang;
  say = speaker(given.words);
  kinds = given.kinds.filter((k) => k !== 'unknown');
  roles = given.roles;
  lists = given.type_lists ?? {};
  problems = [];
  selected = [];
  tab = 'items';
  #unsaved = false;
  #saving = false;
  #stopped = false; // somebody else has saved: nothing is sent until the person decides

  constructor() {
    this.model = new Model(given.template, (kind) => this.#changed(kind));
    this.fields = new Fields({ model: this.model, say: this.say, languages: () => this.model.t.languages, problemsOf: (columns) => this.#problemsOf(columns) });
    this.panels = new Panels(this);
    this.outline = new Outline(this, $('outline'));
    this.preview = new Preview(this, $('preview'));
    this.save = debounce(1200, () => this.#save());
    this.#bind();
    this.#recover();
    this.outline.draw();
    if (this.model.t.items.length) this.selected = [0];
    this.open('items');
    this.preview.draw();
  }

  *allItems() { for (const [item] of walk(this.model.t.items)) yield item; }

  #bind() {
    for (const tab of tabs) $(`tab-${tab}`).addEventListener('click', () => this.open(tab));
    $('tabs').addEventListener('keydown', (e) => {
      const step = { ArrowRight: 1, ArrowLeft: -1 }[e.key];
      if (!step) return;
      this.open(tabs[(tabs.indexOf(this.tab) + step + tabs.length) % tabs.length]);
      $(`tab-${this.tab}`).focus();
    });
    $('undo').addEventListener('click', () => this.model.undo());
    $('redo').addEventListener('click', () => this.model.redo());
    $('add').addEventListener('click', () => this.add());
    $('add-section').addEventListener('click', () => this.add('group'));
    const tools = { 'move-up': 'up', 'move-down': 'down', 'move-in': 'in', 'move-out': 'out' };
    for (const [id, where] of Object.entries(tools)) $(id).addEventListener('click', () => this.selected.length && this.moved(this.model.move(this.selected, where)));
    $('duplicate').addEventListener('click', () => this.selected.length && this.moved(this.model.duplicate(this.selected)));
    $('remove').addEventListener('click', () => this.selected.length && this.moved(this.model.remove(this.selected)));
    $('publish').addEventListener('click', () => this.#publish());
    document.addEventListener('keydown', (e) => {
      if (!(e.ctrlKey || e.metaKey)) return;
      const key = e.key.toLowerCase();
      if (key === 's') { e.preventDefault(); this.#save(); }
      const typing = /^(input|textarea)$/i.test(e.target.tagName) && e.target.type !== 'checkbox';
      if (key === 'z' && !typing) { e.preventDefault(); e.shiftKey ? this.model.redo() : this.model.undo(); }
    });
    addEventListener('beforeunload', (e) => { if (this.#unsaved) e.preventDefault(); });
  }

  // What cannot be sent is kept in this browser, so that a lost network or a
  // closed window takes nothing with it.
  get #key() { return `khaosat-draft/${given.template.code}/${given.template.version}`; }

  #recover() {
    let kept;
    try { kept = JSON.parse(localStorage.getItem(this.#key)); } catch { kept = null; }
    if (!kept?.template) return;
    const same = JSON.stringify({ ...kept.template, rev: 0 }) === JSON.stringify({ ...this.model.t, rev: 0 });
    if (same) { localStorage.removeItem(this.#key); return; }
    this.#tell('note', this.say('editor.recovered', { time: new Date(kept.at).toLocaleString(this.lang) }), [
      [this.say('editor.recover_take'), () => { this.model.change('', () => { const { rev } = this.model.t; this.model.t = { ...kept.template, rev }; }); this.#changed('jump'); this.#hush(); }],
      [this.say('editor.recover_drop'), () => { localStorage.removeItem(this.#key); this.#hush(); }]]);
  }

  #changed(kind) {
    this.#unsaved = true;
    $('undo').disabled = !this.model.canUndo;
    $('redo').disabled = !this.model.canRedo;
    if (!this.#stopped) $('saved').textContent = this.say('editor.unsaved');
    if (kind === 'jump') {
      while (this.selected.length && !this.model.at(this.selected)) this.selected = this.selected.slice(0, -1);
      this.redraw();
    }
    this.save();
    this.preview.later();
  }

  async #save() {
    this.save.cancel();
    if (this.#saving || this.#stopped || !this.#unsaved) return;
    this.#saving = true;
    this.#unsaved = false;
    const { t } = this.model;
    const sent = JSON.stringify(t);
    try { localStorage.setItem(this.#key, JSON.stringify({ at: Date.now(), template: t })); } catch { /* full or forbidden: the server has it in a moment */ }
    $('saved').textContent = this.say('editor.saving');
    let failed = '';
    try {
      const response = await fetch(`/api/v1/templates/${encodeURIComponent(t.code)}/versions/${t.version}?lang=${this.lang}`, {
        method: 'PUT', body: sent, headers: { 'Content-Type': 'application/json', 'If-Match': `"${t.rev}"` },
      });
      const answer = await response.json();
      if (response.ok) {
        this.model.t.rev = answer.revision;
        if (!this.#unsaved) localStorage.removeItem(this.#key);
        $('saved').textContent = this.say('editor.saved', { time: new Date().toLocaleTimeString(this.lang) });
        this.checked(answer.problems);
        this.#hush('offline');
      } else if (response.status === 412 || response.status === 409) {
        this.#stopped = true;
        this.#unsaved = true;
        this.#overtaken(answer.detail);
      } else failed = answer.detail || answer.title;
    } catch {
      failed = this.say('editor.offline');
    }
    this.#saving = false;
    if (failed) {
      this.#unsaved = true;
      $('saved').textContent = this.say('editor.not_saved');
      this.#tell('offline', failed, [[this.say('editor.try_again'), () => this.#save()]]);
      setTimeout(() => this.#save(), 10000);
    } else if (this.#unsaved && !this.#stopped) this.save();
  }

  // Somebody else has saved this draft. Theirs is in the store, ours is here;
  // neither is thrown away unasked.
  #overtaken(detail) {
    $('saved').textContent = this.say('editor.not_saved');
    this.#tell('overtaken', detail, [
      [this.say('editor.see_theirs'), () => open(location.pathname, '_blank', 'noopener')],
      [this.say('editor.take_theirs'), async () => {
        this.#download();
        localStorage.removeItem(this.#key);
        this.#unsaved = false;
        location.reload();
      }],
      [this.say('editor.keep_mine'), async () => {
        const response = await fetch(`/api/v1/templates/${encodeURIComponent(this.model.t.code)}?version=${this.model.t.version}`);
        if (!response.ok) return;
        this.model.t.rev = (await response.json()).rev;
        this.#stopped = false;
        this.#hush('overtaken');
        this.#save();
      }]]);
  }

  #download() {
    const url = URL.createObjectURL(new Blob([JSON.stringify(this.model.t, null, 2)], { type: 'application/json' }));
    h('a', { href: url, download: `${this.model.t.code}-${this.model.t.version}.json` }).click();
    setTimeout(() => URL.revokeObjectURL(url), 10000);
  }

  #tell(kind, text, actions) {
    this.#hush(kind);
    $('notices').append(h('div', { class: 'note', role: 'alert', 'data-kind': kind }, h('p', {}, text),
      h('p', { class: 'actions' }, actions.map(([label, act]) => h('button', { type: 'button', onclick: act }, label)))));
  }

  #hush(kind) {
    for (const el of [...$('notices').children]) if (!kind || el.dataset.kind === kind) el.remove();
  }

  async #publish() {
    await this.#save();
    if (this.#unsaved || this.#stopped) return;
    const { t } = this.model;
    const response = await fetch(`/api/v1/templates/${encodeURIComponent(t.code)}/versions/${t.version}/publish?lang=${this.lang}`, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: '{}' });
    const answer = await response.json();
    if (response.ok) {
      location.assign(`/templates/${encodeURIComponent(t.code)}/edit?lang=${this.lang}`);
      return;
    }
    this.#tell('publish', answer.detail || answer.title, []);
    if (answer.errors) this.checked(answer.errors);
    $('problems').scrollIntoView({ block: 'nearest' });
  }

  /** Takes in the problems that the server found. */
  checked(problems) {
    this.problems = problems;
    const errors = problems.filter((p) => p.severity === 'error').length;
    $('problem-count').textContent = errors ? this.say('editor.n_errors', { count: errors }) : this.say('editor.no_errors');
    $('problem-count').className = errors ? 'problem' : 'quiet';
    fill($('problem-list'), problems.map((p) => h('li', { class: p.severity }, h('button', { type: 'button', class: 'link', onclick: () => this.#goTo(p) },
      p.item && [h('code', {}, p.item), ' '], p.message, p.suggestion && [' ', this.say('editor.did_you_mean', { value: p.suggestion })]))));
    this.outline.mark();
    this.#refreshFieldProblems();
  }

  // Problems come and go beside the fields without the fields being drawn anew:
  // whoever types keeps the focus.
  #refreshFieldProblems() {
    for (const box of $('panel').querySelectorAll('.field-problems[data-columns]')) {
      const columns = box.dataset.columns.split(' ').filter(Boolean);
      if (columns.length) fill(box, this.fields.beside(...columns));
    }
    if (this.tab !== 'items') return;
    const general = $('panel').querySelector('.item-problems');
    if (general) fill(general, this.#others().map((p) => h('p', { class: p.severity === 'error' ? 'problem' : 'quiet' }, p.message)));
  }

  #ofSelected() {
    const item = this.model.at(this.selected);
    return item ? this.problems.filter((p) => {
      const place = this.model.place(p);
      return place.tab === 'items' && place.path && this.model.at(place.path) === item;
    }) : [];
  }

  #column(p) { return (p.column ?? '').split(/::?/)[0]; }

  #problemsOf(columns) { return this.tab === 'items' ? this.#ofSelected().filter((p) => columns.includes(this.#column(p))) : []; }

  // What has no field of its own stands above the panel.
  #others() {
    const known = new Set([...$('panel').querySelectorAll('.field-problems[data-columns]')].flatMap((b) => b.dataset.columns.split(' ')));
    return this.#ofSelected().filter((p) => !known.has(this.#column(p)));
  }

  #goTo(p) {
    const place = this.model.place(p);
    if (place.tab === 'items' && place.path) this.selected = place.path;
    if (place.list) this.openList = place.list;
    this.open(place.tab);
    const field = $('panel').querySelector(`.field-problems[data-columns~="${CSS.escape(this.#column(p))}"]`)?.parentElement;
    const rows = place.index >= 0 ? $('panel').querySelectorAll(place.list ? `[data-list="${CSS.escape(place.list)}"] > div > .entries > .entry` : '.entries > .entry') : [];
    const target = field ?? rows[place.index] ?? $('panel');
    for (let el = target; el; el = el.parentElement) if (el.tagName === 'DETAILS') el.open = true;
    target.scrollIntoView({ block: 'center' });
    target.querySelector('input, select, textarea')?.focus({ preventScroll: true });
  }

  open(tab) {
    this.tab = tab;
    for (const t of tabs) {
      $(`tab-${t}`).setAttribute('aria-selected', String(t === tab));
      $(`tab-${t}`).tabIndex = t === tab ? 0 : -1;
    }
    this.#panel();
    this.outline.mark();
  }

  select(path) {
    this.selected = path;
    if (this.tab !== 'items') this.open('items');
    else { this.#panel(); this.outline.mark(); }
  }

  /** Draws everything anew after the tree has changed. */
  redraw() {
    this.outline.draw();
    this.#panel();
    this.preview.draw();
  }

  moved(path) {
    this.selected = path;
    this.redraw();
    this.outline.focus();
  }

  add(kind = 'select_one') {
    const t = this.model.t;
    const taken = this.model.names();
    const item = { name: freeName(kind === 'group' ? 'section' : 'item', taken), kind, label: {} };
    if (kind === 'group') item.items = [];
    if (chooses(kind)) item.list = t.lists[0]?.name ?? this.panels.newList(item.name);
    const at = this.model.at(this.selected);
    this.selected = this.model.insert(item, this.selected, at?.kind === 'group' && kind !== 'group');
    this.tab = 'items';
    this.redraw();
    this.open('items');
    this.focusPanel();
  }

  focusPanel() { $('panel').querySelector('input, textarea, select')?.focus(); }

  #panel() {
    const { say } = this;
    $('panel').setAttribute('aria-labelledby', `tab-${this.tab}`);
    const item = this.model.at(this.selected);
    const draw = {
      items: () => (item ? [h('div', { class: 'item-problems field-problems' }), this.panels.item(item)] : h('p', { class: 'empty' }, say('editor.select_item'))),
      lists: () => this.panels.lists(),
      scoring: () => this.panels.scoring(),
      checks: () => this.panels.checks(),
      settings: () => this.panels.settings(),
      cases: () => this.#cases(),
    }[this.tab];
    fill($('panel'), draw());
    this.#refreshFieldProblems();
  }

  #cases() {
    const { say, model } = this;
    const cases = (model.t.cases ??= []);
    return h('div', { class: 'panel' }, h('h2', {}, say('editor.cases')), h('p', { class: 'quiet' }, say('editor.cases_hint')),
      cases.length === 0 && h('p', { class: 'empty' }, say('editor.no_cases')),
      this.fields.rows(cases, {
        make: () => ({ name: say('editor.case_n', { n: cases.length + 1 }), answers: {}, unit: {}, total: '' }), add: say('editor.add_case'), name: (c) => c.name,
        draw: (c) => {
          const result = h('p', { role: 'status', class: 'quiet' });
          const caps = { codes: (c.caps ?? []).join(', ') };
          this.#runCase(c, result);
          return [h('div', { class: 'two' }, this.fields.text(c, 'name', say('editor.case_name'), { columns: [] }),
            h('div', { class: 'field' }, h('button', { type: 'button', onclick: () => { this.preview.load(c.answers, c.unit); $('preview').scrollIntoView({ block: 'nearest' }); } }, say('editor.load_case')))),
          h('div', { class: 'two' }, this.fields.text(c, 'total', say('editor.case_total'), { columns: [] }),
            this.fields.select(c, 'band', say('editor.case_band'), (model.t.scheme?.bands ?? []).map((b) => [b.code, b.label?.[this.lang] || b.code]), { columns: [], empty: say('editor.none') })),
          this.fields.text(caps, 'codes', say('editor.case_caps'), { columns: [], after: () => { c.caps = (caps.codes ?? '').split(/[\s,]+/).filter(Boolean); } }), result];
        },
      }));
  }

  async #runCase(c, out) {
    try {
      const response = await fetch(`/api/v1/templates/try?lang=${this.lang}`, {
        method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ template: this.model.t, answers: c.answers, unit: c.unit ?? {} }),
      });
      const { score } = await response.json();
      if (!score) { out.textContent = this.say('editor.preview_broken'); return; }
      const right = score.total === c.total && (score.band || '') === (c.band ?? '') && score.caps.join() === (c.caps ?? []).join();
      out.className = right ? 'right' : 'problem';
      out.textContent = right ? this.say('editor.case_right') : this.say('editor.case_wrong', { got: [score.total || '–', score.band, score.caps.join(', ')].filter(Boolean).join(' · ') });
    } catch {
      out.textContent = this.say('editor.offline');
    }
  }
}

new Editor();
