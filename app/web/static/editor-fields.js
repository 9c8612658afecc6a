// The fields of the editor: each shows one thing of the template and writes
// what is typed straight back into it.
import { h, fill, uniqueID } from './dom.js';

/** What all fields share: the model, the words, and how problems are shown. */
export class Fields {
  constructor({ model, say, languages, problemsOf, redraw }) {
    Object.assign(this, { model, say, languages, problemsOf, redraw });
  }

  /** Sets a property of something in the template; empty values are left out. */
  set(key, of, name, value) {
    this.model.change(key, () => {
      if (value === '' || value === null || value === undefined || value === false) delete of[name];
      else of[name] = value;
    });
  }

  /** Problems of the fields with one of these columns, to stand beside the field. */
  beside(...columns) {
    return this.problemsOf(columns).map((p) => h('p', { class: p.severity === 'error' ? 'problem' : 'quiet' }, p.message, p.suggestion && [' ', this.say('editor.did_you_mean', { value: p.suggestion })]));
  }

  wrap(label, control, columns, hint) {
    const id = control.id || uniqueID('field');
    control.id = id;
    const problems = h('div', { class: 'field-problems', 'data-columns': columns.join(' '), id: `${id}-problems` }, this.beside(...columns));
    control.setAttribute('aria-describedby', `${id}-problems`);
    return h('div', { class: 'field' }, h('label', { for: id }, label), control, hint && h('p', { class: 'quiet' }, hint), problems);
  }

  text(of, name, label, { columns = [name], hint, wide, expression, transform = (v) => v, after } = {}) {
    const input = h(wide ? 'textarea' : 'input', {
      value: of[name] ?? '', type: wide ? undefined : 'text', rows: wide ? 2 : undefined, spellcheck: expression ? 'false' : undefined,
      autocomplete: 'off', class: expression ? 'expression' : undefined,
      oninput: (e) => { this.set(`${label}/${name}`, of, name, transform(e.target.value)); after?.(); },
    });
    return this.wrap(label, input, columns, hint);
  }

  number(of, name, label, { columns = [name], hint, step = 'any', min } = {}) {
    const input = h('input', {
      type: 'number', inputmode: 'decimal', step, min, value: of[name] ?? '',
      oninput: (e) => this.set(`${label}/${name}`, of, name, e.target.value === '' ? null : Number(e.target.value)),
    });
    return this.wrap(label, input, columns, hint);
  }

  check(of, name, label, hint) {
    const id = uniqueID('field');
    return h('div', { class: 'field tick' },
      h('input', { id, type: 'checkbox', checked: Boolean(of[name]), onchange: (e) => this.set('', of, name, e.target.checked) }),
      h('label', { for: id }, label), hint && h('p', { class: 'quiet' }, hint));
  }

  select(of, name, label, options, { columns = [name], hint, after, empty } = {}) {
    const known = options.some(([v]) => v === (of[name] ?? ''));
    const input = h('select', { value: of[name] ?? '', onchange: (e) => { this.set('', of, name, e.target.value); after?.(); } },
      empty !== undefined && h('option', { value: '' }, empty),
      options.map(([value, text]) => h('option', { value }, text)),
      !known && of[name] && h('option', { value: of[name] }, of[name]));
    return this.wrap(label, input, columns, hint);
  }

  /** A text in every language of the template, side by side. */
  texts(of, name, label, { columns = [name], wide, after, hint } = {}) {
    const id = uniqueID('texts');
    return h('fieldset', { class: 'texts' }, h('legend', {}, label), hint && h('p', { class: 'quiet' }, hint),
      h('div', { class: 'languages' }, this.languages().map((lang) => h('div', { class: 'language' },
        h('label', { for: `${id}-${lang}`, class: 'tag' }, lang),
        h(wide ? 'textarea' : 'input', {
          id: `${id}-${lang}`, lang, type: wide ? undefined : 'text', rows: wide ? 2 : undefined, value: of[name]?.[lang] ?? '', 'aria-label': `${label} (${lang})`,
          oninput: (e) => {
            this.model.change(`${label}/${name}/${lang}`, () => {
              const texts = (of[name] ??= {});
              if (e.target.value === '') delete texts[lang];
              else texts[lang] = e.target.value;
              if (Object.keys(texts).length === 0) delete of[name];
            });
            after?.(lang);
          },
        })))),
      h('div', { class: 'field-problems', 'data-columns': columns.join(' ') }, this.beside(...columns)));
  }

  /**
   * A table of the things on a list (choices, bands, steps ...): a card for
   * each, which can be moved and removed, and a button that adds one.
   */
  rows(list, { make, draw, add, name, problemsAt }) {
    const box = h('ol', { class: 'entries' });
    const show = () => fill(box, list.map((entry, i) => h('li', { class: 'entry' },
      h('div', { class: 'entry-fields' }, draw(entry, i),
        problemsAt && h('div', { class: 'field-problems' }, problemsAt(i).map((p) => h('p', { class: p.severity === 'error' ? 'problem' : 'quiet' }, p.message)))),
      h('div', { class: 'entry-tools' },
        h('button', { type: 'button', class: 'small', disabled: i === 0, 'aria-label': this.say('editor.up_of', { name: name(entry) }), onclick: () => shift(i, i - 1) }, '↑'),
        h('button', { type: 'button', class: 'small', disabled: i === list.length - 1, 'aria-label': this.say('editor.down_of', { name: name(entry) }), onclick: () => shift(i, i + 1) }, '↓'),
        h('button', { type: 'button', class: 'small', 'aria-label': this.say('editor.remove_of', { name: name(entry) }), onclick: () => { this.model.change('', () => list.splice(i, 1)); show(); } }, '✕')))));
    const shift = (from, to) => {
      this.model.change('', () => list.splice(to, 0, ...list.splice(from, 1)));
      show();
      box.children[to]?.querySelector('.entry-tools button:not(:disabled)')?.focus();
    };
    show();
    return h('div', {}, box, h('button', {
      type: 'button', class: 'small',
      onclick: () => {
        this.model.change('', () => list.push(make()));
        show();
        box.lastElementChild?.querySelector('input, select, textarea')?.focus();
      },
    }, '+ ', add));
  }
}
