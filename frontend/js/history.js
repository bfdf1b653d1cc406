/**
 * What is kept on this device and nowhere else: the draft, and reviews that were read before, {text,
 * sentiment, confidence}. A browser that keeps nothing, or is full, costs only that.
 */

import { byId, make, on } from "./dom.js";
import { percent } from "./phrases.js";

const keyOf = (name) => `reeltone.${name}`;

/** A tab's own copy comes first, so that two tabs do not overwrite each other's draft. */
export function recall(name) {
  try {
    return JSON.parse(sessionStorage.getItem(keyOf(name)) ?? localStorage.getItem(keyOf(name))) ?? undefined;
  } catch {
    return undefined;
  }
}

/** Keep a value, or nothing where it is undefined; gives whether that worked. */
export function keep(name, value, inTab = true) {
  try {
    for (const shelf of inTab ? [sessionStorage, localStorage] : [localStorage]) {
      if (value === undefined) shelf.removeItem(keyOf(name));
      else shelf.setItem(keyOf(name), JSON.stringify(value));
    }
    return true;
  } catch {
    return false;
  }
}

const MAX_ENTRIES = 30;

/** Texts that share so many first characters are drafts of one review. */
const SAME_START = 24;

export function prepareHistory(reopen) {
  on("past", "click", ({ target }) => {
    const button = target.closest("button");
    if (!button) return;
    const { index } = button.dataset;
    if (button.className === "past") reopen(load()[index].text);
    else replaceBy(load().toSpliced(index, 1));
  });
  on("forget", "click", () => replaceBy([]));
  addEventListener("storage", show);
  show();
}

export function remember({ text, sentiment, confidence }) {
  const [newest, ...others] = load().filter((entry) => entry.text !== text);
  const again = newest && text.slice(0, SAME_START).startsWith(newest.text.slice(0, SAME_START));
  save([{ text, sentiment, confidence }, ...(newest && !again ? [newest] : []), ...others]);
}

function load() {
  const entries = recall("history");
  return Array.isArray(entries) ? entries.filter((entry) => typeof entry?.text === "string") : [];
}

/** As many entries as the browser has room for. */
function save(entries) {
  const kept = entries.slice(0, MAX_ENTRIES);
  while (!keep("history", kept.length ? kept : undefined, false) && kept.length) kept.pop();
  show();
}

function replaceBy(entries) {
  save(entries);
  byId("past-summary").focus();
}

function show() {
  const entries = load();
  byId("past").replaceChildren(...entries.map(item));
  byId("past-count").textContent = entries.length;
  byId("forget").hidden = entries.length === 0;
}

function item({ text, sentiment, confidence }, index) {
  const isFor = sentiment === "positive";
  const label = make("span", "tag", `${isFor ? "▲" : "▼"} ${percent(confidence)}`);
  const verdict = make("span", isFor ? "for" : "against", label, make("span", "unseen", `${sentiment}: `));
  const start = text.trim().slice(0, 120);
  const buttons = [
    make("button", "past", verdict, make("bdi", "", start)),
    make("button", "quiet", "Delete", make("span", "unseen", ` “${start}”`)),
  ];
  for (const button of buttons) {
    button.type = "button";
    button.dataset.index = index;
  }
  return make("li", "", ...buttons);
}
