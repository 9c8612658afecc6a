// Small helpers to build pages: no framework, nothing from elsewhere.

/**
 * Makes an element. Names beginning with "on" are listeners; value, checked and
 * the like are properties; everything else is an attribute, left out when null
 * or false.
 */
export function h(tag, props, ...children) {
  const el = document.createElement(tag);
  let value;
  for (const [name, v] of Object.entries(props ?? {})) {
    if (v === undefined || v === null || v === false) continue;
    if (name.startsWith('on')) el.addEventListener(name.slice(2), v);
    else if (name === 'value') value = v;
    else if (name === 'checked' || name === 'selected' || name === 'disabled' || name === 'hidden') el[name] = v;
    else el.setAttribute(name, v === true ? '' : v);
  }
  el.append(...children.flat(Infinity).filter((c) => c !== undefined && c !== null && c !== false));
  if (value !== undefined) el.value = value; // a select's options must be there first
  return el;
}

/** Replaces all that is in an element. */
export function fill(el, ...children) {
  el.replaceChildren(...children.flat(Infinity).filter((c) => c !== undefined && c !== null && c !== false));
  return el;
}

/** Reads a block of data that the server put into the page. */
export function data(id) {
  return JSON.parse(document.getElementById(id).textContent);
}

/** Gives a function that looks up texts and fills in {{.name}}. */
export function speaker(words) {
  return (id, args = {}) => (words[id] ?? id).replace(/\{\{\.(\w+)\}\}/g, (_, name) => args[name] ?? '…');
}

/** Runs a function once things have been quiet for a while. */
export function debounce(wait, run) {
  let timer;
  const later = (...args) => {
    clearTimeout(timer);
    timer = setTimeout(() => run(...args), wait);
  };
  later.cancel = () => clearTimeout(timer);
  return later;
}

let ids = 0;
/** Gives an id that no other element has. */
export function uniqueID(prefix = 'x') {
  return `${prefix}-${++ids}`;
}
