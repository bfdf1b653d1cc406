/**
 * The same file with what was found added. The file's own bytes are copied, never written anew; so
 * cells that a spreadsheet takes for a formula stay, for other files may be joined by them. What was
 * no table with delimiters (lines of text, a workbook) becomes a CSV: there such a cell gets an
 * apostrophe. So does a row whose commas were not quoted, as its columns would not fit otherwise.
 */

import { quote } from "./reading/delimited.js";
import { objectOf } from "./reading/source.js";

/** A formula for a spreadsheet, at a cell's beginning or where another list separator would begin one. */
const FORMULA = /^\s*[=+\-@\uff1d\uff0b\uff0d\uff20]|(?<=[;\t\n\r])\s*[=+\-@\uff1d\uff0b\uff0d\uff20](?=[\s\w('"=+\-@])/g;
const BRACE = 125;

const utf8 = new TextDecoder("utf-8", { ignoreBOM: true });

/** reasonOf says why a row has no result. */
export async function downloadOf(source, results, reasonOf) {
  const isMade = source.rewritten || source.format.id === "lines";
  const add = isMade ? makeRecord : source.format.id === "json" ? addFields : addColumns;
  const isHeaded = isMade && !source.hasHeader;
  const parts = [new Uint8Array(isMade ? [] : source.mark)];
  if (isHeaded) parts.push(`${[...source.names.map((_, at) => (source.width === 1 ? "review" : source.titleOf(at))), ...source.added].map(always).join(",")}\n`);
  for await (const { bytes, places } of source.chunks()) {
    const pieces = [];
    let copied = 0;
    for (const { row, start, end } of places) {
      const record = utf8.decode(bytes.subarray(start, end));
      const probability = results.probabilities[row];
      const found = probability >= 0 ? [results.sentimentOf(row), probability, ""] : ["", "", row < 0 ? "" : reasonOf(row)];
      const isName = row === -1 && source.hasHeader;
      if (!isMade) pieces.push(bytes.subarray(copied, start));
      if (row >= 0 || isName) pieces.push(...add(source, bytes.subarray(start, end), record, isName ? source.added : found, isName));
      else if (!isMade) pieces.push(bytes.subarray(start, end));
      copied = end;
    }
    if (!isMade) pieces.push(bytes.subarray(copied));
    parts.push(await encoded(pieces, isMade ? "utf-8" : source.encoding, source.encode));
  }
  return new Blob(parts);
}

async function encoded(pieces, encoding, encode) {
  const blob = new Blob(pieces);
  return encoding === "utf-8" ? blob : new Blob([encode(utf8.decode(await blob.arrayBuffer()))]);
}

/** A record that is too short is filled up, so that what is added stands in its columns. */
function addColumns(source, bytes, record, found, isName) {
  const { delimiter, quotes } = source.dialect;
  const cells = found.map((cell) => (quotes ? quote(cell, delimiter) : String(cell).replace(/\s/g, " ")));
  const width = source.widthOf(record);
  if (width > source.width && !isName) return [[...(source.cellsIn(record) ?? [record]), ...found].map((cell) => quote(cell, delimiter)).join(delimiter)];
  const missing = isName ? 0 : source.width - width;
  return [bytes, delimiter.repeat(Math.max(missing, 0) + 1) + cells.join(delimiter)];
}

function addFields({ added, isPython }, bytes, record, [sentiment, probability, problem]) {
  const object = objectOf(record);
  if (!object) return [bytes];
  const values = problem ? [null, null, problem] : [sentiment, probability];
  const mark = isPython ? "'" : '"';
  const fields = values.map((value, at) => `${mark}${added[at]}${mark}: ${value === null && isPython ? "None" : JSON.stringify(value)}`).join(", ");
  const end = bytes.lastIndexOf(BRACE);
  const before = utf8.decode(bytes.subarray(0, end)).trimEnd();
  const comma = Object.keys(object).length === 0 || before.endsWith(",") ? "" : ", ";
  return [bytes.subarray(0, end), comma + fields, bytes.subarray(end)];
}

function makeRecord(source, _, record, found) {
  const cells = (source.cellsIn(record) ?? [record]).map((cell) => String(cell ?? ""));
  while (cells.length < source.width) cells.push("");
  return [`${[...cells.map(harmless), ...found].map(always).join(",")}\n`];
}

/** Everything is quoted, so that a list separator other than the comma splits nothing. */
const always = (cell) => quote(cell, ",", true);

/** A number may begin with a sign. */
export function harmless(cell) {
  return /^\s*[-+]?[\d.,\s%]+$/.test(cell) ? cell : cell.replace(FORMULA, "'$&");
}
