/** A page of reviews, out of as many as there are. */

import { byId, make } from "../dom.js";
import { count, percent } from "../phrases.js";
import { FAILED, PENDING, SCORED } from "./results.js";

/** Rows on a page, and characters that are shown of a review. */
const [PAGE, MOST] = [50, 600];

export function createTable(textsOf) {
  let [page, drawn] = [0, ""];

  /** Rows that look as they did are left alone, so that nothing moves under a reader's eyes. */
  return async function draw(rows, results, step = 0) {
    const last = Math.max(Math.ceil(rows.length / PAGE) - 1, 0);
    page = Math.min(Math.max(page + step, 0), last);
    const from = page * PAGE;
    const shown = [...rows.slice(from, from + PAGE)];
    const where = `${count(shown.length && from + 1)} to ${count(from + shown.length)} of ${count(rows.length, "review")}`;
    if (byId("where").textContent !== where) byId("where").textContent = where;
    byId("previous").disabled = page === 0;
    byId("next").disabled = page === last;
    const looks = shown.map((row) => [row, results.states[row], results.probabilities[row]]).join();
    if (looks === drawn) return;
    drawn = looks;
    const texts = await textsOf(shown);
    if (looks === drawn) byId("rows").replaceChildren(...shown.map((row, at) => rowOf(results, row, texts[at] || "(empty)")));
  };
}

function rowOf({ states, probabilities, reasons }, row, text) {
  const review = make("td", "", text.length > MOST ? `${text.slice(0, MOST)}…` : text);
  review.dir = "auto";
  const head = Object.assign(make("th", "", count(row + 1)), { scope: "row" });
  const line = make("tr", "", head, review);
  const probability = probabilities[row];
  if (states[row] === SCORED) {
    const side = probability < 0.5 ? "Negative" : "Positive";
    line.append(make("td", side.toLowerCase(), side), make("td", "", percent(probability, 1)));
  } else {
    const words = states[row] === PENDING ? "Not scored yet" : reasons.get(row);
    const cell = make("td", "why", states[row] === FAILED ? `Failed. ${words}` : words);
    line.append(Object.assign(cell, { colSpan: 2 }));
  }
  return line;
}
