"""The command line: files of any size, interrupted or not, by the model or by a stack."""

from __future__ import annotations

import csv
import gzip
import io
import json
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import Future
from pathlib import Path
from typing import Any, ClassVar

import pytest

from model_training.serving.scorer import load_model
from reeltone import scoring
from reeltone.__main__ import CommandError, main
from reeltone.files import Row
from reeltone.model import Reeltone
from reeltone.scoring import Batch, Workers, show_answers
from reeltone.stack import TRIES, Stack, StackError
from tests import function
from tests.invocations import make_event
from tests.servers import Quiet, handled

HEAD = ["id", "review"]
TEXTS = ["A wonderful, moving film.", "Dull and long.", "", "I loved\nit.", "?!"] * 50
UNTOLD = "a word of the review"


class Killed(BaseException):
    """Ends a run as a power cut does."""


@pytest.fixture(scope="module")
def model() -> Reeltone:
    return Reeltone(function.BUNDLES / "classic")


class OwnWorkers(Workers):
    """The model in this process; may end the run after so many batches."""

    def __init__(self, model: Reeltone, left: int = 10**9) -> None:
        self._model, self._left, self.asked = model, left, 0

    def score(self, batches: Iterable[Batch]) -> Iterator[tuple[Batch, list[dict[str, Any]]]]:
        for batch in batches:
            if self.asked == self._left:
                raise Killed
            self.asked += 1
            reviews = [row.review for row in batch if not row.problem]
            yield batch, show_answers(self._model, reviews)

    def __exit__(self, *_: object) -> None:
        pass


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "reviews.csv"
    with path.open("w", encoding="utf-8", newline="") as target:
        csv.writer(target).writerows([HEAD, *([str(n), text] for n, text in enumerate(TEXTS))])
    return path


def use(monkeypatch: pytest.MonkeyPatch, workers: Workers) -> None:
    monkeypatch.setattr("reeltone.__main__.Workers", lambda *_: workers)


def score(file: Path, output: Path, *more: str) -> list[list[str]]:
    who = [] if "--endpoint" in more else ["--bundle", str(function.BUNDLES / "classic")]
    main(["score", str(file), "-o", str(output), *who, *more])
    with output.open(encoding="utf-8", newline="") as source:
        return list(csv.reader(source))


@pytest.mark.slow
def test_processes_score_a_file_as_the_model_does(
    file: Path, tmp_path: Path, model: Reeltone
) -> None:
    head, *rows = score(file, tmp_path / "out.csv", "--cores", "2")
    assert head == [*HEAD, *scoring_columns()]
    assert [row[:2] for row in rows] == [[str(n), text] for n, text in enumerate(TEXTS)]
    for row, answer in zip(rows[:2], show_answers(model, TEXTS[:2]), strict=True):
        assert row[3] == json.dumps(answer["probability"])
        assert row[5] == answer["verdict"]
    assert rows[2][2:] == ["", "", "", "", "", "There is no text in this row."]
    assert rows[4][-1] == "The review has no word in it; send at least one."


def scoring_columns() -> list[str]:
    return ["sentiment", "probability", "confidence", "verdict", "truncated", "problem"]


@pytest.mark.parametrize("left", [0, 1, 2])
def test_an_interrupted_run_goes_on_and_doubles_nothing(
    file: Path, tmp_path: Path, model: Reeltone, monkeypatch: pytest.MonkeyPatch, left: int
) -> None:
    use(monkeypatch, OwnWorkers(model))
    whole = score(file, tmp_path / "whole.csv")
    output = tmp_path / "out.csv"
    use(monkeypatch, OwnWorkers(model, left))
    with pytest.raises(Killed):
        score(file, output)
    assert not output.exists()
    with (tmp_path / "out.csv.part").open("a", encoding="utf-8") as part:
        part.write("half a ro")  # what was written and not yet noted
    again = OwnWorkers(model)
    use(monkeypatch, again)
    assert score(file, output) == whole
    assert again.asked == 3 - left
    assert {path.name for path in tmp_path.iterdir()} == {"reviews.csv", "whole.csv", "out.csv"}


def test_what_is_made_of_something_else_is_not_gone_on_with(
    file: Path, tmp_path: Path, model: Reeltone, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(monkeypatch, OwnWorkers(model, 1))
    with pytest.raises(Killed):
        score(file, tmp_path / "out.csv")
    file.write_text("id,review\n1,Quite another file.\n", encoding="utf-8")
    use(monkeypatch, OwnWorkers(model))
    assert len(score(file, tmp_path / "out.csv")) == 2


def test_only_so_many_batches_are_in_hand() -> None:
    """Memory does not grow with the file."""
    workers = Workers.__new__(Workers)
    workers.count, workers._score = 2, lambda reviews: []

    class Executor:
        def submit(self, task: Any, reviews: list[str]) -> Future[list[Any]]:
            future: Future[list[Any]] = Future()
            future.set_result(task(reviews))
            return future

    workers._executor = Executor()  # type: ignore[assignment]
    read = 0

    def batches() -> Iterator[Batch]:
        nonlocal read
        for _ in range(1_000):
            read += 1
            yield [Row([], "x", "")]

    given = 0
    for _ in workers.score(batches()):
        given += 1
        assert read - given <= 2 * scoring._AHEAD
    assert given == 1_000


def test_a_batch_is_what_the_api_takes() -> None:
    rows = (Row([], "x" * 20_000, "") for _ in range(130))
    sizes = [len(batch) for batch in scoring._cut(rows)]
    assert sizes == [50, 50, 30]
    assert [len(batch) for batch in scoring._cut(Row([], "x", "") for _ in range(130))] == [100, 30]


def test_standard_input_goes_to_standard_output(
    model: Reeltone, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    use(monkeypatch, OwnWorkers(model))
    content = io.BytesIO(b'{"text": "Dull."}\n{"text": 1}\n')
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BufferedReader(content)))
    main(["score", "-", "--format", "jsonl"])
    first, second = map(json.loads, capsys.readouterr().out.splitlines())
    assert (first["text"], first["sentiment"]) == ("Dull.", "negative")
    assert second["problem"] == "There is no text in this row, only a number."


@pytest.mark.parametrize(
    ("content", "review", "notice"),
    [
        ("review\nTrès bon\n".encode("cp1252"), "Très bon", "Windows-1252: see whether"),
        ("review\nTrès bon\n".encode("utf-16-le"), "Très bon", ""),
        ("review\nTrès bon\n".encode("utf-8-sig"), "Très bon", ""),
        (gzip.compress("review\nTrès bon\n".encode("mac-roman")), "Très bon", "Mac OS Roman"),
    ],
)
def test_standard_input_may_have_any_letters_that_can_be_told(
    model: Reeltone,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    content: bytes,
    review: str,
    notice: str,
) -> None:
    use(monkeypatch, OwnWorkers(model))
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BufferedReader(io.BytesIO(content))))
    main(["score", "-"])
    said = capsys.readouterr()
    assert said.out.splitlines()[1].startswith(f"{review},")
    assert notice in said.err and bool(said.err) == bool(notice)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"review\n" + b"A fine film\n" * 2_000 + b"Tr\xe8s bon\n", "can’t be told for certain"),
        (gzip.compress(b"review\n" + b"A fine film\n" * 2_000)[:-9], "damaged or cut short"),
    ],
)
def test_what_is_wrong_further_on_in_standard_input_is_said(
    model: Reeltone, monkeypatch: pytest.MonkeyPatch, content: bytes, words: str
) -> None:
    use(monkeypatch, OwnWorkers(model))
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BufferedReader(io.BytesIO(content))))
    with pytest.raises(CommandError, match=words):
        main(["score", "-"])


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["score", "nowhere.csv"], "nowhere.csv: No such file"),
        (["score", "{file}", "-o", "{file}"], "is the file that is read"),
        (["score", "{file}", "-o", "out.json"], "use .csv, .tsv or .jsonl"),
        (["score", "{file}", "--column", "none"], 'choose with --column: "id", "review"'),
        (["score", "{file}", "--endpoint", "ftp://x"], "begins with https://"),
        (["explain", "Good.", "--endpoint", "http://127.0.0.1:9"], "cannot be reached"),
        (["explain", ""], "The review is empty"),
        (["explain", "Good.", "--bundle", "{folder}"], "not a complete bundle"),
    ],
)
def test_what_cannot_be_done_is_one_clear_line(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], words: str
) -> None:
    monkeypatch.chdir(tmp_path)
    use(monkeypatch, OwnWorkers.__new__(OwnWorkers))
    filled = [word.format(file=file, folder=tmp_path) for word in arguments]
    with pytest.raises(CommandError, match=words):
        main(filled)


def test_a_deployed_stack_has_a_model_of_its_own(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["explain", "Good.", "--endpoint", "https://reeltone.example", "--bundle", "models"])
    assert "--bundle: not allowed with argument --endpoint" in capsys.readouterr().err


# --- A deployed stack -----------------------------------------------------------------------------


class Api(Quiet):
    """The function behind HTTP, which first refuses requests; the first finds the model asleep."""

    refusals: ClassVar = [(503, "0", '{"detail": "waking up", "retryAfter": 0}')]
    """Status, Retry-After and body of each."""

    def do_GET(self) -> None:
        self._answer(make_event("GET", self.path))

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"])).decode()
        if Api.refusals:
            status, seconds, content = Api.refusals.pop(0)
            self._send(status, content, {"retry-after": seconds} if seconds else {})
            return
        event = make_event("POST", self.path, body=body)
        event["headers"] = {"content-type": self.headers["content-type"]}
        self._answer(event)

    def _answer(self, event: dict[str, Any]) -> None:
        answer = function.call(event)
        self._send(answer["statusCode"], answer["body"])

    def _send(self, status: int, body: str, headers: Mapping[str, str] | None = None) -> None:
        self.send_response(status)
        for header in (headers or {}).items():
            self.send_header(*header)
        self.send_header("content-length", str(len(body.encode())))
        self.end_headers()
        self.wfile.write(body.encode())


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    model = load_model(function.BUNDLES / "classic")
    with function.connected("classic", model), handled(Api) as url:
        yield url


def test_a_stack_answers_as_the_model_does(
    file: Path, tmp_path: Path, model: Reeltone, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = score(file, tmp_path / "asked.csv", "--endpoint", url, "--cores", "1")
    use(monkeypatch, OwnWorkers(model))
    assert asked == score(file, tmp_path / "own.csv")


def test_a_stack_explains_as_the_model_does(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    main(["explain", "Not bad at all.", "--endpoint", f"{url}/"])
    # The function, in this process, writes its metrics to standard output.
    lines = capsys.readouterr().out.splitlines(keepends=True)
    asked = "".join(line for line in lines if not line.startswith("{"))
    main(["explain", "Not bad at all.", "--bundle", str(function.BUNDLES / "classic")])
    assert capsys.readouterr().out == asked
    with pytest.raises(CommandError, match="answered 400: The review is empty"):
        main(["explain", "", "--endpoint", url])


THROTTLED = (429, "", '{"message": "Too Many Requests"}')


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Seconds that were waited for, in no time and without chance."""
    seconds: list[float] = []
    monkeypatch.setattr("reeltone.stack.time.sleep", seconds.append)
    monkeypatch.setattr("random.random", lambda: 1.0)
    return seconds


def test_a_refused_request_is_sent_again_when_the_stack_says_and_else_ever_later(
    url: str, waits: list[float]
) -> None:
    waking = '{"detail": "waking up", "retryAfter": 10}'
    Api.refusals += [*[THROTTLED] * 3, (503, "", waking), (503, "8", waking), (503, "soon", waking)]
    assert Stack(url).explain("Not bad at all.")["words"]
    assert waits == [1, 2, 4, 12.5, 10, 30]


def test_a_throttle_that_lasts_is_told_after_minutes(url: str, waits: list[float]) -> None:
    Api.refusals += [THROTTLED] * TRIES
    with pytest.raises(StackError, match="answered 429: Too Many Requests"):
        Stack(url).explain("Not bad at all.")
    assert 180 < sum(waits) < 240
    assert not Api.refusals
