/** What the file is, and which of its columns holds the reviews. */

import { byId, make, on, say } from "../dom.js";
import { count } from "../phrases.js";
import { fillIn, FORMATS } from "./reading/kinds.js";

/** The words for what can't be read, which programs other than this page read as well. */
const words = await (await fetch("js/many/reading/refusals.json")).json();

/** What to say of an error that reading a file ended with. */
export function refusalInWords({ key, facts }) {
  return fillIn(words.files[key], facts);
}

function noticesInWords(notices) {
  return notices.map(({ key, facts }) => fillIn(words.notices[key], facts)).join(" ");
}

/** Why a row has no review in it. */
export function problemInWords({ key, facts }) {
  return fillIn(words.rows[key], facts);
}

/** Rows that are shown. */
const MAX_ROWS = 6;
/** Characters that are shown of a column's name. */
const MAX_NAME = 60;
/** Characters that are shown of a cell. */
const MAX_CELL = 200;

let source;

/** reopen(choices) reads the file once more. */
export function prepareSetup(reopen) {
  const again = () => reopen({ format: byId("format").value, sheet: byId("sheet").value || undefined });
  byId("format").append(...FORMATS.map(({ id, name }) => new Option(name, id)));
  on("format", "change", again);
  on("sheet", "change", again);
  on("header", "change", () => {
    source.setHeader(byId("header").checked);
    draw();
  });
  on("preview", "change", ({ target }) => {
    source.column = Number(target.value);
  });
}

export async function showSetup(from) {
  source = from;
  const { format, hasHeader, rewritten, sheets = [], sheet } = source;
  byId("format").value = format.id;
  byId("format").parentElement.hidden = Boolean(rewritten);
  byId("sheet").replaceChildren(...sheets.map((name) => new Option(name, name, false, name === sheet)));
  byId("sheet").parentElement.hidden = sheets.length < 2;
  byId("header").checked = hasHeader;
  byId("header").parentElement.hidden = hasHeader === undefined;
  say("warning", noticesInWords(source.notices));
  await draw();
}

async function draw() {
  byId("start").textContent = `Score ${count(source.count, "review")}`;
  byId("start").disabled = !source.count;
  const columns = source.names.map((_, at) => at);
  const rows = await source.cells(columns.length ? [...Array(Math.min(source.count, MAX_ROWS)).keys()] : []);
  const heads = columns.map((at) => {
    const radio = Object.assign(make("input", ""), { type: "radio", name: "column", value: at, checked: at === source.column });
    return make("th", "", make("label", "", radio, make("bdi", "", source.titleOf(at).slice(0, MAX_NAME))));
  });
  const lines = rows.map((cells) => make("tr", "", ...cells.map((cell) => make("td", "", cell.slice(0, MAX_CELL)))));
  byId("preview").replaceChildren(make("tr", "", ...heads), ...lines);
}
