/**
 * The film: one frame for each sentence, its light above or below the middle. Its strength is what it adds to
 * the logit; those of all sentences, and the bias, are the logit.
 */

import { byId, make, on, rove } from "./dom.js";
import { direction } from "./phrases.js";

/** Logits: below this a sentence's light is not shown at full height. */
const FULL = 1;

/** Frames that the film has at least; those without a sentence are not exposed yet. */
const MIN_FRAMES = 10;

/** Share of a frame's height that its light may take, in percent. */
const REACH = 46;

const strip = byId("strip");

let sentences = [];
let text = "";
let current;

/** choose(sentence) is told which frame was chosen. */
export function prepareStrip(choose) {
  rove(strip, "button");
  for (const type of ["pointerover", "focusin"]) on("strip", type, ({ target }) => quote(sentenceOf(target) ?? current));
  on("strip", "pointerleave", () => quote(current));
  on("strip", "click", ({ target }) => {
    current = sentenceOf(target) ?? current;
    for (const frame of strip.querySelectorAll("button")) frame.ariaCurrent = sentenceOf(frame) === current ? "true" : null;
    if (current) choose(current);
  });
  showStrip("", []);
}

/** Show sentences {start, end, strength} of a text. */
export function showStrip(review, items) {
  text = review;
  sentences = items;
  current = undefined;
  const full = Math.max(FULL, ...items.map(({ strength }) => Math.abs(strength)));
  const heights = items.map(({ strength }) => strength / full);
  const frames = items.map((item, index) => frameOf(item, heights, index));
  const blanks = Array.from({ length: Math.max(0, MIN_FRAMES - items.length) }, blank);
  strip.replaceChildren(...frames, ...blanks);
  quote();
}

function sentenceOf(target) {
  return sentences[target.closest("button")?.dataset.index];
}

function quote(sentence) {
  const line = byId("sentence-share");
  line.className = sentence ? sideOf(sentence) : "";
  if (!sentence) line.textContent = sentences.length ? "What each sentence adds to the verdict. Choose a frame." : "The film of your review, a frame for each sentence.";
  else line.replaceChildren(make("b", "", `${direction(sentence.strength)}: `), make("bdi", "", wordsOf(sentence)));
}

function wordsOf({ start, end }) {
  return Array.from(text).slice(start, end).join("").trim();
}

function frameOf(item, heights, index) {
  const bar = make("span", "bar");
  bar.style.setProperty("--height", Math.abs(heights[index]));
  const frame = make("button", `frame ${sideOf(item)}`, bar, curve(heights, index));
  const label = `Sentence ${index + 1} of ${heights.length} ${direction(item.strength)}`;
  Object.assign(frame, { type: "button", tabIndex: index ? -1 : 0, ariaLabel: label });
  frame.dataset.index = index;
  frame.setAttribute("aria-describedby", "sentence-share");
  return make("li", "", frame);
}

function blank() {
  const item = make("li", "", make("span", "frame"));
  item.ariaHidden = "true";
  return item;
}

/** The line through all frames, as far as it crosses this one. */
function curve(heights, index) {
  const here = heights[index];
  const halfwayTo = (other = here) => (here + other) / 2;
  const stops = [halfwayTo(heights[index - 1]), here, halfwayTo(heights[index + 1])];
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const line = document.createElementNS(svg.namespaceURI, "polyline");
  line.setAttribute("points", stops.map((height, x) => `${x * 50},${50 - height * REACH}`).join(" "));
  svg.setAttribute("viewBox", "0 0 100 100");
  svg.setAttribute("preserveAspectRatio", "none");
  svg.append(line);
  return svg;
}

function sideOf({ strength }) {
  return strength < 0 ? "against" : "for";
}
