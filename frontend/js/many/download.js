/**
 * The same file with what was found added. The file's own bytes are copied, never written anew; so
 * cells that a spreadsheet takes for a formula stay, for other files may be joined by them. Only a
 * text file becomes what it was not, a CSV: there such a cell gets an apostrophe.
 */

import { objectOf } from "./formats.js";

const FORMULA = /^[=+\-@\t]/;
const BRACE = 125;

export async function downloadOf(source, { probabilities, reasons }) {
  const isText = source.format.id === "lines";
  const add = isText ? makeRecord : source.format.delimiter ? addColumns : addFields;
  const parts = isText ? [`review,${source.added}\n`] : [];
  for await (const { bytes, places } of source.chunks()) {
    const pieces = [];
    let copied = 0;
    for (const { row, start, end, width } of places) {
      const probability = probabilities[row];
      const sentiment = probability < 0.5 ? "negative" : "positive";
      const found = probability >= 0 ? [sentiment, probability, ""] : ["", "", reasons.get(row) ?? "Not scored."];
      if (!isText) pieces.push(bytes.subarray(copied, start));
      pieces.push(...add(source, bytes.subarray(start, end), row < 0 ? source.added : found, width));
      copied = end;
    }
    if (!isText) pieces.push(bytes.subarray(copied));
    parts.push(new Blob(pieces));
  }
  return new Blob(parts);
}

/** A record that is too short is filled up, so that what is added stands in its columns. */
function addColumns({ format: { delimiter, quotes }, records }, bytes, found, width) {
  const cells = found.map((cell) => (quotes ? quote(cell, delimiter) : String(cell).replace(/\s/g, " ")));
  return [bytes, delimiter.repeat(Math.max(records.widths[0] - width, 0) + 1) + cells.join(delimiter)];
}

function addFields({ added }, bytes, [sentiment, probability, problem]) {
  const object = objectOf(new TextDecoder().decode(bytes));
  if (!object) return [bytes];
  const values = problem ? [null, null, problem] : [sentiment, probability];
  const fields = values.map((value, at) => `"${added[at]}": ${JSON.stringify(value)}`).join(", ");
  const end = bytes.lastIndexOf(BRACE);
  return [bytes.subarray(0, end), (Object.keys(object).length ? ", " : "") + fields, bytes.subarray(end)];
}

function makeRecord(_, bytes, found) {
  const text = new TextDecoder().decode(bytes);
  const cells = [FORMULA.test(text) ? `'${text}` : text, ...found];
  return [`${cells.map((cell) => quote(cell, ",")).join(",")}\n`];
}

function quote(value, delimiter) {
  const cell = String(value);
  return /["\r\n]/.test(cell) || cell.includes(delimiter) ? `"${cell.replaceAll('"', '""')}"` : cell;
}
