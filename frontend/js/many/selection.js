/**
 * Which rows are shown, and in which order, found anew only when something has changed; and searches in
 * the reviews of a file, some rows at a time.
 */

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

const WORD = /[\p{L}\p{M}\p{N}]+(?:['’][\p{L}\p{M}]+)*/gu;

let latest;

/** For each row, whether its review passes the test; nothing when a later search has begun. */
export async function search(source, test) {
  const hits = (latest = new Uint8Array(source.count));
  for await (const [first, rows] of source.allCells()) {
    if (latest !== hits) return undefined;
    for (const [at, cells] of rows.entries()) hits[first + at] = Number(test(String(cells[source.column] ?? "")));
  }
  return hits;
}

/** Finds a text anywhere, or a whole word. */
export function patternOf(text, isWord) {
  const plain = text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
  return new RegExp(isWord ? `(?<![\\p{L}\\p{N}])${plain}(?![\\p{L}\\p{N}])` : plain, "giu");
}

/** For each word the numbers of scored reviews with it, in the group and elsewhere. */
export async function countWords(source, isScored, isInside) {
  const counts = new Map();
  const reviews = [0, 0];
  for await (const [first, rows] of source.allCells()) {
    for (const [at, cells] of rows.entries()) {
      if (!isScored(first + at)) continue;
      const side = isInside(first + at) ? 0 : 1;
      reviews[side] += 1;
      for (const word of new Set(String(cells[source.column] ?? "").toLowerCase().match(WORD))) {
        const found = counts.get(word);
        if (found) found[side] += 1;
        else counts.set(word, side ? [0, 1] : [1, 0]);
      }
    }
  }
  return { counts, inside: reviews[0], outside: reviews[1] };
}
