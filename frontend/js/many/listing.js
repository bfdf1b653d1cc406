/** The rows: which are shown, in which order; what narrows them stands above them and can be taken away. */

import { byId, make, on } from "../dom.js";
import { dependsOnResults, patternOf, rowsFor, search } from "./selection.js";
import { createTable, showOrder } from "./table.js";
import { labelsOf, numberIn } from "./values.js";

/** Milliseconds between two looks at results that may move rows. */
const PACE = 2000;

const ORDERS = [
  ["file", "As in the file"],
  ["positive", "Most positive first"],
  ["negative", "Most negative first"],
  ["unsure", "Least sure first"],
];

let source, results, table, filter, order;
let keys = new Map(), seen = -1, next = 0;

export function prepareListing() {
  on("kind", "change", () => narrow({ kind: byId("kind").value }));
  on("order", "change", () => arrange(byId("order").value));
  on("contains", "input", () => find(byId("contains").value));
  on("filter", "submit", (event) => event.preventDefault());
  for (const [name, step] of [["previous", -1], ["next", 1]]) {
    for (const button of document.querySelectorAll(`.${name}`)) button.addEventListener("click", () => table.turn(step));
  }
}

export function openListing(from, found) {
  [source, results, filter, order] = [from, found, {}, { by: "file", isDown: false }];
  [keys, seen, next] = [new Map(), -1, 0];
  const columns = source.names.map((_, at) => [`column ${at}`, `By ${source.titleOf(at)}`.slice(0, 60)]);
  byId("order").replaceChildren(...[...ORDERS, ...columns].map(([value, name]) => new Option(name, value)));
  byId("filter").reset();
  table = createTable({ source, results, choose: (by) => arrange(by, order.by === by ? !order.isDown : false) });
  refresh(true);
}

export const currentFilter = () => filter;
export const currentRows = () => rowsFor(results, filter, orderFor());

/** Each part of the filter that is set has a name to show, as part.title. */
export function narrow(change) {
  filter = { ...filter, ...change };
  for (const [key, value] of Object.entries(filter)) if (value === undefined || value === "") delete filter[key];
  if (!filter.kind) byId("kind").value = "";
  else if (byId("kind").value !== filter.kind) byId("kind").value = filter.kind;
  byId("table").scrollTop = 0;
  return refresh(true);
}

/** A text anywhere in a review, or a word that a chart named. */
export async function find(text, isWord = false) {
  byId("contains").value = text;
  if (!text) return narrow({ hits: undefined, pattern: undefined });
  const pattern = patternOf(text, isWord);
  const hits = await search(source, (review) => review.search(pattern) >= 0);
  return hits && narrow({ hits, pattern });
}

async function arrange(by, isDown = false) {
  order = { by, isDown: by === "file" || by.startsWith("column") ? isDown : false };
  if (by === "positive" || by === "negative") order.by = isDown ? "positive" : by;
  if (by.startsWith("column") && !keys.has(by)) keys.set(by, await keysOf(Number(by.split(" ")[1])));
  byId("order").value = order.by;
  return refresh(true);
}

/** Numbers order a column by their size, anything else by the alphabet. */
async function keysOf(column) {
  const { codes, names } = await labelsOf(source, column);
  const numbers = names.map(numberIn);
  const areNumbers = numbers.filter(Number.isNaN).length <= names.length * 0.1;
  const ranks = areNumbers ? numbers : rank(names);
  return Float64Array.from(codes, (code) => ranks[code]);
}

function rank(names) {
  const collator = new Intl.Collator("en", { numeric: true });
  const ordered = [...names.keys()].sort((a, b) => collator.compare(names[a], names[b]));
  const ranks = new Float64Array(names.length);
  ordered.forEach((code, place) => (ranks[code] = place));
  return ranks;
}

function orderFor() {
  if (order.by === "file") return order.isDown ? { keys: Float64Array.from({ length: results.size }, (_, row) => row), isDown: true } : undefined;
  return order.by.startsWith("column") ? { keys: keys.get(order.by), isDown: order.isDown } : order.by;
}

/** While reviews are scored, rows are looked for anew only where results decide, and not at each look. */
export function refresh(isAnew = false) {
  const by = orderFor();
  const isStale = results.version !== seen && performance.now() > next && dependsOnResults(filter, by);
  if (isAnew || isStale) {
    [seen, next] = [results.version, performance.now() + PACE];
    rows = rowsFor(results, filter, by);
    showChips();
    showOrder(order.by, order.isDown);
  }
  return table.show(rows, { isAnew, searched: filter.pattern });
}

/** The last look, when nothing more will change. */
export function settle() {
  next = 0;
  return refresh();
}

let rows = new Uint32Array(0);

function showChips() {
  const parts = [
    [filter.bin !== undefined && `${filter.bin * 10} to ${filter.bin * 10 + 10}% positive`, { bin: undefined }],
    [filter.group?.title, { group: undefined }],
    [filter.disagree?.title, { disagree: undefined }],
  ];
  byId("chips").replaceChildren(...parts.filter(([title]) => title).map(([title, without]) => {
    const chip = make("button", "chip", make("bdi", "", title), make("span", "", " ×"));
    chip.ariaLabel = `${title}: show others again`;
    chip.addEventListener("click", () => {
      narrow(without);
      byId("list").focus();
    });
    return chip;
  }));
}
