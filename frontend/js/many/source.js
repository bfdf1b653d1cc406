/** A file of reviews. Its bytes stay in a Blob, out of the page's memory; here are only places. */

import { countCodePoints } from "../offsets.js";
import { count } from "../phrases.js";
import { fieldsOf, formatOf, guessColumn, guessFormat, guessHeader, objectOf } from "./formats.js";
import { RecordScanner } from "./scanner.js";

const ADDED = ["sentiment", "probability", "problem"];

/** Bytes: looked at in one go, as the page must stay responsive; of a request, as Lambda takes 6 MB of escaped text. */
const [CHUNK, LARGEST_BODY] = [256 * 1024, 1_000_000];

const NOT_UTF8 = "This is not text in UTF-8. Save it as UTF-8 (in Excel: “CSV UTF-8”).";

const bytesOf = async (blob) => new Uint8Array(await blob.arrayBuffer());
const textOf = (bytes) => new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes);
const asText = (value) => (typeof value === "string" ? value : (JSON.stringify(value) ?? ""));

export class Source {
  /** Records that are no reviews because they name the columns: 1 or 0. */
  header = 0;
  column = 0;

  constructor(file) {
    [this.blob, this.name] = [file, file.name];
  }

  get count() {
    return this.records.starts.length - this.header;
  }

  async guess() {
    const head = await bytesOf(this.blob.slice(0, CHUNK));
    this.bom = textOf(head.subarray(0, 3)) === "\ufeff" ? 3 : 0;
    const firstLine = textOf(head.subarray(this.bom)).match(/\S.*/)?.[0] ?? "";
    return guessFormat(this.name, firstLine, (format) => {
      const scanner = new RecordScanner(format, this.bom);
      scanner.push(head.subarray(this.bom));
      const isOdd = scanner.end() && head.length < CHUNK;
      const starts = isOdd ? [] : scanner.starts.slice(0, head.length < CHUNK ? 100 : -1).slice(0, 100);
      return starts.map((start, at) => fieldsOf(textOf(head.subarray(start, scanner.ends[at])), format));
    });
  }

  /** The first time, the file is copied too: the one on the disk may change. */
  async scan(id, progress) {
    this.format = formatOf(id);
    const records = (this.records = new RecordScanner(this.format, this.bom));
    const utf8 = new TextDecoder("utf-8", { fatal: true });
    const parts = [];
    const { size } = this.blob;
    for (let at = 0; at < size; at += CHUNK) {
      const bytes = await bytesOf(this.blob.slice(at, at + CHUNK));
      try {
        utf8.decode(bytes, { stream: at + CHUNK < size });
      } catch {
        throw new Error(NOT_UTF8);
      }
      records.push(at ? bytes : bytes.subarray(this.bom));
      if (this.blob instanceof File) parts.push(new Blob([bytes]));
      progress(at / size);
    }
    if (parts.length) this.blob = new Blob(parts);
    const isOpen = records.end();
    return { ...this.format, isOpen, ...(await this.look()) };
  }

  async look() {
    const { id, delimiter } = this.format;
    const records = await this.read([...this.records.starts.slice(0, 30).keys()]);
    const objects = records.map((record) => objectOf(record) ?? {});
    let [names, cells] = [["Review"], records.map((record) => [record])];
    if (delimiter) {
      cells = records.map((record) => fieldsOf(record, this.format));
      names = cells[0] ?? [];
    } else if (id === "json") {
      names = [...new Set(objects.flatMap(Object.keys))];
      cells = objects.map((object) => names.map((name) => asText(object[name])));
    }
    this.added = names.some((name) => ADDED.includes(name.trim())) ? ADDED.map((name) => `reeltone_${name}`) : ADDED;
    this.names = names;
    const hasHeader = delimiter ? guessHeader(cells) : false;
    this.column = guessColumn(names, cells.slice(Number(hasHeader)));
    return { names, preview: cells.slice(0, 6), hasHeader };
  }

  /** The reviews in some rows, the header not counted; undefined where there is no text. */
  async reviews(rows) {
    return (await this.read(rows.map((row) => row + this.header))).map((record) => this.reviewIn(record));
  }

  reviewIn(record) {
    if (this.format.id === "lines") return record;
    if (this.format.delimiter) return fieldsOf(record, this.format)[this.column];
    const text = objectOf(record)?.[this.names[this.column]];
    return typeof text === "string" ? text : undefined;
  }

  /** A request with the reviews of rows, as many as fit; rest did not. */
  async compose(rows, explain, most) {
    const batch = { rows: [], texts: [], problems: [], rest: [] };
    const parts = [];
    let size = 100;
    for (const [at, text] of (await this.reviews(rows)).entries()) {
      const length = text?.length > most ? countCodePoints(text) : 0;
      const complaint = length > most && `The review has ${count(length)} characters; the limit is ${count(most)}.`;
      const part = complaint ? "" : JSON.stringify(text ?? "");
      size += new TextEncoder().encode(part).length + 1;
      if (size > LARGEST_BODY) {
        batch.rest = rows.slice(at);
        break;
      }
      if (complaint || !text) batch.problems.push([rows[at], complaint || "There is no text in this row."]);
      else {
        parts.push(part);
        batch.rows.push(rows[at]);
        batch.texts.push(text);
      }
    }
    return { ...batch, body: `{"explain":${explain},"reviews":[${parts}]}` };
  }

  /** Which reviews contain a text; nothing when a later search has begun. */
  async search(wanted) {
    const hits = (this.hits = new Uint8Array(this.count));
    for await (const { bytes, places } of this.chunks()) {
      if (this.hits !== hits) return undefined;
      for (const { row, start, end } of places) {
        const text = this.reviewIn(textOf(bytes.subarray(start, end)));
        if (row >= 0 && text?.toLowerCase().includes(wanted)) hits[row] = 1;
      }
    }
    return hits;
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
        found.push(textOf(bytes.subarray(starts[at] - start, ends[at] - start)));
      }
    }
    return found;
  }

  /** The whole file, some records at a time, with their places; what follows them comes last. */
  async *chunks() {
    const { starts, ends, widths } = this.records;
    let [first, offset] = [0, 0];
    while (first < starts.length) {
      const [places, from] = [[], offset];
      do {
        places.push({ row: first - this.header, start: starts[first] - from, end: ends[first] - from, width: widths[first] });
        offset = ends[first];
        first += 1;
      } while (ends[first] - from < CHUNK);
      yield { bytes: await bytesOf(this.blob.slice(from, offset)), places };
    }
    yield { bytes: await bytesOf(this.blob.slice(offset)), places: [] };
  }
}
