/**
 * One review at a time: asks, waits while the model wakes up, asks again. A newer review, or the
 * reviewer, ends whatever is under way; nothing of it is shown afterwards.
 */

import { Problem } from "./api.js";

/**
 * @typedef {import("./api.js").Answer} Answer
 * @typedef {{name: "idle"} | {name: "reading", again: boolean}
 *   | {name: "waiting", problem: Problem, until: number}
 *   | {name: "result", text: string, answer: Answer}
 *   | {name: "problem", problem: Problem}} State  until: milliseconds, as Date.now()
 */

/** A model that has not woken up after this many attempts has another problem. */
const MOST_ATTEMPTS = 12;

/**
 * @param {(state: State) => void} show
 * @param {(text: string, signal: AbortSignal) => Promise<Answer>} send
 */
export function createReader(show, send) {
  let current = new AbortController();

  /** @param {string} text */
  async function read(text) {
    current.abort();
    current = new AbortController();
    const { signal } = current;
    for (let attempt = 1; !signal.aborted; attempt += 1) {
      show({ name: "reading", again: attempt > 1 });
      const state = await tryOnce(text, signal, attempt === MOST_ATTEMPTS);
      if (signal.aborted) return;
      show(state);
      if (state.name !== "waiting") return;
      await pauseUntil(state.until, signal);
    }
  }

  /**
   * @param {string} text
   * @param {AbortSignal} signal
   * @param {boolean} isLast
   * @returns {Promise<State>}
   */
  async function tryOnce(text, signal, isLast) {
    try {
      return { name: "result", text, answer: await send(text, signal) };
    } catch (error) {
      const problem = error instanceof Problem ? error : new Problem("unexpected");
      if (problem.retryAfter === undefined || isLast) return { name: "problem", problem };
      return { name: "waiting", problem, until: Date.now() + problem.retryAfter * 1000 };
    }
  }

  function cancel() {
    current.abort();
    show({ name: "idle" });
  }

  return { read, cancel };
}

/**
 * @param {number} until milliseconds, as Date.now()
 * @param {AbortSignal} signal ends the pause early
 * @returns {Promise<void>}
 */
function pauseUntil(until, signal) {
  return new Promise((resolve) => {
    setTimeout(resolve, until - Date.now());
    signal.addEventListener("abort", () => resolve());
  });
}
