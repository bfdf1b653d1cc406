/** Why the model thinks so: marks in the text, the strongest words or sentences, and what if. */

import { byId, make, on, say } from "./dom.js";
import { blankOut, hasWords } from "./offsets.js";
import { direction, shortVerdict } from "./phrases.js";
import { prepareStrip, showStrip } from "./strip.js";
import { caret, mark, reveal } from "./surface.js";

/** Logits: a text whose strongest word does less than this has no word that stands out. */
const MIN_STRONGEST = 0.2;

/** Shares of the strongest word from which a word is marked, and marked more. */
const LEVELS = [0.25, 0.5, 0.75];

/** Letters, digits, emoji: a full stop may count, but says nothing to a reader. */
const WORTH_MARKING = /[\p{L}\p{N}\p{Extended_Pictographic}]/u;

/** How many of the strongest are listed each way. */
const LISTED = 3;

/** Of a review with more sentences than this, the strongest sentences are listed, not words. */
const MAX_SHORT_SENTENCES = 8;

/** What is on show: the review, what the model made of it whole, and of it without what is struck. */
let review = "";
let characters = [];
let whole;
let answer;
let words = [];
let struck = new Map();
let inHand;
let chosen;
let ask;
let putBack;

/** ask(text, sent) asks about what is left; putBack(text, answer) shows the whole review again. */
export function prepareExplanation(listeners) {
  ({ ask, putBack } = listeners);
  prepareStrip((sentence) => choose(sentence));
  document.addEventListener("selectionchange", () => {
    if (document.activeElement === byId("review")) takeFromCaret();
  });
  on("strike", "click", () => inHand && toggle(inHand));
  on("put-back", "click", () => {
    struck.clear();
    byId("review").focus();
    askAgain();
  });
}

/** Show an answer; gives the answer to the whole review where it is another than this one. */
export function showExplanation(text, next, isWhole) {
  if (isWhole) {
    if (text !== review) inHand = chosen = undefined;
    review = text;
    characters = Array.from(text);
    whole = next;
    struck.clear();
  }
  answer = next;
  words = mergePlaces([...answer.words, ...struck.values()].map(withStrength));
  byId("truncated").hidden = !answer.truncated;
  byId("explanation").hidden = false;
  paint();
  showStrongest();
  showStrip(review, answer.sentences.map(withStrength));
  showInHand();
  showWhatIf(answer);
  return isWhole ? undefined : whole;
}

export function hideExplanation() {
  byId("explanation").hidden = true;
  inHand = chosen = undefined;
  for (const id of ["share", "strike", "put-back"]) say(id, "");
  mark("", []);
  showStrip("", []);
}

/** The stretches {start, end} that are struck out of the review on show. */
export function struckOut() {
  return [...struck.values()].map(({ start, end }) => ({ start, end }));
}

/** Strike out stretches of the review on show, as a link asks for. */
export function strikeOut(stretches) {
  for (const { start, end } of stretches) struck.set(start, strikeOf({ start, end }));
  if (struck.size) askAgain();
}

/** Where the API measured what a word does to the verdict, that; otherwise its share of the sum. */
function withStrength(item) {
  return { ...item, strength: item.effect ?? item.contribution };
}

/** Words that share their place (several out of one HTML entity) are one; bare marks are none. */
function mergePlaces(items) {
  const places = new Map();
  for (const item of items) {
    const other = places.get(item.start);
    if (other) other.strength += item.strength;
    else if (WORTH_MARKING.test(textOf(item))) places.set(item.start, item);
  }
  return [...places.values()];
}

function paint() {
  const strongest = Math.max(MIN_STRONGEST, ...words.map(({ strength }) => Math.abs(strength)));
  for (const word of words) word.level = LEVELS.filter((least) => Math.abs(word.strength) >= least * strongest).length;
  const marks = words
    .filter(({ start, level }) => level > 0 && !struck.has(start))
    .map(({ start, end, strength, level }) => ({ start, end, kind: `${sideOf(strength)}-${level}` }));
  for (const { start, end } of struck.values()) marks.push({ start, end, kind: "struck" });
  if (chosen) marks.push({ ...chosen, kind: "chosen" });
  if (answer.truncated) marks.push(...unreadStretches());
  mark(review, marks);
}

/** The largest gap between words that were read: the middle, which the model skipped. */
function unreadStretches() {
  const read = answer.words.toSorted((a, b) => a.start - b.start);
  const gaps = read.slice(1).map(({ start }, index) => ({ start: read[index].end, end: start, kind: "unread" }));
  return gaps.toSorted((a, b) => b.end - b.start - (a.end - a.start)).slice(0, 1);
}

function showStrongest() {
  const isLong = answer.sentences.length > MAX_SHORT_SENTENCES;
  const items = isLong ? answer.sentences.map(withStrength) : words.filter(({ level, start }) => level > 0 && !struck.has(start));
  const strongest = Math.max(...items.map(({ strength }) => Math.abs(strength)));
  for (const [id, sign] of [["strongest-for", 1], ["strongest-against", -1]]) {
    const listed = items
      .filter(({ strength }) => strength * sign > 0)
      .toSorted((a, b) => Math.abs(b.strength) - Math.abs(a.strength))
      .slice(0, LISTED);
    const nodes = listed.map((item) => strongItem(item, strongest, isLong));
    byId(id).replaceChildren(...(nodes.length ? nodes : [make("li", "hint", "Nothing that stands out")]));
  }
}

function strongItem(item, strongest, isSentence) {
  const bar = make("i");
  bar.style.setProperty("--share", Math.abs(item.strength) / strongest);
  const button = make("button", "", make("bdi", "", textOf(item)), bar);
  button.type = "button";
  button.addEventListener("click", () => (isSentence ? choose(item) : takeInHand(item)));
  return make("li", "", button);
}

function takeFromCaret() {
  if (!answer || byId("mirror").dataset.fresh === undefined) return;
  const at = caret();
  const word = words.find(({ start, end }) => start <= at && at <= end && hasWords(textOf({ start, end })));
  if (word) takeInHand(word, false);
}

function takeInHand(word, show = true) {
  inHand = word;
  showInHand();
  if (show) reveal(review, word);
}

function choose(sentence) {
  chosen = { start: sentence.start, end: sentence.end };
  paint();
  reveal(review, chosen);
}

function showInHand() {
  const word = inHand && words.find(({ start }) => start === inHand.start);
  say("strike", word ? "Strike it out" : "");
  byId("share").hidden = false;
  byId("share").className = word && word.level ? sideOf(word.strength) : "";
  if (!word) {
    byId("share").textContent = "Put the cursor on a word: what if it were not there?";
    return;
  }
  const isStruck = struck.has(word.start);
  const said = isStruck ? " is struck out" : ` ${direction(word.strength, word.level)}`;
  byId("share").replaceChildren(make("bdi", "", textOf(word)), said);
  if (isStruck) say("strike", "Put it back");
}

function toggle({ start, end }) {
  if (!struck.delete(start)) struck.set(start, strikeOf({ start, end }));
  askAgain();
}

function strikeOf({ start, end }) {
  return { start, end, contribution: 0, effect: 0 };
}

function askAgain() {
  showInHand();
  showWhatIf();
  paint();
  if (struck.size === 0) putBack(review, whole);
  else if (hasWords(rest())) ask(review, rest());
}

/** Before and after; without an answer, the answer is awaited. */
function showWhatIf(after) {
  const without = [...struck.values()].sort((a, b) => a.start - b.start).map((word) => `“${textOf(word)}”`);
  const more = without.length > LISTED ? ` and ${without.length - LISTED} more` : "";
  const names = make("bdi", "", `Without ${without.slice(0, LISTED).join(", ")}${more}:`);
  let said = [names, ` ${shortVerdict(whole)} → `, make("strong", "", after ? shortVerdict(after) : "…")];
  if (without.length === 0) said = [];
  else if (!hasWords(rest())) said = ["Every word is struck out: nothing is left to read."];
  say("put-back", without.length ? "Put all back" : "");
  byId("what-if-text").replaceChildren(...said);
}

function rest() {
  return blankOut(review, [...struck.values()]);
}

function textOf({ start, end }) {
  return characters.slice(start, end).join("").trim();
}

function sideOf(strength) {
  return strength < 0 ? "against" : "for";
}
