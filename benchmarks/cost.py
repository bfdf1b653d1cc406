"""What a month of Reeltone costs on AWS, and what else it would cost.

    .venv/bin/python -m benchmarks.cost

Dollars in us-east-1 and what is like it elsewhere, without taxes, discounts and free tiers, as read
on 2026-11-22 (AWS) and 2026-11-30 (others). Writes what docs/operations.md says of costs, with the
times that were measured last.
"""

from __future__ import annotations

import math
import sys
from argparse import ArgumentParser
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from textwrap import fill

from benchmarks.results import Result, load_results
from model_training.errors import ReeltoneError
from model_training.files import fill_section, run_command, table
from model_training.jobs.prices import AS_OF, SERVERLESS, hourly
from model_training.paths import DOCS

VOLUMES = (0, 10_000, 1_000_000, 100_000_000)
"""Reviews a month."""
MONTH_HOURS = 730
LARGE_INSTANCE = "ml.c5.xlarge"
"""What the upload bucket's jobs run on: four vCPUs, two cores."""

Tiers = tuple[tuple[float, float], ...]
"""(units, dollars a unit): the first so many units at that price, then the next line's."""


@dataclass(frozen=True)
class Price:
    """What is charged for one unit, or for one unit of each tier."""

    item: str
    unit: str
    tiers: Tiers
    source: str

    def of(self, units: float) -> float:
        """Give dollars for so many units."""
        dollars = 0.0
        for size, price in self.tiers:
            part = min(units, size)
            dollars += part * price
            units -= part
        return dollars


def _flat(price: float) -> Tiers:
    return ((math.inf, price),)


API = Price(
    "HTTP API",
    "million requests",
    ((300, 1.00), (math.inf, 0.90)),
    "AWS whitepaper on private APIs",
)
CDN_REQUESTS = Price("CloudFront", "million HTTPS requests", _flat(1.00), "Wring, 2026-03")
CDN_OUT = Price("CloudFront", "GB out", _flat(0.085), "AWS's CloudFront page")
FUNCTION_REQUESTS = Price("Lambda", "million requests", _flat(0.20), "Cloudchipr")
FUNCTION_TIME = Price("Lambda, x86_64", "GB-second", _flat(0.0000166667), "Cloudchipr")
ENDPOINT_TIME = Price(
    "SageMaker serverless", "GB-second", _flat(SERVERLESS), "price list of 2026-09-01, as quoted"
)
ENDPOINT_DATA = Price(
    "SageMaker endpoint", "GB in or out", _flat(0.016), "a bill of 2023, EU (Ireland)"
)
INSTANCE = Price("ml.m4.xlarge, always on", "hour", _flat(0.24), "**not verified**")
LOGS = Price("CloudWatch Logs", "GB", _flat(0.50), "FactualMinds, 2026-06")
ALARM = Price("CloudWatch", "alarm and month", _flat(0.10), "c3x")
DASHBOARD = Price("CloudWatch", "dashboard and month", _flat(3.00), "FactualMinds, 2026-06")
METRIC = Price("CloudWatch", "own metric and month", _flat(0.30), "SigNoz, 2026-02")
STORAGE = Price("S3", "GB and month", _flat(0.023), "DevNotes")
QUEUE = Price("SQS", "million requests", _flat(0.40), "CloudBurn, 2026-03")
JOB_TIME = Price(
    f"SageMaker batch transform, {LARGE_INSTANCE}",
    "hour",
    _flat(hourly(LARGE_INSTANCE)),
    f"public tables, {AS_OF}",
)
COMPREHEND = Price(
    "Comprehend, sentiment",
    "100 characters",
    ((10e6, 0.0001), (40e6, 0.00005), (math.inf, 0.000025)),
    "CloudZero for the first tier; tiers from public code",
)
CLOUD_RUN_CPU = Price(
    "Cloud Run, by request", "vCPU-second", _flat(0.000024), "Google's Cloud Run page"
)
CLOUD_RUN_MEMORY = Price(
    "Cloud Run, by request", "GiB-second", _flat(0.0000025), "Google's Cloud Run page"
)
CLOUD_RUN_REQUESTS = Price("Cloud Run", "million requests", _flat(0.40), "Cloudchipr")
GOOGLE_OUT = Price("Google Cloud", "GB out", _flat(0.12), "CloudWebSchool")
CONTAINER_APPS_CPU = Price(
    "Azure Container Apps, active", "vCPU-second", _flat(0.000024), RETAIL := "Azure's price API"
)
CONTAINER_APPS_MEMORY = Price("Azure Container Apps, active", "GiB-second", _flat(0.000003), RETAIL)
CONTAINER_APPS_REQUESTS = Price("Azure Container Apps", "million requests", _flat(0.40), RETAIL)
AZURE_OUT = Price("Azure", "GB out", _flat(0.087), "public documents")
MACHINE = Price(
    "Lightsail, 4 GB, traffic included", "month", _flat(24.00), "AWS's guide to Lightsail's bill"
)
GOOGLE_LANGUAGE = Price(
    "Google Natural Language, sentiment",
    "1,000 characters",
    ((1e6, 0.001), (4e6, 0.0005), (math.inf, 0.00025)),
    "public documents",
)
AZURE_LANGUAGE = Price(
    "Azure Language, sentiment",
    "1,000 characters",
    _flat(0.001),
    "public documents for the first 500,000; **not verified** beyond",
)
PRICES = [price for price in list(globals().values()) if isinstance(price, Price)]
"""All of the above."""


@dataclass(frozen=True)
class Assumptions:
    """What a review and a request take: measured on one core where not said otherwise."""

    text_ms: float
    """Text processing of a review of 230 words, the data set's mean: make bench ARGS=answers."""
    model_ms: float
    """Such a review at the endpoint, with the server around the model: the same."""
    distilbert_ms: float
    """Such a review through DistilBERT: make bench ARGS=distilbert."""
    units: float = 13.4
    """Comprehend's units of 100 characters, at least 3 a review: the test reviews' mean."""
    thousands: float = 1.78
    """Google's and Azure's units of 1,000 characters: the training reviews' mean."""
    around_ms: float = 40.0
    """Assumed, for lack of a measurement on AWS: the rest of the function's time for a request,
    most of it spent waiting for the way to the endpoint and back."""
    function_gb: float = 1.0
    function_core: float = 0.58
    """Share of a core that the function has with that memory."""
    endpoint_gb: float = 2.0
    large_ms: float = 0.05
    """Milliseconds of a core to read a large file's review, send it, write it with its answer."""
    job_cores: float = 2.0
    """Cores of LARGE_INSTANCE."""
    job_reviews: int = 100_000
    """Assumed of a large file; each has a job of its own."""
    job_minutes: float = 4.0
    """Assumed, for lack of a measurement on AWS: paid for while a job starts and ends."""
    answer_gb: float = 1e-6
    """Gigabytes of an answer, headers included."""
    ids_gb: float = 1.5e-6
    """Gigabytes of one review's ids, and of what the model answers."""
    log_gb: float = 1.5e-6
    """Gigabytes of all that a request leaves in the logs."""
    alarm_metrics: int = 8
    dashboards: int = 0
    """ShowDashboard makes one."""
    metrics: int = 5
    """Metrics of the function's own; charged for in months in which it is asked."""
    stored_gb: float = 0.2
    billed_seconds: float = 0.1
    """Seconds of a request on Cloud Run, which rounds up to it; as if no two ran at a time."""
    container_cpus: float = 1.0
    container_gb: float = 2.0


@dataclass(frozen=True)
class Stranger:
    """The most that the template's defaults and the function's limits let one anonymous caller do,
    each bound taken as if the others did not hold the caller back."""

    requests: float = 5
    """A second, of one review each."""
    batches: float = 0.5
    """Requests a second of many reviews each."""
    burst: float = 100
    """Requests of either kind, at once, each hour; they are saved up in minutes."""
    concurrency: int = 3
    """Requests that the endpoint answers at a time, and the function waits for."""
    review_ms: float = 12.0
    """Text processing of 20,000 characters, five times what plain text takes: the worst that the
    fuzzer may find."""
    batch_reviews: int = 50
    """Reviews of 20,000 characters in the largest request."""
    batch_explained: int = 20
    explained_gb: float = 5e-5
    """Gigabytes of an answer with the reasons of the longest review, each word's effect too."""
    asked_gb: float = 1.5e-5
    """Between function and endpoint, for that answer."""
    batch_explained_gb: float = 4e-5
    """Gigabytes of each review in an answer with reasons to many."""
    batch_asked_gb: float = 4e-4
    """Between function and endpoint, for 100 of the longest reviews."""
    comprehend_reviews: float = 6.25
    """Reviews of 20,000 characters in the largest batch of Comprehend's protocol; sent as
    often as batches."""
    comprehend_gb: float = 4e-6
    """Gigabytes of the answer to it."""
    comprehend_asked_gb: float = 1e-4
    """Between function and endpoint, for it."""


def hour_of_abuse(given: Assumptions, stranger: Stranger) -> dict[str, float]:
    """Give dollars that one caller can make the stack cost in an hour, by what they are for."""
    hour = 3600.0
    single = stranger.requests * hour + stranger.burst
    batches = stranger.batches * hour + stranger.burst
    requests = single + 2 * batches
    reviews = single + batches * (stranger.batch_reviews + stranger.comprehend_reviews)
    text = reviews * stranger.review_ms / 1e3 / given.function_core
    waiting = stranger.concurrency * hour + requests * given.around_ms / 1e3
    million = requests / 1e6
    explained = stranger.batch_explained * stranger.batch_explained_gb
    answers = single * stranger.explained_gb + batches * (explained + stranger.comprehend_gb)
    asked = stranger.batch_asked_gb + stranger.comprehend_asked_gb
    return {
        "requests at CloudFront, API and function": sum(
            price.of(million) for price in (CDN_REQUESTS, API, FUNCTION_REQUESTS)
        ),
        "the function's time": FUNCTION_TIME.of((text + waiting) * given.function_gb),
        "the endpoint's time": ENDPOINT_TIME.of(stranger.concurrency * hour * given.endpoint_gb),
        "what it is asked and answers": ENDPOINT_DATA.of(
            single * stranger.asked_gb + batches * asked
        ),
        "answers to the caller": CDN_OUT.of(answers),
        "logs": LOGS.of(requests * given.log_gb),
    }


def abuse_table(given: Assumptions, stranger: Stranger) -> str:
    """Give dollars an hour that one caller can cost, as Markdown."""
    parts = hour_of_abuse(given, stranger)
    rows = [[what, f"{dollars:.2f}"] for what, dollars in parts.items()]
    rows.append(["**together**", f"**{sum(parts.values()):.2f}**"])
    return table(["at most, for one caller", "dollars an hour"], rows)


def request_path(reviews: int, batch: int, given: Assumptions) -> float:
    """Give dollars for CloudFront, API, function, logs and metrics; the function waits for the
    model."""
    requests = reviews / batch
    seconds = batch * (given.text_ms / given.function_core + given.model_ms) + given.around_ms
    return (
        API.of(requests / 1e6)
        + CDN_REQUESTS.of(requests / 1e6)
        + CDN_OUT.of(reviews * given.answer_gb)
        + FUNCTION_REQUESTS.of(requests / 1e6)
        + FUNCTION_TIME.of(requests * seconds / 1e3 * given.function_gb)
        + LOGS.of(requests * given.log_gb)
        + METRIC.of(given.metrics if reviews else 0)
    )


def serverless_endpoint(reviews: int, given: Assumptions) -> float:
    """Give dollars for the endpoint that sleeps while nobody asks."""
    seconds = reviews * given.model_ms / 1e3
    return ENDPOINT_TIME.of(seconds * given.endpoint_gb) + ENDPOINT_DATA.of(reviews * given.ids_gb)


def instance_endpoint(reviews: int, given: Assumptions) -> float:
    """Give dollars for one ml.m4.xlarge."""
    return INSTANCE.of(MONTH_HOURS) + ENDPOINT_DATA.of(reviews * given.ids_gb)


def standing(given: Assumptions) -> float:
    """Give dollars for what is charged for while nobody asks: alarms, dashboards, storage."""
    return (
        ALARM.of(given.alarm_metrics) + DASHBOARD.of(given.dashboards) + STORAGE.of(given.stored_gb)
    )


def reeltone(reviews: int, given: Assumptions, batch: int = 1) -> float:
    """Give dollars for the stack as it is deployed by default."""
    return (
        standing(given) + request_path(reviews, batch, given) + serverless_endpoint(reviews, given)
    )


def polls() -> float:
    """Give times a month that Lambda asks an empty queue: by 5 pollers, for 20 s at a time."""
    return 5 * MONTH_HOURS * 3600 / 20


def uploads(reviews: int, given: Assumptions) -> float:
    """Give dollars for the stack where all reviews come in files to its bucket."""
    review = given.text_ms / given.function_core + given.model_ms + given.around_ms / 100
    function = FUNCTION_TIME.of(reviews * review / 1e3 * given.function_gb)
    return watching(given) + function + serverless_endpoint(reviews, given)


def large_uploads(reviews: int, given: Assumptions) -> float:
    """Give dollars for the same in large files, which jobs score."""
    review = given.large_ms / given.function_core
    function = FUNCTION_TIME.of(reviews * review / 1e3 * given.function_gb)
    scoring = reviews * (given.text_ms + given.model_ms) / 1e3 / given.job_cores / 3600
    waiting = reviews / given.job_reviews * given.job_minutes / 60
    return watching(given) + function + JOB_TIME.of(scoring + waiting)


def watching(given: Assumptions) -> float:
    """Give dollars for the stack with a bucket to which nothing comes."""
    return standing(given) + ALARM.of(1) + QUEUE.of(polls() / 1e6)


def always_on(reviews: int, given: Assumptions) -> float:
    """Give dollars for the same stack with an instance as the endpoint."""
    return standing(given) + request_path(reviews, 1, given) + instance_endpoint(reviews, given)


def distilbert(reviews: int, given: Assumptions) -> float:
    """Give dollars for the same stack with DistilBERT at the endpoint."""
    return reeltone(reviews, replace(given, model_ms=given.distilbert_ms))


def comprehend(reviews: int, given: Assumptions) -> float:
    """Give dollars for Comprehend alone, called directly: no website, no API of one's own."""
    return COMPREHEND.of(reviews * given.units)


def container(
    seconds: float, reviews: int, given: Assumptions, prices: tuple[Price, Price, Price, Price]
) -> float:
    """Give dollars for the image while it is charged for ``seconds``; ``prices`` of a second of a
    vCPU and of a GB, of a million requests, and of a GB that goes out."""
    cpu, memory, requests, out = prices
    return (
        cpu.of(seconds * given.container_cpus)
        + memory.of(seconds * given.container_gb)
        + requests.of(reviews / 1e6)
        + out.of(reviews * given.answer_gb)
    )


def cloud_run(reviews: int, given: Assumptions) -> float:
    """Give dollars for the image on Cloud Run, which sleeps while nobody asks."""
    prices = CLOUD_RUN_CPU, CLOUD_RUN_MEMORY, CLOUD_RUN_REQUESTS, GOOGLE_OUT
    return container(reviews * given.billed_seconds, reviews, given, prices)


def container_apps(reviews: int, given: Assumptions) -> float:
    """Give dollars for one replica on Azure Container Apps, which is active all month once it is
    asked: it sleeps five minutes after a request."""
    seconds = MONTH_HOURS * 3600 if reviews else 0
    prices = CONTAINER_APPS_CPU, CONTAINER_APPS_MEMORY, CONTAINER_APPS_REQUESTS, AZURE_OUT
    return container(seconds, reviews, given, prices)


def machine(reviews: int, given: Assumptions) -> float:
    """Give dollars for the image on a virtual machine of its own."""
    return MACHINE.of(1)


def google_language(reviews: int, given: Assumptions) -> float:
    """Give dollars for Google's sentiment API alone."""
    return GOOGLE_LANGUAGE.of(reviews * given.thousands)


def azure_language(reviews: int, given: Assumptions) -> float:
    """Give dollars for Azure's sentiment API alone."""
    return AZURE_LANGUAGE.of(reviews * given.thousands)


COSTS: dict[str, Callable[[int, Assumptions], float]] = {
    "**Reeltone**": reeltone,
    "Reeltone, 100 reviews a request": lambda reviews, given: reeltone(reviews, given, 100),
    "Reeltone, files in its bucket": uploads,
    "Reeltone, files above 16 MB there": large_uploads,
    "with an always-on ml.m4.xlarge": always_on,
    "with DistilBERT at the serverless endpoint": distilbert,
    "Amazon Comprehend, without website and API": comprehend,
    "Google Natural Language, the same": google_language,
    "Azure Language, the same, at its first price": azure_language,
    "Reeltone's one image on Cloud Run": cloud_run,
    "Reeltone's one image on Azure Container Apps": container_apps,
    "Reeltone's one image on a virtual machine": machine,
}


def cost_table(given: Assumptions) -> str:
    """Give dollars a month by volume, as Markdown."""
    volumes = ["idle" if not volume else f"{volume:,} reviews" for volume in VOLUMES]
    rows = [[name, *(_dollars(cost(at, given)) for at in VOLUMES)] for name, cost in COSTS.items()]
    return table(["dollars a month", *volumes], rows)


def price_table() -> str:
    """Give the prices and their sources, as Markdown."""
    rows = []
    for price in PRICES:
        dollars = ", then ".join(_plain(dollars) for _, dollars in price.tiers)
        rows.append([price.item, price.unit, dollars, price.source])
    return table(["what", "unit", "dollars", "source"], rows)


def _plain(price: float) -> str:
    return f"{price:.10f}".rstrip("0").rstrip(".")


def _dollars(amount: float) -> str:
    return f"{amount:,.2f}" if amount < 100 else f"{amount:,.0f}"


# --- In docs/operations.md ------------------------------------------------------------------------

GUIDE = "operations.md"
MEASURED = {"answers", "distilbert"}
"""Parts of the benchmarks that costs depend on."""


def fill_guide(results: Mapping[str, Result], docs: Path) -> None:
    """Write what the guide says of costs, once the times that they depend on have been measured.

    Raises:
        ReeltoneError: the guide has lost its marks.
    """
    if results.keys() >= MEASURED and (docs / GUIDE).exists():
        for name, text in guide_sections(assume(results)).items():
            fill_section(docs / GUIDE, name, text)


def guide_sections(given: Assumptions) -> dict[str, str]:
    """Give each section that is computed, by its name, as Markdown."""
    return {
        "costs": f"{cost_table(given)}\n\n{describe_assumptions(given)}",
        "findings": describe_findings(given),
        "abuse": abuse_table(given, Stranger()),
        "prices": price_table(),
    }


def describe_assumptions(given: Assumptions) -> str:
    """Describe what the table was computed from."""
    most = VOLUMES[-1]
    slower = replace(given, around_ms=given.around_ms + 10)
    larger = replace(given, model_ms=given.model_ms + 10)
    each_ms = [reeltone(most, more) - reeltone(most, given) for more in (slower, larger)]
    return _wrap(
        f"`.venv/bin/python -m benchmarks.cost` computes it from the prices below and these "
        f"figures: a review of 230 words (the data set's mean, {given.units:g} units of "
        f"100 characters for Comprehend, {given.thousands:g} of 1,000 for Google and Azure) takes "
        f"{given.text_ms:.1f} ms of text processing and {given.model_ms:.1f} ms of the model with "
        f"its server (`make bench ARGS=answers`), DistilBERT {given.distilbert_ms:.0f} ms "
        f"(`make bench ARGS=distilbert`: its shape in PyTorch), all on one thread of a core. **Not "
        f"measured on AWS**: another {given.around_ms:g} ms of the function's time for each "
        f"request, most of it waiting for the endpoint. Each 10 ms more of that are "
        f"${each_ms[0]:.0f} on {_millions(most)} reviews; each 10 ms more of the model "
        f"${each_ms[1]:.0f}. Memory as in the template by default; DistilBERT with the same "
        f"{given.endpoint_gb:g} GB, and may need more."
    )


def describe_findings(given: Assumptions) -> str:
    """Describe what the table shows, as a list."""
    few, most = VOLUMES[1], VOLUMES[-1]
    watching = ALARM.of(given.alarm_metrics) + METRIC.of(given.metrics)
    endpoint = serverless_endpoint(most, given)
    busy = most * (given.text_ms + given.model_ms) / 1e3 / (MONTH_HOURS * 3600)
    found = (
        f"At {few:,} reviews, {100 * watching / reeltone(few, given):.0f} % of the bill are "
        "CloudWatch's metrics and alarms.",
        f"At {_millions(most)}, the endpoint is {100 * endpoint / reeltone(most, given):.0f} % of "
        "the bill. The rest is API Gateway, CloudFront, function and logs, most of which `POST "
        "/api/sentiments` with 100 reviews a request avoids.",
        f"An instance that is always on (ml.m4.xlarge) costs less than the sleeping endpoint from "
        f"{_millions(break_even(given))} reviews a month on, not before. What it buys is an "
        "endpoint that never sleeps.",
        f"An empty queue of the upload bucket is asked {polls():,.0f} times a month; SQS charges "
        "nothing for an account's first million.",
        f"On Cloud Run a request is charged for {1e3 * given.billed_seconds:g} ms, the least "
        "that there is, as if no two came at a time. On Container Apps one replica is never idle, "
        "which is the most that one costs. The machine is the same at each volume: at "
        f"{_millions(most)}, {busy:.2f} of a core on the average.",
    )
    return "\n".join(_wrap(f"- {text}", "  ") for text in found)


def break_even(given: Assumptions) -> float:
    """Give reviews a month at which an instance that is always on costs what the sleeping endpoint
    does.

    It does not say whether one instance keeps up.
    """
    return INSTANCE.of(MONTH_HOURS) / ENDPOINT_TIME.of(given.model_ms / 1e3 * given.endpoint_gb)


def _millions(reviews: float) -> str:
    return f"{reviews / 1e6:,.0f} million"


def _wrap(text: str, indent: str = "") -> str:
    return fill(text, 120, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)


def assume(results: Mapping[str, Result]) -> Assumptions:
    """Give the assumptions, with the times that were measured."""
    ours = results["answers"].figures["parts"]["modern"]
    return Assumptions(
        text_ms=ours["text"],
        model_ms=ours["container"],
        distilbert_ms=results["distilbert"].figures["milliseconds"],
    )


def main(arguments: list[str]) -> None:
    """Write what the guide says of costs."""
    ArgumentParser(prog="python -m benchmarks.cost", description=__doc__).parse_args(arguments)
    fill_guide(load_results(DOCS), DOCS)


if __name__ == "__main__":
    run_command(main, ReeltoneError, sys.argv[1:])
