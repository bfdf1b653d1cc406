/**
 * Share what is on show: a link that carries it, or a picture of the verdict.
 *
 * The review is in the link after the #: browsers send that part to no server. It is JSON (which spells
 * lone surrogates out), deflated with a checksum, in URL-safe Base64: the review, or where words of it
 * are struck out, {review, struck: [[start, end], …]}.
 */

import { byId, on, say } from "./dom.js";
import { struckOut } from "./explanation.js";

const MARK = "#review=";

/** No review has more; a link must not unpack to gigabytes. */
const MAX_BYTES = 250_000;

/** The address that shows a review, with stretches {start, end} of it struck out. */
async function linkTo(review, struck) {
  const carried = struck.length ? { review, struck: struck.map(({ start, end }) => [start, end]) } : review;
  const packed = await pass(new TextEncoder().encode(JSON.stringify(carried)), new CompressionStream("deflate"));
  const text = btoa(Array.from(packed, (byte) => String.fromCharCode(byte)).join(""));
  const safe = text.replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
  return `${location.origin}${location.pathname}${MARK}${safe}`;
}

/**
 * What this page's address carries, {review, struck}; afterwards the address carries nothing.
 * @throws where the link is damaged
 */
export async function takeFromLink() {
  const { hash, pathname } = location;
  if (!hash.startsWith(MARK)) return undefined;
  history.replaceState(null, "", pathname);
  const text = atob(hash.slice(MARK.length).replaceAll("-", "+").replaceAll("_", "/"));
  const bytes = Uint8Array.from(text, (character) => character.charCodeAt(0));
  const carried = JSON.parse(new TextDecoder().decode(await pass(bytes, new DecompressionStream("deflate"))));
  const { review, struck = [] } = typeof carried === "string" ? { review: carried } : Object(carried);
  if (typeof review !== "string" || review === "") throw new Error("the link holds no review");
  if (!Array.isArray(struck) || !struck.every(isStretch)) throw new Error("the link strikes out what is no place");
  return { review, struck: struck.map(([start, end]) => ({ start, end })) };
}

function isStretch(stretch) {
  return Array.isArray(stretch) && stretch.length === 2 && stretch.every(Number.isInteger) && stretch[0] >= 0 && stretch[0] < stretch[1];
}

async function pass(bytes, through) {
  const reader = new Blob([bytes]).stream().pipeThrough(through).getReader();
  const chunks = [];
  let size = 0;
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    chunks.push(part.value);
    size += part.value.length;
    if (size > MAX_BYTES) throw new Error("the link holds more than a review");
  }
  return new Uint8Array(await new Blob(chunks).arrayBuffer());
}

/** state() gives what is on show; see reader.js. */
export function prepareShare(state) {
  on("make-link", "click", async () => {
    const field = byId("link");
    field.value = await linkTo(state().job.text, struckOut());
    field.hidden = false;
    field.select();
    const copied = await navigator.clipboard?.writeText(field.value).then(() => true, () => false);
    say("link-note", copied ? "Link copied." : "Copy the link from the field.");
  });
  on("make-picture", "click", async () => {
    const { job, answer } = state();
    const painter = await import("./picture.js").catch(() => undefined);
    if (!painter) return say("link-note", "What draws the picture could not be loaded. Is there a connection?");
    const picture = new File([await painter.drawVerdict(job.text, answer)], "reeltone.png", { type: "image/png" });
    return say("link-note", (await offerToShare(picture)) ? "Picture shared." : "Picture saved.");
  });
}

/** Phones share a file with another application; elsewhere, or where that fails, it is saved. */
async function offerToShare(file) {
  const isPhone = matchMedia("(pointer: coarse)").matches;
  if (isPhone && navigator.canShare?.({ files: [file] })) {
    const shared = await navigator.share({ files: [file] }).then(() => true, () => false);
    if (shared) return true;
  }
  const link = document.createElement("a");
  link.href = URL.createObjectURL(file);
  link.download = file.name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
  return false;
}
