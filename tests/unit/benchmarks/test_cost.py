"""The cost table: its arithmetic, and that the operations guide shows what it computes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import batch
from app import dump_json
from benchmarks.cost import (
    API,
    COMPREHEND,
    COSTS,
    LARGE_INSTANCE,
    STORAGE,
    VOLUMES,
    Assumptions,
    Stranger,
    always_on,
    assume,
    break_even,
    guide_sections,
    hour_of_abuse,
    large_uploads,
    reeltone,
    standing,
    uploads,
)
from benchmarks.results import load_results
from body import MAX_EXPLAINED, MAX_REQUEST_CHARACTERS
from comprehend import MAX_BYTES, MAX_TEXTS
from local_stack.template import Template
from model_training.paths import DOCS, MODELS
from review_text import load_vocabulary
from review_text.predict import (
    MAX_CHARACTERS,
    Answer,
    Prediction,
    Reading,
    Review,
    predict,
    read_reviews,
)
from review_text.transform import count_cores

ROOT = Path(__file__).resolve().parents[3]
OPERATIONS = (ROOT / "docs/operations.md").read_text(encoding="utf-8")
TEMPLATE = Template(ROOT / "template.yaml").document
GIVEN = assume(load_results(DOCS))
STRANGER = Stranger()
Cost = Callable[[int, Assumptions], float]


@pytest.mark.parametrize(
    ("units", "dollars"), [(0, 0), (10e6, 1_000), (14e6, 1_200), (50e6, 3_000), (51e6, 3_025)]
)
def test_a_price_falls_from_tier_to_tier(units: float, dollars: float) -> None:
    assert COMPREHEND.of(units) == pytest.approx(dollars)


def test_a_whole_tier_costs_its_own_price() -> None:
    assert API.of(301) == pytest.approx(300.90)


def test_nothing_asked_costs_what_stands_there() -> None:
    assert reeltone(0, GIVEN) == standing(GIVEN)


def test_a_million_reviews_cost_what_a_calculation_by_hand_says() -> None:
    given = Assumptions(
        text_ms=5.8,
        model_ms=10,
        distilbert_ms=200,
        around_ms=30,
        function_gb=1,
        function_core=0.58,
        endpoint_gb=2,
        answer_gb=1e-6,
        ids_gb=2.5e-6,
        log_gb=1e-6,
        metrics=5,
    )
    api, requests, out, logs, metrics = 1.00, 1.00, 0.085, 0.50, 5 * 0.30
    function = 0.20 + 1e6 * 0.050 * 1 * 0.0000166667
    endpoint = 1e6 * 0.010 * 2 * 0.00002 + 2.5 * 0.016
    expected = api + requests + out + logs + metrics + function + endpoint
    assert reeltone(1_000_000, given) - standing(given) == pytest.approx(expected)


@pytest.mark.parametrize("cost", COSTS.values(), ids=COSTS)
def test_more_reviews_never_cost_less(cost: Cost) -> None:
    dollars = [cost(volume, GIVEN) for volume in VOLUMES]
    assert dollars == sorted(dollars)


def test_a_million_reviews_in_files_cost_what_a_calculation_by_hand_says() -> None:
    given = replace(GIVEN, text_ms=0.3, model_ms=4.6)
    function = 1e6 * (0.3 / 0.58 + 4.6 + 40 / 100) / 1e3 * 0.0000166667
    endpoint = 1e6 * 0.0046 * 2 * 0.00002 + 1.5 * 0.016
    idle = standing(given) + 0.10 + 5 * 730 * 3600 / 20 / 1e6 * 0.40
    assert uploads(0, given) == pytest.approx(idle)
    assert uploads(1_000_000, given) == pytest.approx(idle + function + endpoint)


def test_an_instance_costs_less_from_where_the_guide_says() -> None:
    reviews = break_even(GIVEN)
    assert always_on(int(0.99 * reviews), GIVEN) > reeltone(int(0.99 * reviews), GIVEN)
    assert always_on(int(1.01 * reviews), GIVEN) < reeltone(int(1.01 * reviews), GIVEN)


def test_a_million_reviews_in_large_files_cost_what_a_calculation_by_hand_says() -> None:
    given = replace(GIVEN, text_ms=0.3, model_ms=4.6)
    function = 1e6 * 0.05 / 0.58 / 1e3 * 0.0000166667
    hours = 1e6 * 0.0049 / 2 / 3600 + 10 * 4 / 60
    assert large_uploads(0, given) == uploads(0, given)
    expected = uploads(0, given) + function + hours * 0.204
    assert large_uploads(1_000_000, given) == pytest.approx(expected)
    assert (LARGE_INSTANCE, 2 * GIVEN.job_cores) == (batch.INSTANCE, count_cores(batch.INSTANCE))


def test_the_assumptions_are_those_of_the_template() -> None:
    resources, parameters = TEMPLATE["Resources"], TEMPLATE["Parameters"]
    alarms = [
        resource["Properties"]
        for resource in resources.values()
        if resource["Type"] == "AWS::CloudWatch::Alarm"
        and resource.get("Condition") != "HasUploads"
    ]
    boards = [r for r in resources.values() if r["Type"] == "AWS::CloudWatch::Dashboard"]
    by_default = [board for board in boards if "Condition" not in board]
    assert GIVEN.function_gb == resources["SentimentFunction"]["Properties"]["MemorySize"] / 1024
    assert GIVEN.endpoint_gb == parameters["ServerlessMemory"]["Default"] / 1024
    # An alarm on an expression is charged for each metric that the expression reads.
    metrics = [m for alarm in alarms for m in alarm.get("Metrics", [{"MetricStat": alarm}])]
    assert GIVEN.alarm_metrics == sum("MetricStat" in metric for metric in metrics)
    assert GIVEN.dashboards == len(by_default)


def test_a_stranger_costs_at_most_a_dollar_an_hour() -> None:
    parts = hour_of_abuse(GIVEN, STRANGER)
    assert sum(parts.values()) <= 1
    assert all(dollars > 0 for dollars in parts.values())


@pytest.mark.parametrize("field", [field.name for field in fields(Stranger)])
def test_whatever_a_stranger_may_do_more_costs_more(field: str) -> None:
    more = replace(STRANGER, **{field: 2 * getattr(STRANGER, field)})
    assert sum(hour_of_abuse(GIVEN, more).values()) > sum(hour_of_abuse(GIVEN, STRANGER).values())


def test_what_a_stranger_may_do_is_what_the_template_and_the_function_let_him() -> None:
    parameters = TEMPLATE["Parameters"]
    by_default = {
        "requests": "RequestsPerSecond",
        "batches": "BatchesPerSecond",
        "burst": "RequestBurst",
        "concurrency": "ServerlessConcurrency",
    }
    for field, name in by_default.items():
        assert getattr(STRANGER, field) == parameters[name]["Default"], name
    settings = TEMPLATE["Resources"]["SentimentApi"]["Properties"]
    assert settings["RouteSettings"].keys() == {"POST /api/sentiments", "POST /api/comprehend"}
    assert STRANGER.comprehend_reviews * MAX_CHARACTERS == MAX_TEXTS * MAX_BYTES
    assert STRANGER.batch_explained == MAX_EXPLAINED
    assert STRANGER.batch_reviews * MAX_CHARACTERS == MAX_REQUEST_CHARACTERS


@pytest.mark.parametrize(
    ("reviews", "most"), [(1, STRANGER.explained_gb), (2, STRANGER.batch_explained_gb)]
)
def test_an_answer_with_reasons_is_not_larger_than_what_a_stranger_is_taken_to_get(
    reviews: int, most: float
) -> None:
    """As many sentences as there can be, with the longest numbers beside words and sentences."""
    vocabulary = load_vocabulary(MODELS / "modern" / "vocabulary.json")
    [review, *_] = read = read_reviews(
        ["a.\n" * vocabulary.settings.max_tokens] * reviews, vocabulary
    )
    assert isinstance(review, Review)
    shares = [-0.1234567] * len(review.encoded.ids)
    # Effects are computed where one review is asked about alone.
    reading = Reading(-12.123456, 0.123456, shares, shares if reviews == 1 else [])
    answer = Answer("modern-0123456789ab", -0.123456, [reading] * reviews)
    endpoint: Any = SimpleNamespace(invoke=lambda *_: answer)
    for prediction in predict(read, endpoint, None, explain=True):
        assert isinstance(prediction, Prediction)
        assert len(dump_json(prediction.to_dict())) <= most * 1e9


def test_the_guide_says_of_costs_what_is_computed(subtests: pytest.Subtests) -> None:
    for name, text in guide_sections(GIVEN).items():
        with subtests.test(name):
            section = f"<!-- {name}:begin -->\n{text}\n<!-- {name}:end -->"
            assert section in OPERATIONS, "python -m benchmarks.cost writes it anew"


def test_what_stands_there_is_within_what_is_free_in_an_empty_account() -> None:
    assert GIVEN.alarm_metrics <= 10 and GIVEN.metrics <= 10
    assert STORAGE.of(GIVEN.stored_gb) < 0.01
