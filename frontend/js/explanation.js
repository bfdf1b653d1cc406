/** Why the model thinks so: the reviewer's own text with its words weighed, sentence by sentence. */

import { byId, make, rove, say } from "./dom.js";
import { splitIntoPieces } from "./offsets.js";
import { cutNotice, direction, percentOfWeight } from "./phrases.js";

/**
 * @typedef {import("./api.js").Answer} Answer
 * @typedef {import("./offsets.js").Piece} Piece
 * @typedef {import("./offsets.js").Span} Span
 */

/** Contributions are logits. Below this one a word or sentence is not shown at full strength. */
const FULL_WORD = 0.5;
const FULL_SENTENCE = 1;

/** Strengths a word can be marked with; 0 is left unmarked. */
const LEVELS = 4;

/** Below 1, weaker words show too. */
const CONTRAST = 0.6;

const TOP_WORDS = 5;

/** A word with less than this share of the strongest one's weight is not listed. */
const WORTH_LISTING = 0.05;
const HINT = "Tap or point at a word, or walk along with the arrow keys, to see its weight.";
const READABLE = /[\p{L}\p{N}\p{Extended_Pictographic}]/u;

/** What is said about a word or a frame. @type {WeakMap<Element, [label: string, contribution: number, share: number]>} */
const details = new WeakMap();

export function prepareExplanation() {
  for (const [container, selector] of [[byId("words"), ".word"], [byId("strip"), "button"]]) {
    rove(container, selector);
    container.addEventListener("pointerover", showDetails);
    container.addEventListener("focusin", showDetails);
  }
  byId("strip").addEventListener("click", goToSentence);
  byId("strip").addEventListener("pointerleave", () => markSentence(null));
  byId("strip").addEventListener("focusout", () => markSentence(null));
}

/** @param {string} text @param {Answer} answer @param {number | undefined} tokens */
export function showExplanation(text, answer, tokens) {
  const pieces = splitIntoPieces(text, answer.words);
  const total = pieces.reduce((sum, piece) => sum + Math.abs(piece.contribution ?? 0), 0) || 1;
  say(byId("truncated"), answer.truncated ? cutNotice(tokens) : "");
  showWords(pieces, total, answer.truncated ? longestUnread(pieces) : null);
  showStrip(answer.sentences, total);
  showTop(pieces, total);
  byId("share").className = "share";
  byId("share").textContent = HINT;
  byId("sentence-share").textContent = "";
  byId("explanation").hidden = false;
}

export function hideExplanation() {
  byId("explanation").hidden = true;
}

/** @param {Piece[]} pieces @param {number} total @param {Piece | null} unread */
function showWords(pieces, total, unread) {
  const full = strongest(pieces, FULL_WORD);
  const nodes = pieces.map((piece) => {
    const { text, start, contribution } = piece;
    if (contribution === null) return piece === unread ? make("span", "unread", text) : text;
    const size = Math.abs(contribution);
    const word = make("span", `word ${sideOf(contribution)}`, text);
    word.tabIndex = -1;
    word.setAttribute("aria-describedby", "share");
    Object.assign(word.dataset, { start, level: Math.round(LEVELS * (size / full) ** CONTRAST) });
    details.set(word, [text, contribution, size / total]);
    return word;
  });
  byId("words").replaceChildren(...nodes);
  byId("words").querySelector(".word")?.setAttribute("tabindex", "0");
}

/** @param {Span[]} sentences @param {number} total */
function showStrip(sentences, total) {
  const full = strongest(sentences, FULL_SENTENCE);
  const frames = sentences.map(({ start, end, contribution }, index) => {
    const label = `Sentence ${index + 1} of ${sentences.length}`;
    const size = Math.abs(contribution);
    const bar = make("span", "bar");
    bar.style.setProperty("--height", String(size / full));
    const frame = make("button", `frame ${sideOf(contribution)}`, bar);
    frame.tabIndex = index === 0 ? 0 : -1;
    frame.setAttribute("aria-label", `${label} ${direction(contribution)}`);
    frame.setAttribute("aria-describedby", "sentence-share");
    Object.assign(frame.dataset, { start, end });
    details.set(frame, [label, contribution, size / total]);
    return make("li", "", frame);
  });
  byId("strip").replaceChildren(...frames);
  byId("mood").hidden = sentences.length < 2;
}

/** @param {Piece[]} pieces @param {number} total */
function showTop(pieces, total) {
  const sums = sumByWord(pieces);
  const most = Math.max(...sums.map(([, sum]) => Math.abs(sum)), 0) || 1;
  for (const [id, sign] of /** @type {[string, number][]} */ ([["top-for", 1], ["top-against", -1]])) {
    const top = sums
      .filter(([, sum]) => sum * sign > most * WORTH_LISTING)
      .sort((a, b) => (b[1] - a[1]) * sign)
      .slice(0, TOP_WORDS);
    const items = top.map(([word, sum]) => {
      const share = make("span", "amount", percentOfWeight(Math.abs(sum) / total));
      const item = make("li", "", make("bdi", "", word), share);
      item.style.setProperty("--width", String(Math.abs(sum) / most));
      return item;
    });
    byId(id).replaceChildren(...(items.length ? items : [make("li", "none", "Nothing much")]));
  }
}

/** @param {Piece[]} pieces @returns {[string, number][]} */
function sumByWord(pieces) {
  /** @type {Map<string, number>} */
  const sums = new Map();
  for (const { text, contribution } of pieces) {
    if (contribution === null || !READABLE.test(text)) continue;
    const word = text.toLowerCase();
    sums.set(word, (sums.get(word) ?? 0) + contribution);
  }
  return [...sums];
}

/** @param {Event} event */
function showDetails({ target }) {
  const element = /** @type {HTMLElement} */ (target).closest(".word, .frame");
  const found = element && details.get(element);
  if (!found) return;
  const [label, contribution, share] = found;
  const id = element.matches(".frame") ? "sentence-share" : "share";
  byId(id).className = `${id} ${sideOf(contribution)}`;
  byId(id).replaceChildren(
    make("bdi", "label", label),
    ` ${direction(contribution)}, ${percentOfWeight(share)} of all weight`,
  );
  if (id !== "share") markSentence(/** @type {HTMLElement} */ (element));
}

/** @param {Event} event */
function goToSentence({ target }) {
  const frame = /** @type {HTMLElement} */ (target).closest("button");
  if (!frame) return;
  const words = /** @type {HTMLElement[]} */ ([...byId("words").querySelectorAll(".word")]);
  words.find((word) => Number(word.dataset.start) >= Number(frame.dataset.start))?.focus();
}

/** @param {HTMLElement | null} frame */
function markSentence(frame) {
  const start = Number(frame?.dataset.start ?? 0);
  const end = Number(frame?.dataset.end ?? 0);
  for (const word of byId("words").querySelectorAll(".word")) {
    const at = Number(word.dataset.start);
    word.classList.toggle("in-sentence", at >= start && at < end);
  }
}

/** @param {number} contribution */
function sideOf(contribution) {
  return contribution < 0 ? "against" : "for";
}

/** @param {{contribution: number | null}[]} items @param {number} least */
function strongest(items, least) {
  return items.reduce((most, item) => Math.max(most, Math.abs(item.contribution ?? 0)), least);
}

/**
 * The model reads the two ends of a long review, so what it left out is the longest stretch between.
 * @param {Piece[]} pieces
 */
function longestUnread(pieces) {
  const unread = pieces.filter((piece) => piece.contribution === null);
  return unread.sort((a, b) => b.text.length - a.text.length)[0] ?? null;
}
