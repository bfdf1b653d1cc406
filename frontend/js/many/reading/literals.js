/** One value as JSON writes it, or Python: single quotes, None, True, nan, tuples, trailing commas. */

const WORDS = { true: true, True: true, false: false, False: false, null: null, None: null };
const NOTHING = /(?:NaN|nan|-?Infinity|-?inf|undefined|NaT|<NA>)/y;
const WORD = /(?:true|false|null|True|False|None)\b/y;
const NUMBER = /-?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?/y;
const BLANKS = /\s*/y;
const OPENS_TEXT = /[urbURB]{0,2}(["'])/y;
const ESCAPES = { n: "\n", t: "\t", r: "\r", b: "\b", f: "\f", 0: "\0", a: "\x07", v: "\v", "\n": "" };

/** The value, or undefined where the text is none. */
export function parseValue(text) {
  try {
    return JSON.parse(text);
  } catch {
    try {
      return new Reader(text).whole();
    } catch (error) {
      if (error instanceof SyntaxError) return undefined;
      throw error;
    }
  }
}

class Reader {
  constructor(text) {
    [this.text, this.at, this.depth] = [text, 0, 0];
  }

  whole() {
    const value = this.value();
    if (this.at < this.text.length) throw new SyntaxError();
    return value;
  }

  value() {
    this.take(BLANKS);
    const open = this.text[this.at];
    let value;
    if (open === "{") value = this.members("}");
    else if (open === "[") value = this.members("]");
    else if (open === "(") value = this.members(")");
    else value = this.scalar();
    this.take(BLANKS);
    return value;
  }

  members(close) {
    this.at += 1;
    if ((this.depth += 1) > 100) throw new SyntaxError();
    const found = close === "}" ? {} : [];
    for (this.take(BLANKS); this.text[this.at] !== close; this.take(BLANKS)) {
      const value = this.value();
      if (close === "}") {
        this.expect(":");
        Object.defineProperty(found, String(value), { value: this.value(), enumerable: true, configurable: true, writable: true });
      } else found.push(value);
      if (this.text[this.at] !== close) this.expect(",");
    }
    this.at += 1;
    this.depth -= 1;
    return found;
  }

  scalar() {
    const quote = this.take(OPENS_TEXT)?.[1];
    if (quote) return this.string(quote);
    if (this.take(NOTHING)) return null;
    const word = this.take(WORD);
    if (word) return WORDS[word[0]];
    const number = this.take(NUMBER);
    if (!number) throw new SyntaxError();
    return Number(number[0]);
  }

  string(quote) {
    let said = "";
    for (;;) {
      const letter = this.text[this.at];
      if (letter === undefined) throw new SyntaxError();
      this.at += 1;
      if (letter === quote) return said;
      said += letter === "\\" ? this.escaped() : letter;
    }
  }

  escaped() {
    const letter = this.text[this.at];
    this.at += 1;
    const digits = { u: 4, x: 2, U: 8 }[letter];
    if (!digits) return ESCAPES[letter] ?? letter;
    const code = this.text.slice(this.at, this.at + digits);
    if (!/^[\da-f]+$/i.test(code) || Number.parseInt(code, 16) > 0x10ffff) throw new SyntaxError();
    this.at += digits;
    return digits === 8 ? String.fromCodePoint(Number.parseInt(code, 16)) : String.fromCharCode(Number.parseInt(code, 16));
  }

  take(pattern) {
    pattern.lastIndex = this.at;
    const found = pattern.exec(this.text);
    if (found) this.at = pattern.lastIndex;
    return found;
  }

  expect(mark) {
    if (this.text[this.at] !== mark) throw new SyntaxError();
    this.at += 1;
  }
}

/** An object's fields with nested ones as "feed.entry"; lists of plain values are joined by commas. */
export function flatten(value, prefix = "", depth = 0, found = new Map()) {
  for (const [key, inner] of Object.entries(Object(value))) {
    const name = prefix + key;
    const isPlain = inner === null || typeof inner !== "object";
    if (isPlain) found.set(name, inner);
    else if (depth > 3 || Array.isArray(inner)) found.set(name, listed(inner));
    else flatten(inner, `${name}.`, depth + 1, found);
  }
  return found;
}

const listed = (inner) => (Array.isArray(inner) && inner.every((each) => typeof each !== "object") ? inner.join(", ") : JSON.stringify(inner));
