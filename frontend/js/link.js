/**
 * A review inside a link, after the #: browsers send that part to no server. It is the review as
 * JSON (which spells lone surrogates out), deflated with a checksum, in URL-safe Base64.
 */

import { byId, on, say } from "./dom.js";

const MARK = "#review=";

/** No review has more; a link must not unpack to gigabytes. */
const MOST_BYTES = 250_000;

export function prepareLink(review) {
  const field = byId("link");
  on("make-link", "click", async () => {
    field.value = await linkTo(review());
    field.hidden = false;
    field.select();
    const copied = await navigator.clipboard?.writeText(field.value).then(() => true, () => false);
    say("link-note", copied ? "Link copied." : "Copy the link from the field.");
  });
}

async function linkTo(review) {
  const packed = await pass(new TextEncoder().encode(JSON.stringify(review)), new CompressionStream("deflate"));
  const text = btoa(Array.from(packed, (byte) => String.fromCharCode(byte)).join(""));
  const safe = text.replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
  return `${location.origin}${location.pathname}${MARK}${safe}`;
}

/**
 * The review that this page's address carries; afterwards the address carries none.
 * @throws where the link is damaged
 */
export async function takeFromLink() {
  const { hash, pathname } = location;
  if (!hash.startsWith(MARK)) return undefined;
  history.replaceState(null, "", pathname);
  const text = atob(hash.slice(MARK.length).replaceAll("-", "+").replaceAll("_", "/"));
  const bytes = Uint8Array.from(text, (character) => character.charCodeAt(0));
  const review = JSON.parse(new TextDecoder().decode(await pass(bytes, new DecompressionStream("deflate"))));
  if (typeof review !== "string" || review === "") throw new Error("the link holds no review");
  return review;
}

async function pass(bytes, through) {
  const reader = new Blob([bytes]).stream().pipeThrough(through).getReader();
  const chunks = [];
  let size = 0;
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    chunks.push(part.value);
    size += part.value.length;
    if (size > MOST_BYTES) throw new Error("the link holds more than a review");
  }
  return new Uint8Array(await new Blob(chunks).arrayBuffer());
}
