/** What the model says about itself. */

import { byId, say } from "./dom.js";
import { count, percent } from "./phrases.js";

const TERMS = ["precision", "recall", "f1", "auc", "ece"];

export function showModel({ version, architecture = "", metrics, limits }) {
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
