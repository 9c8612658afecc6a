// Keeps the page of the visits on the phone, so that it opens without a network.
// The server puts `version` and `files` before this text. What people enter is
// not here: it is in the database of the page (phone-store.js), which no version
// of this program ever clears.
const cacheName = `khaosat-phone-${version}`;
const page = '/visits';

self.addEventListener('install', (event) => {
  event.waitUntil((async () => {
    const cache = await caches.open(cacheName);
    // All or nothing: a version that is not whole is never used.
    // The browser has most of it already and only asks whether it is still so.
    await cache.addAll([...files, '/manifest.webmanifest'].map((url) => new Request(url, { cache: 'no-cache' })));
    const answer = await fetch(new Request(page, { cache: 'no-cache', credentials: 'same-origin' }));
    if (!answer.ok || answer.redirected) throw new Error('the page cannot be kept: nobody is signed in');
    await cache.put(page, answer);
    await self.skipWaiting();
  })());
});

self.addEventListener('activate', (event) => {
  event.waitUntil((async () => {
    for (const name of await caches.keys()) {
      if (name.startsWith('khaosat-phone-') && name !== cacheName) await caches.delete(name);
    }
    await self.clients.claim();
  })());
});

self.addEventListener('fetch', (event) => {
  const { request } = event;
  if (request.method !== 'GET') return;
  const url = new URL(request.url);
  if (url.origin !== location.origin) return;
  const own = request.mode === 'navigate'
    ? url.pathname === page || /^\/visits\/[^/]+$/.test(url.pathname) && !['/visits/list', '/visits/calendar.ics'].includes(url.pathname)
    : files.includes(url.pathname) || url.pathname === '/manifest.webmanifest';
  if (!own) return;
  event.respondWith((async () => {
    const cache = await caches.open(cacheName);
    const kept = await cache.match(request.mode === 'navigate' ? page : url.pathname);
    return kept ?? fetch(request);
  })());
});

// Where browsers have it, what waits is sent even after the page was closed:
// the page does the sending, so it is woken if it is there.
self.addEventListener('sync', (event) => {
  if (event.tag !== 'khaosat-queue') return;
  event.waitUntil((async () => {
    for (const client of await self.clients.matchAll({ type: 'window' })) client.postMessage({ kind: 'send' });
  })());
});
