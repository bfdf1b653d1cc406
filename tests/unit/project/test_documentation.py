"""The documents: what they link and name exists, and their amounts are those of the code."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

import batch
import uploads
from app import ANSWER_SECONDS
from benchmarks.cost import DASHBOARD, INSTANCE, Assumptions
from body import MAX_REQUEST_CHARACTERS
from checks.reference import INDEXED, PAGE, make_anchor, make_index, make_tables
from endpoint import READ_SECONDS
from local_stack import functions, gateway, runtime
from local_stack.template import Template
from model_training.paths import MODELS
from review_text import load_vocabulary
from review_text.predict import MAX_REVIEWS
from tests.contract.container.conftest import APPLICATION_MEGABYTES, ENDPOINT_MEGABYTES

ROOT = Path(__file__).resolve().parents[3]
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
REFERENCE = PAGE.read_text(encoding="utf-8")


MAX_README_LINES = 120
LINK = re.compile(r"\]\(([^)#:]*)(?:#([^)]*))?\)")


def test_the_readme_can_be_read_in_two_minutes() -> None:
    assert len((ROOT / "README.md").read_text(encoding="utf-8").splitlines()) <= MAX_README_LINES


@pytest.mark.parametrize("name", ["targets", "parameters", "outputs"])
def test_the_reference_has_what_there_is(name: str) -> None:
    assert make_tables()[name] in REFERENCE, "make reference writes it anew"


@pytest.mark.parametrize("event", sorted(path.name for path in (ROOT / "events").glob("*.json")))
def test_every_event_is_in_the_reference(event: str) -> None:
    assert f"`{event}`" in REFERENCE


@pytest.mark.parametrize("path", INDEXED, ids=lambda path: path.name)
def test_a_document_that_grows_has_an_index(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert make_index(text) in text, "make reference writes it anew"


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_links_between_documents_lead_somewhere(path: Path) -> None:
    for target, anchor in re.findall(LINK, path.read_text(encoding="utf-8")):
        there = path.parent / target if target else path
        assert there.exists(), target
        if anchor and there.suffix == ".md":
            assert anchor in find_anchors(there), f"{target}#{anchor}"


def test_every_picture_is_shown_by_a_document() -> None:
    pictures = [path for kind in ("*.png", "*.svg") for path in (ROOT / "docs").rglob(kind)]
    pictures += [path for kind in ("*.png", "*.svg") for path in ROOT.glob(kind)]
    shown = {
        (path.parent / target).resolve()
        for path in DOCUMENTS
        for target, _ in re.findall(LINK, path.read_text(encoding="utf-8"))
    }
    assert sorted(set(pictures) - shown) == []


def find_anchors(path: Path) -> set[str]:
    titles = re.findall(r"^#+ (.*)$", path.read_text(encoding="utf-8"), re.M)
    return {make_anchor(title) for title in titles}


@pytest.mark.parametrize("name", ["classic", "modern"])
def test_the_readme_gives_the_accuracy_that_was_measured(name: str) -> None:
    metrics = json.loads((ROOT / f"model_training/models/{name}/metrics.json").read_text())
    assert f"{metrics['accuracy']:.4f}" in (ROOT / "README.md").read_text(encoding="utf-8")


SECURITY = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
ROWS = [line for line in SECURITY.splitlines() if line.startswith("| ")][1:]
NAMED = re.findall(r"`([\w/]+\.py)::(\w+)`", SECURITY)


@pytest.mark.parametrize(("file", "test"), NAMED)
def test_each_test_that_is_named_exists(file: str, test: str) -> None:
    text = (ROOT / "tests" / file).read_text(encoding="utf-8")
    assert re.search(rf"^ *(?:async )?def {test}\(", text, re.MULTILINE)


def test_only_what_nothing_stops_has_no_test() -> None:
    assert len(ROWS) > 20
    [without] = [row for row in ROWS if "::" not in row]
    assert "| nothing: a classifier can be fooled" in without


SOURCE = (ROOT / "template.yaml").read_text(encoding="utf-8")
TEMPLATE = Template(ROOT / "template.yaml").document
ACCOUNT = Template(ROOT / "account.yaml").document
GUIDE = (ROOT / "docs/operations.md").read_text(encoding="utf-8")
ARCHITECTURE = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")
MB = 1024**2


def test_the_guide_says_what_to_do_at_each_alarm() -> None:
    kind = "AWS::CloudWatch::Alarm"
    alarms = {name for name, body in TEMPLATE["Resources"].items() if body["Type"] == kind}
    assert set(re.findall(r"^\| `(\w+Alarm)` \|", GUIDE, re.M)) == alarms


def test_every_name_in_the_guide_is_one_of_the_template() -> None:
    parts = ("Parameters", "Resources", "Outputs")
    known = {name for part in parts for name in (*TEMPLATE[part], *ACCOUNT.get(part, {}))}
    # Names in PascalCase, alone or as Name=value.
    named = set(re.findall(r"`([A-Z][a-z]+(?:[A-Z][a-z]+)+)(?:=[^`]*)?`", GUIDE))
    assert {"ServingMode", "WebsiteUrl", "ModelBucket"} <= named <= known


def test_the_names_in_the_guides_commands_are_of_the_template() -> None:
    for command in re.findall(r"--parameter-overrides (.+)", GUIDE):
        for name in re.findall(r"\b([A-Z]\w+)=", command):
            assert name in TEMPLATE["Parameters"] | ACCOUNT["Parameters"]
    for output in re.findall(r"\$\(output (\w+)\)", GUIDE):
        assert output in TEMPLATE["Outputs"]


# --- Sizes, times, quotas and dollars -------------------------------------------------------------

AMOUNT = re.compile(
    r"(?<![\w.,-])(?:\$\d[\d,.]*|\d[\d,.]*[ -](?:[kMG]i?B|ms|s|%|dollars|minutes?|hours?|days?"
    r"|months?|characters|tokens|reviews|regions|times|vCPU|of a core)(?![\w]))"
)
"""A number with its unit, which has to come from somewhere."""


def properties(name: str) -> dict[str, Any]:
    found: dict[str, Any] = TEMPLATE["Resources"][name]["Properties"]
    return found


def seconds_until_the_function_ends() -> int:
    return int(properties("SentimentFunction")["Timeout"])


def seconds_of_the_api() -> int:
    events = properties("SentimentFunction")["Events"].values()
    [most] = {event["Properties"]["TimeoutInMillis"] for event in events}
    return int(most) // 1000


def seconds_of_cloudfront() -> int:
    origins = properties("SiteDistribution")["DistributionConfig"]["Origins"]
    [api] = [origin for origin in origins if origin["Id"] == "api"]
    return int(api["CustomOriginConfig"]["OriginReadTimeout"])


def largest_request() -> int:
    """Bytes that the function sends to the endpoint, at most."""
    vocabulary = load_vocabulary(MODELS / "modern" / "vocabulary.json")
    longest = [len(vocabulary) - 1] * vocabulary.settings.max_tokens
    return len(json.dumps(vocabulary.make_request([longest] * MAX_REVIEWS), separators=(",", ":")))


def days_in_the_bucket() -> int:
    rules = properties("UploadBucket")["LifecycleConfiguration"]["Rules"]
    [days] = [rule["ExpirationInDays"] for rule in rules if rule["Id"] == "KeepNothingForLong"]
    return int(days)


def grace() -> str:
    dockerfile = (ROOT / "local_stack/Dockerfile").read_text(encoding="utf-8")
    return re.search(r'"--grace", "(\d+)"', dockerfile)[1]  # type: ignore[index]


def budget_percent() -> int:
    [actual, _] = ACCOUNT["Resources"]["Budget"]["Properties"]["NotificationsWithSubscribers"]
    return int(actual["Notification"]["Threshold"])


TOKENS = load_vocabulary(MODELS / "modern" / "vocabulary.json").settings.max_tokens
LATENCY, SET_UP = properties("LatencyAlarm"), properties("SetUpTimeAlarm")
DIRECT_MB, UPLOAD_GB = uploads.DIRECT_BYTES // 10**6, uploads.MAX_BYTES // 10**9
WORK = seconds_until_the_function_ends() - ANSWER_SECONDS
ONE = Assumptions(text_ms=0, model_ms=0, distilbert_ms=0)

IN_THE_GUIDE = (
    f"knows the {len(TEMPLATE['Mappings']['ScikitLearnImage'])} regions",
    f"for ${DASHBOARD.of(1):.0f} a month",
    f"a message at {budget_percent()} % of so many dollars",
    f"at most {UPLOAD_GB} GB and {batch.MAX_ROWS:,} rows |",
    f"**Above {DIRECT_MB} MB**",
    f"for each {batch.BYTES_A_MACHINE // 10**6} MB",
    f"its {properties('UploadsFunction')['Timeout'] // 60} minutes",
    f"above {DIRECT_MB} MB are reckoned with {ONE.job_reviews:,} reviews each",
    f"{ONE.job_minutes:g} minutes for a job to start and end",
    f"files above {DIRECT_MB} MB in the [upload bucket]",
    f"deleted after {days_in_the_bucket()} days",
    f"gone after {days_in_the_bucket()} days",
    f"takes more than {LATENCY['Threshold'] / 1e3:.0f} s for a quarter of an hour",
    f"requests of {MAX_REVIEWS} long reviews",
    f"more than {SET_UP['Threshold'] / 1e6:.0f} s to wake up, and the function waits for "
    f"{READ_SECONDS:.0f}",
    f"{runtime.MAX_BODY / MB:.0f} MB, {runtime.INVOCATION_TIMEOUT:.0f} s | {MAX_REVIEWS} reviews "
    f"of {TOKENS} tokens are {largest_request() / 1e6:.1f} MB; the function waits for "
    f"{READ_SECONDS:.0f} s",
    f"{gateway.MAX_BODY / MB:.0f} MB, {gateway.API_TIMEOUT:.0f} s; Lambda takes "
    f"{functions.MAX_PAYLOAD / MB:.0f} MB of it | a request has {MAX_REQUEST_CHARACTERS:,} "
    f"characters at most: {MAX_REQUEST_CHARACTERS * len(b'e') / 1e6:.0f} MB of English, "
    f"{MAX_REQUEST_CHARACTERS * len('🎬'.encode()) / 1e6:.0f} MB of emoji",
    f"at most {ENDPOINT_MEGABYTES} MB larger than its base",
    f"at most {APPLICATION_MEGABYTES} MB beyond its base image",
    f"{grace()} s for the requests under way",
    f"one container of {ONE.container_cpus:g} vCPU and {ONE.container_gb:g} GiB",
    f"${INSTANCE.of(1):.2f} is the lower figure",
    # What others say of their own services, and of AWS's.
    "still have $0.28",
    "AWS WAF charges $6 a month for it, and $0.60 for a million requests",
    "**Azure Container Apps** gives 30 s after SIGTERM",
    # Advice.
    "1 GiB or more",
)
IN_THE_TEMPLATE = (
    f"the API gives up after {seconds_of_the_api()}",
    f"the SDK's read {READ_SECONDS:.0f} < the handler {WORK:.0f} < the function "
    f"{seconds_until_the_function_ends()} < the API {seconds_of_the_api()} < CloudFront "
    f"{seconds_of_cloudfront()}.",
    # A vCPU for each 1,769 MB. Source: Lambda's guide, "Configure Lambda function memory".
    f"this is {properties('SentimentFunction')['MemorySize'] / 1769:.2f} of a core",
    f"gone after {days_in_the_bucket()} days",
    *(
        f"{properties(queue)['MessageRetentionPeriod'] / 86_400:.0f} days"
        for queue in ("UploadDeadLetterQueue", "UploadQueue")
    ),
    f"A file of {DIRECT_MB} MB takes minutes, and so does to read {UPLOAD_GB} GB",
    f"those above {DIRECT_MB} MB by a job",
    f"takes more than {LATENCY['Threshold'] / 1e3:.0f} s;",
    f"{SET_UP['Threshold'] / 1e6:.0f} s, while the function waits for {READ_SECONDS:.0f}.",
    f"for {DASHBOARD.of(1):.0f} US dollars a month",
    f"of {TEMPLATE['Parameters']['SageMakerRuntimeUrl']['MaxLength']} characters at most",
    # What AWS says of its own services.
    "CloudFront keeps errors for 10 s",
    "At most 256 characters.",
)


def prose_of_the_guide() -> str:
    """Without commands and what a program writes."""
    bare = re.sub(r"```.*?```|<!-- (\w+):begin -->.*?<!-- \1:end -->", "", GUIDE, flags=re.S)
    return " ".join(bare.split())


def prose_of_the_template() -> str:
    """Comments, and texts for people; a bar for each line of anything else."""
    said = re.compile(r"[^#]*# ?(.*)| *\w*Description: (?:>-)?(.*)|([^:]*)")
    found = (said.fullmatch(line) for line in SOURCE.splitlines())
    lines = ("".join(filter(None, match.groups())) if match else "|" for match in found)
    return " ".join(" ".join(lines).split())


@pytest.mark.parametrize(
    ("prose", "held"),
    [(prose_of_the_guide(), IN_THE_GUIDE), (prose_of_the_template(), IN_THE_TEMPLATE)],
    ids=["guide", "template"],
)
def test_every_amount_is_what_code_and_template_have(prose: str, held: tuple[str, ...]) -> None:
    for words in held:
        assert words in prose
        prose = prose.replace(words, "")
    assert AMOUNT.findall(prose) == [], "hold it to what it comes from, or leave it out"


def test_the_architecture_says_the_same(subtests: pytest.Subtests) -> None:
    prose = " ".join(ARCHITECTURE.split())
    for words in (
        f"the SDK's call {READ_SECONDS:.0f} s, the handler's work {WORK:.0f} s, the function "
        f"{seconds_until_the_function_ends()} s, the API {seconds_of_the_api()} s, CloudFront "
        f"{seconds_of_cloudfront()} s.",
        f"A hundred of the longest reviews are {largest_request() / 1e6:.1f} MB.",
    ):
        with subtests.test(words):
            assert words in prose
