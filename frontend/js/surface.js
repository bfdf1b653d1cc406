/**
 * The one surface on which a review is written and marked: a text box with transparent letters over
 * a mirror of its text. The mirror is a single text node, and marks are ranges in it (CSS Custom
 * Highlight API): what stays of the text keeps its marks while the writer writes on.
 */

import { byId, make } from "./dom.js";
import { placesInUnits, sharedEnds } from "./offsets.js";

/** From the weakest claim on a letter to the strongest. */
const KINDS = ["unread", "chosen", "for-1", "against-1", "for-2", "against-2", "for-3", "against-3", "struck"];

const box = byId("review");
const mirror = byId("mirror");
const content = document.createTextNode("");
mirror.replaceChildren(content, document.createElement("br"));

/** Marks {from, to, kind} that are on show, in UTF-16 units. */
let onShow = [];

const highlights = typeof Highlight === "function" && CSS.highlights ? new Map() : undefined;
if (highlights) {
  KINDS.forEach((kind, priority) => {
    const highlight = new Highlight();
    highlight.priority = priority;
    highlights.set(kind, highlight);
    CSS.highlights.set(kind, highlight);
  });
}

/** Show what the box holds; only what changed is replaced, so ranges elsewhere stay. */
export function mirrorText() {
  const next = box.value;
  if (content.data === next) return;
  const { head, tail } = sharedEnds(content.data, next);
  content.replaceData(head, content.length - head - tail, next.slice(head, next.length - tail));
  delete mirror.dataset.fresh;
  if (!highlights) showSpans([]);
}

/**
 * Mark stretches {start, end, kind} of a text, in code points. Where the box holds another text by
 * now, what both begin and end with is marked.
 */
export function mark(text, stretches) {
  const places = placesInUnits(text);
  const { head, tail } = sharedEnds(text, content.data);
  const shift = content.length - text.length;
  const marks = stretches.flatMap(({ start, end, kind }) => {
    const [from, to] = [places[start], places[end]];
    if (to <= head) return { kind, from, to };
    if (from >= text.length - tail) return { kind, from: from + shift, to: to + shift };
    return [];
  });
  mirror.toggleAttribute("data-fresh", text === content.data);
  onShow = marks;
  if (highlights) highlight(marks);
  else showSpans(marks);
}

function highlight(marks) {
  for (const kind of KINDS) highlights.get(kind).clear();
  for (const { kind, from, to } of marks) highlights.get(kind).add(rangeOf(from, to));
}

/** Firefox prints no highlights: on paper, spans stand for them. */
addEventListener("beforeprint", () => highlights && showSpans(onShow.filter(({ kind }) => kind !== "chosen")));
addEventListener("afterprint", () => {
  if (!highlights) return;
  mirror.replaceChildren(content, document.createElement("br"));
  highlight(onShow);
});

/** Scroll a stretch of the text, in code points, to where it can be seen. */
export function reveal(text, { start, end }) {
  if (text !== content.data) return;
  const places = placesInUnits(text);
  const shown = highlights ? rangeOf(places[start], places[end]) : (mirror.querySelector(".chosen") ?? mirror);
  const { top, bottom } = shown.getBoundingClientRect();
  const [ceiling, floor] = [byId("gauge").getBoundingClientRect().bottom, byId("mood").getBoundingClientRect().top];
  if (top < ceiling || bottom > floor) scrollBy({ top: top - (ceiling + floor) / 2, behavior: "smooth" });
}

/** Where the caret is, or the selection begins, in code points. */
export function caret() {
  return Array.from(box.value.slice(0, box.selectionStart)).length;
}

function rangeOf(from, to) {
  const range = document.createRange();
  range.setStart(content, from);
  range.setEnd(content, to);
  return range;
}

/** Without highlights the mirror holds its text in pieces. */
function showSpans(marks) {
  const pieces = [];
  let at = 0;
  for (const { from, to, kind } of marks.toSorted((a, b) => a.from - b.from)) {
    if (from < at) continue;
    pieces.push(content.data.slice(at, from), make("span", `mark ${kind}`, content.data.slice(from, to)));
    at = to;
  }
  mirror.replaceChildren(...pieces, content.data.slice(at), document.createElement("br"));
}
