/**
 * Rows of delimited text. A quote opens a field only where one closes it, right before a delimiter
 * or a line's end; any other is text. A dialect is { delimiter, quotes, escape, expects }: without a
 * delimiter a line is one field; escape is "\" where quotes are written \"; expects, { width, kinds },
 * is what is known of rows, to tell rows that a stray quote would swallow from a field of many lines.
 */

import { isOfKind } from "./kinds.js";

/** Characters that a quoted field may have; the API takes far fewer. */
const MAX_FIELD = 1 << 20;

const LF = 10;
const CR = 13;
const BLANK = 32;
const QUOTE = 34;

const isLineEnd = (code) => code === LF || code === CR;

/**
 * The record at a place: { spans, end }, spans being start, end and whether it is quoted of each
 * field. Nothing where the text, which isn't the last of its file, may break off within it.
 */
export function readRecord(text, start, dialect, isLast) {
  const spans = [];
  for (let at = start; ; ) {
    const quoted = dialect.quotes ? quotedField(text, start, at, dialect) : undefined;
    if (quoted === RUN_OUT && !isLast) return undefined;
    const end = quoted?.end ?? fieldEnd(text, at, dialect.delimiter);
    if (end === text.length && !isLast) return undefined;
    spans.push(quoted?.close ? { start: quoted.open, end: quoted.close, isQuoted: true } : { start: at, end, isQuoted: false });
    if (end === text.length || isLineEnd(text.charCodeAt(end))) return { spans, end };
    at = end + 1;
  }
}

const RUN_OUT = {};

/** A field in quotes, with blanks around them or not. */
function quotedField(text, recordStart, at, dialect) {
  let open = at;
  while (dialect.delimiter !== " " && text.charCodeAt(open) === BLANK) open += 1;
  if (text.charCodeAt(open) !== QUOTE) return undefined;
  let isStray = false;
  for (let close = open + 1; ; close += 1) {
    close = text.indexOf('"', close);
    if (close < 0 || close - open > MAX_FIELD) return RUN_OUT;
    if (dialect.escape && isEscaped(text, close)) continue;
    if (text.charCodeAt(close + 1) === QUOTE) {
      close += 1;
      continue;
    }
    const end = afterBlanks(text, close + 1, dialect.delimiter);
    const isClosed = end === text.length || isLineEnd(text.charCodeAt(end)) || text[end] === dialect.delimiter;
    const isMany = /[\r\n]/.test(text.slice(open, close));
    if (isMany && (!isClosed || holdsRows(text.slice(recordStart, lineEnd(text, close)), dialect, isStray))) return undefined;
    if (isClosed) return { open: open + 1, close, end };
    isStray = true;
  }
}

function isEscaped(text, at) {
  let slashes = 0;
  while (text[at - 1 - slashes] === "\\") slashes += 1;
  return slashes % 2 === 1;
}

function afterBlanks(text, at, delimiter) {
  let end = at;
  while (delimiter !== " " && text.charCodeAt(end) === BLANK) end += 1;
  return end;
}

function fieldEnd(text, at, delimiter) {
  const wanted = delimiter ? delimiter.charCodeAt(0) : -1;
  let end = at;
  for (; end < text.length; end += 1) {
    const code = text.charCodeAt(end);
    if (code === wanted || isLineEnd(code)) break;
  }
  return end;
}

const lineEnd = (text, at) => fieldEnd(text, at, "");

/**
 * Whether every line is a row by itself, of the right width and kinds: then no quote holds them together.
 * After a quote that closes nothing, commas may be those of a review that is in no quotes.
 */
function holdsRows(text, { delimiter, expects }, isStray) {
  if (!expects || expects.width < 2) return false;
  const lines = text.split(/\r\n|[\r\n]/).filter((line) => line);
  const areClosed = expects.kinds.some((kind) => kind === "number" || kind === "date" || kind === "label");
  if (lines.length < 3 && !areClosed && delimiter !== "\t") return false;
  return lines.every((line) => {
    let cells = line.split(delimiter);
    if (isStray && cells.length > expects.width) cells = cells.filter((cell, at) => at === 0 || !/^ \S/.test(cell));
    return cells.length === expects.width && cells.every((cell, at) => isOfKind(cell, expects.kinds[at]));
  });
}

/** What a field says. */
export function fieldText(text, { start, end, isQuoted }, { delimiter, quotes, escape }) {
  const raw = text.slice(start, end);
  // Database programs draw pipes between blanks.
  if (!isQuoted && delimiter === "|") return raw.trim();
  // A quote at the end of a quotation within quotes, none of them doubled.
  if (!isQuoted) return quotes && /^ *"[^"].*[^"]"" *$/s.test(raw) ? raw.trim().slice(1, -1) : raw;
  const plain = raw.replaceAll('""', '"');
  return escape ? plain.replace(/\\(["\\])/g, "$1") : plain;
}

export function fieldsOf(text, dialect) {
  const { spans } = readRecord(text, 0, dialect, true);
  return spans.map((span) => fieldText(text, span, dialect));
}

export function quote(value, delimiter, always = false) {
  const cell = String(value);
  return always || /["\r\n]/.test(cell) || cell.includes(delimiter) ? `"${cell.replaceAll('"', '""')}"` : cell;
}

/** Finds where records begin and end, in bytes, as a file comes in. Blank lines are no records. */
export class RecordScanner {
  /** Of each record: its first byte, the byte after its last (the line end left out), its fields. */
  starts = [];
  ends = [];
  widths = [];
  /** Records that a blank line is above of. */
  parted = new Set();

  constructor(dialect, offset = 0) {
    [this.dialect, this.offset, this.text] = [dialect, offset, ""];
  }

  push(bytes, isLast) {
    // One character for each byte, so that places in it are places in the file.
    const text = this.text + LATIN.decode(bytes);
    let at = 0, lines = 0;
    while (at < text.length) {
      const code = text.charCodeAt(at);
      if (isLineEnd(code)) {
        lines += code === CR && text.charCodeAt(at + 1) === LF ? 0 : 1;
        at += 1;
        continue;
      }
      const record = readRecord(text, at, this.dialect, isLast);
      if (!record) break;
      if (/\S/.test(text.slice(at, record.end))) this.note(at, record, lines > 1, text);
      [at, lines] = [record.end, 0];
    }
    this.offset += at;
    this.text = text.slice(at);
  }

  note(at, { spans, end }, isParted) {
    if (isParted) this.parted.add(this.starts.length);
    this.starts.push(this.offset + at);
    this.ends.push(this.offset + end);
    this.widths.push(spans.length);
  }
}

const LATIN = new TextDecoder("windows-1252");
