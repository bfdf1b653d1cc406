"""Bytes of a fuzzer → an input → its invariants; what inputs are kept, how long each may take.

Time is processor time, which other programs do not use up: libFuzzer knows the time of day only.
"""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable, Iterable
from functools import cache, wraps
from hashlib import sha1
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from model_training.paths import MODELS
from model_training.serving.functions import JSON, JSON_LINES, model_fn
from model_training.serving.scorer import Model
from review_text import Vocabulary, load_vocabulary
from tests.fuzz.invariants import (
    check_encoded_together,
    check_function_request,
    check_request,
    check_text,
)

ROOT = Path(__file__).resolve().parents[2]
MAX_INPUT_BYTES = 4_096
"""Maximum input, bytes; the linear-time tests have long ones."""
SEPARATOR = "\x1e"
"""Between the reviews of one input."""


def decode(data: bytes) -> str:
    """Any text, lone surrogates among it: bytes that are no UTF-8 become surrogates."""
    return data.decode("utf-8", "surrogateescape")


@cache
def load_words(name: str) -> Vocabulary:
    """The vocabulary of a shipped bundle."""
    return load_vocabulary(MODELS / name / "vocabulary.json")


@cache
def load_model(name: str) -> Model:
    """The model of a shipped bundle."""
    return model_fn(str(MODELS / name))


def modern_text(data: bytes) -> None:
    """Text with the vocabulary *modern*."""
    check_text(decode(data), load_words("modern"))


def classic_text(data: bytes) -> None:
    """Text with the vocabulary *classic*."""
    check_text(decode(data), load_words("classic"))


def endpoint_json(data: bytes) -> None:
    """A JSON request; ``$`` stands for the fingerprint and ``~`` for the padding of a short window,
    neither of which a fuzzer would guess."""
    model = load_model("classic")
    padding = b",0" * (model.vocabulary.settings.window - 2)
    request = data.replace(b"$", model.vocabulary.fingerprint.encode()).replace(b"~", padding)
    check_request(request, JSON, model)


def endpoint_lines(data: bytes) -> None:
    """Lines of JSON, and the same reviews' ids together and alone."""
    model = load_model("classic")
    check_request(data, JSON_LINES, model)
    texts = [line for line in decode(data).split(SEPARATOR) if line][:3]
    check_encoded_together(texts, model)


def function_request(data: bytes) -> None:
    """A request as HTTP writes it, with line feeds alone: method and path, headers, body."""
    head, _, body = data.partition(b"\n\n")
    first, *lines = head.decode("latin-1").split("\n")
    method, _, path = first.partition(" ")
    headers = dict(line.partition(": ")[::2] for line in lines)
    check_function_request(method, path, headers, body, "classic", load_model("classic"))


TARGETS: dict[str, Callable[[bytes], None]] = {
    target.__name__: target
    for target in (
        *(modern_text, classic_text),
        *(endpoint_json, endpoint_lines, function_request),
    )
}

SEEDS: dict[str, list[str]] = {
    "text": [
        "Not <b>bad</b> at all!<br /><br />I'd give it 8/10 :-) caf&eacute; &#146;quoted&#146;",
        "It’s the film's fault... really?!?! soooooo GOOD \U0001f44d\U0001f3fd __x__ 7.5 --",
        "<script>no</script><rt>x</rt><!-- c --><p it's a='>b'>y</p> &amp &#0; &#x1F600; İ ﬁ",
        'e\u0301\u200bx\u00ad \ufeff\u2028\x00\r\n J. R. Smith, Mr. X. End." (So.) <br>Now',
    ],
    "endpoint_json": [
        '{"vocabulary":"$","windows":[[2,3~],[4,0~]],"lengths":[2,1],"contributions":true}',
        '{"vocabulary":"$","windows":[],"lengths":[]}',
        '{"vocabulary":"x","windows":[[1,0~]],"lengths":[1],"contributions":false}',
    ],
    "endpoint_lines": [
        '{"id":7,"review":"A fine film"}\n{"review":"dull \\ud800"}\n\n{"id":"x","review":3}',
        "{\n[]\nnull\n" + SEPARATOR + "good film" + SEPARATOR + "bad",
    ],
    "function_request": [
        'POST /api/sentiment\ncontent-type: application/json\n\n{"review":"A fine film"}',
        'POST /api/sentiments\nContent-Type: Application/JSON; charset="UTF-8"\n\n'
        '{"reviews":["good",""," ",7,"bad"],"explain":true}',
        "POST /api/sentiment\ncontent-type: text/plain;charset=iso-8859-1\n\ncafé",
        "POST /api/sentiment\ncontent-type: text/plain; charset=utf-16\n\nf\x00i\x00l\x00m\x00",
        "GET /api/model\nhost: film\n\n",
        "DELETE /api/health\n\n",
    ],
}


def seeds(name: str) -> list[bytes]:
    """What the search for inputs of a target starts from."""
    return [seed.encode() for seed in SEEDS["text" if name.endswith("text") else name]]


def json_strings() -> list[str]:
    """Pieces that the fuzzer may put into its inputs."""
    names = ["id", "review", "reviews", "explain", "vocabulary", "contributions"]
    names += ["windows", "lengths", "effects"]
    fields = [json.dumps(name) for name in names]
    markup = ["<br />", "<script>", "</script>", "<rt>", "</rt>", "<!--", "-->", "&amp;", "&#x"]
    heads = ["POST ", "/api/sentiments", "content-type: ", "text/plain", "charset=", "windows-1252"]
    return [*fields, *markup, *heads, "true", "1e999", "\\ud800", "[[", "]]"]


ARCHIVES = Path(__file__).parent
MAX_CORPUS_BYTES = 60_000
"""Maximum size of a target's inputs, bytes before compression."""


def locate_archive(name: str) -> Path:
    """Name the archive of a target's inputs, as OSS-Fuzz expects it."""
    return ARCHIVES / f"{name}_seed_corpus.zip"


def read_corpus(name: str) -> list[bytes]:
    """Read the kept inputs of a target, smallest first."""
    with ZipFile(locate_archive(name)) as archive:
        return [archive.read(member) for member in archive.namelist()]


def write_corpus(name: str, inputs: Iterable[bytes]) -> None:
    """Keep the smallest inputs of a target, as far as the room goes.

    The same inputs give the same bytes, so an archive changes only where its inputs do.
    """
    room = MAX_CORPUS_BYTES
    with ZipFile(locate_archive(name), "w", ZIP_DEFLATED, compresslevel=9) as archive:
        for data in sorted(set(inputs), key=lambda data: (len(data), data)):
            room -= len(data)
            if room < 0:
                break
            archive.writestr(ZipInfo(name_input(data)), data, ZIP_DEFLATED)


def unpack_corpus(name: str, folder: Path) -> None:
    """Write the kept inputs of a target into ``folder``, for libFuzzer to start from."""
    for data in read_corpus(name):
        (folder / name_input(data)).write_bytes(data)


def name_input(data: bytes) -> str:
    """Name an input as libFuzzer does, so that it is never there twice."""
    return sha1(data, usedforsecurity=False).hexdigest()


SECONDS = "REELTONE_FUZZ_SECONDS"
"""The environment variable that says how much time a search has."""
SLOW_SECONDS = 10
"""An input that takes longer breaks a rule."""

Target = Callable[[bytes], None]


def limit_search() -> None:
    """End a search when its time is used up."""
    if seconds := os.environ.get(SECONDS):
        signal.signal(signal.SIGPROF, _end)
        signal.setitimer(signal.ITIMER_PROF, float(seconds))


def limit_inputs(target: Target) -> Target:
    """A target that fails where an input takes too long."""

    @wraps(target)
    def limited(data: bytes) -> None:
        signal.setitimer(signal.ITIMER_VIRTUAL, SLOW_SECONDS)
        try:
            target(data)
        finally:
            signal.setitimer(signal.ITIMER_VIRTUAL, 0)

    signal.signal(signal.SIGVTALRM, _fail)
    return limited


def _end(*_: object) -> None:
    os.kill(os.getpid(), signal.SIGUSR1)  # libFuzzer then ends in order, and says what it did


def _fail(*_: object) -> None:
    raise AssertionError(f"the input takes more than {SLOW_SECONDS} s of processor time")
