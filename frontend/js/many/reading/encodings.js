/** How a file's letters are written. Work is done in UTF-8; what goes back is written as it came. */

import { Refusal } from "./kinds.js";

/** Bytes that are decoded at a time. */
const CHUNK = 256 * 1024;

const MARKS = [
  ["utf-32le", [0xff, 0xfe, 0, 0]],
  ["utf-32be", [0, 0, 0xfe, 0xff]],
  ["utf-8", [0xef, 0xbb, 0xbf]],
  ["utf-16le", [0xff, 0xfe]],
  ["utf-16be", [0xfe, 0xff]],
];

/** Of letters, the share that may be outside ASCII in English or French; beyond it, the alphabet is another. */
const FOREIGN = 0.3;

/** Of characters outside ASCII, the share that may stand where no word has them. */
const MAX_ODD = 0.1;

export const ENCODING_NAMES = {
  "utf-8": "UTF-8",
  "utf-16le": "UTF-16",
  "utf-16be": "UTF-16, big-endian",
  "windows-1252": "Windows-1252",
  macintosh: "Mac OS Roman",
};

/** Gives { blob, encoding, mark }: the text in UTF-8 without a mark, and what it was. */
export async function toUtf8(blob, progress = () => {}) {
  const head = await bytesOf(blob.slice(0, CHUNK));
  const [marked, mark] = MARKS.find(([, bytes]) => bytes.every((byte, at) => head[at] === byte)) ?? [];
  if (marked?.startsWith("utf-32")) throw new Refusal("unknown-encoding");
  const guessed = marked ?? wideEncodingOf(head);
  const body = blob.slice(mark?.length ?? 0);
  if (guessed === "utf-16le" || guessed === "utf-16be") {
    return { blob: await transcode(body, guessed, progress), encoding: guessed, mark: mark ?? [] };
  }
  refuseBinary(head);
  if (await isUtf8(body, progress)) return { blob: body, encoding: "utf-8", mark: mark ?? [] };
  if (marked) throw new Refusal("damaged-encoding", { encoding: ENCODING_NAMES[marked] });
  const encoding = await singleByteEncodingOf(body);
  return { blob: await transcode(body, encoding, progress), encoding, mark: [] };
}

/** UTF-16 without a mark: in English, every other byte is 0. */
function wideEncodingOf(head) {
  const zeros = [0, 0];
  for (const [at, byte] of head.entries()) zeros[at % 2] += Number(byte === 0);
  const half = head.length / 2;
  if (half < 2) return undefined;
  if (zeros[1] > half * 0.4 && zeros[0] < half * 0.05) return "utf-16le";
  return zeros[0] > half * 0.4 && zeros[1] < half * 0.05 ? "utf-16be" : undefined;
}

/** Some NUL bytes are a fault that files of text have; other control characters are not. */
function refuseBinary(head) {
  const odd = head.filter((byte) => byte < 9 || (byte > 13 && byte < 27)).length;
  if (odd > head.length * 0.1) throw new Refusal("binary");
}

async function isUtf8(blob, progress) {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  for await (const [bytes, isLast, share] of chunksOf(blob)) {
    try {
      decoder.decode(bytes, { stream: !isLast });
    } catch {
      return false;
    }
    progress(share / 2);
  }
  return true;
}

async function transcode(blob, encoding, progress) {
  const decoder = new TextDecoder(encoding, { fatal: true, ignoreBOM: true });
  const parts = [];
  try {
    for await (const [bytes, isLast, share] of chunksOf(blob)) {
      parts.push(new Blob([decoder.decode(bytes, { stream: !isLast })]));
      progress(share / 2);
    }
  } catch {
    throw new Refusal("damaged-encoding", { encoding: ENCODING_NAMES[encoding] });
  }
  return new Blob(parts);
}

/** Windows-1252 or Mac OS Roman, whichever makes better words; other alphabets can't be told apart. */
async function singleByteEncodingOf(blob) {
  const counts = new Uint32Array(256);
  const around = new Map();
  let before = 32;
  for await (const [bytes] of chunksOf(blob)) {
    for (const [at, byte] of bytes.entries()) {
      counts[byte] += 1;
      if (byte >= 128) {
        const key = (before << 16) | (byte << 8) | (bytes[at + 1] ?? 32);
        around.set(key, (around.get(key) ?? 0) + 1);
      }
      before = byte;
    }
  }
  const sum = (from, to) => counts.subarray(from, to).reduce((total, count) => total + count, 0);
  const ours = sum(65, 91) + sum(97, 123);
  if (sum(128, 256) > (ours + sum(128, 256)) * FOREIGN) throw new Refusal("unknown-encoding");
  const faults = ["windows-1252", "macintosh"].map((encoding) => [oddities(around, encoding), encoding]);
  faults.sort(([a], [b]) => a - b);
  const [[fewest, best], [other]] = faults;
  const areTold = fewest !== other || [...counts.keys()].every((byte) => byte < 128 || !counts[byte] || isTypographic(byte));
  if (fewest > sum(128, 256) * MAX_ODD || !areTold) throw new Refusal("unknown-encoding");
  return best;
}

/** Quotes, dashes and signs of Windows-1252, which are all that most English has beyond ASCII; or the same in both. */
function isTypographic(byte) {
  const [windows, mac] = ["windows-1252", "macintosh"].map((encoding) => new TextDecoder(encoding).decode(Uint8Array.of(byte)));
  return /[‘’“”–—…•€™]/.test(windows) || windows === mac;
}

/** How often a character stands where no word has it: a capital or a sign within small letters. */
function oddities(around, encoding) {
  const letters = new TextDecoder(encoding).decode(Uint8Array.from({ length: 256 }, (_, byte) => byte));
  const isSmall = (letter) => /\p{Ll}/u.test(letter);
  let faults = 0;
  for (const [key, count] of around) {
    const [before, letter, after] = [letters[key >> 16], letters[(key >> 8) & 255], letters[key & 255]];
    const isInWord = isSmall(before) && isSmall(after);
    const isRight = isSmall(letter) || /[’‘'\-–—…\xad]/.test(letter) || (!isInWord && !/[\x80-\x9f]/.test(letter));
    const isRare = /[ƒˆ˜¸˛ˇ˚ˋ¬Ω∂∑∏π∫√≈∆◊≤≥]/.test(letter);
    // A capital at a word's end or a sign glued to its front is as odd as one inside.
    const isGlued = /\p{Lu}/u.test(letter) && isSmall(before);
    if (!isRight || isRare || isGlued) faults += count;
  }
  return faults;
}

async function* chunksOf(blob) {
  for (let at = 0; at < blob.size; at += CHUNK) {
    const bytes = await bytesOf(blob.slice(at, at + CHUNK));
    yield [bytes, at + CHUNK >= blob.size, (at + bytes.length) / blob.size];
  }
}

const bytesOf = async (blob) => new Uint8Array(await blob.arrayBuffer());

/** Writes a text as its file is written. */
export function encoderOf(encoding) {
  if (encoding === "utf-8") {
    const encoder = new TextEncoder();
    return (text) => encoder.encode(text);
  }
  if (encoding.startsWith("utf-16")) return (text) => encodeWide(text, encoding === "utf-16le");
  const letters = new TextDecoder(encoding).decode(Uint8Array.from({ length: 256 }, (_, byte) => byte));
  const places = new Map([...letters].map((letter, byte) => [letter, byte]));
  return (text) => Uint8Array.from(text, (letter) => places.get(letter) ?? 63);
}

function encodeWide(text, isLittle) {
  const view = new DataView(new ArrayBuffer(text.length * 2));
  for (let at = 0; at < text.length; at += 1) view.setUint16(at * 2, text.charCodeAt(at), isLittle);
  return new Uint8Array(view.buffer);
}
