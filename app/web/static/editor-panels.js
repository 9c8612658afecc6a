// The panels of the editor: one item, the choice lists, scoring, checks, settings.
import { h } from './dom.js';
import { conditionField } from './editor-conditions.js';
import { chooses, freeName, holdsItems } from './editor-model.js';

/** The panels; ed is the editor (model, fields, say, lang, kinds ...). */
export class Panels {
  constructor(ed) { this.ed = ed; }

  condition(of, name, label, { columns = [name], hint, except } = {}) {
    const { model, say, lang } = this.ed;
    return conditionField({
      label, hint, say, value: of[name] ?? '', items: model.askable(lang).filter((i) => i.name !== except),
      changed: (text) => this.ed.fields.set(`${name}/condition`, of, name, text),
      problems: h('div', { class: 'field-problems', 'data-columns': columns.join(' ') }, this.ed.fields.beside(...columns)),
    });
  }

  expression(of, name, label, options = {}) {
    return this.ed.fields.text(of, name, label, { expression: true, ...options });
  }

  item(item) {
    const { fields: f, say, model, kinds } = this.ed;
    const outline = () => this.ed.outline.relabel(item);
    const kind = item.kind;
    const group = holdsItems(kind);
    return h('div', { class: 'panel' },
      h('div', { class: 'two' },
        f.text(item, 'name', say('editor.name'), { hint: say('editor.name_hint'), transform: (v) => v.trim(), after: outline }),
        f.select(item, 'kind', say('editor.kind'), kinds.map((k) => [k, say(`editor.kind_${k}`)]), { columns: ['type', 'kind'], after: () => this.kindChanged(item) })),
      f.texts(item, 'label', say('editor.label'), { wide: kind === 'note', after: outline }),
      f.texts(item, 'hint', say('editor.hint')),
      chooses(kind) && this.choices(item),
      kind === 'calculate' && this.expression(item, 'calculation', say('editor.calculation'), { hint: say('editor.calculation_hint'), wide: true }),
      kind === 'repeat' && this.expression(item, 'repeat_count', say('editor.repeat_count')),
      h('details', { open: Boolean(item.relevant || item.required || item.constraint || item.default || item.read_only) },
        h('summary', {}, say('editor.logic')),
        this.condition(item, 'relevant', say('editor.relevant'), { columns: ['relevant', 'relevance'], hint: say('editor.relevant_hint'), except: item.name }),
        !group && kind !== 'note' && kind !== 'calculate' && [
          this.required(item),
          f.texts(item, 'required_message', say('editor.required_message')),
          this.expression(item, 'constraint', say('editor.constraint'), { hint: say('editor.constraint_hint') }),
          f.texts(item, 'constraint_message', say('editor.constraint_message')),
          this.expression(item, 'default', say('editor.default')),
          f.check(item, 'read_only', say('editor.read_only')),
        ]),
      model.t.scheme && kind !== 'note' && this.itemScoring(item),
      h('details', { open: Boolean(item.applies || item.appearance || item.parameters || item.role || item.tags_list || item.was) },
        h('summary', {}, say('editor.more')),
        this.expression(item, 'applies', say('editor.applies'), { hint: say('editor.applies_hint') }),
        f.select(item, 'role', say('editor.item_role'), ['strength', 'shortcoming', 'recommendation', 'tags', 'text', 'cause', 'share', 'owner', 'due'].map((r) => [r, say(`editor.item_role_${r}`)]), { empty: say('editor.none') }),
        kind === 'repeat' && f.select(item, 'tags_list', say('editor.tags_list'), model.t.lists.map((l) => [l.name, l.name]), { empty: say('editor.none') }),
        f.text(item, 'appearance', say('editor.appearance')),
        f.text(item, 'parameters', say('editor.parameters')),
        model.t.version > 1 && f.text(item, 'was', say('editor.was'), { hint: say('editor.was_hint') })),
    );
  }

  kindChanged(item) {
    const { model } = this.ed;
    model.change('', () => {
      if (chooses(item.kind) && !model.list(item.list)) item.list = this.newList(item.name);
      if (!chooses(item.kind)) delete item.list;
      if (holdsItems(item.kind)) item.items ??= [];
    });
    this.ed.redraw();
  }

  newList(wanted) {
    const { model } = this.ed;
    const name = freeName(wanted, new Set(model.t.lists.map((l) => l.name)));
    model.t.lists.push({ name, choices: [] });
    return name;
  }

  required(item) {
    const { say, model } = this.ed;
    const now = !item.required ? 'no' : /^(true\(\)|yes)$/.test(item.required) ? 'yes' : 'when';
    return h('div', {},
      this.ed.fields.wrap(say('editor.required'), h('select', {
        value: now,
        onchange: (e) => {
          model.change('', () => {
            if (e.target.value === 'no') delete item.required;
            else item.required = e.target.value === 'yes' ? 'true()' : '';
          });
          if (e.target.value === 'when') item.required = "''"; // until a condition is written
          this.ed.redraw();
        },
      }, h('option', { value: 'no' }, say('editor.no')), h('option', { value: 'yes' }, say('editor.yes')), h('option', { value: 'when' }, say('editor.when'))), ['required']),
      now === 'when' && this.condition(item, 'required', say('editor.required_when'), { except: item.name }));
  }

  itemScoring(item) {
    const { fields: f, say } = this.ed;
    const group = item.kind === 'group';
    if (item.kind === 'repeat') return null;
    return h('details', { open: item.points !== undefined || Boolean(item.steps?.length) },
      h('summary', {}, say('editor.scoring')),
      f.number(item, 'points', group ? say('editor.points_of_section') : say('editor.points'), { min: 0, hint: group ? say('editor.points_of_section_hint') : say('editor.points_hint') }),
      !group && [
        !chooses(item.kind) && h('fieldset', {}, h('legend', {}, say('editor.steps')), h('p', { class: 'quiet' }, say('editor.steps_hint')),
          f.rows(this.listOf(item, 'steps'), {
            make: () => ({ when: '', points: '' }), add: say('editor.add_step'), name: (s) => s.when,
            draw: (s) => h('div', { class: 'two' }, f.text(s, 'when', say('editor.step_when'), { columns: [], expression: true }), f.text(s, 'points', say('editor.points'), { columns: [], expression: true })),
          }),
          h('div', { class: 'field-problems', 'data-columns': 'steps' }, f.beside('steps'))),
        f.select(item, 'na', say('editor.na'), ['rescale', 'full', 'zero'].map((v) => [v, say(`editor.na_${v}`)]), { empty: say('editor.na_of_scheme') }),
        f.check(item, 'reverse', say('editor.reverse'), say('editor.reverse_hint')),
        f.check(item, 'bonus', say('editor.bonus'), say('editor.bonus_hint')),
        this.expression(item, 'evidence', say('editor.evidence'), { hint: say('editor.evidence_hint') }),
      ]);
  }

  /** A list that is made when something is first put on it. */
  listOf(of, name) {
    return (of[name] ??= []);
  }

  choices(item) {
    const { fields: f, say, model } = this.ed;
    const list = model.list(item.list);
    const uses = list ? model.uses(list.name) : 0;
    return h('fieldset', {}, h('legend', {}, say('editor.choices')),
      h('div', { class: 'two' },
        f.select(item, 'list', say('editor.list'), model.t.lists.map((l) => [l.name, l.name]), { columns: ['list', 'list_name'], after: () => this.ed.redraw() }),
        h('div', { class: 'field' }, h('button', {
          type: 'button',
          onclick: () => { model.change('', () => { item.list = this.newList(item.name); }); this.ed.redraw(); },
        }, say('editor.new_list')))),
      uses > 1 && h('p', { class: 'note' }, say('editor.list_shared', { count: uses })),
      list && this.choiceRows(list, item.kind === 'rubric'));
  }

  choiceRows(list, rubric) {
    const { fields: f, say, model } = this.ed;
    const first = () => {
      let n = 0;
      for (const l of model.t.lists) {
        if (l === list) return n;
        n += l.choices.length;
      }
      return n;
    };
    return f.rows(list.choices, {
      add: rubric ? say('editor.add_level') : say('editor.add_choice'),
      name: (c) => c.label?.[this.ed.lang] || c.name,
      make: () => ({ name: freeName(rubric ? `L${list.choices.length}` : 'choice', new Set(list.choices.map((c) => c.name))), label: {} }),
      problemsAt: (i) => this.ed.problems.filter((p) => p.sheet === 'choices' && p.row === first() + i + 1),
      draw: (c) => [
        h('div', { class: 'three' },
          f.text(c, 'name', say('editor.choice_name'), { columns: [], transform: (v) => v.trim() }),
          model.t.scheme && f.number(c, 'points', say('editor.points'), { columns: [] }),
          f.select(c, 'means', say('editor.means'), ['na', 'not_observed'].map((v) => [v, say(`editor.means_${v}`)]), { columns: [], empty: say('editor.means_itself') })),
        f.texts(c, 'label', say('editor.label'), { columns: [] }),
        (rubric || c.anchor) && f.texts(c, 'anchor', say('editor.anchor'), { columns: [], wide: true, hint: say('editor.anchor_hint') }),
      ],
    });
  }

  lists() {
    const { fields: f, say, model } = this.ed;
    return h('div', { class: 'panel' }, h('h2', {}, say('editor.lists')),
      model.t.lists.length === 0 && h('p', { class: 'empty' }, say('editor.no_lists')),
      model.t.lists.map((list) => h('details', { open: this.ed.openList === list.name, 'data-list': list.name },
        h('summary', {}, h('b', {}, list.name), ` · ${say('editor.list_summary', { choices: list.choices.length, uses: model.uses(list.name) })}`),
        f.text(list, 'name', say('editor.list_name'), { columns: [], transform: (v) => this.renameList(list, v.trim()) }),
        this.choiceRows(list, false),
        model.uses(list.name) === 0 && h('button', { type: 'button', onclick: () => { model.change('', () => model.t.lists.splice(model.t.lists.indexOf(list), 1)); this.ed.redraw(); } }, say('editor.remove_list')))),
      h('button', { type: 'button', onclick: () => { model.change('', () => { this.ed.openList = this.newList('list'); }); this.ed.redraw(); } }, '+ ', say('editor.new_list')));
  }

  /** Items that use a list follow its name. */
  renameList(list, name) {
    for (const it of this.ed.allItems()) if (it.list === list.name) it.list = name;
    this.ed.openList = name;
    return name;
  }

  scoring() {
    const { fields: f, say, model, roles } = this.ed;
    const { t } = model;
    const s = t.scheme;
    if (!s) {
      return h('div', { class: 'panel' }, h('h2', {}, say('editor.scoring')), h('p', {}, say('editor.no_scheme')),
        h('button', {
          type: 'button', class: 'primary',
          onclick: () => {
            model.change('', () => {
              t.scheme = { total: 100, na_policy: 'rescale', rescale: 'overall', decimals: 2, min_available: 80, graded: true, bands: [], caps: [] };
            });
            this.ed.redraw();
          },
        }, say('editor.begin_scoring')));
    }
    const at = (sheet, i) => this.ed.problems.filter((p) => p.sheet === sheet && p.row === i + 1);
    s.bands ??= [];
    s.caps ??= [];
    return h('div', { class: 'panel' }, h('h2', {}, say('editor.scoring')),
      h('div', { class: 'field-problems' }, this.ed.problems.filter((p) => p.sheet === 'scoring').map((p) => h('p', { class: p.severity === 'error' ? 'problem' : 'quiet' }, p.message))),
      h('div', { class: 'three' },
        f.number(s, 'total', say('editor.total'), { columns: [] }),
        f.number(s, 'decimals', say('editor.decimals'), { columns: [], step: 1, min: 0 }),
        f.number(s, 'min_available', say('editor.min_available'), { columns: [], hint: say('editor.min_available_hint') })),
      h('div', { class: 'three' },
        f.select(s, 'na_policy', say('editor.na'), ['rescale', 'full', 'zero'].map((v) => [v, say(`editor.na_${v}`)]), { columns: [] }),
        f.select(s, 'rescale', say('editor.rescale'), ['overall', 'section'].map((v) => [v, say(`editor.rescale_${v}`)]), { columns: [] }),
        f.select(s, 'blank', say('editor.blank'), [['zero', say('editor.blank_zero')]], { columns: [], empty: say('editor.blank_not_graded') })),
      f.check(s, 'graded', say('editor.graded')),
      this.expression(s, 'applies', say('editor.applies'), { columns: [], hint: say('editor.applies_hint') }),
      h('fieldset', {}, h('legend', {}, say('editor.who_rates')), h('p', { class: 'quiet' }, say('editor.who_rates_hint')),
        roles.map((role) => h('label', { class: 'tick' }, h('input', {
          type: 'checkbox', checked: s.roles?.includes(role),
          onchange: (e) => model.change('', () => {
            const set = new Set(s.roles ?? []);
            if (e.target.checked) set.add(role); else set.delete(role);
            s.roles = roles.filter((r) => set.has(r));
          }),
        }), ' ', say(`role.${role}`)))),
      h('h3', {}, say('editor.bands')), h('p', { class: 'quiet' }, say('editor.bands_hint')),
      f.rows(s.bands, {
        make: () => ({ code: '', min: 0, label: {} }), add: say('editor.add_band'), name: (b) => b.label?.[this.ed.lang] || b.code, problemsAt: (i) => at('bands', i),
        draw: (b) => [h('div', { class: 'three' }, f.text(b, 'code', say('editor.code'), { columns: [] }), f.number(b, 'min', say('editor.band_min'), { columns: [] }),
          f.wrap(say('editor.color'), h('input', { type: 'color', value: b.color || '#888888', oninput: (e) => f.set('color', b, 'color', e.target.value) }), [])), f.texts(b, 'label', say('editor.label'), { columns: [] })],
      }),
      h('h3', {}, say('editor.caps')), h('p', { class: 'quiet' }, say('editor.caps_hint')),
      f.rows(s.caps, {
        make: () => ({ code: freeName('K1', new Set(s.caps.map((c) => c.code))), when: '', band: s.bands.at(-1)?.code ?? '', label: {} }),
        add: say('editor.add_cap'), name: (c) => c.code, problemsAt: (i) => at('caps', i),
        draw: (c) => [h('div', { class: 'two' }, f.text(c, 'code', say('editor.code'), { columns: [] }),
          f.select(c, 'band', say('editor.cap_band'), s.bands.map((b) => [b.code, b.label?.[this.ed.lang] || b.code]), { columns: [] })),
        this.condition(c, 'when', say('editor.cap_when'), { columns: [], hint: say('editor.cap_when_hint') }), f.texts(c, 'label', say('editor.cap_label'), { columns: [] })],
      }),
      h('button', { type: 'button', onclick: () => { model.change('', () => delete t.scheme); this.ed.redraw(); } }, say('editor.end_scoring')));
  }

  checks() {
    const { fields: f, say, model } = this.ed;
    const checks = this.listOf(model.t, 'checks');
    return h('div', { class: 'panel' }, h('h2', {}, say('editor.checks')), h('p', { class: 'quiet' }, say('editor.checks_hint')),
      f.rows(checks, {
        make: () => ({ code: freeName('check', new Set(checks.map((c) => c.code))), test: '', label: {} }), add: say('editor.add_check'), name: (c) => c.code,
        problemsAt: (i) => this.ed.problems.filter((p) => p.sheet === 'checks' && p.row === i + 1),
        draw: (c) => [h('div', { class: 'two' }, f.text(c, 'code', say('editor.code'), { columns: [] }),
          f.select(c, 'item', say('editor.check_item'), model.askable(this.ed.lang).map((i) => [i.name, `${i.name} · ${i.label}`]), { columns: [], empty: say('editor.none') })),
        this.condition(c, 'test', say('editor.check_test'), { columns: [] }), f.texts(c, 'label', say('editor.check_label'), { columns: [] })],
      }));
  }

  settings() {
    const { fields: f, say, model } = this.ed;
    const { t } = model;
    const input = h('input', { type: 'text', size: 6, maxlength: 12, 'aria-label': say('editor.language_code'), placeholder: 'fr' });
    return h('div', { class: 'panel' }, h('h2', {}, say('editor.settings')),
      h('div', { class: 'field-problems' }, this.ed.problems.filter((p) => p.sheet === 'settings').map((p) => h('p', { class: 'problem' }, p.message))),
      f.texts(t, 'title', say('editor.form_title'), { columns: [] }),
      f.text(t, 'label', say('editor.version_label'), { columns: [], hint: say('editor.version_label_hint') }),
      this.expression(t, 'instance_name', say('editor.instance_name'), { columns: [] }),
      h('fieldset', {}, h('legend', {}, say('editor.languages')), h('p', { class: 'quiet' }, say('editor.languages_hint')),
        h('ul', { class: 'plain' }, t.languages.map((lang) => h('li', {}, h('span', { class: 'tag' }, lang), ' ',
          t.languages.length > 1 && h('button', { type: 'button', class: 'small', 'aria-label': say('editor.remove_of', { name: lang }), onclick: () => { model.change('', () => t.languages.splice(t.languages.indexOf(lang), 1)); this.ed.redraw(); } }, '✕')))),
        h('p', {}, input, ' ', h('button', {
          type: 'button', class: 'small',
          onclick: () => {
            const lang = input.value.trim();
            if (!/^[A-Za-z]{2,3}(-[A-Za-z0-9]+)*$/.test(lang) || t.languages.includes(lang)) { input.focus(); return; }
            model.change('', () => t.languages.push(lang));
            this.ed.redraw();
          },
        }, '+ ', say('editor.add_language')))));
  }
}
