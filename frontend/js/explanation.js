/** Why the model thinks so, word by word and sentence by sentence; and what if a word were not there. */

import { byId, make, on, rove, say } from "./dom.js";
import { blankOut, hasWords, splitIntoPieces } from "./offsets.js";
import { direction, percent, shortVerdict } from "./phrases.js";

/** Contributions are logits. Below this one a word or sentence is not shown at full strength. */
const [FULL_WORD, FULL_SENTENCE] = [0.5, 1];

/** Strengths a word can be marked with; with a contrast below 1 weaker words show too. */
const [LEVELS, CONTRAST] = [4, 0.6];

const words = byId("words");
const strip = byId("strip");

/** Of words and frames: label, contribution, share of all weight. */
const details = new WeakMap();

/** The review on show, what the model made of it whole, the pieces struck out by start, those on show. */
let [text, whole, struck, shape] = ["", undefined, new Map(), ""];

/** read(text, sent) asks about what is left; putBack(text, answer) shows the whole review again. */
export function prepareExplanation(read, putBack) {
  for (const [container, selector] of [[words, ".word"], [strip, ".frame"]]) {
    rove(container, selector);
    for (const type of ["pointerover", "focusin"]) {
      container.addEventListener(type, ({ target }) => tell(target.closest(selector)));
    }
  }
  const ask = () => {
    showStruck();
    if (struck.size === 0) putBack(text, whole);
    else if (hasWords(rest())) read(text, rest());
  };
  const strike = (event) => {
    const word = event.target.closest(".word");
    if (!word) return;
    event.preventDefault();
    const [start, end] = [Number(word.dataset.start), Number(word.dataset.end)];
    if (!struck.delete(start)) struck.set(start, { start, end, contribution: 0, text: word.textContent });
    word.ariaPressed = struck.has(start);
    tell(word);
    ask();
  };
  on("words", "click", strike);
  on("words", "keydown", (event) => [" ", "Enter"].includes(event.key) && strike(event));
  on("put-back", "click", () => {
    struck.clear();
    wordAt(0).focus();
    ask();
  });
  on("strip", "click", ({ target }) => wordAt(target.closest(".frame")?.dataset.start)?.focus());
  for (const type of ["pointerleave", "focusout"]) on("strip", type, () => markSentence());
}

/** Gives the answer to the whole review where it is another than this one. */
export function showExplanation(review, answer, isWhole) {
  if (isWhole) {
    [text, whole] = [review, answer];
    struck.clear();
  }
  const pieces = splitIntoPieces(text, [...answer.words, ...struck.values()]);
  const total = pieces.reduce((sum, piece) => sum + Math.abs(piece.contribution), 0) || 1;
  byId("truncated").hidden = !answer.truncated;
  byId("explanation").hidden = false;
  showWords(pieces, total);
  showStrip(answer.sentences, total);
  showStruck(answer);
  return isWhole ? undefined : whole;
}

export function hideExplanation() {
  byId("explanation").hidden = true;
}

/** Before and after; without an answer, the answer is awaited. */
function showStruck(answer) {
  const without = [...struck.values()].sort((a, b) => a.start - b.start).map((word) => `“${word.text}”`);
  const more = without.length > 3 ? ` and ${without.length - 3} more` : "";
  const names = make("bdi", "", `Without ${without.slice(0, 3).join(", ")}${more}:`);
  const after = make("strong", "", answer ? shortVerdict(answer) : "…");
  let said = [names, ` ${shortVerdict(whole)} → `, after];
  if (without.length === 0) said = ["What if a word were not there? Click it, or press Enter, to strike it out."];
  else if (!hasWords(rest())) said = ["Every word is struck out: nothing is left to read."];
  byId("put-back").hidden = without.length === 0;
  byId("what-if-text").replaceChildren(...said);
}

function rest() {
  return blankOut(text, [...struck.values()]);
}

function showWords(pieces, total) {
  const read = pieces.filter((piece) => piece.contribution !== null);
  const full = strongest(read, FULL_WORD);
  const next = JSON.stringify([text, read.map((piece) => piece.start)]);
  if (next !== shape) {
    const start = words.querySelector(":focus")?.dataset.start;
    words.replaceChildren(...pieces.map(nodeFor));
    wordAt(start ?? 0)?.setAttribute("tabindex", "0");
    if (start) wordAt(start)?.focus();
  }
  shape = next;
  words.querySelectorAll(".word").forEach((word, index) => {
    const { start, text, contribution } = read[index];
    const size = Math.abs(contribution);
    word.className = `word ${sideOf(contribution)}`;
    word.dataset.level = Math.round(LEVELS * (size / full) ** CONTRAST);
    word.ariaPressed = struck.has(start);
    details.set(word, [text, contribution, size / total]);
  });
  byId("share").textContent = "Point at a word, or walk with the arrow keys, to see its weight.";
  tell(words.querySelector(":focus"));
}

function nodeFor({ text, start, end, contribution }) {
  if (contribution === null) return text;
  const word = Object.assign(make("span", "word", text), { tabIndex: -1, role: "button" });
  word.setAttribute("aria-describedby", "share");
  Object.assign(word.dataset, { start, end });
  return word;
}

function showStrip(sentences, total) {
  const full = strongest(sentences, FULL_SENTENCE);
  const heights = sentences.map(({ contribution }) => contribution / full);
  const frames = sentences.map(({ start, end, contribution }, index) => {
    const label = `Sentence ${index + 1} of ${sentences.length}`;
    const bar = make("span", "bar");
    bar.style.setProperty("--height", Math.abs(heights[index]));
    const frame = make("button", `frame ${sideOf(contribution)}`, bar, curve(heights, index));
    Object.assign(frame, { tabIndex: index ? -1 : 0, ariaLabel: `${label} ${direction(contribution)}` });
    frame.setAttribute("aria-describedby", "sentence-share");
    Object.assign(frame.dataset, { start, end });
    details.set(frame, [label, contribution, Math.abs(contribution) / total]);
    return make("li", "", frame);
  });
  strip.replaceChildren(...frames);
  byId("sentence-share").textContent = "";
  byId("mood").hidden = sentences.length < 2;
}

function curve(heights, index) {
  const here = heights[index];
  const halfway = (other = here) => (here + other) / 2;
  const stops = [halfway(heights[index - 1]), here, halfway(heights[index + 1])];
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const line = document.createElementNS(svg.namespaceURI, "polyline");
  line.setAttribute("points", stops.map((height, x) => `${x * 50},${50 - height * 46}`).join(" "));
  svg.setAttribute("viewBox", "0 0 100 100");
  svg.setAttribute("preserveAspectRatio", "none");
  svg.append(line);
  return svg;
}

function tell(element) {
  if (!details.has(element)) return;
  const [label, contribution, share] = details.get(element);
  const isStruck = element.ariaPressed === "true";
  const weight = ` ${direction(contribution)}, ${percent(share, share < 0.0995 ? 1 : 0)} of all weight`;
  const place = byId(element.matches(".frame") ? "sentence-share" : "share");
  place.className = isStruck ? "" : sideOf(contribution);
  place.replaceChildren(make("bdi", "label", label), isStruck ? " is struck out; once more puts it back" : weight);
  if (place.id !== "share") markSentence(element.dataset);
}

function wordAt(start) {
  return [...words.children].find((word) => Number(word.dataset.start) >= Number(start));
}

function markSentence({ start = 0, end = 0 } = {}) {
  for (const word of words.children) {
    const at = Number(word.dataset.start);
    word.classList.toggle("in-sentence", at >= Number(start) && at < Number(end));
  }
}

function sideOf(contribution) {
  return contribution < 0 ? "against" : "for";
}

function strongest(items, least) {
  return Math.max(least, ...items.map(({ contribution }) => Math.abs(contribution)));
}
