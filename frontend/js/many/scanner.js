/** Finds where records begin and end, in bytes, as the file comes in. */

const [LF, CR, QUOTE] = [10, 13, 34];

const [AT_FIELD, IN_FIELD, IN_QUOTES, AFTER_QUOTE] = [0, 1, 2, 3];

export class RecordScanner {
  /** Of each record: its first byte, the byte after its last (the line end left out), its fields. */
  starts = [];
  ends = [];
  widths = [];

  constructor({ delimiter, quotes }, offset) {
    this.offset = offset;
    this.delimiter = delimiter ? delimiter.charCodeAt(0) : -1;
    this.quote = quotes ? QUOTE : -1;
    this.state = AT_FIELD;
    this.start = -1;
    this.width = 1;
  }

  /** Blank lines are no records; so the LF of a CR LF is none either. */
  push(bytes) {
    for (let at = 0; at < bytes.length; at += 1) {
      if (this.state === IN_QUOTES) {
        at = bytes.indexOf(QUOTE, at);
        if (at < 0) break;
        this.state = AFTER_QUOTE;
        continue;
      }
      const byte = bytes[at];
      if (byte === LF || byte === CR) {
        this.endRecord(this.offset + at);
        continue;
      }
      if (this.start < 0) this.start = this.offset + at;
      if (byte === this.delimiter) {
        this.width += 1;
        this.state = AT_FIELD;
      } else if (byte === this.quote && this.state !== IN_FIELD) this.state = IN_QUOTES;
      else this.state = IN_FIELD;
    }
    this.offset += bytes.length;
  }

  /** Gives whether a quote is still open. */
  end() {
    const isOpen = this.state === IN_QUOTES;
    this.endRecord(this.offset);
    return isOpen;
  }

  endRecord(position) {
    if (this.start >= 0) {
      this.starts.push(this.start);
      this.ends.push(position);
      this.widths.push(this.width);
    }
    this.start = -1;
    this.width = 1;
    this.state = AT_FIELD;
  }
}
