/** Try a request: see it as code, send it, see what comes back. */

import { fetchModel } from "./api.js";
import { byId, make, on, say } from "./dom.js";
import { count } from "./phrases.js";

/**
 * A request to the API, {method, url, path, type, body}, in the languages that people call it from.
 * type and body are undefined where the request has none.
 */
const LANGUAGES = { curl, python, javascript, aws };

/** What is said beside the code. */
const NOTES = {
  curl: "",
  python: "Python 3, with nothing but its own library.",
  javascript: "Node, Deno and Bun; in a browser on this site’s own pages only.",
  aws: "For whoever runs the stack: put in its function’s name, the output SentimentFunctionName.",
};

function curl({ method, url, type, body }) {
  const lines = [`curl -s ${quoteForShell(url)}`];
  if (method !== "GET") lines.push(`-H ${quoteForShell(`content-type: ${type}`)}`, `--data-binary ${quoteForShell(body)}`);
  return lines.join(" \\\n  ");
}

function python({ method, url, type, body }) {
  const lines = ["import urllib.request", ""];
  if (method === "GET") {
    lines.push(`request = urllib.request.Request(${quote(url)})`);
  } else {
    lines.push(
      "request = urllib.request.Request(",
      `    ${quote(url)},`,
      `    data=${quote(body)}.encode(),`,
      `    headers={"content-type": ${quote(type)}},`,
      ")",
    );
  }
  lines.push("with urllib.request.urlopen(request) as response:", "    print(response.read().decode())");
  return lines.join("\n");
}

function javascript({ method, url, type, body }) {
  const lines = [`const response = await fetch(${quote(url)}`];
  if (method === "GET") {
    lines[0] += ");";
  } else {
    lines[0] += ", {";
    lines.push(
      `  method: ${quote(method)},`,
      `  headers: { "content-type": ${quote(type)} },`,
      `  body: ${quote(body)},`,
      "});",
    );
  }
  lines.push("console.log(await response.text());");
  return lines.join("\n");
}

/** Past website and API, to the function itself, with an event as the API makes it. */
function aws({ method, path, type, body }) {
  const event = {
    version: "2.0",
    routeKey: `${method} ${path}`,
    rawPath: path,
    rawQueryString: "",
    headers: type ? { "content-type": type } : {},
    requestContext: { http: { method, path }, requestId: "by-hand", stage: "$default" },
    ...(body === undefined ? {} : { body }),
    isBase64Encoded: false,
  };
  return [
    "aws lambda invoke --function-name FUNCTION",
    "--cli-binary-format raw-in-base64-out",
    `--payload ${quoteForShell(JSON.stringify(event))} /dev/stdout`,
  ].join(" \\\n  ");
}

/** A string in double quotes, as Python and JavaScript both read it. */
function quote(text) {
  return JSON.stringify(text).replace(/[\u007f-\u009f\u2028\u2029]/g, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

function quoteForShell(text) {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

const JSON_TYPE = "application/json";
const REVIEW = "I expected little and came out grinning. A warm, clever film.";

/** What can be tried: the route, what it is, and the body to begin with. */
const ROUTES = [
  {
    name: "POST /api/sentiment",
    about: "One review; explain adds what each word and sentence did.",
    type: JSON_TYPE,
    body: `{"review": ${JSON.stringify(REVIEW)}, "explain": false}`,
  },
  {
    name: "POST /api/sentiments",
    about: "Many reviews, one result for each, in their order.",
    type: JSON_TYPE,
    body: `{"reviews": [${JSON.stringify(REVIEW)}, "Dreadful.", "?!"]}`,
  },
  {
    name: "POST /api/sentiment",
    about: "The review itself in, 1 (positive) or 0 (negative) out.",
    type: "text/plain",
    body: REVIEW,
  },
  { name: "GET /api/model", about: "Which model answers, how good it is, and the limits." },
  { name: "GET /api/health", about: "Whether the model answers; wakes it if it sleeps." },
];

let route = ROUTES[0];
let language = "curl";
let current = new AbortController();

function request() {
  const [method, path] = route.name.split(" ");
  const url = `${location.origin}${path}`;
  return { method, path, url, type: route.type, body: route.type && byId("body").value };
}

function showRoute() {
  route = ROUTES[byId("route").selectedIndex];
  byId("about-route").textContent = route.about;
  byId("body-field").hidden = !route.type;
  byId("content-type").textContent = route.type ?? "";
  byId("body").value = route.body ?? "";
  showCode();
}

function showCode() {
  say("body-fault", faultOf(request()));
  byId("code").textContent = LANGUAGES[language](request());
  byId("code-note").textContent = NOTES[language];
  for (const button of document.querySelectorAll("[data-language]")) {
    button.ariaPressed = button.dataset.language === language;
  }
}

/** What is wrong with a body of JSON; it may be sent all the same, to see what the API says. */
function faultOf({ type, body }) {
  if (type !== JSON_TYPE) return "";
  try {
    JSON.parse(body);
    return "";
  } catch (error) {
    return `This is not JSON: ${error.message}`;
  }
}

async function send() {
  current.abort();
  current = new AbortController();
  const { signal } = current;
  const { method, url, type, body } = request();
  const options = method === "GET" ? {} : { method, headers: { "content-type": type }, body };
  showResponse("Waiting for the response", "", "");
  const start = performance.now();
  try {
    const response = await fetch(url, { ...options, signal });
    const text = await response.text();
    const milliseconds = Math.round(performance.now() - start);
    const line = [`${response.status} ${response.statusText}`.trim(), response.headers.get("content-type"), `${count(milliseconds)} ms`];
    showResponse(line.filter(Boolean).join(" · "), indent(text), response.ok ? "good" : "bad");
  } catch {
    if (!signal.aborted) showResponse("No response", "The server could not be reached.", "bad");
  }
}

function showResponse(line, body, kind) {
  byId("response-line").textContent = line;
  byId("response-line").dataset.kind = kind;
  byId("response").textContent = body;
}

function indent(text) {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}

async function copy() {
  const copied = await navigator.clipboard?.writeText(byId("code").textContent).then(() => true, () => false);
  if (!copied) getSelection().selectAllChildren(byId("code"));
  byId("code-note").textContent = copied ? "Copied." : "Selected: copy it with the keyboard.";
}

function showLimits({ limits, version }) {
  for (const place of document.querySelectorAll("[data-limit]")) {
    const { limit } = place.dataset;
    place.textContent = limit === "version" ? version : count(limits[limit]);
  }
}

byId("route").replaceChildren(...ROUTES.map(({ name, type }) => make("option", "", type === "text/plain" ? `${name}, plain text` : name)));
on("route", "change", showRoute);
on("body", "input", showCode);
on("copy", "click", copy);
on("request", "submit", (event) => {
  event.preventDefault();
  send();
});
for (const button of document.querySelectorAll("[data-language]")) {
  button.addEventListener("click", () => {
    language = button.dataset.language;
    showCode();
  });
}
showRoute();
fetchModel().then(showLimits).catch(() => {});
