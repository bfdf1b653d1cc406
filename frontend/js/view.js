/** The screen: shows what the reader is doing, or what it found. */

import { byId, say } from "./dom.js";
import { hideExplanation, showExplanation } from "./explanation.js";
import {
  confidenceInWords,
  frequency,
  mayPass,
  percent,
  problemInWords,
  requestLine,
  retryIn,
  waitInWords,
} from "./phrases.js";

/**
 * @typedef {import("./reader.js").State} State
 * @typedef {import("./api.js").Answer} Answer
 * @typedef {import("./api.js").Problem} Problem
 * @typedef {{title: string, text: string, request?: string, again?: boolean, cancel?: boolean}} Card
 */

const TITLE = document.title;

/** An answer that comes within this time is shown without a flicker in between. */
const UNNOTICED_MS = 150;

/** After this time the reviewer is told why it takes so long. */
const SLOW_MS = 3_000;

/** @type {ReturnType<typeof setTimeout>[]} */
let timers = [];

/** @param {State} state @param {number | undefined} tokens the most the model reads */
export function showState(state, tokens) {
  timers.forEach(clearTimeout);
  timers = [];
  switch (state.name) {
    case "idle":
      return showStopped();
    case "reading":
      return showReading(state.again);
    case "waiting":
      return showWaiting(state.problem, state.until);
    case "problem":
      return showProblem(state.problem);
    case "result":
      return showResult(state.text, state.answer, tokens);
  }
}

function showStopped() {
  showCard("idle", { title: "Stopped", text: "Your text is still in the box." });
  announce("Stopped. Your text is still in the box.");
}

/** @param {boolean} again */
function showReading(again) {
  const card = { title: "Reading…", text: "Every word is being weighed.", cancel: true };
  const slow = "The model may have been asleep. The first answer can take half a minute.";
  announce(""); // so that the same verdict as before is read out again
  timers.push(
    setTimeout(() => {
      showCard("reading", card);
      if (!again) announce("Reading the review.");
    }, UNNOTICED_MS),
    setTimeout(() => say(byId("card-text"), slow), SLOW_MS),
  );
}

/** @param {Problem} problem @param {number} until milliseconds, as Date.now() */
function showWaiting(problem, until) {
  const { title, text } = waitInWords(problem);
  const left = () => Math.max(1, Math.ceil((until - Date.now()) / 1000));
  const tick = () => {
    byId("countdown").textContent = String(left());
    byId("card-text").textContent = `${text} ${retryIn(left())}`;
    timers.push(setTimeout(tick, 250));
  };
  const words = `${text} ${retryIn(left())}`;
  showCard("waiting", { title, text: words, cancel: true });
  announce(`${title}. ${words}`);
  tick();
}

/** @param {Problem} problem */
function showProblem(problem) {
  const { title, text } = problemInWords(problem);
  showCard("problem", { title, text, request: requestLine(problem), again: mayPass(problem) });
  announce(`${title}. ${text}`);
}

/** @param {string} text @param {Answer} answer @param {number | undefined} tokens */
function showResult(text, answer, tokens) {
  const verdict = answer.sentiment === "positive" ? "Positive" : "Negative";
  const sure = `${confidenceInWords(answer.confidence)}, ${percent(answer.confidence)}`;
  byId("verdict").textContent = verdict;
  byId("confidence").textContent = sure;
  byId("frequency").textContent = frequency(answer.probability);
  byId("gauge").style.setProperty("--probability", String(answer.probability));
  byId("gauge").setAttribute("aria-label", `Probability that it is positive: ${percent(answer.probability)}`);
  document.title = `${verdict}, ${percent(answer.confidence)} · Reeltone`;
  announce(`${verdict}. ${sure}.`);
  keepFocus(() => {
    setState("result", answer.sentiment);
    showExplanation(text, answer, tokens);
  });
  reveal();
}

/** @param {State["name"]} name @param {Card} card */
function showCard(name, { title, text, request = "", again = false, cancel = false }) {
  byId("countdown").textContent = "";
  byId("card-title").textContent = title;
  say(byId("card-text"), text);
  say(byId("card-request"), request);
  document.title = name === "idle" || name === "problem" ? TITLE : `${title} · Reeltone`;
  keepFocus(() => {
    setState(name);
    hideExplanation();
    byId("again").hidden = !again;
    byId("cancel").hidden = !cancel;
  });
  byId("cancel").textContent = name === "waiting" ? "Stop waiting" : "Cancel";
  reveal();
}

/** @param {State["name"]} name @param {string} side */
function setState(name, side = "") {
  Object.assign(byId("screen").dataset, { state: name, side });
  byId("result").hidden = name !== "result";
  byId("card").hidden = name === "result";
}

/**
 * A button that disappears must not take the keyboard's place on the page with it.
 * @param {() => void} change
 */
function keepFocus(change) {
  const focused = document.activeElement;
  change();
  if (focused && !focused.checkVisibility()) byId("screen").focus({ preventScroll: true });
}

/** @param {string} text */
function announce(text) {
  byId("announcement").textContent = text;
}

/** Where the screen stands below the desk it may be out of sight; focus stays where it is. */
function reveal() {
  const beside = matchMedia("(min-width: 60rem)").matches;
  byId("screen").scrollIntoView({ block: beside ? "nearest" : "start" });
}
