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

from model_training.networks.review_lstm import Reader, ReviewLSTM
from model_training.recipes.settings import BundleWeights

_OPSET = 17
_MICROSOFT = "com.microsoft"  # onnxruntime's own operators
_IR_VERSION = 9  # what onnxruntime 1.16 and later can read

Array = npt.NDArray[Any]

_PARTS: dict[str, list[str | int]] = {
    "maxima": ["B", 1, "F"],
    "max_weight": ["F", 1],
    "sums": ["B", "T", 1],
}
"""What serving/effects.py puts together anew for a review that lacks a word; a graph that takes the
last state has none of it."""


_GUARDS = 2
"""Units and vector entries that only fix the range of what is quantised: see ``_guarded``."""
_SATURATED = 20.0
"""A gate's bias that opens it fully in fp32."""
_MAX_WEIGHT = 63
"""Maximum size of an int8 weight. With 7 bits, no sum of two products overflows the 16 bits that
processors without VNNI add in, so all of them give the same answer."""


def quantise_embedding(reader: Reader) -> tuple[npt.NDArray[np.int8], np.float32]:
    """Quantise the word vectors as [entries, E] int8 and one scale: a quarter of the bytes.

    The reader's own vectors are set to what these stand for, so that what is measured in PyTorch
    and what is shipped are the same function.
    """
    weights = reader.embedding.weight.detach().cpu().numpy()
    scale = np.float32(max(np.abs(weights).max(), 1e-12) / 127)
    quantised = np.clip(np.rint(weights / scale), -127, 127).astype(np.int8)
    with torch.no_grad():
        reader.embedding.weight.copy_(torch.from_numpy(quantised * scale))
    return quantised, scale


def build_graph(model: ReviewLSTM, weights: BundleWeights) -> onnx.ModelProto:
    """Build the graph of ``model``, whose word vectors are quantised on the way.

    With int8 weights, an LSTM takes a third of the time and a quarter of the bytes.
    """
    graph = _Graph()
    guards = _GUARDS if weights == "int8" else 0
    states = _add_readers(graph, model, guards)
    if model.config.pooling == "last":
        _add_last_state(graph, states, model, guards)
    else:
        _add_max_and_mean(graph, states, model, guards)
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
        known = {name for node in self._nodes for name in node.output}
        known |= {constant.name for constant in self._constants}
        outputs += [
            helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
            for name, shape in _PARTS.items()
            if name in known
        ]
        graph = helper.make_graph(self._nodes, "review_lstm", inputs, outputs, self._constants)
        model = helper.make_model(
            graph,
            opset_imports=[helper.make_opsetid("", _OPSET), helper.make_opsetid(_MICROSOFT, 1)],
            ir_version=_IR_VERSION,
            producer_name="reeltone",
        )
        onnx.checker.check_model(model)
        return model


def _add_readers(graph: _Graph, model: ReviewLSTM, guards: int) -> str:
    """[B, T, D·(H + guards)] states of all tokens, T = windows of a review · L; zero where there is
    no token."""
    graph.add("Transpose", ["windows"], "steps", perm=[1, 0])  # [L, N]
    states = [
        _add_reader(graph, reader, name, guards)
        for reader, name in zip(model.directions, model.config.directions, strict=True)
    ]
    graph.add("Concat", states, "states_by_step", axis=1)  # [L, D, N, H]
    graph.add("Transpose", ["states_by_step"], "states_by_window", perm=[2, 0, 1, 3])
    features = len(states) * (model.config.hidden_size + guards)
    graph.add("Shape", ["lengths"], "reviews")
    graph.constant("all_features", np.array([-1, features], np.int64))
    graph.add("Concat", ["reviews", "all_features"], "states_shape", axis=0)
    return graph.add("Reshape", ["states_by_window", "states_shape"], "states")


def _add_reader(graph: _Graph, reader: Reader, name: str, guards: int) -> str:
    """[L, 1, N, H + guards] states of one direction."""
    table, scale = quantise_embedding(reader)
    weights = _lstm_weights(reader.lstm.state_dict())
    if guards:
        table = np.concatenate([table, np.full((len(table), 1), 127, np.int8)], 1)
        table = np.concatenate([table, np.full((len(table), 1), -128, np.int8)], 1)
    graph.constant(f"{name}_embedding", table)
    graph.constant(f"{name}_scale", np.array(scale))
    graph.add("Gather", [f"{name}_embedding", "steps"], f"{name}_int8")  # [L, N, E]
    graph.add("Cast", [f"{name}_int8"], f"{name}_unscaled", to=TensorProto.FLOAT)
    graph.add("Mul", [f"{name}_unscaled", f"{name}_scale"], f"{name}_vectors")
    inputs = [f"{name}_vectors", f"{name}_W", f"{name}_R", f"{name}_B", "window_lengths"]
    direction = "reverse" if name == "backward" else "forward"
    attributes = {"hidden_size": reader.lstm.hidden_size + guards, "direction": direction}
    if not guards:
        for letter, array in zip("WRB", weights, strict=True):
            graph.constant(f"{name}_{letter}", array[None])
        return graph.add("LSTM", inputs, f"{name}_states", **attributes)
    for letter, array in zip("WR", _guarded(*weights[:2]), strict=True):
        levels, scales = _quantise_rows(array)
        graph.constant(f"{name}_{letter}", np.ascontiguousarray(levels.T)[None])
        graph.constant(f"{name}_{letter}_scale", scales[None])
        graph.constant(f"{name}_{letter}_zero", np.zeros_like(scales, np.int8)[None])
        inputs += [] if letter == "R" else ["", "", ""]
        inputs += [f"{name}_{letter}_scale", f"{name}_{letter}_zero"]
    graph.constant(f"{name}_B", _guarded_bias(weights[2])[None])
    return graph.add(
        "DynamicQuantizeLSTM", inputs, f"{name}_states", domain=_MICROSOFT, **attributes
    )


def _guarded(w: Array, r: Array) -> tuple[Array, Array]:
    """W [4H, E] and R [4H, H] with room for the guards.

    onnxruntime quantises what an LSTM reads by its range at that step, over all reviews that are
    scored together, so an answer would depend on its neighbours. Two more vector entries hold the
    ends of the vectors' range, and two more units hold the ends of the states' range: with all
    gates open, their states are tanh(t) and -tanh(t) at step t, which no unit can exceed.
    """
    gates = w.reshape(4, -1, w.shape[1])
    recurrent = r.reshape(4, -1, r.shape[1])
    room = ((0, 0), (0, _GUARDS), (0, _GUARDS))
    units, entries = gates.shape[1] + _GUARDS, w.shape[1] + _GUARDS
    wide = np.pad(gates, room).reshape(4 * units, entries)
    return wide, np.pad(recurrent, room).reshape(4 * units, units)


def _guarded_bias(bias: Array) -> Array:
    """B [8H] with the guards' gates open, and their cell inputs at 1 and -1."""
    padded = np.pad(bias.reshape(2, 4, -1), ((0, 0), (0, 0), (0, _GUARDS)))
    padded[0, :, -_GUARDS:] = _SATURATED
    padded[0, 3, -1] = -_SATURATED  # gates: input, output, forget, cell
    return padded.reshape(-1)


def _quantise_rows(weights: Array) -> tuple[npt.NDArray[np.int8], npt.NDArray[np.float32]]:
    """[rows, columns] int8 and a scale for each row."""
    scales = np.maximum(np.abs(weights).max(1), 1e-12) / _MAX_WEIGHT
    levels = np.rint(weights / scales[:, None]).astype(np.int8)
    return levels, scales.astype(np.float32)


def _lstm_weights(weights: Mapping[str, torch.Tensor]) -> tuple[Array, Array, Array]:
    """W [4H, E], R [4H, H] and B [8H], with the gates in ONNX's order (input, output, forget,
    cell) instead of PyTorch's (input, forget, cell, output)."""

    def reorder(name: str) -> Array:
        weight = weights[name].cpu().numpy()
        gates = weight.reshape(4, -1, *weight.shape[1:])
        return np.ascontiguousarray(gates[[0, 3, 1, 2]].reshape(weight.shape))

    biases = np.concatenate([reorder("bias_ih_l0"), reorder("bias_hh_l0")])
    return reorder("weight_ih_l0"), reorder("weight_hh_l0"), biases


def _output_weights(model: ReviewLSTM, guards: int) -> tuple[Array, Array]:
    """[D·(H + guards) for each kind of pooling] with nothing for the guards, and [1]."""
    weights = model.output.weight.detach().cpu().numpy().reshape(-1, model.config.hidden_size)
    padded = np.pad(weights, ((0, 0), (0, guards)))
    return padded.reshape(-1), model.output.bias.detach().cpu().numpy()


def _add_last_state(graph: _Graph, states: str, model: ReviewLSTM, guards: int) -> None:
    """The verdict of the last state; a token's contribution is how far it moved the verdict."""
    weight, bias = _output_weights(model, guards)
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


def _add_max_and_mean(graph: _Graph, states: str, model: ReviewLSTM, guards: int) -> None:
    """Maximum and mean of each feature. A maximum is credited to the token where it stands (to
    all of them, in equal parts, where a review repeats itself), a mean to all tokens."""
    weight, bias = _output_weights(model, guards)
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
