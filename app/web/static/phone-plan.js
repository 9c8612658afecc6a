// What an observer changes about the plan: a meeting that is put off or does not
// take place, and a form for a visit that is not on the list. The former is kept
// on the phone and told to the server once there is a network; the latter needs
// one, since the phone does not know all units.
import { h, fill, debounce, uniqueID } from './dom.js';
import * as store from './phone-store.js';

async function note(person, act) {
  await store.changeUntold(person, act);
  store.channel.postMessage({ kind: 'plan' });
}

/** What an answer says of why it is none. */
const why = (answer) => [answer.detail ?? answer.title, ...(answer.errors ?? []).map((e) => e.message)].filter(Boolean).join(' ');

/**
 * Tells the server of what was put off. What it refuses is kept with the reason
 * until its person has seen it; without an answer it is told again later.
 */
export async function tell(person, lang) {
  let changed = false;
  for (const [visit, c] of Object.entries(await store.untold(person))) {
    if (c.problem) continue;
    let response;
    let answer;
    try {
      response = await fetch(`/api/v1/assignments/${encodeURIComponent(visit)}/change?lang=${lang}`, { method: 'POST', headers: { 'Content-Type': 'application/json', 'Khaosat-Person': person },
        body: JSON.stringify({ action: c.action, reason: c.reason, due: c.due }), signal: AbortSignal.timeout?.(30000) });
      answer = await response.json();
    } catch {
      return changed;
    }
    if (response.status === 401 || response.status === 408 || response.status === 429 || response.status >= 500) return changed;
    if (response.ok && answer.id !== visit) return changed; // not khaosat's answer
    const problem = response.ok ? '' : why(answer);
    await note(person, (all) => {
      if (all[visit]?.at !== c.at) return all; // said otherwise meanwhile
      if (problem) all[visit] = { ...c, problem }; else delete all[visit];
      return all;
    });
    changed = true;
  }
  return changed;
}

/** The part of the list in which the plan is changed; phone is the program of the page. */
export function planBox(phone, visits) {
  const { say } = phone;
  return h('div', { class: 'plan' }, refused(phone), visits.length > 0 && putOff(phone, visits), further(phone));
}

// What the server did not take stays until its person has seen it.
function refused(phone) {
  const { say } = phone;
  const { person, visits } = phone.bundle;
  return Object.entries(phone.plan).filter(([, c]) => c.problem).map(([visit, c]) => h('div', { class: 'note' },
    h('p', { class: 'problem' }, h('b', {}, visits.find((v) => v.key === visit)?.place?.name ?? visit), ' — ', say('phone.plan_refused', { why: c.problem })),
    h('p', {}, h('button', { type: 'button', onclick: async (e) => {
      await note(person.id, (all) => { delete all[visit]; return all; });
      e.target.closest('.note').remove();
      phone.plan = await store.untold(person.id);
      phone.draw();
    } }, say('phone.plan_seen')))));
}

function field(label, input, hint) {
  const id = uniqueID('plan');
  input.id = id;
  return h('p', {}, h('label', { for: id }, label), input, hint && h('small', { class: 'quiet' }, hint));
}

function putOff(phone, visits) {
  const { say } = phone;
  const visit = h('select', { name: 'visit' }, visits.map((v) => h('option', { value: v.key }, [v.place?.name ?? v.unit, v.template, v.due && phone.day(v.due)].filter(Boolean).join(' · '))));
  const what = h('select', { name: 'what' }, h('option', { value: 'postpone' }, say('phone.plan_postpone')), h('option', { value: 'cancel' }, say('phone.plan_cancel')));
  const due = h('input', { type: 'date', name: 'due', required: true });
  const reason = h('input', { name: 'reason', required: true, maxlength: 500, autocomplete: 'off' });
  const said = h('p', { role: 'status' });
  const when = field(say('phone.plan_due'), due);
  const bound = () => {
    const r = phone.round(visits.find((v) => v.key === visit.value)?.round);
    due.min = r?.opens ?? '';
    due.max = r?.closes ?? '';
    when.hidden = what.value === 'cancel';
    due.required = !when.hidden;
  };
  visit.addEventListener('change', bound);
  what.addEventListener('change', bound);
  bound();
  return h('form', { class: 'card', onsubmit: async (e) => {
    e.preventDefault();
    if (reason.value.trim() === '') { reason.focus(); return; }
    const c = { action: what.value, reason: reason.value.trim(), due: what.value === 'cancel' ? '' : due.value, at: Date.now() };
    const { value: chosen } = visit; // the form may be filled in anew before it is kept
    await note(phone.bundle.person.id, (all) => ({ ...all, [chosen]: c }));
    said.textContent = say('phone.plan_kept');
    await phone.tellPlan();
  } }, h('h3', {}, say('phone.plan_put_off')), field(say('phone.plan_visit'), visit), field(say('phone.plan_what'), what), when, field(say('phone.plan_reason'), reason),
  h('p', {}, h('button', {}, say('phone.plan_save'))), said);
}

function further(phone) {
  const { say, lang } = phone;
  const rounds = phone.bundle.rounds.filter((r) => !r.closed && (r.unplanned || r.templates.length > 1));
  if (phone.bundle.person.role !== 'observer' || rounds.length === 0) return null;
  const own = new Map(phone.bundle.visits.filter((v) => v.place).map((v) => [`${v.round} ${v.unit}`, v]));
  const form = h('select', { name: 'form' }, rounds.flatMap((r) => r.templates.map((t) => h('option', { value: JSON.stringify([r.code, t.code]) }, `${t.code} — ${r.title[lang] ?? Object.values(r.title)[0] ?? r.code}`))));
  const search = h('input', { type: 'search', name: 'search', autocomplete: 'off' });
  const units = h('select', { name: 'unit', size: 5, required: true });
  const due = h('input', { type: 'date', name: 'due', value: phone.today() });
  const said = h('p', { role: 'status' });
  let id = store.newID();
  const chosen = () => JSON.parse(form.value);
  const option = (code, name, above) => h('option', { value: code }, [name, above].filter(Boolean).join(' — '));
  const list = async () => {
    const [round] = chosen();
    const r = phone.round(round);
    const words = search.value.trim();
    search.closest('p').hidden = !r.unplanned;
    due.min = r.opens;
    due.max = r.closes;
    if (due.value < due.min) due.value = due.min;
    if (due.value > due.max) due.value = due.max;
    said.textContent = '';
    const mine = [...own.values()].filter((v) => v.round === round).map((v) => option(v.unit, v.place.name, v.place.path.at(-1)?.name));
    if (!words || !r.unplanned) { fill(units, mine); return; }
    try {
      const response = await fetch(`/api/v1/units?limit=50&date=${due.value}&search=${encodeURIComponent(words)}`, { headers: { Accept: 'application/json' } });
      const { items } = await response.json();
      if (words !== search.value.trim()) return; // a later search is on its way
      fill(units, items.map((u) => option(u.unit, u.name, u.unit)));
      if (items.length === 0) said.textContent = say('phone.plan_none');
    } catch {
      said.textContent = say('phone.plan_needs_network');
    }
  };
  search.addEventListener('input', debounce(300, list));
  form.addEventListener('change', list);
  const el = h('form', { class: 'card', onsubmit: async (e) => {
    e.preventDefault();
    const [round, template] = chosen();
    let response;
    let answer;
    try {
      response = await fetch(`/api/v1/rounds/${encodeURIComponent(round)}/visits?lang=${lang}`, { method: 'POST', headers: { 'Content-Type': 'application/json', 'Khaosat-Person': phone.bundle.person.id },
        // In the role in which one goes there anyway.
        body: JSON.stringify({ id, template, unit: units.value, due: due.value, role: own.get(`${round} ${units.value}`)?.role }), signal: AbortSignal.timeout?.(30000) });
      answer = await response.json();
    } catch {
      said.textContent = say('phone.plan_needs_network');
      return;
    }
    if (!response.ok) {
      said.textContent = why(answer);
      return;
    }
    id = store.newID(); // the next one is another
    await phone.refresh();
    await phone.go(`/visits/${encodeURIComponent(answer.id)}`);
  } }, h('h3', {}, say('phone.plan_further')), h('p', { class: 'quiet' }, say('phone.plan_further_hint')), field(say('phone.plan_form'), form), field(say('phone.plan_search'), search), field(say('phone.plan_unit'), units), field(say('phone.plan_day'), due),
  h('p', {}, h('button', {}, say('phone.plan_begin'))), said);
  list();
  return el;
}
