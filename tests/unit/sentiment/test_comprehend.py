"""Amazon Comprehend's protocol: limits, errors, and what verdicts are called there."""

from __future__ import annotations

from typing import Any

import pytest

import app
import comprehend
from comprehend import Call, write_answer
from errors import (
    BadAnswerError,
    ModelBusyError,
    ModelFailedError,
    ModelUnreachableError,
    ModelWakingError,
    SetUpError,
)
from review_text import Verdict
from review_text.predict import Prediction
from tests.unit.sentiment.conftest import Api, HttpResponse

ONE = {"Text": "I loved it", "LanguageCode": "en"}
WORD = "xylophone"


def error_of(response: HttpResponse) -> tuple[int, str]:
    assert response.headers["content-type"] == comprehend.MEDIA_TYPE
    assert response.json.keys() == {"__type", "Message"}
    return response.status, response.json["__type"]


def predicted(verdict: Verdict, probability: float) -> Prediction:
    return Prediction(0.0, probability, False, verdict, "modern-0123456789ab", None)


class TestOneText:
    def test_gets_a_sentiment_and_four_scores(self, api: Api) -> None:
        response = api.call_comprehend("DetectSentiment", ONE)
        assert response.status == 200
        assert response.headers["content-type"] == "application/x-amz-json-1.1"
        assert response.headers["x-amzn-requestid"] == "JKJaXmPLvHcESHA="
        assert response.json.keys() == {"Sentiment", "SentimentScore"}
        assert response.json["SentimentScore"].keys() == {
            "Positive",
            "Negative",
            "Neutral",
            "Mixed",
        }

    @pytest.mark.parametrize(
        ("verdict", "probability", "expected"),
        [
            ("positive", 0.9, ("POSITIVE", 0.9, 0.1, 0.0, 0.0)),
            ("negative", 0.000036, ("NEGATIVE", 0.000036, 0.999964, 0.0, 0.0)),
            ("mixed", 0.7, ("MIXED", 0.35, 0.15, 0.0, 0.5)),
            ("unclear", 1.0, ("NEUTRAL", 0.5, 0.0, 0.5, 0.0)),
        ],
    )
    def test_is_called_by_its_verdict(
        self, verdict: Verdict, probability: float, expected: tuple[Any, ...]
    ) -> None:
        answer = write_answer(Call(False, ["text"]), [predicted(verdict, probability)])
        scores = answer["SentimentScore"]
        assert (answer["Sentiment"], *scores.values()) == expected
        assert scores[answer["Sentiment"].capitalize()] == max(scores.values())
        assert sum(scores.values()) == pytest.approx(1)

    def test_may_have_5000_bytes(self, api: Api) -> None:
        text = "é" * 2_500
        assert api.call_comprehend("DetectSentiment", ONE | {"Text": text}).status == 200
        response = api.call_comprehend("DetectSentiment", ONE | {"Text": f"{text}."})
        assert error_of(response) == (400, "TextSizeLimitExceededException")
        assert response.json["Message"] == "The text has 5,001 bytes; the limit is 5,000."

    @pytest.mark.parametrize("code", ["es", "zh-TW", "EN", "", "tlh"])
    def test_is_refused_in_any_language_but_english(self, api: Api, code: str) -> None:
        response = api.call_comprehend("DetectSentiment", ONE | {"LanguageCode": code})
        assert error_of(response) == (400, "UnsupportedLanguageException")
        assert api.endpoint.calls == []

    @pytest.mark.parametrize(
        ("content", "message"),
        [
            ("{", "The body is not JSON: see line 1, column 2."),
            ([], 'The body is an array; send an object with the field "Text".'),
            ({"LanguageCode": "en"}, 'The field "Text" is missing.'),
            ({"Text": "film"}, 'The field "LanguageCode" is missing.'),
            (ONE | {"LanguageCode": 7}, 'The field "LanguageCode" is a number; send a string.'),
            (ONE | {"Text": ["film"]}, "The review is an array; send a string."),
            (ONE | {"Text": ""}, "The review is empty; send at least one word."),
            (ONE | {"Text": "?!"}, "The review has no word in it; send at least one."),
        ],
    )
    def test_is_refused_with_what_is_wrong(self, api: Api, content: object, message: str) -> None:
        response = api.call_comprehend("DetectSentiment", content)
        assert error_of(response) == (400, "InvalidRequestException")
        assert response.json["Message"] == message

    def test_may_stand_beside_fields_of_newer_clients(self, api: Api) -> None:
        assert api.call_comprehend("DetectSentiment", ONE | {"Newer": 1}).status == 200


class TestBatch:
    def call(self, api: Api, texts: object) -> HttpResponse:
        return api.call_comprehend(
            "BatchDetectSentiment", {"TextList": texts, "LanguageCode": "en"}
        )

    def test_gets_a_result_or_an_error_for_each_text(self, api: Api) -> None:
        answer = self.call(api, ["I loved it", "x" * 5_001, "dull", "?!", 7]).json
        assert [result["Index"] for result in answer["ResultList"]] == [0, 2]
        assert answer["ErrorList"] == [
            {
                "Index": 1,
                "ErrorCode": "TEXT_SIZE_LIMIT_EXCEEDED",
                "ErrorMessage": "The text has 5,001 bytes; the limit is 5,000.",
            },
            {
                "Index": 3,
                "ErrorCode": "INVALID_REQUEST",
                "ErrorMessage": "The review has no word in it; send at least one.",
            },
            {
                "Index": 4,
                "ErrorCode": "INVALID_REQUEST",
                "ErrorMessage": "The review is a number; send a string.",
            },
        ]
        assert len(api.endpoint.calls) == 1

    def test_with_errors_alone_does_not_ask_the_model(self, api: Api) -> None:
        assert self.call(api, ["?!"]).json["ResultList"] == []
        assert api.endpoint.calls == []

    def test_may_have_25_texts(self, api: Api) -> None:
        assert self.call(api, ["film"] * 25).status == 200
        response = self.call(api, ["film"] * 26)
        assert error_of(response) == (400, "BatchSizeLimitExceededException")

    @pytest.mark.parametrize("texts", [[], "film", None])
    def test_that_is_none_is_refused(self, api: Api, texts: object) -> None:
        assert error_of(self.call(api, texts)) == (400, "InvalidRequestException")


@pytest.mark.parametrize("target", ["DetectEntities", "", "detectsentiment", "DetectSentiment "])
def test_other_operations_are_unknown(api: Api, target: str) -> None:
    response = api.call_comprehend(target, ONE)
    assert error_of(response) == (400, "UnknownOperationException")


def test_a_call_without_a_target_or_with_another_services_is_unknown(api: Api) -> None:
    for headers in ({}, {"x-amz-target": "Translate_20170701.TranslateText"}):
        response = api.request("POST", "/api/comprehend", body="{}", headers=headers)
        assert error_of(response) == (400, "UnknownOperationException")


def test_another_content_type_is_refused(api: Api) -> None:
    response = api.call_comprehend("DetectSentiment", ONE, **{"content-type": "application/json"})
    assert error_of(response) == (400, "InvalidRequestException")


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (ModelWakingError("asleep"), (503, "ServiceUnavailable")),
        (ModelBusyError("busy"), (503, "ServiceUnavailable")),
        (ModelUnreachableError("gone"), (503, "ServiceUnavailable")),
        (ModelFailedError("failed"), (500, "InternalServerException")),
        (BadAnswerError("odd"), (500, "InternalServerException")),
        (SetUpError("wrong"), (500, "InternalServerException")),
        (KeyError(WORD), (500, "InternalServerException")),
    ],
)
def test_what_goes_wrong_here_is_a_fault_that_clients_try_again(
    api: Api, error: Exception, expected: tuple[int, str]
) -> None:
    api.endpoint.error = error
    response = api.call_comprehend("DetectSentiment", ONE)
    assert error_of(response) == expected
    assert WORD not in response.body + api.log.getvalue()
    [line] = api.log_lines
    assert (line["status"], line["problem"]) == expected


def test_a_call_that_runs_out_of_time_is_answered_in_the_protocol(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Time that is up before the route begins.
    monkeypatch.setattr(app, "ANSWER_SECONDS", 60.0)
    response = api.call_comprehend("DetectSentiment", ONE)
    assert error_of(response) == (503, "ServiceUnavailable")


def test_another_path_or_origin_is_told_as_to_everybody(api: Api) -> None:
    response = api.request("GET", "/api/comprehend")
    assert (response.status, response.json["type"]) == (405, "/problems/method-not-allowed")


def test_a_text_is_never_logged(api: Api) -> None:
    for text in (WORD, f"{WORD} " * 600):
        api.call_comprehend("BatchDetectSentiment", {"TextList": [text], "LanguageCode": "en"})
    api.call_comprehend("DetectSentiment", f'{{"Text": "{WORD}')
    assert WORD not in api.log.getvalue()
