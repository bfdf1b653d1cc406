/** JSON that is not one object a line: where its reviews are, and tables that are not made of records. */

import { isKnownName, isPlainReview } from "./columns.js";
import { quote } from "./delimited.js";
import { Refusal } from "./kinds.js";
import { flatten, parseValue } from "./literals.js";

const OPEN = "{[(";
const CLOSE = "}])";
const SPACE = /\s/;

/** Finds, in JSON of any size and in Python's way of writing it, where the elements of lists are. */
class StructureScanner {
  /** Values that stand one after the other, and the elements of lists that only keys lead to, by these keys. */
  lists = new Map([["", newList()]]);
  /** Whether brackets or quotes don't match. */
  isBroken = false;

  constructor(isPython, offset = 0) {
    [this.quotes, this.offset] = [isPython ? "\"'" : '"', offset];
    this.stack = [{ close: "", isList: true, path: "", list: this.lists.get("") }];
    [this.quote, this.key, this.last] = ["", "", -1];
  }

  /** Of the bytes of an UTF-8 text, one character each. */
  push(text) {
    for (let at = 0; at < text.length && !this.isBroken; at += 1) {
      const letter = text[at];
      if (this.quote) {
        at = this.inString(text, at);
      } else if (!SPACE.test(letter)) this.meet(letter, this.offset + at);
    }
    this.offset += text.length;
  }

  inString(text, from) {
    const top = this.stack.at(-1);
    for (let at = from; at < text.length; at += 1) {
      const letter = text[at];
      const isEscaped = this.isEscaped;
      this.isEscaped = !isEscaped && letter === "\\";
      if (letter === this.quote && !isEscaped) {
        this.quote = "";
        this.last = this.offset + at;
        return at;
      }
      if (!top.isList && !top.isValue) this.key += letter;
    }
    return text.length;
  }

  meet(letter, place) {
    const top = this.stack.at(-1);
    if (letter === "," || letter === top.close) this.endElement(top);
    else if (top.list && top.start === undefined) Object.assign(top, { start: place, type: letter });
    if (this.quotes.includes(letter)) {
      this.quote = letter;
      this.key = top.isValue ? this.key : "";
    } else if (OPEN.includes(letter)) this.open(letter, top);
    else if (CLOSE.includes(letter)) this.close(letter);
    else if (letter === ":" && !top.isList) top.isValue = true;
    else if (letter === ",") top.isValue = false;
    this.last = place;
    // At the top, a value ends where its bracket closes: the next may follow without a comma.
    if (this.stack.length === 1 && CLOSE.includes(letter)) this.endElement(this.stack[0]);
  }

  endElement(top) {
    if (top.list && top.start !== undefined) {
      top.list.starts.push(top.start);
      top.list.ends.push(this.last + 1);
      top.list.types += top.list.types.length < 100 ? top.type : "";
      top.start = undefined;
    }
  }

  open(letter, top) {
    const isList = letter !== "{";
    const isReached = top.close === "" ? true : top.path !== undefined && !top.isList;
    const path = isReached && this.stack.length < 8 ? (top.close === "" ? "" : `${top.path}/${this.key}`) : undefined;
    const list = isList && path !== undefined ? this.listAt(`${path}[]`) : undefined;
    this.stack.push({ close: CLOSE[OPEN.indexOf(letter)], isList, path, list });
  }

  listAt(path) {
    if (!this.lists.has(path)) this.lists.set(path, newList());
    return this.lists.get(path);
  }

  close(letter) {
    if (this.stack.pop().close !== letter) this.isBroken = true;
    if (!this.stack.length) this.isBroken = true;
  }

  end() {
    if (this.isBroken) return;
    this.isBroken = Boolean(this.quote) || this.stack.length > 1;
    if (!this.isBroken) this.endElement(this.stack[0]);
  }
}

const newList = () => ({ starts: [], ends: [], types: "" });

const CHUNK = 256 * 1024;

/** Bytes of a document that has to be parsed as a whole: one whose columns are lists of values. */
const LARGEST = 64_000_000;

const LATIN = new TextDecoder("windows-1252");
const UTF_8 = new TextDecoder("utf-8", { ignoreBOM: true });

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
  const reached = [...scanner.lists].filter(([path, { starts }]) => path && starts.length);
  const lists = reached.map(([, list]) => list);
  const objects = await objectsIn(blob, reached.filter(([, list]) => isOf(list, "{")));
  if (top.types === "{") return (await tableOfColumns(blob, objects)) ?? objects ?? recordOrNothing(blob, top, lists);
  return objects ?? tableFrom(blob, lists[0]);
}

const isOf = ({ types }, kinds) => [...types].every((type) => kinds.includes(type));
const sizeOf = ({ starts, ends }) => ends.at(-1) - starts[0];

function largest(lists) {
  return lists.sort((a, b) => sizeOf(b) - sizeOf(a))[0];
}

/** The list of objects that is named as reviews are, or the largest; with those of the same kind beside it. */
async function objectsIn(blob, lists) {
  const isNamed = ([path]) => Number(isPlainReview(keyOf(path)));
  const [chosen, ...others] = lists.sort((a, b) => isNamed(b) - isNamed(a) || sizeOf(b[1]) - sizeOf(a[1]));
  if (!chosen) return undefined;
  const keys = await keysOf(blob, chosen[1]);
  const alike = [chosen[1]];
  for (const [path, list] of others) {
    const own = parentOf(path) === parentOf(chosen[0]) ? await keysOf(blob, list) : [];
    if (own.filter((key) => keys.includes(key)).length * 2 > keys.length) alike.push(list);
  }
  alike.sort((a, b) => a.starts[0] - b.starts[0]);
  return { ...chosen[1], starts: alike.flatMap(({ starts }) => starts), ends: alike.flatMap(({ ends }) => ends) };
}

const keyOf = (path) => path.slice(path.lastIndexOf("/") + 1, -2);
const parentOf = (path) => path.slice(0, path.lastIndexOf("/"));
const keysOf = async (blob, { starts, ends }) => Object.keys(Object(parseValue(await blob.slice(starts[0], ends[0]).text())));

async function wholeOf(blob) {
  if (blob.size > LARGEST) throw new Refusal("too-large", { limit: "64 MB" });
  const value = parseValue(await blob.text());
  if (value === undefined) throw new Refusal("damaged-json");
  return value;
}

/** pandas' ways to write a table by columns, and a table by the names of its rows. */
async function tableOfColumns(blob, objects) {
  if (objects && blob.size > LARGEST) return undefined;
  const value = objects ? await wholeOf(blob) : innermost(await wholeOf(blob));
  if (Array.isArray(value.columns) && Array.isArray(value.data)) return tableOf(value.columns, value.data);
  const columns = Object.entries(value);
  const inner = columns.map(([, column]) => column);
  if (columns.length > 1 && inner.every(isListOfScalars) && new Set(inner.map(({ length }) => length)).size === 1) {
    return tableOf(columns.map(([name]) => name), inner[0].map((_, row) => inner.map((column) => column[row])));
  }
  const isNested = inner.length > 0 && inner.every(isFilled);
  if (!isNested || objects) return undefined;
  return areRows(columns) ? tableOfRows(columns) : tableOfNamed(columns);
}

/** Objects that hold nothing but another one are left behind, down to one whose members are rows or columns. */
function innermost(value) {
  const [inner, ...others] = Object.values(value);
  const isChain = others.length === 0 && isFilled(inner) && Object.values(inner).every(isFilled);
  return isChain ? innermost(inner) : value;
}

const isFilled = (value) => value !== null && typeof value === "object" && !Array.isArray(value) && Object.keys(value).length > 0;

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

/** One object may be one review, or several by their films' names. */
async function recordOrNothing(blob, top, lists) {
  const strings = largest(lists.filter((list) => isOf(list, "\"'")));
  if (strings) return tableFrom(blob, strings);
  const entries = [...flatten(await wholeOf(blob))];
  const isText = ([, value]) => typeof value === "string" && /\p{L}/u.test(value);
  if (!entries.some(isText)) throw new Refusal("no-records");
  if (entries.length > 1 && entries.every(isText) && !entries.some(([name]) => isKnownName(name))) return tableOf(["", "review"], entries);
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
  if (blob.size > LARGEST) throw new Refusal("too-large", { limit: "64 MB" });
  const bytes = new Uint8Array(await blob.arrayBuffer());
  const values = starts.map((start, at) => parseValue(UTF_8.decode(bytes.subarray(start, ends[at]))));
  if (values.includes(undefined)) throw new Refusal("damaged-json");
  return values;
}

/** names are those of the columns; without them, the first row may have them. */
function tableOf(names, rows) {
  const lines = (names ? [names, ...rows] : rows).map((cells) => `${cells.map((cell) => quote(plain(cell), ",", true)).join(",")}\n`);
  return { table: new Blob(lines), hasNames: names !== undefined };
}

const plain = (value) => (value !== null && typeof value === "object" ? JSON.stringify(value) : (value ?? ""));
