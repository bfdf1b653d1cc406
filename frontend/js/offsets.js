/**
 * The API counts Unicode code points; JavaScript strings are indexed in UTF-16 code units, and an
 * emoji is two of those. A surrogate that stands alone counts as one of each.
 */

/**
 * @typedef {{start: number, end: number, contribution: number}} Span  offsets in code points
 * @typedef {{text: string, start: number, end: number, contribution: number | null}} Piece
 *   a stretch of the text, offsets in code points; contribution is null where the model read nothing
 */

const HIGH = 0xd800;
const LOW = 0xdc00;
const LAST = 0xdfff;

/** @param {string} text @param {number} at */
function isPair(text, at) {
  const first = text.charCodeAt(at);
  if (first < HIGH || first >= LOW) return false;
  const second = text.charCodeAt(at + 1);
  return second >= LOW && second <= LAST;
}

/** @param {string} text */
export function countCodePoints(text) {
  let count = 0;
  for (let at = 0; at < text.length; at += isPair(text, at) ? 2 : 1) count += 1;
  return count;
}

/**
 * Where each code point starts: `starts[i]` is the UTF-16 index of code point i, and the last entry
 * is the length of the text.
 * @param {string} text
 */
export function codePointStarts(text) {
  const starts = [];
  for (let at = 0; at < text.length; at += isPair(text, at) ? 2 : 1) starts.push(at);
  starts.push(text.length);
  return starts;
}

/**
 * Cut the text where its words begin and end. Joined together again, the pieces are the text.
 * Words that share their place (several out of one HTML entity) become one piece.
 * @param {string} text
 * @param {Span[]} words
 * @returns {Piece[]}
 */
export function splitIntoPieces(text, words) {
  const starts = codePointStarts(text);
  const length = starts.length - 1;
  /** @type {Piece[]} */
  const pieces = [];
  let read = 0;
  /** @param {number} end @param {number | null} contribution */
  const cut = (end, contribution) => {
    pieces.push({ text: text.slice(starts[read], starts[end]), start: read, end, contribution });
    read = end;
  };
  for (const { start, end, contribution } of [...words].sort((a, b) => a.start - b.start)) {
    const from = Math.min(Math.max(start, read), length);
    const to = Math.min(end, length);
    const last = pieces.at(-1);
    if (to > from) {
      if (from > read) cut(from, null);
      cut(to, contribution);
    } else if (start < read && last && last.contribution !== null) {
      last.contribution += contribution;
    }
  }
  if (read < length) cut(length, null);
  return pieces;
}
