/** Waits for a file. All else is loaded when one has come, at once: so a run can begin and end offline. */

import { wakeModel } from "../api.js";
import { byId, say } from "../dom.js";
import { prepareIntake } from "./intake.js";

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
