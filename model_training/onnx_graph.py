"""The trained model as an ONNX graph, built node by node: what it computes is all here to read.

windows         [N, L] int32    ids, padded with 0 after each window's tokens
window_lengths  [N]    int32    tokens in each window; N = B · windows of a review
lengths         [B]    int32    tokens in each review
→
logits          [B]    float32
contributions   [B, N/B · L] float32   one for each token, in order; plus bias = logit
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper

from model_training.model import ReviewLSTM

_OPSET = 17
_IR_VERSION = 9  # what onnxruntime 1.16 and later can read

Array = npt.NDArray[Any]


def quantise_embedding(model: ReviewLSTM) -> tuple[npt.NDArray[np.int8], npt.NDArray[np.float32]]:
    """The embedding as [entries, E] int8 and [entries, 1] float32 scales; a quarter of the bytes.

    The model's own embedding is set to what these stand for, so that what is measured in PyTorch
    and what is shipped are the same function.
    """
    weights = model.embedding.weight.detach().cpu().numpy()
    scales = np.maximum(np.abs(weights).max(1, keepdims=True), 1e-12) / 127
    scales = scales.astype(np.float32)
    quantised = np.clip(np.rint(weights / scales), -127, 127).astype(np.int8)
    with torch.no_grad():
        model.embedding.weight.copy_(torch.from_numpy(quantised * scales))
    return quantised, scales


def build_graph(model: ReviewLSTM) -> onnx.ModelProto:
    """The graph of ``model``, whose embedding is quantised on the way."""
    graph = _Graph()
    states = _add_lstm(graph, model)
    if model.config.pooling == "last":
        _add_last_state(graph, states, model)
    else:
        _add_max_and_mean(graph, states, model)
    return graph.finish()


class _Graph:
    """Nodes and constants under construction."""

    def __init__(self) -> None:
        self._nodes: list[onnx.NodeProto] = []
        self._constants: list[onnx.TensorProto] = []

    def constant(self, name: str, value: Array) -> str:
        self._constants.append(numpy_helper.from_array(value, name))
        return name

    def add(self, kind: str, inputs: list[str], output: str, **attributes: Any) -> str:
        self._nodes.append(helper.make_node(kind, inputs, [output], name=output, **attributes))
        return output

    def finish(self) -> onnx.ModelProto:
        inputs = [
            helper.make_tensor_value_info("windows", TensorProto.INT32, ["N", "L"]),
            helper.make_tensor_value_info("window_lengths", TensorProto.INT32, ["N"]),
            helper.make_tensor_value_info("lengths", TensorProto.INT32, ["B"]),
        ]
        outputs = [
            helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["B"]),
            helper.make_tensor_value_info("contributions", TensorProto.FLOAT, ["B", "T"]),
        ]
        graph = helper.make_graph(self._nodes, "review_lstm", inputs, outputs, self._constants)
        model = helper.make_model(
            graph,
            opset_imports=[helper.make_opsetid("", _OPSET)],
            ir_version=_IR_VERSION,
            producer_name="reeltone",
        )
        onnx.checker.check_model(model, full_check=True)
        return model


def _add_lstm(graph: _Graph, model: ReviewLSTM) -> str:
    """[B, T, D·H] states of all tokens, T = windows of a review · L; zero where there is none."""
    quantised, scales = quantise_embedding(model)
    graph.constant("embedding", quantised)
    graph.constant("embedding_scales", scales)
    graph.add("Transpose", ["windows"], "steps", perm=[1, 0])  # [L, N]
    graph.add("Gather", ["embedding", "steps"], "vectors_int8")  # [L, N, E]
    graph.add("Gather", ["embedding_scales", "steps"], "vector_scales")  # [L, N, 1]
    graph.add("Cast", ["vectors_int8"], "vectors_unscaled", to=TensorProto.FLOAT)
    graph.add("Mul", ["vectors_unscaled", "vector_scales"], "vectors")
    weights = [_lstm_weights(lstm.state_dict()) for lstm in model.lstms]
    for name, arrays in zip(("W", "R", "B"), zip(*weights, strict=True), strict=True):
        graph.constant(f"lstm_{name}", np.stack(arrays))
    graph.add(
        "LSTM",
        ["vectors", "lstm_W", "lstm_R", "lstm_B", "window_lengths"],
        "states_by_step",  # [L, D, N, H]
        hidden_size=model.config.hidden_size,
        direction="bidirectional" if model.config.bidirectional else "forward",
    )
    graph.add("Transpose", ["states_by_step"], "states_by_window", perm=[2, 0, 1, 3])
    features = len(model.lstms) * model.config.hidden_size
    graph.add("Shape", ["lengths"], "reviews")
    graph.constant("all_tokens", np.array([-1], np.int64))
    graph.constant("all_features", np.array([-1, features], np.int64))
    graph.add("Concat", ["reviews", "all_features"], "states_shape", axis=0)
    return graph.add("Reshape", ["states_by_window", "states_shape"], "states")


def _lstm_weights(weights: Mapping[str, torch.Tensor]) -> tuple[Array, Array, Array]:
    """W [4H, E], R [4H, H] and B [8H], with the gates in ONNX's order (input, output, forget,
    cell) instead of PyTorch's (input, forget, cell, output)."""

    def reorder(name: str) -> Array:
        weight = weights[name].cpu().numpy()
        gates = weight.reshape(4, -1, *weight.shape[1:])
        return np.ascontiguousarray(gates[[0, 3, 1, 2]].reshape(weight.shape))

    biases = np.concatenate([reorder("bias_ih_l0"), reorder("bias_hh_l0")])
    return reorder("weight_ih_l0"), reorder("weight_hh_l0"), biases


def _output_weights(model: ReviewLSTM) -> tuple[Array, Array]:
    weight = model.output.weight.detach().cpu().numpy()[0]
    return weight, model.output.bias.detach().cpu().numpy()


def _add_last_state(graph: _Graph, states: str, model: ReviewLSTM) -> None:
    """The verdict of the last state; a token's contribution is how far it moved the verdict."""
    weight, bias = _output_weights(model)
    graph.constant("output_weight", weight[:, None])
    graph.constant("output_bias", bias)
    graph.constant("one", np.array([1], np.int64))
    graph.constant("zero", np.array([0], np.int64))
    graph.constant("minus_one", np.array([-1], np.int64))
    graph.add("MatMul", [states, "output_weight"], "verdicts_3d")  # [B, T, 1]
    graph.constant("last_axis", np.array([2], np.int64))
    graph.add("Squeeze", ["verdicts_3d", "last_axis"], "verdicts")  # [B, T]
    # The verdict before the first token is that of the LSTM's first state, zero.
    graph.add("Slice", ["verdicts", "zero", "minus_one", "one"], "verdicts_but_last")
    graph.constant("pad_before", np.array([0, 1, 0, 0], np.int64))
    graph.add("Pad", ["verdicts_but_last", "pad_before"], "verdicts_before")
    graph.add("Sub", ["verdicts", "verdicts_before"], "moves")
    graph.add("Cast", ["lengths"], "lengths_long", to=TensorProto.INT64)
    graph.add("Sub", ["lengths_long", "one"], "last")
    graph.add("Unsqueeze", ["last", "one"], "last_2d")
    graph.add("GatherElements", ["verdicts", "last_2d"], "final_2d", axis=1)
    graph.add("Squeeze", ["final_2d", "one"], "final")
    graph.add("Add", ["final", "output_bias"], "logits")
    graph.add("Identity", ["moves"], "contributions")


def _add_max_and_mean(graph: _Graph, states: str, model: ReviewLSTM) -> None:
    """Maximum and mean of each feature. A maximum is credited to the token where it stands (to
    all of them, in equal parts, where a review repeats itself), a mean to all tokens."""
    weight, bias = _output_weights(model)
    half = len(weight) // 2
    graph.constant("max_weight", weight[:half, None])
    graph.constant("mean_weight", weight[half:, None])
    graph.constant("output_bias", bias)
    _add_token_mask(graph)
    graph.constant("below_all_states", np.array(-2.0, np.float32))  # states are within ±1
    graph.add("Where", ["is_token", states, "below_all_states"], "token_states")
    graph.add("ReduceMax", ["token_states"], "maxima", axes=[1], keepdims=1)  # [B, 1, F]
    graph.add("Equal", ["token_states", "maxima"], "is_maximum")
    graph.add("Cast", ["is_maximum"], "is_maximum_float", to=TensorProto.FLOAT)
    graph.constant("token_axis", np.array([1], np.int64))
    graph.add("ReduceSum", ["is_maximum_float", "token_axis"], "ties", keepdims=1)
    graph.add("Div", ["maxima", "ties"], "maxima_shared")
    graph.add("Mul", ["is_maximum_float", "maxima_shared"], "credits")  # [B, T, F]
    graph.add("MatMul", ["credits", "max_weight"], "max_parts")  # [B, T, 1]
    graph.add("MatMul", [states, "mean_weight"], "sums")  # [B, T, 1]
    graph.add("Cast", ["lengths"], "lengths_float", to=TensorProto.FLOAT)
    graph.constant("inner_axes", np.array([1, 2], np.int64))
    graph.add("Unsqueeze", ["lengths_float", "inner_axes"], "lengths_3d")
    graph.add("Div", ["sums", "lengths_3d"], "mean_parts_unmasked")
    graph.constant("nothing", np.array(0.0, np.float32))
    graph.add("Where", ["is_token", "mean_parts_unmasked", "nothing"], "mean_parts")
    graph.add("Add", ["max_parts", "mean_parts"], "contributions_3d")
    graph.constant("last_axis", np.array([2], np.int64))
    graph.add("Squeeze", ["contributions_3d", "last_axis"], "contributions")
    # The logit is computed by itself, as in training, not as the sum of rounded contributions.
    graph.add("MatMul", ["maxima", "max_weight"], "max_logit")  # [B, 1, 1]
    graph.add("ReduceSum", ["mean_parts", "token_axis"], "mean_logit", keepdims=1)
    graph.add("Add", ["max_logit", "mean_logit"], "logit_3d")
    graph.add("Squeeze", ["logit_3d", "inner_axes"], "logits_unbiased")
    graph.add("Add", ["logits_unbiased", "output_bias"], "logits")


def _add_token_mask(graph: _Graph) -> None:
    """``is_token`` [B, T, 1]: where a review has a token."""
    graph.constant("range_start", np.array(0, np.int32))
    graph.constant("range_step", np.array(1, np.int32))
    graph.constant("width_index", np.array(1, np.int64))
    graph.constant("second_axis", np.array([1], np.int64))
    graph.add("Shape", ["windows"], "windows_shape")
    graph.add("Gather", ["windows_shape", "width_index"], "width_long")
    graph.add("Cast", ["width_long"], "width", to=TensorProto.INT32)
    graph.add("Range", ["range_start", "width", "range_step"], "positions")  # [L]
    graph.add("Unsqueeze", ["window_lengths", "second_axis"], "window_lengths_2d")
    graph.add("Less", ["positions", "window_lengths_2d"], "is_token_2d")  # [N, L]
    graph.constant("token_mask_rest", np.array([-1, 1], np.int64))
    graph.add("Concat", ["reviews", "token_mask_rest"], "token_mask_shape", axis=0)
    graph.add("Reshape", ["is_token_2d", "token_mask_shape"], "is_token")
