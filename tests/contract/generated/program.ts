// Uses every kind of answer as the document describes it; compiled, and not run.
import type { components, operations } from "./api";

type Answers = operations["readReview"]["responses"];
type Prediction = Answers[200]["content"]["application/json"];
type Problem = components["schemas"]["Problem"];

const asked: components["schemas"]["ReviewRequest"] = { review: "A warm, clever film." };

export function tell(answer: Prediction): string {
  const verdict: "positive" | "negative" | "mixed" | "unclear" = answer.verdict;
  const effects = (answer.words ?? []).map((word): number | undefined => word.effect);
  return `${asked.review} ${verdict} ${answer.probability.toFixed(2)} ${effects.length}`;
}

// Each status that the API's guide has a problem for.
type Statuses = 400 | 413 | 415 | 422 | 500 | 502 | 503;
type Content = { [S in Statuses]: Answers[S]["content"]["application/problem+json"] };

export function explain(content: Content, status: Statuses): string {
  const problem: Problem = content[status];
  return `${problem.type} ${problem.detail} ${problem.retryAfter ?? 0}`;
}

export function wait(answer: Answers[503]): number {
  return answer.headers["retry-after"];
}

export function read(results: components["schemas"]["Predictions"]["results"]): string[] {
  return results.map((result) => ("problem" in result ? result.problem.type : result.sentiment));
}

export const plain: Answers[200]["content"]["text/plain"] = "1";

// @ts-expect-error a review is a string
export const wrong: components["schemas"]["ReviewRequest"] = { review: 1 };
// @ts-expect-error no such verdict
export const odd: Prediction["verdict"] = "neutral";
