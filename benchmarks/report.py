"""docs/benchmarks.md, of all figures that are kept: ratios first, then a part after the other."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks import cost, pictures
from benchmarks.million import tenths
from benchmarks.results import Conditions, Figures, Result
from benchmarks.timing import median
from model_training.documents import fill_section, table
from model_training.jobs.prices import AS_OF, hourly

PAGE, PLOTS = "benchmarks.md", "benchmarks"
README = Path("README.md")
WORDS = "230"
"""The length, in words, that the summary is of: the data set's mean."""
BATCH_INSTANCE = "ml.m5.large"
"""What a batch transform job is priced with: two vCPUs, one core."""

Rows = list[list[str]]
Results = Mapping[str, Result]


@dataclass(frozen=True)
class Section:
    """How one part is shown."""

    title: str
    write: Callable[[Figures], str]
    draw: Callable[[Path, Figures], None] | None = None
    caption: str = ""


@dataclass(frozen=True)
class Claim:
    """A line of the summary."""

    what: str
    found: float
    unit: str = "times"
    goal: float | None = None
    at_most: bool = False
    """Whether the goal is an upper bound."""

    def row(self) -> list[str]:
        """Of the table."""
        return [self.what, f"{number(self.found)} {self.unit}".strip(), self._goal()]

    def _goal(self) -> str:
        if self.goal is None:
            return ""
        met = self.found <= self.goal if self.at_most else self.found >= self.goal
        bound = f"at {'most' if self.at_most else 'least'} {self.goal:g}"
        return f"{bound}: {'met' if met else '**missed**'}"


def write_report(results: Results, docs: Path) -> None:
    """Fill the page, draw its plots, and fill README's table where there is room for it.

    Raises:
        ReeltoneError: the page is missing or has lost its marks.
    """
    for part, section in SECTIONS.items():
        if part in results and section.draw is not None:
            section.draw(docs / PLOTS / f"{part}.svg", results[part].figures)
    fill_section(docs / PAGE, "benchmarks", page(results))
    readme = docs.parent / README
    if readme.exists() and "<!-- speed:begin -->" in readme.read_text(encoding="utf-8"):
        fill_section(readme, "speed", summary(results))


def page(results: Results) -> str:
    """Everything between the page's marks."""
    if not results:
        return "Nothing has been measured yet."
    parts = [summary(results)]
    for part, section in SECTIONS.items():
        if part in results:
            parts.append(show(part, section, results[part]))
    if costs := cost_section(results):
        parts.append(costs)
    return "\n\n".join(parts)


def show(part: str, section: Section, result: Result) -> str:
    """One part: title, table, plot, conditions."""
    lines = [f"## {section.title}", "", section.write(result.figures), ""]
    if section.draw is not None:
        lines += [f"![{section.caption}]({PLOTS}/{part}.svg)", ""]
    return "\n".join([*lines, describe(part, result.conditions)])


def describe(part: str, conditions: Conditions) -> str:
    """Where, when and with what a part was measured."""
    before, after = conditions.load
    versions = ", ".join(f"{name} {version}" for name, version in conditions.versions.items())
    return (
        f"*`make bench ARGS={part}`, {conditions.when}: {conditions.machine}, {conditions.system}; "
        f"load average {before:g} before, {after:g} after {conditions.seconds:,.0f} s; "
        f"{', '.join(conditions.models.values())}; {versions}.*"
    )


# --- Summary --------------------------------------------------------------------------------------


def summary(results: Results) -> str:
    """The ratios, each with its goal where there is one."""
    found: list[Claim] = []
    for part, claim in CLAIMS.items():
        if part in results:
            found += claim(results[part].figures)
    return table(("what", "measured", "goal"), [claim.row() for claim in found])


def claim_text(figures: Figures) -> list[Claim]:
    """How many times as fast as the usual code."""
    rates = medians(figures["rates"])
    return [
        Claim(f"text processing, {name}: usual code's time", rates[name] / rates["usual"])
        for name in ("classic", "modern")
    ]


def claim_answers(figures: Figures) -> list[Claim]:
    """The whole answer."""
    times = figures["milliseconds"].get(WORDS)
    if times is None:
        return []
    usual, modern = times["usual"], times["modern"]
    return [
        Claim(
            f"one review of {WORDS} words, handler and endpoint: usual path's time",
            usual["p50"] / modern["p50"],
            goal=10,
        ),
        Claim("of such answers, p99 to p50", modern["p99"] / modern["p50"], goal=2, at_most=True),
    ]


def claim_batch(figures: Figures) -> list[Claim]:
    """What a batch gains."""
    sizes = figures["sizes"]
    rates = {size: median(found["reviews a second"]) for size, found in sizes.items()}
    return [
        Claim("64 reviews a request: reviews a second to one a request", rates["64"] / rates["1"])
    ]


def claim_start(figures: Figures) -> list[Claim]:
    """Starts outside Docker."""
    seconds = medians(figures["seconds"])
    return [
        Claim(
            "function's start to that of a bare boto3 client's, this Python",
            seconds["function"] / seconds["bare function"],
        ),
        Claim("endpoint, process to first /ping", seconds["endpoint"], "s", 1.5, at_most=True),
    ]


def claim_cold_start(figures: Figures) -> list[Claim]:
    """INIT in Lambda's container."""
    seconds = medians(figures["seconds"])
    ratio = seconds["function"] / seconds["bare function"]
    return [Claim("INIT in Lambda's container to a bare boto3 client's", ratio, "times", 1.4, True)]


def claim_load(figures: Figures) -> list[Claim]:
    """Errors under load."""
    most = max(level["users"] for level in figures["levels"])
    errors = sum(sum(level["errors"].values()) for level in figures["levels"])
    return [Claim(f"errors under 1 to {most} users at once", errors, "", 0, at_most=True)]


def claim_million(figures: Figures) -> list[Claim]:
    """Linear time, flat memory."""
    rates = tenths(figures["samples"])
    claims = [
        Claim(
            f"{figures['reviews']:,} reviews in one file: slowest to fastest tenth",
            min(rates) / max(rates),
        )
    ]
    memory = [megabytes for *_, megabytes in figures["samples"]]
    if None not in memory:
        early = max(memory[: max(1, len(memory) // 10)])
        claims.append(Claim("memory at their end to the first tenth's", memory[-1] / early))
    return claims


def claim_peers(figures: Figures) -> list[Claim]:
    """Speed to the peers'."""
    rates = {name: median(peer["rates"]) for name, peer in figures["peers"].items()}
    titles = {name: peer["title"] for name, peer in figures["peers"].items()}
    return [
        Claim(f"reviews a second to {titles[name]}'s, one core", rates["modern"] / rates[name])
        for name in rates
        if name not in ("modern", "classic")
    ]


CLAIMS: dict[str, Callable[[Figures], list[Claim]]] = {
    "text": claim_text,
    "answers": claim_answers,
    "peers": claim_peers,
    "batch": claim_batch,
    "million": claim_million,
    "cold-start": claim_cold_start,
    "start": claim_start,
    "load": claim_load,
}


# --- Parts ----------------------------------------------------------------------------------------


def write_text(figures: Figures) -> str:
    """Reviews a second."""
    rates = medians(figures["rates"])
    rows = [[name, times(rate / rates["usual"]), number(rate)] for name, rate in rates.items()]
    note = (
        f"Medians of {len(figures['rates']['usual'])} rounds of {figures['reviews']} "
        f"{figures['texts']}, the same for all. *Tidied* is the usual code with its stop words "
        "read once and one stemmer. *Modern* keeps punctuation, which is more tokens."
    )
    return note + "\n\n" + table(("code", "to the usual", "reviews a second"), rows)


def write_answers(figures: Figures) -> str:
    """Milliseconds by length."""
    rows: Rows = []
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


def write_limit(figures: Figures) -> str:
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


def draw_limit(path: Path, figures: Figures) -> None:
    """The parts of an answer's time."""
    pictures.draw_limit(path, time_parts(figures), "milliseconds of one core, 230 words")


def write_batch(figures: Figures) -> str:
    """Reviews a second and memory, by size."""
    sizes = figures["sizes"]
    one = median(sizes["1"]["reviews a second"])
    rows = []
    for size, found in sizes.items():
        rate = median(found["reviews a second"])
        peak = max(found["megabytes"], default=None)
        memory = "–" if peak is None else number(peak)
        rows.append([size, times(rate / one), number(rate), memory])
    heads = ("reviews a request", "to one a request", "reviews a second, one core", "peak, MB")
    note = (
        f"{figures['reviews']:,} {figures['texts']} as JSON Lines, text processing included, each "
        "size in processes of its own."
    )
    return note + "\n\n" + table(heads, rows)


def write_million(figures: Figures) -> str:
    """Totals, and how even the way was."""
    rates = tenths(figures["samples"])
    rows = [
        ["slowest to fastest tenth", times(min(rates) / max(rates))],
        ["reviews a second, all cores", number(figures["reviews"] / figures["seconds"])],
        ["minutes", number(figures["seconds"] / 60)],
    ]
    if again := figures["requests sent again"]:
        rows.append(["requests sent again, since no core was free", number(again)])
    spent = figures["samples"][-1][2]
    if spent is not None:
        rows.append(["of processor time, minutes", number(spent / 60)])
    memory = [megabytes for *_, megabytes in figures["samples"]]
    if None not in memory:
        last = len(memory) - 1
        for part, place in {"a tenth": last // 10, "half": last // 2, "all": last}.items():
            rows.append([f"memory of the endpoint after {part}, MB", number(memory[place])])
    if figures["peak megabytes"] is not None:
        rows.append(["its peak, MB", number(figures["peak megabytes"])])
    note = (
        f"{figures['reviews']:,} reviews, the {figures['texts']} over and over, in requests of "
        f"{number(figures['megabytes a request'])} MB, {figures['requests at a time']} at a time, "
        "as a Batch Transform job sends them."
    )
    return note + "\n\n" + table(("", "measured"), rows)


def write_start(figures: Figures) -> str:
    """Seconds and megabytes."""
    rows = [
        [name, number(median(seconds)), number(max(seconds))]
        for name, seconds in figures["seconds"].items()
    ]
    memory = [
        [name, number(value)] for name, value in figures["megabytes"].items() if value is not None
    ]
    shown = table(("start to first request, s", "median", "slowest"), rows)
    return shown + ("\n\n" + table(("resident when warm", "MB"), memory) if memory else "")


def write_cold_start(figures: Figures) -> str:
    """INIT in Lambda's container."""
    seconds = medians(figures["seconds"])
    rows = [
        [name, times(value / seconds["bare function"]), number(1000 * value)]
        for name, value in seconds.items()
    ]
    code = "with" if figures["byte code in the package"] else "**without**"
    note = (
        f"`{figures['image']}` with AWS's own runtime client and emulator; medians of "
        f"{len(figures['seconds']['function'])} starts each, in turn; package {code} byte code."
    )
    return note + "\n\n" + table(("INIT", "to the bare function", "ms"), rows)


def write_load(figures: Figures) -> str:
    """Levels."""
    rows = []
    for level in figures["levels"]:
        cells = [f"{level['users']}", number(level["answers a second"])]
        cells += [_or_dash(level[f"answer {name}"]) for name in ("p50", "p99")]
        cells += [f"{level['refused']:,}", _or_dash(level["refusal p99"])]
        rows.append([*cells, f"{sum(level['errors'].values()):,}"])
    heads = (
        *("users", "answers a second", "p50, ms", "p99, ms"),
        *("503 with Retry-After", "their p99, ms", "errors"),
    )
    seconds = min(level["seconds"] for level in figures["levels"])
    note = (
        f"`make run`'s stack and the users on the same cores, {seconds:.0f} s and until the last "
        "answer for each number of users, who ask again as soon as they have their answer."
    )
    return note + "\n\n" + table(heads, rows)


def write_peers(figures: Figures) -> str:
    """Speed and accuracy."""
    rates = {name: median(peer["rates"]) for name, peer in figures["peers"].items()}
    rows = []
    for name, peer in figures["peers"].items():
        ratio = times(rates["modern"] / rates[name])
        of = f"{peer['accuracy']:.4f} of {peer['of']:,}"
        rows.append([peer["title"], ratio, number(rates[name]), of, peer["version"]])
    heads = ("model", "modern's speed to it", "reviews a second, one core", "accuracy", "version")
    note = (
        f"One of the {figures['texts']} at a time, from text to verdict, each peer in turn on the "
        "same ones. An accuracy of fewer than 25,000 reviews is of a sample, with the peer's own "
        "threshold."
    )
    return note + "\n\n" + table(heads, rows)


SECTIONS: dict[str, Section] = {
    "text": Section("Text", write_text, pictures.draw_text, "Reviews a second of one core"),
    "answers": Section(
        "One review, end to end", write_answers, pictures.draw_answers, "Milliseconds by length"
    ),
    "limit": Section("Against the limit", write_limit, draw_limit, "Where the time goes"),
    "batch": Section("Many at a time", write_batch, pictures.draw_batch, "By size of a request"),
    "million": Section(
        "A large file", write_million, pictures.draw_million, "Time and memory on the way"
    ),
    "cold-start": Section("Cold start", write_cold_start),
    "start": Section("Starts on this machine", write_start),
    "load": Section("Under load", write_load, pictures.draw_load, "By number of users"),
    "peers": Section("Peers", write_peers, pictures.draw_peers, "Accuracy against speed"),
}


# --- Cost -----------------------------------------------------------------------------------------


def cost_section(results: Results) -> str:
    """Dollars for a million reviews, from the measured times."""
    if "answers" not in results:
        return ""
    given = assumptions(results)
    volumes = (1_000_000, 100_000_000)
    rows = [
        [name, *(f"{price(volume, given) * 1e6 / volume:,.2f}" for volume in volumes)]
        for name, price in cost.ROWS
    ]
    if "batch" in results:
        rate = median(results["batch"].figures["sizes"]["64"]["reviews a second"])
        dollars = 1e6 / rate / 3600 * hourly(BATCH_INSTANCE)
        rows.append([f"Reeltone by batch transform, {BATCH_INSTANCE}", *[f"{dollars:,.2f}"] * 2])
    note = (
        f"Text {number(given.text_ms)} ms, model with its server {number(given.model_ms)} ms, "
        f"DistilBERT {number(given.distilbert_ms)} ms, as measured above on one core; the other "
        "assumptions and all prices, with their sources, are in "
        f"[operations.md](operations.md#what-it-costs); batch transform's are of {AS_OF}, one "
        "core, without the minutes that a job takes to start. Standing costs are in it: who asks "
        "less pays more a review."
    )
    heads = (
        "dollars a million reviews",
        *(f"at {volume // 10**6} million a month" for volume in volumes),
    )
    return f"## Cost of a million reviews\n\n{note}\n\n{table(heads, rows)}"


def assumptions(results: Results) -> cost.Assumptions:
    """The cost's assumptions with the measured times in the place of the assumed ones."""
    ours = results["answers"].figures["parts"]["modern"]
    given = replace(cost.Assumptions(), text_ms=ours["text"], model_ms=ours["container"])
    if "peers" in results:
        milliseconds = results["peers"].figures["DistilBERT milliseconds"]
        given = replace(given, distilbert_ms=milliseconds)
    return given


# --- Numbers --------------------------------------------------------------------------------------


def medians(lists: Mapping[str, Sequence[float]]) -> dict[str, float]:
    """Of each list."""
    return {name: median(values) for name, values in lists.items()}


def number(value: float) -> str:
    """With about three digits, and none that mean nothing."""
    if value == int(value) or abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def times(ratio: float) -> str:
    """A ratio."""
    return f"{number(ratio)} ×"


def _or_dash(value: float | None) -> str:
    return "–" if value is None else number(value)
