/** How a table is written, guessed from its beginning: delimiter, quotes, lines above it, header. */

import { headerScore, isKnownName, isPlainName, isPlainReview } from "./columns.js";
import { fieldText, readRecord } from "./delimited.js";
import { describe, isOfKind } from "./kinds.js";

const DELIMITERS = [",", ";", "\t", "|", "^", "~", "\x01", "\x1f", " "];

/** Records that are looked at. */
const SAMPLE = 200;
/** Lines that may stand above a table. */
const MAX_ABOVE = 20;
/** Score of a header. */
const MIN_HEADER = 0.9;
/** Share of rows that must fit where something speaks for a table. */
const MOST = 0.55;
/** The same, where nothing does. */
const NEARLY_ALL = 0.9;

/** Excel's line above a table: it says what puts the columns apart. */
const SEPARATOR = /^\s*"?sep=(.)"?[\r\n]+/i;

/** Kinds of cells that prose is not of. */
const CLOSED = ["number", "date", "address"];

/**
 * { dialect, above, hasHeader, names, column, isClear } of a text's beginning; nothing where it is no table.
 * delimiter, where it is given, is not guessed.
 */
export function guessTable(text, isWhole, { delimiter, isProse = false } = {}) {
  const line = SEPARATOR.exec(text);
  const candidates = delimiter ? [delimiter] : line ? [line[1]] : DELIMITERS;
  const escapes = text.includes('\\"') ? [false, true] : [false];
  const tables = candidates.flatMap((each) => escapes.map((escape) => tableOf(text, isWhole, each, escape, Boolean(line), isProse)));
  const accepted = tables.filter((table) => table && (delimiter || line || table.isLikely));
  return accepted.sort((a, b) => b.score - a.score)[0];
}

function tableOf(text, isWhole, delimiter, escape, hasSepLine, isProse) {
  const dialect = { delimiter, quotes: true, escape, expects: undefined };
  dialect.expects = expectationOfLines(text, delimiter);
  let records = recordsOf(text, dialect, isWhole);
  if (!dialect.expects) {
    dialect.expects = expectationOf(records);
    records = recordsOf(text, dialect, isWhole);
  }
  if (records.length === 0) return undefined;
  const table = frameOf(records, Number(hasSepLine));
  const { rows, width, hasHeader, names } = table;
  if (width < 2 || (!hasHeader && namesOneColumn(records[table.above - 1]))) return undefined;
  const kinds = kindsOf(rows.filter((row) => row.cells.length === width).map((row) => row.cells), width);
  dialect.expects = { width, kinds };
  const fitting = rows.filter((row) => alignCells(row, dialect.expects)).length / Math.max(rows.length, 1);
  const regular = rows.filter((row) => row.cells.length === width).length / Math.max(rows.length, 1);
  const odd = rows.filter((row) => row.spans.some((span) => isOdd(row.text.slice(span.start, span.end), span, escape))).length;
  const closed = kinds.filter((kind) => CLOSED.includes(kind)).length;
  const labels = rows.length > 1 ? kinds.filter((kind) => kind === "label").length : 0;
  const quoted = rows.filter((row) => row.spans.some((span) => span.isQuoted)).length;
  const isSpaced = rows.every((row) => row.spans.slice(1).every(({ start }) => row.text[start] === " "));
  const hasEvidence = hasHeader || closed > 0 || (delimiter === "\t" && regular === 1) || (quoted > rows.length / 2) || (labels > 0 && !isSpaced);
  const least = hasHeader || closed > 0 ? (isProse ? NEARLY_ALL : MOST) : NEARLY_ALL;
  const isQuotedBlank = delimiter !== " " || quoted === rows.length;
  const named = names.filter((name) => name.trim());
  const areNames = hasHeader && named.filter(isPlainName).length >= named.length * (rows.length ? 1 : MOST);
  return {
    dialect,
    ...table,
    isLikely: hasEvidence && isQuotedBlank && (fitting >= least || areNames),
    score: fitting + regular + Number(hasHeader) * 0.5 + Math.min(closed, 2) * 0.1 - (odd / Math.max(rows.length, 1)) * 0.5 - (delimiter === " " ? 0.4 : 0),
  };
}

/** Whether a field looks as if its quotes meant something else. */
function isOdd(field, { isQuoted }, escape) {
  return isQuoted ? !escape && /\\("|$)/.test(field) : /^\s*"|"\s*$/.test(field);
}

function recordsOf(text, dialect, isWhole) {
  const records = [];
  for (let at = 0; at < text.length && records.length < SAMPLE + MAX_ABOVE; ) {
    const gap = /[\r\n]*/y;
    gap.lastIndex = at;
    const skipped = gap.exec(text)[0];
    at += skipped.length;
    const record = at < text.length && readRecord(text, at, dialect, isWhole);
    if (!record) break;
    const spans = record.spans;
    const cells = spans.map((span) => fieldText(text, span, dialect));
    const isParted = skipped.replaceAll("\r\n", "\n").length > 1;
    const whole = { text, spans, cells, isParted, filled: cells.filter((cell) => cell.trim()).length };
    if (whole.filled && !isRuling(text.slice(at, record.end))) records.push(whole);
    at = record.end;
  }
  return records;
}

/** Lines that database programs draw between names and rows, and their count of these. */
export const isRuling = (line) => /^[\s|+:=-]*--[\s|+:=-]*$|^\s*\(\d+ rows?\)\s*$/.test(line);

/** What lines are like where nearly all of them, quotes being text, are rows of one width. */
function expectationOfLines(text, delimiter) {
  const lines = text.split(/\r\n|[\r\n]/).filter((line) => line.trim()).slice(0, SAMPLE).map((line) => line.split(delimiter));
  const width = usualWidth(lines.map((cells) => cells.length));
  const regular = lines.filter((cells) => cells.length === width);
  if (width < 2 || regular.length < lines.length * NEARLY_ALL) return undefined;
  return { width, kinds: kindsOf(regular.slice(1), width) };
}

function expectationOf(records) {
  const width = usualWidth(records.map(({ cells }) => cells.length));
  return { width, kinds: kindsOf(records.slice(1).map(({ cells }) => cells).filter((cells) => cells.length === width), width) };
}

function kindsOf(rows, width) {
  return Array.from({ length: width }, (_, at) => describe(rows.map((cells) => cells[at])).kind);
}

function usualWidth(widths) {
  const counts = new Map();
  for (const width of widths) counts.set(width, (counts.get(width) ?? 0) + 1);
  return [...counts].sort((a, b) => b[1] - a[1] || b[0] - a[0])[0]?.[0] ?? 0;
}

/** Which record is the header, if any; how wide rows are; what stands above. */
function frameOf(records, above) {
  const header = headerAt(records, above);
  const hasHeader = header !== undefined;
  const first = header ?? firstFull(records, above);
  const rows = records.slice(first + Number(hasHeader));
  const data = widthOf(rows);
  const names = hasHeader ? [...records[first].cells] : [];
  if (hasHeader && isOneShort(names, rows)) names.unshift("");
  const width = hasHeader ? names.length : data;
  return { above: first, hasHeader, names, width, rows };
}

/** Where commas that were not quoted make rows of many widths, each may have as many that no blank follows. */
function widthOf(rows) {
  const width = usualWidth(rows.map(({ cells }) => cells.length));
  const begun = rows.map((row) => beginnings(row).length);
  const least = usualWidth(begun);
  const areNearlyAll = (widths, one) => widths.filter((each) => each === one).length >= rows.length * NEARLY_ALL;
  const areOne = areNearlyAll(rows.map(({ cells }) => cells.length), width);
  return !areOne && least > 1 && areNearlyAll(begun, least) ? least : width;
}

/** Whether a line is the name of the only column: commas below it are those of prose. */
const namesOneColumn = (record) => record?.cells.length === 1 && headerScore(record.cells, []) >= MIN_HEADER;

/** Whether no line above a row could be one of those below it, which have numbers or dates where these have none. */
function areUnlike(lines, rows, width) {
  const kinds = kindsOf(rows.map(({ cells }) => cells), width).map((kind) => (CLOSED.includes(kind) ? kind : "text"));
  return lines.every(({ cells }) => cells.some((cell, at) => !isOfKind(cell, kinds[at])));
}

function headerAt(records, above) {
  if (records.slice(above + 1, above + 3).some(({ cells }) => cells.some(isOwnOfQualtrics))) return above;
  const candidates = records.slice(above, above + MAX_ABOVE).map((record, index) => {
    const rows = records.slice(above + index + 1);
    const lines = records.slice(above, above + index);
    const isFirst = index === 0 || record.isParted || lines.at(-1).filled < record.filled || areUnlike(lines, rows, record.cells.length);
    const isTitle = record.filled < 2 && record.cells.length > 2 && !isPlainName(record.cells.find((cell) => cell.trim()));
    const isTooNarrow = record.cells.length < 2 && !isOneShort(record.cells, rows);
    if (!isFirst || isTooNarrow || isTitle) return -1;
    const names = isOneShort(record.cells, rows) ? ["", ...record.cells] : record.cells;
    const isFull = !rows.length || rows.filter(({ cells }) => cells.length >= names.length || cells.length === 1).length >= rows.length / 2;
    const others = rows.filter(({ cells }) => !areSame(cells, record.cells));
    return isFull ? headerScore(names, others.map(({ cells }) => cells)) : -1;
  });
  const best = Math.max(...candidates, -1);
  return best >= MIN_HEADER ? above + candidates.indexOf(best) : undefined;
}

/** Qualtrics writes three rows of names: short ones, the questions, and its own. */
export const isOwnOfQualtrics = (cell) => cell.startsWith('{"ImportId":');

/** Of files that were put together, each has its header. */
export const areSame = (cells, names) => cells.length === names.length && cells.every((cell, at) => cell.trim() === names[at].trim());

/** R writes no name above the names of rows. A last column that is always empty is something else. */
function isOneShort(names, rows) {
  const wider = rows.filter(({ cells }) => cells.length === names.length + 1);
  if (!wider.length || wider.length < rows.length * NEARLY_ALL || !names.at(-1).trim()) return false;
  if (wider.every(({ cells }) => !cells.at(-1).trim())) return false;
  if (wider.every((row) => beginnings(row).length === names.length)) return false;
  // What is before a comma in prose is no number.
  if (names.length === 1 && !wider.every(({ cells }) => /^\d+$/.test(cells[0].trim()))) return false;
  return new Set(wider.map(({ cells }) => cells[0])).size === wider.length && wider.every(({ cells }) => !/\s\S+\s/.test(cells[0]));
}

/** Without a header, the table begins with the first row that is as wide as most. */
function firstFull(records, above) {
  const width = widthOf(records.slice(above));
  const found = records.slice(above, above + MAX_ABOVE).findIndex((row) => [row.cells.length, beginnings(row).length].includes(width) && row.filled > width / 3);
  return above + Math.max(found, 0);
}

/**
 * A record's cells in a table's columns; nothing where it can't be told which is which. A review whose
 * commas were not quoted has too many: they are put together where they begin with a blank, as commas in
 * prose do and delimiters do not, or where all other columns are of kinds that have no commas.
 */
export function alignCells({ text, spans, cells }, { width, kinds }, textColumn) {
  if (cells.length === width) return cells;
  if (cells.slice(width).every((cell) => !cell.trim()) && cells.length > width) return cells.slice(0, width);
  if (cells.length < width) return fitsShort(cells, kinds, textColumn) ? cells : undefined;
  const starts = beginnings({ text, spans, cells });
  if (starts.length === width) return starts.map((from, at) => joined(text, spans, cells, from, starts[at + 1] ?? spans.length));
  const open = kinds.flatMap((kind, at) => (kind === "text" || kind === "empty" ? [at] : []));
  if (open.length !== 1) return undefined;
  const more = cells.length - width;
  const [before, after] = [cells.slice(0, open[0]), cells.slice(open[0] + more + 1)];
  const others = kinds.filter((_, at) => at !== open[0]);
  if (![...before, ...after].every((cell, at) => isOfKind(cell, others[at]))) return undefined;
  return [...before, joined(text, spans, cells, open[0], open[0] + more + 1), ...after];
}

/** The cells that don't begin with a blank, as what follows a comma in prose does. */
function beginnings({ text, spans, cells }) {
  const isContinued = ({ start, isQuoted }, at) => at > 0 && !isQuoted && text[start] === " " && /\S/.test(cells[at]);
  return [...spans.keys()].filter((at) => !isContinued(spans[at], at));
}

function joined(text, spans, cells, from, to) {
  if (to === from + 1) return cells[from];
  const [first, last] = [spans[from], spans[to - 1]];
  const raw = text.slice(first.start - Number(first.isQuoted), last.end + Number(last.isQuoted));
  return /^\s*".*"\s*$/s.test(raw) ? raw.trim().slice(1, -1).replaceAll('""', '"') : raw;
}

function fitsShort(cells, kinds, textColumn) {
  return (textColumn === undefined || cells.length > textColumn) && cells.every((cell, at) => isOfKind(cell, kinds[at]));
}

/** For a text that is no table: whether a line at its beginning is the name of its only column. */
export function guessLines(text, isWhole, quotes) {
  const dialect = { delimiter: "", quotes, escape: false };
  const records = recordsOf(text, dialect, isWhole);
  const above = Number(SEPARATOR.test(text));
  const found = records.slice(above, above + 3).findIndex((record, at) => namesOneColumn(record) && (at === 0 || isPlainReview(record.cells[0])));
  const hasHeader = found >= 0;
  const first = above + Math.max(found, 0);
  const names = hasHeader ? records[first].cells : [];
  return { dialect, above: first, hasHeader, names, width: 1, rows: records.slice(first + Number(hasHeader)) };
}

/** Shares of lines that look like rows of a table in a way that no delimiter splits, and what puts their columns apart. */
const STRANGE = [
  [/\S::\S/, "“::”"],
  [/\S {2,}\S.* {2,}\S|^\S+ {2,}\S|^-+ +-+/, "blanks"],
  [/^\s*[\w-]+: \S|^\s*- [\w-]+: \S/, "names and colons"],
  [/^__label__\S+ /, "labels of fastText"],
  [/^\s*<\/?\w+[ >].*>\s*$/, "tags"],
  [/^\s*(var |let |const )?[\w.$]+\s*[=(]\s*[[{]/, "JavaScript"],
];

/** What puts the columns of a text apart that is no list of reviews, although it has one on each line. */
export function strangeness(text) {
  const lines = text.split(/[\r\n]+/).filter((line) => line.trim()).slice(0, SAMPLE);
  const found = STRANGE.find(([pattern]) => lines.filter((line) => pattern.test(line)).length >= lines.length * NEARLY_ALL);
  if (found) return found[1];
  const names = lines[0].trim().split(/\s+/);
  const areRows = lines.slice(1).every((line) => /^\s*"?\d+"?\s|\s-?\d[\d.]*\s*$/.test(line));
  return names.length > 1 && lines.length > 1 && names.every(isKnownName) && areRows ? "blanks" : undefined;
}
