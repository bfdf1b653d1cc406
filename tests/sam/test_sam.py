"""The real thing: sam validate, sam build, and the function in a container that is like Lambda."""

from __future__ import annotations

import contextlib
import json
import math
import os
import platform
import re
import shutil
import subprocess
import sys
import tarfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from benchmarks import cold_start
from benchmarks.part import Bench
from benchmarks.results import MissingNeedError
from checks import sbom
from checks.pins import SHIPPED, normalise, read_lock
from checks.sbom import find_packages
from local_stack.servers import find_free_port
from tests.needs import need

ROOT = Path(__file__).resolve().parents[2]
EVENTS = ROOT / "events"
BUNDLE = ROOT / "model_training" / "models"
SAM = shutil.which(os.environ.get("SAM", "sam"))
ARCHITECTURE = "arm64" if platform.machine() in ("aarch64", "arm64") else "x86_64"
IMAGE = f"public.ecr.aws/lambda/python:3.13-{ARCHITECTURE}"
BUILD_SECONDS = 120
START_SECONDS = 60

Answer = dict[str, Any]


def run_sam(*arguments: str, timeout: float = BUILD_SECONDS) -> subprocess.CompletedProcess[str]:
    need(SAM is not None, "there is no sam: make sam installs it, or set SAM to its path")
    return subprocess.run(
        [SAM or "sam", *arguments],
        cwd=ROOT,
        env={**os.environ, "SAM_CLI_TELEMETRY": "0"},
        capture_output=True,
        text=True,
        timeout=timeout,
    )


def need_containers() -> None:
    need(shutil.which("docker") is not None, "docker is not on PATH")
    running = subprocess.run(["docker", "info"], capture_output=True).returncode == 0
    need(running, "the Docker engine is not running")
    present = subprocess.run(["docker", "image", "inspect", IMAGE], capture_output=True)
    need(present.returncode == 0, f"the image is missing: docker pull {IMAGE}")


@contextlib.contextmanager
def process(*command: str, ready: str) -> Iterator[None]:
    """A process that has said it is ready."""
    running = subprocess.Popen(
        command,
        cwd=ROOT,
        env={**os.environ, "SAM_CLI_TELEMETRY": "0", "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert running.stdout is not None
    deadline = time.monotonic() + START_SECONDS
    output = ""
    try:
        while ready not in output and time.monotonic() < deadline:
            line = running.stdout.readline()
            output += line
            if not line:
                break
        assert ready in output, output
        yield
    finally:
        running.terminate()
        running.communicate(timeout=20)


@contextlib.contextmanager
def endpoint(model: str) -> Iterator[str]:
    """Parameter overrides that lead to a stand-in with that model."""
    port = find_free_port()
    options = ("--endpoint-only", "--host", "0.0.0.0", "--port", str(port), "--model", model)
    with process(sys.executable, "-m", "local_stack", *options, ready="Ready: "):
        yield (
            f"SageMakerRuntimeUrl=http://host.docker.internal:{port} "
            f"ModelName={model} Architecture={ARCHITECTURE}"
        )


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of `sam build`."""
    folder = tmp_path_factory.mktemp("build")
    result = run_sam("build", "--build-dir", str(folder))
    assert result.returncode == 0, result.stderr
    return folder


@pytest.fixture(scope="module")
def overrides() -> Iterator[str]:
    need_containers()
    with endpoint("modern") as parameters:
        yield parameters


def from_build(built: Path) -> tuple[str, ...]:
    """Options for a build in a folder that is not sam's own; samconfig.toml holds as ever."""
    return (
        *("--template", str(built / "template.yaml")),
        *("--config-file", str(ROOT / "samconfig.toml")),
    )


def invoke(built: Path, event: str, overrides: str) -> Answer:
    """The function's response to a file of events/; a JSON body is parsed."""
    result = run_sam(
        *("local", "invoke", "SentimentFunction", "--skip-pull-image"),
        *from_build(built),
        *("--event", str(EVENTS / f"{event}.json")),
        *("--parameter-overrides", overrides),
    )
    assert result.returncode == 0, result.stderr
    assert review_of(event) not in result.stderr, "a review reached the log"
    answer: Answer = json.loads(result.stdout.splitlines()[-1])
    answer["headers"] = {name.lower(): value for name, value in answer["headers"].items()}
    if "json" in answer["headers"]["content-type"]:
        answer["body"] = json.loads(answer["body"])
    return answer


def review_of(event: str) -> str:
    """The review in an event; where there is none, something that is in no log."""
    body = json.loads((EVENTS / f"{event}.json").read_text(encoding="utf-8")).get("body", "")
    with contextlib.suppress(ValueError):
        body = json.loads(body).get("review", "")
    return body or "\0"


def manifest(model: str) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((BUNDLE / model / "manifest.json").read_text("utf-8"))
    return content


# --- sam validate, sam build ----------------------------------------------------------------------


@pytest.mark.rehearses("sam validate --lint", "ran", "the SAM CLI itself")
def test_the_template_is_valid_and_lint_free() -> None:
    result = run_sam("validate", "--lint")
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.rehearses("sam build", "ran", "the SAM CLI itself")
def test_the_function_is_built_with_what_it_imports_and_no_more(built: Path) -> None:
    folder = built / "SentimentFunction"
    sources = {path.name for path in (ROOT / "functions" / "sentiment").glob("*.py")}
    assert sources <= {path.name for path in folder.iterdir()}
    assert (folder / "aws_lambda_powertools").is_dir()
    assert not (folder / "boto3").exists(), "the runtime has it"
    assert size(folder) < 12_000_000


def test_what_is_built_is_what_is_pinned_and_what_the_list_of_packages_says(
    built: Path, tmp_path: Path
) -> None:
    found: dict[str, set[tuple[str, str]]] = {}
    for place, package in find_packages(built):
        pin = (normalise(package.name), package.version)
        found.setdefault(place.partition("/")[0], set()).add(pin)
    pinned = {name: set(read_lock(path)) for name, path in SHIPPED.items() if name != "image"}
    assert found == {
        "SentimentFunction": pinned["function"],
        "UploadsFunction": pinned["function"],
        "VocabularyLayer": pinned["layer"],
        # The archives: AWS's image lacks onnxruntime, and the classic model needs the stemmer.
        "PublisherFunction": pinned["runtime"] | pinned["layer"],
    }
    sbom.main([str(built), "--output", str(tmp_path / "sbom.json")])
    components = json.loads((tmp_path / "sbom.json").read_text(encoding="utf-8"))["components"]
    listed = {(entry["name"], entry["version"]) for entry in components}
    assert listed == set().union(*pinned.values())


def test_a_package_with_another_hash_is_not_built(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "functions" / "sentiment", tmp_path / "sentiment")
    lock = tmp_path / "sentiment" / "requirements.txt"
    before, name, after = lock.read_text().partition("jmespath==")
    lock.write_text(before + name + re.sub("sha256:[0-9a-f]{8}", "sha256:00000000", after))
    ran = subprocess.run(
        ["make", "-C", str(tmp_path / "sentiment"), "build-SentimentFunction"],
        env={**os.environ, "ARTIFACTS_DIR": str(tmp_path / "out"), "PYTHON": sys.executable},
        capture_output=True,
        text=True,
    )
    assert ran.returncode != 0
    assert "jmespath" in ran.stderr


def test_the_layer_has_the_text_processing_and_each_models_vocabulary(built: Path) -> None:
    folder = built / "VocabularyLayer"
    for model in (path.name for path in BUNDLE.iterdir()):
        files = {path.name for path in (folder / "vocabularies" / model).iterdir()}
        assert files == {"vocabulary.json", "manifest.json", "metrics.json"}
        for name in files:
            shipped = folder / "vocabularies" / model / name
            assert shipped.read_bytes() == (BUNDLE / model / name).read_bytes()
    assert {path.name.split("-")[0] for path in (folder / "python").iterdir()} == {
        "review_text",
        "nltk",
    }
    assert size(folder / "python") < 1_000_000


def size(folder: Path) -> int:
    """Bytes of all files below."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def test_the_packages_run_on_either_architecture(built: Path) -> None:
    assert list(built.rglob("*.so*")) == []


def test_the_layers_stemmer_is_the_one_that_training_uses(built: Path) -> None:
    vocabulary = json.loads((BUNDLE / "classic" / "vocabulary.json").read_text("utf-8"))
    words = [*vocabulary["words"], "terribly", "y" * 5000]
    program = (
        "import json, sys; from review_text.porter import porter_stem; "
        "print(json.dumps([porter_stem()(word) for word in json.load(sys.stdin)]))"
    )

    def stem(folder: Path, *options: str) -> list[str]:
        ran = subprocess.run(
            [sys.executable, *options, "-c", program],
            input=json.dumps(words),
            env={"PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1"},
            capture_output=True,
            text=True,
            check=True,
        )
        stems: list[str] = json.loads(ran.stdout)
        return stems

    # -S: without this machine's packages.
    shipped = stem(built / "VocabularyLayer" / "python", "-S")
    assert shipped == stem(ROOT / "layers" / "vocabulary")


def test_the_publisher_carries_the_website_and_each_model(built: Path) -> None:
    package = built / "PublisherFunction"
    sources = {path.name for path in (ROOT / "functions" / "publisher").glob("*.py")}
    carried = {path.name for path in package.iterdir()}
    assert carried == {*sources, "deadline.py", "site", "models"}
    frontend = ROOT / "frontend"
    for path in (p for p in frontend.rglob("*") if p.is_file()):
        assert (package / "site" / path.relative_to(frontend)).read_bytes() == path.read_bytes()
    for name in (path.name for path in BUNDLE.iterdir()):
        [archive] = (package / "models" / name).iterdir()
        assert re.fullmatch(r"model-[0-9a-f]{16}[.]tar[.]gz", archive.name)
        with tarfile.open(archive) as entries:
            names = set(entries.getnames())
            packed = entries.extractfile("manifest.json")
            assert packed is not None
            assert json.load(packed) == manifest(name)
        assert {
            "model.onnx",
            "vocabulary.json",
            "code/model_training/serving/functions.py",
        } <= names
        assert "code/lib/onnxruntime/__init__.py" in names
        # One more would come before the image's own.
        assert not any(entry.startswith("code/lib/google/") for entry in names)
        assert ("code/nltk/stem/porter.py" in names) == (name == "classic")


def test_the_publishers_package_has_all_that_it_imports(built: Path) -> None:
    package = str(built / "PublisherFunction")
    environment = {"PYTHONPATH": package, "PYTHONDONTWRITEBYTECODE": "1"}
    subprocess.run([sys.executable, "-P", "-c", "import app"], env=environment, check=True)


def test_the_publishers_package_is_one_that_lambda_takes(built: Path) -> None:
    assert size(built / "PublisherFunction") < 250_000_000


@pytest.mark.parametrize("part", ["functions/publisher", "layers/vocabulary"])
def test_a_vocabulary_that_is_not_the_models_own_is_not_built(tmp_path: Path, part: str) -> None:
    parts = ("functions", "layers/vocabulary", "frontend", "model_training", "docs", "requirements")
    ignore = shutil.ignore_patterns("modern", "__pycache__")
    for folder in parts:
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=ignore)
    for file in ("template.yaml", "LICENSE"):
        shutil.copy(ROOT / file, tmp_path)
    path = tmp_path / "model_training" / "models" / "classic" / "manifest.json"
    other = manifest("classic") | {"vocabulary": manifest("modern")["vocabulary"]}
    path.write_text(json.dumps(other), encoding="utf-8")
    target = {"functions/publisher": "PublisherFunction", "layers/vocabulary": "VocabularyLayer"}
    artifacts = tmp_path / "artifacts"
    artifacts.mkdir()
    result = subprocess.run(
        ["make", "-C", str(tmp_path / part), f"build-{target[part]}", f"ARTIFACTS_DIR={artifacts}"],
        capture_output=True,
        text=True,
        timeout=BUILD_SECONDS,
    )
    assert result.returncode != 0
    assert "Export the bundle again." in result.stderr


@pytest.mark.parametrize("part", ["VocabularyLayer", "PublisherFunction", "UploadsFunction"])
def test_a_build_out_of_the_source_folder_says_what_to_do(tmp_path: Path, part: str) -> None:
    arguments = ("--no-build-in-source", "--build-dir", str(tmp_path / "build"))
    result = run_sam("build", part, *arguments)
    assert result.returncode != 0
    assert "sam build --build-in-source" in result.stdout + result.stderr


# --- sam local invoke -----------------------------------------------------------------------------


def check_positive(body: Answer) -> None:
    assert body["sentiment"] == "positive"
    assert body["confidence"] == body["probability"] > 0.5
    assert body["truncated"] is False
    assert body["model"] == manifest("modern")["version"]


def check_negative(body: Answer) -> None:
    assert body["sentiment"] == "negative"
    assert body["probability"] < 0.5
    assert body["confidence"] == pytest.approx(1 - body["probability"], abs=1e-5)


def check_unclear(body: Answer) -> None:
    assert body["verdict"] == "unclear"
    assert body["sentiment"] in ("positive", "negative")


def check_long_html(body: Answer) -> None:
    assert body["sentiment"] == "positive"
    assert body["truncated"] is True


def check_explain(body: Answer) -> None:
    review = review_of("explain")
    words = [review[word["start"] : word["end"]] for word in body["words"]]
    assert words[:5] == ["Not", "a", "bad", "film", "at"]
    assert len(body["sentences"]) == 2
    assert all("effect" in word for word in body["words"])
    for parts in (body["words"], body["sentences"]):
        total = math.fsum(part["contribution"] for part in parts)
        assert total + body["bias"] == pytest.approx(body["logit"], abs=1e-3)


def check_batch(body: Answer) -> None:
    first, second, third, no_word, empty = body["results"]
    assert [first["sentiment"], second["sentiment"], third["sentiment"]] == [
        "positive",
        "negative",
        "positive",
    ]
    assert no_word["problem"]["status"] == 422
    assert empty["problem"]["status"] == 400


def check_text_plain(body: str) -> None:
    assert body == "1"


def check_empty(body: Answer) -> None:
    assert body["status"] == 400
    assert "empty" in body["detail"]


def check_too_long(body: Answer) -> None:
    assert "20,431" in body["detail"]
    assert "20,000" in body["detail"]


def check_malformed(body: Answer) -> None:
    assert "JSON" in body["detail"]


def check_wrong_type(body: Answer) -> None:
    assert "application/xml" in body["detail"]
    assert "application/json" in body["detail"]


def check_health(body: Answer) -> None:
    assert body == {"status": "ok", "model": manifest("modern")["version"]}


def check_model(body: Answer) -> None:
    assert body["name"] == "modern"
    assert body["vocabulary"] == manifest("modern")["vocabulary"]
    limits = {"characters": 20_000, "reviews": 100, "tokens": 512}
    assert body["limits"] == limits | {"explained": 20, "request_characters": 1_000_000}


def check_comprehend(body: Answer) -> None:
    assert [result["Index"] for result in body["ResultList"]] == [0, 1, 2, 3]
    assert body["ResultList"][0]["Sentiment"] == "POSITIVE"
    assert body["ErrorList"] == []


EXPECTED: dict[str, tuple[int, Callable[[Any], None]]] = {
    "batch": (200, check_batch),
    "broken_promise": (200, check_negative),
    "comprehend": (200, check_comprehend),
    "empty": (400, check_empty),
    "explain": (200, check_explain),
    "health": (200, check_health),
    "ideas": (200, check_positive),
    "long_html": (200, check_long_html),
    "malformed": (400, check_malformed),
    "model": (200, check_model),
    "negative": (200, check_negative),
    "positive": (200, check_positive),
    "text_plain": (200, check_text_plain),
    "too_long": (413, check_too_long),
    "unclear": (200, check_unclear),
    "wrong_type": (415, check_wrong_type),
}


def test_every_sample_event_is_invoked() -> None:
    # A file's events need a bucket of one's own: tests/unit/upload_bucket delivers them.
    assert {path.stem for path in EVENTS.glob("*.json")} - {"upload", "transform"} == set(EXPECTED)


@pytest.mark.rehearses("the function", "ran", "in a container like Lambda's (sam local)")
@pytest.mark.parametrize("event", EXPECTED)
def test_the_function_answers_the_sample_event(built: Path, overrides: str, event: str) -> None:
    status, check = EXPECTED[event]
    answer = invoke(built, event, overrides)
    assert answer["statusCode"] == status
    assert answer["headers"]["cache-control"] == "no-store"
    if status >= 400:
        assert answer["headers"]["content-type"] == "application/problem+json"
        assert answer["body"]["requestId"]
    check(answer["body"])


def test_the_classic_model_works_with_the_layers_stemmer(built: Path) -> None:
    need_containers()
    with endpoint("classic") as parameters:
        answer = invoke(built, "negative", parameters)
    assert answer["statusCode"] == 200
    assert answer["body"]["model"] == manifest("classic")["version"]


def test_without_an_endpoint_the_function_says_when_to_try_again(built: Path) -> None:
    need_containers()
    nobody = f"SageMakerRuntimeUrl=http://host.docker.internal:{find_free_port()}"
    answer = invoke(built, "health", f"{nobody} Architecture={ARCHITECTURE}")
    assert answer["statusCode"] == 503
    assert int(answer["headers"]["retry-after"]) > 0


# --- sam local start-api --------------------------------------------------------------------------


def test_start_api_answers_what_the_website_asks(built: Path, overrides: str) -> None:
    port = find_free_port()
    command = (
        *(SAM or "sam", "local", "start-api", "--skip-pull-image", "--port", str(port)),
        *from_build(built),
        *("--parameter-overrides", overrides),
    )
    with (
        process(*command, ready="Press CTRL+C to quit"),
        httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30) as client,
    ):
        assert client.get("/api/model").json()["name"] == "modern"
        assert client.get("/api/health").json()["status"] == "ok"
        review = {"review": "Not a dull minute: I loved it.", "explain": True}
        answer = client.post("/api/sentiment", json=review)
        assert answer.headers["content-type"] == "application/json"
        assert answer.json()["words"][0]["end"] == 3
        batch = client.post("/api/sentiments", json={"reviews": ["Lovely.", ""]}).json()
        assert batch["results"][1]["problem"]["status"] == 400
        plain = client.post(
            "/api/sentiment", content="I loved it.", headers={"content-type": "text/plain"}
        )
        assert plain.text in ("0", "1")


def test_the_function_and_a_bare_one_start_in_containers() -> None:
    try:
        cold_start.check_needs()
    except MissingNeedError as missing:
        need(False, str(missing))
    figures = cold_start.measure(Bench(quick=True))
    assert figures["seconds"].keys() == {"bare function", "function"}
    for [seconds] in figures["seconds"].values():
        assert seconds > 0
