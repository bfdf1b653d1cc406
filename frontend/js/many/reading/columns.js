/** Whether the first row names the columns, and which of them holds the reviews. */

import { describe, isDate, isMissing, isNumber } from "./kinds.js";

/** Words that names of columns are made of. */
const KNOWN = new Set(
  ("id ids no nr num number index idx row key uid uuid user username author reviewer name title subject headline summary " +
    "review reviews text texts comment comments body content contents opinion opinions feedback message sentence sentences phrase " +
    "document description notes note post tweet verbatim remarks response answer critique quote " +
    "rating ratings score scores stars star grade mark label labels class sentiment polarity target category categories type " +
    "date time timestamp datetime created updated at year month day country city language lang locale source site url uri link " +
    "asin genre tag tags votes helpful verified count split fold set " +
    "avis commentaire texte note critique kommentar bewertung rezension meinung datum titel comentario comentarios reseña opinión " +
    "texto fecha recensione commento testo voto avaliação v1 v2 col1 col2").split(" "),
);

const TELLING = /^(reviews?|texts?|comments?|body|contents?|opinions?|feedback|verbatims?|remarks|critiques?|avis|commentaires?|kommentare?|rezension(en)?|bewertung(en)?|comentarios?|reseñas?|recension[ei]|sentences?|phrases?|responses?|message|tweet)$/;
const OTHER = /^(ids?|dates?|titles?|names?|counts?|urls?|uri|links?|scores?|ratings?|stars?|authors?|users?|usernames?|labels?|class|summary|headline|subject|length|lang|language|types?|votes?|num|no|time|year|helpful|director|film|movie|product|item|city|country|place|genres?|tags?|category|categories)$/;
/** What somebody else says to a review. */
const ANSWER = /^(repl(y|ies|ied)|owner|developer|company|official|management)$/;
const QUESTION = /^\W*(?:q?\d+\w?[.):\s]\W*)?(what|how|why|which|who|would|did|do|please|tell|describe|any|anything|in your|your)\b.*\b(you|your|us|film|movie)\b/i;

/** Words that names are made of only with others. */
const WEAK = new Set("film films movie movies product item in of the your my full user s".split(" "));

/** Labels that data has and no header. */
const LABELS = /^(positive|negative|neutral|mixed|pos|neg|true|false|yes|no|fresh|rotten|ham|spam|good|bad)$/i;

/** The words of a name: of "reviewText", "reviews.text" and "review_text" the same two. */
function tokensOf(name) {
  return name.replace(/(\p{Ll})(\p{Lu})/gu, "$1 $2").toLowerCase().split(/[^\p{L}\p{N}]+/u).filter(Boolean);
}

/** How much speaks for a row being the names of those below it; above 0.9 it is. */
export function headerScore(names, rows) {
  const known = names.map(isKnownName);
  if (names.every((name) => !name.trim())) return -1;
  if (names.length === 1) return singleHeaderScore(names[0]);
  if (!rows.length) return known.filter(Boolean).length + Number(names.every(looksLikeName)) - 1;
  return names.reduce((sum, name, at) => sum + cellScore(name, known[at], rows.map((row) => row[at] ?? "")), 0);
}

/** A name that is hardly anything else. */
export const isPlainName = (name) => isKnownName(name) && tokensOf(name).length <= 3 && !/[.!]$/.test(name.trim());

/** The name of a column of reviews, and nothing that a review would say. */
export const isPlainReview = (name) => /^(reviews?|texts?|comments?)$/i.test(name.trim());

export function isKnownName(name) {
  const tokens = tokensOf(name).filter((token) => !/^\d+$/.test(token));
  if (tokens.some((token) => KNOWN.has(token))) return true;
  return tokens.length > 0 && tokens.every((token) => WEAK.has(token));
}

function singleHeaderScore(name) {
  if (QUESTION.test(name) && /\byour?\b.*\?\s*$/i.test(name)) return 1;
  const tokens = tokensOf(name);
  const isKnown = tokens.length > 0 && tokens.every((token) => KNOWN.has(token) || WEAK.has(token) || /^\d+$/.test(token));
  return isKnown && tokens.some((token) => KNOWN.has(token)) && !/[.!]$|[,;|\t]/.test(name.trim()) ? 1 : 0;
}

const looksLikeName = (cell) => !/[.!]$/.test(cell.trim()) && cell.length < 60 && !isNumber(cell);

function cellScore(name, isKnown, below) {
  const cell = name.trim();
  if (!cell) return 0;
  const { kind, words, values } = describe(below);
  if (isNumber(cell) || isDate(cell) || isMissing(cell)) return -2;
  if (LABELS.test(cell)) return -2;
  let score = isKnown && tokensOf(cell).length <= 4 ? 1.5 : 0;
  if (QUESTION.test(cell)) score += 1;
  if (kind === "number" || kind === "date") return score + 2;
  const isRepeated = values.includes(name);
  if (kind === "label") return score + (isRepeated ? -2 : new Set(values).size < values.length ? 0.5 : 0);
  if (kind !== "text") return score;
  if (isRepeated) return score - 2;
  if (!QUESTION.test(cell) && /[.!]$/.test(cell) && tokensOf(cell).length > 1) return score - 2;
  return score + (tokensOf(cell).length <= 3 && words > 2 * tokensOf(cell).length ? 0.5 : 0);
}

/**
 * { column, isClear, isDoubtful }: the index of the column that reads like reviews, whether no other one does as well,
 * and whether it may be something else; nothing where none holds text.
 */
export function chooseColumn(names, rows) {
  const scores = names.map((name, at) => columnScore(name, describe(rows.map((row) => row[at])), rows.length));
  const best = Math.max(...scores);
  if (!(best > 0)) return undefined;
  const near = scores.filter((score) => score > best * 0.7).length;
  const column = scores.indexOf(best);
  const isTold = isTellingName(names[column]) || describe(rows.map((row) => row[column])).kind === "text";
  return { column, isClear: near === 1, isDoubtful: names.length > 1 && (isOtherName(names[column]) || !isTold) };
}

const isTellingName = (name) => tokensOf(name).some((token) => TELLING.test(token));

function isOtherName(name) {
  const tokens = tokensOf(name);
  return OTHER.test(tokens.at(-1) ?? "") || tokens.some((token) => ANSWER.test(token));
}

function columnScore(name, { kind, words, values }, rows) {
  const isOther = isOtherName(name);
  // A word or two below "title" or "user" are a name.
  if (kind !== "text" && (kind !== "label" || isOther)) return 0;
  const tokens = tokensOf(name);
  const isTelling = isTellingName(name);
  const isName = isTelling && !isOther;
  const lettered = values.filter((value) => /[\p{L}\p{Extended_Pictographic}]/u.test(value)).length / values.length;
  const different = new Set(values).size / values.length;
  const usual = Math.min(words, 60) * lettered;
  const areLabels = different < 1 && values.every((value) => LABELS.test(value.trim()));
  if (kind === "label") return (isName ? 3 : 0.1) * (areLabels ? 0.01 : 1) * Math.min(usual, 3) * different;
  const bonus = isName ? (tokens.length === 1 || TELLING.test(tokens.at(-1)) ? 8 : 5) : isOther ? 0.4 : 1;
  return bonus * usual * Math.sqrt((different * values.length) / rows);
}
