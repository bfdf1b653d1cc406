/** One column of a file, in a few bytes a row. */

import { describe, isMissing } from "./reading/kinds.js";

/** What a group is called whose rows have nothing in the column. */
export const NOTHING = "(empty)";

const LABELS = new Map(Object.entries({ positive: 1, pos: 1, fresh: 1, true: 1, yes: 1, good: 1, negative: 0, neg: 0, rotten: 0, false: 0, no: 0, bad: 0 }));

/** { codes, names }: the value of each row as a place among the names. */
export async function labelsOf(source, column, nameOf = (value) => value) {
  const codes = new Uint32Array(source.count);
  const places = new Map();
  for await (const [first, rows] of source.allCells()) {
    for (const [at, cells] of rows.entries()) {
      const value = String(cells[column] ?? "").trim();
      const name = nameOf(value) || NOTHING;
      if (!places.has(name)) places.set(name, places.size);
      codes[first + at] = places.get(name);
    }
  }
  return { codes, names: [...places.keys()] };
}

/** The numbers of a column; NaN where there is none. Labels such as "positive" and "rotten" are 1 and 0. */
export async function numbersOf(source, column) {
  const numbers = new Float64Array(source.count).fill(NaN);
  for await (const [first, rows] of source.allCells()) {
    for (const [at, cells] of rows.entries()) numbers[first + at] = numberIn(String(cells[column] ?? ""));
  }
  return numbers;
}

export function numberIn(cell) {
  const text = cell.trim().toLowerCase();
  if (LABELS.has(text)) return LABELS.get(text);
  const stars = /^[★⭐]+(½)?/u.exec(text);
  if (stars) return (text.match(/[★⭐]/gu) ?? []).length + (stars[1] ? 0.5 : 0);
  const [, number] = /^[-+]?\s*([-+]?[\d.,]+)\s*(?:%|\/\s*\d+|stars?)?$/.exec(text.replace(/[$€£]/g, "")) ?? [];
  return number ? Number(text.startsWith("-") ? `-${number.replace(",", ".")}` : number.replace(",", ".")) : NaN;
}

/** Names of months and years for cells with dates; day and month are told apart by all of the cells. */
export function monthReader(cells) {
  const parts = cells.map((cell) => /^\s*(\d{1,2})[-/.](\d{1,2})[-/.](\d{2,4})/.exec(cell)).filter(Boolean);
  const isDayFirst = parts.some(([, first]) => Number(first) > 12) || (parts.some(([whole]) => whole.includes(".")) && !parts.some(([, , second]) => Number(second) > 12));
  return (cell) => {
    const iso = /^\s*(\d{4})[-/.](\d{1,2})/.exec(cell);
    if (iso) return monthName(Number(iso[1]), Number(iso[2]));
    const numbers = /^\s*(\d{1,2})[-/.](\d{1,2})[-/.](\d{2,4})/.exec(cell);
    if (numbers) return monthName(fullYear(Number(numbers[3])), Number(numbers[isDayFirst ? 2 : 1]));
    const moment = /\p{L}{3}/u.test(cell) ? new Date(cell) : new Date(NaN);
    return Number.isNaN(moment.getTime()) ? "" : monthName(moment.getFullYear(), moment.getMonth() + 1);
  };
}

const fullYear = (year) => (year > 99 ? year : year + (year < 70 ? 2000 : 1900));
const monthName = (year, month) => (month >= 1 && month <= 12 ? `${year}-${String(month).padStart(2, "0")}` : "");

/** What the file's columns are good for: { column, title, kind, stars } of each but the reviews' own. */
export async function rolesOf(source) {
  const sample = await source.cells([...Array(Math.min(source.count, 300)).keys()]);
  return source.names.map((_, column) => column).filter((column) => column !== source.column).map((column) => {
    const cells = sample.map((row) => row[column]);
    const { kind, values } = describe(cells);
    return { column, title: source.titleOf(column), kind, cells, areStars: areStars(source.titleOf(column), kind, values) };
  });
}

function areStars(title, kind, values) {
  const numbers = values.map(numberIn);
  if (!values.length || numbers.some(Number.isNaN) || values.some(isMissing)) return false;
  const isNamed = /rating|stars?\b|score|grade|overall|sentiment|label|target|polarity|class/i.test(title);
  const different = new Set(numbers).size;
  return isNamed ? different <= 101 : kind === "label" && different === 2;
}
