/** Numbers and problems in plain words. */

/** Least confidence, in words. */
const CONFIDENCE = [
  [0.98, "Practically certain"],
  [0.9, "Very sure"],
  [0.75, "Fairly sure"],
  [0.6, "Leaning, not sure"],
  [0, "Almost a coin toss"],
];

const VERDICTS = {
  positive: "Positive",
  negative: "Negative",
  mixed: "Mixed",
  unclear: "Not enough to go on",
};

/** The API's own verdict; from one that gives none, the sentiment. */
export function verdictOf({ verdict, sentiment }) {
  return verdict in VERDICTS ? verdict : sentiment;
}

export function verdictInWords(answer) {
  return VERDICTS[verdictOf(answer)];
}

/** Words as sure as the answer, but no surer than the model is right on texts of that kind (0 to 1). */
export function confidenceInWords(answer, known = 1) {
  const verdict = verdictOf(answer);
  if (verdict === "mixed") return `It speaks for the film and against it: ${percent(answer.probability)} positive`;
  if (verdict === "unclear") return `Leaning ${answer.sentiment}, ${percent(answer.confidence)}, but do not build on it`;
  return `${CONFIDENCE.find(([least]) => Math.min(answer.confidence, known) >= least)[1]}, ${percent(answer.confidence)}`;
}

/** A share of 0 to 1, never rounded to a certainty. */
export function percent(share, digits = 0) {
  const least = 10 ** -digits;
  const value = share * 100;
  if (value > 100 - least && value < 100) return `over ${100 - least}%`;
  if (value > 0 && value < least) return `under ${least}%`;
  return `${value.toFixed(digits)}%`;
}

export function shortVerdict(answer) {
  const verdict = verdictOf(answer);
  if (verdict === "mixed" || verdict === "unclear") return `${VERDICTS[verdict]}, ${percent(answer.probability)} positive`;
  return `${VERDICTS[verdict]}, ${percent(answer.confidence)}`;
}

/** Which way something speaks; its level says how much, 0 (hardly) to 3. */
export function direction(strength, level = 2) {
  if (level === 0 || strength === 0) return "hardly speaks either way";
  const much = { 1: " a little", 3: " strongly" }[level] ?? "";
  return strength > 0 ? `speaks${much} for the film` : `speaks${much} against it`;
}

export function count(value, noun) {
  return value.toLocaleString("en") + (noun ? ` ${noun}${value === 1 ? "" : "s"}` : "");
}

const PROBLEMS = {
  network: ["No connection", "The server could not be reached."],
  offline: ["You are offline", "Your review is read as soon as the connection is back."],
  timeout: ["No answer", "The server took too long to answer."],
  waking: ["Warming up the projector", "The model sleeps while nobody needs it and is waking up now, which can take a minute."],
  asleep: ["Still asleep", "The model did not wake up in time."],
  unreachable: ["No line to the model", "The model cannot be reached at the moment."],
  busy: ["Full house", "Many reviews are being read right now."],
  "no-words": ["No words to read", "There is no word in this text. Write at least one."],
  "too-long": ["Too long", "This review is longer than Reeltone takes."],
  unexpected: ["A garbled answer", "The server’s answer made no sense."],
  refused: ["Not accepted", "The server did not accept this review."],
  "set-up": ["Out of order", "This site is set up wrongly."],
  failed: ["Something broke", "The server could not read the review."],
};

/** Problems that the same text meets again. */
const LASTING = ["no-words", "too-long", "refused", "set-up"];

export function mayPass({ kind }) {
  return !LASTING.includes(kind);
}

export function problemInWords(problem) {
  const { kind, detail, retryAfter } = problem;
  if (kind === "network" && !navigator.onLine) return PROBLEMS.offline;
  const [title, ours] = PROBLEMS[kind === "waking" ? "asleep" : kind];
  // The server's own words name the numbers; where it said when to ask again, that time is over.
  const words = [(!retryAfter && detail) || ours, "Your text is still in the box."];
  if (mayPass(problem)) words.splice(1, 0, "Please try again later.");
  return [title, words.join(" ")];
}

export function waitInWords({ kind }) {
  return PROBLEMS[kind];
}

export function requestLine({ status, requestId }) {
  return [status && `Status ${status}`, requestId && `request ${requestId}`].filter(Boolean).join(", ");
}

/** Whole seconds until a time in milliseconds. */
export function secondsUntil(until) {
  return Math.max(1, Math.ceil((until - Date.now()) / 1000));
}
