/** Puts the page together: file, set-up, run, results, file. */

import { fetchModel, Problem, request, wakeModel } from "../api.js";
import { byId, on, say } from "../dom.js";
import { count, requestLine, secondsUntil, waitInWords } from "../phrases.js";
import { showCharts } from "./charts.js";
import { downloadOf } from "./download.js";
import { FAILED, PENDING, Results, SCORED, UNREADABLE } from "./results.js";
import { createRunner } from "./runner.js";
import { sampleFile } from "./sample.js";
import { prepareSetup, showSetup } from "./setup.js";
import { Source } from "./source.js";
import { createTable } from "./table.js";

/** Reviews that are explained: each is a hundred times as much to download. */
const SAMPLE = 500;

const TITLE = document.title;

let [source, results, run, filter] = [undefined, new Results(0), { name: "ended" }, {}];
let [saved, since, before] = [true, 0, 0];
let limits = { characters: 20_000, reviews: 100 };

const announce = (text) => (byId("announcement").textContent = text);
const drawTable = createTable((rows) => source.reviews(rows));
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

async function open(file) {
  if (!file || !mayLeave()) return;
  source = new Source(file);
  byId("file-name").textContent = file.name;
  wakeModel();
  await scan();
  byId("file-name").focus();
}

async function scan(format) {
  say("trouble", "");
  try {
    const found = await source.scan(format ?? (await source.guess()), (share) => {
      byId("reading").textContent = `Reading the file: ${Math.floor(share * 100)}%`;
    });
    if (!source.records.starts.length) throw new Error("There is nothing in this file.");
    showSetup(source, found);
    show("setup");
  } catch (error) {
    say("trouble", `${source.name}: ${error.message}`);
    show("intake");
  }
}

async function start() {
  byId("start").disabled = true;
  results = new Results(source.count);
  limits = { ...limits, ...(await fetchModel().catch(() => {}))?.limits };
  show("work");
  byId("file-name").focus();
  byId("filter").reset();
  applyFilter();
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
  const batch = await source.compose(rows, explain, limits.characters);
  if (signal.aborted) return [];
  for (const [row, reason] of batch.problems) results.set(row, UNREADABLE, { reason });
  if (!batch.rows.length) return batch.rest;
  const answer = await request("api/sentiments", signal, batch.body);
  if (answer?.results?.length !== batch.rows.length) throw new Problem("unexpected");
  if (signal.aborted) return [];
  for (const [at, { probability, words, problem }] of answer.results.entries()) {
    if (problem) results.set(batch.rows[at], UNREADABLE, { reason: problem.detail });
    else results.set(batch.rows[at], SCORED, { probability });
    if (words) results.addWords(batch.texts[at], words);
  }
  return batch.rest;
}

function fail(rows, problem) {
  const reason = reasonOf(problem);
  for (const row of rows) if (results.states[row] === PENDING) results.set(row, FAILED, { reason });
}

function reasonOf(problem) {
  return `${problem.detail ?? waitInWords(problem)[1]} ${requestLine(problem)}`.trim();
}

function change(next) {
  [run, since, before] = [next, Date.now(), results.counts[PENDING]];
  if (run.name !== "running" && results.size) announce(statusLine());
  look();
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
  const parts = [`${pending ? "Stopped" : "Done"}. ${count(scored)} of ${count(results.size, "review")} are scored.`];
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
  showCharts(results);
  arrange();
}

function arrange(step) {
  drawTable(results.view(filter), results, step);
}

async function applyFilter() {
  const wanted = byId("contains").value.toLowerCase();
  const hits = wanted ? await source.search(wanted) : undefined;
  if (wanted && !hits) return;
  filter = { kind: byId("kind").value, order: byId("order").value, hits };
  arrange(-Infinity);
}

async function download() {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(await downloadOf(source, results));
  link.download = source.name.replace(/(\.\w+)?$/, (ending) => `.scored${source.format.id === "lines" ? ".csv" : ending}`);
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
  saved = run.name === "ended";
}

prepareSetup(scan);
on("file", "change", () => open(byId("file").files[0]));
on("sample", "click", () => open(sampleFile()));
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
on("filter", "input", applyFilter);
on("filter", "submit", (event) => event.preventDefault());
on("previous", "click", () => arrange(-1));
on("next", "click", () => arrange(1));
addEventListener("dragover", (event) => event.preventDefault());
addEventListener("drop", (event) => {
  event.preventDefault();
  open(event.dataTransfer.files[0]);
});
addEventListener("beforeunload", (event) => saved || event.preventDefault());
setInterval(() => run.name === "ended" || look(), 500);
