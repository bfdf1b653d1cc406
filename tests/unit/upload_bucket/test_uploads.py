"""Files in the upload bucket, from the queue's message to what lies beside them, in moto's account,
with the shipped classic model."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

import uploads
from errors import ModelBusyError, ModelFailedError, SetUpError
from model_training.serving.scorer import Model
from tests import function
from tests.invocations import make_event
from tests.unit.upload_bucket.conftest import BUCKET, FILE, KEY, ROOT, UNTOLD, Kill, Stack

WORDS = json.loads((ROOT / "frontend/js/many/reading/refusals.json").read_text(encoding="utf-8"))
ANSWERS = ["sentiment", "probability", "verdict", "truncated", "problem"]
SCORED, REPORT = (
    "november/reviews of the week.scored.csv",
    "november/reviews of the week.report.csv",
)


def test_a_file_gets_its_scored_rows_and_a_report_beside_it(stack: Stack) -> None:
    stack.put()
    stack.deliver()
    assert stack.list_keys() == {KEY, SCORED, REPORT}
    head, *rows = stack.read(SCORED)
    assert head == ["id", "review", "stars", *ANSWERS]
    assert [row[0] for row in rows] == ["1", "2", "3", "4", "5"]
    assert [row[3] for row in rows] == ["positive", "", "negative", "", ""]
    assert 0.5 < float(rows[0][4]) <= 1 and rows[0][6:] == ["false", ""]
    assert rows[0][1] == f"I loved it, {UNTOLD} and all."
    assert stack.read(REPORT) == [
        ["line", "problem"],
        ["3", WORDS["rows"]["empty"]],
        ["5", "The review has no word in it; send at least one."],
        ["6", WORDS["rows"]["misfit"].format(found=4, width=3)],
    ]


def test_a_reviews_answer_is_the_apis(stack: Stack, model: Model) -> None:
    stack.put()
    stack.deliver()
    row = stack.read(SCORED)[1]
    with function.connected("classic", model):
        event = make_event(
            "POST",
            "/api/sentiment",
            body=json.dumps({"review": row[1]}),
            headers={"content-type": "application/json"},
        )
        answer = json.loads(function.call(event)["body"])
    assert row[3:7] == [
        answer["sentiment"],
        str(answer["probability"]),
        answer["verdict"],
        str(answer["truncated"]).lower(),
    ]


def test_columns_that_are_called_like_the_answers_stay(stack: Stack) -> None:
    stack.put("sentiment,review\nmine,I loved it.\n")
    stack.deliver()
    head, row = stack.read(SCORED)
    assert head[:3] == ["sentiment", "review", "reeltone_sentiment"]
    assert row[:3] == ["mine", "I loved it.", "positive"]


def test_more_rows_than_a_request_may_have_are_asked_in_several(stack: Stack) -> None:
    stack.put("review\n" + "".join(f"Film {number} was great\n" for number in range(205)))
    stack.deliver()
    rows = stack.read(SCORED)[1:]
    assert stack.runtime.calls == 3
    assert [row[0].split()[1] for row in rows] == [str(number) for number in range(205)]
    assert all(row[1] for row in rows)


@pytest.mark.parametrize(
    ("content", "reason", "values"),
    [
        ("", "nothing", {}),
        ("id,review\n", "only-names", {}),
        ("id,stars\n1,2\n", "no-text", {"columns": "id, stars"}),
        (bytes(range(1, 9)), "binary", {}),
        (b"PK\x03\x04\0", "known-kind", {"kind": "an Excel workbook or a ZIP archive"}),
        (b"review\nbon \xe8\n", "unknown-encoding", {}),
    ],
)
def test_a_file_that_cannot_be_read_gets_a_report_in_the_websites_words(
    stack: Stack, content: str | bytes, reason: str, values: dict[str, str]
) -> None:
    stack.put(content)
    stack.deliver()
    assert stack.list_keys() == {KEY, REPORT}
    words = WORDS["files"][reason].replace(" or as .xlsx", "").format_map(values)
    assert stack.read(REPORT)[1:] == [["", words]]
    assert stack.runtime.calls == 0


@pytest.mark.parametrize("encoding", ["utf-16-le", "cp1252"])
def test_letters_are_told_as_the_website_tells_them(stack: Stack, encoding: str) -> None:
    stack.put("review\nTrès bon et déjà vu à Noël\n".encode(encoding))
    stack.deliver()
    assert stack.read(SCORED)[1][0] == "Très bon et déjà vu à Noël"
    said = [["", WORDS["notices"]["encoding"].format(encoding="Windows-1252")]]
    assert stack.read(REPORT)[1:] == (said if encoding == "cp1252" else [])


def test_a_file_that_is_too_large_is_told_so_and_not_read(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploads, "MAX_BYTES", 10)
    stack.put()
    stack.deliver()
    assert stack.read(REPORT)[1][1].startswith("This file is larger than ")
    assert "get_object" not in stack.storage.steps


def test_a_file_that_is_delivered_twice_is_scored_once(stack: Stack) -> None:
    stack.put()
    stack.deliver()
    calls, former = stack.runtime.calls, stack.storage.steps.copy()
    stack.deliver()
    assert stack.runtime.calls == calls
    assert stack.storage.steps[len(former) :] == ["head_object", "head_object"]
    assert stack.lines[-1]["outcome"] == "done before"


def test_another_file_of_the_same_name_and_another_model_are_scored_anew(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    stack.put()
    stack.deliver()
    stack.put("review\nDull.\n")
    stack.deliver()
    assert len(stack.read(SCORED)) == 2
    calls = stack.runtime.calls
    other = replace(function.load_settings("classic"), model_version="classic-000000000000")
    monkeypatch.setattr(uploads, "load_settings", lambda: other)
    stack.deliver()
    assert stack.runtime.calls == calls + 1


@pytest.mark.parametrize("when", ["kill_before", "kill_after"])
@pytest.mark.parametrize("step", range(5))
def test_killed_at_any_step_nothing_is_lost_or_doubled(stack: Stack, when: str, step: int) -> None:
    stack.put()
    stack.deliver()
    undisturbed = {key: stack.read(key) for key in stack.list_keys()}
    steps = stack.storage.steps.copy()
    assert steps == ["head_object", "head_object", "get_object", "put_object", "put_object"]
    for key in (SCORED, REPORT):
        stack.s3.delete_object(Bucket=BUCKET, Key=key)
    stack.storage.steps.clear()
    setattr(stack.storage, when, step)
    with pytest.raises(Kill):
        stack.deliver()
    assert stack.s3.get_object(Bucket=BUCKET, Key=KEY)["Body"].read() == FILE.encode()
    stack.deliver()  # the queue brings it again
    assert {key: stack.read(key) for key in stack.list_keys()} == undisturbed


def test_killed_while_the_model_is_asked_it_is_asked_again(stack: Stack) -> None:
    stack.put()
    stack.runtime.failures = [Kill()]
    with pytest.raises(Kill):
        stack.deliver()
    assert stack.list_keys() == {KEY}
    stack.deliver()
    assert stack.list_keys() == {KEY, SCORED, REPORT}


def test_a_model_that_is_busy_is_waited_for(stack: Stack) -> None:
    stack.put()
    stack.runtime.failures = [ModelBusyError("busy")] * (uploads.PATIENCE - 1)
    stack.deliver()
    assert stack.list_keys() == {KEY, SCORED, REPORT}


@pytest.mark.parametrize(
    "failures",
    [
        [ModelBusyError("busy")] * uploads.PATIENCE,
        [ModelFailedError("failed")],
        [SetUpError("no such endpoint")],
        [KeyError(UNTOLD)],
    ],
)
def test_a_file_that_fails_comes_again_and_leaves_nothing_half_done(
    stack: Stack, failures: list[BaseException]
) -> None:
    stack.put()
    stack.runtime.failures = failures.copy()
    with pytest.raises(uploads.UploadError) as raised:
        stack.deliver()
    assert raised.value.__cause__ is None and raised.value.__suppress_context__
    assert stack.list_keys() == {KEY}
    assert stack.lines[-1]["level"] == "ERROR"
    assert stack.lines[-1]["reason"] != ""
    stack.deliver()
    assert stack.list_keys() == {KEY, SCORED, REPORT}


def test_what_was_deleted_or_is_the_functions_own_is_left_alone(stack: Stack) -> None:
    stack.deliver()
    assert stack.lines[-1]["outcome"] == "gone"
    for key in (SCORED, REPORT):
        stack.put(key=key)
        stack.deliver(key)
        assert stack.lines[-1]["outcome"] == "ours"
    assert stack.list_keys() == {SCORED, REPORT}


def test_files_of_other_kinds_keep_their_names(stack: Stack) -> None:
    stack.put("id\treview\n1\tI loved it.\n", "a.tsv")
    stack.put("review\nDull.\n", "a.csv")
    for key in ("a.tsv", "a.csv"):
        stack.deliver(key)
    assert stack.read("a.tsv.scored.csv")[1][:3] == ["1", "I loved it.", "positive"]
    assert stack.read("a.scored.csv")[1][:2] == ["Dull.", "negative"]


def test_each_file_leaves_one_line_with_nothing_of_its_reviews_or_its_name(stack: Stack) -> None:
    stack.put()
    stack.deliver()
    [line] = stack.lines
    assert (line["message"], line["outcome"]) == ("upload", "scored")
    assert (line["rows"], line["problems"]) == (5, 3)
    assert line["milliseconds"] > 0
    assert UNTOLD not in stack.log.getvalue() and "november" not in stack.log.getvalue()
