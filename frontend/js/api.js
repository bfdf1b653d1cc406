/** The one module that talks to the API. Whatever goes wrong leaves it as a Problem. */

/** Milliseconds; more than the API takes at most. */
const PATIENCE = 35_000;

/** Milliseconds between two tries over a broken connection. */
const BREATH = 500;

/** Seconds to the next attempt: if the API does not say; the least and the most that are believed. */
const USUAL_WAIT = 5;
const SHORTEST_WAIT = 1;
const LONGEST_WAIT = 120;

const KINDS = new Map([
  ["/problems/model-busy", "busy"],
  ["/problems/model-unreachable", "unreachable"],
  ["/problems/set-up", "set-up"],
  [413, "too-long"],
  [422, "no-words"],
  [429, "busy"],
  [503, "waking"],
]);

export class Problem extends Error {
  /** Facts: status, detail, requestId; retryAfter in seconds, where another attempt makes sense. */
  constructor(kind, facts) {
    super(kind);
    Object.assign(this, { kind }, facts);
  }
}

/** Effects of words take longer to find than all the rest. */
export async function readReview(review, effects, signal) {
  const answer = await request("api/sentiment", signal, JSON.stringify({ review, explain: true, effects }));
  if (!isAnswer(Object(answer))) throw new Problem("unexpected");
  return answer;
}

export function fetchModel() {
  return request("api/model");
}

/** Let a sleeping model wake up before it is needed; the answer does not matter. */
export function wakeModel() {
  fetch("api/health").catch(() => {});
}

export async function request(path, signal = new AbortController().signal, body = undefined) {
  const patience = AbortSignal.timeout(PATIENCE);
  const options = { signal: AbortSignal.any([signal, patience]) };
  if (body) Object.assign(options, { method: "POST", headers: { "content-type": "application/json" }, body });
  try {
    // A connection breaks when a phone changes its network.
    const response = await fetch(path, options).catch(async (error) => {
      if (options.signal.aborted) throw error;
      await new Promise((resolve) => setTimeout(resolve, BREATH));
      return fetch(path, options);
    });
    const said = await response.json().catch((error) => {
      if (!(error instanceof SyntaxError)) throw error;
    });
    if (!response.ok) throw problemOf(response, Object(said));
    return said;
  } catch (error) {
    if (error instanceof Problem) throw error;
    throw new Problem(patience.aborted ? "timeout" : "network");
  }
}

function problemOf({ status, headers }, said) {
  const kind = KINDS.get(said.type) ?? KINDS.get(status) ?? (status < 500 ? "refused" : "failed");
  const seconds = Number.parseInt(headers.get("retry-after") ?? said.retryAfter, 10) || USUAL_WAIT;
  return new Problem(kind, {
    status,
    detail: said.detail ?? said.message,
    requestId: said.requestId ?? headers.get("apigw-requestid"),
    retryAfter: [429, 503].includes(status) ? Math.min(Math.max(seconds, SHORTEST_WAIT), LONGEST_WAIT) : undefined,
  });
}

function isAnswer({ probability, words, sentences }) {
  return probability >= 0 && probability <= 1 && [words, sentences].every(Array.isArray);
}
