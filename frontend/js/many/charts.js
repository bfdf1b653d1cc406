/** The results at a glance: share, histogram, words. */

import { byId, make } from "../dom.js";
import { count, percent } from "../phrases.js";
import { BINS } from "./results.js";

const TOP_WORDS = 10;

/** A word of fewer reviews, or of a smaller share of them, says more about one film than about films. */
const [LEAST_REVIEWS, LEAST_SHARE] = [3, 0.02];

export function showCharts({ counts: [, scored], bins, words, explained }) {
  const positive = bins.slice(BINS / 2).reduce((sum, more) => sum + more);
  byId("positive").textContent = scored ? percent(positive / scored, 1) : "–";
  byId("positive-text").textContent = `positive: ${count(positive)} of ${count(scored)} scored`;
  byId("bins").replaceChildren(...[...bins].map((size, bin) => {
    const range = make("span", "unseen", `${bin * 10} to ${bin * 10 + 10}%: `);
    return bar(bin < BINS / 2 ? "cool" : "", size / Math.max(...bins, 1), range, count(size), make("i"));
  }));
  const least = Math.max(LEAST_REVIEWS, explained * LEAST_SHARE);
  const known = [...words].map(([word, { sum, uses, reviews }]) => ({ word, weight: sum / uses, reviews }));
  const ranked = known.filter(({ reviews }) => reviews >= least).sort((a, b) => b.weight - a.weight);
  byId("sample-note").textContent = `By their mean weight where they occur, in ${count(explained, "review")} spread over the file. Words in fewer than ${Math.ceil(least)} are left out.`;
  showWords("words-for", ranked.filter(({ weight }) => weight > 0));
  showWords("words-against", ranked.filter(({ weight }) => weight < 0).reverse());
}

function showWords(id, known) {
  const items = known.slice(0, TOP_WORDS).map(({ word, weight, reviews }) =>
    bar("", weight / known[0].weight, make("bdi", "", word), make("span", "", `in ${count(reviews)}`)),
  );
  byId(id).replaceChildren(...items);
}

function bar(className, share, ...children) {
  const item = make("li", className, ...children);
  item.style.setProperty("--share", share);
  return item;
}
