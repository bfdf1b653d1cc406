/** What was found, in a few bytes a review; texts are not kept. */

import { splitIntoPieces } from "../offsets.js";

export const BINS = 10;

/** States of a review; a FAILED one may be tried again. */
export const [PENDING, SCORED, UNREADABLE, FAILED] = [0, 1, 2, 3];

const KINDS = ["pending", "", "problem", "problem"];

/** What comes first in an order has the smallest key. */
const ORDERS = {
  positive: (probability) => -probability,
  negative: (probability) => probability,
  unsure: (probability) => Math.abs(probability - 0.5),
};

const READABLE = /[\p{L}\p{N}\p{Extended_Pictographic}]/u;

export class Results {
  reasons = new Map();
  /** Words, each with the sum of its contributions and the numbers of its uses and its reviews. */
  words = new Map();
  explained = 0;
  bins = new Uint32Array(BINS);
  counts = new Uint32Array(4);

  constructor(size) {
    this.size = size;
    this.states = new Uint8Array(size);
    this.probabilities = new Float64Array(size).fill(NaN);
    this.counts[PENDING] = size;
  }

  set(row, state, { probability = NaN, reason } = {}) {
    this.counts[this.states[row]] -= 1;
    this.counts[state] += 1;
    this.states[row] = state;
    this.probabilities[row] = probability;
    if (state === SCORED) this.bins[Math.min(Math.floor(probability * BINS), BINS - 1)] += 1;
    if (reason) this.reasons.set(row, reason);
    else this.reasons.delete(row);
  }

  rowsIn(state) {
    return [...this.states.keys()].filter((row) => this.states[row] === state);
  }

  addWords(text, spans) {
    const seen = new Set();
    for (const { text: piece, contribution } of splitIntoPieces(text, spans)) {
      const word = piece.toLowerCase();
      if (contribution === null || !READABLE.test(word)) continue;
      const { sum, uses, reviews } = this.words.get(word) ?? { sum: 0, uses: 0, reviews: 0 };
      this.words.set(word, { sum: sum + contribution, uses: uses + 1, reviews: reviews + Number(!seen.has(word)) });
      seen.add(word);
    }
    this.explained += 1;
  }

  kindOf(row) {
    return KINDS[this.states[row]] || (this.probabilities[row] < 0.5 ? "negative" : "positive");
  }

  /** Rows for the table: of that kind, if any; among the hits, if any; in that order, or the file's. */
  view({ kind, hits, order }) {
    const all = new Uint32Array(this.size).map((_, row) => row);
    const rows = all.filter((row) => (!kind || kind === this.kindOf(row)) && (!hits || hits[row]));
    if (!order) return rows;
    const keys = this.probabilities.map(ORDERS[order]);
    // Those without a result come last.
    return rows.sort((a, b) => Number.isNaN(keys[a]) - Number.isNaN(keys[b]) || keys[a] - keys[b] || a - b);
  }
}
