/** Small helpers around the document. User text enters it only as text nodes. */

/** @param {string} id @returns {any} the element; the page is broken without it */
export function byId(id) {
  const element = document.getElementById(id);
  if (!element) throw new Error(`the page has no element with the id "${id}"`);
  return element;
}

/**
 * @param {string} tag
 * @param {string} className
 * @param {...(string | Node)} children
 */
export function make(tag, className, ...children) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  element.append(...children);
  return element;
}

/** @param {HTMLElement} element @param {string} text hidden when empty */
export function say(element, text) {
  element.textContent = text;
  element.hidden = text === "";
}

/** @type {Map<string, number>} how far a key moves among elements */
const STEPS = new Map([
  ["ArrowRight", 1],
  ["ArrowDown", 1],
  ["ArrowLeft", -1],
  ["ArrowUp", -1],
  ["Home", -Infinity],
  ["End", Infinity],
]);

/**
 * Many elements, one tab stop: arrow keys, Home and End move among them.
 * @param {HTMLElement} container
 * @param {string} selector
 */
export function rove(container, selector) {
  const stops = () => /** @type {HTMLElement[]} */ ([...container.querySelectorAll(selector)]);
  container.addEventListener("keydown", (event) => {
    const step = STEPS.get(event.key);
    const all = stops();
    const at = all.findIndex((stop) => stop === document.activeElement);
    if (step === undefined || at < 0 || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    all[Math.min(Math.max(at + step, 0), all.length - 1)].focus();
  });
  container.addEventListener("focusin", (event) => {
    for (const stop of stops()) stop.tabIndex = stop === event.target ? 0 : -1;
  });
}
