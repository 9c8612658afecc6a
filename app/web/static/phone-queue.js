// Sends what waits. One tab at a time does it; nothing is thrown away before the
// server's receipt; what goes wrong is kept with its reason.
import * as store from './phone-store.js';
import { HELD, OPEN, RECEIVED, REFUSED, WAITING, digest } from './phone-store.js';

const waits = [2, 5, 15, 30, 60, 120].map((s) => s * 1000);

export class Queue {
  #running = false;
  #again;
  ended = false; // somebody else has signed in: these forms wait for their person

  /** changed(draft) is called whenever something has become of a draft; paused(why) when nothing can be sent: '', 'offline', 'signed-out'. */
  constructor({ person, changed, paused, lang }) {
    Object.assign(this, { person, changed, paused, lang });
    addEventListener('online', () => this.send());
    document.addEventListener('visibilitychange', () => { if (document.visibilityState === 'visible') this.send(); });
    navigator.serviceWorker?.addEventListener('message', (e) => { if (e.data?.kind === 'send') this.send(); });
  }

  /** Sends all that waits, now; asked says that the person pressed the button. */
  async send(asked = false) {
    clearTimeout(this.#again);
    if (this.#running || this.ended) return;
    this.#running = true;
    try {
      // Of several tabs one sends; the others see what becomes of it by the channel.
      if (navigator.locks) await navigator.locks.request(`khaosat-queue-${this.person}`, { ifAvailable: !asked }, async (lock) => { if (lock) await this.#all(); });
      else await this.#all();
    } finally {
      this.#running = false;
    }
  }

  async #all() {
    const waiting = (await store.drafts(this.person)).filter((d) => d.state === WAITING);
    let soonest = 0;
    let paused = '';
    for (const d of waiting) {
      const went = await this.#one(d);
      if (went === 'signed-out' || went === 'offline') { paused = went; soonest ||= waits[Math.min(d.attempts ?? 0, waits.length - 1)]; break; }
      if (went === 'later') soonest = Math.max(soonest, waits[Math.min(d.attempts ?? 0, waits.length - 1)]);
    }
    if (this.ended) return;
    this.paused(paused);
    if (soonest && paused !== 'signed-out') this.#again = setTimeout(() => this.send(), soonest);
  }

  async #note(id, act, durability) {
    const d = await store.change(id, act, durability);
    if (d) {
      this.changed(d);
      store.channel.postMessage({ kind: 'draft', id });
    }
    return d;
  }

  async #one(d) {
    await this.#note(d.id, (s) => ({ ...s, sending: Date.now() }));
    let answer;
    let response;
    if (!d.receipt) {
      const headers = { 'Content-Type': 'application/json', 'Khaosat-Person': d.person };
      if (d.revision) headers['If-Match'] = `"${d.revision}"`;
      try {
        response = await fetch(`/api/v1/responses/${d.id}?lang=${this.lang}`, { method: 'PUT', body: d.body, headers, signal: timeout(60000) });
        answer = await response.json();
      } catch {
        // No network, or something in between answered that is not khaosat (the
        // sign-in page of a café): in any case no receipt.
        return this.#later(d, response ? 'later' : 'offline');
      }
      const { status } = response;
      if (status === 401) return this.#later(d, 'signed-out');
      if (status >= 500 || status === 429 || status === 408) return this.#later(d, 'later', answer.detail);
      if (status >= 400) {
        await this.#note(d.id, (s) => ({ ...s, state: REFUSED, sending: 0, refused: { status, code: answer.code ?? '', title: answer.title ?? '', detail: answer.detail ?? '', errors: answer.errors ?? [], at: Date.now() } }), 'strict');
        return 'refused';
      }
      if (!isReceipt(answer, d)) return this.#later(d, 'later');
      const clock = Date.parse(response.headers.get('Date') ?? '');
      d = await this.#note(d.id, (s) => ({ ...s, receipt: { ...answer, errors: undefined }, clock_error: Number.isNaN(clock) ? 0 : Date.now() - clock }), 'strict');
    }
    const photos = await this.#photos(d);
    if (photos === 'refused') {
      // The form is in; what cannot be sent is for the person to decide.
      await this.#note(d.id, (s) => ({ ...s, state: REFUSED, sending: 0 }), 'strict');
      return photos;
    }
    if (photos !== 'sent') return this.#later(d, photos);
    const held = ['quarantined', 'rejected'].includes(d.receipt.state) || d.receipt.conflict;
    await this.#note(d.id, (s) => ({ ...s, state: held ? HELD : RECEIVED, sending: 0, attempts: 0, problem: '', photos_left: 0 }), 'strict');
    // The server has said of each of these bytes that it has them: the room on the
    // phone is needed.
    for (const p of await store.photos(d.id)) if (p.sent) await store.dropPhoto(d.id, p.name);
    return 'sent';
  }

  // Photos go one by one, each retried by itself; the same bytes under the same
  // name are no second photo.
  async #photos(d) {
    const photos = await store.photos(d.id);
    const refused = [];
    let left = photos.filter((p) => !p.sent).length;
    for (const p of photos) {
      if (p.sent) continue;
      const headers = { 'Content-Type': p.type, 'Khaosat-Person': d.person };
      if (p.sha256) headers['Content-Digest'] = `sha-256=:${p.sha256}:`;
      let response;
      let answer;
      try {
        response = await fetch(`/api/v1/responses/${d.id}/attachments/${encodeURIComponent(p.name)}?lang=${this.lang}`, { method: 'PUT', body: p.blob, headers, signal: timeout(180000) });
        answer = await response.json();
      } catch {
        return response ? 'later' : 'offline'; // what is no JSON does not come from khaosat
      }
      const { status } = response;
      if (status === 401) return 'signed-out';
      const whole = async () => p.sha256 === await digest(await p.blob.arrayBuffer(), 'base64');
      const onTheWay = answer.code === 'attachment.digest' && await whole(); // it was spoilt on its way, and is not here
      if (status >= 400 && status < 500 && status !== 408 && status !== 429 && !onTheWay) {
        // To send the same bytes again would come to the same, for ever.
        refused.push({ name: p.name, path: p.path, status, detail: answer.detail || answer.title || `HTTP ${status}` });
        await this.#note(d.id, (s) => ({ ...s, refused: { status, code: answer.code ?? '', title: answer.title ?? '', detail: '', errors: [], photos: refused, at: Date.now() } }), 'strict');
        continue;
      }
      if (!response.ok || !(await isPhotoReceipt(answer, p))) {
        await this.#note(d.id, (s) => ({ ...s, photos_left: left, problem: answer.detail || answer.title || `HTTP ${response.status}` }));
        return 'later';
      }
      await store.keepPhoto({ ...p, sent: Date.now() });
      left--;
      await this.#note(d.id, (s) => ({ ...s, photos_left: left }));
    }
    return refused.length > 0 ? 'refused' : 'sent';
  }

  async #later(d, why, problem = '') {
    await this.#note(d.id, (s) => ({ ...s, sending: 0, attempts: (s.attempts ?? 0) + 1, problem: why === 'signed-out' ? 'signed-out' : problem || why }));
    return why;
  }
}

function isReceipt(answer, d) {
  if (answer?.id !== d.id || typeof answer.received_at !== 'string' || !/^[0-9a-f]{64}$/.test(answer.sha256 ?? '')) return false;
  // Of other content under the same id the server keeps both, and names the first.
  return !d.sha256 || answer.sha256 === d.sha256 || answer.conflict === true;
}

// A receipt for a photo names its bytes.
async function isPhotoReceipt(answer, p) {
  if (answer?.name !== p.name || !/^[0-9a-f]{64}$/.test(answer.sha256 ?? '')) return false;
  const own = await digest(await p.blob.arrayBuffer());
  return own === '' || own === answer.sha256;
}

function timeout(ms) {
  return AbortSignal.timeout ? AbortSignal.timeout(ms) : undefined;
}
