/** A file that can't be read rightly. The words for it are in refusals.json, under this key. */

export class Refusal extends Error {
  constructor(key, facts = {}) {
    super(key);
    Object.assign(this, { key, facts });
  }
}

/** Fills {name} with facts.name. */
export function fillIn(words, facts = {}) {
  return words.replace(/\{(\w+)\}/g, (_, name) => facts[name]);
}
