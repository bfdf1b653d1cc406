/** What was found, in a few bytes a review; texts are not kept. */

import { splitIntoPieces } from "../offsets.js";

export const BINS = 10;

/** States of a review; a FAILED one may be tried again. */
export const PENDING = 0;
export const SCORED = 1;
export const UNREADABLE = 2;
export const FAILED = 3;

/** The API's verdicts; where it gives none, the sentiment is the verdict. */
export const VERDICTS = ["", "positive", "negative", "mixed", "unclear"];

const READABLE = /[\p{L}\p{N}\p{Extended_Pictographic}]/u;

export class Results {
  reasons = new Map();
  /** Words, each with the sum of its contributions and the numbers of its uses and its reviews. */
  words = new Map();
  explained = 0;
  bins = new Uint32Array(BINS);
  counts = new Uint32Array(4);
  verdictCounts = new Uint32Array(VERDICTS.length);
  /** Grows with each change. */
  version = 0;
  model = "";

  constructor(size) {
    this.size = size;
    this.states = new Uint8Array(size);
    this.verdicts = new Uint8Array(size);
    this.probabilities = new Float64Array(size).fill(NaN);
    this.counts[PENDING] = size;
  }

  set(row, state, { probability = NaN, verdict = "", reason } = {}) {
    this.counts[this.states[row]] -= 1;
    this.counts[state] += 1;
    this.verdictCounts[this.verdicts[row]] -= Number(this.verdicts[row] > 0);
    this.states[row] = state;
    this.probabilities[row] = probability;
    this.verdicts[row] = Math.max(VERDICTS.indexOf(verdict), 0);
    this.verdictCounts[this.verdicts[row]] += Number(this.verdicts[row] > 0);
    if (state === SCORED) this.bins[binOf(probability)] += 1;
    if (reason) this.reasons.set(row, reason);
    else this.reasons.delete(row);
    this.version += 1;
  }

  /** Scored reviews that are positive. */
  get positive() {
    return this.bins.subarray(BINS / 2).reduce((sum, more) => sum + more, 0);
  }

  sentimentOf(row) {
    return this.probabilities[row] < 0.5 ? "negative" : "positive";
  }

  verdictOf(row) {
    return VERDICTS[this.verdicts[row]] || this.sentimentOf(row);
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
}

export const binOf = (probability) => Math.min(Math.floor(probability * BINS), BINS - 1);
