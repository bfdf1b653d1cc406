"""Train, tune and score on SageMaker, and bring the model back.

    .venv/bin/python -m model_training.jobs upload data/aclImdb_v1.tar.gz
    .venv/bin/python -m model_training.jobs train modern --wait
    .venv/bin/python -m model_training.jobs deploy-model reeltone-modern-261122-033000-9f3c
    make build && .venv-sam/bin/sam deploy

Each command says what it will cost and asks before it starts (--yes does not ask); --dry-run prints
its requests, sends none that changes anything, and needs no account, bucket or role.
REELTONE_BUCKET and REELTONE_JOB_ROLE stand in for --bucket and --role; credentials and region are
found as by the AWS CLI.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import boto3

from model_training.corpus.acl_imdb import ARCHIVE_NAME
from model_training.corpus.cache import DEFAULT_FOLDER, add_data_options, prepare_corpus
from model_training.errors import ReeltoneError
from model_training.files import run_command
from model_training.jobs import artefact, evaluation, prices, registry, status, transform
from model_training.jobs.artefact import upload_archive
from model_training.jobs.cloud import (
    Cloud,
    JobError,
    Place,
    aws_errors,
    check_bucket,
    find_role,
    find_stack,
)
from model_training.jobs.local import train_locally
from model_training.jobs.prices import SERVERLESS
from model_training.jobs.training import (
    Machines,
    job_name,
    resuming_request,
    start_training,
    training_request,
)
from model_training.jobs.tuning import DEFAULT_RANGES, start_tuning, tuning_request
from model_training.paths import MODELS
from model_training.recipes.recipe import read_words, recipe_names
from review_text.transform import Transform

Options = argparse.Namespace
Parser = argparse.ArgumentParser


def upload(cloud: Cloud, options: Options) -> None:
    """Bring the data set's archive to S3."""
    place = _place(cloud, options)
    _confirm(options, "cost: storing 84 MB on S3, $0.002 a month (us-east-1)")
    print(upload_archive(cloud, place, options.archive))


def train(cloud: Cloud, options: Options) -> None:
    """Start a training job."""
    if options.local:
        _refuse(options, _OF_SAGEMAKER, "is of a job on SageMaker; leave out --local")
        _train_here(options)
        return
    _refuse(options, _OF_THIS_MACHINE, "is of a job on this machine; add --local")
    machines, place = _machines(options), _place(cloud, options)
    role = find_role(cloud, options.role)
    _confirm(options, _machine_cost(options))
    recipe, overrides = read_words(options.rest)
    if options.resume and options.rest:
        raise JobError("--resume keeps the earlier job's settings: leave the others out")
    if options.resume:
        request = resuming_request(cloud, place, role, machines, options.resume)
    else:
        request = training_request(cloud, place, role, machines, recipe or "modern", overrides)
    _follow(cloud, options, start_training(cloud, request))


_OF_SAGEMAKER = (
    *("bucket", "prefix", "role", "instance_type", "instances", "spot", "max_hours", "image"),
    *("price", "resume", "wait"),
)
_OF_THIS_MACHINE = ("data_dir", "runs", "processes")


def _refuse(options: Options, names: Sequence[str], reason: str) -> None:
    """Take none of the options ``names``."""
    for name in names:
        if getattr(options, name) != options.parser.get_default(name):
            raise JobError(f"--{name.replace('_', '-')} {reason}")


def _train_here(options: Options) -> None:
    """The job on this machine, as AWS's training toolkit runs it."""
    recipe, overrides = read_words(options.rest)
    recipe = recipe or "modern"
    name = job_name(recipe)
    if options.dry_run:
        print(f"a job of {recipe} below {options.runs / name}; nothing is sent")
        return
    model = train_locally(
        recipe, overrides, options.data_dir, options.runs / name, options.processes
    )
    print(f"{model} has the model: .venv/bin/python -m model_training.export {model}")


def tune(cloud: Cloud, options: Options) -> None:
    """Start a hyperparameter search."""
    recipe, overrides = read_words(options.rest)
    machines, place = _machines(options), _place(cloud, options)
    role = find_role(cloud, options.role)
    _confirm(options, _machine_cost(options, options.jobs, options.parallel))
    request = tuning_request(
        cloud,
        place,
        role,
        machines,
        recipe or "classic",  # a job trains all stages: the default is the recipe with one
        overrides,
        options.range or DEFAULT_RANGES,
        options.jobs,
        options.parallel,
    )
    name = start_tuning(cloud, request)
    _follow(cloud, options, name)


def score_file(cloud: Cloud, options: Options) -> None:
    """Score a file of reviews by a batch transform job, or fetch the results of an earlier one."""
    place = _place(cloud, options)
    suffix = ".csv" if options.reviews.suffix.lower() == ".csv" else ".jsonl"
    output = options.output or options.reviews.with_suffix(f".scored{suffix}")
    name = options.job
    if name is None:
        model = options.model_name or _find_deployed(cloud, options.stack, place)
        _confirm(
            options,
            prices.describe_cost(options.instance_type, options.instances, price=options.price),
        )
        wanted = Transform(model, options.instance_type, options.instances)
        name = transform.start_transform(cloud, place, options.reviews, wanted)
    if cloud.dry_run:
        return
    if options.no_wait:
        print(f"{name} is under way; fetch its results with --job {name}")
        return
    job = status.wait_for(cloud, name)
    count = transform.join_results(cloud, place, name, options.reviews, output)
    dollars = job.cost(options.price)
    print(f"{output}: {count:,} reviews{f', ${dollars:.2f}' if dollars is not None else ''}")


def evaluate(cloud: Cloud, options: Options) -> None:
    """Score the test split through the deployed endpoint."""
    # onnxruntime, scikit-learn and scipy take a second to import, and only this needs them.
    from model_training.evaluation.metrics import score
    from model_training.serving.bundle import read_bundle

    bundle = read_bundle(options.bundle)
    if cloud.dry_run:
        endpoint = options.endpoint or "ENDPOINT"
        cost = f"cost: ${SERVERLESS * 3600:.2f} an hour and GB while a serverless endpoint answers"
    else:
        endpoint = options.endpoint or find_stack(cloud, options.stack).output("EndpointName")
        cost = evaluation.describe_endpoint(cloud, endpoint, options.price)
    _confirm(options, cost)
    test = prepare_corpus(options.data_dir, options.archive).encoded("test", bundle.vocabulary)
    if cloud.dry_run:
        print(f"sagemaker-runtime.invoke_endpoint {endpoint}: {len(test):,} reviews, 100 a request")
        return
    runtime = cloud.client("sagemaker-runtime", evaluation.CLIENT)
    logits = evaluation.score_split(runtime, endpoint, bundle.vocabulary, test)
    metrics = {"split": "test", **score(logits, test.labels, bundle.manifest.temperature)}
    print(
        json.dumps({"version": bundle.manifest.version, "endpoint": endpoint, **metrics}, indent=2)
    )


def deploy_model(cloud: Cloud, options: Options) -> None:
    """Make a bundle of a finished job's model, ready to be built and deployed."""
    name, address = _find_model(cloud, options)
    if cloud.dry_run:
        print(f"s3.download_file {address}, then an export into model_training/models")
        return
    print("cost: one download from S3, less than a cent")
    run = artefact.fetch_run(cloud, address, options.runs / name)
    bundle = artefact.export_run(run, options.data_dir, archive=options.archive)
    print(
        f"{bundle} is ready. Measure it, then deploy it:\n"
        f"  .venv/bin/python -m model_training.evaluation {bundle} --write\n"
        f"  make build && .venv-sam/bin/sam deploy"
    )


def register(cloud: Cloud, options: Options) -> None:
    """Put a finished job's model into the model registry, with its metrics."""
    job = status.find_job(cloud, options.job)
    print("cost: none; the registry keeps the address of what is on S3 already")
    arn = registry.register_model(cloud, job, options.group, options.approve)
    if not cloud.dry_run:
        print(arn)


def _find_model(cloud: Cloud, options: Options) -> tuple[str, str]:
    """The training job that made the model to deploy, and the model's address."""
    if bool(options.job) == bool(options.group):
        raise JobError("name a job, or the registry's group whose approved model it is: --group")
    if options.job:
        return artefact.find_artefact(status.find_job(cloud, options.job))
    found = registry.find_approved(cloud, options.group)
    return found.job, found.address


def show_status(cloud: Cloud, options: Options) -> None:
    """Say what a job does, or list the latest ones."""
    if options.wait and not options.job:
        raise JobError("--wait: name the job to wait for")
    if options.wait:
        status.wait_for(cloud, options.job)
    if options.job:
        lines = status.describe_job(status.find_job(cloud, options.job), options.price)
    else:
        lines = status.list_jobs(cloud)
    print("\n".join(lines) or f"no jobs in {cloud.region}")


def show_cost(cloud: Cloud, options: Options) -> None:
    """Say what jobs cost an hour, or what a job has cost."""
    if not options.job:
        print(prices.price_table())
        return
    job = status.find_job(cloud, options.job)
    dollars = job.cost(options.price)
    if dollars is None:
        raise JobError(f"{job.name} is {job.status}: AWS bills nothing for it yet, or pass --price")
    print(f"{job.name}: {job.seconds:,.0f} s, ${dollars:.2f}")


def _place(cloud: Cloud, options: Options) -> Place:
    bucket = (options.bucket or "").removeprefix("s3://").rstrip("/")
    if cloud.dry_run:
        return Place(bucket or "BUCKET", options.prefix.strip("/"))
    if not bucket:
        raise JobError("no bucket: pass --bucket or set REELTONE_BUCKET")
    check_bucket(cloud, bucket)
    return Place(bucket, options.prefix.strip("/"))


def _find_deployed(cloud: Cloud, name: str, place: Place) -> str:
    """The SageMaker Model of a stack that may read ``place``; a dry run does not look."""
    if cloud.dry_run:
        return "MODEL"
    stack = find_stack(cloud, name)
    stack.check_place(place)
    return stack.output("SageMakerModelName")


def _machines(options: Options) -> Machines:
    return Machines(
        options.instance_type,
        options.instances,
        options.spot,
        options.max_hours,
        options.image,
    )


def _machine_cost(options: Options, jobs: int = 1, parallel: int = 1) -> str:
    return prices.describe_cost(
        options.instance_type,
        options.instances,
        options.max_hours,
        options.price,
        jobs,
        parallel,
        options.spot,
    )


def _confirm(options: Options, cost: str) -> None:
    print(cost)
    if options.yes or options.dry_run:
        return
    if not sys.stdin.isatty():
        raise JobError("nobody is there to ask; pass --yes to start without asking")
    if input("Start? [y/N] ").strip().lower() not in ("y", "yes"):
        raise JobError("not started")


def _follow(cloud: Cloud, options: Options, name: str) -> None:
    if cloud.dry_run:
        return
    print(name)
    if options.wait:
        print("\n".join(status.describe_job(status.wait_for(cloud, name), options.price)))
    else:
        print(f'follow it with: make jobs ARGS="status {name}"')


def _positive(text: str) -> int:
    if not text.isdigit() or not int(text):
        raise argparse.ArgumentTypeError(f"{text!r}; use a whole number from 1 on")
    return int(text)


def _dollars(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value < 10_000:
        raise argparse.ArgumentTypeError(f"{text!r}; use US dollars an hour, such as 1.41")
    return value


def _hours(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0.01 <= value <= 120:
        raise argparse.ArgumentTypeError(f"{text!r}; use hours, 0.01 to 120")
    return value


def _common() -> Parser:
    common = Parser(add_help=False)
    common.add_argument("--region", help="default: as the AWS CLI has it")
    common.add_argument("--profile", help="of the AWS CLI's configuration")
    common.add_argument("--price", type=_dollars, help="US dollars an hour, not the table's")
    common.add_argument("--yes", action="store_true", help="do not ask")
    common.add_argument("--dry-run", action="store_true", help="print the requests, change nothing")
    return common


def _stored() -> Parser:
    stored = Parser(add_help=False)
    stored.add_argument("--bucket", default=os.environ.get("REELTONE_BUCKET"), help="on S3")
    stored.add_argument("--prefix", default="reeltone", help="of all keys (default: %(default)s)")
    return stored


def _trained() -> Parser:
    trained = Parser(add_help=False)
    trained.add_argument(
        "--role", default=os.environ.get("REELTONE_JOB_ROLE"), help="name or ARN of an IAM role"
    )
    trained.add_argument(
        "--instance-type", default="ml.g5.xlarge", help="default: %(default)s, with one GPU"
    )
    trained.add_argument("--instances", type=_positive, default=1, help="a job (default: 1)")
    trained.add_argument("--spot", action="store_true", help="on spare machines, for less")
    trained.add_argument(
        "--max-hours", type=_hours, default=4.0, help="a job is stopped then (default: 4)"
    )
    trained.add_argument("--image", help="default: AWS's PyTorch training image of the region")
    trained.add_argument("--wait", action="store_true", help="until it is done")
    return trained


def _add(
    commands: Any, name: str, run: Callable[[Cloud, Options], None], *parents: Parser
) -> Parser:
    text = str(run.__doc__)
    command: Parser = commands.add_parser(
        name,
        help=text.rstrip("."),
        description=text,
        parents=[_common(), *parents],
        allow_abbrev=False,
    )
    command.set_defaults(run=run, parser=command)
    return command


def _take_recipe(command: Parser, default: str) -> None:
    """Say what ``read_words`` reads."""
    command.usage = "%(prog)s [RECIPE] [options] [--SETTING VALUE ...]"
    command.epilog = (
        f"RECIPE: {' or '.join(recipe_names())} (default: {default}). Settings of the recipe are "
        f"replaced by --SETTING VALUE, or by --STAGE.SETTING VALUE for one of its stages."
    )


def _add_training(commands: Any) -> None:
    command = _add(commands, "upload", upload, _stored())
    command.add_argument(
        "archive", type=Path, nargs="?", default=DEFAULT_FOLDER / ARCHIVE_NAME, help="%(default)s"
    )
    command = _add(commands, "train", train, _stored(), _trained())
    _take_recipe(command, "modern")
    command.add_argument("--resume", metavar="JOB", help="go on where a failed job left off")
    command.add_argument("--local", action="store_true", help="on this machine, as SageMaker would")
    command.add_argument(
        "--data-dir", type=Path, default=DEFAULT_FOLDER, help="of --local (default: %(default)s)"
    )
    command.add_argument(
        "--runs", type=Path, default=Path("runs"), help="of --local (default: %(default)s)"
    )
    command.add_argument(
        "--processes", type=_positive, default=1, help="of --local, by torchrun (default: 1)"
    )
    command = _add(commands, "tune", tune, _stored(), _trained())
    _take_recipe(command, "classic")
    command.add_argument(
        "--range",
        action="append",
        metavar="SETTING=LEAST:MOST[:log]",
        help=f"or SETTING=VALUE,VALUE; repeatable (default: {' '.join(DEFAULT_RANGES)})",
    )
    command.add_argument("--jobs", type=_positive, default=12, help="in all (default: 12)")
    command.add_argument("--parallel", type=_positive, default=2, help="at a time (default: 2)")


def _add_scoring(commands: Any) -> None:
    command = _add(commands, "transform", score_file, _stored())
    command.add_argument("reviews", type=Path, help="CSV with a column review, or JSON Lines")
    command.add_argument("--output", type=Path, help="default: beside it, .scored")
    command.add_argument("--stack", default="reeltone", help="whose model (default: %(default)s)")
    command.add_argument("--model-name", help="a SageMaker Model, instead of the stack's")
    command.add_argument("--instance-type", default="ml.c5.xlarge", help="default: %(default)s")
    command.add_argument("--instances", type=_positive, default=1, help="default: 1")
    command.add_argument("--no-wait", action="store_true", help="do not wait for the results")
    command.add_argument("--job", help="fetch the results of this job, started for the same file")
    command = _add(commands, "evaluate", evaluate)
    command.add_argument(
        "bundle",
        type=Path,
        nargs="?",
        default=MODELS / "modern",
        help="the one that is deployed (default: %(default)s)",
    )
    command.add_argument("--stack", default="reeltone", help="whose endpoint")
    command.add_argument("--endpoint", help="by name, instead of the stack's")
    add_data_options(command)


def _add_following(commands: Any) -> None:
    command = _add(commands, "deploy-model", deploy_model)
    command.add_argument("job", nargs="?", help="a training job, or a tuning job for its best one")
    command.add_argument("--group", help="of the model registry: its latest approved model")
    command.add_argument("--runs", type=Path, default=Path("runs"), help="default: %(default)s")
    add_data_options(command)
    command = _add(commands, "register", register)
    command.add_argument("job", help="a training job, or a tuning job for its best one")
    command.add_argument("--group", default="reeltone", help="default: %(default)s, made if needed")
    command.add_argument("--approve", action="store_true", help="do not leave that to somebody")
    command = _add(commands, "status", show_status)
    command.add_argument("job", nargs="?", help="default: a list of the latest")
    command.add_argument("--wait", action="store_true", help="until it is done")
    command = _add(commands, "cost", show_cost)
    command.add_argument("job", nargs="?", help="default: the table of prices")


def make_parser() -> Parser:
    """Make the command line."""
    parser = Parser(
        prog="model_training.jobs",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    _add_training(commands)
    _add_scoring(commands)
    _add_following(commands)
    return parser


def main(arguments: list[str] | None = None) -> None:
    """Run a command."""
    parser = make_parser()
    options, rest = parser.parse_known_args(arguments)
    if rest and options.run not in (train, tune):
        parser.error(f"unrecognized arguments: {' '.join(rest)}")
    options.rest = rest
    with aws_errors("session"):
        session = boto3.Session(profile_name=options.profile, region_name=options.region)
        if options.dry_run and session.region_name is None:
            session = boto3.Session(profile_name=options.profile, region_name=prices.REGION)
    options.run(Cloud(session, options.dry_run), options)


if __name__ == "__main__":
    run_command(main, ReeltoneError, sys.argv[1:])
