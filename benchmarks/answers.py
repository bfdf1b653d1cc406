"""One review, end to end through handler and endpoint, warm, on one core: ours and the usual."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Callable
from contextlib import closing
from http.client import HTTPConnection
from itertools import cycle
from pathlib import Path

from benchmarks.chain import Application, Chain, reeltone, running, usual
from benchmarks.part import Bench, Claim, Part, number, times
from benchmarks.results import BenchmarkError, Figures
from benchmarks.timing import median, one_core, quantile, take_turns
from benchmarks.usual import Usual, review_to_words
from model_training.files import table
from model_training.paths import MODELS
from model_training.report.plots import BLUE, GREEN, GREY, picture
from model_training.serving.functions import JSON, input_fn, output_fn, predict_fn
from model_training.serving.scorer import Model, load_model

WORDS = (10, 100, 230, 1_000)
MEAN_WORDS = 230
"""Words of a review: the mean of the data set."""
TEXTS = 20
"""Different reviews of each length."""
APPLICATIONS: dict[str, Callable[[], Application]] = {
    "usual": usual,
    "classic": lambda: reeltone("classic"),
    "modern": reeltone,
    "modern, explained": lambda: reeltone(explain=True),
}
_STYLES = {"usual": (GREY, "x:"), "classic": (GREEN, "s--"), "modern": (BLUE, "o-")}
"""Of each line: colour and form."""
_OURS_A_TURN = 5
"""Requests of each of ours for one of the usual, which takes that much longer."""


def measure(bench: Bench) -> Figures:
    """For each length, p50 and p99 in milliseconds of each application; for the mean length, what
    text processing and the model take of it."""
    source, quick = bench.source, bench.quick
    turns = 2 if quick else 100
    with one_core(), contextlib.ExitStack() as stack:
        chains = {name: stack.enter_context(running(make())) for name, make in APPLICATIONS.items()}
        lengths = {
            str(words): measure_length(chains, source.of_length(words, TEXTS), turns)
            for words in (WORDS[:1] if quick else WORDS)
        }
        texts = source.of_length(MEAN_WORDS, TEXTS)
        parts = measure_parts(chains["modern"], chains["usual"], texts, 2 if quick else 200)
    return {"texts": source.name, "milliseconds": lengths, "parts": parts}


def measure_length(
    chains: dict[str, Chain], texts: list[str], turns: int
) -> dict[str, dict[str, float]]:
    """p50, p99 and number of the requests of each chain; they take turns."""
    times: dict[str, list[float]] = {name: [] for name in chains}
    reviews = cycle(texts)
    for _ in range(turns):
        for name, chain in chains.items():
            for _ in range(1 if name == "usual" else _OURS_A_TURN):
                times[name].append(1000 * chain.seconds(next(reviews)))
    return {name: summary(values) for name, values in times.items()}


def summary(milliseconds: list[float]) -> dict[str, float]:
    """Give what is kept of many times."""
    return {
        "p50": round(median(milliseconds), 3),
        "p99": round(quantile(milliseconds, 0.99), 3),
        "requests": len(milliseconds),
    }


def measure_parts(
    ours: Chain, other: Chain, texts: list[str], turns: int
) -> dict[str, dict[str, float]]:
    """Measure median milliseconds of text processing alone, of the container's own functions, and
    of the container by HTTP, which in the usual path has the text processing in it."""
    model, usual_model = load_model(MODELS / "modern"), Usual()
    reviews, words = cycle(texts), cycle([review_to_words(text) for text in texts])
    bodies = cycle([invocation(model, [text]) for text in texts])
    post = {
        "modern": poster(ours.container_url, JSON),
        "usual": poster(other.container_url, "text/plain"),
    }
    tasks: dict[str, dict[str, Callable[[], object]]] = {
        "modern": {
            "text": lambda: model.vocabulary.encode(next(reviews)),
            "model": lambda: answer(model, next(bodies)),
            "container": lambda: post["modern"](next(bodies)),
        },
        "usual": {
            "text": lambda: review_to_words(next(reviews)),
            "model": lambda: usual_model.score(next(words)),
            "container": lambda: post["usual"](next(reviews).encode()),
        },
    }
    rounds = {"modern": turns, "usual": max(2, turns // 10)}
    return {
        name: {
            part: round(1000 * median(seconds), 3)
            for part, seconds in take_turns(parts, rounds[name], time.perf_counter).items()
        }
        for name, parts in tasks.items()
    }


def poster(url: str, content_type: str) -> Callable[[bytes], object]:
    """Give a function that posts a body to a container, each time on a connection of its own:
    servers end those that wait too long for their turn."""
    host, _, port = url.removeprefix("http://").partition(":")

    def post(body: bytes) -> bytes:
        with closing(HTTPConnection(host, int(port))) as connection:
            connection.request("POST", "/invocations", body, {"content-type": content_type})
            response = connection.getresponse()
            found = response.read()
        if response.status != 200:
            raise BenchmarkError(f"the container answered {response.status}")
        return found

    return post


def invocation(model: Model, texts: list[str]) -> bytes:
    """Give what the function sends to the endpoint."""
    reviews = [model.vocabulary.encode_ids(text) for text in texts]
    request = model.vocabulary.make_request(reviews)
    return json.dumps(request | {"contributions": True}, separators=(",", ":")).encode()


def answer(model: Model, body: bytes) -> object:
    """Give what the container does with it."""
    return output_fn(predict_fn(input_fn(body, JSON), model), "*/*")


# --- What is shown --------------------------------------------------------------------------------


def claim(figures: Figures) -> list[Claim]:
    """Give the whole answer."""
    times = figures["milliseconds"].get(str(MEAN_WORDS))
    if times is None:
        return []
    usual, modern = times["usual"], times["modern"]
    return [
        Claim(
            f"one review of {MEAN_WORDS} words, handler and endpoint",
            usual["p50"] / modern["p50"],
            "times as fast as the usual path",
            goal=10,
        ),
        Claim("p99 of such answers", modern["p99"] / modern["p50"], "times their p50", 2, True),
    ]


def write(figures: Figures) -> str:
    """Write milliseconds by length."""
    rows: list[list[str]] = []
    for words, found in figures["milliseconds"].items():
        usual = found["usual"]["p50"]
        for name, each in found.items():
            p50, p99 = each["p50"], each["p99"]
            cells = [times(usual / p50), number(p50), number(p99), times(p99 / p50)]
            rows.append([f"{int(words):,}", name, *cells, f"{each['requests']:,}"])
    heads = ("words", "application", "to the usual", "p50, ms", "p99, ms", "p99 to p50", "requests")
    parts = figures["parts"]
    shares = [
        [name, *(number(found[part]) for part in ("text", "model", "container"))]
        for name, found in parts.items()
    ]
    inside = table(("230 words, ms", "text", "model's functions", "container, by HTTP"), shares)
    return f"{table(heads, rows)}\n\nOf which, by themselves:\n\n{inside}"


def draw(path: Path, figures: Figures) -> None:
    """Draw p50 (thick) and p99 of an answer by the review's length."""
    lengths = figures["milliseconds"]
    words = [int(length) for length in lengths]
    with picture(path, 8, 3.8) as figure:
        axes = figure.subplots()
        for name, (color, style) in _STYLES.items():
            for quantile_name, width in (("p50", 2.0), ("p99", 0.7)):
                values = [lengths[str(count)][name][quantile_name] for count in words]
                label = f"{name}, {quantile_name}"
                axes.plot(words, values, style, color=color, linewidth=width, label=label)
        axes.set(xscale="log", yscale="log", xlabel="words of the review", ylabel="milliseconds")
        axes.set_xticks(words, [f"{count:,}" for count in words])
        axes.minorticks_off()
        axes.yaxis.set_major_formatter("{x:g}")
        axes.legend(ncols=3)


PART = Part(
    name="answers",
    title="One review, end to end",
    measure=measure,
    write=write,
    claim=claim,
    draw=draw,
)
