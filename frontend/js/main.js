/** Puts the page together: desk → reader → screen. */

import { fetchModel, readReview, wakeModel } from "./api.js";
import { prepareDesk, sendTo, setLimit } from "./desk.js";
import { byId } from "./dom.js";
import { prepareExplanation } from "./explanation.js";
import { showModel, showNoModel } from "./model.js";
import { createReader } from "./reader.js";
import { showState } from "./view.js";

/** @type {number | undefined} */
let tokens;

/** @type {import("./reader.js").State} */
let state = { name: "idle" };

const { read, cancel } = createReader((next) => {
  state = next;
  showState(state, tokens);
}, readReview);

prepareDesk(read, wakeModel);
prepareExplanation();
byId("again").addEventListener("click", () => sendTo(read));
byId("cancel").addEventListener("click", cancel);
addEventListener("online", () => {
  if (state.name === "problem" && state.problem.kind === "network") sendTo(read);
});

try {
  const model = await fetchModel();
  tokens = model.limits.tokens;
  setLimit(model.limits.characters);
  showModel(model);
} catch {
  showNoModel();
}
