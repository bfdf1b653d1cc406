/** What the file is, and which of its columns holds the reviews. */

import { byId, make, on, say } from "../dom.js";
import { count } from "../phrases.js";
import { FORMATS } from "./formats.js";

let [source, overview] = [];

export function prepareSetup(reopen) {
  byId("format").append(...FORMATS.map(({ id, name }) => new Option(name, id)));
  on("format", "change", () => reopen(byId("format").value));
  on("header", "change", draw);
  on("preview", "change", ({ target }) => {
    source.column = Number(target.value);
    draw();
    byId("preview").querySelector(":checked").focus();
  });
}

export function showSetup(from, found) {
  [source, overview] = [from, found];
  byId("format").value = found.id;
  byId("header").checked = found.hasHeader;
  byId("header").parentElement.hidden = !found.delimiter;
  say("warning", found.isOpen ? "A quote is opened and never closed: the last review may hold many rows." : "");
  draw();
}

function draw() {
  const { names, preview, delimiter } = overview;
  const hasHeader = byId("header").checked;
  source.header = Number(hasHeader);
  const heads = names.map((name, at) => {
    const head = (delimiter && !hasHeader ? "" : name) || `Column ${at + 1}`;
    const radio = Object.assign(make("input", ""), { type: "radio", name: "column", value: at, checked: at === source.column });
    return make("th", "", make("label", "", radio, make("bdi", "", head.slice(0, 60))));
  });
  const lines = preview.slice(source.header).map((cells) =>
    make("tr", "", ...names.map((_, at) => make("td", "", (cells[at] ?? "").slice(0, 200)))),
  );
  byId("preview").replaceChildren(make("tr", "", ...heads), ...lines);
  byId("start").textContent = `Score ${count(source.count, "review")}`;
  byId("start").disabled = !source.count;
}
