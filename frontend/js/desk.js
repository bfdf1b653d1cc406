/** The writing desk: the text box with its count, its examples, and a way back to one's own text. */

import { byId, make, on, say } from "./dom.js";
import { keep, recall } from "./history.js";
import { countCodePoints, hasWords } from "./offsets.js";
import { count } from "./phrases.js";
import { mirrorText } from "./surface.js";

/** Reviews to try, each written for this page, with what it shows. */
const EXAMPLES = [
  { name: "Rave", shows: "short and sweet", text: "I loved every minute of it." },
  { name: "Pan", shows: "short and sour", text: "A complete waste of two hours." },
  {
    name: "Torn",
    shows: "praise, then blame",
    text: "The first act is superb: tense, funny, beautifully shot. Then the script runs out of ideas. The dialogue turns clumsy, the villain is a cliché, and the ending is a mess. Still, the lead actress is excellent to the very last scene. She deserved a better film.",
  },
  {
    name: "Praise by denial",
    shows: "a hard one",
    text: "Not bad at all. I never once looked at my watch, nobody overacts, and it isn’t nearly as silly as the trailer. You won’t regret it.",
  },
  {
    name: "Sarcasm",
    shows: "its known failure",
    text: "Oh, wonderful: the sequel nobody asked for. My favourite part was the power cut in the second act. Bravo to everyone involved, I have not slept so well in a cinema for years. 👏",
  },
];

/** Milliseconds without a letter after which a text is read, and the most that steady writing waits. */
const PAUSE = 300;
const STEADY = 900;

/** Input that needs no pause: a new line, after which one writes on, and a text that comes as a whole. */
const NEW_LINE = /LineBreak|Paragraph/;
const WHOLE = /Paste|Drop/;

const box = byId("review");

/** What the page does with a text: read(text, quiet, brief), rest() where there is none; see reader.js. */
let page;

/** Code points that a review may have, once the API has said so. */
let limit;

let pause;
let unreadSince = 0;

/** What the reviewer wrote before another text, or nothing, took its place. */
let own = "";

/** Gives whether a draft of an earlier visit is in the box; it is not sent before the writer acts. */
export function prepareDesk(listeners) {
  page = listeners;
  document.querySelector(".examples").replaceChildren(...EXAMPLES.map(exampleItem));
  on("form", "submit", (event) => {
    event.preventDefault();
    send();
  });
  on("review", "input", ({ inputType }) => {
    update();
    if (WHOLE.test(inputType)) readNow();
    else if (NEW_LINE.test(inputType)) readInPassing();
    else readSoon();
  });
  on("clear", "click", () => rewrite(""));
  on("restore", "click", () => rewrite(own));
  const draft = recall("draft");
  own = String(draft?.own ?? "");
  box.value = String(draft?.text ?? box.value);
  update();
  return box.value.trim() !== "";
}

export function setLimit(most) {
  limit = most;
  update();
}

export function send() {
  clearTimeout(pause);
  unreadSince = 0;
  const wrong = box.value.trim() ? fault() : "Write or paste a review first, or choose an example.";
  complain(wrong);
  if (wrong) box.focus();
  else page.read(box.value, false);
}

export function submit(text) {
  replace(text);
  send();
}

export function isExample(text) {
  return EXAMPLES.some((example) => example.text === text);
}

function exampleItem({ name, shows, text }) {
  const button = make("button", "example", name, make("small", "", shows));
  button.type = "button";
  button.addEventListener("click", () => submit(text));
  return make("li", "", button);
}

/** After a pause; or, while the writer goes on and on, every now and then, and then in brief. */
function readSoon() {
  clearTimeout(pause);
  unreadSince ||= Date.now();
  const left = Math.max(0, unreadSince + STEADY - Date.now());
  pause = setTimeout(left < PAUSE ? readInPassing : readNow, Math.min(PAUSE, left));
}

function readInPassing() {
  readNow(true);
  pause = setTimeout(readNow, PAUSE);
}

function readNow(brief = false) {
  clearTimeout(pause);
  unreadSince = 0;
  const wrong = box.value.trim() && fault();
  complain(wrong);
  if (wrong || !box.value.trim()) page.rest();
  else page.read(box.value, true, brief);
}

function fault() {
  const excess = limit ? countCodePoints(box.value) - limit : 0;
  if (excess > 0) return `${count(excess, "character")} too many. Please shorten it.`;
  return hasWords(box.value) ? "" : "There is no word in this text yet. Write at least one.";
}

function update() {
  mirrorText();
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
  readNow();
}
