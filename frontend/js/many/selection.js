/** Which rows are shown, and in which order. They are found anew only when something has changed. */

import { binOf, FAILED, PENDING, SCORED, UNREADABLE } from "./results.js";

/** What comes first in an order has the smallest key; rows without a key come last. */
const ORDERS = {
  positive: (probability) => -probability,
  negative: (probability) => probability,
  unsure: (probability) => Math.abs(probability - 0.5),
};

/**
 * filter: { kind, bin, hits, group, disagree }, each of them or none: hits has 1 for each row with a
 * text, group is { codes, code }, disagree is a function of a row. order: one of ORDERS, or { keys, isDown }.
 */
export function rowsFor(results, filter, order) {
  const found = new Uint32Array(results.size);
  let size = 0;
  for (let row = 0; row < results.size; row += 1) {
    if (isShown(results, row, filter)) {
      found[size] = row;
      size += 1;
    }
  }
  const rows = found.subarray(0, size);
  if (!order) return rows;
  const keys = order.keys ?? results.probabilities.map(ORDERS[order]);
  const sign = order.isDown ? -1 : 1;
  return rows.sort((a, b) => Number.isNaN(keys[a]) - Number.isNaN(keys[b]) || sign * (keys[a] - keys[b]) || a - b);
}

function isShown(results, row, { kind, bin, hits, group, disagree }) {
  if (hits && !hits[row]) return false;
  if (group && group.codes[row] !== group.code) return false;
  if (kind && !isKind(results, row, kind)) return false;
  if (bin !== undefined && !(results.states[row] === SCORED && binOf(results.probabilities[row]) === bin)) return false;
  return !disagree || disagree(row);
}

function isKind(results, row, kind) {
  const state = results.states[row];
  if (kind === "pending") return state === PENDING;
  if (kind === "problem") return state === FAILED || state === UNREADABLE;
  return state === SCORED && results.verdictOf(row) === kind;
}

/** Whether rows come and go, or change places, while reviews are scored. */
export function dependsOnResults({ kind, bin, disagree }, order) {
  return Boolean(kind || bin !== undefined || disagree || (order && !order.keys));
}
