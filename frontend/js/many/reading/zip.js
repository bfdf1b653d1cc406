/** Zip archives and gzip files, unpacked by the browser's own DecompressionStream. */

import { Refusal } from "./refusal.js";

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
export async function inflate(blob, format, kind, size) {
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
export async function entriesOf(blob) {
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
