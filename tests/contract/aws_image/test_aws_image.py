"""The bundle's archive under the server of AWS's scikit-learn image.

That server is sagemaker-containers' Transformer and Worker under gunicorn with gevent; it finds
the archive unpacked as SageMaker unpacks it, and is asked over HTTP.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import subprocess
import tarfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import httpx
import pytest

from model_training import inference
from model_training.bundle import BUNDLES, pack_bundle
from review_text import Vocabulary
from tests.needs import need

HERE = Path(__file__).parent
START_SECONDS = 60
REVIEWS = [
    "Great.",
    "Not bad at all: a warm, clever film with a perfect ending.",
    "The worst two hours of my life &amp; a waste of <b>talent</b>.",
    "Café naïve, 日本語, עברית, a great film 🎬👍 \U0001f469\u200d\U0001f680 indeed.",
    "A boring plot, wooden acting, terrible music. " * 40,
    "I loved every minute of it, honestly! " * 400,
]


@dataclass(frozen=True)
class Server:
    """A running server, and the same bundle in this process."""

    client: httpx.Client
    log: Path
    model: inference.Model

    @property
    def vocabulary(self) -> Vocabulary:
        return self.model.vocabulary

    def invoke(self, body: str | bytes, **headers: str) -> httpx.Response:
        """POST /invocations; keyword content_type becomes the header Content-Type."""
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.client.post("/invocations", content=body, headers=names)

    def score(self, reviews: Any, **fields: Any) -> httpx.Response:
        request = {"vocabulary": self.vocabulary.fingerprint, "reviews": reviews} | fields
        return self.invoke(json.dumps(request), content_type="application/json")

    def score_lines(self, body: str | bytes) -> list[Any]:
        response = self.invoke(body, content_type="application/jsonlines")
        assert response.status_code == 200, response.text
        assert response.headers["content-type"] == "application/jsonlines"
        assert response.text.endswith("\n")
        return [json.loads(line) for line in response.text.splitlines()]


def score_here(server: Server, body: str | bytes, content_type: str = "application/json") -> Any:
    """What inference.py answers in this process."""
    prediction = inference.predict_fn(inference.input_fn(body, content_type), server.model)
    return inference.output_fn(prediction, "application/json")


def unpack(bundle: Path, base: Path) -> Path:
    """Lay the bundle's archive out as SageMaker does; the folder that stands for /opt/ml."""
    with tarfile.open(pack_bundle(bundle, base)) as archive:
        archive.extractall(base / "ml" / "model", filter="data")
    return base / "ml"


@contextlib.contextmanager
def serve(python: str, base: Path, log: Path) -> Iterator[str]:
    """The URL of AWS's server for the model in ``base``/model, started with AWS's own options."""
    code = base / "model" / "code"
    options = {
        "--timeout": "60",
        "--worker-class": "gevent",
        "--worker-connections": "1000",
        "--workers": "1",
        "--bind": "127.0.0.1:0",
        "--chdir": str(HERE),
    }
    command = [python, "-m", "gunicorn", *chain.from_iterable(options.items()), "serving:main"]
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(base),
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONUNBUFFERED": "1",
        "PYTHONPATH": f"{code}:{code / 'lib'}",
        "SAGEMAKER_BASE_DIR": str(base),
    }
    with log.open("wb") as output:
        process = subprocess.Popen(command, env=environment, stdout=output, stderr=output)
    try:
        yield wait_for_url(process, log)
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def wait_for_url(process: subprocess.Popen[bytes], log: Path) -> str:
    """The address that gunicorn was given, from its log."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        found = re.search(r"Listening at: (http://[\d.:]+)", log.read_text())
        if found:
            return found[1]
        time.sleep(0.05)
    pytest.fail(f"the server did not start:\n{log.read_text()}")


@pytest.fixture(scope="module")
def python() -> str:
    path = os.environ.get("AWS_IMAGE_PYTHON", "")
    need(Path(path).is_file(), "AWS_IMAGE_PYTHON names no Python with the libraries of AWS's image")
    return path


@pytest.fixture(scope="module", params=["modern", "classic"])
def server(
    request: pytest.FixtureRequest, python: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    bundle, base = BUNDLES / request.param, tmp_path_factory.mktemp(request.param)
    log = base / "log"
    with (
        serve(python, unpack(bundle, base), log) as url,
        httpx.Client(base_url=url, timeout=START_SECONDS, trust_env=False) as client,
    ):
        yield Server(client, log, inference.model_fn(str(bundle)))


def approximately(content: Any) -> Any:
    """Equal but for the last digits of numbers."""
    if isinstance(content, dict):
        return {key: approximately(value) for key, value in content.items()}
    if isinstance(content, list):
        return [approximately(item) for item in content]
    return pytest.approx(content, abs=1e-6) if isinstance(content, float) else content


def assert_refused(response: httpx.Response, status: int, code: str) -> str:
    """A refusal in the contract's form; its message."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/json"
    content = response.json()
    assert content.keys() == {"error", "message"}
    assert content["error"] == code
    return str(content["message"])


def test_the_server_is_healthy_once_the_model_is_loaded(server: Server) -> None:
    response = server.client.get("/ping")
    assert (response.status_code, response.content) == (200, b"")


@pytest.mark.parametrize("contributions", [False, True])
def test_encoded_reviews_get_the_scores_that_the_model_gives_here(
    server: Server, contributions: bool
) -> None:
    reviews = [server.vocabulary.encode(review).ids for review in REVIEWS]
    request = {
        "vocabulary": server.vocabulary.fingerprint,
        "reviews": reviews,
        "contributions": contributions,
    }
    body = json.dumps(request)
    response = server.invoke(body, content_type="application/json")
    assert response.status_code == 200, response.text
    assert response.headers["content-type"] == "application/json"
    content = response.json()
    assert content == approximately(json.loads(score_here(server, body)[0]))
    assert len(content["results"]) == len(REVIEWS)
    for ids, result in zip(reviews, content["results"], strict=True):
        shares = result.get("contributions", [])
        assert len(shares) == (len(ids) if contributions else 0)


def test_no_reviews_and_as_many_as_allowed_are_both_answered(server: Server) -> None:
    assert server.score([]).json()["results"] == []
    assert len(server.score([[1]] * inference.MOST_REVIEWS).json()["results"]) == 100


@pytest.mark.parametrize("accept", ["*/*", "application/json", "application/json, */*;q=0.1"])
def test_any_accept_header_gets_json(server: Server, accept: str) -> None:
    request = {"vocabulary": server.vocabulary.fingerprint, "reviews": [[1]]}
    response = server.invoke(json.dumps(request), content_type="application/json", accept=accept)
    assert response.status_code == 200, response.text
    assert response.headers["content-type"] == "application/json"


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"content_type": "application/json; charset=utf-8"},
        {"content_type": "Application/JSON;charset=UTF-8"},
    ],
    ids=["no content type", "charset", "capitals"],
)
def test_json_is_read_under_each_name_of_its_content_type(
    server: Server, headers: dict[str, str]
) -> None:
    request = {"vocabulary": server.vocabulary.fingerprint, "reviews": [[1]]}
    response = server.invoke(json.dumps(request), **headers)
    assert response.status_code == 200, response.text


def test_another_vocabulary_is_refused(server: Server) -> None:
    message = assert_refused(server.score([[1]], vocabulary="0" * 64), 409, "vocabulary_mismatch")
    assert server.vocabulary.fingerprint[:12] in message


def test_too_many_reviews_are_refused(server: Server) -> None:
    assert "101" in assert_refused(server.score([[1]] * 101), 413, "too_large")


@pytest.mark.parametrize(
    "reviews", [None, [[]], ["text"], [[-1]], [[10**9]], [[1.5]], [[True]], [[1] * 100_000]]
)
def test_reviews_that_are_not_lists_of_ids_are_refused(server: Server, reviews: Any) -> None:
    assert_refused(server.score(reviews), 400, "invalid_request")


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"\xff\xfe", b"[]", b"null", b"[" * 100_000, b'{"reviews": [[1]]}'],
    ids=["empty", "cut off", "not UTF-8", "list", "null", "deep", "no vocabulary"],
)
@pytest.mark.parametrize("content_type", ["application/json", "application/json; charset=utf-8"])
def test_malformed_json_is_refused(server: Server, body: bytes, content_type: str) -> None:
    response = server.invoke(body, content_type=content_type)
    assert_refused(response, 400, "invalid_request")


@pytest.mark.parametrize("content_type", ["text/csv", "text/plain", "application/x-npy", "🎬"])
def test_another_content_type_is_refused(server: Server, content_type: str) -> None:
    headers = {b"content-type": content_type.encode()}
    response = server.client.post("/invocations", content=b"1,2", headers=headers)
    assert_refused(response, 415, "unsupported_media_type")


def test_lines_get_an_answer_each_with_their_ids_and_errors_in_place(server: Server) -> None:
    lines = [json.dumps({"id": f"r{row}", "review": text}) for row, text in enumerate(REVIEWS)]
    broken = {
        1: "not JSON",
        3: json.dumps({"id": "silent", "review": "?!"}),
        4: json.dumps({"id": 7}),
        5: json.dumps({"id": None, "review": 7}),
    }
    for position, line in broken.items():
        lines.insert(position, line)
    body = "\n".join(lines)
    answers = server.score_lines(body)
    expected = score_here(server, body, "application/jsonlines")[0].splitlines()
    assert answers == approximately([json.loads(line) for line in expected])
    assert [row for row, answer in enumerate(answers) if "error" in answer] == list(broken)
    assert [answer["id"] for answer in answers if "logit" in answer] == [
        f"r{row}" for row in range(len(REVIEWS))
    ]
    assert answers[3]["id"] == "silent"


def test_a_line_is_scored_as_its_ids_are(server: Server) -> None:
    answers = server.score_lines("".join(json.dumps({"review": text}) + "\n" for text in REVIEWS))
    results = server.score([server.vocabulary.encode(text).ids for text in REVIEWS])
    for answer, result in zip(answers, results.json()["results"], strict=True):
        assert {key: answer[key] for key in result} == approximately(result)


def test_more_lines_than_fit_one_json_request_are_answered_in_order(server: Server) -> None:
    lines = [json.dumps({"id": row, "review": f"film {row}"}) for row in range(250)]
    answers = server.score_lines("\r\n".join(lines))
    assert [answer["id"] for answer in answers] == list(range(250))


@pytest.mark.parametrize("ascii_only", [True, False])
def test_text_of_every_script_in_lines_arrives_whole(server: Server, ascii_only: bool) -> None:
    line = json.dumps({"id": "é🎬", "review": REVIEWS[3]}, ensure_ascii=ascii_only)
    (answer,) = server.score_lines(line.encode())
    assert answer["id"] == "é🎬"
    ids = server.vocabulary.encode(REVIEWS[3]).ids
    assert answer["logit"] == pytest.approx(server.model.score([ids])[0].logit, abs=1e-6)


def test_lone_surrogates_in_lines_are_text_like_any_other(server: Server) -> None:
    (answer,) = server.score_lines(r'{"id": "\ud83c", "review": "\ud83c great \udfac film"}')
    assert answer["id"] == "\ud83c"
    ids = server.vocabulary.encode("\ud83c great \udfac film").ids
    assert answer["logit"] == pytest.approx(server.model.score([ids])[0].logit, abs=1e-6)


def test_lines_that_are_not_utf_8_are_refused(server: Server) -> None:
    response = server.invoke(b'{"review": "\xff"}\n', content_type="application/jsonlines")
    assert_refused(response, 400, "invalid_request")


def test_the_log_has_neither_reviews_nor_stack_traces(server: Server) -> None:
    marked = "unmistakable zyzzyva"
    server.score_lines(json.dumps({"review": marked}))
    server.invoke(json.dumps({"vocabulary": marked, "reviews": []}))
    server.invoke(marked, content_type=marked)
    log = server.log.read_text()
    assert "Listening at" in log
    assert "zyzzyva" not in log
    assert "Traceback" not in log
