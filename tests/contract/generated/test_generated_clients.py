"""Clients that are generated from docs/openapi.yaml: nothing of it is left out, their types hold,
and they understand what the API answers."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests import in_process, openapi
from tests.needs import need

HERE = Path(__file__).parent
NPM = HERE / "node_modules"
BINARIES = NPM / ".bin"
PYTHON_CONFIG = {
    "post_hooks": [],
    "content_type_overrides": {"application/x-amz-json-1.1": "application/json"},
}
PROGRAM = '''
"""Asks the API at the address that it is given, by the generated client."""
import sys

from reeltone_client import Client
from reeltone_client.api.model import check_health, describe_model
from reeltone_client.api.reviews import read_review, read_reviews
from reeltone_client.models import Health, Model, Prediction, PredictionVerdict, Predictions
from reeltone_client.models import Problem, ReviewRequest, ReviewsRequest, Unread

client = Client(base_url=sys.argv[1])

answer = read_review.sync(client=client, body=ReviewRequest(review="I loved it.", explain=True))
assert isinstance(answer, Prediction)
verdict: PredictionVerdict = answer.verdict
words: str = answer.words  # type: ignore[assignment]
print(verdict.value, len(words))

for review in ("", "?!", "x" * 20_001):
    refusal = read_review.sync(client=client, body=ReviewRequest(review=review))
    assert isinstance(refusal, Problem)
    kind: str = refusal.type_
    print(refusal.status, kind)

several = read_reviews.sync(client=client, body=ReviewsRequest(reviews=["I loved it.", "?!"]))
assert isinstance(several, Predictions)
for result in several.results:
    print(result.problem.type_ if isinstance(result, Unread) else result.sentiment)

model, health = describe_model.sync(client=client), check_health.sync(client=client)
assert isinstance(model, Model) and isinstance(health, Health)
limit: int = model.limits.characters
print(health.status, limit)
'''


def run(*command: str | Path, **environment: str) -> str:
    """What a command prints; it must succeed."""
    ran = subprocess.run(
        [str(word) for word in command],
        cwd=HERE,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout + ran.stderr


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with a Python client, and a program that uses it."""
    folder = tmp_path_factory.mktemp("client")
    (folder / "config.json").write_text(json.dumps(PYTHON_CONFIG))
    (folder / "program.py").write_text(PROGRAM)
    said = run(
        *(sys.executable, "-m", "openapi_python_client", "generate", "--meta", "none"),
        "--path",
        openapi.PATH,
        "--config",
        folder / "config.json",
        "--output-path",
        folder / "reeltone_client",
    )
    # A route of two kinds of body gets the one that the generator knows.
    assert re.findall(r"(?m)^(?:Cannot|Unsupported|ERROR).*", said) == [
        "Unsupported content type text/plain"
    ], said
    return folder


def test_the_python_client_has_every_operation(client: Path) -> None:
    found = {path.stem.replace("_", "") for path in client.glob("reeltone_client/api/*/*.py")}
    names = {operation["operationId"].lower() for _, _, operation in openapi.operations()}
    assert names == found - {"init"}


def test_the_python_clients_types_hold(client: Path) -> None:
    cache = f"--cache-dir={client / 'cache'}"
    mypy = [sys.executable, "-m", "mypy", "--strict", cache]
    run(*mypy, client / "program.py", MYPYPATH=str(client))


def test_the_python_client_understands_what_the_api_answers(client: Path) -> None:
    with in_process.serving_gateway("modern") as url:
        said = run(sys.executable, client / "program.py", url, PYTHONPATH=str(client))
    assert said.splitlines() == [
        "positive 4",
        "400 /problems/empty-review",
        "422 /problems/no-words",
        "413 /problems/too-long",
        "positive",
        "/problems/no-words",
        "ok 20000",
    ]


def test_the_typescript_types_hold(tmp_path: Path) -> None:
    npm = shutil.which("npm")
    need(npm is not None, "npm is not on PATH")
    if not BINARIES.is_dir():
        run(str(npm), "ci", "--silent", "--ignore-scripts", "--no-audit", "--no-fund")
    run(BINARIES / "openapi-typescript", openapi.PATH, "--output", tmp_path / "api.d.ts")
    shutil.copy(HERE / "program.ts", tmp_path)
    run(BINARIES / "tsc", "--noEmit", "--strict", "--target", "es2022", tmp_path / "program.ts")
