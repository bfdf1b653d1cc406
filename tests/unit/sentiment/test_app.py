"""The HTTP API, from the event to the response."""

from __future__ import annotations

import base64
import gzip
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import app
from errors import (
    PROBLEMS,
    BadAnswerError,
    ModelBusyError,
    ModelFailedError,
    ModelUnreachableError,
    ModelWakingError,
    SetUpError,
    VocabularyMismatchError,
)
from local_stack.template import Template
from review_text import VerdictRule, Vocabulary
from settings import Settings
from tests.invocations import make_event
from tests.unit.sentiment.conftest import Api

ROOT = Path(__file__).parents[3]
ONE, MANY = "/api/sentiment", "/api/sentiments"
OTHER_EVENTS: dict[str, object] = {
    "nothing": {},
    "null": None,
    "a list": [],
    "odd": {"requestContext": 1},
    "console's example": {"key1": "value1", "key2": "value2", "key3": "value3"},
    "review": {"review": "A great film."},
    "warmer": {"source": "serverless-plugin-warmup"},
    "EventBridge": {"version": "0", "source": "aws.events", "detail-type": "Scheduled Event"},
    "SQS": {"Records": [{"eventSource": "aws:sqs", "body": "A great film."}]},
    "WebSocket": {"requestContext": {"routeKey": "$connect", "stage": "live"}, "body": "film"},
}


def problem_type(response: Any) -> str:
    assert response.headers["content-type"] == "application/problem+json"
    assert response.json["status"] == response.status
    return str(response.json["type"]).removeprefix("/problems/")


class TestOneReview:
    def test_gets_its_sentiment(self, api: Api) -> None:
        response = api.post(ONE, {"review": "I loved it"})
        assert response.status == 200
        assert response.headers["content-type"] == "application/json"
        assert response.json.keys() == {
            "sentiment",
            "probability",
            "confidence",
            "verdict",
            "truncated",
            "model",
        }
        assert response.json["model"] == "modern-0123456789ab"

    def test_gets_reasons_that_add_up_to_the_logit(self, api: Api) -> None:
        review = "A great film!  I hated <b>it</b>."
        answer = api.post(ONE, {"review": review, "explain": True}).json
        total = sum(word["contribution"] for word in answer["words"]) + answer["bias"]
        assert total == pytest.approx(answer["logit"])
        shown = [review[word["start"] : word["end"]] for word in answer["words"]]
        assert shown == ["A", "great", "film", "!", "I", "hated", "it", "."]

    def test_gets_the_effect_of_each_word(self, api: Api) -> None:
        words = api.post(ONE, {"review": "A great film!", "explain": True}).json["words"]
        assert [word["effect"] for word in words] == [2 * word["contribution"] for word in words]

    def test_effects_can_be_declined(self, api: Api) -> None:
        answer = api.post(ONE, {"review": "A great film!", "explain": True, "effects": False}).json
        assert [word.keys() for word in answer["words"]] == [{"start", "end", "contribution"}] * 4

    def test_among_others_gets_no_effects(self, api: Api) -> None:
        [result] = api.post(MANY, {"reviews": ["A great film!"], "explain": True}).json["results"]
        assert not any("effect" in word for word in result["words"])

    def test_explanations_can_be_declined(self, api: Api) -> None:
        assert "words" not in api.post(ONE, {"review": "fine", "explain": False}).json

    @pytest.mark.parametrize(
        "review",
        ["loved \ud800 it", "a\0b", "\u200bfilm\u200b", "سينما رائعة", "🎬 film 🎬", "&#146;film"],
    )
    def test_may_have_any_characters(self, api: Api, review: str) -> None:
        assert api.post(ONE, {"review": review, "explain": True}).status == 200

    def test_may_be_sent_as_base64(self, api: Api) -> None:
        response = api.post_bytes(ONE, b'{"review": "film"}', "application/json; charset=UTF-8")
        assert response.status == 200

    def test_may_follow_a_byte_order_mark(self, api: Api) -> None:
        assert api.post(ONE, '\ufeff{"review": "film"}').status == 200

    @pytest.mark.parametrize(
        ("body", "detail"),
        [
            ("", "The body is not JSON: see line 1, column 1."),
            ("{", "The body is not JSON: see line 1, column 2."),
            ('{"review": NaN}', "The body is not JSON: NaN is no number there."),
            ('{"review": -Infinity}', "The body is not JSON: -Infinity is no number there."),
            ('{"review": ' + "1" * 5000 + "}", "The body has a number with too many digits."),
            ("[" * 200_000, "The body is nested too deeply."),
            ('["film"]', 'The body is an array; send an object with the field "review".'),
            ("null", 'The body is null; send an object with the field "review".'),
            ("{}", 'The field "review" is missing.'),
            (
                '{"review": "film", "explian": true}',
                'Unknown field "explian"; the fields are "review", "explain" and "effects".',
            ),
            (
                '{"review": "film", "explain": 1}',
                'The field "explain" is a number; send true or false.',
            ),
            (
                '{"review": "film", "effects": null}',
                'The field "effects" is null; send true or false.',
            ),
            ('{"review": 1e999}', "The review is a number; send a string."),
            ('{"review": {"text": "film"}}', "The review is an object; send a string."),
            ('{"review": true}', "The review is true or false; send a string."),
        ],
    )
    def test_is_told_what_is_wrong_with_the_request(self, api: Api, body: str, detail: str) -> None:
        response = api.post(ONE, body)
        assert (response.status, problem_type(response)) == (400, "malformed-request")
        assert response.json["detail"] == detail
        assert api.endpoint.calls == []

    @pytest.mark.parametrize(
        ("review", "status", "kind", "detail"),
        [
            ("", 400, "empty-review", "The review is empty; send at least one word."),
            (" \n", 422, "no-words", "The review has no word in it; send at least one."),
            ("?! --", 422, "no-words", "The review has no word in it; send at least one."),
            ("<br />", 422, "no-words", "The review has no word in it; send at least one."),
            (
                "a" * 20_001,
                413,
                "too-long",
                "The review has 20,001 characters; the limit is 20,000.",
            ),
        ],
    )
    def test_is_told_what_is_wrong_with_the_review(
        self, api: Api, review: str, status: int, kind: str, detail: str
    ) -> None:
        response = api.post(ONE, {"review": review})
        assert (response.status, problem_type(response)) == (status, kind)
        assert response.json["detail"] == detail
        assert api.endpoint.calls == []

    def test_may_have_20_000_characters_however_many_bytes_they_are(self, api: Api) -> None:
        response = api.post(ONE, {"review": "film 🎬 " + "🎬" * 19_993})
        assert response.status == 200

    def test_that_is_longer_than_the_model_reads_is_marked(self, api: Api) -> None:
        response = api.post(ONE, {"review": "film " * 513, "explain": True})
        assert response.json["truncated"] is True
        assert len(response.json["words"]) == 512


class TestPlainText:
    @pytest.mark.parametrize(("parity", "body"), [(0, "1"), (1, "0")])
    def test_is_answered_with_one_digit(
        self, api: Api, vocabulary: Vocabulary, parity: int, body: str
    ) -> None:
        # The fake endpoint likes words of even numbers and no others.
        numbers = {word: vocabulary.encode(word).ids[0] for word in ("loved", "dull", "film", "I")}
        review = " ".join(word for word, number in numbers.items() if number % 2 == parity)
        response = api.post(ONE, review, "text/plain;charset=UTF-8")
        assert (response.status, response.body) == (200, body)
        assert response.headers["content-type"] == "text/plain"

    def test_problems_are_json(self, api: Api) -> None:
        response = api.post(ONE, "", "text/plain")
        assert (response.status, problem_type(response)) == (400, "empty-review")

    @pytest.mark.parametrize(
        "charset",
        ["utf-8", "utf8", '"UTF-8"', "iso-8859-1", "latin1", "windows-1252", "cp1252", "utf-16"],
    )
    def test_is_read_in_its_charset(self, api: Api, charset: str, vocabulary: Vocabulary) -> None:
        body = "é film".encode(charset.strip('"'))
        response = api.post_bytes(ONE, body, f"text/plain; format=flowed; Charset={charset}")
        assert response.status == 200
        assert api.endpoint.calls == [[vocabulary.encode("é film").ids]]

    @pytest.mark.parametrize("charset", ["utf-16", "iso-8859-1", "windows-1252", "us-ascii"])
    @pytest.mark.parametrize("body", ["film", "café film"])
    def test_means_the_same_as_text_and_as_base64(self, api: Api, body: str, charset: str) -> None:
        """A gateway hands on as text whatever can be read as UTF-8."""
        content_type = f"text/plain; charset={charset}"
        as_text = api.post(ONE, body, content_type)
        as_bytes = api.post_bytes(ONE, body.encode(), content_type)
        assert (as_text.status, as_text.body) == (as_bytes.status, as_bytes.body)
        assert api.endpoint.calls[::2] == api.endpoint.calls[1::2]

    def test_in_bytes_that_are_not_text_is_refused(self, api: Api) -> None:
        response = api.post_bytes(ONE, b"film \xff", "text/plain")
        assert (response.status, problem_type(response)) == (400, "malformed-request")
        assert response.json["detail"] == "The body is not utf-8: see byte 6."

    @pytest.mark.parametrize("charset", ["idna", "utf-7", "unicode_escape", "zlib", "no\0such"])
    def test_in_other_charsets_is_refused(self, api: Api, charset: str) -> None:
        response = api.post_bytes(ONE, b"film", f"text/plain; charset={charset}")
        assert (response.status, problem_type(response)) == (415, "unsupported-media-type")


class TestContentType:
    @pytest.mark.parametrize(
        "content_type", ["application/x-www-form-urlencoded", "text/html", "json", ""]
    )
    def test_other_types_are_refused(self, api: Api, content_type: str) -> None:
        response = api.post(ONE, "review=film", content_type)
        assert (response.status, problem_type(response)) == (415, "unsupported-media-type")
        assert "application/json or text/plain" in response.json["detail"]

    def test_plain_text_is_for_one_review_only(self, api: Api) -> None:
        assert api.post(MANY, "film", "text/plain").status == 415

    @pytest.mark.parametrize("encoding", ["gzip", "br", "deflate, gzip"])
    def test_a_compressed_body_is_refused_as_such(self, api: Api, encoding: str) -> None:
        headers = {"content-type": "application/json", "content-encoding": encoding}
        body = base64.b64encode(gzip.compress(b'{"review": "film"}')).decode()
        response = api.request("POST", ONE, body=body, isBase64Encoded=True, headers=headers)
        assert (response.status, problem_type(response)) == (415, "unsupported-media-type")
        assert (
            response.json["detail"]
            == f'The content encoding is "{encoding}"; send the body as it is.'
        )

    def test_a_body_may_be_said_to_be_as_it_is(self, api: Api) -> None:
        headers = {"content-type": "application/json", "content-encoding": "identity"}
        assert api.request("POST", ONE, body='{"review": "a"}', headers=headers).status == 200

    @pytest.mark.parametrize("headers", [{}, None])
    def test_a_missing_type_is_refused(self, api: Api, headers: dict[str, str] | None) -> None:
        assert api.request("POST", ONE, body="{}", headers=headers).status == 415

    def test_the_case_of_header_and_value_does_not_matter(self, api: Api) -> None:
        headers = {"Content-TYPE": "Application/JSON ; Charset=UTF-8"}
        response = api.request("POST", ONE, body='{"review": "film"}', headers=headers)
        assert response.status == 200

    def test_a_body_that_is_not_the_base64_it_claims_to_be_is_refused(self, api: Api) -> None:
        headers = {"content-type": "text/plain"}
        response = api.request("POST", ONE, body="film!", isBase64Encoded=True, headers=headers)
        assert (response.status, problem_type(response)) == (400, "malformed-request")

    def test_a_body_may_be_missing(self, api: Api) -> None:
        headers = {"content-type": "application/json"}
        assert problem_type(api.request("POST", ONE, headers=headers)) == "malformed-request"


class TestManyReviews:
    def test_get_their_results_in_order_with_one_call(
        self, api: Api, vocabulary: Vocabulary
    ) -> None:
        reviews = ["I loved it", "", "dull film", "!", 7, "x" * 20_001, "great"]
        response = api.post(MANY, {"reviews": reviews})
        assert response.status == 200
        statuses = [
            result["problem"]["status"] if "problem" in result else result["model"]
            for result in response.json["results"]
        ]
        version = "modern-0123456789ab"
        assert statuses == [version, 400, version, 422, 400, 413, version]
        readable = ["I loved it", "dull film", "great"]
        assert api.endpoint.calls == [[vocabulary.encode(text).ids for text in readable]]

    def test_each_result_is_what_the_review_gets_alone(self, api: Api) -> None:
        reviews = ["I loved it", "!", "dull film. I hated it"]
        together = api.post(MANY, {"reviews": reviews, "explain": True}).json["results"]
        alone = [api.post(ONE, {"review": review, "explain": True}).json for review in reviews]
        for word in alone[0]["words"] + alone[2]["words"]:
            del word["effect"]
        del alone[1]["requestId"]
        assert together == [alone[0], {"problem": alone[1]}, alone[2]]

    def test_without_a_readable_one_do_not_wake_the_endpoint(self, api: Api) -> None:
        response = api.post(MANY, {"reviews": ["", "?"]})
        assert response.status == 200
        assert response.json["model"] == "modern-0123456789ab"
        assert [result["problem"]["status"] for result in response.json["results"]] == [400, 422]
        assert api.endpoint.calls == []

    def test_all_fail_when_the_endpoint_does(self, api: Api) -> None:
        api.endpoint.error = ModelBusyError("no place")
        response = api.post(MANY, {"reviews": ["film", ""]})
        assert (response.status, problem_type(response)) == (503, "model-busy")

    def test_may_be_100(self, api: Api) -> None:
        response = api.post(MANY, {"reviews": ["film"] * 100})
        assert len(response.json["results"]) == 100

    @pytest.mark.parametrize(
        ("reviews", "status", "kind", "detail"),
        [
            (
                [],
                400,
                "malformed-request",
                'The field "reviews" is empty; send 1 to 100 reviews.',
            ),
            (
                "film",
                400,
                "malformed-request",
                'The field "reviews" is a string; send an array of strings.',
            ),
            (
                {"0": "film"},
                400,
                "malformed-request",
                'The field "reviews" is an object; send an array of strings.',
            ),
            (
                ["film"] * 1_001,
                413,
                "too-many",
                "The request has 1,001 reviews; the limit is 100.",
            ),
            (["film"] * 101, 413, "too-many", "The request has 101 reviews; the limit is 100."),
        ],
    )
    def test_must_be_a_list_of_1_to_100(
        self, api: Api, reviews: object, status: int, kind: str, detail: str
    ) -> None:
        response = api.post(MANY, {"reviews": reviews})
        assert (response.status, problem_type(response)) == (status, kind)
        assert response.json["detail"] == detail
        assert api.endpoint.calls == []

    def test_with_reasons_may_be_20(self, api: Api) -> None:
        assert api.post(MANY, {"reviews": ["film"] * 20, "explain": True}).status == 200
        response = api.post(MANY, {"reviews": ["film"] * 21, "explain": True})
        assert (response.status, problem_type(response)) == (413, "too-many")
        detail = "The request has 21 reviews; the limit with reasons is 20."
        assert response.json["detail"] == detail

    def test_may_have_a_million_characters_together(self, api: Api) -> None:
        reviews = ["a" * 20_000] * 50
        assert api.post(MANY, {"reviews": reviews}).status == 200
        response = api.post(MANY, {"reviews": [*reviews, "a"]})
        assert (response.status, problem_type(response)) == (413, "too-many")
        assert response.json["detail"] == (
            "The reviews have 1,000,001 characters together; the limit of a request is 1,000,000."
        )
        assert len(api.endpoint.calls) == 1


class TestModel:
    def test_is_described_without_asking_the_endpoint(
        self, api: Api, vocabulary: Vocabulary
    ) -> None:
        api.endpoint.error = ModelWakingError("asleep")
        response = api.get("/api/model")
        assert response.status == 200
        assert response.json == {
            "name": "modern",
            "version": "modern-0123456789ab",
            "architecture": "A very small model.",
            "vocabulary": vocabulary.fingerprint,
            "metrics": {"accuracy": 0.9177, "reviews": 25000},
            "limits": {
                "characters": 20_000,
                "reviews": 100,
                "tokens": 512,
                "explained": 20,
                "request_characters": 1_000_000,
            },
        }


class TestHealth:
    def test_is_ok_when_the_endpoint_answers(self, api: Api) -> None:
        response = api.get("/api/health")
        assert (response.status, response.json) == (
            200,
            {"status": "ok", "model": "modern-0123456789ab"},
        )
        assert api.endpoint.calls == [[]]

    def test_says_when_to_ask_again_while_the_model_wakes(self, api: Api) -> None:
        api.endpoint.error = ModelWakingError("asleep")
        response = api.get("/api/health")
        assert (response.status, response.headers["retry-after"]) == (503, "10")


class TestRoutes:
    def test_are_those_of_the_template(self) -> None:
        template = Template(ROOT / "template.yaml")
        declared = {
            (r.path, r.method) for r in template.routes if r.function == "SentimentFunction"
        }
        assert {(path, route.method) for path, route in app.ROUTES.items()} == declared

    @pytest.mark.parametrize("path", ["/", "/api", "/sentiment", "/api/Model", "/api/x y", ""])
    def test_unknown_paths_are_not_found(self, api: Api, path: str) -> None:
        response = api.get(path)
        assert (response.status, problem_type(response)) == (404, "not-found")

    @pytest.mark.parametrize(
        ("method", "path", "allowed"),
        [
            ("GET", ONE, "POST"),
            ("DELETE", MANY, "POST"),
            ("POST", "/api/model", "GET"),
            ("OPTIONS", "/api/health", "GET"),
        ],
    )
    def test_other_methods_are_refused(
        self, api: Api, method: str, path: str, allowed: str
    ) -> None:
        response = api.request(method, path)
        assert (response.status, problem_type(response)) == (405, "method-not-allowed")
        assert response.headers["allow"] == allowed


class TestEndpointErrors:
    @pytest.mark.parametrize(
        ("error", "status", "kind", "retry_after"),
        [
            (ModelWakingError, 503, "model-waking", 10),
            (ModelBusyError, 503, "model-busy", 2),
            (ModelUnreachableError, 503, "model-unreachable", 5),
            (ModelFailedError, 502, "model-failed", None),
            (BadAnswerError, 502, "bad-answer", None),
            (SetUpError, 500, "set-up", None),
            (VocabularyMismatchError, 500, "set-up", None),
        ],
    )
    def test_become_problems(
        self,
        api: Api,
        error: type[Exception],
        status: int,
        kind: str,
        retry_after: int | None,
    ) -> None:
        api.endpoint.error = error("arn:aws:secret-detail")
        for response in (
            api.post(ONE, {"review": "film"}),
            api.post(ONE, "film", "text/plain"),
            api.post(MANY, {"reviews": ["film"]}),
            api.get("/api/health"),
        ):
            assert (response.status, problem_type(response)) == (status, kind)
            assert response.json.get("retryAfter") == retry_after
            assert response.headers.get("retry-after") == (
                None if retry_after is None else str(retry_after)
            )
            assert "secret-detail" not in response.body
            assert api.log_lines[-1]["reason"] == "arn:aws:secret-detail"

    def test_every_wait_that_is_advised_in_words_is_the_one_in_the_header(self) -> None:
        for problem in PROBLEMS.values():
            if problem.retry_after is not None:
                assert f"again in {problem.retry_after} seconds" in str(problem.detail)


class TestEveryResponse:
    def test_is_not_stored_and_names_its_request(self, api: Api) -> None:
        for response in (api.get("/api/model"), api.get("/none"), api.post(ONE, "{")):
            assert response.headers["cache-control"] == "no-store"
            if response.status >= 400:
                assert response.json["requestId"] == "JKJaXmPLvHcESHA="

    @pytest.mark.parametrize("event", OTHER_EVENTS.values(), ids=OTHER_EVENTS)
    def test_says_which_event_is_needed_if_it_is_no_request(self, api: Api, event: object) -> None:
        response = api.send(event)
        assert (response.status, problem_type(response)) == (400, "unknown-event")
        assert "HTTP API (such as events/positive.json)" in response.json["detail"]
        assert response.json["requestId"] == "9f9f4a4e-0000-4000-8000-000000000000"
        assert response.headers["cache-control"] == "no-store"
        assert (api.log_lines[-1]["level"], api.endpoint.calls) == ("INFO", [])


class TestPrivacy:
    WORD = "Rosebud"

    def test_a_review_never_reaches_the_log(
        self, api: Api, capsys: pytest.CaptureFixture[str]
    ) -> None:
        word = self.WORD
        api.post(ONE, {"review": f"{word} film", "explain": True})
        api.post(ONE, {word: "film"})
        api.post(ONE, {"review": "film", word: 1})
        api.post(ONE, '{"review": "' + word)
        api.post(ONE, f"{word}", word)
        api.post_bytes(ONE, word.encode() + b"\xff", "text/plain")
        api.post_bytes(ONE, b"film", f"text/plain; charset={word}")
        api.post(MANY, {"reviews": [word, "?"]})
        api.request("GET", f"/{word}", routeKey="$default")
        api.endpoint.error = ModelFailedError("no")
        api.post(ONE, {"review": word})
        assert len(api.log_lines) == 10
        captured = capsys.readouterr()
        assert word.lower() not in (api.log.getvalue() + captured.out + captured.err).lower()

    def test_an_unexpected_error_is_logged_by_its_place_and_not_its_message(
        self, api: Api, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
    ) -> None:
        api.endpoint.error = KeyError(self.WORD)
        response = api.post(ONE, {"review": self.WORD})
        assert (response.status, problem_type(response)) == (500, "internal-error")
        [line] = api.log_lines
        assert (line["level"], line["reason"]) == ("ERROR", "KeyError")
        assert any(place.endswith(" invoke") for place in line["places"])
        captured = capsys.readouterr()
        everything = response.body + api.log.getvalue() + captured.out + captured.err + caplog.text
        assert self.WORD not in everything


class TestTelemetry:
    def test_each_request_has_one_log_line(self, api: Api) -> None:
        api.post(MANY, {"reviews": ["film " * 600, "great", "", 7]})
        [line] = api.log_lines
        assert line["message"] == "request"
        assert line["level"] == "INFO"
        assert line["route"] == "POST /api/sentiments"
        assert line["correlation_id"] == "JKJaXmPLvHcESHA="
        assert line["status"] == 200
        assert line["milliseconds"] >= line["endpoint_milliseconds"] >= 0
        assert (line["reviews"], line["characters"], line["tokens"]) == (4, 3005, 513)
        assert line["truncated"] == 1
        assert line["model"] == "modern-0123456789ab"

    def test_what_the_model_made_of_the_reviews_is_counted(
        self, api: Api, monkeypatch: pytest.MonkeyPatch, settings: Settings
    ) -> None:
        rule = VerdictRule(unknown=0.5, short=0, sure=0.9, balance=0.6)
        monkeypatch.setattr(app, "load_settings", lambda: replace(settings, rule=rule))
        answer = api.post(MANY, {"reviews": ["I loved it", "qwertz asdfg", "film", ""]}).json
        given = [result for result in answer["results"] if "problem" not in result]
        [line] = api.log_lines
        assert given[1]["verdict"] == "unclear"
        assert (line["answered"], line["unknown"], line["unclear"]) == (3, 2, 1)
        positive = [result for result in given if result["verdict"] == "positive"]
        assert (line["positive"], line["mixed"]) == (len(positive), 0)
        mean = sum(result["confidence"] for result in given) / 3
        assert line["confidence"] == pytest.approx(mean, abs=1e-4)

    def test_what_got_no_answer_is_not_counted_as_one(self, api: Api) -> None:
        api.post(ONE, {"review": "?!"})
        api.endpoint.error = ModelBusyError("no place")
        api.post(ONE, {"review": "film"})
        assert not any("answered" in line for line in api.log_lines)

    def test_nothing_of_a_request_is_left_for_the_next_ones_line(self, api: Api) -> None:
        api.post(ONE, {"review": "film"})
        api.endpoint.error = ModelBusyError("no place")
        api.post(ONE, {"review": "film"})
        api.get("/api/model")
        last = api.log_lines[-1]
        assert not {"tokens", "model", "problem", "reason", "endpoint_milliseconds"} & last.keys()

    @pytest.mark.parametrize(
        ("error", "content", "outcome", "level"),
        [
            (None, {"review": "film"}, "Answered", "INFO"),
            (None, {"review": ""}, "Refused", "INFO"),
            (ModelWakingError("asleep"), {"review": "film"}, "Unavailable", "WARNING"),
            (ModelFailedError("no"), {"review": "film"}, "Failed", "ERROR"),
            (SetUpError("no"), {"review": "film"}, "Failed", "ERROR"),
        ],
    )
    def test_requests_are_counted_by_outcome(
        self,
        api: Api,
        read_metrics: Callable[[], dict[str, Any]],
        error: Exception | None,
        content: object,
        outcome: str,
        level: str,
    ) -> None:
        api.endpoint.error = error
        api.post(ONE, content)
        written = read_metrics()
        assert written[outcome] == [1.0]
        outcomes = {"Answered", "Refused", "Unavailable", "Failed"}
        assert outcomes & written.keys() == {outcome}
        assert ("EndpointLatency" in written) == bool(api.endpoint.calls)
        assert api.log_lines[-1]["level"] == level

    def test_metrics_are_written_for_each_request_alone(
        self, api: Api, read_metrics: Callable[[], dict[str, Any]]
    ) -> None:
        api.get("/api/health")
        assert read_metrics()["Answered"] == [1.0]
        api.get("/api/health")
        assert read_metrics()["Answered"] == [1.0]


@pytest.mark.parametrize("stage", ["live", "api", "a"])
@pytest.mark.parametrize("is_in_path", [True, False])
def test_a_stage_with_a_name_may_stand_before_the_path(
    api: Api, stage: str, is_in_path: bool
) -> None:
    """With a domain of one's own it does not."""
    event = make_event("GET", f"/{stage}/api/model" if is_in_path else "/api/model")
    event["requestContext"]["stage"] = stage
    assert api.send(event).status == 200


@pytest.mark.parametrize("path", ["/liveapi/model", "/live", "/livelive/api/model"])
def test_what_begins_like_a_stage_is_none(api: Api, path: str) -> None:
    event = make_event("GET", path)
    event["requestContext"]["stage"] = "live"
    assert api.send(event).status == 404


def test_a_path_may_end_with_a_slash(api: Api) -> None:
    assert api.post(f"{ONE}/", {"review": "film"}).status == 200
    assert api.get("/api/model/").status == 200


def test_head_is_get_without_the_body(api: Api) -> None:
    response, whole = api.request("HEAD", "/api/model"), api.get("/api/model")
    assert (response.status, response.headers, response.body) == (200, whole.headers, "")
    assert api.request("HEAD", ONE).status == 405


class TestDeadline:
    def test_the_endpoint_gets_what_the_rest_has_left(
        self, api: Api, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(api.endpoint, "invoke_endpoint", lambda **_: time.sleep(9))
        started = time.monotonic()
        response = api.post(ONE, {"review": "film"}, milliseconds=1_050)
        assert (response.status, problem_type(response)) == (503, "model-busy")
        assert time.monotonic() - started < 5

    def test_the_handlers_own_work_has_an_end_too(
        self, api: Api, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(app, "read_reviews", lambda *_: time.sleep(9))
        started = time.monotonic()
        response = api.post(ONE, {"review": "film"}, milliseconds=1_050)
        assert (response.status, problem_type(response)) == (503, "out-of-time")
        assert time.monotonic() - started < 5
        assert api.log_lines[-1]["level"] == "WARNING"

    def test_a_request_that_comes_too_late_is_not_begun(self, api: Api) -> None:
        response = api.post(ONE, {"review": "film"}, milliseconds=900)
        assert problem_type(response) == "out-of-time"
        assert api.endpoint.calls == []
