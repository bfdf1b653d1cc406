/** What a file is wrapped in: gzip, a zip with one file, a workbook; and kinds of files that hold no text. */

import { Refusal } from "./refusal.js";
import { isWorkbook, tableOf } from "./workbook.js";
import { entriesOf, inflate } from "./zip.js";

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
