/** Share what is on show: a link that carries it, or a picture of the verdict. */

import { byId, on, say } from "./dom.js";
import { struckOut } from "./explanation.js";
import { linkTo } from "./link.js";

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
