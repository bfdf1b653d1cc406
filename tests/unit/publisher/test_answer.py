"""The way of an answer to CloudFormation, which does not always take it at once."""

from __future__ import annotations

import time
import traceback

import pytest

import answer
from answer import Outcome, make_body, send_answer
from faults import AnswerError
from request import read_envelope
from tests.unit.publisher.conftest import S3, SECRET, CloudFormation, Mailbox


@pytest.mark.parametrize(
    "troubles", [[500], [503, 503], ["drop"], [429, "drop", 500, 400, 302], [404]]
)
def test_an_answer_that_is_not_taken_is_sent_again_until_it_is(
    cloudformation: CloudFormation, mailbox: Mailbox, troubles: list[int | str]
) -> None:
    mailbox.troubles = list(troubles)
    cloudformation.request("Create")
    assert len(mailbox.attempts) == len(troubles) + 1
    warned = [line["problem"] for line in cloudformation.log if line["level"] == "WARNING"]
    assert len(warned) == len(troubles)


def test_the_content_type_is_empty_as_the_signature_wants_it(
    cloudformation: CloudFormation, mailbox: Mailbox
) -> None:
    cloudformation.request("Create")
    assert mailbox.attempts[0]["content-type"] == ""


def test_an_answer_that_is_never_taken_fails_the_run_so_that_lambda_repeats_it(
    cloudformation: CloudFormation, mailbox: Mailbox, s3: S3
) -> None:
    mailbox.troubles = [500] * 6
    with pytest.raises(AnswerError, match="HTTP 500") as caught:
        cloudformation.invoke(cloudformation.event("Create"))
    assert SECRET not in "".join(traceback.format_exception(caught.value))
    assert len(mailbox.attempts) == 6
    cloudformation.request("Create")
    assert len(mailbox.taken) == 1


def test_an_answer_that_comes_too_late_is_no_reason_to_repeat_the_run(
    cloudformation: CloudFormation, mailbox: Mailbox
) -> None:
    mailbox.troubles = [403]
    cloudformation.invoke(cloudformation.event("Create"))
    assert len(mailbox.attempts) == 1
    assert cloudformation.log[-1]["level"] == "ERROR"
    assert cloudformation.log[-1]["problem"] == "HTTP 403"


@pytest.mark.slow
def test_a_silent_connection_leaves_time_for_another(
    mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(answer, "_ATTEMPT_SECONDS", 1.0)
    monkeypatch.setattr(answer, "PAUSES", (0.01,))
    mailbox.troubles = ["silence"]
    send_answer(mailbox.url, b"{}", lambda: 10.0)
    assert mailbox.taken == [{}]


def test_attempts_end_before_the_functions_time_does(
    mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(answer, "PAUSES", (0.01, 20))
    mailbox.troubles = [500] * 6
    started = time.monotonic()
    with pytest.raises(AnswerError):
        send_answer(mailbox.url, b"{}", lambda: 10.0)
    assert time.monotonic() - started < 10
    assert len(mailbox.attempts) == 2


@pytest.mark.parametrize(
    "url",
    [
        f"http://127.0.0.1:1/answer?{SECRET}",
        f"http://[::1/answer?{SECRET}",
        f"http://127.0.0.1:1/with space?{SECRET}",
        f"https://does-not-exist.invalid/answer?{SECRET}",
        f"http://?{SECRET}",
    ],
)
def test_a_url_that_leads_nowhere_is_never_written_down(
    url: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(answer, "PAUSES", ())
    with pytest.raises(AnswerError) as caught:
        send_answer(url, b"{}", lambda: 5.0)
    written = capsys.readouterr().out + "".join(traceback.format_exception(caught.value))
    assert SECRET not in written


@pytest.mark.parametrize("reason", ["é" * 5000, "\ud800" * 5000, '"\\' * 5000, "𝄞" * 5000])
def test_any_reason_fits_what_cloudformation_takes(reason: str) -> None:
    envelope = read_envelope(
        {
            "StackId": "arn:aws:cloudformation:eu-west-1:123456789012:stack/" + "s" * 128 + "/id",
            "RequestId": "i" * 36,
            "LogicalResourceId": "l" * 255,
        }
    )
    assert len(make_body(envelope, Outcome(reason))) <= 4096
