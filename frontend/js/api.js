/**
 * The one module that talks to the API. Whatever goes wrong leaves it as a Problem.
 */

/**
 * @typedef {import("./offsets.js").Span} Span
 * @typedef {{sentiment: "positive" | "negative", probability: number, confidence: number,
 *   truncated: boolean, model: string, words: Span[], sentences: Span[]}} Answer
 * @typedef {{name: string, version: string, architecture?: string,
 *   metrics: Record<string, unknown>, limits: {characters: number, tokens: number}}} Model
 * @typedef {"network" | "timeout" | "waking" | "busy" | "unreachable" | "no-words" | "too-long"
 *   | "unexpected" | "refused" | "set-up" | "failed"} ProblemKind
 */

/** The API answers or gives up within 30 seconds. */
const PATIENCE_MS = 35_000;

/** A broken connection is tried again after this time. */
const BREATH_MS = 500;

/** Seconds between attempts when the API does not say, and the least and most that are believed. */
const RETRY_AFTER = { usual: 5, least: 1, most: 120 };

/** Problem types that say more than their status. @type {Map<unknown, ProblemKind>} */
const KINDS_BY_TYPE = new Map([
  ["/problems/model-busy", "busy"],
  ["/problems/model-unreachable", "unreachable"],
  ["/problems/set-up", "set-up"],
]);

/** @type {Map<number, ProblemKind>} */
const KINDS_BY_STATUS = new Map([
  [413, "too-long"],
  [422, "no-words"],
  [429, "busy"],
  [503, "waking"],
]);

export class Problem extends Error {
  /**
   * @param {ProblemKind} kind
   * @param {{status?: number, detail?: string, requestId?: string, retryAfter?: number}} [facts]
   *   retryAfter in seconds, only where another attempt makes sense
   */
  constructor(kind, { status, detail, requestId, retryAfter } = {}) {
    super(detail ?? kind);
    this.kind = kind;
    this.status = status;
    this.detail = detail;
    this.requestId = requestId;
    this.retryAfter = retryAfter;
  }
}

/**
 * @param {string} review
 * @param {AbortSignal} signal
 * @returns {Promise<Answer>}
 */
export async function readReview(review, signal) {
  const answer = await request("api/sentiment", signal, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ review, explain: true }),
  });
  if (!isAnswer(answer)) throw new Problem("unexpected");
  return answer;
}

/** @returns {Promise<Model>} */
export async function fetchModel() {
  const model = await request("api/model", new AbortController().signal);
  if (!isModel(model)) throw new Problem("unexpected");
  return model;
}

/** Let a sleeping model wake up while the reviewer is still writing; the answer does not matter. */
export function wakeModel() {
  fetch("api/health").catch(() => {});
}

/**
 * @param {string} path
 * @param {AbortSignal} signal
 * @param {RequestInit} [options]
 * @returns {Promise<unknown>} the answer's JSON
 */
async function request(path, signal, options) {
  const patience = AbortSignal.timeout(PATIENCE_MS);
  try {
    const both = AbortSignal.any([signal, patience]);
    const response = await fetchAgain(path, { ...options, signal: both });
    const body = await readJson(response);
    if (!response.ok) throw problemOf(response, body);
    return body;
  } catch (error) {
    if (error instanceof Problem) throw error;
    throw new Problem(patience.aborted ? "timeout" : "network");
  }
}

/**
 * A connection that breaks, as when a phone changes its network, gets a second try.
 * @param {string} path
 * @param {RequestInit & {signal: AbortSignal}} options
 */
async function fetchAgain(path, options) {
  try {
    return await fetch(path, options);
  } catch {
    options.signal.throwIfAborted();
    await new Promise((resolve) => setTimeout(resolve, BREATH_MS));
    return fetch(path, options);
  }
}

/** @param {Response} response @returns {Promise<any>} undefined where the body is not JSON */
async function readJson(response) {
  const text = await response.text();
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** @param {Response} response @param {any} body a problem object, or whatever a proxy answered */
function problemOf(response, body) {
  const { status, headers } = response;
  const said = Object(body);
  const other = status < 500 ? "refused" : "failed";
  const kind = KINDS_BY_TYPE.get(said.type) ?? KINDS_BY_STATUS.get(status) ?? other;
  const passes = status === 429 || status === 503;
  return new Problem(kind, {
    status,
    detail: textOf(said.detail) ?? textOf(said.message),
    requestId: textOf(said.requestId) ?? headers.get("apigw-requestid") ?? undefined,
    retryAfter: passes ? secondsOf(headers.get("retry-after") ?? said.retryAfter) : undefined,
  });
}

/** @param {unknown} value */
function textOf(value) {
  return typeof value === "string" && value !== "" ? value : undefined;
}

/** @param {unknown} value */
function secondsOf(value) {
  const seconds = Number.parseInt(String(value), 10);
  if (Number.isNaN(seconds)) return RETRY_AFTER.usual;
  return Math.min(Math.max(seconds, RETRY_AFTER.least), RETRY_AFTER.most);
}

/** @param {any} body @returns {body is Answer} */
function isAnswer(body) {
  return (
    ["positive", "negative"].includes(body?.sentiment) &&
    isShare(body.probability) &&
    isShare(body.confidence) &&
    [body.words, body.sentences].every((spans) => Array.isArray(spans) && spans.every(isSpan))
  );
}

/** @param {any} body @returns {body is Model} */
function isModel(body) {
  return Boolean(body?.version && body.metrics && body.limits);
}

/** @param {unknown} value */
function isShare(value) {
  return typeof value === "number" && value >= 0 && value <= 1;
}

/** @param {any} span */
function isSpan(span) {
  return (
    Number.isInteger(span?.start) && Number.isInteger(span.end) && Number.isFinite(span.contribution)
  );
}
