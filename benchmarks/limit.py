"""How near the model comes to what one core can do, and where the rest of the time goes.

Operations are counted from the shapes that the graph really had, as onnxruntime's profiler reports
them, and compared with the core's peak: the best of several products of large square matrices, in
fp32 (NumPy's BLAS) and in int8 (onnxruntime's MatMulInteger, unsigned by signed). A third peak is
the one that a recurrent network can reach: products of the shape of one step, the same again and
again, for a step must wait for the one before.
"""

from __future__ import annotations

import json
import math
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from benchmarks.answers import MEAN_WORDS, answer, invocation
from benchmarks.part import Bench, Part, number
from benchmarks.results import Figures
from benchmarks.timing import median, one_core
from model_training.files import table
from model_training.paths import MODELS
from model_training.report.plots import BLUE, picture
from model_training.serving.scorer import Model, load_model

MODEL = "modern"
_LSTMS = ("LSTM", "DynamicQuantizeLSTM")
_PRODUCTS = ("MatMul", "Gemm", "FusedMatMul", "MatMulInteger", "DynamicQuantizeMatMul")
Shape = tuple[int, ...]


@dataclass(frozen=True)
class Node:
    """One operator of a run, as the profiler saw it."""

    name: str
    operator: str
    microseconds: float
    """Median of several runs."""
    inputs: list[Shape]
    outputs: list[Shape]


def measure(bench: Bench) -> Figures:
    """Times, operations and peaks for a review of 230 words on one core."""
    source, quick = bench.source, bench.quick
    runs = 3 if quick else 100
    with one_core(), threadpool_limits(1):
        model = load_model(MODELS / MODEL)
        [text] = source.of_length(MEAN_WORDS, 1)
        ids = model.vocabulary.encode_ids(text)
        body = invocation(model, [text])
        milliseconds = {
            "text": time_of(lambda: model.vocabulary.encode(text), runs),
            "graph": time_of(lambda: model.score([ids], contributions=False), runs),
            "container's functions": time_of(lambda: answer(model, body), runs),
        }
        nodes = profile(model, ids, runs)
        weights = lstm_weights(MODELS / MODEL / "model.onnx")
        return {
            "texts": source.name,
            "words": MEAN_WORDS,
            "tokens": len(ids),
            "milliseconds": milliseconds,
            "operators": share_by_operator(nodes),
            "operations": sum(operations(node, weights) for node in nodes),
            "operations of the LSTMs": sum(
                operations(node, weights) for node in nodes if node.operator in _LSTMS
            ),
            "peaks": peaks(nodes, weights, quick),
        }


def time_of(task: Callable[[], object], runs: int) -> float:
    """Median milliseconds of processor time."""
    times = []
    for _ in range(runs):
        started = time.process_time()
        task()
        times.append(time.process_time() - started)
    return round(1000 * median(times), 4)


def profile(model: Model, ids: list[int], runs: int) -> list[Node]:
    """Each operator's time and shapes, from onnxruntime's own profiler."""
    with tempfile.TemporaryDirectory() as folder:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 3
        options.enable_profiling = True
        options.profile_file_prefix = str(Path(folder) / "profile")
        session = onnxruntime.InferenceSession(
            str(MODELS / MODEL / "model.onnx"), options, providers=["CPUExecutionProvider"]
        )
        watched = replace(model, session=session)
        for _ in range(runs):
            watched.score([ids], contributions=False)
        events = json.loads(Path(session.end_profiling()).read_text())
    return read_profile(events)


def read_profile(events: list[dict[str, Any]]) -> list[Node]:
    """The operators of a profile; each once, with its median time."""
    seen: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for event in events:
        if event.get("cat") == "Node" and event["name"].endswith("_kernel_time"):
            seen[event["name"].removesuffix("_kernel_time")].append(event)
    return [
        Node(
            name,
            found[0]["args"]["op_name"],
            median([event["dur"] for event in found]),
            _shapes(found[-1]["args"]["input_type_shape"]),
            _shapes(found[-1]["args"]["output_type_shape"]),
        )
        for name, found in seen.items()
    ]


def _shapes(listed: list[dict[str, list[int]]]) -> list[Shape]:
    return [tuple(shape) for entry in listed for shape in entry.values()]


def lstm_weights(graph: Path) -> dict[str, tuple[int, int, int]]:
    """For each LSTM of the graph: directions, what it reads at a step, and its units."""
    model = onnx.load(str(graph), load_external_data=False)
    dims = {constant.name: tuple(constant.dims) for constant in model.graph.initializer}
    found = {}
    for node in model.graph.node:
        if node.op_type in _LSTMS:
            units = next(a.i for a in node.attribute if a.name == "hidden_size")
            directions, *rest = dims[node.input[1]]
            # [4·units, read] in ONNX's operator, [read, 4·units] in onnxruntime's own.
            read = math.prod(rest) // (4 * units)
            found[node.output[0]] = (directions, read, units)
    return found


def operations(node: Node, weights: dict[str, tuple[int, int, int]]) -> int:
    """Multiplications and additions; of what is not a product, one for each number."""
    numbers = max(map(math.prod, node.inputs + node.outputs), default=0)
    if node.operator in _LSTMS:
        directions, read, units = weights[node.name]
        steps, _, windows, _ = node.outputs[0]
        return 2 * steps * windows * directions * 4 * units * (read + units)
    if node.operator in _PRODUCTS:
        return 2 * math.prod(node.outputs[0]) * node.inputs[0][-1]
    return numbers


def share_by_operator(nodes: list[Node]) -> dict[str, float]:
    """Share of the graph's time, from the largest on."""
    times: dict[str, float] = defaultdict(float)
    for node in nodes:
        times[node.operator] += node.microseconds
    total = sum(times.values())
    ranked = sorted(times.items(), key=lambda item: -item[1])
    return {operator: round(each / total, 5) for operator, each in ranked}


def peaks(
    nodes: list[Node], weights: dict[str, tuple[int, int, int]], quick: bool
) -> dict[str, float]:
    """Operations a second (10^9) of products of matrices on this core."""
    size, runs = (128, 3) if quick else (2_048, 9)
    found = {"fp32": fp32_product(size, runs), "int8": int8_product(size, size, size, runs)}
    for node in nodes:
        if node.operator == "DynamicQuantizeLSTM":
            _, _, units = weights[node.name]
            windows = node.outputs[0][2]
            found["int8, one step"] = int8_product(windows, units, 4 * units, 20 * runs)
    return {name: round(each, 1) for name, each in found.items()}


def fp32_product(size: int, runs: int) -> float:
    """10^9 operations a second of [size, size] by [size, size] in NumPy, the best of several."""
    matrix = np.random.default_rng(0).standard_normal((size, size)).astype(np.float32)
    return _best(lambda: matrix @ matrix, 2 * size**3, runs)


def int8_product(rows: int, inner: int, columns: int, runs: int) -> float:
    """10^9 operations a second of [rows, inner] uint8 by [inner, columns] int8."""
    random = np.random.default_rng(0)
    right = random.integers(-63, 63, (inner, columns)).astype(np.int8)
    left = random.integers(0, 255, (rows, inner)).astype(np.uint8)
    graph = helper.make_graph(
        [helper.make_node("MatMulInteger", ["left", "right"], ["product"])],
        "product",
        [helper.make_tensor_value_info("left", TensorProto.UINT8, [rows, inner])],
        [helper.make_tensor_value_info("product", TensorProto.INT32, [rows, columns])],
        [numpy_helper.from_array(right, "right")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    return _best(lambda: session.run(None, {"left": left}), 2 * rows * inner * columns, runs)


def _best(task: Callable[[], object], count: int, runs: int) -> float:
    task()
    best = math.inf
    for _ in range(runs):
        started = time.perf_counter()
        task()
        best = min(best, time.perf_counter() - started)
    return count / best / 1e9


# --- What is shown --------------------------------------------------------------------------------


def time_parts(figures: Figures) -> list[tuple[str, float]]:
    """Milliseconds by what takes them: operators from the largest on, small ones together."""
    milliseconds = figures["milliseconds"]
    graph = milliseconds["graph"]
    shares = list(figures["operators"].items())
    parts = [("text processing", milliseconds["text"])]
    parts += [(f"graph: {name}", share * graph) for name, share in shares[:5]]
    parts.append(("graph: all other operators", sum(share for _, share in shares[5:]) * graph))
    around = max(0.0, milliseconds["container's functions"] - graph)
    return [*parts, ("JSON and checks around the graph", around)]


def write(figures: Figures) -> str:
    """Operations, peaks and shares."""
    milliseconds = figures["milliseconds"]
    rate = figures["operations"] / milliseconds["graph"] / 1e6  # 10^9 a second
    rows = [
        [f"peak, {name}", number(peak), f"{rate / peak:.0%}"]
        for name, peak in figures["peaks"].items()
    ]
    rows.insert(0, ["the model", number(rate), ""])
    note = (
        f"A review of {figures['words']} words is {figures['tokens']} tokens, and "
        f"{number(figures['operations'] / 1e9)} × 10⁹ operations, "
        f"{figures['operations of the LSTMs'] / figures['operations']:.1%} of them the LSTMs'. "
        f"The graph takes {number(milliseconds['graph'])} ms of one core."
    )
    heads = ("10⁹ operations a second", "measured", "reached by the model")
    parts = [[name, number(value)] for name, value in time_parts(figures)]
    shares = table(("where the time goes", "ms"), parts)
    return f"{note}\n\n{table(heads, rows)}\n\n{shares}"


def draw(path: Path, figures: Figures) -> None:
    """What takes the time of one answer, part by part."""
    parts = time_parts(figures)
    with picture(path, 8, 0.34 * len(parts) + 1) as figure:
        axes = figure.subplots()
        places = np.arange(len(parts))
        axes.barh(places, [value for _, value in parts], 0.7, color=BLUE)
        axes.set_yticks(places, [name for name, _ in parts])
        axes.invert_yaxis()
        axes.set_xlabel("milliseconds of one core, 230 words")


PART = Part(
    name="limit",
    title="Against the limit",
    measure=measure,
    write=write,
    draw=draw,
    caption="Where the time goes",
)
