"""What holds for any text and for any request: one list for hypothesis, for atheris and for the
inputs that are kept."""

from __future__ import annotations

import json
from typing import Any

from model_training.inference import (
    JSON,
    JSON_LINES,
    Model,
    Refusal,
    input_fn,
    output_fn,
    predict_fn,
)
from review_text import Vocabulary, split_sentences
from review_text.tokens import find_surfaces, find_tokens

REFUSALS = {400, 409, 413, 415}


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
    assert len(content["results"]) == len(sent["reviews"])
    for ids, given in zip(sent["reviews"][:3], content["results"][:3], strict=True):
        alone = _parse(ask(json.dumps(sent | {"reviews": [ids]}).encode(), JSON, model))
        assert alone["results"] == [given]


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


def _parse(text: str) -> Any:
    return json.loads(text, parse_constant=_refuse)


def _refuse(name: str) -> None:
    raise AssertionError(f"{name} is not JSON")
