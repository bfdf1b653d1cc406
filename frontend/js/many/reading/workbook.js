/** An Excel workbook (.xlsx): one sheet of it becomes a CSV. */

import { quote } from "./delimited.js";
import { Refusal } from "./kinds.js";

const CELL = /<(?:\w+:)?c(\s[^>]*?)?(?:\/>|>(.*?)<\/(?:\w+:)?c>)/gs;
const TEXT = /<(?:\w+:)?t(?:\s[^>]*)?>(.*?)<\/(?:\w+:)?t>/gs;
const PHONETIC = /<(?:\w+:)?rPh\b.*?<\/(?:\w+:)?rPh>/gs;
const VALUE = /<(?:\w+:)?v(?:\s[^>]*)?>(.*?)<\/(?:\w+:)?v>/s;

/** Formats of numbers that are dates in every workbook; others say so in their code. */
const isBuiltInDate = (id) => (id >= 14 && id <= 22) || (id >= 45 && id <= 47);

/** Days from Excel's first to Unix's. */
const EPOCH = 25_569;
/** Days from Excel's first to Apple's. */
const LATER = 1462;

export const isWorkbook = (entries) => entries.some(({ name }) => name === "xl/workbook.xml");

/** Gives { blob, name, rewritten, sheets, sheet }: the sheet that was asked for, or the largest. */
export async function tableOf(entries, name, wanted) {
  const textOf = async (path) => (await entries.find((entry) => entry.name === path)?.open())?.text() ?? "";
  const book = await textOf("xl/workbook.xml");
  const targets = new Map(tagsOf(await textOf("xl/_rels/workbook.xml.rels"), "Relationship").map((tag) => [tag.Id, tag.Target]));
  const sheets = tagsOf(book, "sheet").map((tag) => ({
    name: tag.name,
    isHidden: /hidden/i.test(tag.state ?? ""),
    path: (targets.get(tag["r:id"]) ?? "").replace(/^\/?(xl\/)?/, "xl/"),
  }));
  const strings = [...(await textOf("xl/sharedStrings.xml")).matchAll(/<(?:\w+:)?si>(.*?)<\/(?:\w+:)?si>|<(?:\w+:)?si\/>/gs)];
  const context = {
    strings: strings.map(([, inside = ""]) => textIn(inside)),
    dates: dateStylesOf(await textOf("xl/styles.xml")),
    first: /date1904="(1|true)"/.test(book) ? LATER : 0,
  };
  const shown = sheets.filter(({ isHidden }) => !isHidden);
  const all = (shown.length ? shown : sheets).filter(({ path }) => entries.some((entry) => entry.name === path));
  const chosen = all.filter((sheet) => sheet.name === wanted);
  let largest;
  for (const sheet of chosen.length ? chosen : all) {
    const blob = await csvOf(await entries.find((entry) => entry.name === sheet.path).open(), context);
    if (blob && !(blob.size <= largest?.blob.size)) largest = { blob, sheet: sheet.name };
  }
  if (!largest) throw new Refusal("empty-workbook");
  return { ...largest, name, rewritten: true, sheets: all.map((each) => each.name) };
}

/** A sheet of any size is read piece by piece, each up to the end of a row. */
async function csvOf(blob, context) {
  const reader = blob.stream().pipeThrough(new TextDecoderStream()).getReader();
  const parts = [], widths = [];
  let rest = "";
  for (let step = await reader.read(); !step.done; step = await reader.read()) {
    rest += step.value;
    const end = rest.lastIndexOf("</row>") + 1 || rest.lastIndexOf(":row>") + 1;
    if (!end) continue;
    parts.push(linesOf(rest.slice(0, end), context, widths));
    rest = rest.slice(end);
  }
  return widths.some((width) => width > 0) ? new Blob(parts) : undefined;
}

function linesOf(xml, context, widths) {
  return xml.split(/<(?:\w+:)?row\b/).slice(1).map((row) => {
    const cells = [];
    for (const [, attributes = "", inside = ""] of row.matchAll(CELL)) {
      const { r = "", t, s } = attributesOf(attributes);
      const column = r ? columnOf(r) : cells.length;
      while (cells.length < column) cells.push("");
      cells[column] = valueOf(inside, t, s, context);
    }
    while (cells.length && !cells.at(-1)) cells.pop();
    widths.push(cells.length);
    return `${cells.map((cell) => quote(cell, ",", true)).join(",")}\n`;
  }).join("");
}

function valueOf(inside, type, style, { strings, dates, first }) {
  if (type === "inlineStr") return textIn(inside);
  const value = decode(VALUE.exec(inside)?.[1] ?? "");
  if (type === "s") return strings[Number(value)] ?? "";
  if (type === "b") return value === "1" ? "TRUE" : "FALSE";
  if (!type || type === "n") return value && dates.has(Number(style)) ? dateOf(Number(value) + first) : value;
  return value;
}

/** A number of days as 2024-05-31, with the time of day where there is one. */
function dateOf(days) {
  const moment = new Date(Math.round((days - EPOCH) * 86_400) * 1000);
  if (Number.isNaN(moment.getTime())) return String(days);
  const [day, time] = moment.toISOString().slice(0, 19).split("T");
  if (days < 1) return time;
  return time === "00:00:00" ? day : `${day} ${time}`;
}

function dateStylesOf(styles) {
  const own = new Map(tagsOf(styles, "numFmt").map((tag) => [Number(tag.numFmtId), tag.formatCode]));
  const isDate = (id) => isBuiltInDate(id) || /[ymdhs]/i.test((own.get(id) ?? "").replace(/"[^"]*"|\[[^\]]*\]|\\./g, ""));
  const cells = tagsOf(/<(?:\w+:)?cellXfs\b.*?<\/(?:\w+:)?cellXfs>/s.exec(styles)?.[0] ?? "", "xf");
  return new Set(cells.flatMap((tag, at) => (isDate(Number(tag.numFmtId)) ? [at] : [])));
}

const textIn = (xml) => [...xml.replace(PHONETIC, "").matchAll(TEXT)].map(([, text]) => decode(text)).join("");

function tagsOf(xml, name) {
  return [...xml.matchAll(new RegExp(`<(?:\\w+:)?${name}(\\s[^>]*)>`, "g"))].map(([, inside]) => attributesOf(inside));
}

function attributesOf(text) {
  return Object.fromEntries([...text.matchAll(/([\w:]+)="([^"]*)"/g)].map(([, key, value]) => [key, decode(value)]));
}

/** "BC12" is in column 54, counted from 0. */
function columnOf(reference) {
  const letters = reference.replace(/\d+$/, "");
  return [...letters].reduce((sum, letter) => sum * 26 + letter.charCodeAt(0) - 64, 0) - 1;
}

const ENTITIES = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'" };

function decode(text) {
  return text
    .replace(/&(?:#x([\da-f]+)|#(\d+)|(\w+));/gi, (whole, hex, number, name) => {
      if (name) return ENTITIES[name] ?? whole;
      return String.fromCodePoint(Math.min(hex ? Number.parseInt(hex, 16) : Number(number), 0x10ffff));
    })
    .replace(/_x([\da-f]{4})_/gi, (_, hex) => String.fromCharCode(Number.parseInt(hex, 16)));
}
