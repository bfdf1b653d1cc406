"""Large files, from the queue's message over a batch transform to what lies beside them; in
SageMaker's place are moto's account and the model's own container functions."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

import batch
import storage
import uploads
from model_training.serving.scorer import Model
from tests.transform import answer_lines, work_off
from tests.unit.upload_bucket.conftest import BUCKET, FILE, KEY, ROOT, UNTOLD, Kill, Stack

SCORED, REPORT = (KEY.replace(".csv", f".{kind}.csv") for kind in ("scored", "report"))
STACK = "arn:aws:cloudformation:eu-west-1:123456789012:stack/film/51af3dc0-0f43-11f0-9a30-0e9f3d"
PREFIX = "reeltone-51af3dc0-upload-"


class SageMaker:
    """Jobs, whose names can be used once; may end the function at a step."""

    def __init__(self, sagemaker: Any, stack: Stack, model: Model) -> None:
        self._sagemaker, self._stack = sagemaker, stack
        self.answer: Callable[[bytes], str] = partial(answer_lines, model)
        self.requests: dict[str, dict[str, Any]] = {}
        self.status: dict[str, str] = {}
        self.kill: str | None = None

    def create_transform_job(self, **request: Any) -> Any:
        name = request["TransformJobName"]
        if self.kill == "before":
            raise Kill
        if name in self.requests:
            raise _error("ResourceInUse", "Job name must be unique")
        # moto's checks of the request are botocore's.
        self._sagemaker.create_transform_job(**request)
        self.requests[name], self.status[name] = request, "InProgress"
        if self.kill == "after":
            raise Kill
        return {}

    def describe_transform_job(self, TransformJobName: str) -> Any:
        if TransformJobName not in self.status:
            raise _error("ValidationException", "Could not find requested job")
        return {"TransformJobStatus": self.status[TransformJobName]}

    def work(self, name: str, status: str = "Completed") -> None:
        """Do a job, or not, and say so."""
        about, self.status[name] = self.requests[name], status
        if status == "Completed":
            work_off(self._stack.s3, about, self.answer)

    def tell(self, name: str, receives: int = 1) -> None:
        """Bring the function the message of how a job ended, as in events/transform.json."""
        event = json.loads((ROOT / "events" / "transform.json").read_text(encoding="utf-8"))
        [record] = event["Records"]
        record["attributes"]["ApproximateReceiveCount"] = str(receives)
        message = json.loads(record["body"])
        message["detail"] |= {"TransformJobName": name, "TransformJobStatus": self.status[name]}
        target = self.requests[name]["TransformOutput"]["S3OutputPath"]
        message["detail"]["TransformOutput"]["S3OutputPath"] = target
        record["body"] = json.dumps(message)
        self._stack.invoke(event)


def _error(code: str, message: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": message}}, "TransformJob")


def _key(uri: str) -> str:
    return uri.split("/", 3)[3]


@pytest.fixture
def sagemaker(stack: Stack, model: Model, monkeypatch: pytest.MonkeyPatch) -> Iterator[SageMaker]:
    made = SageMaker(boto3.client("sagemaker", region_name="us-east-1"), stack, model)
    monkeypatch.setattr(batch, "load_client", lambda _: made)
    monkeypatch.setattr(uploads, "DIRECT_BYTES", 10)
    monkeypatch.setenv("TRANSFORM_MODEL", "Model-Ab12")
    monkeypatch.setenv("STACK_ID", STACK)
    yield made


def test_a_large_file_becomes_what_a_small_one_would(
    stack: Stack, sagemaker: SageMaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = FILE + f'6,"{"good " * 4_001}",1\r\n' + "7,Dull.,1\r\n" * 30
    stack.put(content)
    monkeypatch.setattr(uploads, "DIRECT_BYTES", 10**9)
    stack.deliver()
    small = {key: stack.read(key) for key in (SCORED, REPORT)}
    stack.s3.delete_object(Bucket=BUCKET, Key=REPORT)
    monkeypatch.setattr(uploads, "DIRECT_BYTES", 10)
    monkeypatch.setattr("review_text.transform.PART", 500)  # bytes
    stack.deliver()
    assert stack.lines[-1]["outcome"] == "started"
    [name] = sagemaker.requests
    sagemaker.work(name)
    calls = stack.runtime.calls
    sagemaker.tell(name)
    assert stack.lines[-1]["outcome"] == "scored"
    assert {key: stack.read(key) for key in (SCORED, REPORT)} == small
    assert stack.runtime.calls == calls
    assert len([key for key in stack.list_keys() if key.endswith(".transform.out")]) > 2
    assert UNTOLD not in stack.log.getvalue() and "november" not in stack.log.getvalue()


def test_the_job_is_asked_for_exactly_like_this(stack: Stack, sagemaker: SageMaker) -> None:
    stack.put()
    stack.deliver()
    [(name, request)] = sagemaker.requests.items()
    folder = f"s3://{BUCKET}/reeltone-jobs/{name[:-2]}"
    assert name.startswith(PREFIX) and name.endswith("-1") and len(name) == len(PREFIX) + 18
    assert request["ModelName"] == "Model-Ab12"
    assert request["TransformInput"]["DataSource"]["S3DataSource"]["S3Uri"] == f"{folder}/in/"
    assert request["TransformOutput"]["S3OutputPath"] == f"{folder}/out-1"
    assert request["TransformResources"] == {"InstanceType": "ml.c5.xlarge", "InstanceCount": 1}
    sent = stack.s3.get_object(Bucket=BUCKET, Key=f"{_key(folder)}/in/00001.transform")
    lines = [json.loads(line) for line in sent["Body"].read().splitlines()]
    assert [line["id"].partition(":")[0] for line in lines] == ["1", "3", "4"]
    assert all(key.endswith(uploads.OURS) for key in stack.list_keys() - {KEY})


def test_a_larger_file_is_shared_by_machines(
    stack: Stack, sagemaker: SageMaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batch, "BYTES_A_MACHINE", 50)
    stack.put()
    stack.deliver()
    [request] = sagemaker.requests.values()
    machines = request["TransformResources"]["InstanceCount"]
    assert machines == 1 + len(FILE.encode()) // 50 > 2
    assert 1 + uploads.MAX_BYTES // 500_000_000 == 5


def test_what_comes_twice_is_done_once(stack: Stack, sagemaker: SageMaker) -> None:
    stack.put()
    stack.deliver()
    stack.deliver()
    assert stack.lines[-1]["outcome"] == "under way"
    [name] = sagemaker.requests
    sagemaker.work(name)
    sagemaker.tell(name)
    written = stack.s3.head_object(Bucket=BUCKET, Key=SCORED)["LastModified"]
    steps = len(stack.storage.steps)
    sagemaker.tell(name)
    stack.deliver()
    assert [line["outcome"] for line in stack.lines[-2:]] == ["done before"] * 2
    assert "put_object" not in stack.storage.steps[steps:]
    assert stack.s3.head_object(Bucket=BUCKET, Key=SCORED)["LastModified"] == written
    assert len(sagemaker.requests) == 1


def test_two_that_start_at_once_start_one_job(
    stack: Stack, sagemaker: SageMaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    stack.put()
    stack.deliver()
    monkeypatch.setattr(batch.Work, "find_last", lambda _: (0, ""))
    stack.deliver()
    assert stack.lines[-1]["outcome"] == "started"
    assert len(sagemaker.requests) == 1


def _run(stack: Stack, sagemaker: SageMaker, act: Callable[[], None]) -> int:
    """How many requests to S3 something takes."""
    before = len(stack.storage.steps)
    act()
    return len(stack.storage.steps) - before


@pytest.mark.slow
@pytest.mark.parametrize("when", ["kill_before", "kill_after"])
def test_killed_at_any_step_nothing_is_lost_or_doubled(
    stack: Stack, sagemaker: SageMaker, when: str
) -> None:
    stack.put()
    starting = _run(stack, sagemaker, stack.deliver)
    [name] = sagemaker.requests
    sagemaker.work(name)
    finishing = _run(stack, sagemaker, lambda: sagemaker.tell(name))
    undisturbed = {key: stack.read(key) for key in (SCORED, REPORT)}
    assert starting >= 6 and finishing >= 8
    for step in range(starting + finishing):
        for key in stack.list_keys() - {KEY}:
            stack.s3.delete_object(Bucket=BUCKET, Key=key)
        sagemaker.requests.clear()
        sagemaker.status.clear()
        stack.storage.steps.clear()
        stack.storage.kill_before = stack.storage.kill_after = None
        setattr(stack.storage, when, step)
        if step < starting:
            with pytest.raises(Kill):
                stack.deliver()
        stack.deliver()  # the queue brings it again
        assert list(sagemaker.requests) == [name]
        sagemaker.work(name)
        if step >= starting:
            with pytest.raises(Kill):
                sagemaker.tell(name)
        sagemaker.tell(name)
        assert {key: stack.read(key) for key in (SCORED, REPORT)} == undisturbed
        assert list(sagemaker.requests) == [name]


@pytest.mark.parametrize("when", ["before", "after"])
def test_killed_as_the_job_starts_one_job_is_started(
    stack: Stack, sagemaker: SageMaker, when: str
) -> None:
    stack.put()
    sagemaker.kill = when
    with pytest.raises(Kill):
        stack.deliver()
    sagemaker.kill = None
    stack.deliver()
    assert stack.lines[-1]["outcome"] == ("started" if when == "before" else "under way")
    assert len(sagemaker.requests) == 1


def test_a_job_that_fails_is_tried_three_times_and_then_told(
    stack: Stack, sagemaker: SageMaker
) -> None:
    stack.put()
    stack.deliver()
    for number in (1, 2, 3):
        name = list(sagemaker.requests)[-1]
        assert name.endswith(f"-{number}")
        sagemaker.work(name, "Failed")
        if number < 3:
            sagemaker.tell(name)
            assert stack.lines[-1]["outcome"] == "started"
    for receives in (1, 2, 3):  # then the queue gives it to the dead letters
        with pytest.raises(uploads.UploadError):
            sagemaker.tell(name, receives)
        assert stack.lines[-1]["level"] == "ERROR"
        assert stack.lines[-1]["reason"].startswith(f"{name} is Failed")
        [told] = stack.read(REPORT)[1:]
        assert told == ["", f"The job that was to score this file failed: {name}."]
    assert len(sagemaker.requests) == 3
    sagemaker.tell(next(iter(sagemaker.requests)))
    assert stack.lines[-1]["outcome"] == "old news"
    # Somebody has mended what was wrong, and sends it back.
    sagemaker.tell(name)
    assert stack.lines[-1]["outcome"] == "started"
    fourth = list(sagemaker.requests)[-1]
    sagemaker.work(fourth)
    sagemaker.tell(fourth)
    assert len(stack.read(SCORED)) == 6 and len(stack.read(REPORT)) == 4


def test_a_job_that_somebody_stopped_is_told_and_not_tried_again(
    stack: Stack, sagemaker: SageMaker
) -> None:
    stack.put()
    stack.deliver()
    [name] = sagemaker.requests
    sagemaker.work(name, "Stopped")
    sagemaker.tell(name)
    assert stack.lines[-1]["outcome"] == "stopped"
    assert stack.read(REPORT)[1:] == [
        ["", f"The job that was to score this file was stopped: {name}."]
    ]
    assert len(sagemaker.requests) == 1
    stack.deliver()  # put there once more
    assert len(sagemaker.requests) == 2


def test_another_file_or_none_has_nothing_of_the_former_ones_job(
    stack: Stack, sagemaker: SageMaker
) -> None:
    stack.put()
    stack.deliver()
    [first] = sagemaker.requests
    sagemaker.work(first)
    stack.put("review\nDull.\nFine and good.\n")
    stack.deliver()
    _, second = sagemaker.requests
    sagemaker.tell(first)
    assert stack.lines[-1]["outcome"] == "under way"
    sagemaker.work(second)
    sagemaker.tell(second)
    assert [row[0] for row in stack.read(SCORED)[1:]] == ["Dull.", "Fine and good."]
    stack.s3.delete_object(Bucket=BUCKET, Key=KEY)
    sagemaker.tell(second)
    assert stack.lines[-1]["outcome"] == "gone"


def test_answers_that_are_not_this_files_are_never_written(
    stack: Stack, sagemaker: SageMaker
) -> None:
    stack.put()
    stack.deliver()
    [name] = sagemaker.requests
    sagemaker.work(name)
    [out] = [key for key in stack.list_keys() if key.endswith(".out")]
    lines = stack.s3.get_object(Bucket=BUCKET, Key=out)["Body"].read().splitlines(keepends=True)
    for wrong in (lines[:-1], lines[1:], [*lines, lines[0]], [lines[1], lines[0], lines[2]]):
        stack.s3.put_object(Bucket=BUCKET, Key=out, Body=b"".join(wrong))
        with pytest.raises(uploads.UploadError):
            sagemaker.tell(name)
        assert SCORED not in stack.list_keys() and REPORT not in stack.list_keys()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"id,review\n1,\xd0\xd1\xd2\xd3 \xd4\xd5\xd6\n", "can’t be told for certain"),
        (b"id,stars\n1,5\n2,4\n3,4\n", "No column of this file holds text"),
    ],
)
def test_a_large_file_that_cannot_be_read_starts_no_job(
    stack: Stack, sagemaker: SageMaker, content: bytes, words: str
) -> None:
    stack.put(content)
    stack.deliver()
    assert stack.list_keys() == {KEY, REPORT}
    assert words in stack.read(REPORT)[1][1]
    assert not sagemaker.requests


def test_a_large_file_without_a_review_is_reported_and_starts_no_job(
    stack: Stack, sagemaker: SageMaker
) -> None:
    stack.put("id,review\n1,\n2,N/A\n3,\n")
    stack.deliver()
    assert stack.lines[-1]["outcome"] == "scored"
    assert len(stack.read(SCORED)) == len(stack.read(REPORT)) == 4
    assert not sagemaker.requests


def test_files_beyond_the_bounds_are_told_which(
    stack: Stack, sagemaker: SageMaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batch, "MAX_ROWS", 4)
    stack.put()
    stack.deliver()
    assert stack.read(REPORT)[1:] == [["", "This file has more than 4,000,000 rows. Split it."]]
    monkeypatch.setattr(uploads, "MAX_BYTES", 100)
    stack.put(FILE + "6,Fine.,1\r\n")
    stack.deliver()
    assert stack.read(REPORT)[1][1].startswith("This file is larger than ")
    assert not sagemaker.requests


@pytest.mark.slow
def test_files_are_read_and_written_in_pieces(
    stack: Stack, sagemaker: SageMaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    # S3 takes no parts below 5 MB, and moto neither.
    monkeypatch.setattr(storage, "PIECE", 5 * 1024**2)
    content = "id,review\r\n" + "".join(
        f"{number},A fine film. {'x' * 3_000}\r\n" for number in range(4_000)
    )
    stack.put(content)
    stack.deliver()
    [name] = sagemaker.requests
    sagemaker.answer = _echo
    sagemaker.work(name)
    sagemaker.tell(name)
    rows = stack.read(SCORED)
    assert [row[0] for row in rows[1:]] == [str(number) for number in range(4_000)]
    assert rows[4_000][:2] == content.splitlines()[4_000].split(",")
    assert stack.storage.steps.count("upload_part") >= 2
    assert stack.s3.head_object(Bucket=BUCKET, Key=SCORED)["Metadata"]["model"].startswith(
        "classic"
    )


def _echo(body: bytes) -> str:
    """An answer to each line; the model would take a minute."""
    shown = {"sentiment": "positive", "probability": 0.9, "verdict": "positive", "truncated": False}
    ids = [json.loads(line)["id"] for line in body.splitlines()]
    return "".join(json.dumps(shown | {"id": id}) + "\n" for id in ids)
