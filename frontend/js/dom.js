/** Small helpers around the document. User text enters it only as text nodes. */

/** The element with that id; the page is broken without it. */
export function byId(id) {
  const element = document.getElementById(id);
  if (!element) throw new Error(`the page has no element with the id "${id}"`);
  return element;
}

export function on(id, event, react) {
  byId(id).addEventListener(event, react);
}

export function make(tag, className, ...children) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  element.append(...children);
  return element;
}

/** Put a text into an element; hidden when empty. */
export function say(id, text) {
  byId(id).textContent = text;
  byId(id).hidden = text === "";
}

const STEPS = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1, Home: -Infinity, End: Infinity };

/** Many elements, one tab stop: arrow keys, Home and End move among them. */
export function rove(container, selector) {
  const stops = () => [...container.querySelectorAll(selector)];
  container.addEventListener("keydown", (event) => {
    const step = STEPS[event.key];
    const all = stops();
    const at = all.indexOf(document.activeElement);
    if (!step || at < 0 || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    all[Math.min(Math.max(at + step, 0), all.length - 1)].focus();
  });
  container.addEventListener("focusin", ({ target }) => {
    for (const stop of stops()) stop.tabIndex = stop === target ? 0 : -1;
  });
}
