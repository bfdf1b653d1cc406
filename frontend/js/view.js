/** The verdict: shows what the reader is doing, or what it found. */

import { byId, say } from "./dom.js";
import { hideExplanation, showExplanation } from "./explanation.js";
import { knownOf } from "./model.js";
import {
  confidenceInWords,
  count,
  mayPass,
  percent,
  problemInWords,
  requestLine,
  secondsUntil,
  shortVerdict,
  verdictInWords,
  verdictOf,
  waitInWords,
} from "./phrases.js";

const TITLE = document.title;

/** Milliseconds before which nothing flickers. */
const UNNOTICED = 150;

/** Milliseconds to the next attempt that nobody is told of. */
const BRIEF = 1_000;

/** Milliseconds after which a wait is explained. */
const SLOW = 3_000;

/** Milliseconds of silence after which a screen reader's user has stopped writing. */
const SILENCE = 1_500;

const SHOW = { idle: showIdle, reading: showReading, waiting: showWaiting, problem: showProblem, result: showResult };

const screen = byId("screen");

let timers = [];

export function showState(state) {
  timers.forEach(clearTimeout);
  timers = [];
  delete screen.dataset.busy;
  SHOW[state.name](state);
}

const later = (delay, act) => timers.push(setTimeout(act, delay));

function showIdle({ stopped }) {
  if (stopped) {
    showCard("stopped", "Stopped", "Your text is still in the box.");
    announce("Stopped. Your text is still in the box.");
    return;
  }
  showCard("idle", "", "");
  announce("");
}

function showReading({ job, again }) {
  const card = (text) => showCard("reading", "Reading…", text, { job, cancel: "Cancel" });
  announce(""); // so that the same verdict as before is read out again
  later(UNNOTICED, () => {
    if (keepsVerdict(job)) return void (screen.dataset.busy = "");
    card("Every word is being weighed.");
    if (!again && !job.quiet) announce("Reading the review.");
  });
  later(SLOW, () => keepsVerdict(job) || card("The model may have been asleep. The first answer can take half a minute."));
}

function showWaiting({ job, problem, until }) {
  if (until - Date.now() <= BRIEF) return showReading({ job, again: true });
  const [title, text] = waitInWords(problem);
  const words = () => `${text} Your review is sent again by itself in ${count(secondsUntil(until), "second")}.`;
  const tick = () => {
    byId("countdown").textContent = secondsUntil(until);
    if (keepsVerdict(job)) say("hiccup", `${title}. ${words()}`);
    else byId("card-text").textContent = words();
    later(250, tick);
  };
  if (keepsVerdict(job)) screen.dataset.busy = "";
  else showCard("waiting", title, "", { job, cancel: "Stop waiting" });
  announce(`${title}. ${words()}`, job);
  tick();
}

function showProblem({ job, problem }) {
  const [title, text] = problemInWords(problem);
  announce(`${title}. ${text}`, job);
  if (keepsVerdict(job)) return say("hiccup", `${title}. ${text} The verdict is that on the text before.`);
  showCard("problem", title, text, { job, request: requestLine(problem), again: mayPass(problem) });
}

/** While somebody writes or strikes words out, the last verdict stays until there is another. */
function keepsVerdict(job) {
  return job.quiet && screen.dataset.state === "result";
}

function showResult({ job, answer }) {
  const verdict = verdictInWords(answer);
  const known = knownOf(answer);
  const sure = confidenceInWords(answer, known.accuracy);
  document.title = `${shortVerdict(answer)} · Reeltone`;
  byId("verdict").textContent = verdict;
  byId("verdict").dataset.verdict = verdictOf(answer);
  byId("verdict").style.setProperty("--certainty", 2 * Math.min(answer.confidence, known.accuracy) - 1);
  byId("confidence").textContent = sure;
  say("hiccup", "");
  showGauge(answer.probability);
  keepFocus(() => {
    setState("result", verdictOf(answer));
    const before = showExplanation(job.text, answer, job.text === job.sent);
    byId("was").hidden = !before;
    byId("gauge").style.setProperty("--before", before?.probability ?? 0);
    byId("grounds").textContent = before ? `With every word in it: ${shortVerdict(before)}.` : known.words;
    byId("link").hidden = true;
    say("link-note", "");
    if (before) announce(`${shortVerdict(answer)}. Before: ${shortVerdict(before)}.`);
    else announce(`${verdict}. ${sure}.`, job);
  });
  bringIntoView(job);
}

function showGauge(probability) {
  byId("gauge").style.setProperty("--probability", probability);
  byId("gauge").ariaLabel = `Probability that it is positive: ${percent(probability)}`;
}

function showCard(name, title, text, { job, request = "", again = false, cancel = "" } = {}) {
  byId("countdown").textContent = name === "problem" ? "!" : "";
  byId("card-title").textContent = title;
  byId("card-text").textContent = text;
  say("card-request", request);
  say("hiccup", "");
  document.title = cancel ? `${title} · Reeltone` : TITLE;
  keepFocus(() => {
    setState(name);
    if (job?.text === job?.sent) hideExplanation();
    byId("again").hidden = !again;
    say("cancel", cancel);
  });
  bringIntoView(job);
}

function setState(state, side = "") {
  Object.assign(screen.dataset, { state, side });
  byId("result").hidden = state !== "result";
  byId("card").hidden = state === "result" || state === "idle";
  if (state !== "result") byId("gauge").ariaLabel = "No verdict yet";
}

/** A button that disappears must not take the keyboard's place on the page with it. */
function keepFocus(change) {
  const focused = document.activeElement;
  change();
  if (focused && !focused.checkVisibility()) screen.focus({ preventScroll: true });
}

/** Tell a screen reader; what nobody asked for waits for a silence. */
function announce(text, job) {
  const tell = () => (byId("announcement").textContent = text);
  if (job?.quiet) later(SILENCE, tell);
  else tell();
}

/** The verdict stays in view by itself; somebody who asked from further down the page goes to it. */
function bringIntoView(job) {
  if (job && !job.quiet && screen.getBoundingClientRect().bottom < innerHeight / 2) screen.scrollIntoView({ block: "start" });
}
