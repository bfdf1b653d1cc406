/** The results at a glance: share, histogram, words. A bar or a word, when pressed, filters the rows. */

import { byId, make } from "../dom.js";
import { count, percent } from "../phrases.js";
import { BINS, VERDICTS, wilson } from "./results.js";

const TOP_WORDS = 10;

/** A word of fewer reviews, or of a smaller share of them, says more about one film than about films. */
const MIN_REVIEWS = 3;
const MIN_SHARE = 0.02;

/** A word is listed where it weighs at least this share of what the weightiest does. */
const STANDS_OUT = 0.25;

const NAMES = { mixed: "mixed", unclear: "not enough to go on" };

/** pickBin(bin) and pickWord(word) filter the rows. */
export function prepareOverview(pickBin, pickWord) {
  const bars = Array.from({ length: BINS }, (_, bin) => {
    const button = make("button", bin < BINS / 2 ? "cool" : "warm", make("span", "unseen"), make("b", ""), make("i", ""));
    button.firstChild.textContent = `${bin * 10} to ${bin * 10 + 10}%: `;
    button.addEventListener("click", () => pickBin(bin));
    return make("li", "", button);
  });
  byId("bins").replaceChildren(...bars);
  for (const id of ["words-for", "words-against"]) {
    byId(id).addEventListener("click", ({ target }) => {
      const button = target.closest("button");
      if (button) pickWord(button.querySelector("bdi").textContent);
    });
  }
}

export function showOverview(results, chosenBin) {
  const { counts: [, scored], positive, bins, verdictCounts } = results;
  byId("positive").textContent = scored ? percent(positive / scored, 1) : "–";
  byId("positive-text").textContent = `positive: ${count(positive)} of ${count(scored)} scored`;
  byId("interval").textContent = scored ? intervalInWords(positive, scored) : "";
  byId("verdicts").textContent = ["mixed", "unclear"]
    .filter((verdict) => verdictCounts[VERDICTS.indexOf(verdict)])
    .map((verdict) => `${count(verdictCounts[VERDICTS.indexOf(verdict)])} ${NAMES[verdict]}`)
    .join(", ");
  const most = Math.max(...bins, 1);
  for (const [bin, item] of [...byId("bins").children].entries()) {
    const button = item.firstChild;
    button.children[1].textContent = count(bins[bin]);
    button.style.setProperty("--share", bins[bin] / most);
    button.ariaPressed = String(bin === chosenBin);
  }
  showWords(results);
}

export function intervalInWords(part, whole) {
  const [least, most] = wilson(part, whole);
  return `${percent(least, 1)} to ${percent(most, 1)} at 95% confidence, if they are a random sample`;
}

/** { praise, blame }: words that stand out, by their mean weight where they occur. */
export function rankWords({ words, explained }) {
  const least = Math.max(MIN_REVIEWS, explained * MIN_SHARE);
  const known = [...words].map(([word, { sum, uses, reviews }]) => ({ word, weight: sum / uses, reviews }));
  const frequent = known.filter(({ reviews }) => reviews >= least);
  const weightiest = Math.max(...frequent.map(({ weight }) => Math.abs(weight)), 0);
  const ranked = frequent.filter(({ weight }) => Math.abs(weight) > weightiest * STANDS_OUT).sort((a, b) => b.weight - a.weight);
  return {
    praise: ranked.filter(({ weight }) => weight > 0).slice(0, TOP_WORDS),
    blame: ranked.filter(({ weight }) => weight < 0).reverse().slice(0, TOP_WORDS),
    least: Math.ceil(least),
  };
}

let drawn = "";

function showWords(results) {
  const { praise, blame, least } = rankWords(results);
  byId("sample-note").textContent = `By what they add to the verdict on average where they occur, not by what it would be without them; in ${count(results.explained, "review")} spread over the file. Words in fewer than ${least} are left out.`;
  const looks = JSON.stringify([praise, blame]);
  // What has the focus must not be replaced by its like.
  if (looks === drawn) return;
  drawn = looks;
  for (const [id, known] of [["words-for", praise], ["words-against", blame]]) {
    byId(id).replaceChildren(...known.map(({ word, weight, reviews }) => {
      const button = make("button", "", make("bdi", "", word), make("span", "", `in ${count(reviews)}`));
      button.style.setProperty("--share", weight / known[0].weight);
      return make("li", "", button);
    }));
  }
}
