// The score of a form in the browser, the same to the hundredth of a point as
// scoring.Score on the server: points are whole hundredths, totals exact
// fractions, and one rounding happens, at the end. It is a preview: the server's
// is the one that counts.

import { BLANK, fields, num, numberOf, textOf, truth } from './expr.js';

const NO_CLOCK = { clock: null };

// score gives {total, reason, earned, available, max, band, band_before_caps,
// caps, sections, items}, points in hundredths. total is null when reason says
// why there is none: incomplete, too_few_available, no_scheme. Bands and caps
// are codes. asked gives a slot's cell and evaluates trees.
export function score(form, asked) {
  const { scheme } = form;
  const items = scheme.scored.map((slot) => scoreItem(form, slot, asked));
  const sum = (list) => list.reduce((a, b) => ({ earned: a.earned + b.earned, available: a.available + b.available, max: a.max + b.max }), { earned: 0, available: 0, max: 0 });
  const bySlot = new Map(items.map((it) => [it.slot, it]));
  const sections = scheme.sections.map((s) => ({ slot: s.slot, name: form.items[s.slot].name, ...sum(s.scored.map((slot) => bySlot.get(slot))) }));
  const out = { total: null, reason: '', ...sum(items), band: null, band_before_caps: null, caps: [], sections, items };
  const stops = (it) => it.applies && it.state === 'blank' && !form.items[it.slot].bonus && scheme.blank !== 'zero';
  if (out.max === 0) out.reason = 'no_scheme';
  else if (items.some(stops)) out.reason = 'incomplete';
  else if (out.available === 0 || out.available * 100 < scheme.min_available * out.max) out.reason = 'too_few_available';
  else {
    out.total = total(scheme, out);
    grade(form, out, asked);
  }
  return out;
}

function scoreItem(form, slot, asked) {
  const item = form.items[slot];
  const cell = asked.cell(slot);
  const out = { slot, name: item.name, state: cell.state, applies: cell.applies, choice: -1, earned: 0, available: 0, max: 0 };
  if (!cell.applies) return out;
  if (item.bonus) {
    if (cell.state === 'value') out.earned = earned(form, slot, cell, out, asked);
    return out;
  }
  out.max = out.available = item.points;
  switch (cell.state) {
    case 'value':
      out.earned = earned(form, slot, cell, out, asked);
      break;
    case 'blank': // earns nothing; whether it stops the grading is the scheme's matter
      break;
    case 'not_observed':
      out.available = 0;
      break;
    default: // not applicable or not asked
      switch (item.na ?? form.scheme.na_policy) {
        case 'full': out.earned = out.max; break;
        case 'zero': break;
        default: out.available = 0;
      }
  }
  return out;
}

// earned gives the points of an answered item; no step true means none.
function earned(form, slot, cell, out, asked) {
  const item = form.items[slot];
  let p = 0;
  if (item.steps) {
    const i = item.steps.findIndex((s) => truth(asked.evaluate(s.when, cell.value)));
    out.choice = i < 0 ? item.steps.length : i;
    if (i >= 0) {
      const step = item.steps[i];
      p = step.points === undefined ? step.value : within(hundredths(asked.evaluate(step.points, cell.value)), item);
    }
  } else if (item.kind === 'select_multiple') {
    const { choices } = form.lists[item.list];
    p = within(fields(textOf(cell.value, NO_CLOCK)).reduce((n, name) => n + (choices.find((c) => c.name === name)?.points ?? 0), 0), item);
  } else if (cell.choice >= 0) {
    out.choice = cell.choice;
    p = form.lists[item.list].choices[cell.choice].points ?? 0;
  }
  return item.reverse ? item.points - p : p;
}

// within keeps points that are worked out between nothing and the item's
// maximum; of a bonus item, between its maximum deduction and addition.
function within(p, item) {
  const most = Math.abs(item.points);
  const [low, high] = item.bonus ? [-most, most] : [0, item.points];
  return Math.max(low, Math.min(high, p));
}

// hundredths rounds a worked-out number half away from zero.
function hundredths(v) {
  const n = numberOf(v, NO_CLOCK);
  if (Number.isNaN(n)) return 0;
  const p = Math.floor(Math.min(Math.abs(n), 1e9) * 100 + 0.5);
  return n < 0 ? -p : p;
}

// divide divides whole numbers and rounds half away from zero; d > 0.
function divide(n, d) {
  return n < 0n ? -divide(-n, d) : (2n * n + d) / (2n * d);
}

// total works out the score as shown, between 0 and the scheme's total.
function total(scheme, r) {
  const unit = [100n, 10n][scheme.decimals] ?? 1n;
  const whole = BigInt(scheme.total);
  let t;
  if (scheme.rescale === 'section') {
    // total x sum(W e/a) / sum(W) over the sections with anything available;
    // items in no section form one of their own.
    const loose = { earned: r.earned, available: r.available, max: r.max };
    for (const s of r.sections) for (const k of Object.keys(loose)) loose[k] -= s[k];
    let [n, d, weights] = [0n, 1n, 0n];
    for (const s of [...r.sections, loose]) {
      if (s.available <= 0) continue;
      weights += BigInt(s.max);
      n = n * BigInt(s.available) + BigInt(s.max) * BigInt(s.earned) * d;
      d *= BigInt(s.available);
    }
    t = weights === 0n ? 0n : divide(n * whole, d * weights * unit) * unit;
  } else {
    t = divide(whole * BigInt(r.earned), BigInt(r.available) * unit) * unit;
  }
  return Math.max(0, Math.min(scheme.total, Number(t)));
}

// grade finds the band and lowers it by the caps that fire: all are evaluated,
// the lowest wins, the score itself stays.
function grade(form, r, asked) {
  const { scheme } = form;
  if (!scheme.graded) return;
  const bands = scheme.bands ?? [];
  let band = bands.findIndex((b) => r.total >= b.min);
  if (band < 0) band = bands.length - 1;
  r.band_before_caps = bands[band]?.code ?? null;
  const host = capFunctions(r);
  for (const cap of scheme.caps ?? []) {
    if (!truth(asked.evaluate(cap.when, BLANK, host))) continue;
    r.caps.push(cap.code);
    band = Math.max(band, cap.band);
  }
  r.band = bands[band]?.code ?? null;
}

// capFunctions are what caps may ask. What was not available gives blank, so
// that no comparison with it is true.
function capFunctions(r) {
  const named = (a) => {
    const name = textOf(a[0], NO_CLOCK);
    return r.items.find((it) => it.name === name) ?? r.sections.find((s) => s.name === name);
  };
  const available = (f) => (a) => {
    const it = named(a);
    return it && it.available > 0 ? num(f(it)) : BLANK;
  };
  return {
    points: available((it) => it.earned / 100),
    share: available((it) => it.earned / it.available),
    max_points: (a) => (named(a) ? num(named(a).max / 100) : BLANK),
    available: () => num(r.available / 100),
  };
}
