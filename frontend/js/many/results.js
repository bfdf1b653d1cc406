/** What was found, in a few bytes a review (texts are not kept), and figures about groups of reviews. */

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

/** For 95 %. */
const Z = 1.96;

/** Wilson's interval of a share: [least, most] that the share of all such reviews may be. */
export function wilson(part, whole) {
  if (!whole) return [0, 1];
  const share = part / whole;
  const spread = (Z * Z) / whole;
  const middle = share + spread / 2;
  const margin = Z * Math.sqrt((share * (1 - share)) / whole + spread / (4 * whole));
  return [Math.max((middle - margin) / (1 + spread), 0), Math.min((middle + margin) / (1 + spread), 1)];
}

/**
 * What is known of each group: its name, the number of its scored reviews, how many are positive, their
 * mean probability, and the mean of numbers, where there are any. codes has the group of each row.
 */
export function groupsOf(codes, names, probabilities, numbers) {
  const groups = names.map((name, code) => ({ name, code, reviews: 0, positive: 0, sum: 0, numbers: 0, total: 0 }));
  for (let row = 0; row < codes.length; row += 1) {
    const group = groups[codes[row]];
    const probability = probabilities[row];
    if (!group || Number.isNaN(probability)) continue;
    group.reviews += 1;
    group.positive += Number(probability >= 0.5);
    group.sum += probability;
    const number = numbers?.[row] ?? NaN;
    if (!Number.isNaN(number)) {
      group.numbers += 1;
      group.total += number;
    }
  }
  return groups.filter(({ reviews }) => reviews).map(({ sum, numbers: known, total, ...group }) => ({
    ...group,
    share: group.positive / group.reviews,
    interval: wilson(group.positive, group.reviews),
    mean: sum / group.reviews,
    number: known ? total / known : NaN,
  }));
}

/**
 * Words that set a group apart from the rest, by the log-odds of a review having them, in standard errors
 * (Monroe, Colaresi and Quinn, "Fightin' Words", 2008, with a prior of what all reviews have). counts gives
 * for each word the number of reviews with it, within the group and elsewhere.
 */
export function tellingWords(counts, inside, outside, least = 3) {
  const all = inside + outside;
  const found = [];
  for (const [word, [within, elsewhere]] of counts) {
    if (within < least) continue;
    const prior = ((within + elsewhere) / all) * Math.min(all, 100);
    const rest = Math.min(all, 100) - prior;
    const odds = (part, whole) => (part + prior) / (whole - part + rest || 1);
    const difference = Math.log(odds(within, inside)) - Math.log(odds(elsewhere, outside));
    const error = Math.sqrt(1 / (within + prior) + 1 / (elsewhere + prior));
    found.push({ word, score: difference / error, share: within / inside, elsewhere: outside ? elsewhere / outside : 0 });
  }
  return found.sort((a, b) => b.score - a.score);
}
