// Keeps the list of ordered files up to date while one of them is being made.

const list = document.getElementById('files');

async function refresh() {
  if (document.hidden || list.contains(document.activeElement)) return again(); // nothing moves under somebody's hand
  try {
    const answer = await fetch(location.pathname, { headers: { Accept: 'text/html' } });
    if (answer.ok) {
      const page = new DOMParser().parseFromString(await answer.text(), 'text/html');
      const next = page.getElementById('files');
      if (next && next.innerHTML !== list.innerHTML) list.replaceChildren(...next.childNodes);
      if (next) list.dataset.open = next.dataset.open;
    }
  } catch {
    // No network: the next time, or the next page.
  }
  again();
}

function again() {
  if (list.dataset.open === 'true') setTimeout(refresh, 2000);
}

again();
