/** JSON that is not one object a line: where its reviews are, and tables that are not made of records. */

import { isKnownName } from "./columns.js";
import { quote } from "./delimited.js";
import { flatten, parseValue } from "./literals.js";
import { Refusal } from "./refusal.js";
import { StructureScanner } from "./structure.js";

const CHUNK = 256 * 1024;

/** Bytes of a document that has to be parsed as a whole: one whose columns are lists of values. */
const LARGEST = 64_000_000;

const LATIN = new TextDecoder("windows-1252");

/** Gives { starts, ends } of objects, or { table } where the reviews are not in objects of their own. */
export async function recordsIn(blob, isPython, progress) {
  const scanner = new StructureScanner(isPython);
  for (let at = 0; at < blob.size; at += CHUNK) {
    scanner.push(LATIN.decode(await blob.slice(at, at + CHUNK).arrayBuffer()));
    progress(at / blob.size);
  }
  scanner.end();
  const top = scanner.lists.get("");
  if (scanner.isBroken || !top.starts.length) throw new Refusal("damaged-json");
  if (top.starts.length > 1) return isOf(top, "{") ? top : tableFrom(blob, top);
  const lists = [...scanner.lists].filter(([path, { starts }]) => path && starts.length).map(([, list]) => list);
  const objects = largest(lists.filter((list) => isOf(list, "{")));
  if (top.types === "{") return (await tableOfColumns(blob, objects)) ?? objects ?? recordOrNothing(blob, top, lists);
  return objects ?? tableFrom(blob, lists[0]);
}

const isOf = ({ types }, kinds) => [...types].every((type) => kinds.includes(type));
const sizeOf = ({ starts, ends }) => ends.at(-1) - starts[0];

function largest(lists) {
  return lists.sort((a, b) => sizeOf(b) - sizeOf(a))[0];
}

async function wholeOf(blob) {
  if (blob.size > LARGEST) throw new Refusal("too-large", { limit: "64 MB" });
  const value = parseValue(await blob.text());
  if (value === undefined) throw new Refusal("damaged-json");
  return value;
}

/** pandas' ways to write a table by columns, and a table by the names of its rows. */
async function tableOfColumns(blob, objects) {
  if (objects && blob.size > LARGEST) return undefined;
  const value = await wholeOf(blob);
  if (Array.isArray(value.columns) && Array.isArray(value.data)) return tableOf(value.columns, value.data);
  const columns = Object.entries(value);
  const inner = columns.map(([, column]) => column);
  if (columns.length > 1 && inner.every(isListOfScalars) && new Set(inner.map(({ length }) => length)).size === 1) {
    return tableOf(columns.map(([name]) => name), inner[0].map((_, row) => inner.map((column) => column[row])));
  }
  const isNested = inner.length > 0 && inner.every((each) => each && typeof each === "object" && !Array.isArray(each) && Object.keys(each).length > 0);
  if (!isNested || objects) return undefined;
  return areRows(columns) ? tableOfRows(columns) : tableOfNamed(columns);
}

const isListOfScalars = (value) => Array.isArray(value) && value.length > 0 && value.every((each) => each === null || typeof each !== "object");

/** Whether the outer keys name rows, and the inner ones columns: rows are counted, columns have names that columns have. */
function areRows(entries) {
  const [outer, inner] = [entries.map(([key]) => key), Object.keys(entries[0][1])];
  const areCounted = (keys) => keys.every((key) => /^\d+$/.test(key));
  if (areCounted(inner)) return false;
  if (areCounted(outer)) return true;
  const known = (keys) => keys.filter(isKnownName).length / keys.length;
  return known(inner) === known(outer) ? outer.length > inner.length : known(inner) > known(outer);
}

function tableOfRows(entries) {
  const rows = entries.map(([, row]) => flatten(row));
  const names = [...new Set(rows.flatMap((row) => [...row.keys()]))];
  return tableOf(["", ...names], entries.map(([key], at) => [key, ...names.map((name) => rows[at].get(name))]));
}

function tableOfNamed(columns) {
  const keys = [...new Set(columns.flatMap(([, column]) => Object.keys(column)))];
  return tableOf(["", ...columns.map(([name]) => name)], keys.map((key) => [key, ...columns.map(([, column]) => column[key])]));
}

/** One object may be one review. */
async function recordOrNothing(blob, top, lists) {
  const strings = largest(lists.filter((list) => isOf(list, "\"'")));
  if (strings) return tableFrom(blob, strings);
  const hasText = [...flatten(await wholeOf(blob)).values()].some((value) => typeof value === "string" && /\p{L}/u.test(value));
  if (!hasText) throw new Refusal("no-records");
  return top;
}

/** A list of texts, or of lists. */
async function tableFrom(blob, list) {
  if (!list || !isOf(list, "\"'[(")) throw new Refusal("no-records");
  const rows = await elementsOf(blob, list);
  if (rows.every((row) => typeof row === "string")) return tableOf(["review"], rows.map((text) => [text]));
  return tableOf(undefined, rows.map((row) => [row].flat()));
}

async function elementsOf(blob, { starts, ends }) {
  const whole = await wholeOf(new Blob(["[", blob.slice(starts[0], ends.at(-1)), "]"]));
  if (whole.length !== starts.length) throw new Refusal("no-records");
  return whole;
}

/** names are those of the columns; without them, the first row may have them. */
function tableOf(names, rows) {
  const lines = (names ? [names, ...rows] : rows).map((cells) => `${cells.map((cell) => quote(plain(cell), ",", true)).join(",")}\n`);
  return { table: new Blob(lines), hasNames: names !== undefined };
}

const plain = (value) => (value !== null && typeof value === "object" ? JSON.stringify(value) : (value ?? ""));
