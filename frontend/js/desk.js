/** The writing desk: the text box with its count, its examples, and a way back to one's own text. */

import { byId, make, say } from "./dom.js";
import { EXAMPLES } from "./examples.js";
import { countCodePoints } from "./offsets.js";
import { characters, count } from "./phrases.js";

const box = /** @type {HTMLTextAreaElement} */ (byId("review"));

/** @type {number | undefined} */
let limit;

/** What the reviewer wrote before an example, or nothing, took its place. */
let own = "";

/**
 * @param {(text: string) => void} submit
 * @param {() => void} firstTouch called once, when somebody begins to write
 */
export function prepareDesk(submit, firstTouch) {
  const send = () => sendTo(submit);
  byId("examples").append(...EXAMPLES.map((example) => exampleItem(example, send)));
  byId("form").addEventListener("submit", (/** @type {Event} */ event) => {
    event.preventDefault();
    send();
  });
  box.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
    event.preventDefault();
    send();
  });
  box.addEventListener("input", update);
  box.addEventListener("input", firstTouch, { once: true });
  byId("clear").addEventListener("click", () => rewrite(""));
  byId("restore").addEventListener("click", () => rewrite(own));
  if (/mac|iphone|ipad/i.test(navigator.platform)) byId("modifier").textContent = "⌘";
  update();
}

/** @param {number} most characters that a review may have */
export function setLimit(most) {
  limit = most;
  update();
}

/** @param {(text: string) => void} submit */
export function sendTo(submit) {
  if (box.value === "") complain("Write or paste a review first, or choose an example.");
  if (box.getAttribute("aria-invalid") === "true") box.focus();
  else submit(box.value);
}

function update() {
  const length = countCodePoints(box.value);
  const excess = limit ? length - limit : 0;
  byId("count").textContent = limit ? `${count(length)} of ${characters(limit)}` : characters(length);
  byId("clear").hidden = length === 0;
  byId("restore").hidden = own === "" || own === box.value;
  complain(excess > 0 ? `${characters(excess)} too many. Please shorten it.` : "");
}

/** @param {string} message */
function complain(message) {
  say(byId("complaint"), message);
  box.setAttribute("aria-invalid", String(message !== ""));
}

/** @param {string} text */
function replace(text) {
  const isExample = EXAMPLES.some((example) => example.text === box.value);
  if (box.value.trim() && !isExample) own = box.value;
  box.value = text;
  update();
}

/** @param {string} text */
function rewrite(text) {
  replace(text);
  box.focus();
}

/** @param {{name: string, text: string}} example @param {() => void} send */
function exampleItem({ name, text }, send) {
  const button = make("button", "example", make("strong", "", name), make("span", "", text));
  button.setAttribute("type", "button");
  button.addEventListener("click", () => {
    replace(text);
    send();
  });
  return make("li", "", button);
}
