/**
 * One review at a time: asks, waits while the model wakes up, asks again. A newer review ends
 * whatever is under way.
 *
 * A job is {text, sent, quiet}: the review; without the words struck out; whether nobody asked for it
 * by a button, so that nothing may jump. Shown are {name, job} and, by name: idle (stopped), reading
 * (again), waiting (problem, until in ms), result (answer), problem (problem).
 */

import { Problem } from "./api.js";

/** A model that has not woken up after this many attempts has another problem. */
const MOST_ATTEMPTS = 12;

export function createReader(show, send) {
  let current = new AbortController();
  let waiting = false;
  let next;

  async function read(job) {
    next = job;
    if (waiting && job.quiet) return; // the API said when to ask again; typing on does not change that
    stop();
    const { signal } = current;
    for (let attempt = 1; !signal.aborted; attempt += 1) {
      show({ name: "reading", job: next, again: attempt > 1 });
      const state = await tryOnce(next, signal, attempt === MOST_ATTEMPTS);
      if (signal.aborted) return;
      waiting = state.name === "waiting";
      show(state);
      if (!waiting) return;
      await new Promise((resolve) => {
        setTimeout(resolve, state.until - Date.now());
        signal.addEventListener("abort", resolve);
      });
      if (!signal.aborted) waiting = false;
    }
  }

  async function tryOnce(job, signal, isLast) {
    try {
      return { name: "result", job, answer: await send(job.sent, signal) };
    } catch (error) {
      const problem = error instanceof Problem ? error : new Problem("unexpected");
      const until = Date.now() + problem.retryAfter * 1000;
      return { name: isLast || !problem.retryAfter ? "problem" : "waiting", job, problem, until };
    }
  }

  function stop() {
    current.abort();
    current = new AbortController();
    waiting = false;
  }

  function cancel(stopped) {
    stop();
    show({ name: "idle", stopped });
  }

  return { read, stop, cancel };
}
