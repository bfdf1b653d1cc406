"""A bundle that somebody else made is loaded as it should be, or refused with its fault named."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from model_training.errors import BundleError
from model_training.serving.bundle import MAX_BYTES
from model_training.serving.functions import Lines, Refusal, input_fn, predict_fn
from model_training.serving.scorer import load_model
from review_text import MODERN, Vocabulary, build_vocabulary
from tests.canary import CANARY, find_traces
from tests.unit.model_training.toy_bundle import make_toy_bundle

Change = Callable[[onnx.ModelProto], None]


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    vocabulary = build_vocabulary(["a wonderful film", "a dreadful film"], MODERN)
    return make_toy_bundle(tmp_path / "toy", vocabulary)


def change_graph(bundle: Path, change: Change) -> None:
    model = onnx.load(bundle / "model.onnx")
    change(model)
    (bundle / "model.onnx").write_bytes(model.SerializeToString())


def change_manifest(bundle: Path, **members: Any) -> None:
    path = bundle / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | members))


def refusal(bundle: Path) -> str:
    with pytest.raises(BundleError) as caught:
        load_model(bundle)
    return str(caught.value)


# --- manifest.json ---


@pytest.mark.parametrize("name", ["temperature", "bias"])
@pytest.mark.parametrize(
    "value",
    [None, "1.5", True, [], {}, 10**400, -(10**400), 1e6, -1e6],
    ids=lambda value: str(value)[:10],
)
def test_what_is_no_number_in_bounds_is_named(bundle: Path, name: str, value: Any) -> None:
    change_manifest(bundle, **{name: value})
    assert f"manifest.json: {name} = " in refusal(bundle)
    assert len(refusal(bundle)) < 500


@pytest.mark.parametrize("value", [0, 0.0, -0.0, -1, 5e-324])
def test_a_temperature_that_nothing_can_be_divided_by_is_named(bundle: Path, value: float) -> None:
    change_manifest(bundle, temperature=value)
    assert f"temperature = {value!r}; use a number from 0.01 to 100.0" in refusal(bundle)


@pytest.mark.parametrize("value", ["NaN", "Infinity", "-Infinity", "1e999"])
def test_numbers_that_are_none_are_refused(bundle: Path, value: str) -> None:
    path = bundle / "manifest.json"
    path.write_text(path.read_text().replace('"temperature": 2.0', f'"temperature": {value}'))
    assert "manifest.json" in refusal(bundle)


@pytest.mark.parametrize("name", ["name", "version", "vocabulary"])
@pytest.mark.parametrize("value", [None, 7, "", ["a"]])
def test_what_is_no_text_is_named(bundle: Path, name: str, value: Any) -> None:
    change_manifest(bundle, **{name: value})
    assert f"manifest.json: {name} = {value!r}; use a text" in refusal(bundle)


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"\xff\xfe\xff", b'{"a": ' * 100_000, b"[" * 100_000, b"1" * 5_000],
    ids=["empty", "cut", "no text", "deep object", "deep array", "endless number"],
)
def test_a_manifest_that_is_not_json_is_named(bundle: Path, content: bytes) -> None:
    (bundle / "manifest.json").write_bytes(content)
    assert "manifest.json" in refusal(bundle)


@pytest.mark.parametrize("content", ["[]", "null", "3", '"text"'])
def test_a_manifest_that_is_no_object_is_named(bundle: Path, content: str) -> None:
    (bundle / "manifest.json").write_text(content)
    assert refusal(bundle).endswith("manifest.json is not a JSON object")


def test_a_manifest_of_megabytes_is_not_read(bundle: Path) -> None:
    change_manifest(bundle, padding="x" * 100_000)
    assert "at most 65,536 are read" in refusal(bundle)


# --- The files ---


@pytest.mark.parametrize("name", ["manifest.json", "model.onnx"])
def test_a_link_in_the_place_of_a_file_is_refused(bundle: Path, tmp_path: Path, name: str) -> None:
    (bundle / name).rename(tmp_path / name)
    (bundle / name).symlink_to(tmp_path / name)
    assert refusal(bundle).endswith(f"is not a complete bundle: {name} is no file there")


@pytest.mark.parametrize("name", ["manifest.json", "vocabulary.json", "model.onnx"])
def test_a_folder_in_the_place_of_a_file_is_refused(bundle: Path, name: str) -> None:
    (bundle / name).unlink()
    (bundle / name).mkdir()
    assert "is not a complete bundle" in refusal(bundle)


def test_a_graph_that_is_too_large_is_not_read(
    bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(MAX_BYTES, "model.onnx", 100)
    assert "at most 100 are read" in refusal(bundle)


# --- model.onnx ---


@pytest.mark.parametrize("keep", [0, 1, 100, -1])
def test_a_cut_graph_is_refused(bundle: Path, keep: int) -> None:
    content = (bundle / "model.onnx").read_bytes()
    (bundle / "model.onnx").write_bytes(content[:keep])
    assert "model.onnx" in refusal(bundle)


@pytest.mark.parametrize("seed", range(5))
def test_a_corrupt_graph_is_refused_or_answers(bundle: Path, seed: int) -> None:
    random = np.random.default_rng(seed)
    content = bytearray((bundle / "model.onnx").read_bytes())
    for at in random.integers(0, len(content), 40):
        content[at] = random.integers(256)
    (bundle / "model.onnx").write_bytes(content)
    try:
        load_model(bundle)
    except BundleError as error:
        assert "model.onnx" in str(error)


def make_external(model: onnx.ModelProto, location: str) -> None:
    [weights] = [tensor for tensor in model.graph.initializer if tensor.name == "weights"]
    weights.ClearField("raw_data")
    weights.data_location = TensorProto.EXTERNAL
    entry = weights.external_data.add()
    entry.key, entry.value = "location", location


@pytest.mark.parametrize(
    "form", ["../secret", "{folder}/secret", "link", "hard", "beside", "x/../../secret"]
)
def test_weights_of_another_file_are_never_read(
    bundle: Path, tmp_path: Path, form: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    graph = onnx.load(bundle / "model.onnx").graph
    [weights] = [tensor for tensor in graph.initializer if tensor.name == "weights"]
    (tmp_path / "secret").write_bytes(weights.raw_data)
    (bundle / "link").symlink_to(tmp_path / "secret")
    (bundle / "hard").hardlink_to(tmp_path / "secret")
    (bundle / "beside").write_bytes(weights.raw_data)
    monkeypatch.chdir(bundle)  # where onnxruntime might look
    (bundle / "x").mkdir()
    change_graph(bundle, lambda model: make_external(model, form.format(folder=tmp_path)))
    assert "model.onnx cannot be loaded" in refusal(bundle)


def test_an_operator_that_onnxruntime_does_not_have_is_refused(bundle: Path) -> None:
    def change(model: onnx.ModelProto) -> None:
        model.graph.node[0].domain = "com.example"
        model.opset_import.append(helper.make_opsetid("com.example", 1))

    change_graph(bundle, change)
    assert "model.onnx cannot be loaded" in refusal(bundle)


def rename_input(model: onnx.ModelProto) -> None:
    model.graph.input.append(helper.make_tensor_value_info("more", TensorProto.INT32, ["N"]))


def widen_input(model: onnx.ModelProto) -> None:
    model.graph.input[1].type.tensor_type.elem_type = TensorProto.INT64


def flatten_input(model: onnx.ModelProto) -> None:
    model.graph.input[1].type.tensor_type.shape.dim.add().dim_param = "M"


@pytest.mark.parametrize("change", [rename_input, widen_input, flatten_input])
def test_a_graph_with_other_inputs_says_what_it_takes_and_should_take(
    bundle: Path, change: Change
) -> None:
    change_graph(bundle, change)
    message = refusal(bundle)
    assert "model.onnx takes " in message
    assert "it should take windows: tensor(int32) of 2 dimensions" in message


def drop_output(model: onnx.ModelProto) -> None:
    del model.graph.output[1]


def rename_output(model: onnx.ModelProto) -> None:
    model.graph.node[-1].output[0] = model.graph.output[0].name = "verdicts"


@pytest.mark.parametrize("change", [drop_output, rename_output])
def test_a_graph_with_other_outputs_says_what_it_gives_and_should_give(
    bundle: Path, change: Change
) -> None:
    change_graph(bundle, change)
    message = refusal(bundle)
    assert "model.onnx gives " in message
    assert "it should give logits: tensor(float) of 1 dimensions" in message


def replace_weights(bundle: Path, values: np.ndarray[Any, Any]) -> None:
    def change(model: onnx.ModelProto) -> None:
        [weights] = [tensor for tensor in model.graph.initializer if tensor.name == "weights"]
        weights.CopyFrom(numpy_helper.from_array(values.astype(np.float32), "weights"))

    change_graph(bundle, change)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_graph_whose_answers_are_no_numbers_is_refused(bundle: Path, value: float) -> None:
    replace_weights(bundle, np.full(100, value))
    assert refusal(bundle).endswith("model.onnx gives numbers that are not finite")


def test_a_graph_for_fewer_words_than_the_vocabulary_has_is_refused(bundle: Path) -> None:
    replace_weights(bundle, np.zeros(2))
    assert "model.onnx cannot score a review" in refusal(bundle)


def test_a_graph_with_too_few_contributions_is_refused(bundle: Path) -> None:
    def change(model: onnx.ModelProto) -> None:
        [contributions] = [node for node in model.graph.node if node.op_type == "Reshape"]
        contributions.output[0] = "whole"
        summed = model.graph.node.pop()
        summed.input[0] = "whole"
        cut = helper.make_node("Slice", ["whole", "zero", "one", "one"], ["contributions"])
        model.graph.node.extend([summed, cut])
        zero = numpy_helper.from_array(np.array([0, 0]), "zero")
        model.graph.initializer.append(zero)

    change_graph(bundle, change)
    assert "model.onnx" in refusal(bundle)


# --- Whatever happens behind the four functions is an answer ---


class Faulty:
    """A vocabulary that fails with the review in its message."""

    settings = MODERN

    def encode(self, text: str) -> Any:
        raise KeyError(text)


def test_an_unforeseen_error_is_a_refusal_and_its_message_stays_out_of_answer_and_log(
    bundle: Path, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    model = load_model(bundle)
    vars(model)["vocabulary"] = Faulty()
    line = json.dumps({"review": CANARY})
    lines = input_fn(line.encode(), "application/jsonlines")
    assert isinstance(lines, Lines)
    with caplog.at_level(logging.DEBUG):
        answer = predict_fn(lines, model)
    assert isinstance(answer, Refusal)
    assert (answer.status, json.loads(answer.body)["error"]) == (500, "internal")
    assert "KeyError at functions.py:" in caplog.text
    written = capfd.readouterr()
    assert find_traces(answer.body + caplog.text + written.out + written.err) == []


def test_a_vocabulary_of_the_bundles_own_stays_whole(bundle: Path) -> None:
    assert isinstance(load_model(bundle).vocabulary, Vocabulary)
