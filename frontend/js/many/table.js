/** A page of rows, out of as many as there are; each opens to its whole review. */

import { readReview, Problem } from "../api.js";
import { byId, make } from "../dom.js";
import { splitIntoPieces } from "../offsets.js";
import { count, percent, shortVerdict, verdictInWords, waitInWords } from "../phrases.js";
import { FAILED, PENDING, SCORED } from "./results.js";

/** Rows on a page. */
const PAGE = 50;
/** Characters that are shown of a review. */
const MAX_REVIEW = 400;
/** Characters that are shown of a cell. */
const MAX_CELL = 120;
/** Characters that are shown before a text that was found. */
const BEFORE = 60;

/** A word is marked where it does at least this share of what the strongest does. */
const STANDS_OUT = 0.25;

/** source gives the cells; pattern() what is searched for; choose(order) hears of a press on a head. */
export function createTable({ source, results, choose }) {
  const columns = source.names.map((_, at) => at).filter((at) => at !== source.column);
  let page = 0, drawn = "", rows = new Uint32Array(0), pattern;
  const opened = new Map();

  drawHeads(source, columns, choose);
  byId("rows").replaceChildren();
  byId("rows").onclick = ({ target }) => {
    const line = target.closest("tr[data-row]");
    if (line && !target.closest("a") && !String(getSelection()).trim()) toggle(line);
  };

  function toggle(line) {
    const row = Number(line.dataset.row);
    const button = line.querySelector("button");
    const isOpen = button.ariaExpanded === "true";
    button.ariaExpanded = String(!isOpen);
    if (isOpen) line.nextElementSibling.remove();
    else line.after(openedRow(row));
  }

  function openedRow(row) {
    const cell = Object.assign(make("td", ""), { colSpan: columns.length + 4 });
    const place = make("div", "opened", make("p", "", "Reading …"));
    cell.append(place);
    show(row, place);
    return make("tr", "whole", cell);
  }

  async function show(row, place) {
    const [cells] = await source.cells([row]);
    const text = cells[source.column];
    const rest = columns.filter((at) => cells[at]).flatMap((at) => [make("dt", "", source.titleOf(at)), make("dd", "", cells[at])]);
    const facts = rest.length ? [make("dl", "", ...rest)] : [];
    const whole = make("p", "review", text || "(empty)");
    whole.dir = "auto";
    const said = make("p", "said", results.states[row] === SCORED ? "Reading which words did it …" : (results.reasons.get(row) ?? "Not scored yet."));
    place.replaceChildren(said, whole, ...facts);
    if (results.states[row] !== SCORED) return;
    try {
      const answer = opened.get(row) ?? (await readReview(text));
      opened.set(row, answer);
      said.textContent = `${shortVerdict(answer)}.${answer.truncated ? " Only its beginning and end were read." : ""}`;
      whole.replaceChildren(...markedWords(text, answer.words));
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      said.textContent = `The words can’t be marked now. ${error.detail ?? waitInWords(error)[1]}`;
    }
  }

  async function draw() {
    const last = Math.max(Math.ceil(rows.length / PAGE) - 1, 0);
    page = Math.min(Math.max(page, 0), last);
    const from = page * PAGE;
    const shown = [...rows.subarray(from, from + PAGE)];
    const where = `${count(shown.length && from + 1)} to ${count(from + shown.length)} of ${count(rows.length, "review")}`;
    for (const place of document.querySelectorAll(".where")) if (place.textContent !== where) place.textContent = where;
    // A button that loses its use keeps the focus.
    for (const button of document.querySelectorAll(".previous")) button.ariaDisabled = String(page === 0);
    for (const button of document.querySelectorAll(".next")) button.ariaDisabled = String(page === last);
    const looks = JSON.stringify([shown.map((row) => [row, results.states[row], results.probabilities[row]]), String(pattern)]);
    // Rows that look as they did are left alone, so that nothing moves under a reader's eyes.
    if (looks === drawn) return;
    drawn = looks;
    const cells = await source.cells(shown);
    if (looks !== drawn) return;
    const open = new Set([...byId("rows").querySelectorAll("[aria-expanded=true]")].map((button) => button.closest("tr").dataset.row));
    byId("rows").replaceChildren(...shown.map((row, at) => rowOf(source, columns, results, row, cells[at], pattern)));
    for (const line of byId("rows").querySelectorAll("tr[data-row]")) if (open.has(line.dataset.row)) toggle(line);
  }

  return {
    /** Rows that are to be shown, from the first page, or from where one was. */
    show(next, { isAnew, searched } = {}) {
      [rows, pattern] = [next, searched];
      if (isAnew) page = 0;
      return draw();
    },
    /** Next, or back; the first row of the page comes into view. */
    async turn(step) {
      const before = page;
      page += step;
      await draw();
      if (page === before) return;
      byId("table").scrollTop = 0;
      if (byId("list").getBoundingClientRect().top < 0) byId("list").scrollIntoView();
    },
  };
}

function drawHeads(source, columns, choose) {
  const heads = [
    ["Row", "file"],
    [source.titleOf(source.column), `column ${source.column}`],
    ["Verdict", undefined],
    ["Positive", "negative"],
    ...columns.map((at) => [source.titleOf(at), `column ${at}`]),
  ];
  byId("heads").replaceChildren(...heads.map(([title, order]) => {
    const head = Object.assign(make("th", ""), { scope: "col" });
    if (!order) return Object.assign(head, { textContent: title });
    head.dataset.order = order;
    head.append(make("button", "", title.slice(0, 40)));
    head.firstChild.addEventListener("click", () => choose(order));
    return head;
  }));
}

/** Shows on the heads what rows are ordered by. */
export function showOrder(order, isDown) {
  for (const head of byId("heads").children) {
    const isIt = head.dataset.order === order || (head.dataset.order === "negative" && order === "positive");
    if (!head.dataset.order) continue;
    head.ariaSort = isIt ? (isDown || order === "positive" ? "descending" : "ascending") : "none";
  }
}

function rowOf(source, columns, results, row, cells, pattern) {
  const button = make("button", "", count(row + 1));
  button.ariaExpanded = "false";
  button.ariaLabel = `Row ${row + 1}: the whole review`;
  const head = Object.assign(make("th", "", button), { scope: "row" });
  const review = make("td", "", make("div", "lines", ...excerpt(cells[source.column] || "(empty)", pattern)));
  review.firstChild.dir = "auto";
  const others = columns.map((at) => {
    const cell = make("td", "own", make("div", "lines", cells[at].slice(0, MAX_CELL)));
    cell.dataset.title = source.titleOf(at);
    return cell;
  });
  const line = make("tr", "", head, review, ...foundIn(results, row), ...others);
  line.dataset.row = row;
  return line;
}

/** The verdict and the probability, or why there are none. */
function foundIn(results, row) {
  const state = results.states[row];
  if (state !== SCORED) {
    const words = state === PENDING ? "Not scored yet" : results.reasons.get(row);
    return [Object.assign(make("td", "why", state === FAILED ? `Failed. ${words}` : words), { colSpan: 2 })];
  }
  const verdict = results.verdictOf(row);
  const probability = results.probabilities[row];
  const said = verdictInWords({ verdict, sentiment: results.sentimentOf(row) });
  return [make("td", `verdict ${verdict}`, said), make("td", "number", percent(probability, 1))];
}

/** The beginning of a text, or what is around the first hit, with all hits marked. */
function excerpt(text, pattern) {
  const first = pattern ? Math.max(text.search(pattern), 0) : 0;
  const from = first > MAX_REVIEW / 2 ? first - BEFORE : 0;
  const shown = `${from ? "… " : ""}${text.slice(from, from + MAX_REVIEW)}${text.length > from + MAX_REVIEW ? "…" : ""}`;
  if (!pattern) return [shown];
  const nodes = [];
  let read = 0;
  for (const hit of shown.matchAll(pattern)) {
    nodes.push(shown.slice(read, hit.index), make("mark", "", hit[0]));
    read = hit.index + hit[0].length;
  }
  return [...nodes, shown.slice(read)];
}

/** A review with the words that did most. An effect is what its word does to the verdict, where the API tells it. */
function markedWords(text, words) {
  const known = words.map(({ start, end, effect, contribution }) => ({ start, end, contribution: effect ?? contribution }));
  const most = Math.max(...known.map(({ contribution }) => Math.abs(contribution)), 0);
  return splitIntoPieces(text, known).map(({ text: piece, contribution }) => {
    if (contribution === null || Math.abs(contribution) < most * STANDS_OUT || most === 0) return piece;
    const word = make("span", contribution > 0 ? "word for" : "word against", piece);
    word.title = contribution > 0 ? "speaks for the film" : "speaks against it";
    return word;
  });
}
