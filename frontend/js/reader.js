/**
 * One review at a time: asks, waits while the model wakes up, asks again.
 *
 * A job is {text, sent, quiet, brief}: the review; without the words struck out; whether nobody asked
 * for it by a button, so that nothing may jump; whether its writer writes on, so that the verdict is
 * all that there is time for. A quiet job waits for the answer that is under way, so that somebody who
 * writes steadily sees answers, unless it is brief and that is not; any other ends it. Shown are {name, job} and, by name:
 * idle (stopped), reading (again), waiting (problem, until in ms), result (answer), problem (problem).
 */

import { Problem } from "./api.js";

/** A model that has not woken up after this many attempts has another problem. */
const MAX_ATTEMPTS = 12;

/** Milliseconds after which an answer that is under way may be overtaken by a quiet job. */
const SLOW_ANSWER = 2_500;

export function createReader(show, send) {
  let current = new AbortController();
  let wanted;
  let underWay = false;
  let waiting = false;
  let asked = { brief: false };
  let askedAt = 0;
  let overtaking;

  function read(job) {
    wanted = job;
    if (!job.quiet || !underWay) return start();
    // The API said when to ask again; typing on does not change that.
    clearTimeout(overtaking);
    if (waiting) return;
    if (job.brief && !asked.brief) return start();
    overtaking = setTimeout(() => underWay && !waiting && wanted === job && start(), askedAt + SLOW_ANSWER - Date.now());
  }

  async function start() {
    stop();
    const { signal } = current;
    underWay = true;
    for (let attempt = 1; !signal.aborted; attempt += 1) {
      const job = (asked = wanted);
      askedAt = Date.now();
      show({ name: "reading", job, again: attempt > 1 });
      const state = await tryOnce(job, signal, attempt === MAX_ATTEMPTS);
      if (signal.aborted) return;
      waiting = state.name === "waiting";
      underWay = waiting || wanted !== job;
      show(state);
      if (waiting) await rest(state.until - Date.now(), signal);
      else if (underWay) attempt = 0;
      else return;
      if (!signal.aborted) waiting = false;
    }
  }

  async function tryOnce(job, signal, isLast) {
    try {
      return { name: "result", job, answer: await send(job.sent, !job.brief, signal) };
    } catch (error) {
      const problem = error instanceof Problem ? error : new Problem("unexpected");
      const until = Date.now() + problem.retryAfter * 1000;
      return { name: isLast || !problem.retryAfter ? "problem" : "waiting", job, problem, until };
    }
  }

  function stop() {
    clearTimeout(overtaking);
    current.abort();
    current = new AbortController();
    underWay = false;
    waiting = false;
  }

  function cancel(stopped) {
    stop();
    show({ name: "idle", stopped });
  }

  return { read, stop, cancel };
}

/** Resolves after some milliseconds, or as soon as the signal aborts. */
function rest(milliseconds, signal) {
  return new Promise((resolve) => {
    setTimeout(resolve, milliseconds);
    signal.addEventListener("abort", resolve);
  });
}
