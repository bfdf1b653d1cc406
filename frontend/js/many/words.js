/** The words for what can't be read: refusals.json, which programs other than this page read as well. */

import { fillIn } from "./reading/refusal.js";

const words = await (await fetch("js/many/reading/refusals.json")).json();

/** What to say of an error that reading a file ended with. */
export function refusalInWords({ key, facts }) {
  return fillIn(words.files[key], facts);
}

export function noticesInWords(notices) {
  return notices.map(({ key, facts }) => fillIn(words.notices[key], facts)).join(" ");
}

/** Why a row has no review in it. */
export function problemInWords({ key, facts }) {
  return fillIn(words.rows[key], facts);
}
