/** Finding texts and counting words in the reviews of a file, some rows at a time. */

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
