/** The writing desk: the text box with its count, its examples, and a way back to one's own text. */

import { byId, on, say } from "./dom.js";
import { EXAMPLES } from "./examples.js";
import { countCodePoints, hasWords } from "./offsets.js";
import { count } from "./phrases.js";
import { keep, recall } from "./store.js";

/** Milliseconds. */
const PAUSE = 600;

/** Input that needs no pause: a new line, or a text that comes as a whole. */
const AT_ONCE = /LineBreak|Paragraph|Paste|Drop/;

const box = byId("review");

let [limit, pause, others] = [];

/** What the reviewer wrote before another text, or nothing, took its place. */
let own = "";

export function prepareDesk(listeners) {
  others = listeners;
  document.querySelectorAll(".example").forEach((button, index) => {
    button.addEventListener("click", () => submit(EXAMPLES[index]));
  });
  on("form", "submit", (event) => {
    event.preventDefault();
    send();
  });
  on("review", "input", ({ inputType }) => {
    update();
    readSoon(AT_ONCE.test(inputType) ? 0 : PAUSE);
  });
  on("clear", "click", () => rewrite(""));
  on("restore", "click", () => rewrite(own));
  const draft = recall("draft");
  own = String(draft?.own ?? "");
  box.value = String(draft?.text ?? box.value);
  update();
  if (box.value) readSoon(0);
}

export function setLimit(most) {
  limit = most;
  update();
}

export function send() {
  clearTimeout(pause);
  const wrong = box.value.trim() ? fault() : "Write or paste a review first, or choose an example.";
  complain(wrong);
  if (wrong) box.focus();
  else others.read(box.value, false);
}

export function submit(text) {
  replace(text);
  send();
}

export function isExample(text) {
  return EXAMPLES.includes(text);
}

function readSoon(delay) {
  clearTimeout(pause);
  pause = setTimeout(() => {
    const wrong = box.value.trim() && fault();
    complain(wrong);
    if (wrong || !box.value.trim()) others.rest();
    else others.read(box.value, true);
  }, delay);
}

function fault() {
  const excess = limit ? countCodePoints(box.value) - limit : 0;
  if (excess > 0) return `${count(excess, "character")} too many. Please shorten it.`;
  return hasWords(box.value) ? "" : "There is no word in this text yet. Write at least one.";
}

function update() {
  const length = countCodePoints(box.value);
  byId("count").textContent = limit ? `${count(length)} of ${count(limit, "character")}` : count(length, "character");
  byId("clear").hidden = length === 0;
  byId("restore").hidden = own === "" || own === box.value;
  if (!box.value.trim() || !fault()) complain(""); // a new complaint waits for a pause
  keep("draft", box.value || own ? { text: box.value, own } : undefined);
}

function complain(message) {
  if (byId("complaint").textContent !== message) say("complaint", message);
  box.ariaInvalid = message !== "";
}

function replace(text) {
  if (box.value.trim() && !isExample(box.value)) own = box.value;
  box.value = text;
  update();
}

function rewrite(text) {
  replace(text);
  box.focus();
  readSoon(0);
}
