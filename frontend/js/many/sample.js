/** A small file to try the page with: quotes, line breaks and unreadable rows included. */

import { EXAMPLES } from "../examples.js";

const ENDINGS = ["Seen at a late show.", 'My sister called it ""fine"".', "The music?\nLoud."];

export function sampleFile() {
  const sentences = EXAMPLES.flatMap(({ text }) => text.match(/[^.!?]+[.!?]/g));
  const at = (place) => sentences[place % sentences.length].trim();
  const lines = Array.from({ length: 96 }, (_, row) => {
    const review = row % 50 === 20 ? "?!" : `${at(row * 5)} ${at(row * 5 + 1 + (row % 3))} ${ENDINGS[row % 3]}`;
    return `${["web", "mail", "kiosk"][row % 3]},"${review}"\r\n`;
  });
  return new File(["source,review\r\n", ...lines], "sample.csv");
}
