/** What goes into a report: one page to print, charts, a summary, and rows as they are filtered. */

import { fetchModel } from "../api.js";
import { byId, make } from "../dom.js";
import { count, percent } from "../phrases.js";
import { harmless } from "./download.js";
import { groupChart, histogram, standalone, timeChart, toPng } from "./drawing.js";
import { currentRows } from "./listing.js";
import { intervalInWords, rankWords } from "./overview.js";
import { comparison, currentGroups, currentMonths, groupTitle, monthsTitle } from "./questions.js";
import { quote } from "./reading/delimited.js";
import { BINS, SCORED, VERDICTS, wilson } from "./results.js";

/** Groups and months on one page. */
const MOST = 25;

/** The charts as they stand: histogram, groups, months. */
function charts(results) {
  const groups = currentGroups().slice(0, MOST);
  const months = currentMonths();
  return [
    histogram(results.bins),
    ...(groups.length ? [groupChart(groups, `Positive by ${groupTitle()}, with 95% intervals and numbers of reviews`)] : []),
    ...(months.length ? [timeChart(months, `Positive by month of ${monthsTitle()}`)] : []),
  ];
}

let model;

export async function showReport(source, results) {
  model ??= await fetchModel().catch(() => undefined);
  const { counts: [pending, scored, unreadable, failed], positive } = results;
  const facts = [
    ["File", source.name],
    ["Date", new Date().toLocaleDateString("en", { dateStyle: "long" })],
    ["Model", results.model || model?.version || "unknown"],
    ["Reviews", `${count(scored)} scored of ${count(results.size)}${unreadable + failed + pending ? `; ${count(unreadable)} unreadable, ${count(failed)} failed, ${count(pending)} not scored` : ""}`],
    ["Positive", scored ? `${percent(positive / scored, 1)} (${count(positive)}); ${intervalInWords(positive, scored)}` : "–"],
  ];
  byId("report-facts").replaceChildren(...facts.flatMap(([name, value]) => [make("dt", "", name), make("dd", "", value)]));
  byId("report-charts").replaceChildren(...charts(results).map((chart) => make("li", "", chart)));
  const { praise, blame } = rankWords(results);
  const told = [["Words that add most for the film where they occur", praise], ["Words that add most against it", blame]].filter(([, words]) => words.length);
  byId("report-words").textContent = told.map(([side, words]) => `${side}: ${words.map(({ word }) => word).join(", ")}.`).join(" ");
  byId("report-bearing").replaceChildren(...bearing(results, model).map((words) => make("li", "", words)));
}

/** What the figures can bear, in sentences. */
function bearing({ counts: [, scored], positive }, model) {
  const accuracy = model?.metrics?.accuracy;
  const found = comparison();
  const [least, most] = wilson(positive, scored);
  return [
    `The intervals say how far chance alone may carry a share of this many reviews: here, ${((most - least) * 50).toFixed(1)} percentage points to either side. They hold if the file is a random sample of those that it stands for; a file of volunteers is none.`,
    accuracy ? `The model is right on ${percent(accuracy, 1)} of the reviews of films that it was tested with. At that rate it takes about ${count(Math.round((1 - accuracy) * scored))} of these ${count(scored)} for the wrong side, some in each direction; of texts of another kind, more. Single reviews are worth reading.` : "How often the model is wrong could not be asked for.",
    ...(found && found.agree + found.disagree ? [`With ${found.title}, it agrees in ${percent(found.agree / (found.agree + found.disagree), 1)} of the rows that have both.`] : []),
    "A difference between two groups means little where their intervals overlap, and nothing where one of them has a handful of reviews.",
  ];
}

export async function chartsFile(results, kind) {
  const picture = standalone(charts(results));
  return kind === "png" ? toPng(picture) : new Blob([picture.svg], { type: "image/svg+xml" });
}

/** One line for each figure: what it is of, which, its number of reviews, and what is known of them. */
export function summaryFile(results) {
  const { counts: [, scored], positive, bins, verdictCounts } = results;
  const whole = { name: "all", reviews: scored, positive, share: positive / scored, interval: wilson(positive, scored) };
  const line = (part) => ({ name, reviews, positive: good, share, interval, mean, number }) => [part, name, reviews, good, share, ...interval, mean ?? "", Number.isNaN(number ?? NaN) ? "" : number];
  const found = comparison();
  const lines = [
    ["part", "name", "reviews", "positive", "share_positive", "interval_low", "interval_high", "mean_probability", "mean_stars"],
    line("all")(whole),
    ...VERDICTS.slice(1).flatMap((verdict, at) => (verdictCounts[at + 1] ? [["verdict", verdict, verdictCounts[at + 1]]] : [])),
    ...[...bins].map((size, bin) => ["probability", `${bin / BINS} to ${(bin + 1) / BINS}`, size]),
    ...currentGroups().map(line(groupTitle())),
    ...currentMonths().map(line(`month of ${monthsTitle()}`)),
    ...(found ? [[`agrees with ${found.title}`, "", found.agree], [`disagrees with ${found.title}`, "", found.disagree]] : []),
  ];
  return new Blob(lines.map(csvLine), { type: "text/csv" });
}

const csvLine = (cells) => `${cells.map((cell) => quote(typeof cell === "number" ? round(cell) : harmless(String(cell)), ",", typeof cell !== "number")).join(",")}\r\n`;
const round = (number) => (Number.isInteger(number) ? number : Number(number.toFixed(6)));

/** The rows as they are filtered and ordered, with all of their columns. */
export async function rowsFile(source, results) {
  const rows = currentRows();
  const names = source.names.map((_, at) => source.titleOf(at));
  const parts = [csvLine([...names, "row", "verdict", "probability"])];
  for (let from = 0; from < rows.length; from += 1000) {
    const some = [...rows.subarray(from, from + 1000)];
    const cells = await source.cells(some);
    parts.push(new Blob(some.map((row, at) => {
      const isScored = results.states[row] === SCORED;
      return csvLine([...cells[at], row + 1, isScored ? results.verdictOf(row) : "", isScored ? results.probabilities[row] : ""]);
    })));
  }
  return new Blob(parts, { type: "text/csv" });
}
