/** A file of reviews. Its text stays in a Blob, out of the page's memory; here are only places. */

import { chooseColumn } from "./columns.js";
import { unwrap } from "./containers.js";
import { fieldsOf, fieldText, readRecord, RecordScanner } from "./delimited.js";
import { alignCells, areSame, guessLines, guessTable, isOwnOfQualtrics, isRuling, strangeness } from "./dialects.js";
import { recordsIn } from "./documents.js";
import { encoderOf, ENCODING_NAMES, toUtf8 } from "./encodings.js";
import { FORMATS, isMissing, Refusal } from "./kinds.js";
import { flatten, parseValue } from "./literals.js";

/** Bytes: looked at in one go, as the page must stay responsive. */
const CHUNK = 256 * 1024;

/** Rows from which columns are known. */
const SAMPLE = 200;

const utf8 = new TextDecoder("utf-8", { ignoreBOM: true });
const bytesOf = async (blob) => new Uint8Array(await blob.arrayBuffer());

/** A copy, out of the page's memory: the file on the disk may change or go. */
export async function copyOf(file) {
  const parts = [];
  try {
    for (let at = 0; at < file.size; at += CHUNK) parts.push(new Blob([await file.slice(at, at + CHUNK).arrayBuffer()]));
  } catch {
    throw new Refusal("unreadable");
  }
  return new File(parts, file.name);
}

/** Reads what a file is; format is one of FORMATS' ids, where it is known better. */
export async function openSource(file, { format, sheet, progress = () => {} } = {}) {
  const source = new Source(file);
  await source.open(format, sheet, progress);
  return source;
}

export class Source {
  /** Of rows that can't be read whatever column is chosen: { key, facts } for refusals.json. */
  problems = new Map();
  notices = [];
  /** Records before the first row: what is above the table, and the header. */
  header = 0;
  column = 0;

  constructor(file) {
    [this.file, this.name] = [file, file.name];
  }

  get count() {
    return Math.max(this.records.starts.length - this.header, 0);
  }

  async open(format, sheet, progress) {
    const inner = await unwrap(this.file, this.name, sheet);
    const { blob, encoding, mark } = await toUtf8(inner.blob, progress);
    Object.assign(this, { blob, encoding, mark, ...inner, blob });
    this.encode = encoderOf(encoding);
    this.head = await this.headText();
    if (!this.head.trim()) throw new Refusal("nothing");
    if (encoding === "windows-1252" || encoding === "macintosh") this.note("encoding", { encoding: ENCODING_NAMES[encoding] });
    if (this.sheets?.length > 1) this.note("sheet", { count: this.sheets.length, name: this.sheet });
    if (format === "json" || (!format && !this.rewritten && looksLikeJson(this.head, this.name))) await this.openJson(progress);
    else await this.openTable(FORMATS.find(({ id }) => id === format), progress);
    if (this.rewritten) this.note("rewritten");
    if (!this.count) throw new Refusal(this.hasHeader ? "only-names" : "nothing");
    await this.settleColumn(Boolean(format));
  }

  note(key, facts) {
    this.notices.push({ key, facts });
  }

  /** The text's beginning, up to the end of a character. */
  async headText() {
    const text = utf8.decode(await bytesOf(this.blob.slice(0, CHUNK)), { stream: false });
    return text.endsWith("\ufffd") ? text.slice(0, -1) : text;
  }

  async openTable(wanted, progress, hasNames) {
    const isWhole = this.blob.size <= CHUNK;
    const isText = /\.te?xt$/i.test(this.name);
    const given = this.rewritten ? { delimiter: "," } : { delimiter: wanted?.delimiter, isProse: isText };
    const table = wanted?.id === "lines" ? undefined : guessTable(this.head, isWhole, given);
    const found = table ?? guessLines(this.head, isWhole, this.rewritten || (!isText && wanted?.id !== "lines"));
    const apart = !wanted && !this.rewritten && strangeness(this.head);
    if (apart && !(table && apart === "blanks")) throw new Refusal("strange-table", { apart });
    if (hasNames) Object.assign(found, { hasHeader: true, above: 0, names: fieldsOf(this.head.slice(0, readRecord(this.head, 0, found.dialect, true).end), found.dialect) });
    this.dialect = found.dialect;
    this.format = FORMATS.find((each) => each.delimiter === this.dialect.delimiter) ?? FORMATS.at(-1);
    [this.hasHeader, this.above] = [found.hasHeader, found.above];
    this.header = found.above + Number(found.hasHeader);
    this.width = found.width;
    this.names = found.hasHeader ? found.names.map((name) => name.trim()) : Array.from({ length: found.width }, () => "");
    if (found.above) this.note(found.above > 1 ? "above" : "one-above", { count: found.above });
    const rows = found.rows.map((row) => alignCells(row, this.expects)).filter(Boolean);
    this.guessed = chooseColumn(this.names, rows);
    if (this.guessed) this.column = this.guessed.column;
    this.records = new TableScanner(this.dialect, this.expects, found.hasHeader ? { names: found.names, first: this.header, named: namedWidth(found) } : undefined);
    await this.scan(progress);
    this.problems = this.records.finish();
    const misfits = [...this.problems.keys()].filter((record) => record >= this.header).length;
    if (misfits) this.note("misfits", { count: misfits });
  }

  get expects() {
    return this.dialect.expects ?? { width: this.width, kinds: ["text"] };
  }

  async openJson(progress) {
    this.format = FORMATS.find(({ id }) => id === "json");
    this.isPython = isPythonic(this.head);
    if (areLines(this.head)) {
      this.records = new RecordScanner({ delimiter: "", quotes: false });
      await this.scan(progress);
    } else {
      const found = await recordsIn(this.blob, this.isPython, progress);
      if (found.table) {
        Object.assign(this, { blob: found.table, rewritten: true, name: this.name.replace(/(\.\w+)?$/, ".csv") });
        this.head = await this.headText();
        return this.openTable(undefined, progress, found.hasNames);
      }
      this.records = { ...found, widths: [] };
    }
    [this.hasHeader, this.above, this.header] = [undefined, 0, 0];
    const objects = (await this.read([...this.records.starts.slice(0, SAMPLE).keys()])).map((record) => flatten(objectOf(record)));
    this.names = [...new Set(objects.flatMap((object) => [...object.keys()]))];
    if (!this.names.length) throw new Refusal("no-records");
    const texts = (value) => (typeof value === "string" ? value : value === undefined || value === null ? "" : String(value));
    this.guessed = chooseColumn(this.names, objects.map((object) => this.names.map((name) => texts(object.get(name)))).map((cells) => cells.map((cell) => (isStructure(cell) ? "" : cell))));
    if (this.guessed) this.column = this.guessed.column;
    return undefined;
  }

  async scan(progress) {
    for (let at = 0; at < this.blob.size; at += CHUNK) {
      this.records.push(await bytesOf(this.blob.slice(at, at + CHUNK)), at + CHUNK >= this.blob.size);
      progress(0.5 + at / this.blob.size / 2);
    }
  }

  async settleColumn(isForced) {
    const added = ["sentiment", "probability", "problem"];
    const isTaken = this.names.some((name) => added.includes(name.trim()));
    this.added = isTaken ? added.map((name) => `reeltone_${name}`) : added;
    if (!this.guessed && !isForced) {
      const columns = this.names.map((name, at) => `“${name || `Column ${at + 1}`}”`).slice(0, 8).join(", ");
      throw new Refusal("no-text", { columns });
    }
    if (this.guessed && !this.guessed.isClear) this.note("two-columns");
    else if (this.guessed?.isDoubtful) this.note("doubtful", { name: this.titleOf(this.column) });
  }

  /** Whether the first row names the columns is the reader's guess; it may be put right. */
  setHeader(hasHeader) {
    if (this.hasHeader === undefined || hasHeader === this.hasHeader) return;
    this.hasHeader = hasHeader;
    this.header = this.above + Number(hasHeader);
  }

  widthOf(record) {
    return readRecord(record, 0, this.dialect, true).spans.length;
  }

  titleOf(column) {
    return (this.hasHeader !== false && this.names[column]?.trim()) || `Column ${column + 1}`;
  }

  /** A record's cells, as many as there are names; nothing where they can't be told apart. */
  cellsIn(record) {
    if (this.format.id === "json") {
      const fields = flatten(objectOf(record) ?? {});
      return this.names.map((name) => fields.get(name));
    }
    const { spans } = readRecord(record, 0, this.dialect, true);
    const cells = spans.map((span) => fieldText(record, span, this.dialect));
    return alignCells({ text: record, spans, cells }, this.expects);
  }

  /** { text }, or { problem } with a key and facts for refusals.json. */
  reviewIn(record, index) {
    const problem = this.problems.get(index);
    if (problem) return { problem };
    if (this.format.id === "json" && !objectOf(record)) return { problem: { key: "no-object" } };
    const text = this.cellsIn(record)?.[this.column];
    if (typeof text !== "string" || !text.trim()) return { problem: { key: "empty" } };
    if (isMissing(text)) return { problem: { key: "missing", facts: { value: text.trim() } } };
    if (isStructure(text)) return { problem: { key: "structure" } };
    return /^\s*[-+]?\d+([.,]\d+)?\s*$/.test(text) ? { problem: { key: "number" } } : { text };
  }

  /** The reviews in some rows. */
  async reviews(rows) {
    const records = await this.read(rows.map((row) => row + this.header));
    return records.map((record, at) => this.reviewIn(record, rows[at] + this.header));
  }

  /** The cells of some rows as text, the names' number of each. */
  async cells(rows) {
    const records = await this.read(rows.map((row) => row + this.header));
    return records.map((record) => {
      const cells = this.cellsIn(record) ?? [record];
      return this.names.map((_, at) => (cells[at] === undefined || cells[at] === null ? "" : String(cells[at])));
    });
  }

  /** Records as text. Those that are not far apart are read together: each read takes its time. */
  async read(indices) {
    const { starts, ends } = this.records;
    const found = [];
    for (let from = 0, to = 0; from < indices.length; from = to) {
      const start = starts[indices[from]];
      for (to = from + 1; indices[to] > indices[to - 1] && ends[indices[to]] - start < CHUNK; ) to += 1;
      const bytes = await bytesOf(this.blob.slice(start, ends[indices[to - 1]]));
      for (const at of indices.slice(from, to)) {
        found.push(utf8.decode(bytes.subarray(starts[at] - start, ends[at] - start)));
      }
    }
    return found;
  }

  /** The whole file, some records at a time, with their places; what follows them comes last. */
  async *chunks() {
    const { starts, ends } = this.records;
    let first = 0, offset = 0;
    while (first < starts.length) {
      const places = [], from = offset;
      do {
        places.push({ row: first - this.header, index: first, start: starts[first] - from, end: ends[first] - from });
        offset = ends[first];
        first += 1;
      } while (first < starts.length && ends[first] - from < CHUNK);
      yield { bytes: await bytesOf(this.blob.slice(from, offset)), places };
    }
    yield { bytes: await bytesOf(this.blob.slice(offset)), places: [] };
  }

  /** Each row's cells, in order, some rows at a time: [first row, cells of each]. */
  async *allCells() {
    for await (const { bytes, places } of this.chunks()) {
      const rows = places.filter(({ row }) => row >= 0);
      if (!rows.length) continue;
      yield [rows[0].row, rows.map(({ start, end }) => this.cellsIn(utf8.decode(bytes.subarray(start, end))) ?? [])];
    }
  }
}

/** Records of a table, with those that don't fit it. */
class TableScanner extends RecordScanner {
  problems = new Map();
  /** Records with a field in quotes, and those with one that only opens. */
  quoted = 0;
  open = 0;

  /** header: the names, the first row below them, and how many columns have one. */
  constructor(dialect, expects, header) {
    super(dialect);
    Object.assign(this, { expects, header });
  }

  note(at, record, isParted, text) {
    if (this.dialect.delimiter) {
      const cells = record.spans.map((span) => fieldText(text, span, this.dialect));
      if (isRuling(text.slice(at, record.end)) || cells.every((cell) => !cell.trim())) return;
      this.check({ text, spans: record.spans, cells }, isParted);
    }
    this.quoted += Number(record.spans.some((span) => span.isQuoted));
    const last = record.spans.at(-1);
    this.isOpen = this.dialect.quotes && !last.isQuoted && /^ *"/.test(text.slice(last.start, last.end));
    this.open += Number(this.isOpen);
    super.note(at, record, isParted);
  }

  /** A file that was cut off ends within quotes. */
  finish() {
    if (this.isOpen && this.open === 1 && this.quoted) this.problems.set(this.starts.length - 1, { key: "broken-end" });
    return this.problems;
  }

  check(record, isParted) {
    const index = this.starts.length;
    const found = record.cells.findLastIndex((cell) => cell.trim()) + 1;
    if (this.header && index >= this.header.first) this.checkBelowNames(record, index, found);
    this.checkWidth(record, index, isParted);
  }

  checkBelowNames({ cells }, index, found) {
    const { names, first, named } = this.header;
    if (areSame(cells, names)) this.problems.set(index, { key: "names" });
    const isOwn = index < first + 3 && cells.some(isOwnOfQualtrics);
    for (let at = first; isOwn && at <= index; at += 1) this.problems.set(at, { key: "names" });
    if (found > named) this.problems.set(index, { key: "misfit", facts: { found, width: named } });
  }

  checkWidth(record, index, isParted) {
    const { width } = this.expects;
    const found = record.cells.length;
    if (found === width || alignCells(record, this.expects)) return;
    this.problems.set(index, { key: "misfit", facts: { found, width } });
    // A line that is too short and no row may be the rest of the review above.
    if (found < width && !isParted && index > 0) this.problems.set(index - 1, { key: "broken" });
  }
}

/** Columns up to the last that has a name, where those beyond it are hardly ever filled: what is there was cut off a review. */
function namedWidth({ names, rows }) {
  const named = names.findLastIndex((name) => name.trim()) + 1;
  const filled = rows.filter(({ cells }) => cells.slice(named, names.length).some((cell) => cell.trim())).length;
  return named < names.length && filled <= rows.length / 2 ? named : Infinity;
}

/** Whether a cell is a list or an object, as JSON or Python writes it, and no text. */
function isStructure(text) {
  return /^\s*[[{(].*[\]})]\s*$/s.test(text) && typeof (parseValue(text) ?? undefined) === "object";
}

export function objectOf(line) {
  if (!/^\s*\{/.test(line)) return undefined;
  const value = parseValue(line.trim().replace(/,$/, ""));
  return value && typeof value === "object" ? value : undefined;
}

function linesOf(head) {
  return head.split(/[\r\n]+/).filter((line) => line.trim());
}

function looksLikeJson(head, name) {
  if (/\.(jsonl|ndjson)$/i.test(name)) return true;
  if (/^\s*(\{\s*(u?["']|\})|\[\s*[[{("'\]])/.test(head) || (/\.json$/i.test(name) && /^\s*[{[]/.test(head))) return true;
  return /^\s*\(/.test(head) && linesOf(head).slice(0, 2).every((line) => Array.isArray(parseValue(line.replace(/,\s*$/, ""))));
}

/** Objects one a line. A single line may as well be an object with a list in it. */
function areLines(head) {
  const [first = "", second] = linesOf(head);
  return objectOf(first) !== undefined && second !== undefined && (objectOf(second) !== undefined || !/^\s*["}\]]/.test(second));
}

const isPythonic = (head) => /^[\s[({]*u?'/.test(head);
