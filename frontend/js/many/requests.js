/** Requests made of rows. */

import { countCodePoints } from "../offsets.js";
import { count } from "../phrases.js";

/** Bytes of a request, as Lambda takes 6 MB of escaped text. */
const LARGEST_BODY = 1_000_000;

/** A request with the reviews of rows, as many as fit; rest did not. */
export async function compose(source, rows, explain, most) {
  const batch = { rows: [], texts: [], problems: [], rest: [] };
  const parts = [];
  let size = 100;
  for (const [at, { text, problem }] of (await source.reviews(rows)).entries()) {
    const reason = problem ?? tooLong(text, most);
    const part = reason ? "" : JSON.stringify(text);
    size += new TextEncoder().encode(part).length + 1;
    if (size > LARGEST_BODY) {
      batch.rest = rows.slice(at);
      break;
    }
    if (reason) batch.problems.push([rows[at], reason]);
    else {
      parts.push(part);
      batch.rows.push(rows[at]);
      batch.texts.push(text);
    }
  }
  return { ...batch, body: `{"explain":${explain},"reviews":[${parts}]}` };
}

function tooLong(text, most) {
  const length = text.length > most ? countCodePoints(text) : 0;
  return length > most && { key: "too-long", facts: { found: count(length), limit: count(most) } };
}
