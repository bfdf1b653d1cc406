/** The formats that a visitor may choose, where the reader's guess is wrong. */

export const FORMATS = [
  { id: "comma", name: "Columns, commas", delimiter: "," },
  { id: "semicolon", name: "Columns, semicolons", delimiter: ";" },
  { id: "tab", name: "Columns, tabs", delimiter: "\t" },
  { id: "pipe", name: "Columns, pipes", delimiter: "|" },
  { id: "blank", name: "Columns, blanks", delimiter: " " },
  { id: "caret", name: "Columns, ^", delimiter: "^" },
  { id: "tilde", name: "Columns, ~", delimiter: "~" },
  { id: "control", name: "Columns, control characters", delimiter: "\x01" },
  { id: "unit", name: "Columns, unit separators", delimiter: "\x1f" },
  { id: "json", name: "JSON" },
  { id: "lines", name: "One review a line" },
];
