/** A picture of the verdict, 1200 by 630 pixels, as link previews and timelines show them. */

import { knownOf } from "./model.js";
import { confidenceInWords, verdictInWords, verdictOf } from "./phrases.js";

const WIDTH = 1200;
const HEIGHT = 630;
const EDGE = 64;

/** Lines of the review that there is room for, and their height in pixels. */
const MAX_LINES = 4;
const LINE = 54;

const LAMPS = { positive: "#f79a45", negative: "#55bdd6", mixed: "#b9a5c6", unclear: "#aca5b1" };

/** Gives a PNG as a Blob. */
export async function drawVerdict(review, answer) {
  await Promise.all(["400 40px Archivo", "700 40px Archivo"].map((font) => document.fonts.load(font)));
  const canvas = Object.assign(document.createElement("canvas"), { width: WIDTH, height: HEIGHT });
  const pen = canvas.getContext("2d");
  const lamp = LAMPS[verdictOf(answer)];
  drawLight(pen, answer.probability, lamp);
  drawTitle(pen, verdictInWords(answer), confidenceInWords(answer, knownOf(answer).accuracy), lamp);
  drawScale(pen, answer.probability, lamp);
  drawQuote(pen, review);
  return new Promise((resolve) => canvas.toBlob(resolve, "image/png"));
}

function drawLight(pen, probability, lamp) {
  pen.fillStyle = "#141116";
  pen.fillRect(0, 0, WIDTH, HEIGHT);
  const x = probability * WIDTH;
  const light = pen.createRadialGradient(x, 330, 0, x, 330, 900);
  light.addColorStop(0, `${lamp}66`);
  light.addColorStop(1, `${lamp}00`);
  pen.fillStyle = light;
  pen.fillRect(0, 0, WIDTH, HEIGHT);
}

function drawTitle(pen, verdict, confidence, lamp) {
  pen.fillStyle = lamp;
  fitFont(pen, verdict, 150);
  pen.fillText(verdict, EDGE, 190);
  pen.fillStyle = "#f3eee8";
  pen.font = "700 34px Archivo, sans-serif";
  pen.fillText(confidence, EDGE, 250);
}

function fitFont(pen, text, size) {
  pen.font = `700 ${size}px Archivo, sans-serif`;
  const excess = pen.measureText(text).width / (WIDTH - 2 * EDGE);
  if (excess > 1) pen.font = `700 ${Math.floor(size / excess)}px Archivo, sans-serif`;
}

function drawScale(pen, probability, lamp) {
  const y = 310;
  pen.fillStyle = "#aca5b1";
  for (let tick = 0; tick <= 40; tick += 1) pen.fillRect((WIDTH - 2) * (tick / 40), y - (tick === 20 ? 16 : 7), 2, 20);
  pen.fillStyle = "#f3eee8";
  pen.fillRect(0, y, WIDTH, 3);
  pen.fillStyle = lamp;
  pen.fillRect(Math.min(0.5, probability) * WIDTH, y - 6, Math.abs(probability - 0.5) * WIDTH, 9);
  pen.fillStyle = "#f3eee8";
  pen.fillRect(probability * (WIDTH - 8), y - 36, 8, 39);
}

function drawQuote(pen, review) {
  pen.fillStyle = "#f3eee8";
  pen.font = "400 38px Archivo, sans-serif";
  linesOf(pen, review.trim()).forEach((line, index) => pen.fillText(line, EDGE, 384 + index * LINE));
  pen.fillStyle = "#aca5b1";
  pen.font = "700 26px Archivo, sans-serif";
  pen.fillText(`Reeltone · ${location.host}`, EDGE, HEIGHT - 26);
}

/** The review broken into lines; where it does not fit, the last one ends in an ellipsis. */
function linesOf(pen, review) {
  const lines = [""];
  for (const word of review.split(/\s+/)) {
    const longer = `${lines.at(-1)} ${word}`.trim();
    if (pen.measureText(longer).width <= WIDTH - 2 * EDGE) lines[lines.length - 1] = longer;
    else lines.push(word);
    if (lines.length > MAX_LINES) break;
  }
  if (lines.length <= MAX_LINES) return lines;
  return [...lines.slice(0, MAX_LINES - 1), `${lines[MAX_LINES - 1].replace(/\S+$/, "")}…`];
}
