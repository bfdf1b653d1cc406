/** What the model says about itself, and what is known of its answers to texts of some length. */

import { byId, say } from "./dom.js";
import { count, percent } from "./phrases.js";

const TERMS = ["precision", "recall", "f1", "auc", "ece"];

let metrics = {};

export function showModel({ version, architecture = "", metrics: measured, limits }) {
  metrics = measured;
  const { accuracy, reviews, ece } = metrics;
  if (accuracy && reviews) {
    byId("accuracy").textContent = percent(accuracy, 1);
    const right = count(Math.round(accuracy * reviews));
    byId("accuracy-text").textContent = `right: ${right} of ${count(reviews)} reviews that it had never seen.`;
  }
  say("calibration", ece ? `Measured, it was off by ${(ece * 100).toFixed(1)} percentage points on average.` : "");
  byId("tokens").textContent = `${count(limits.tokens)} words and marks`;
  const figures = TERMS.filter((key) => metrics[key]).map((key) => `${key} ${metrics[key].toFixed(3)}`);
  byId("credits").textContent = `${[...figures, version].join(", ")}. ${architecture}`;
  say("model-state", "");
  byId("model-facts").hidden = false;
}

export function showNoModel() {
  say("model-state", "The model’s figures could not be loaded. Reviews may still be read.");
}

/**
 * How often the model was right on texts as long as this one: {accuracy, words}; accuracy is 1 where
 * nobody measured it, and words are empty.
 */
export function knownOf({ words, truncated }) {
  const { short_tokens: shortTokens, short_accuracy: shortAccuracy, slices = [] } = metrics;
  if (words.length <= shortTokens) return rightOften(shortAccuracy, "texts as short as this");
  const slice = truncated ? slices.at(-1) : slices.find(({ tokens }) => words.length <= Number(/^\d+ to (\d+)$/.exec(tokens)?.[1]));
  return rightOften(slice?.accuracy, "reviews of about this length");
}

function rightOften(accuracy, texts) {
  if (!accuracy) return { accuracy: 1, words: "" };
  return { accuracy, words: `On ${texts} the model is right ${Math.round(accuracy * 100)} times in 100.` };
}
