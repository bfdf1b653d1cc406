/** Puts the page together: desk → reader → verdict. */

import { fetchModel, readReview } from "./api.js";
import { isExample, prepareDesk, send, setLimit, submit } from "./desk.js";
import { byId, on, say } from "./dom.js";
import { prepareExplanation, strikeOut } from "./explanation.js";
import { prepareHistory, remember } from "./history.js";
import { showModel, showNoModel } from "./model.js";
import { createReader } from "./reader.js";
import { prepareShare, takeFromLink } from "./share.js";
import { showState } from "./view.js";

/** A review that stood this long, in milliseconds, without another word is kept in the history. */
const SETTLED = 4_000;

let state = { name: "idle" };
let settling;

/** A review that somebody sent, {review, struck}, once the visitor has had it read. */
let linked = { review: "", struck: [] };

const { read, stop, cancel } = createReader(show, readReview);

function show(next) {
  state = next;
  showState(state);
  clearTimeout(settling);
  settling = setTimeout(settle, state.job?.quiet ? SETTLED : 0);
  const isLinked = state.name === "result" && state.job.text === linked.review;
  if (isLinked && linked.struck.length) strikeOut(linked.struck.splice(0));
}

/** What the visitor wrote is remembered; examples, and what somebody else sent, are not. */
function settle() {
  const { name, job, answer } = state;
  const isOwn = name === "result" && job.sent === job.text && !isExample(job.text) && job.text !== linked.review;
  if (isOwn) remember({ ...answer, text: job.text });
}

function readText(text, quiet, brief = false) {
  const known = ["reading", "result"].includes(state.name) && state.job.text === text && (brief || !state.job.brief);
  if (!quiet || !known) read({ text, sent: text, quiet, brief });
}

/** Show what a link carries; it is neither put into the box nor sent before the visitor says so. */
async function openLink() {
  try {
    const carried = await takeFromLink();
    if (carried) offer(carried);
  } catch {
    offer(undefined);
    say("offer-text", "The link that brought you here is damaged. Ask for it again, or paste the review itself.");
  }
}

function offer(carried) {
  const words = carried?.struck.length ? `, with ${carried.struck.length} of its words struck out` : "";
  byId("offer").hidden = false;
  say("offer-text", `Somebody sent you this review${words}. It is sent nowhere before you have it read.`);
  say("offer-review", carried?.review ?? "");
  byId("accept").hidden = !carried;
  byId("decline").textContent = carried ? "Leave it" : "Close";
  byId("accept").onclick = () => {
    closeOffer();
    linked = carried;
    submit(carried.review);
  };
}

function closeOffer() {
  byId("offer").hidden = true;
  byId("review").focus();
}

const hasDraft = prepareDesk({ read: readText, rest: () => state.name === "idle" || cancel(false) });
if (hasDraft) byId("lede").textContent = "Your draft is back. It is read when you write on or press the button, not before.";
prepareExplanation({
  ask: (text, sent) => {
    // An answer to the whole review would put the words back.
    if (state.name === "reading" && state.job.sent === state.job.text) stop();
    read({ text, sent, quiet: true });
  },
  putBack: (text, answer) => {
    stop();
    show({ name: "result", job: { text, sent: text, quiet: true }, answer });
  },
});
prepareHistory(submit);
prepareShare(() => state);
on("again", "click", send);
on("cancel", "click", () => cancel(true));
on("decline", "click", closeOffer);
addEventListener("pagehide", settle);
addEventListener("hashchange", openLink);
addEventListener("online", () => {
  if (state.name === "problem" && state.problem.kind === "network") read(state.job);
});
fetchModel()
  .then((model) => {
    setLimit(model.limits.characters);
    showModel(model);
    // The page was too short to go there before.
    if (location.hash === "#model") byId("model").scrollIntoView();
  })
  .catch(showNoModel);
openLink();
