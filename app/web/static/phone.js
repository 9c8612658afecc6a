// The observer's visits on a phone: the list, the forms, what waits to be sent.
import { h, fill, speaker } from './dom.js';
import { open, prepare } from './engine.js';
import * as store from './phone-store.js';
import { FormView } from './phone-form.js';
import { HELD, OPEN, RECEIVED, REFUSED, WAITING, digest, newID } from './phone-store.js';

const box = document.getElementById('phone');

class Phone {
  say = (id) => id;
  lang = document.documentElement.lang;
  bundle = null;
  drafts = [];
  view = null;
  paused = '';
  planOpen = false;
  plan = {}; // what the server has not been told about visits, by visit

  async start() {
    addEventListener('popstate', () => this.route());
    addEventListener('online', () => this.refresh());
    addEventListener('offline', () => this.draw());
    store.channel.addEventListener('message', (e) => this.heard(e.data));
    const asked = new URLSearchParams(location.search).get('lang');
    try {
      const person = await store.kept('person');
      if (person) this.take(await store.kept(`bundle:${person}`));
    } catch (err) {
      fill(box, h('p', { class: 'problem', role: 'alert' }, `${err.message}`)); // no database, as in a private window of some browsers
    }
    if (this.bundle) await this.route();
    await this.refresh(asked);
    this.keepWorker(); // last: its files must not be in the way of what is waited for
    if (!this.bundle) fill(box, h('p', { class: 'empty' }, box.textContent));
    // Asked for once there is something to lose; browsers that refuse are told of on the list.
    this.lasting = await navigator.storage?.persist?.().catch(() => false);
  }

  // --- what is known ------------------------------------------------------------

  take(bundle) {
    if (!bundle) return;
    this.bundle = bundle;
    this.lang = bundle.person.language;
    this.say = speaker(bundle.words);
    const { documentElement: root } = document;
    root.lang = this.lang;
    for (const [name, value] of [['theme', bundle.person.display?.theme], ['text', bundle.person.display?.text]]) {
      if (value) root.dataset[name] = value; else delete root.dataset[name];
    }
    if (this.queue) this.queue.lang = this.lang;
  }

  // What waits is sent by a part of the program that a form can be opened without.
  async sendQueue(asked) {
    const { person } = this.bundle;
    const { Queue } = await import('./phone-queue.js');
    if (this.queue?.person !== person.id) {
      if (this.queue) this.queue.ended = true;
      this.queue = new Queue({ person: person.id, lang: this.lang, changed: (d) => this.became(d), paused: (why) => { this.paused = why; this.draw(); } });
    }
    await this.queue.send(asked);
  }

  /** Asks the server for news, keeps them with all forms, and sends what waits. */
  async refresh(lang) {
    let response;
    let bundle;
    try {
      response = await fetch(`/api/v1/phone${lang ? `?lang=${encodeURIComponent(lang)}` : ''}`, { headers: { Accept: 'application/json' }, signal: AbortSignal.timeout?.(30000) });
      bundle = await response.json();
    } catch {
      this.paused = 'offline';
      this.draw();
      if (Object.keys(this.plan).length > 0) this.tellPlan();
      return;
    }
    if (response.status === 401) {
      this.paused = 'signed-out';
      if (!this.bundle) location.assign(`/sign-in?next=${encodeURIComponent(location.pathname)}`);
      this.draw();
      return;
    }
    if (!response.ok || !bundle.person?.id) { this.draw(); return; }
    this.paused = '';
    const clock = Date.parse(bundle.server_time);
    if (!Number.isNaN(clock)) this.clockError = Date.now() - clock;
    this.take(bundle);
    // What came is kept while it is shown.
    const keeping = [store.keep('person', bundle.person.id), store.keep(`bundle:${bundle.person.id}`, bundle)];
    await this.route();
    await Promise.all(keeping);
    await this.fetchForms();
    this.sendQueue();
    if (Object.keys(this.plan).length > 0) this.tellPlan();
  }

  /** Tells the server what was put off, if it can be reached, and shows what became of it. */
  async tellPlan() {
    const { id } = this.bundle.person;
    const { tell } = await import('./phone-plan.js');
    clearTimeout(this.tellLater);
    const changed = await tell(id, this.lang);
    this.plan = await store.untold(id);
    // What says that there is a network is often wrong.
    if (Object.values(this.plan).some((c) => !c.problem)) this.tellLater = setTimeout(() => this.tellPlan(), 15000);
    if (changed) await this.refresh();
    else this.draw();
  }

  // It is made when it is opened, and stays while the list around it is drawn anew.
  async openPlan(is, visits) {
    this.planOpen = is;
    this.planBox = null;
    if (is) {
      const { planBox } = await import('./phone-plan.js');
      if (!this.planOpen || this.planBox) return;
      this.planBox = planBox(this, visits);
    }
    this.draw();
  }

  round(code) { return this.bundle.rounds.find((r) => r.code === code); }

  formKey(visit, version = visit.template_version) {
    return store.formKey(visit.template, version, Boolean(this.round(visit.round)?.show_score));
  }

  // Forms never change once published, so each is fetched once.
  async fetchForms() {
    const wanted = new Map();
    for (const v of this.bundle.visits) {
      for (const version of [v.template_version, v.returned?.template_version]) if (version) wanted.set(this.formKey(v, version), [v, version]);
    }
    let lacking = 0;
    for (const [key, [visit, version]] of wanted) {
      if (await store.form(key)) continue;
      try {
        await store.keepForm(key, await this.fetchForm(visit, version));
      } catch {
        lacking++;
      }
    }
    this.lacking = lacking; // known only now
    if (!this.view) this.draw();
  }

  async fetchForm(visit, version) {
    const scored = this.round(visit.round)?.show_score ? '?scoring=true' : '';
    const response = await fetch(`/api/v1/templates/${encodeURIComponent(visit.template)}/versions/${version}/form${scored}`);
    if (!response.ok) throw new Error(`HTTP ${response.status}`);
    return response.json();
  }

  keepWorker() {
    if (!('serviceWorker' in navigator)) return;
    navigator.serviceWorker.register('/worker.js', { type: 'classic' }).catch((err) => { this.workerFailed = err.message; });
  }

  // --- routes -------------------------------------------------------------------

  async route() {
    const key = /^\/visits\/([^/]+)$/.exec(location.pathname)?.[1];
    if (!key) {
      this.view = null;
      this.drafts = await store.drafts(this.bundle.person.id);
      this.plan = await store.untold(this.bundle.person.id);
      this.draw();
      return;
    }
    this.planBox = null;
    this.planOpen = false;
    const visit = this.bundle.visits.find((v) => v.key === decodeURIComponent(key));
    if (this.view?.key === visit?.key && this.view) return;
    if (!visit) { this.go('/visits', true); return; }
    await this.openVisit(visit);
  }

  go(path, replace = false) {
    history[replace ? 'replaceState' : 'pushState'](null, '', path);
    scrollTo({ top: 0 });
    return this.route();
  }

  // --- one form -----------------------------------------------------------------

  // A visit has one draft on a phone, also when two tabs open it at once.
  async draftOf(visit) {
    const all = await store.drafts(this.bundle.person.id);
    const mine = all.filter((d) => d.key === visit.key);
    const going = mine.findLast((d) => d.state !== RECEIVED && d.state !== HELD);
    if (going) return going;
    const returned = visit.returned;
    const last = mine.findLast((d) => d.state === RECEIVED || d.state === HELD);
    if (!returned && (visit.visit || last)) return last ?? null;
    const version = returned?.template_version ?? visit.template_version;
    const d = {
      // A form that was sent back goes on under its own id; another revision of it is another draft.
      id: returned ? visit.visit.response : newID(), person: this.bundle.person.id, key: visit.key, round: visit.round, template: visit.template, version,
      unit: visit.unit, role: visit.role, revision: returned?.revision ?? 0, answers: returned ? structuredClone(returned.answers) : {}, comment: returned?.comment ?? '',
      name: visit.place?.name ?? visit.unit, state: OPEN, created: Date.now(), changed: Date.now(), started_at: stamp(), attempts: 0,
    };
    if (!returned) return navigator.locks ? navigator.locks.request(`khaosat-draft-${visit.key}`, () => this.createOnce(d)) : this.createOnce(d);
    const stored = await store.change(d.id, (s) => (s.revision === d.revision && s.state === OPEN ? undefined : { ...d, earlier: [...(s.earlier ?? []), { answers: s.answers, receipt: s.receipt }] }), 'strict');
    return stored ?? store.createDraft(d);
  }

  async createOnce(d) {
    const other = (await store.drafts(d.person)).find((o) => o.key === d.key && o.state !== RECEIVED && o.state !== HELD);
    return other ?? store.createDraft(d);
  }

  async openVisit(visit) {
    // What was begun goes on: it is never lost for want of a practice.
    if (this.round(visit.round)?.practise && ['observer', 'second'].includes(visit.role) && !visit.visit && !this.drafts.some((d) => d.key === visit.key)) {
      fill(box, this.backLink(), h('p', { class: 'note', role: 'status' }, this.say('phone.practise_first')), h('p', {}, h('a', { class: 'button primary', href: `/practice/${encodeURIComponent(visit.round)}` }, this.say('phone.practise_do'))));
      return;
    }
    const d = await this.draftOf(visit);
    if (!d) { this.showSent(visit, null); return; }
    const key = this.formKey(visit, d.version);
    let form = await store.form(key);
    if (!form) {
      try {
        form = await this.fetchForm(visit, d.version);
        store.keepForm(key, form).catch(() => {}); // it is fetched again then
      } catch {
        fill(box, this.backLink(), h('p', { class: 'empty' }, this.say('phone.form_missing')));
        return;
      }
    }
    await prepare(form);
    const round = this.round(visit.round);
    const engine = open(form, { answers: d.answers, unit: visit.place?.facts ?? {}, lists: this.bundle.type_lists, now: Date.now() - this.wrongBy(), zone: round?.zone, steady: round?.steady, lang: this.lang });
    engine.stamp();
    const locked = d.state !== OPEN;
    if (locked) { this.showSent(visit, d); return; }
    const display = this.bundle.person.display?.form;
    this.view = { key: visit.key, draft: d.id };
    this.form = new FormView(this, {
      engine, draft: d.id, locked: false, place: visit.place?.name ?? visit.unit, title: [engine.text(form.title), this.say(`role.${visit.role}`)].join(' · '),
      comment: d.comment, whole: display === 'whole', showScore: Boolean(round?.show_score),
      changed: (name) => this.changed(d.id, name),
      send: () => this.seal(visit, d.id, engine), back: () => this.go('/visits'),
    });
    this.form.draw(box);
  }

  // Every change is on the phone at once, item by item, so that two tabs that
  // have the same form open keep each other's answers.
  async changed(id, name) {
    const value = this.form.engine.draft()[name];
    try {
      const d = await store.change(id, (s) => {
        if (s.state !== OPEN) return undefined;
        const answers = { ...s.answers };
        if (value === undefined) delete answers[name]; else answers[name] = value;
        return { ...s, answers, changed: Date.now() };
      });
      if (d && d.state !== OPEN) this.openVisit(this.bundle.visits.find((v) => v.key === d.key)); // sent from another tab
      store.channel.postMessage({ kind: 'answer', id, name, value });
    } catch (err) {
      this.alarm(this.say('phone.not_kept', { why: err.message }));
    }
  }

  alarm(text) {
    let el = document.getElementById('alarm');
    if (!el) box.prepend(el = h('p', { id: 'alarm', class: 'problem', role: 'alert' }));
    el.textContent = text;
  }

  // The form is finished: its bytes are fixed now and sent exactly so, however
  // often it takes.
  async seal(visit, id, engine) {
    const form = engine.form;
    engine.stamp(true);
    const d = await store.draft(id);
    const content = { round: d.round, template: d.template, template_version: d.version, unit: d.unit, role: d.role };
    if (!form.items.some((i) => i.name === 'meeting_date')) content.meeting_date = dayOf(d.started_at);
    Object.assign(content, { started_at: d.started_at, ended_at: stamp(), source: 'queue', answers: engine.answers() });
    const body = JSON.stringify(content);
    const sha256 = await digest(body);
    await store.change(id, (s) => (s.state === OPEN ? { ...s, answers: engine.draft(), body, sha256, state: WAITING, sealed: Date.now(), attempts: 0, refused: null } : undefined), 'strict');
    store.channel.postMessage({ kind: 'draft', id });
    navigator.serviceWorker?.ready.then((r) => r.sync?.register('khaosat-queue')).catch(() => {});
    this.form = null;
    await this.go('/visits');
    this.sendQueue();
  }

  backLink() {
    return h('p', {}, h('a', { href: '/visits', onclick: (e) => { e.preventDefault(); this.go('/visits'); } }, '← ', this.say('phone.visits')));
  }

  /** What is known of a form that was sent, or is on its way. */
  showSent(visit, d) {
    const { say } = this;
    this.form = null;
    this.view = { key: visit.key, draft: d?.id };
    const r = d?.receipt;
    fill(box, this.backLink(), h('h1', {}, visit.place?.name ?? visit.unit), h('p', { class: 'quiet' }, visit.template, ' · ', say(`role.${visit.role}`)),
      h('section', { class: 'card' }, h('h2', {}, this.stateWords(visit, d)),
        d?.state === REFUSED && r && [h('p', {}, say('phone.photos_refused')), h('ul', {}, (d.refused.photos ?? []).map((p) => h('li', {}, h('b', {}, this.photoName(p)), ' — ', h('span', { class: 'problem' }, p.detail)))), h('p', {}, say('phone.photos_refused_what'))],
        d?.state === REFUSED && !r && [h('p', { class: 'problem' }, d.refused.detail || d.refused.title), d.refused.errors?.length > 0 && h('ul', {}, d.refused.errors.map((e) => h('li', {}, e.item && [h('code', {}, e.item), ' '], e.message))), h('p', {}, say('phone.refused_what'))],
        d?.state === WAITING && h('p', {}, say('phone.waiting_what')),
        d?.state === HELD && [h('p', {}, say('phone.held_what')), h('ul', {}, (r?.reasons ?? []).map((p) => h('li', {}, p.message)))],
        r && h('dl', { class: 'receipt' },
          h('dt', {}, say('phone.received_at')), h('dd', {}, this.time(r.received_at)),
          h('dt', {}, say('phone.receipt')), h('dd', {}, h('code', {}, r.sha256.slice(0, 16))),
          r.score?.total && this.round(visit.round)?.show_score && [h('dt', {}, say('phone.score_word')), h('dd', {}, r.score.total)]),
        !d && visit.visit && h('p', {}, say('phone.sent_elsewhere')),
        h('p', { class: 'actions' },
          d?.state === WAITING && h('button', { type: 'button', class: 'primary', onclick: () => this.sendQueue(true) }, say('phone.send_now')),
          d?.state === REFUSED && r && [h('button', { type: 'button', class: 'primary', onclick: () => this.photosAgain(d) }, say('phone.photos_again')), h('button', { type: 'button', onclick: () => this.photosGivenUp(d) }, say('phone.photos_give_up'))],
          (d?.state === REFUSED || d?.state === WAITING) && !d.receipt && h('button', { type: 'button', onclick: () => this.reopen(visit, d) }, say('phone.reopen')))));
  }

  // A photo is known by the item it belongs to, which is what its name begins with.
  photoName(p) { return (p.path || p.name).split('/').at(-1); }

  // The form is in; its photos are tried again as they are.
  async photosAgain(d) {
    await this.became(await store.change(d.id, (s) => (s.state === REFUSED && s.receipt ? { ...s, state: WAITING, refused: null, attempts: 0 } : undefined), 'strict'));
    this.sendQueue(true);
  }

  // What the server does not take goes from the phone only when its person says so.
  async photosGivenUp(d) {
    const names = (d.refused.photos ?? []).map((p) => p.name);
    if (!confirm(this.say('phone.photos_sure', { count: names.length }))) return;
    const now = await store.change(d.id, (s) => (s.state === REFUSED && s.receipt ? { ...s, state: RECEIVED, photos_left: 0, problem: '', given_up: names } : undefined), 'strict');
    for (const name of names) await store.dropPhoto(d.id, name);
    await this.became(now);
  }

  async reopen(visit, d) {
    await store.change(d.id, (s) => ((s.state === REFUSED || s.state === WAITING) && !s.receipt && !s.sending ? { ...s, state: OPEN, body: undefined, sha256: undefined } : undefined), 'strict');
    this.view = null;
    await this.openVisit(visit);
  }

  // --- the list -----------------------------------------------------------------

  // Something has become of a draft: received, refused ...
  async became(d) {
    this.drafts = await store.drafts(this.bundle.person.id);
    if (this.view?.draft === d.id && d.state !== OPEN) this.showSent(this.bundle.visits.find((v) => v.key === d.key) ?? { ...d, place: { name: d.name } }, d);
    else this.draw();
  }

  async heard({ kind, id, name, value }) {
    if (kind === 'plan') {
      this.plan = await store.untold(this.bundle.person.id);
      this.draw();
    }
    if (kind === 'answer' && this.view?.draft === id && this.form) this.form.take(name, value);
    if (kind === 'draft') {
      const d = await store.draft(id);
      if (d) this.became(d);
    }
  }

  wrongBy() { return Math.abs(this.clockError ?? 0) > 120000 ? this.clockError : 0; }

  time(iso) { return new Intl.DateTimeFormat(this.lang, { dateStyle: 'short', timeStyle: 'short' }).format(new Date(iso)); }

  /** Today, by the phone's clock, put right if the server's is another. */
  today() { return stamp(new Date(Date.now() - this.wrongBy())).slice(0, 10); }

  day(iso) { return iso ? iso.split('-').reverse().join('/') : ''; }

  stateWords(visit, d) {
    const { say } = this;
    if (d?.state === REFUSED && d.receipt) return say('phone.state_photos_refused', { count: d.refused?.photos?.length ?? 0 });
    if (d?.state === WAITING) return d.sending && Date.now() - d.sending < 240000 ? say('phone.state_sending') : d.receipt ? say('phone.state_photos', { count: d.photos_left ?? 0 }) : say('phone.state_waiting');
    if (d?.state === REFUSED) return say('phone.state_refused');
    if (visit.returned && (!d || d.state === RECEIVED || d.state === HELD)) return say('phone.state_returned');
    if (d?.state === OPEN) return d.revision ? say('phone.state_returned') : say('phone.state_draft');
    if (visit.visit) return say(`phone.state_${visit.visit.state}`);
    if (d?.state === HELD) return say('phone.state_quarantined');
    if (d?.state === RECEIVED) return say('phone.state_submitted');
    if (visit.status === 'cancelled' || visit.status === 'substituted') return say('phone.state_cancelled');
    return say(visit.status === 'postponed' ? 'phone.state_postponed' : 'phone.state_due');
  }

  // Which part of the list a visit belongs to.
  part(visit, d) {
    if (d && (d.state === WAITING || d.state === REFUSED)) return 'waiting';
    if ((visit.returned && (!d || d.state !== OPEN || d.revision)) || (d?.state === OPEN && d.revision)) return 'returned';
    if (d?.state === OPEN) return 'drafts';
    if (visit.visit || d) return 'sent';
    if (visit.status === 'cancelled' || visit.status === 'substituted') return 'cancelled';
    return 'due';
  }

  draw() {
    if (!this.bundle || this.view || /^\/visits\/[^/]+$/.test(location.pathname)) return;
    const { say } = this;
    const { visits, person } = this.bundle;
    const parts = { returned: [], waiting: [], drafts: [], due: [], sent: [], cancelled: [] };
    const listed = new Set();
    for (const visit of visits) {
      const mine = this.drafts.filter((d) => d.key === visit.key);
      const d = mine.findLast((o) => o.state !== RECEIVED && o.state !== HELD) ?? mine.at(-1);
      for (const o of mine) listed.add(o.id);
      parts[this.part(visit, d)].push([visit, d]);
    }
    // What is on the phone stays on the list, also when the visit was taken away.
    for (const d of this.drafts) if (!listed.has(d.id) && d.state !== RECEIVED && d.state !== HELD) parts.waiting.push([{ ...d, place: { name: d.name, path: [] } }, d]);
    const sent = parts.sent.length;
    const { activeElement: active } = document;
    const unfolding = active?.matches('.phone-more:not(:last-child) summary');
    const waiting = this.drafts.filter((d) => d.state === WAITING).length;
    fill(box,
      h('h1', {}, say('phone.visits')),
      h('p', { class: 'lead' }, say('phone.summary', { visits: visits.length - parts.cancelled.length, sent })),
      this.notices(waiting),
      Object.entries(parts).map(([part, list]) => list.length > 0 && h('section', { 'aria-labelledby': `part-${part}` },
        h('h2', { id: `part-${part}` }, say(`phone.part_${part}`), ` (${list.length})`),
        h('ul', { class: 'visits' }, list.map(([visit, d]) => this.card(visit, d, part))))),
      visits.length === 0 && h('p', { class: 'empty' }, say('phone.no_visits')),
      person.role === 'observer' && h('details', { class: 'phone-more', open: this.planOpen },
        h('summary', { onclick: (e) => { e.preventDefault(); this.openPlan(!this.planOpen, [...parts.due, ...parts.drafts].map(([v]) => v).filter((v) => v.id)); } }, say('phone.plan')), this.planBox),
      h('details', { class: 'phone-more' }, h('summary', {}, say('phone.more')),
        h('p', {}, person.name), h('p', { class: 'actions' },
          h('a', { class: 'button', href: '/account' }, say('phone.account')), h('a', { class: 'button', href: '/guide' }, say('phone.guide')),
          h('a', { class: 'button', href: '/visits/calendar.ics', download: 'khaosat.ics' }, say('phone.calendar_get')),
          h('button', { type: 'button', onclick: () => this.exportFile() }, say('phone.export')),
          h('label', { class: 'button' }, say('phone.import'), h('input', { type: 'file', class: 'unseen', accept: 'application/json,.khaosat', onchange: (e) => this.importFile(e.target.files[0]) })),
          h('form', { method: 'post', action: '/sign-out' }, h('button', {}, say('phone.sign_out')))),
        h('p', { class: 'quiet' }, say('phone.version', { version: this.bundle.app }))));
    if (unfolding) box.querySelector('.phone-more summary')?.focus();
    else if (this.planBox?.contains(active)) active.focus(); // somebody is typing there
  }

  notices(waiting) {
    const { say } = this;
    const offline = !navigator.onLine || this.paused === 'offline';
    return h('div', { role: 'status' },
      this.paused === 'signed-out' && h('div', { class: 'note' }, h('p', {}, say('phone.signed_out')), h('p', {}, h('a', { class: 'button', href: '/sign-in?next=/visits' }, say('phone.sign_in')))),
      this.bundle.rounds.filter((r) => r.practise && !r.closed).map((r) => h('div', { class: 'note' }, h('p', {}, say('phone.practise', { round: r.title[this.lang] ?? Object.values(r.title)[0] ?? r.code })), h('p', {}, h('a', { class: 'button primary', href: `/practice/${encodeURIComponent(r.code)}` }, say('phone.practise_do'))))),
      offline && h('p', { class: 'note' }, say('phone.offline')),
      waiting > 0 && h('div', { class: 'note' }, h('p', {}, say('phone.waiting', { count: waiting })), h('p', {}, h('button', { type: 'button', class: 'primary', onclick: () => this.sendQueue(true) }, say('phone.send_now')))),
      this.lacking > 0 && h('p', { class: 'note' }, say('phone.forms_lacking', { count: this.lacking })),
      this.wrongBy() !== 0 && h('p', { class: 'note' }, say('phone.clock_wrong', { minutes: Math.round(Math.abs(this.wrongBy()) / 60000) })),
      this.lasting === false && this.drafts.some((d) => d.state !== RECEIVED) && h('p', { class: 'quiet' }, say('phone.may_evict')));
  }

  card(visit, d, part) {
    const { say } = this;
    const overdue = part === 'due' && visit.due && visit.due < new Date(Date.now() - this.wrongBy()).toISOString().slice(0, 10);
    const above = visit.place?.path?.at(-1)?.name;
    const change = this.plan[visit.key];
    return h('li', {}, h('a', { class: `visit visit-${part}`, href: `/visits/${encodeURIComponent(visit.key)}`, onclick: (e) => { e.preventDefault(); this.go(`/visits/${encodeURIComponent(visit.key)}`); } },
      h('b', {}, visit.place?.name ?? visit.unit), above && h('span', { class: 'quiet' }, above),
      h('span', { class: 'visit-line' }, h('span', { class: `tag state-${part}` }, this.stateWords(visit, d)), h('span', { class: 'quiet' }, [visit.template, visit.role !== 'observer' && say(`role.${visit.role}`), visit.due && part === 'due' && `${say('phone.due')} ${this.day(visit.due)}`].filter(Boolean).join(' · ')), overdue && h('span', { class: 'problem' }, say('phone.overdue'))),
      visit.returned?.comment && part === 'returned' && h('span', { class: 'quiet' }, visit.returned.comment),
      change?.problem && h('span', { class: 'problem' }, say('phone.plan_refused', { why: change.problem })),
      change && !change.problem && h('span', { class: 'quiet' }, say(`phone.plan_untold_${change.action}`, { due: this.day(change.due) }))));
  }

  // --- to a file and back ---------------------------------------------------------

  async exportFile() {
    const drafts = await store.drafts(this.bundle.person.id);
    const photos = [];
    for (const d of drafts) {
      for (const p of await store.photos(d.id)) photos.push({ ...p, blob: undefined, data: await base64(p.blob) });
    }
    const file = new Blob([JSON.stringify({ khaosat: 'phone', version: 1, person: this.bundle.person.id, made: stamp(), drafts, photos })], { type: 'application/json' });
    const url = URL.createObjectURL(file);
    h('a', { href: url, download: `khaosat-${this.bundle.person.id.slice(0, 8)}-${stamp().slice(0, 10)}.khaosat` }).click();
    setTimeout(() => URL.revokeObjectURL(url), 60000);
  }

  async importFile(file) {
    const { say } = this;
    if (!file) return;
    let content;
    try { content = JSON.parse(await file.text()); } catch { content = null; }
    if (content?.khaosat !== 'phone' || !Array.isArray(content.drafts)) { this.alarm(say('phone.import_wrong')); return; }
    if (content.person !== this.bundle.person.id) { this.alarm(say('phone.import_other')); return; }
    let taken = 0;
    for (const d of content.drafts) {
      const stored = await store.createDraft({ ...d, sending: 0 });
      if (stored.changed === d.changed) taken++; // what is on this phone already stays as it is
    }
    for (const p of content.photos ?? []) await store.keepPhoto({ ...p, data: undefined, blob: new Blob([Uint8Array.from(atob(p.data), (c) => c.charCodeAt(0))], { type: p.type }) });
    this.drafts = await store.drafts(this.bundle.person.id);
    this.draw();
    this.alarm(say('phone.import_done', { count: taken }));
    this.sendQueue();
  }
}

/** The time now with the phone's own offset, to the second: 2018-03-05T19:30:00+07:00. */
function stamp(at = new Date()) {
  const two = (n) => String(Math.floor(Math.abs(n))).padStart(2, '0');
  const offset = -at.getTimezoneOffset();
  const local = new Date(at.getTime() + offset * 60000).toISOString().slice(0, 19);
  return `${local}${offset < 0 ? '-' : '+'}${two(offset / 60)}:${two(offset % 60)}`;
}

const dayOf = (iso) => iso.slice(0, 10);

function base64(blob) {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(String(reader.result).split(',')[1] ?? '');
    reader.onerror = () => reject(reader.error);
    reader.readAsDataURL(blob);
  });
}

const phone = new Phone();
phone.start();
self.khaosatPhone = phone; // for whoever looks into it with the browser's tools
