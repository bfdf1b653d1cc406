/** What a file may be, why it can't be read, and what a column of it holds. */

/** A file that can't be read rightly. The words for it are in refusals.json, under this key. */
export class Refusal extends Error {
  constructor(key, facts = {}) {
    super(key);
    Object.assign(this, { key, facts });
  }
}

/** Fills {name} with facts.name. */
export function fillIn(words, facts = {}) {
  return words.replace(/\{(\w+)\}/g, (_, name) => facts[name]);
}

/** The formats that a visitor may choose, where the reader's guess is wrong. */
export const FORMATS = [
  { id: "comma", name: "Columns, commas", delimiter: "," },
  { id: "semicolon", name: "Columns, semicolons", delimiter: ";" },
  { id: "tab", name: "Columns, tabs", delimiter: "\t" },
  { id: "pipe", name: "Columns, pipes", delimiter: "|" },
  { id: "blank", name: "Columns, blanks", delimiter: " " },
  { id: "caret", name: "Columns, ^", delimiter: "^" },
  { id: "tilde", name: "Columns, ~", delimiter: "~" },
  { id: "control", name: "Columns, control characters", delimiter: "\x01" },
  { id: "unit", name: "Columns, unit separators", delimiter: "\x1f" },
  { id: "json", name: "JSON" },
  { id: "lines", name: "One review a line" },
];

/** What programs write where there is no value. */
const MISSING = new Set(
  "nan -nan na n/a #n/a #na null (null) [null] none nil <na> nat \\n #name? #value! #ref! #div/0! #null! #num! #n/a! #error! undefined missing n.a. (none) (empty) [empty] (blank) [blank] [deleted] [removed]".split(" "),
);

const NUMBER = /^\s*[-+]?[$€£]?\s?\d[\d.,\s]*(e[-+]?\d+)?\s*(%|\/\s?\d+)?\s*$/i;
const DATE = /^\s*(\d{4}[-/.]\d{1,2}([-/.]\d{1,2})?|\d{1,2}[-/.]\d{1,2}[-/.]\d{2,4}|\d{1,2}\.? \p{L}{3,9}\.?,? \d{4}|\p{L}{3,9}\.? \d{1,2},? \d{4})(,?[T ]\s?\d{1,2}:\d{2}.*)?\s*$/u;
const ADDRESS = /^\s*(https?:\/\/|www\.)\S+\s*$|^\s*\S+@\S+\.\w+\s*$|^\s*(\/|[a-z]:\\)\S+\s*$|^[\da-f]{8}-?[\da-f-]{8,}$/i;

export const isMissing = (cell) => MISSING.has(cell.trim().toLowerCase());
export const isNumber = (cell) => NUMBER.test(cell);
export const isDate = (cell) => DATE.test(cell);

const isBlank = (cell) => !cell.trim() || isMissing(cell);
const isLabel = (cell) => cell.trim().length <= 30 && cell.trim().split(/\s+/).length <= 2 && !/[.!?]$/.test(cell.trim());

const TESTS = [
  ["number", isNumber],
  ["date", isDate],
  ["address", (cell) => ADDRESS.test(cell)],
  ["label", isLabel],
];

/** Whether a cell could stand in a column of that kind. */
export function isOfKind(cell, kind) {
  const bare = cell.replace(/^\s*"(.*)"\s*$/s, "$1");
  const test = TESTS.find(([name]) => name === kind)?.[1];
  return !test || isBlank(bare) || test(bare);
}

/**
 * { kind, words, values }: kind is number, date, address, label (a word or two, as of a set), text or
 * empty, words is the mean number of words, values are those that are filled.
 */
export function describe(cells) {
  const values = cells.filter((cell) => cell !== undefined && !isBlank(cell));
  if (!values.length) return { kind: "empty", words: 0, values };
  const words = values.map((cell) => (cell.match(/[\p{L}\p{M}'’]+|\p{Extended_Pictographic}/gu) ?? []).length);
  const kind = TESTS.find(([, test]) => values.filter(test).length >= values.length * 0.9)?.[0] ?? "text";
  return { kind, words: words.reduce((sum, more) => sum + more, 0) / values.length, values };
}
