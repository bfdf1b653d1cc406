/** Finds, in JSON of any size and in Python's way of writing it, where the elements of lists are. */

const OPEN = "{[(";
const CLOSE = "}])";
const SPACE = /\s/;

export class StructureScanner {
  /** Values that stand one after the other, and the elements of lists that only keys lead to, by these keys. */
  lists = new Map([["", newList()]]);
  /** Whether brackets or quotes don't match. */
  isBroken = false;

  constructor(isPython, offset = 0) {
    [this.quotes, this.offset] = [isPython ? "\"'" : '"', offset];
    this.stack = [{ close: "", isList: true, path: "", list: this.lists.get("") }];
    [this.quote, this.key, this.last] = ["", "", -1];
  }

  /** Of the bytes of an UTF-8 text, one character each. */
  push(text) {
    for (let at = 0; at < text.length && !this.isBroken; at += 1) {
      const letter = text[at];
      if (this.quote) {
        at = this.inString(text, at);
      } else if (!SPACE.test(letter)) this.meet(letter, this.offset + at);
    }
    this.offset += text.length;
  }

  inString(text, from) {
    const top = this.stack.at(-1);
    for (let at = from; at < text.length; at += 1) {
      const letter = text[at];
      const isEscaped = this.isEscaped;
      this.isEscaped = !isEscaped && letter === "\\";
      if (letter === this.quote && !isEscaped) {
        this.quote = "";
        this.last = this.offset + at;
        return at;
      }
      if (!top.isList && !top.isValue) this.key += letter;
    }
    return text.length;
  }

  meet(letter, place) {
    const top = this.stack.at(-1);
    if (letter === "," || letter === top.close) this.endElement(top);
    else if (top.list && top.start === undefined) Object.assign(top, { start: place, type: letter });
    if (this.quotes.includes(letter)) {
      this.quote = letter;
      this.key = top.isValue ? this.key : "";
    } else if (OPEN.includes(letter)) this.open(letter, top);
    else if (CLOSE.includes(letter)) this.close(letter);
    else if (letter === ":" && !top.isList) top.isValue = true;
    else if (letter === ",") top.isValue = false;
    this.last = place;
    // At the top, a value ends where its bracket closes: the next may follow without a comma.
    if (this.stack.length === 1 && CLOSE.includes(letter)) this.endElement(this.stack[0]);
  }

  endElement(top) {
    if (top.list && top.start !== undefined) {
      top.list.starts.push(top.start);
      top.list.ends.push(this.last + 1);
      top.list.types += top.list.types.length < 100 ? top.type : "";
      top.start = undefined;
    }
  }

  open(letter, top) {
    const isList = letter !== "{";
    const isReached = top.close === "" ? true : top.path !== undefined && !top.isList;
    const path = isReached && this.stack.length < 8 ? (top.close === "" ? "" : `${top.path}/${this.key}`) : undefined;
    const list = isList && path !== undefined ? this.listAt(`${path}[]`) : undefined;
    this.stack.push({ close: CLOSE[OPEN.indexOf(letter)], isList, path, list });
  }

  listAt(path) {
    if (!this.lists.has(path)) this.lists.set(path, newList());
    return this.lists.get(path);
  }

  close(letter) {
    if (this.stack.pop().close !== letter) this.isBroken = true;
    if (!this.stack.length) this.isBroken = true;
  }

  end() {
    if (this.isBroken) return;
    this.isBroken = Boolean(this.quote) || this.stack.length > 1;
    if (!this.isBroken) this.endElement(this.stack[0]);
  }
}

const newList = () => ({ starts: [], ends: [], types: "" });
