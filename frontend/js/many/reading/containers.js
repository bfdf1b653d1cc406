/** What a file is wrapped in: gzip, a zip with one file, a workbook; and kinds of files that hold no text. */

import { Refusal } from "./kinds.js";
import { isWorkbook, tableOf } from "./workbook.js";

/** Bytes that a file may have when it is unpacked; a crafted archive may claim or hold any number. */
const LIMIT = 1_000_000_000;

/** What records begin with. */
const END = 0x06054b50;
const CENTRAL = 0x02014b50;
const LOCAL = 0x04034b50;
/** Bytes of the last record, and of the comment that may follow it. */
const END_SIZE = 22;
const MAX_COMMENT = 65_535;
/** Ways of packing, and the flag of a file that has a password. */
const STORED = 0;
const DEFLATED = 8;
const ENCRYPTED = 1;

const damaged = (kind) => new Refusal("damaged-container", { kind });

/** Unpacks into a Blob; size, where it is known, must be right. */
async function inflate(blob, format, kind, size) {
  const parts = [];
  let length = 0;
  try {
    const reader = blob.stream().pipeThrough(new DecompressionStream(format)).getReader();
    for (let step = await reader.read(); !step.done; step = await reader.read()) {
      length += step.value.length;
      if (length > LIMIT) {
        reader.cancel().catch(() => {});
        break;
      }
      // A Blob of its own lets the browser put the bytes out of memory.
      parts.push(new Blob([step.value]));
    }
  } catch {
    throw damaged(kind);
  }
  if (length > LIMIT) throw new Refusal("too-large", { limit: "1 GB" });
  if (size !== undefined && length !== size) throw damaged(kind);
  return new Blob(parts);
}

/** The files in an archive: { name, open }, the latter for a Blob. */
async function entriesOf(blob) {
  const tail = new DataView(await blob.slice(-END_SIZE - MAX_COMMENT).arrayBuffer());
  let at = tail.byteLength - END_SIZE;
  while (at >= 0 && tail.getUint32(at, true) !== END) at -= 1;
  if (at < 0) throw damaged("zip archive");
  const [size, start] = [tail.getUint32(at + 12, true), tail.getUint32(at + 16, true)];
  const view = new DataView(await blob.slice(start, start + size).arrayBuffer());
  const entries = [];
  for (let place = 0; place < view.byteLength; ) {
    if (view.byteLength < place + 46 || view.getUint32(place, true) !== CENTRAL) throw damaged("zip archive");
    const [name, extra, comment] = [28, 30, 32].map((field) => view.getUint16(place + field, true));
    entries.push(entryOf(blob, view, place, name));
    place += 46 + name + extra + comment;
  }
  return entries;
}

function entryOf(blob, view, place, nameLength) {
  const [flags, method] = [8, 10].map((field) => view.getUint16(place + field, true));
  const [packed, size, , , , offset] = [20, 24, 28, 32, 36, 42].map((field) => view.getUint32(place + field, true));
  const name = new TextDecoder().decode(new Uint8Array(view.buffer, view.byteOffset + place + 46, nameLength));
  return {
    name,
    size,
    async open() {
      if (flags & ENCRYPTED) throw new Refusal("locked", { kind: "archive" });
      const header = new DataView(await blob.slice(offset, offset + 30).arrayBuffer());
      if (header.byteLength < 30 || header.getUint32(0, true) !== LOCAL) throw damaged("zip archive");
      const start = offset + 30 + header.getUint16(26, true) + header.getUint16(28, true);
      const content = blob.slice(start, start + packed);
      if (method === DEFLATED) return inflate(content, "deflate-raw", "zip archive", size);
      if (method !== STORED || content.size !== size) throw damaged("zip archive");
      return content;
    },
  };
}

const ENOUGH = 512;

/** First bytes, as text of one character a byte, and what they are the first bytes of. */
const KINDS = [
  [/^%PDF-/, "a PDF"],
  [/^\xd0\xcf\x11\xe0/, "an old Excel or Word file (.xls, .doc), or one with a password"],
  [/^PAR1/, "a Parquet file"],
  [/^ARROW1|^FEA1/, "an Arrow or Feather file"],
  [/^SQLite format 3/, "a SQLite database"],
  [/^BZh\d1AY/, "a bzip2 archive"],
  [/^7z\xbc\xaf/, "a 7z archive"],
  [/^Rar!/, "a RAR archive"],
  [/^\xfd7zXZ/, "an xz archive"],
  [/^\x28\xb5\x2f\xfd/, "a Zstandard archive"],
  [/^.{257}ustar/s, "a tar archive"],
  [/^\x89PNG|^\xff\xd8\xff|^GIF8|^RIFF.{4}WEBP/s, "a picture"],
  [/^\x80[\x02-\x05]/, "a Python pickle"],
  [/^\x89HDF/, "an HDF5 file"],
  [/^\x93NUMPY/, "a NumPy file"],
  [/^(RDX\d|RDA\d|X)\n/, "an R data file"],
  [/^\$FL[23]@/, "an SPSS file"],
  [/^<stata_dta>/, "a Stata file"],
  [/^\{\\rtf/, "a Rich Text file"],
  [/^\s*(<!doctype html|<html|<table)/i, "a web page"],
  [/^\s*<\?xml/i, "an XML file"],
];

/** Gives { blob, name } of the text inside, with rewritten and sheets where it was a workbook. */
export async function unwrap(blob, name, sheet, depth = 0) {
  const head = await headOf(blob);
  const isNested = depth > 1;
  if (head.startsWith("\x1f\x8b") && !isNested) {
    const inner = await inflate(blob, "gzip", "gzip file");
    return unwrap(inner, name.replace(/\.gz(ip)?$/i, ""), sheet, depth + 1);
  }
  if (/^PK(\x03\x04|\x05\x06)/.test(head) && !isNested) return unzip(blob, name, sheet, depth);
  const known = KINDS.find(([pattern]) => pattern.test(withoutMark(head)));
  if (known) throw new Refusal("known-kind", { kind: known[1] });
  return { blob, name };
}

async function unzip(blob, name, sheet, depth) {
  const entries = await entriesOf(blob);
  if (isWorkbook(entries)) return tableOf(entries, name.replace(/\.\w+$/, "") + ".csv", sheet);
  const kind = officeKindOf(entries);
  if (kind) throw new Refusal("known-kind", { kind });
  const files = entries.filter((entry) => !/\/$|(^|\/)(\.|__MACOSX\/|Thumbs\.db$|desktop\.ini$)/.test(entry.name));
  if (!files.length) throw new Refusal("empty-archive");
  if (files.length > 1) {
    const names = files.slice(0, 5).map((entry) => `“${entry.name}”`).join(", ") + (files.length > 5 ? " …" : "");
    throw new Refusal("several-files", { count: files.length, names });
  }
  return unwrap(await files[0].open(), files[0].name.split("/").at(-1), sheet, depth + 1);
}

function officeKindOf(entries) {
  const has = (pattern) => entries.some(({ name }) => pattern.test(name));
  if (has(/^word\//)) return "a Word document";
  if (has(/^ppt\//)) return "a PowerPoint file";
  if (has(/^xl\//)) return "an Excel file in binary form (.xlsb)";
  if (has(/^content\.xml$/)) return "an OpenDocument file";
  if (has(/^Index\/.*\.iwa$/)) return "an iWork file";
  return has(/\.npy$/) && "a NumPy archive";
}

/** The first bytes, one character each. */
async function headOf(blob) {
  const bytes = new Uint8Array(await blob.slice(0, ENOUGH).arrayBuffer());
  return String.fromCharCode(...bytes);
}

const withoutMark = (head) => head.replace(/^\xef\xbb\xbf/, "");
