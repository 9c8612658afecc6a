// The form on the screen. The engine knows what is asked and what is wrong; this
// draws it, item by item, and draws anew only what has changed.
import { h, fill, uniqueID } from './dom.js';
import * as store from './phone-store.js';

const chooses = (kind) => kind === 'select_one' || kind === 'select_multiple' || kind === 'rubric';

/** One open form. */
export class FormView {
  #parts = new Map(); // from path to {el, refresh}
  #touched = new Set();
  #all = false; // problems of untouched items are shown too
  #section = 0;
  #built = new Set(); // sections whose items are in the page
  #url = new Map(); // of photos that are shown

  /**
   * app: {say, lang}; options: {engine, draft, title, place, whole, showScore,
   * changed(names), send(), back()}. locked: nothing can be changed.
   */
  constructor(app, options) {
    Object.assign(this, { app, say: app.say, ...options });
    this.items = this.engine.form.items;
    this.children = new Map();
    this.items.forEach((item, slot) => {
      const up = item.in ?? -1;
      if (!this.children.has(up)) this.children.set(up, []);
      this.children.get(up).push(slot);
    });
    // A section is a group at the top; what stands before or between is put
    // together into sections without a heading; mere notes go with what follows.
    this.sections = [];
    for (const slot of this.children.get(-1) ?? []) {
      const before = this.sections.at(-1);
      if (this.items[slot].kind === 'group' && before && before.slot === undefined && before.slots.every((s) => this.items[s].kind === 'note')) Object.assign(before, { slot, slots: [...before.slots, slot] });
      else if (this.items[slot].kind === 'group') this.sections.push({ slot, slots: [slot] });
      else if (this.sections.length && this.sections.at(-1).slot === undefined) this.sections.at(-1).slots.push(slot);
      else this.sections.push({ slots: [slot] });
    }
  }

  draw(box) {
    const { say } = this;
    this.box = box;
    this.#parts.clear();
    this.#built.clear();
    this.bar = h('progress', { 'aria-label': say('phone.progress') });
    this.count = h('span', { class: 'quiet' });
    this.missing = h('button', { type: 'button', class: 'small', onclick: () => this.showMissing() });
    this.live = h('p', { class: 'live-score', 'aria-live': 'polite' });
    this.list = h('section', { class: 'missing', hidden: true, 'aria-live': 'polite' });
    this.body = h('form', { class: 'q-form', novalidate: true, onsubmit: (e) => { e.preventDefault(); this.next(); } }, this.sections.map((s, i) => h('section', { class: 'q-section', 'data-section': i })));
    this.nav = h('nav', { class: 'q-nav', 'aria-label': say('phone.sections') });
    fill(box,
      h('p', {}, h('a', { href: '/visits', onclick: (e) => { e.preventDefault(); this.back(); } }, '← ', say('phone.visits'))),
      h('h1', {}, this.place), h('p', { class: 'quiet' }, this.title),
      this.comment && h('div', { class: 'note', role: 'note' }, h('b', {}, say('phone.returned_because')), ' ', this.comment),
      this.locked && h('p', { class: 'note' }, say('phone.locked')),
      h('div', { class: 'q-top' }, this.bar, this.count, this.missing), this.list, this.body, this.live, this.nav);
    this.show(this.#section);
    this.#settle();
    if (this.whole) this.#buildOn(this.body);
  }

  // A section is built when it is first shown: a cheap phone takes a second to
  // build a long form, and who opens one wants to see its beginning.
  #build(i) {
    if (this.#built.has(i)) return;
    this.#built.add(i);
    const known = new Set(this.#parts.keys());
    const el = this.body.children[i];
    fill(el, this.sections[i].slots.map((slot) => this.#node(slot, '')));
    if (this.locked) for (const field of el.querySelectorAll('input, select, textarea, button')) field.disabled = true;
    for (const [path, part] of [...this.#parts]) if (!known.has(path)) part.refresh();
    this.#settleGroups();
  }

  // Where the whole form is on one page, the rest follows bit by bit.
  #buildOn(body) {
    const next = this.sections.findIndex((_, i) => !this.#built.has(i));
    if (next < 0) return;
    setTimeout(() => {
      if (this.body !== body || !body.isConnected) return;
      this.#build(next);
      this.#buildOn(body);
    });
  }

  // --- building ---------------------------------------------------------------

  #path(base, slot) { return base + this.items[slot].name; }

  #node(slot, base) {
    const item = this.items[slot];
    const path = this.#path(base, slot);
    if (item.kind === 'group') return this.#group(slot, base, path);
    if (item.kind === 'repeat') return this.#repeat(slot, path);
    return this.#item(item, path);
  }

  #group(slot, base, path) {
    const legend = h('legend', {});
    const hint = h('p', { class: 'quiet' });
    const el = h('fieldset', { class: 'q-group' }, legend, hint, (this.children.get(slot) ?? []).map((child) => this.#node(child, base)));
    this.#parts.set(path, {
      el, group: true,
      refresh: () => {
        const is = this.engine.get(path);
        legend.textContent = is.label || '';
        hint.textContent = is.hint ?? '';
        hint.hidden = !is.hint;
        el.dataset.off = String(!is.relevant);
      },
    });
    return el;
  }

  #repeat(slot, path) {
    const { say } = this;
    const legend = h('legend', {});
    const hint = h('p', { class: 'quiet' });
    const rows = h('div', {});
    const add = h('button', { type: 'button', onclick: () => this.#rowsChanged(path, () => this.engine.addRow(path), true) }, '+ ', say('phone.add_row'));
    const el = h('fieldset', { class: 'q-group q-repeat' }, legend, hint, rows, add);
    const drawRows = () => {
      for (const key of [...this.#parts.keys()]) if (key.startsWith(`${path}/`)) this.#parts.delete(key);
      fill(rows, Array.from({ length: this.engine.get(path).rows }, (_, i) => h('div', { class: 'q-row', role: 'group', 'aria-label': `${legend.textContent} ${i + 1}` },
        h('div', { class: 'q-row-head' }, h('b', {}, String(i + 1)), h('button', { type: 'button', class: 'small', onclick: () => this.#rowsChanged(path, () => this.engine.removeRow(path, i)) }, say('phone.remove_row'))),
        (this.children.get(slot) ?? []).map((child) => this.#node(child, `${path}/${i}/`)))));
      for (const [key, part] of this.#parts) if (key.startsWith(`${path}/`)) part.refresh();
    };
    this.#parts.set(path, {
      el, drawRows,
      refresh: () => {
        const is = this.engine.get(path);
        legend.textContent = is.label || '';
        hint.textContent = is.hint ?? '';
        hint.hidden = !is.hint;
        el.hidden = !is.relevant;
        if (rows.childElementCount !== is.rows) drawRows();
      },
    });
    return el;
  }

  #rowsChanged(path, act, focus = false) {
    const changed = act();
    const part = this.#parts.get(path);
    part.drawRows();
    part.refresh();
    this.#changed(path, changed);
    if (focus) part.el.querySelector('.q-row:last-child input, .q-row:last-child textarea, .q-row:last-child select')?.focus();
  }

  #item(item, path) {
    const { say } = this;
    const id = uniqueID('q');
    const problems = h('div', { id: `${id}-p`, class: 'q-problems', 'aria-live': 'polite' });
    const label = h(chooses(item.kind) ? 'legend' : 'label', chooses(item.kind) ? { class: 'q-label' } : { class: 'q-label', for: id });
    const hint = h('p', { class: 'quiet', id: `${id}-h` });
    const control = this.#control(item, path, id);
    const el = h(chooses(item.kind) ? 'fieldset' : 'div', { class: `q q-${item.kind}`, 'data-path': path }, label, hint, control.el, problems);
    if (item.kind === 'note' || item.kind === 'calculate') label.removeAttribute('for');
    // A note of evidence is there when it is asked for, or when one wants to add it.
    const note = item.of !== undefined;
    const more = note && h('button', { type: 'button', class: 'small link', onclick: () => { more.hidden = true; el.classList.remove('q-folded'); control.focus?.(); } }, '+ ', say('phone.add_note'));
    if (note) el.prepend(more);
    this.#parts.set(path, {
      el,
      refresh: () => {
        const is = this.engine.get(path);
        el.hidden = !is.relevant || (item.kind === 'calculate' && (!is.label || is.shown === ''));
        fill(label, is.label, is.required && !is.readonly && h('span', { class: 'q-required', title: say('phone.required') }, ' *', h('span', { class: 'unseen' }, say('phone.required'))));
        if (note) {
          const folded = !is.required && (is.value === null || is.value === '') && !more.hidden;
          el.classList.toggle('q-folded', folded);
          if (!folded) more.hidden = true;
          label.textContent = say('phone.note_for', { item: is.label });
        }
        hint.textContent = is.hint ?? '';
        hint.hidden = !is.hint;
        control.refresh(is);
        const told = this.#all || this.#touched.has(path) ? is.problems : is.problems.filter((p) => p.code !== 'answer.required' && p.code !== 'answer.evidence_required' && p.code !== 'check.failed');
        fill(problems, told.map((p) => h('p', { class: p.severity === 'error' ? 'problem' : 'quiet' }, this.words(p))));
        el.classList.toggle('q-wrong', told.some((p) => p.severity === 'error'));
        if (told.length) control.input?.setAttribute('aria-invalid', 'true'); else control.input?.removeAttribute('aria-invalid');
      },
    });
    return el;
  }

  /** What is said of a problem. */
  words(p) { return p.text || this.say(p.code, { ...p.args, value: p.value ?? '' }); }

  #set(path, value) {
    this.#touched.add(path);
    this.#changed(path, this.engine.set(path, value));
  }

  // Draws what has changed, and hands the answers on to be kept.
  #changed(path, changed) {
    for (const p of new Set([path, ...changed])) this.#parts.get(p)?.refresh();
    this.#settle();
    this.changed(path.split('/')[0]);
  }

  #control(item, path, id) {
    const { say } = this;
    const described = { 'aria-describedby': `${id}-h ${id}-p` };
    if (item.kind === 'note') return { el: '', refresh: () => {} };
    if (item.kind === 'calculate') {
      const out = h('output', { class: 'q-value' });
      return { el: out, refresh: (is) => { out.textContent = is.shown; } };
    }
    if (chooses(item.kind)) return this.#choices(item, path, id);
    if (item.kind === 'image') return this.#photo(path, id);
    if (item.kind === 'geopoint') return this.#point(path, id);
    const number = item.kind === 'integer' || item.kind === 'decimal';
    const types = { date: 'date', time: 'time', datetime: 'datetime-local' };
    const read = (v) => {
      if (v === '') return null;
      if (!number) return v;
      const n = Number(v.trim().replace(',', '.'));
      return v.trim() !== '' && Number.isFinite(n) ? n : v;
    };
    const input = types[item.kind] || number
      ? h('input', { id, type: types[item.kind] ?? 'text', inputmode: item.kind === 'integer' ? 'numeric' : number ? 'decimal' : null, autocomplete: 'off', class: number ? 'q-number' : null, readonly: item.read_only, ...described, oninput: (e) => this.#set(path, read(e.target.value)) })
      : h('textarea', { id, rows: 1, readonly: item.read_only, ...described, oninput: (e) => { grow(input); this.#set(path, e.target.value === '' ? null : e.target.value); } });
    return {
      el: input, input, focus: () => input.focus(),
      refresh: (is) => {
        if (document.activeElement === input && this.#touched.has(path)) return; // whoever types is not disturbed
        const v = is.readonly ? is.shown : is.value ?? '';
        const shown = number && typeof v === 'number' ? String(v).replace('.', this.app.lang === 'vi' ? ',' : '.') : String(v).slice(0, item.kind === 'time' ? 5 : undefined);
        if (input.value !== shown) input.value = shown;
        if (input.tagName === 'TEXTAREA') grow(input);
      },
    };
  }

  // The choices that are offered may depend on other answers, so they are drawn
  // anew when they are others.
  #choices(item, path, id) {
    const many = item.kind === 'select_multiple';
    const { say } = this;
    const all = this.engine.get(path).choices ?? [];
    let offered = '';
    if (!many && item.kind === 'select_one' && (all.length > 12 || /\bminimal\b/.test(item.appearance ?? ''))) {
      const input = h('select', { id, 'aria-describedby': `${id}-h ${id}-p`, onchange: (e) => this.#set(path, e.target.value || null) });
      return {
        el: input, input,
        refresh: (is) => {
          const key = (is.choices ?? []).map((c) => c.name).join(' ');
          if (key !== offered || !input.options.length) fill(input, h('option', { value: '' }, '…'), (is.choices ?? []).map((c) => h('option', { value: c.name }, c.label)));
          offered = key;
          input.value = is.value ?? '';
        },
      };
    }
    let boxes = [];
    const clear = !many && h('button', { type: 'button', class: 'small link', onclick: () => { this.#set(path, null); boxes[0]?.input.focus(); } }, say('phone.clear'));
    const list = h('div', { class: 'q-choices' });
    const drawn = (choices) => {
      boxes = choices.map((c) => {
        const input = h('input', {
          type: many ? 'checkbox' : 'radio', name: id, value: c.name, disabled: Boolean(item.read_only || this.locked),
          onchange: () => {
            if (!many) return this.#set(path, c.name);
            return this.#set(path, boxes.filter((box) => box.input.checked).map((box) => box.input.value));
          },
        });
        return { input, el: h('label', { class: `q-choice${c.means ? ' q-means' : ''}` }, input, h('span', {}, h('span', { class: 'q-choice-label' }, c.label), c.anchor && h('span', { class: 'quiet anchor' }, c.anchor))) };
      });
      fill(list, boxes.map((box) => box.el), clear);
    };
    drawn(all);
    offered = all.map((c) => c.name).join(' ');
    return {
      el: list,
      refresh: (is) => {
        const key = (is.choices ?? []).map((c) => c.name).join(' ');
        if (key !== offered) drawn(is.choices ?? []);
        offered = key;
        const chosen = new Set(many ? [is.value].flat().filter(Boolean).flatMap((v) => String(v).split(' ')) : [is.value]);
        for (const box of boxes) if (box.input.checked !== chosen.has(box.input.value)) box.input.checked = chosen.has(box.input.value);
        if (clear) clear.hidden = is.value === null || is.value === '' || Boolean(this.locked);
      },
    };
  }

  #photo(path, id) {
    const { say } = this;
    const input = h('input', {
      id, type: 'file', accept: 'image/*', capture: 'environment',
      onchange: async (e) => {
        const [file] = e.target.files;
        if (!file) return;
        said.textContent = say('phone.photo_wait');
        try {
          const { takePhoto } = await import('./phone-photos.js'); // is on the phone, but few forms need it
          this.#set(path, await takePhoto(this.draft, path, file));
        } catch (err) {
          said.textContent = say('phone.photo_failed', { why: err.message });
        }
      },
    });
    const said = h('p', { class: 'quiet', 'aria-live': 'polite' });
    const picture = h('img', { class: 'q-picture', alt: '', hidden: true });
    const remove = h('button', { type: 'button', class: 'small', hidden: true, onclick: () => { this.#set(path, null); input.value = ''; } }, say('phone.photo_remove'));
    return {
      el: h('div', {}, input, said, picture, remove), input,
      refresh: async (is) => {
        remove.hidden = !is.value || Boolean(this.locked);
        picture.hidden = true;
        said.textContent = is.value ? say('phone.photo_kept') : '';
        if (!is.value) return;
        const found = (await store.photos(this.draft)).find((p) => p.name === is.value);
        if (!found) return;
        if (!this.#url.has(found.name)) this.#url.set(found.name, URL.createObjectURL(found.blob));
        picture.src = this.#url.get(found.name);
        picture.hidden = false;
        said.textContent = say('phone.photo_size', { size: Math.round(found.size / 1024) });
      },
    };
  }

  #point(path, id) {
    const { say } = this;
    const out = h('output', { class: 'q-value' });
    const button = h('button', {
      id, type: 'button',
      onclick: () => {
        out.textContent = say('phone.point_wait');
        navigator.geolocation.getCurrentPosition(
          ({ coords: c }) => this.#set(path, [c.latitude.toFixed(6), c.longitude.toFixed(6), (c.altitude ?? 0).toFixed(1), c.accuracy.toFixed(1)].join(' ')),
          (err) => { out.textContent = say('phone.point_failed', { why: err.message }); },
          { enableHighAccuracy: true, timeout: 30000 });
      },
    }, say('phone.point_take'));
    return { el: h('div', {}, button, ' ', out), input: button, refresh: (is) => { out.textContent = is.shown ?? ''; },
    };
  }

  // --- showing ----------------------------------------------------------------

  refreshAll() {
    for (const part of [...this.#parts.values()]) part.refresh();
    this.#settle();
  }

  /** Another tab has changed an answer. */
  take(name, value) {
    const changed = this.engine.set(name, value);
    const part = this.#parts.get(name);
    part?.drawRows?.();
    for (const p of new Set([name, ...changed])) this.#parts.get(p)?.refresh();
    this.#settle();
  }

  // Progress, score, groups without anything to ask.
  #settle() {
    const { answered, asked } = this.engine.progress();
    this.bar.max = Math.max(1, asked);
    this.bar.value = answered;
    this.count.textContent = `${answered} / ${asked}`;
    const wrong = this.engine.problems().filter((p) => p.severity === 'error').length;
    this.missing.textContent = wrong ? this.say('phone.missing', { count: wrong }) : this.say('phone.complete');
    this.#settleGroups();
    if (this.showScore) {
      const s = this.engine.score();
      const band = s?.band && this.engine.text(this.engine.form.scheme.bands.find((b) => b.code === s.band)?.label);
      this.live.textContent = s && s.total !== null && s.total !== undefined && s.total !== '' ? this.say('phone.score', { total: points(s.total, this.app.lang), band: band ?? '' }) : this.say('phone.score_later');
    }
    if (!this.list.hidden) this.#drawMissing();
    if (this.nav.childElementCount) this.#drawNav();
  }

  #settleGroups() {
    for (const [, part] of this.#parts) if (part.group) part.el.hidden = part.el.dataset.off === 'true' || !part.el.querySelector('.q:not([hidden]), .q-repeat:not([hidden])');
  }

  show(i) {
    this.#section = Math.max(0, Math.min(i, this.sections.length - 1));
    this.#build(this.#section);
    for (const [n, el] of [...this.body.children].entries()) el.hidden = !this.whole && n !== this.#section;
    this.#drawNav();
    if (this.whole) return;
    scrollTo({ top: 0 });
  }

  #drawNav() {
    const { say } = this;
    const last = this.whole || this.#section === this.sections.length - 1;
    fill(this.nav,
      !this.whole && this.#section > 0 && h('button', { type: 'button', onclick: () => this.show(this.#step(-1)) }, '← ', say('phone.back')),
      !this.whole && h('span', { class: 'quiet' }, say('phone.section_of', { n: this.#section + 1, of: this.sections.length })),
      !last && h('button', { type: 'button', class: 'primary', onclick: () => this.next() }, say('phone.next'), ' →'),
      last && !this.locked && h('button', { type: 'button', class: 'primary', onclick: () => this.#send() }, say('phone.send')));
  }

  // The next section with something to ask.
  #step(by) {
    let i = this.#section + by;
    for (; i > 0 && i < this.sections.length - 1; i += by) {
      this.#build(i);
      if (this.body.children[i].querySelector('.q:not([hidden])')) break;
    }
    return i;
  }

  next() {
    if (this.whole || this.#section === this.sections.length - 1) return;
    this.show(this.#step(1));
    this.body.children[this.#section].querySelector('input, textarea, select')?.focus({ preventScroll: true });
  }

  showMissing() {
    this.#all = true;
    this.list.hidden = !this.list.hidden;
    this.refreshAll();
    if (!this.list.hidden) this.list.scrollIntoView({ block: 'start' });
  }

  #drawMissing() {
    const { say } = this;
    const wrong = this.engine.problems().filter((p) => p.severity === 'error');
    fill(this.list, h('h2', {}, wrong.length ? say('phone.missing_title') : say('phone.complete')), h('ul', {}, wrong.map((p) => h('li', {}, h('button', { type: 'button', class: 'link', onclick: () => this.jump(p.path) },
      h('b', {}, this.engine.label(p.path) || p.path), ' — ', this.words(p))))));
  }

  /** Goes to an item, whatever section it is in. */
  jump(path) {
    this.#build(this.#sectionOf(path));
    const el = this.#parts.get(path)?.el;
    if (!el) return;
    const section = el.closest('.q-section');
    this.list.hidden = true;
    if (section && !this.whole) this.show(Number(section.dataset.section));
    el.scrollIntoView({ block: 'center' });
    el.querySelector('input, textarea, select, button')?.focus({ preventScroll: true });
  }

  #sectionOf(path) {
    let slot = this.items.findIndex((item) => item.name === path.split('/')[0]);
    while (slot >= 0 && this.items[slot].in !== undefined) slot = this.items[slot].in;
    return Math.max(0, this.sections.findIndex((s) => s.slots.includes(slot)));
  }

  #send() {
    const wrong = this.engine.problems().filter((p) => p.severity === 'error');
    if (wrong.length === 0) { this.send(); return; }
    this.#all = true;
    this.list.hidden = false;
    this.refreshAll();
    this.list.scrollIntoView({ block: 'start' });
    this.list.querySelector('button')?.focus({ preventScroll: true });
  }
}

const grows = CSS.supports('field-sizing', 'content');

function grow(area) {
  if (grows) return;
  area.style.height = 'auto';
  area.style.height = `${area.scrollHeight + 2}px`;
}

function points(v, lang) {
  const s = typeof v === 'number' ? (v / 100).toFixed(2) : String(v);
  return lang === 'vi' ? s.replace('.', ',') : s;
}
