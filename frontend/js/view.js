/** The screen: shows what the reader is doing, or what it found. */

import { byId, say } from "./dom.js";
import { hideExplanation, showExplanation } from "./explanation.js";
import {
  confidenceInWords,
  count,
  frequency,
  mayPass,
  percent,
  problemInWords,
  requestLine,
  secondsUntil,
  shortVerdict,
  waitInWords,
} from "./phrases.js";

const TITLE = document.title;

/** Milliseconds: no flicker before; the wait is explained; a screen reader's user has stopped writing. */
const [UNNOTICED, SLOW, SILENCE] = [150, 3_000, 1_500];

const SHOW = { idle: showIdle, reading: showReading, waiting: showWaiting, problem: showProblem, result: showResult };

let timers = [];

export function showState(state) {
  timers.forEach(clearTimeout);
  timers = [];
  delete byId("screen").dataset.busy;
  SHOW[state.name](state);
}

const later = (delay, act) => timers.push(setTimeout(act, delay));

function showIdle({ stopped }) {
  const text = stopped ? "Your text is still in the box." : "Write something, or try one of the examples.";
  showCard("idle", stopped ? "Stopped" : "The verdict appears here", text);
  announce(stopped ? `Stopped. ${text}` : "");
}

function showReading({ job, again }) {
  const screen = byId("screen").dataset;
  const card = (text) => showCard("reading", "Reading…", text, { job, cancel: "Cancel" });
  announce(""); // so that the same verdict as before is read out again
  later(UNNOTICED, () => {
    if (job.quiet && screen.state === "result") return (screen.busy = "");
    card("Every word is being weighed.");
    if (!again && !job.quiet) announce("Reading the review.");
  });
  later(SLOW, () => card("The model may have been asleep. The first answer can take half a minute."));
}

function showWaiting({ job, problem, until }) {
  const [title, text] = waitInWords(problem);
  const words = () => `${text} Your review is sent again by itself in ${count(secondsUntil(until), "second")}.`;
  const tick = () => {
    byId("countdown").textContent = secondsUntil(until);
    byId("card-text").textContent = words();
    later(250, tick);
  };
  showCard("waiting", title, "", { job, cancel: "Stop waiting" });
  announce(`${title}. ${words()}`, job);
  tick();
}

function showProblem({ job, problem }) {
  const [title, text] = problemInWords(problem);
  showCard("problem", title, text, { job, request: requestLine(problem), again: mayPass(problem) });
  announce(`${title}. ${text}`, job);
}

function showResult({ job, answer }) {
  const { probability, sentiment, confidence } = answer;
  const short = shortVerdict(answer);
  const [verdict] = short.split(",");
  const sure = confidenceInWords(confidence);
  const gauge = byId("gauge");
  document.title = `${short} · Reeltone`;
  byId("verdict").textContent = verdict;
  byId("confidence").textContent = sure;
  gauge.style.setProperty("--probability", probability);
  gauge.ariaLabel = `Probability that it is positive: ${percent(probability)}`;
  keepFocus(() => {
    setState("result", sentiment);
    const before = showExplanation(job.text, answer, job.text === job.sent);
    byId("was").hidden = !before;
    gauge.style.setProperty("--before", before?.probability ?? 0);
    byId("frequency").textContent = before ? `With every word in it: ${shortVerdict(before)}.` : frequency(probability);
    byId("link").hidden = true;
    say("link-note", "");
    if (before) announce(`${short}. Before: ${shortVerdict(before)}.`);
    else announce(`${verdict}. ${sure}.`, job);
  });
  reveal(job);
}

function showCard(name, title, text, { job, request = "", again = false, cancel = "" } = {}) {
  byId("countdown").textContent = name === "problem" ? "!" : "";
  byId("card-title").textContent = title;
  byId("card-text").textContent = text;
  say("card-request", request);
  document.title = cancel ? `${title} · Reeltone` : TITLE;
  keepFocus(() => {
    setState(name);
    if (job?.text === job?.sent) hideExplanation();
    byId("again").hidden = !again;
    say("cancel", cancel);
  });
  reveal(job);
}

function setState(state, side = "") {
  Object.assign(byId("screen").dataset, { state, side });
  byId("result").hidden = state !== "result";
  byId("card").hidden = state === "result";
}

/** A button that disappears must not take the keyboard's place on the page with it. */
function keepFocus(change) {
  const focused = document.activeElement;
  change();
  if (focused && !focused.checkVisibility()) byId("screen").focus({ preventScroll: true });
}

/** Tell a screen reader; what nobody asked for waits for a silence. */
function announce(text, job) {
  const tell = () => (byId("announcement").textContent = text);
  if (job?.quiet) later(SILENCE, tell);
  else tell();
}

function reveal(job) {
  if (!job || job.quiet) return;
  const beside = matchMedia("(min-width: 60rem)").matches;
  byId("screen").scrollIntoView({ block: beside ? "nearest" : "start" });
}
