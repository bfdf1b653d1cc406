/** Questions to the file's own columns: groups, stars, time, and the words of one group against the rest. */

import { byId, make, on } from "../dom.js";
import { count, percent } from "../phrases.js";
import { intervalBar, timeChart } from "./drawing.js";
import { narrow } from "./listing.js";
import { groupsOf, SCORED, tellingWords } from "./results.js";
import { countWords } from "./selection.js";
import { labelsOf, monthReader, numbersOf, rolesOf } from "./values.js";

/** Groups that are listed at once. */
const MAX_LISTED = 20;
/** Words that are told of a group. */
const MAX_WORDS = 12;
/** Reviews of a group that say something. */
const MIN_REVIEWS = 30;

const HEADS = [
  ["name", "Group"],
  ["reviews", "Reviews"],
  ["share", "Positive"],
  ["", "95% interval"],
  ["mean", "Mean"],
  ["number", "Stars"],
];

let source, results, roles = [];
let grouping, stars, months, sort, isWhole;

/** answered() hears of each answer that was asked for. */
export function prepareQuestions(answered) {
  for (const [id, choose] of [["group-by", chooseGroup], ["stars", chooseStars], ["dates", chooseDates]]) {
    on(id, "change", () => choose().then(answered));
  }
  on("disagree", "click", () => narrow({ disagree: disagreement() }));
  on("all-groups", "click", () => {
    isWhole = !isWhole;
    drawGroups();
  });
  byId("group-heads").replaceChildren(...HEADS.map(([key, title]) => {
    const head = Object.assign(make("th", ""), { scope: "col" });
    if (!key) return Object.assign(head, { textContent: title });
    head.append(make("button", "", title));
    head.dataset.key = key;
    head.firstChild.addEventListener("click", () => {
      sort = { key, isDown: sort.key === key ? !sort.isDown : key !== "name" };
      drawGroups();
    });
    return head;
  }));
}

export async function openQuestions(from, found) {
  [source, results] = [from, found];
  [grouping, stars, months, sort, isWhole] = [undefined, undefined, undefined, { key: "reviews", isDown: true }, false];
  roles = await rolesOf(source);
  const options = (wanted, name = (role) => role.title) => [new Option("–", ""), ...wanted.map((role) => new Option(name(role), role.column))];
  byId("group-by").replaceChildren(...options(roles.filter(({ kind }) => kind !== "address" && kind !== "empty")));
  byId("stars").replaceChildren(...options(roles.filter(({ areStars }) => areStars)));
  byId("dates").replaceChildren(...options(roles.filter(({ kind }) => kind === "date")));
  for (const id of ["group-by", "stars", "dates"]) byId(id).parentElement.hidden = byId(id).options.length < 2;
  byId("questions").hidden = roles.length === 0;
  byId("no-questions").hidden = roles.length > 0;
  drawAll();
}

export function drawAll() {
  drawGroups();
  drawStars();
  drawMonths();
}

async function chooseGroup() {
  const role = roleOf("group-by");
  const nameOf = role?.kind === "date" ? monthReader(role.cells) : undefined;
  grouping = role && { ...(await labelsOf(source, role.column, nameOf)), role };
  [sort, isWhole] = [{ key: role?.kind === "date" ? "name" : "reviews", isDown: role?.kind !== "date" }, false];
  byId("group-words").replaceChildren();
  drawGroups();
}

async function chooseStars() {
  const role = roleOf("stars");
  stars = role && withMiddle(await numbersOf(source, role.column), role);
  drawStars();
  drawGroups();
}

async function chooseDates() {
  const role = roleOf("dates");
  months = role && { ...(await labelsOf(source, role.column, monthReader(role.cells))), role };
  drawMonths();
}

const roleOf = (id) => roles.find(({ column }) => byId(id).value !== "" && column === Number(byId(id).value));

/** Below the middle of the scale that the file uses, stars are a bad review; the middle itself says nothing. */
function withMiddle(numbers, role) {
  let least = Infinity, most = -Infinity;
  for (const number of numbers) {
    if (number < least) least = number;
    if (number > most) most = number;
  }
  return { numbers, role, least, most, middle: (Math.min(least, most > 1 ? 1 : 0) + most) / 2 };
}

/** The groups as they are asked for, the empty value left out. */
export function currentGroups() {
  if (!grouping) return [];
  const groups = groupsOf(grouping.codes, grouping.names, results.probabilities, stars?.numbers);
  const order = (a, b) => (sort.key === "name" ? a.name.localeCompare(b.name, "en", { numeric: true }) : (Number.isNaN(a[sort.key]) ? -1 : a[sort.key]) - (Number.isNaN(b[sort.key]) ? -1 : b[sort.key]));
  return groups.sort((a, b) => (sort.isDown ? -1 : 1) * order(a, b));
}

export const groupTitle = () => grouping?.role.title ?? "";

function drawGroups() {
  const groups = currentGroups();
  byId("groups").hidden = !grouping;
  if (!grouping) return;
  const listed = isWhole ? groups : groups.slice(0, MAX_LISTED);
  for (const head of byId("group-heads").children) {
    if (head.dataset.key) head.ariaSort = head.dataset.key === sort.key ? (sort.isDown ? "descending" : "ascending") : "none";
    head.hidden = head.dataset.key === "number" && !stars;
  }
  byId("group-rows").replaceChildren(...listed.map(groupRow));
  byId("all-groups").hidden = groups.length <= MAX_LISTED;
  byId("all-groups").textContent = isWhole ? `Show the first ${MAX_LISTED}` : `Show all ${count(groups.length)} groups`;
  const few = groups.filter(({ reviews }) => reviews < MIN_REVIEWS).length;
  byId("group-note").textContent = few ? `${count(few, "group")} ${few === 1 ? "has" : "have"} fewer than ${MIN_REVIEWS} reviews: their intervals are wide, and their order says little.` : "";
}

function groupRow(group) {
  const name = make("button", "quiet", make("bdi", "", group.name));
  name.addEventListener("click", () => {
    narrow({ group: { codes: grouping.codes, code: group.code, title: `${grouping.role.title}: ${group.name}` } });
    byId("list").scrollIntoView();
    byId("list").focus();
  });
  const words = make("button", "quiet", "Words");
  words.ariaLabel = `Words of ${group.name} against the rest`;
  words.addEventListener("click", () => showWords(group));
  const [least, most] = group.interval.map((share) => percent(share));
  const interval = make("td", "", intervalBar(group), make("span", "", `${least} to ${most}`));
  const cells = [
    Object.assign(make("th", "", name, " ", words), { scope: "row" }),
    make("td", "number", count(group.reviews)),
    make("td", "number", percent(group.share, 1)),
    interval,
    make("td", "number", percent(group.mean, 1)),
  ];
  if (stars) cells.push(make("td", "number", Number.isNaN(group.number) ? "–" : group.number.toFixed(2)));
  return make("tr", group.reviews < MIN_REVIEWS ? "few" : "", ...cells);
}

async function showWords(group) {
  byId("group-words").replaceChildren(make("p", "hint", "Counting words …"));
  const isScored = (row) => results.states[row] === SCORED;
  const { counts, inside, outside } = await countWords(source, isScored, (row) => grouping.codes[row] === group.code);
  const found = tellingWords(counts, inside, outside).filter(({ score }) => score > 1.96).slice(0, MAX_WORDS);
  const items = found.map(({ word, share, elsewhere }) => make("li", "", make("bdi", "", word), make("span", "", `${percent(share)} of its reviews, ${percent(elsewhere)} of the others`)));
  const title = make("h4", "", "Words of ", make("bdi", "", group.name), " against the rest");
  byId("group-words").replaceChildren(title, items.length ? make("div", "", make("ol", "", ...items), make("p", "hint", "By how many reviews use them. The model has no part in it.")) : make("p", "hint", "No word sets it apart: there are too few reviews, or they are like the others."));
}

/** { title, agree, disagree } and, for each row, whether the model's side is the other one. */
export function comparison() {
  if (!stars) return undefined;
  const found = { agree: 0, disagree: 0, between: 0 };
  for (let row = 0; row < results.size; row += 1) {
    const side = sideOf(row);
    if (side) found[side] += 1;
  }
  return { ...found, title: stars.role.title, middle: stars.middle };
}

function sideOf(row) {
  const number = stars.numbers[row];
  if (results.states[row] !== SCORED || Number.isNaN(number)) return undefined;
  if (number === stars.middle) return "between";
  return number > stars.middle === results.probabilities[row] >= 0.5 ? "agree" : "disagree";
}

function disagreement() {
  return Object.assign((row) => sideOf(row) === "disagree", { title: `Disagrees with ${stars.role.title}` });
}

function drawStars() {
  const found = comparison();
  byId("comparison").hidden = !found;
  if (!found) return;
  const both = found.agree + found.disagree;
  byId("agree").textContent = both ? `Agrees with ${found.title} in ${percent(found.agree / both, 1)} of ${count(both, "row")}.` : `Nothing to compare with ${found.title} so far.`;
  byId("disagree").textContent = `Disagrees in ${count(found.disagree, "row")}`;
  byId("disagree").disabled = !found.disagree;
  byId("stars-note").textContent = `Above ${found.middle} counts as positive, below as negative.${found.between ? ` ${count(found.between, "row")} at ${found.middle} are left out.` : ""} Where they disagree, either may be wrong.`;
}

/** Months with reviews, in order. */
export function currentMonths() {
  if (!months) return [];
  return groupsOf(months.codes, months.names, results.probabilities).filter(({ name }) => /^\d{4}-\d\d$/.test(name)).sort((a, b) => a.name.localeCompare(b.name));
}

export const monthsTitle = () => months?.role.title ?? "";

function drawMonths() {
  const found = currentMonths();
  byId("time").hidden = !months;
  if (!months) return;
  const title = `Positive by month of ${months.role.title}`;
  byId("time-chart").replaceChildren(found.length ? timeChart(found, title) : make("p", "hint", "There is no date in these rows that can be read."));
}
