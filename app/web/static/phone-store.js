// What the phone keeps: the last bundle of each person, forms, drafts and what
// waits to be sent, photos. All in one database that only ever grows by versions;
// no version of the program throws away what somebody entered.

/** States of a draft, in the order of its life. */
export const OPEN = 'draft';
export const WAITING = 'waiting';
export const RECEIVED = 'received';
export const HELD = 'held'; // received, and kept for somebody to look at
export const REFUSED = 'refused'; // the server said no: the person has to do something

const name = 'khaosat-phone';
const newest = 1;

let opened;

function database() {
  opened ??= new Promise((resolve, reject) => {
    const ask = indexedDB.open(name, newest);
    ask.onupgradeneeded = () => {
      const db = ask.result;
      // Each step only adds. A later version begins with "if (from < 2)".
      if (ask.transaction && !db.objectStoreNames.contains('kept')) {
        db.createObjectStore('kept'); // bundles by person, who is signed in, the clock's error
        db.createObjectStore('forms'); // by code, version and whether with scores
        const drafts = db.createObjectStore('drafts', { keyPath: 'id' });
        drafts.createIndex('person', 'person');
        db.createObjectStore('photos', { keyPath: ['draft', 'name'] });
      }
    };
    ask.onsuccess = () => {
      // Another tab with a newer program needs the database: let it have it.
      ask.result.onversionchange = () => { ask.result.close(); opened = undefined; };
      resolve(ask.result);
    };
    ask.onerror = () => reject(ask.error);
    ask.onblocked = () => reject(new Error('the database is in use by an older page'));
  });
  opened.catch(() => { opened = undefined; });
  return opened;
}

/** Runs act on object stores in one transaction and gives what it gives. */
async function within(stores, mode, act, durability = 'relaxed') {
  const db = await database();
  return new Promise((resolve, reject) => {
    const tx = db.transaction(stores, mode, { durability });
    let out;
    tx.oncomplete = () => resolve(out);
    tx.onabort = () => reject(tx.error ?? new Error('not kept'));
    tx.onerror = () => {};
    act(tx, (v) => { out = v; });
  });
}

const one = (store, key) => within([store], 'readonly', (tx, give) => { tx.objectStore(store).get(key).onsuccess = (e) => give(e.target.result); });

export const kept = (key) => one('kept', key);
export const keep = (key, value) => within(['kept'], 'readwrite', (tx) => tx.objectStore('kept').put(value, key));

/** Changes what is kept under a key, in one step: two tabs never overwrite each other. */
const keptChanged = (key, act) => within(['kept'], 'readwrite', (tx, give) => {
  const store = tx.objectStore('kept');
  store.get(key).onsuccess = (e) => {
    const next = act(e.target.result);
    store.put(next, key);
    give(next);
  };
}, 'strict');

const planKey = (person) => `plan:${person}`;

/** What the server has not been told yet about visits of a person, by visit. */
export const untold = async (person) => (await kept(planKey(person))) ?? {};

/** Changes that: act gets what there is and gives what is to be kept. */
export const changeUntold = (person, act) => keptChanged(planKey(person), (was) => act({ ...was }));

export const formKey = (code, version, scored) => `${code}@${version}${scored ? '+' : ''}`;
export const form = (key) => one('forms', key);
export const keepForm = (key, value) => within(['forms'], 'readwrite', (tx) => tx.objectStore('forms').put(value, key));

/** All drafts and sent forms of a person, the newest last. */
export async function drafts(person) {
  const all = await within(['drafts'], 'readonly', (tx, give) => { tx.objectStore('drafts').index('person').getAll(person).onsuccess = (e) => give(e.target.result); });
  return all.sort((a, b) => a.created - b.created);
}

export const draft = (id) => one('drafts', id);

/** Stores a draft that is not there yet; gives the one that is. */
export const createDraft = (d) => within(['drafts'], 'readwrite', (tx, give) => {
  const store = tx.objectStore('drafts');
  store.get(d.id).onsuccess = (e) => {
    if (e.target.result) give(e.target.result);
    else { store.put(d); give(d); }
  };
}, 'strict');

/**
 * Changes a stored draft: act gets it as it is now, so that two tabs never
 * overwrite each other, and gives it changed, or undefined to leave it. Gives
 * what is stored.
 */
export const change = (id, act, durability = 'relaxed') => within(['drafts'], 'readwrite', (tx, give) => {
  const store = tx.objectStore('drafts');
  store.get(id).onsuccess = (e) => {
    const stored = e.target.result;
    if (!stored) return give(undefined);
    const next = act(stored);
    if (next) store.put(next);
    return give(next ?? stored);
  };
}, durability);

/** Throws a draft and its photos away; only where its person said so, or a file was made of it. */
export const drop = (id) => within(['drafts', 'photos'], 'readwrite', (tx) => {
  tx.objectStore('drafts').delete(id);
  tx.objectStore('photos').delete(IDBKeyRange.bound([id, ''], [id, '\uffff']));
}, 'strict');

export const photos = (id) => within(['photos'], 'readonly', (tx, give) => {
  tx.objectStore('photos').getAll(IDBKeyRange.bound([id, ''], [id, '\uffff'])).onsuccess = (e) => give(e.target.result);
});
export const keepPhoto = (photo) => within(['photos'], 'readwrite', (tx) => tx.objectStore('photos').put(photo), 'strict');
export const dropPhoto = (id, file) => within(['photos'], 'readwrite', (tx) => tx.objectStore('photos').delete([id, file]));

/** Tells other tabs what has changed. */
export const channel = 'BroadcastChannel' in self ? new BroadcastChannel('khaosat-phone') : { postMessage() {}, addEventListener() {} };

/** SHA-256 of bytes or text, as hex or base64; '' where the browser has no digest (no HTTPS). */
export async function digest(of, form = 'hex') {
  if (!crypto.subtle) return '';
  const bytes = typeof of === 'string' ? new TextEncoder().encode(of) : of;
  const sum = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
  if (form === 'base64') return btoa(String.fromCharCode(...sum));
  return [...sum].map((b) => b.toString(16).padStart(2, '0')).join('');
}

/** A new random id for a response. */
export function newID() {
  if (crypto.randomUUID) return crypto.randomUUID();
  const b = crypto.getRandomValues(new Uint8Array(16));
  b[6] = (b[6] & 0x0f) | 0x40;
  b[8] = (b[8] & 0x3f) | 0x80;
  const hex = [...b].map((n) => n.toString(16).padStart(2, '0')).join('');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}
