/** Sends reviews in batches: few at a time, fewer when the API is busy, again when it says when. */

import { Problem } from "../api.js";
import { countCodePoints } from "../offsets.js";
import { count } from "../phrases.js";

/** Bytes of a request, as Lambda takes 6 MB of escaped text. */
const LARGEST_BODY = 1_000_000;

/** A request with the reviews of rows, as many as fit; rest did not. */
export async function compose(source, rows, explain, most) {
  const batch = { rows: [], texts: [], problems: [], rest: [] };
  const parts = [];
  let size = 100;
  for (const [at, { text, problem }] of (await source.reviews(rows)).entries()) {
    const reason = problem ?? tooLong(text, most);
    const part = reason ? "" : JSON.stringify(text);
    size += new TextEncoder().encode(part).length + 1;
    if (size > LARGEST_BODY) {
      batch.rest = rows.slice(at);
      break;
    }
    if (reason) batch.problems.push([rows[at], reason]);
    else {
      parts.push(part);
      batch.rows.push(rows[at]);
      batch.texts.push(text);
    }
  }
  return { ...batch, body: `{"explain":${explain},"reviews":[${parts}]}` };
}

function tooLong(text, most) {
  const length = text.length > most ? countCodePoints(text) : 0;
  return length > most && { key: "too-long", facts: { found: count(length), limit: count(most) } };
}

const MAX_LANES = 2;

/** Reviews in the first call, and the most in one that explains: each is 12 kB to download. */
const BATCH = 20;

/** Calls in a row that must fail until the run pauses. */
const ENOUGH = 3;

/** Seconds until a broken connection is tried again. */
const BREAK = 5;

/**
 * score sends a batch and gives the rows that did not fit; fail hears of a row that breaks its call while
 * others are answered; change of each state: running, waiting (until a time, or the connection is back),
 * paused, ended.
 */
export function createRunner({ score, fail, change }) {
  let queues = [], run = { name: "ended" }, controller = new AbortController(), most = 1;
  let active = 0, lanes = 1, size = BATCH, failures = 0, timer = 0;
  let hasWorked = false;

  function become(next) {
    clearTimeout(timer);
    run = next;
    if (run.until) timer = setTimeout(resume, run.until - Date.now());
    change(run);
  }

  function pump() {
    while (run.name === "running" && active < lanes) {
      queues = queues.filter(({ rows }) => rows.length);
      if (!queues.length) break;
      const [{ rows, explain, few = most }] = queues;
      send({ explain, few, rows: rows.splice(0, Math.min(size, few, explain ? BATCH : most)) }, controller.signal);
    }
    if (run.name === "running" && !active) become({ name: "ended" });
  }

  async function send(batch, signal) {
    active += 1;
    const outcome = await score(batch, signal).then(
      (rest) => () => succeed({ ...batch, rows: rest }),
      (error) => () => meet(error instanceof Problem ? error : new Problem("unexpected"), batch),
    );
    if (signal.aborted) return;
    active -= 1;
    outcome();
    pump();
  }

  function succeed(rest) {
    queues.unshift(rest);
    [failures, hasWorked] = [0, true];
    size = Math.min(size * 2, most);
    lanes = MAX_LANES;
  }

  function meet(problem, batch) {
    lanes = 1;
    const isBroken = problem.kind === "network";
    if (isBroken || problem.retryAfter) {
      queues.unshift(batch);
      if (["running", "waiting"].includes(run.name)) wait(problem, isBroken);
      return;
    }
    failures += 1;
    // A review fails that is alone in its call, as it was in one that failed before, while others are answered.
    if (batch.few === 1 && batch.rows.length === 1 && hasWorked) fail(batch.rows[0], problem);
    else queues.push({ ...batch, few: Math.ceil(batch.rows.length / 4) });
    if (failures >= ENOUGH || problem.kind === "set-up") halt(problem);
  }

  /** A fault of the server is no review's: nothing is held against those that met it. */
  function halt(problem) {
    queues = queues.map(({ rows, explain }) => ({ rows, explain }));
    hasWorked = false;
    become({ name: "paused", problem });
  }

  function wait(problem, isBroken) {
    if (isBroken && !navigator.onLine) return become({ name: "waiting", problem });
    const until = Date.now() + (problem.retryAfter ?? BREAK) * 1000;
    become({ name: "waiting", problem, until: Math.max(until, run.until ?? 0) });
  }

  function resume() {
    failures = 0;
    become({ name: "running" });
    pump();
  }

  addEventListener("online", () => run.name === "waiting" && run.problem.kind === "network" && resume());

  return {
    resume,
    /** What is under way is still awaited. */
    pause: () => become({ name: "paused" }),
    start(limit, work) {
      [controller, active, queues, most] = [new AbortController(), 0, work, limit];
      hasWorked = false;
      resume();
    },
    stop() {
      controller.abort();
      queues = [];
      become({ name: "ended" });
    },
  };
}
