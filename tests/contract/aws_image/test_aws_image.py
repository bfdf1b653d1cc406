"""The bundle's archive under the server of AWS's scikit-learn image, started as SageMaker does.

AWS's own ``serve`` runs in a container that shows it this machine's programs: as somebody who owns
nothing, on a file system that is read-only but for /tmp, as a serverless endpoint's is, with the
archive unpacked in /opt/ml/model and the environment that template.yaml gives the Model.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import shutil
import subprocess
import tarfile
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from local_stack.template import Template
from model_training.export.packing import pack_bundle
from model_training.paths import MODELS
from model_training.serving import functions
from model_training.serving.scorer import Model, load_model
from review_text import Vocabulary
from review_text.predict import MAX_REVIEWS
from tests.needs import need

pytestmark = pytest.mark.rehearses(
    "the endpoint, AWS's image",
    "ran",
    "AWS's own serve, read-only but /tmp, without any rights",
)
ROOT = Path(__file__).resolve().parents[3]
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
    container: str
    folder: Path
    model: Model

    @property
    def vocabulary(self) -> Vocabulary:
        return self.model.vocabulary

    def invoke(self, body: str | bytes, **headers: str) -> httpx.Response:
        """POST /invocations; keyword content_type becomes the header Content-Type."""
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.client.post("/invocations", content=body, headers=names)

    def score(self, reviews: Any, **fields: Any) -> httpx.Response:
        request = self.vocabulary.make_request(reviews) | fields
        return self.invoke(json.dumps(request), content_type="application/json")

    def score_lines(self, body: str | bytes) -> list[Any]:
        response = self.invoke(body, content_type="application/jsonlines")
        assert response.status_code == 200, response.text
        assert response.headers["content-type"] == "application/jsonlines"
        assert response.text.endswith("\n")
        return [json.loads(line) for line in response.text.splitlines()]


def score_here(server: Server, body: str | bytes, content_type: str = "application/json") -> Any:
    """What the four functions answer in this process."""
    prediction = functions.predict_fn(functions.input_fn(body, content_type), server.model)
    return functions.output_fn(prediction, "application/json")


def unpack(bundle: Path, base: Path, python: Path) -> Path:
    """Lay the bundle's archive out as SageMaker does, onnxruntime with it; the model's folder."""
    runtime = base / "runtime"
    shutil.copytree(site_packages(python) / "onnxruntime", runtime / "onnxruntime")
    with tarfile.open(pack_bundle(bundle, base, runtime)) as archive:
        archive.extractall(base / "model", filter="data")
    return base / "model"


def site_packages(python: Path) -> Path:
    """Where that environment has its libraries."""
    [folder] = python.parents[1].glob("lib/python3.*/site-packages")
    return folder


def model_environment(**parameters: str) -> dict[str, str]:
    """The variables that template.yaml gives the Model's container."""
    template = Template(ROOT / "template.yaml", parameters)
    container = template.resources["Model"]["Properties"]["PrimaryContainer"]
    variables = template.resolve(container["Environment"]).items()
    resolved = {name: str(template.resolve(value)) for name, value in variables}
    return {name: value for name, value in resolved.items() if value != "AWS::NoValue"}


def docker(*command: str, stdin: bytes = b"") -> str:
    """Run docker; what it printed, with its complaints."""
    done = subprocess.run(
        ["docker", *command], input=stdin, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    output = done.stdout.decode()
    assert done.returncode == 0, output
    return output.strip()


@contextlib.contextmanager
def serve(
    image: str, python: Path, model: Path, environment: dict[str, str], *options: str
) -> Iterator[str]:
    """The name of a container in which AWS's server was started for that model."""
    # AWS's image carries one change to the package of 2020: the class is in collections.abc now.
    libraries = site_packages(python) / "sagemaker_containers"
    mapping = (libraries / "_mapping.py").read_text("utf-8")
    patched = model.parent / "patched"
    patched.mkdir(exist_ok=True)
    (patched / "_mapping.py").write_text(
        mapping.replace("import collections\n", "import collections.abc\n").replace(
            "collections.Mapping", "collections.abc.Mapping"
        )
    )
    # The C extension is imported with everything else, but only training on several machines calls
    # it.
    (patched / "gethostname.py").touch()
    system = [Path("/usr"), Path("/lib"), Path("/lib64"), python.parents[1].resolve()]
    system.append(Path(os.path.realpath(python)).parents[1])
    mounts = {
        **{str(folder): str(folder) for folder in system if folder.exists()},
        str(model): "/opt/ml/model",
        str(patched / "_mapping.py"): str(libraries.resolve() / "_mapping.py"),
        str(patched / "gethostname.py"): "/opt/stand-in/gethostname.py",
    }
    # What AWS's image has set, and the endpoint's own variables over it.
    variables = {
        "PATH": f"{python.parent.resolve()}:/usr/bin",
        "SAGEMAKER_SERVING_MODULE": "sagemaker_sklearn_container.serving:main",
        "PYTHONUNBUFFERED": "1",
        "TEMP": "/home/model-server/tmp",
    } | environment
    variables["PYTHONPATH"] = variables.get("PYTHONPATH", "") + ":/opt/stand-in"
    name = f"reeltone-test-{uuid.uuid4().hex[:8]}"
    user = os.getuid() or 65532
    docker(
        *("run", "--detach", "--name", name, "--read-only", "--tmpfs=/tmp", f"--user={user}"),
        *("--cap-drop=ALL", "--security-opt=no-new-privileges", "--publish=127.0.0.1::8080"),
        *(f"--volume={here}:{there}:ro" for here, there in mounts.items()),
        *(f"--env={name}={value}" for name, value in variables.items()),
        *options,
        *(image, "serve"),
    )
    try:
        yield name
    finally:
        docker("rm", "--force", name)


def wait_for_url(container: str) -> str:
    """The address of a container's server, once it answers pings; fails with its log."""
    address = docker("port", container, "8080").splitlines()[0]
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and is_running(container):
        with contextlib.suppress(httpx.TransportError):
            if httpx.get(f"http://{address}/ping", trust_env=False).status_code == 200:
                return f"http://{address}"
        time.sleep(0.05)
    pytest.fail(f"the server did not start:\n{docker('logs', container)}")


def is_running(container: str) -> bool:
    return docker("inspect", "--format", "{{.State.Running}}", container) == "true"


@pytest.fixture(scope="module")
def image() -> Iterator[str]:
    """An image of nothing: what runs in it is mounted."""
    need(shutil.which("docker") is not None, "docker is not on PATH")
    running = subprocess.run(["docker", "info"], capture_output=True).returncode == 0
    need(running, "the Docker engine is not running")
    empty = io.BytesIO()
    tarfile.open(fileobj=empty, mode="w").close()
    name = f"reeltone-test-nothing-{uuid.uuid4().hex[:8]}"
    docker("import", "-", name, stdin=empty.getvalue())
    yield name
    docker("image", "rm", name)


@pytest.fixture(scope="module")
def python() -> Path:
    path = Path(os.environ.get("AWS_IMAGE_PYTHON", ""))
    need(path.is_file(), "AWS_IMAGE_PYTHON names no Python with the libraries of AWS's image")
    return path


@pytest.fixture(scope="module", params=["modern", "classic"])
def server(
    request: pytest.FixtureRequest,
    image: str,
    python: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Server]:
    bundle, base = MODELS / request.param, tmp_path_factory.mktemp(request.param)
    model = unpack(bundle, base, python)
    with (
        serve(image, python, model, model_environment()) as container,
        httpx.Client(
            base_url=wait_for_url(container), timeout=START_SECONDS, trust_env=False
        ) as client,
    ):
        yield Server(client, container, model, load_model(bundle))


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
    request = server.vocabulary.make_request(reviews) | {"contributions": contributions}
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
    assert len(server.score([[1]] * MAX_REVIEWS).json()["results"]) == 100


@pytest.mark.parametrize("accept", ["*/*", "application/json", "application/json, */*;q=0.1"])
def test_any_accept_header_gets_json(server: Server, accept: str) -> None:
    request = server.vocabulary.make_request([[1]])
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
    request = server.vocabulary.make_request([[1]])
    response = server.invoke(json.dumps(request), **headers)
    assert response.status_code == 200, response.text


def test_another_vocabulary_is_refused(server: Server) -> None:
    message = assert_refused(server.score([[1]], vocabulary="0" * 64), 409, "vocabulary_mismatch")
    assert server.vocabulary.fingerprint[:12] in message


def test_too_many_reviews_are_refused(server: Server) -> None:
    assert "101" in assert_refused(server.score([[1]] * 101), 413, "too_large")


@pytest.mark.parametrize("reviews", [["text"], [[1] * 100_000]], ids=["text", "endless"])
def test_reviews_that_are_not_lists_of_ids_are_refused(server: Server, reviews: Any) -> None:
    assert_refused(server.score(reviews), 400, "invalid_request")


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"\xff\xfe", b"[" * 100_000, b'{"windows": [], "lengths": []}'],
    ids=["empty", "cut off", "not UTF-8", "deep", "no vocabulary"],
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
    log = docker("logs", server.container)
    assert "Listening at" in log
    assert "zyzzyva" not in log
    assert "Traceback" not in log


# --- as SageMaker starts it -----------------------------------------------------------------------


def test_a_serverless_endpoint_has_one_worker(server: Server) -> None:
    assert docker("logs", server.container).count("Booting worker") == 1


def test_a_batch_transform_has_as_many_workers_as_it_asks_for(
    image: str, python: Path, server: Server
) -> None:
    environment = model_environment() | {"SAGEMAKER_MODEL_SERVER_WORKERS": "3"}
    with serve(image, python, server.folder, environment) as container:
        wait_for_url(container)
        assert docker("logs", container).count("Booting worker") == 3


def test_a_complaint_of_the_server_is_not_hidden_in_its_log(server: Server) -> None:
    log = docker("logs", server.container)
    assert "Permission denied" not in log
    assert "Read-only file system" not in log
    assert "[ERROR]" not in log


@pytest.mark.parametrize(
    ("left_out", "written"),
    [
        ("SAGEMAKER_USE_NGINX", "'/etc/sagemaker-nginx.conf'"),
        ("SAGEMAKER_BASE_DIR", "'/opt/ml/code'"),
    ],
)
def test_without_the_models_environment_the_server_ends_on_what_it_may_not_write(
    image: str, python: Path, server: Server, left_out: str, written: str
) -> None:
    environment = {name: value for name, value in model_environment().items() if name != left_out}
    with serve(image, python, server.folder, environment) as container:
        docker("wait", container)
        assert written in docker("logs", container)


def test_the_server_ends_on_sigterm(image: str, python: Path, server: Server) -> None:
    with serve(image, python, server.folder, model_environment()) as container:
        wait_for_url(container)
        started = time.monotonic()
        docker("stop", "--time=30", container)
        assert time.monotonic() - started < 20


def test_the_server_takes_the_port_that_sagemaker_chooses(
    image: str, python: Path, server: Server
) -> None:
    environment = model_environment() | {"SAGEMAKER_BIND_TO_PORT": "8080"}
    with serve(image, python, server.folder, environment) as container:
        assert wait_for_url(container)
