/** What the model says about itself. */

import { byId, make, say } from "./dom.js";
import { count } from "./phrases.js";

/** @typedef {import("./api.js").Model} Model */

/** @type {[string, string][]} metric, and what it is called */
const METRICS = [
  ["precision", "Precision"],
  ["recall", "Recall"],
  ["f1", "F1"],
  ["auc", "Area under curve"],
  ["ece", "Calibration error"],
];

/** @param {Model} model */
export function showModel(model) {
  const { accuracy, reviews } = model.metrics;
  byId("accuracy").textContent = isNumber(accuracy) ? `${(accuracy * 100).toFixed(1)}%` : "";
  byId("accuracy-text").textContent = accuracyInWords(accuracy, reviews);
  say(byId("architecture"), sentence(model.architecture ?? ""));
  byId("credits").replaceChildren(...creditsOf(model));
  say(byId("model-state"), "");
  byId("model-facts").hidden = false;
}

export function showNoModel() {
  say(byId("model-state"), "The model’s figures could not be loaded. Reviews may still be read.");
}

/** @param {unknown} accuracy @param {unknown} reviews */
function accuracyInWords(accuracy, reviews) {
  if (!isNumber(accuracy)) return "Its accuracy is not known.";
  if (!isNumber(reviews)) return "of reviews that it had never seen were judged right.";
  const right = count(Math.round(accuracy * reviews));
  return `right: ${right} of ${count(reviews)} reviews that it had never seen.`;
}

/** @param {Model} model */
function creditsOf(model) {
  /** @type {[string, string][]} */
  const credits = [["Model", model.version]];
  for (const [key, name] of METRICS) {
    const value = model.metrics[key];
    if (isNumber(value)) credits.push([name, value.toFixed(3)]);
  }
  if (isNumber(model.limits.tokens)) credits.push(["Reads up to", `${count(model.limits.tokens)} words and marks`]);
  return credits.map(([name, value]) => make("div", "", make("dt", "", name), make("dd", "", value)));
}

/** @param {string} text */
function sentence(text) {
  return text && `${text[0].toUpperCase()}${text.slice(1).replace(/\.$/, "")}.`;
}

/** @param {unknown} value @returns {value is number} */
function isNumber(value) {
  return typeof value === "number" && Number.isFinite(value);
}
