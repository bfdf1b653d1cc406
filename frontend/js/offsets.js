/** Places in a text, counted as the API does: in Unicode code points. A lone surrogate is one. */

export function countCodePoints(text) {
  return Array.from(text).length;
}

export function hasWords(text) {
  return /[\p{L}\p{N}]/u.test(text);
}

/** For each code point of the text, and its end, where it begins in UTF-16 units, as the DOM counts. */
export function placesInUnits(text) {
  const places = [0];
  for (const character of text) places.push(places.at(-1) + character.length);
  return places;
}

/**
 * Cut the text where its words begin and end; between them, contribution is null. Words that share
 * their place (several out of one HTML entity) become one piece.
 */
export function splitIntoPieces(text, words) {
  const characters = Array.from(text);
  const pieces = [];
  let read = 0;
  const cut = (end, contribution) => {
    pieces.push({ text: characters.slice(read, end).join(""), start: read, end, contribution });
    read = end;
  };
  for (const { start, end, contribution } of words.toSorted((a, b) => a.start - b.start)) {
    const from = Math.min(Math.max(start, read), characters.length);
    const to = Math.min(end, characters.length);
    const last = pieces.at(-1);
    if (to > from) {
      if (from > read) cut(from, null);
      cut(to, contribution);
    } else if (start < read && last && last.contribution !== null) {
      last.contribution += contribution;
    }
  }
  if (read < characters.length) cut(characters.length, null);
  return pieces;
}

/** The text with stretches of it turned into spaces, one for each character: offsets stay true. */
export function blankOut(text, stretches) {
  const characters = Array.from(text);
  for (const { start, end } of stretches) characters.fill(" ", start, end);
  return characters.join("");
}

/** How many UTF-16 units two texts share at the start, and of the rest at the end. */
export function sharedEnds(before, after) {
  const most = Math.min(before.length, after.length);
  let head = 0;
  while (head < most && before[head] === after[head]) head += 1;
  let tail = 0;
  while (tail < most - head && before.at(-1 - tail) === after.at(-1 - tail)) tail += 1;
  return { head, tail };
}
