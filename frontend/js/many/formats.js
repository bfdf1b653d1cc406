/** What a file of reviews can look like, and good guesses about the one at hand. */

export const FORMATS = [
  { id: "comma", name: "Columns, commas", delimiter: ",", quotes: true },
  { id: "semicolon", name: "Columns, semicolons", delimiter: ";", quotes: true },
  { id: "tab", name: "Columns, tabs", delimiter: "\t", quotes: true },
  { id: "plain-tab", name: "Columns, tabs, quotes are text", delimiter: "\t" },
  { id: "json", name: "JSON Lines" },
  { id: "lines", name: "One review a line" },
];

const TELLING = /review|text|comment|body|content|opinion|feedback/i;

export const formatOf = (id) => FORMATS.find((format) => format.id === id);

/** The fields of a record, as Python's csv module reads them. */
export function fieldsOf(record, { delimiter, quotes }) {
  const fields = [];
  for (let at = 0; ; at += 1) {
    const parts = [];
    while (quotes && record[at] === '"') {
      const close = record.indexOf('"', at + 1);
      const end = close < 0 ? record.length : close;
      parts.push(record.slice(at + 1, end));
      at = end + 1;
    }
    const next = record.indexOf(delimiter, at);
    fields.push(parts.join('"') + record.slice(at, next < 0 ? undefined : next));
    if (next < 0) return fields;
    at = next;
  }
}

export function objectOf(line) {
  try {
    return /^\s*\{/.test(line) ? JSON.parse(line) : undefined;
  } catch {
    return undefined;
  }
}

/** The id of a format; read gives the records at a file's beginning, none if their quotes are odd. */
export function guessFormat(name, firstLine, read) {
  if (/\.(jsonl|ndjson)$/i.test(name) || objectOf(firstLine)) return "json";
  const isText = /\.te?xt$/i.test(name);
  const usual = isText ? "lines" : /\.ta?[bs]v?$/i.test(name) ? "tab" : "comma";
  const candidates = isText ? ["tab", "plain-tab"] : [usual, "tab", "plain-tab", "comma", "semicolon"];
  return candidates.find((id) => id !== "lines" && isRegular(read(formatOf(id)))) ?? usual;
}

function isRegular([first = [], ...rest]) {
  const alike = rest.filter((record) => record.length === first.length);
  return first.length > 1 && rest.length > 0 && alike.length >= rest.length * 0.8;
}

/** Whether the first record names the columns. */
export function guessHeader([first = [], ...rest]) {
  const areNames = first.every((name) => /^\s*[^\d\s][^\n.!?]{0,40}$/.test(name));
  if (!rest.length || !areNames || new Set(first).size < first.length) return false;
  return first.some((name, at) => meanLength(rest, at) > 3 * name.length || (TELLING.test(name) && name.length < 25));
}

/** The index of the column that holds the most words, or is called what reviews are called. */
export function guessColumn(names, records) {
  const scores = names.map((name, at) => {
    const words = Math.min(meanLength(records, at), 400);
    if (/^reviews?$/i.test(name.trim())) return 1000 + words;
    return TELLING.test(name) ? 2 * words : words;
  });
  return Math.max(scores.indexOf(Math.max(...scores)), 0);
}

function meanLength(records, at) {
  const letters = records.map((record) => record[at] ?? "").join("").replace(/[^\p{L} ]/gu, "");
  return letters.length / Math.max(records.length, 1);
}
