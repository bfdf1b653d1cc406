/** What a column holds: number, date, address, label (a word or two, as of a set), text, empty. */

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

/** { kind, words, values }: words is the mean number of words, values are those that are filled. */
export function describe(cells) {
  const values = cells.filter((cell) => cell !== undefined && !isBlank(cell));
  if (!values.length) return { kind: "empty", words: 0, values };
  const words = values.map((cell) => (cell.match(/[\p{L}\p{M}'’]+|\p{Extended_Pictographic}/gu) ?? []).length);
  const kind = TESTS.find(([, test]) => values.filter(test).length >= values.length * 0.9)?.[0] ?? "text";
  return { kind, words: words.reduce((sum, more) => sum + more, 0) / values.length, values };
}
