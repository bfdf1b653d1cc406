/**
 * Waits for a file: chosen, dropped anywhere on the page, or cells pasted from a spreadsheet. All else
 * is loaded when one has come, at once: so a run can begin and end offline.
 */

import { wakeModel } from "../api.js";
import { byId, on, say } from "../dom.js";
import { Refusal } from "./reading/kinds.js";

/** Names that are told where several files came at once. */
const NAMED = 5;

/** take(file) and refuse(error) hear what came. */
function prepareIntake(take, refuse) {
  const takeOne = (files) => {
    const names = [...files].slice(0, NAMED).map(({ name }) => `“${name}”`).join(", ") + (files.length > NAMED ? " …" : "");
    if (files.length > 1) refuse(new Refusal("several-chosen", { count: files.length, names }));
    else if (files.length) take(files[0]);
  };
  const takeText = (text, name) => text.trim() && take(new File([text], name));

  on("file", "change", () => takeOne(byId("file").files));
  on("sample", "click", async () => take((await import("./sample.js")).sampleFile()));
  addEventListener("paste", ({ target, clipboardData }) => {
    if (target.closest?.("input, textarea")) return;
    if (clipboardData.files.length && !clipboardData.types.includes("text/plain")) takeOne(clipboardData.files);
    else takeText(clipboardData.getData("text/plain"), "pasted.tsv");
  });
  showDragging();
  addEventListener("drop", (event) => {
    event.preventDefault();
    const { items, files } = event.dataTransfer;
    const folder = [...items].map((item) => item.webkitGetAsEntry?.()).find((entry) => entry?.isDirectory);
    if (folder) refuse(new Refusal("folder", { name: folder.name }));
    else if (files.length) takeOne(files);
    else takeText(event.dataTransfer.getData("text/plain"), "dropped.txt");
  });
}

/** A file above the page is seen to be welcome. It enters and leaves each element that it passes. */
function showDragging() {
  let depth = 0;
  const become = (next) => {
    depth = Math.max(next, 0);
    document.body.toggleAttribute("data-dragging", depth > 0);
  };
  addEventListener("dragenter", () => become(depth + 1));
  addEventListener("dragleave", () => become(depth - 1));
  addEventListener("drop", () => become(0));
  addEventListener("dragover", (event) => {
    event.preventDefault();
    event.dataTransfer.dropEffect = "copy";
  });
}

const NOT_LOADED = "This page could not load what reads files. Is there a connection? Then load the page again.";

async function withWork(use) {
  wakeModel();
  say("trouble", "");
  byId("reading").textContent = "Reading the file …";
  const work = await import("./work.js").catch(() => undefined);
  if (work) return use(work);
  byId("reading").textContent = "";
  return say("trouble", NOT_LOADED);
}

prepareIntake(
  (file) => withWork((work) => work.take(file)),
  (error) => withWork((work) => work.refuse(error)),
);
