/** The one module that talks to the API. Whatever goes wrong leaves it as a Problem. */

/** Milliseconds; more than the API takes at most. */
const PATIENCE = 35_000;

/** Milliseconds between two tries over a broken connection. */
const BREATH = 500;

/** Seconds to the next attempt: the most that is believed, and the most where the API does not say. */
const LONGEST_WAIT = 120;
const LONGEST_GUESS = 2;

/** Requests in a row that were refused for now. */
let refusals = 0;

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
    refusals = isPassing(response) ? refusals + 1 : 0;
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
  return new Problem(kind, {
    status,
    detail: said.detail ?? said.message,
    requestId: said.requestId ?? headers.get("apigw-requestid"),
    retryAfter: isPassing({ status }) ? pauseOf(headers.get("retry-after") ?? said.retryAfter, refusals) : undefined,
  });
}

function isPassing({ status }) {
  return status === 429 || status === 503;
}

/**
 * Seconds until a request that was refused is sent again: never fewer than the API said. Where it said
 * none, as a throttle of API Gateway, 1, and more with each refusal. Chance parts those who were refused together.
 */
export function pauseOf(said, refused) {
  const told = Math.min(Number.parseInt(said, 10) || 0, LONGEST_WAIT);
  if (told > 0) return told * (1 + Math.random() / 4);
  return (Math.min(2 ** (refused - 1), LONGEST_GUESS) * (1 + Math.random())) / 2;
}

function isAnswer({ probability, words, sentences }) {
  return probability >= 0 && probability <= 1 && [words, sentences].every(Array.isArray);
}
