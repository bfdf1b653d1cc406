"""Operations counted from a run's shapes, and which operator took the time."""

from __future__ import annotations

from typing import Any

import pytest

from benchmarks.limit import Node, lstm_weights, operations, read_profile, share_by_operator
from model_training.paths import MODELS


def event(name: str, operator: str, microseconds: int) -> dict[str, Any]:
    shapes = [{"float": [2, 3]}, {"float": [3, 4]}]
    arguments = {
        "op_name": operator,
        "input_type_shape": shapes,
        "output_type_shape": [{"float": [2, 4]}],
    }
    return {"cat": "Node", "name": f"{name}_kernel_time", "dur": microseconds, "args": arguments}


def test_an_operator_of_several_runs_counts_once_with_its_median_time() -> None:
    events = [event("product", "MatMul", time) for time in (5, 1, 900)]
    events.append({"cat": "Session", "name": "model_run", "dur": 1})
    assert read_profile(events) == [Node("product", "MatMul", 5, [(2, 3), (3, 4)], [(2, 4)])]


def test_a_product_multiplies_and_adds_along_the_inner_axis() -> None:
    assert operations(Node("p", "MatMul", 1, [(2, 3), (3, 4)], [(2, 4)]), {}) == 2 * 2 * 3 * 4


def test_an_lstm_multiplies_what_it_reads_and_its_states_at_every_step() -> None:
    node = Node("l", "LSTM", 1, [(7, 5, 10)], [(7, 1, 5, 20)])  # 7 steps of 5 windows
    assert operations(node, {"l": (1, 10, 20)}) == 2 * 7 * 5 * 4 * 20 * (10 + 20)


def test_any_other_operator_counts_its_largest_tensor() -> None:
    assert operations(Node("m", "ReduceMax", 1, [(9, 11)], [(9, 1)]), {}) == 99


def test_shares_add_up_and_the_largest_comes_first() -> None:
    nodes = [Node("a", "Add", 1, [], []), Node("b", "LSTM", 8, [], []), Node("c", "Add", 1, [], [])]
    assert share_by_operator(nodes) == {"LSTM": 0.8, "Add": 0.2}


@pytest.mark.parametrize("name", ["classic", "modern"])
def test_the_shipped_graphs_lstms_are_found_with_their_sizes(name: str) -> None:
    found = lstm_weights(MODELS / name / "model.onnx")
    assert found
    for directions, read, units in found.values():
        assert directions == 1
        assert 8 <= read <= 2048
        assert 100 <= units <= 4096
