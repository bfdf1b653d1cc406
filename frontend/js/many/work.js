/** From a file to a file: set-up, run, results, report. */

import { fetchModel, Problem, request } from "../api.js";
import { byId, on, say } from "../dom.js";
import { count, requestLine, secondsUntil, waitInWords } from "../phrases.js";
import { downloadOf } from "./download.js";
import { currentFilter, find, narrow, openListing, prepareListing, refresh, settle } from "./listing.js";
import { prepareOverview, showOverview } from "./overview.js";
import { drawAll, openQuestions, prepareQuestions } from "./questions.js";
import { Refusal } from "./reading/kinds.js";
import { copyOf, openSource } from "./reading/source.js";
import { chartsFile, rowsFile, showReport, summaryFile } from "./report.js";
import { FAILED, PENDING, Results, SCORED, UNREADABLE } from "./results.js";
import { compose, createRunner } from "./runner.js";
import { prepareSetup, problemInWords, refusalInWords, showSetup } from "./setup.js";

/** Reviews that are explained: each is a hundred times as much to download. */
const SAMPLE = 500;

/** Milliseconds between two looks at a run. */
const PACE = 500;

const TITLE = document.title;

let source, results = new Results(0), run = { name: "ended" };
let saved = true, since = 0, before = 0;
let limits = { characters: 20_000, reviews: 100 };

const announce = (text) => (byId("announcement").textContent = text);
const runner = createRunner({ score, fail, change });

function mayLeave() {
  saved ||= confirm("The results have not been downloaded. Drop them?");
  if (saved) runner.stop();
  return saved;
}

function show(phase) {
  for (const each of ["intake", "setup", "work"]) byId(each).hidden = each !== phase;
  byId("file-bar").hidden = phase === "intake";
  byId("reading").textContent = byId("file").value = "";
}

export function take(file) {
  if (mayLeave()) return open(file);
  byId("reading").textContent = "";
  return undefined;
}

async function open(file, choices = {}) {
  byId("file-name").textContent = file.name;
  say("trouble", "");
  const progress = (share) => (byId("reading").textContent = `Reading the file: ${Math.floor(share * 100)}%`);
  try {
    source = await openSource(choices.format ? file : await copyOf(file), { ...choices, progress });
    await showSetup(source);
    show("setup");
    byId("file-name").focus();
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    show("intake");
    say("trouble", `${file.name}: ${refusalInWords(error)}`);
  }
}

/** What was refused before it was opened leaves what is on the page where it is. */
export function refuse(error) {
  byId("reading").textContent = byId("file").value = "";
  say("trouble", refusalInWords(error));
}

async function start() {
  byId("start").disabled = true;
  results = new Results(source.count);
  limits = { ...limits, ...(await fetchModel().catch(() => {}))?.limits };
  openListing(source, results);
  await openQuestions(source, results);
  show("work");
  byId("file-name").focus();
  go();
}

function go() {
  const rows = results.rowsIn(PENDING);
  const step = Math.max(results.size / SAMPLE, 1);
  const isSampled = (row) => Math.floor((row + 1) / step) > Math.floor(row / step);
  saved = false;
  runner.start(limits.reviews, [
    { rows: rows.filter(isSampled), explain: true },
    { rows: rows.filter((row) => !isSampled(row)), explain: false },
  ]);
}

async function score({ rows, explain }, signal) {
  const batch = await compose(source, rows, explain, limits.characters);
  if (signal.aborted) return [];
  for (const [row, problem] of batch.problems) results.set(row, UNREADABLE, { reason: problemInWords(problem) });
  if (!batch.rows.length) return batch.rest;
  const answer = await request("api/sentiments", signal, batch.body);
  if (answer?.results?.length !== batch.rows.length) throw new Problem("unexpected");
  if (signal.aborted) return [];
  results.model = answer.model ?? results.model;
  for (const [at, { probability, verdict, words, problem }] of answer.results.entries()) {
    if (problem) results.set(batch.rows[at], UNREADABLE, { reason: problem.detail });
    else results.set(batch.rows[at], SCORED, { probability, verdict });
    if (words) results.addWords(batch.texts[at], words);
  }
  return batch.rest;
}

function fail(row, problem) {
  if (results.states[row] === PENDING) results.set(row, FAILED, { reason: reasonOf(problem) });
}

function reasonOf(problem) {
  return `${problem.detail ?? waitInWords(problem)[1]} ${requestLine(problem)}`.trim();
}

function change(next) {
  [run, since, before] = [next, Date.now(), results.counts[PENDING]];
  if (run.name !== "running" && results.size) announce(statusLine());
  look();
  if (run.name !== "running") conclude();
}

/** What is costly to find out is looked at when a run rests. */
async function conclude() {
  if (!results.size) return;
  drawAll();
  settle();
  await report();
}

function report() {
  return showReport(source, results);
}

function statusLine() {
  const { name, problem, until } = run;
  const [pending, scored, unreadable, failed] = results.counts;
  if (name === "running") return `Scoring, ${pace(pending)}.`;
  if (name === "paused") return `Paused. ${problem ? `${reasonOf(problem)}. ` : ""}Nothing is lost.`;
  if (name === "waiting") {
    const why = until ? waitInWords(problem)[1] : "You are offline.";
    return `Waiting. ${why} It goes on by itself ${until ? `in ${secondsUntil(until)} s` : "when the connection is back"}.`;
  }
  const parts = [`${pending ? "Stopped" : "Done"}. ${count(scored)} of ${count(results.size, "review")} ${results.size === 1 ? "is" : "are"} scored.`];
  if (unreadable) parts.push(`${count(unreadable)} can’t be read; their rows say why.`);
  if (failed) parts.push(`${count(failed)} failed and can be tried again.`);
  return parts.join(" ");
}

function pace(pending) {
  const rate = ((before - pending) / (Date.now() - since)) * 1000;
  if (!(rate > 0)) return "measuring the pace";
  const minutes = Math.ceil(pending / rate / 60);
  return `${count(Math.round(rate), "review")} a second, ${minutes > 1 ? `about ${count(minutes)} minutes` : "less than a minute"} left`;
}

function look() {
  const [pending, , , failed] = results.counts;
  const done = results.size - pending;
  const share = done / results.size || 0;
  const isOver = run.name === "ended";
  byId("status").textContent = statusLine();
  byId("progress").value = share;
  byId("done").textContent = `${count(done)} of ${count(results.size)}`;
  byId("pause").hidden = isOver || run.name === "paused";
  byId("resume").hidden = isOver ? !pending : run.name !== "paused";
  byId("stop").hidden = isOver;
  say("retry", isOver && failed ? `Try the ${count(failed)} failed again` : "");
  document.title = isOver ? TITLE : `${Math.floor(share * 100)}% · ${TITLE}`;
  if (!source || !results.size) return;
  showOverview(results, currentFilter().bin);
  refresh();
}

async function pick(change) {
  await narrow(change);
  showOverview(results, currentFilter().bin);
}

/** Offers a file for download, named after the one that was read. */
function offer(blob, part, ending) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = source.name.replace(/(\.\w+)?$/, (own) => `.${part}${ending ?? own}`);
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

async function download() {
  const blob = await downloadOf(source, results, (row) => results.reasons.get(row) ?? "Not scored.");
  offer(blob, "scored", source.format.id === "lines" || source.rewritten ? ".csv" : undefined);
  saved = run.name === "ended";
}

async function takeFile({ target }) {
  const kind = target.closest("button")?.dataset.file;
  if (!kind) return;
  if (kind === "print") print();
  else if (kind === "summary") offer(summaryFile(results), "summary", ".csv");
  else if (kind === "rows") offer(await rowsFile(source, results), "rows", ".csv");
  else offer(await chartsFile(results, kind), "charts", `.${kind}`);
}

prepareSetup((choices) => open(source.file, choices));
prepareQuestions(report);
prepareListing();
prepareOverview(
  (bin) => pick({ bin: currentFilter().bin === bin ? undefined : bin }),
  (word) => find(word, true),
);
on("other", "click", () => {
  if (!mayLeave()) return;
  show("intake");
  byId("file").focus();
});
on("start", "click", start);
on("pause", "click", runner.pause);
on("resume", "click", () => (run.name === "paused" ? runner.resume() : go()));
on("stop", "click", runner.stop);
on("retry", "click", () => {
  for (const row of results.rowsIn(FAILED)) results.set(row, PENDING);
  go();
});
on("download", "click", download);
on("report-files", "click", takeFile);
addEventListener("beforeunload", (event) => saved || event.preventDefault());
setInterval(() => run.name === "ended" || look(), PACE);
