"""What holds for any text and for any request: one list for hypothesis, for atheris and for the
inputs that are kept."""

from __future__ import annotations

import json
from base64 import b64encode
from itertools import islice
from typing import Any

from comprehend import CODES, MEDIA_TYPE
from errors import PROBLEMS
from model_training.serving.functions import (
    JSON,
    JSON_LINES,
    Refusal,
    input_fn,
    output_fn,
    predict_fn,
)
from model_training.serving.scorer import Model
from review_text import Vocabulary, count_windows, split_sentences
from review_text.tokens import find_surfaces, find_tokens
from tests import function

REFUSALS = {400, 409, 413, 415}
"""Of the endpoint."""
CALLERS_FAULTS = {400, 404, 405, 413, 415, 422}
"""What the function may answer to a request that it does not fulfil, while the endpoint is well."""
PROBLEM_TYPES = {(f"/problems/{problem.slug}", problem.status) for problem in PROBLEMS.values()}


def check_text(text: str, vocabulary: Vocabulary) -> None:
    """Encode ``text``: places, ids and sentences are what they are said to be."""
    settings = vocabulary.settings
    surfaces, spans = find_tokens(text, settings)
    assert surfaces == find_surfaces(text, settings)
    _check_places(text, spans, len(surfaces))
    encoded = vocabulary.encode(text)
    assert encoded == vocabulary.encode(text)
    assert encoded.ids == vocabulary.encode_ids(text)
    assert len(encoded.ids) == len(encoded.spans) <= settings.max_tokens
    assert all(0 < number < len(vocabulary) for number in encoded.ids)
    assert set(encoded.spans) <= set(spans)
    assert not encoded.truncated or len(encoded.ids) == settings.max_tokens
    assert not encoded.has_words or encoded.ids
    _check_sentences(text, encoded.spans)


def _check_places(text: str, spans: list[tuple[int, int]], count: int) -> None:
    assert len(spans) == count
    previous = 0
    for start, end in spans:
        assert previous <= start < end <= len(text)
        previous = start  # two tokens may share the place of one entity


def _check_sentences(text: str, spans: list[tuple[int, int]]) -> None:
    tokens: list[int] = []
    for sentence in split_sentences(text, spans):
        assert sentence.first <= sentence.last
        tokens += range(sentence.first, sentence.last + 1)
    assert tokens == list(range(len(spans)))


def check_request(body: bytes, content_type: str, model: Model) -> None:
    """Send ``body`` to the endpoint: it answers or refuses, and each review gets what it gets
    alone, to the last digit."""
    request = input_fn(body, content_type)
    answer = output_fn(predict_fn(request, model), "*/*")
    if isinstance(answer, Refusal):
        assert answer.status in REFUSALS
        assert set(json.loads(answer.body)) == {"error", "message"}
        return
    text, media_type = answer
    if media_type == JSON_LINES:
        answers = [_parse(line) for line in text.splitlines()]
        lines = [line for line in body.decode().split("\n") if line.strip(" \t\r")]
        assert len(answers) == len(lines)
        for line, given in zip(lines[:3], answers[:3], strict=True):
            assert ask(line.encode(), JSON_LINES, model) == json.dumps(given, separators=(",", ":"))
        return
    content = _parse(text)
    sent = json.loads(body)
    assert len(content["results"]) == len(sent["lengths"])
    windows = iter(sent["windows"])
    for length, given in zip(sent["lengths"][:3], content["results"][:3], strict=True):
        own = list(islice(windows, count_windows(length, model.vocabulary.settings.window)))
        alone = sent | {"windows": own, "lengths": [length]}
        assert _parse(ask(json.dumps(alone).encode(), JSON, model))["results"] == [given]


def ask(body: bytes, content_type: str, model: Model) -> str:
    """The endpoint's answer to a request that it takes, without the line's end."""
    answer = output_fn(predict_fn(input_fn(body, content_type), model), "*/*")
    assert not isinstance(answer, Refusal), answer.body
    text: str = answer[0]
    return text.rstrip("\n")


def check_encoded_together(texts: list[str], model: Model) -> None:
    """Each of several reviews is answered as if it were alone."""
    reviews = [ids for text in texts if (ids := model.vocabulary.encode_ids(text))]
    together = model.score(reviews)
    for ids, given in zip(reviews, together, strict=True):
        [alone] = model.score([ids])
        assert (alone.logit, alone.probability) == (given.logit, given.probability)
        assert alone.contributions.tolist() == given.contributions.tolist()


def check_function_request(
    method: str, path: str, headers: dict[str, str], body: bytes, bundle: str, model: Model
) -> None:
    """Send a request to the function: it answers, or says what is wrong with the request; the
    same, whether the gateway takes the body for text or for bytes."""
    event = {
        "rawPath": path,
        "headers": headers,
        "requestContext": {"http": {"method": method}, "stage": "$default", "requestId": "request"},
        "isBase64Encoded": True,
        "body": b64encode(body).decode(),
    }
    with function.connected(bundle, model):
        answer = function.call(event)
        check_answer(answer)
        assert answer["statusCode"] in {200} | CALLERS_FAULTS
        try:
            text = body.decode()
        except UnicodeDecodeError:
            return
        assert function.call(event | {"isBase64Encoded": False, "body": text}) == answer


def check_answer(answer: Any) -> None:
    """The function's answer to any event is a response as an HTTP API takes it; one that is no
    success is a documented problem."""
    assert answer.keys() == {"statusCode", "headers", "body", "isBase64Encoded"}
    status, headers, body = answer["statusCode"], answer["headers"], answer["body"]
    assert type(status) is int
    assert answer["isBase64Encoded"] is False
    for name, value in headers.items():
        assert (name + value).isascii() and (name + value).isprintable()
    assert headers["Cache-Control"] == "no-store"
    assert body.isascii()
    if status == 200:
        assert headers["Content-Type"] in (JSON, MEDIA_TYPE) or body in ("0", "1")
        if body:  # HEAD has none
            _parse(body)
        return
    if headers["Content-Type"] == MEDIA_TYPE:
        assert status == 400
        error = _parse(body)
        assert error.keys() == {"__type", "Message"}
        assert error["__type"] in CODES.values()
        return
    assert headers["Content-Type"] == "application/problem+json"
    _check_problem(_parse(body), status, headers)


def _check_problem(problem: dict[str, Any], status: int, headers: dict[str, str]) -> None:
    retry_after = problem.pop("retryAfter", None)
    assert headers.get("Retry-After") == (retry_after and str(retry_after))
    assert problem.keys() == {"type", "title", "status", "detail", "requestId"}
    assert (problem["type"], problem["status"]) in PROBLEM_TYPES
    assert problem.pop("status") == status
    assert all(type(text) is str and text for text in problem.values())
    assert "Traceback" not in problem["detail"]


def _parse(text: str) -> Any:
    return json.loads(text, parse_constant=_refuse)


def _refuse(name: str) -> None:
    raise AssertionError(f"{name} is not JSON")
