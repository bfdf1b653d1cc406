/** Numbers and problems in plain words. */

/** @typedef {import("./api.js").Problem} Problem */

/** @type {[number, string][]} least confidence, in words */
const CONFIDENCE = [
  [0.98, "Practically certain"],
  [0.9, "Very sure"],
  [0.75, "Fairly sure"],
  [0.6, "Leaning, not sure"],
  [0, "Almost a coin toss"],
];

/** @param {number} confidence 0.5 to 1 */
export function confidenceInWords(confidence) {
  const found = CONFIDENCE.find(([least]) => confidence >= least);
  return found ? found[1] : "";
}

/** @param {number} share 0 to 1; never rounded to a certainty */
export function percent(share) {
  if (share > 0.99 && share < 1) return "over 99%";
  if (share > 0 && share < 0.01) return "under 1%";
  return `${Math.round(share * 100)}%`;
}

/** @param {number} probability of positive: what a calibrated probability means */
export function frequency(probability) {
  if (probability > 0.99) return "Of 100 reviews that score like this, more than 99 are positive.";
  if (probability < 0.01) return "Of 100 reviews that score like this, fewer than 1 is positive.";
  const count = Math.round(probability * 100);
  return `Of 100 reviews that score like this, about ${count} ${count === 1 ? "is" : "are"} positive.`;
}

/** @param {number} contribution */
export function direction(contribution) {
  if (contribution === 0) return "speaks neither for nor against";
  return contribution > 0 ? "speaks for the film" : "speaks against it";
}

/** @param {number} share 0 to 1 */
export function percentOfWeight(share) {
  if (share > 0 && share < 0.001) return "under 0.1%";
  return `${(share * 100).toFixed(share < 0.0995 ? 1 : 0)}%`;
}

/** @param {number} value */
export function count(value) {
  return value.toLocaleString("en");
}

/** @param {number} value */
export function characters(value) {
  return `${count(value)} ${value === 1 ? "character" : "characters"}`;
}

/** @param {number | undefined} tokens the most the model reads */
export function cutNotice(tokens) {
  const most = tokens ? ` (${count(tokens)} words and punctuation marks)` : "";
  return `This review is longer than the model reads${most}. It read the beginning and the end; the faded part did not count.`;
}

/** @type {Record<import("./api.js").ProblemKind, [string, string]>} title, text */
const PROBLEMS = {
  network: ["No connection", "The server could not be reached. Check the connection and try again."],
  timeout: ["No answer", "The server took too long to answer. Please try again."],
  waking: ["Still asleep", "The model did not wake up in time. Please try again in a few minutes."],
  unreachable: ["No line to the model", "The model cannot be reached. Please try again later."],
  busy: ["Full house", "Many reviews are being read right now. Please try again in a minute."],
  "no-words": ["No words to read", "There is no word in this text. Write at least one."],
  "too-long": ["Too long", "This review is longer than Reeltone takes."],
  unexpected: ["A garbled answer", "The server’s answer made no sense. Please try again."],
  refused: ["Not accepted", "The server did not accept this review."],
  "set-up": ["Out of order", "This site is set up wrongly."],
  failed: ["Something broke", "The server could not read the review. Please try again later."],
};

/** Problems that the same text meets again. */
const LASTING = new Set(["no-words", "too-long", "refused", "set-up"]);

/** @param {Problem} problem */
export function mayPass(problem) {
  return !LASTING.has(problem.kind);
}

/** @param {Problem} problem */
export function problemInWords(problem) {
  const [title, ours] = PROBLEMS[problem.kind];
  if (problem.kind === "network" && !navigator.onLine) {
    return { title: "You are offline", text: "The review is sent as soon as the connection is back." };
  }
  // The server's own words name the numbers; where it said when to ask again, that time is over.
  const words = (problem.retryAfter ? undefined : problem.detail) ?? ours;
  return { title, text: `${words} Your text is still in the box.` };
}

/** @type {Partial<Record<import("./api.js").ProblemKind, [string, string]>>} title, text */
const WAITS = {
  busy: ["Full house", "Many reviews are being read right now."],
  unreachable: ["No line to the model", "The model cannot be reached at the moment."],
  waking: [
    "Warming up the projector",
    "The model sleeps while nobody needs it and is waking up now, which can take a minute.",
  ],
};

/** @param {Problem} problem a problem that passes: the review is sent again by itself */
export function waitInWords(problem) {
  const [title, text] = WAITS[problem.kind] ?? PROBLEMS[problem.kind];
  return { title, text };
}

/** @param {Problem} problem */
export function requestLine(problem) {
  const { status, requestId } = problem;
  return [status && `Status ${status}`, requestId && `request ${requestId}`].filter(Boolean).join(", ");
}

/** @param {number} seconds */
export function retryIn(seconds) {
  return `Your review is sent again by itself in ${seconds} ${seconds === 1 ? "second" : "seconds"}.`;
}
