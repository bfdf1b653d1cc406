/**
 * A request to the API, {method, url, path, type, body}, in the languages that people call it from.
 * type and body are undefined where the request has none.
 */

export const LANGUAGES = { curl, python, javascript, aws };

/** What is said beside the code. */
export const NOTES = {
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
