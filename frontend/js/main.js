/** Puts the page together: desk → reader → screen. */

import { fetchModel, readReview } from "./api.js";
import { isExample, prepareDesk, send, setLimit, submit } from "./desk.js";
import { on, say } from "./dom.js";
import { prepareExplanation } from "./explanation.js";
import { prepareHistory, remember } from "./history.js";
import { prepareLink, takeFromLink } from "./link.js";
import { showModel, showNoModel } from "./model.js";
import { createReader } from "./reader.js";
import { showState } from "./view.js";

/** A review that stood this long, in milliseconds, without another word is kept in the history. */
const SETTLED = 4_000;

let state = { name: "idle" };
let settling;

const { read, stop, cancel } = createReader(show, readReview);

function show(next) {
  state = next;
  showState(state);
  clearTimeout(settling);
  settling = setTimeout(settle, state.job?.quiet ? SETTLED : 0);
}

function settle() {
  const { name, job, answer } = state;
  if (name === "result" && job.sent === job.text && !isExample(job.text)) remember({ ...answer, text: job.text });
}

function readText(text, quiet) {
  const known = ["reading", "result"].includes(state.name) && state.job.text === text;
  if (!quiet || !known) read({ text, sent: text, quiet });
}

async function openLink() {
  try {
    const review = await takeFromLink();
    if (review) submit(review);
  } catch {
    say("notice", "The link that brought you here is damaged. Ask for it again, or paste the review itself.");
  }
}

prepareDesk({ read: readText, rest: () => state.name === "idle" || cancel(false) });
prepareExplanation(
  (text, sent) => read({ text, sent, quiet: true }),
  (text, answer) => {
    stop();
    show({ name: "result", job: { text, sent: text, quiet: true }, answer });
  },
);
prepareHistory(submit);
prepareLink(() => state.job.text);
on("again", "click", send);
on("cancel", "click", () => cancel(true));
addEventListener("pagehide", settle);
addEventListener("hashchange", openLink);
addEventListener("online", () => {
  if (state.name === "problem" && state.problem.kind === "network") read(state.job);
});
fetchModel()
  .then((model) => {
    setLimit(model.limits.characters);
    showModel(model);
  })
  .catch(showNoModel);
openLink();
