/** Charts as SVG, which can be saved as they are, or as PNG. Colours are the page's. */

const SPACE = "http://www.w3.org/2000/svg";

export function draw(tag, attributes, ...children) {
  const element = document.createElementNS(SPACE, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

const text = (x, y, words, className = "mark", anchor = "start") => draw("text", { x, y, class: className, "text-anchor": anchor }, words);

/** A share from 0 to 1, its interval, and where half is. */
export function intervalBar({ share, interval: [least, most] }, width = 160) {
  const at = (value) => value * (width - 8) + 4;
  return draw(
    "svg",
    { class: "chart", viewBox: `0 0 ${width} 20`, width, height: 20, "aria-hidden": "true" },
    draw("line", { class: "axis", x1: at(0.5), x2: at(0.5), y1: 1, y2: 19 }),
    draw("line", { class: "interval", x1: at(least), x2: at(most), y1: 10, y2: 10 }),
    draw("circle", { class: share < 0.5 ? "cool" : "warm", cx: at(share), cy: 10, r: 4.5 }),
  );
}

/** How many reviews are in each tenth of the probability. */
export function histogram(bins, width = 560, height = 240) {
  const most = Math.max(...bins, 1);
  const step = (width - 40) / bins.length;
  const bars = [...bins].flatMap((size, bin) => {
    const tall = (size / most) * (height - 70);
    const x = 20 + bin * step;
    const bar = draw("rect", { class: bin < bins.length / 2 ? "cool" : "warm", x: x + 1, y: height - 40 - tall, width: step - 2, height: Math.max(tall, 0.5) });
    return [bar, text(x + step / 2, height - 46 - tall, size.toLocaleString("en"), "mark", "middle"), text(x, height - 24, `${bin * 10}`, "mark", "middle")];
  });
  return draw(
    "svg",
    { class: "chart", viewBox: `0 0 ${width} ${height}`, width, height, role: "img", "aria-label": "Histogram of the probability of positive" },
    ...bars,
    text(width - 20, height - 24, "100", "mark", "middle"),
    text(width / 2, height - 6, "Probability of positive, in %", "mark", "middle"),
  );
}

/** Groups below each other: share of positive with its interval, and number. */
export function groupChart(groups, title, width = 560) {
  const left = 170, line = 24;
  const wide = width - left - 70;
  const height = groups.length * line + 52;
  const x = (share) => left + share * wide;
  const grid = [0, 0.25, 0.5, 0.75, 1].flatMap((share) => [
    draw("line", { class: share === 0.5 ? "axis" : "grid", x1: x(share), x2: x(share), y1: 4, y2: height - 40 }),
    text(x(share), height - 24, `${share * 100}%`, "mark", "middle"),
  ]);
  const rows = groups.flatMap(({ name, share, interval, reviews }, at) => {
    const y = at * line + 16;
    return [
      text(left - 10, y + 4, name.length > 24 ? `${name.slice(0, 23)}…` : name, "mark", "end"),
      draw("line", { class: "interval", x1: x(interval[0]), x2: x(interval[1]), y1: y, y2: y }),
      draw("circle", { class: share < 0.5 ? "cool" : "warm", cx: x(share), cy: y, r: 5 }),
      text(width - 6, y + 4, reviews.toLocaleString("en"), "mark", "end"),
    ];
  });
  return draw("svg", { class: "chart", viewBox: `0 0 ${width} ${height}`, width, height, role: "img", "aria-label": title }, ...grid, ...rows, text(x(0.5), height - 6, title, "mark", "middle"));
}

/** Months in a row: share of positive, and the band in which it may be. */
export function timeChart(months, title, width = 560, height = 240) {
  const left = 44, bottom = height - 44, top = 12;
  const right = width - 32;
  const x = (at) => left + ((right - left) * at) / Math.max(months.length - 1, 1);
  const y = (share) => bottom - share * (bottom - top);
  const band = [...months.map(({ interval }, at) => `${x(at)},${y(interval[1])}`), ...months.map(({ interval }, at) => `${x(at)},${y(interval[0])}`).reverse()];
  const every = Math.ceil(months.length / 8);
  return draw(
    "svg",
    { class: "chart", viewBox: `0 0 ${width} ${height}`, width, height, role: "img", "aria-label": title },
    ...[0, 0.5, 1].flatMap((share) => [draw("line", { class: share === 0.5 ? "axis" : "grid", x1: left, x2: right, y1: y(share), y2: y(share) }), text(left - 6, y(share) + 4, `${share * 100}%`, "mark", "end")]),
    draw("polygon", { class: "band", points: band.join(" ") }),
    draw("polyline", { class: "line", points: months.map(({ share }, at) => `${x(at)},${y(share)}`).join(" ") }),
    ...months.map(({ share }, at) => draw("circle", { class: share < 0.5 ? "cool" : "warm", cx: x(at), cy: y(share), r: 4 })),
    ...months.flatMap(({ name }, at) => (at % every ? [] : [text(x(at), height - 26, name, "mark", "middle")])),
    text((left + width) / 2, height - 6, title, "mark", "middle"),
  );
}

const KEPT = ["fill", "stroke", "stroke-width", "stroke-dasharray", "font-family", "font-size", "font-weight", "opacity"];

/** Charts below each other in one picture that needs no style sheet, in the colours of paper. */
export function standalone(charts) {
  const width = Math.max(...charts.map((chart) => Number(chart.getAttribute("width"))));
  let height = 0;
  const whole = draw("svg", { xmlns: SPACE, width });
  const paper = document.createElement("div");
  paper.className = "paper unseen";
  paper.append(whole);
  document.body.append(paper);
  for (const chart of charts) {
    const copy = chart.cloneNode(true);
    copy.setAttribute("y", height);
    whole.append(copy);
    height += Number(chart.getAttribute("height")) + 24;
  }
  for (const element of whole.querySelectorAll("*")) {
    const style = getComputedStyle(element);
    for (const name of KEPT) element.setAttribute(name, style.getPropertyValue(name));
  }
  for (const element of whole.querySelectorAll("[class]")) element.removeAttribute("class");
  whole.setAttribute("height", height);
  whole.setAttribute("viewBox", `0 0 ${width} ${height}`);
  whole.prepend(draw("rect", { width, height, fill: "#ffffff" }));
  paper.remove();
  return { width, height, svg: new XMLSerializer().serializeToString(whole) };
}

/** The same picture in dots, as many as a report on paper needs. */
export async function toPng({ width, height, svg }, scale = 3) {
  const image = new Image();
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(svg)}`;
  await image.decode();
  const canvas = Object.assign(document.createElement("canvas"), { width: width * scale, height: height * scale });
  canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
  return new Promise((resolve) => {
    canvas.toBlob(resolve, "image/png");
  });
}
