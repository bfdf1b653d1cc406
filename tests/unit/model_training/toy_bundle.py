"""A bundle that adds up a weight for each word: what it answers can be worked out by hand."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from onnx import TensorProto, helper, numpy_helper

from model_training.export.bundles import write_manifest
from review_text import FIRST_WORD, Vocabulary

WEIGHTS = {
    "wonderful": 2.0,
    "great": 1.5,
    "moving": 1.0,
    "beautiful": 1.0,
    "loved": 3.0,
    "dreadful": -2.0,
    "bad": -2.0,
    "dull": -1.0,
    "ugly": -1.0,
    "hated": -3.0,
}
"""Right about all made-up reviews but one: "great fun, not bad at all"."""


def make_toy_bundle(
    folder: Path,
    vocabulary: Vocabulary,
    weights: Mapping[str, float] = WEIGHTS,
    temperature: float = 2.0,
) -> Path:
    """A complete bundle named after its folder. Its bias is 0."""
    table = np.zeros(len(vocabulary), np.float32)
    for number, word in enumerate(vocabulary.words, FIRST_WORD):
        table[number] = weights.get(word, 0.0)
    nodes = [
        helper.make_node("Gather", ["weights", "windows"], ["of_windows"]),
        helper.make_node("Shape", ["lengths"], ["reviews"]),
        helper.make_node("Concat", ["reviews", "rest"], ["shape"], axis=0),
        helper.make_node("Reshape", ["of_windows", "shape"], ["contributions"]),
        helper.make_node("ReduceSum", ["contributions", "one"], ["logits"], keepdims=0),
    ]
    inputs = [
        helper.make_tensor_value_info("windows", TensorProto.INT32, ["N", "L"]),
        helper.make_tensor_value_info("window_lengths", TensorProto.INT32, ["N"]),
        helper.make_tensor_value_info("lengths", TensorProto.INT32, ["B"]),
    ]
    outputs = [
        helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["B"]),
        helper.make_tensor_value_info("contributions", TensorProto.FLOAT, ["B", "T"]),
    ]
    constants = {"weights": table, "rest": np.array([-1]), "one": np.array([1])}
    tensors = [numpy_helper.from_array(value, name) for name, value in constants.items()]
    graph = helper.make_graph(nodes, "toy", inputs, outputs, tensors)
    opset = [helper.make_opsetid("", 17)]
    model = helper.make_model(graph, opset_imports=opset, ir_version=9)
    folder.mkdir(parents=True)
    (folder / "model.onnx").write_bytes(model.SerializeToString())
    vocabulary.save(folder / "vocabulary.json")
    (folder / "metrics.json").write_text("{}")
    about = {"name": folder.name, "architecture": "toy", "temperature": temperature, "bias": 0.0}
    write_manifest(folder, about)
    return folder
