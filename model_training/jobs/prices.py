"""What a job costs an hour."""

from __future__ import annotations

import re
from dataclasses import dataclass

from model_training.jobs.cloud import JobError

AS_OF = "July 2026"
"""When the prices below were the published ones."""
REGION = "us-east-1"


@dataclass(frozen=True)
class Instance:
    """An instance type of training and batch transform jobs."""

    dollars: float
    """US dollars an hour, on demand."""
    gpus: int


# From public tables that quote AWS's price list for Amazon SageMaker, us-east-1, July 2026.
INSTANCES = {
    "ml.m5.large": Instance(0.115, 0),
    "ml.m5.xlarge": Instance(0.23, 0),
    "ml.m5.2xlarge": Instance(0.461, 0),
    "ml.c5.xlarge": Instance(0.204, 0),
    "ml.c5.2xlarge": Instance(0.408, 0),
    "ml.c5.4xlarge": Instance(0.816, 0),
    "ml.g4dn.xlarge": Instance(0.736, 1),
    "ml.g5.xlarge": Instance(1.408, 1),
    "ml.g5.2xlarge": Instance(1.515, 1),
    "ml.g5.12xlarge": Instance(7.09, 4),
    "ml.g6.xlarge": Instance(1.127, 1),
    "ml.g6.2xlarge": Instance(1.222, 1),
    "ml.g6.12xlarge": Instance(5.752, 4),
}
SERVERLESS = 0.00002
"""US dollars a second and GB of memory, while a serverless endpoint answers."""


def hourly(instance_type: str, price: float | None = None) -> float:
    """Give US dollars an hour of one instance; ``price`` replaces the table's.

    Raises:
        JobError: the table does not have the type, and no price was given.
    """
    if price is not None:
        return price
    if instance_type not in INSTANCES:
        raise JobError(
            f"no price known for {instance_type!r}: pass --price DOLLARS_AN_HOUR; the table has "
            f"{', '.join(INSTANCES)}"
        )
    return INSTANCES[instance_type].dollars


def gpus_of(instance_type: str) -> int:
    """Say how many GPUs a type has; one, for a GPU type that the table does not have."""
    if instance_type in INSTANCES:
        return INSTANCES[instance_type].gpus
    return int(re.match(r"ml\.[gp]\d", instance_type) is not None)


def describe_cost(
    instance_type: str,
    instances: int,
    hours: float | None = None,
    price: float | None = None,
    jobs: int = 1,
    parallel: int = 1,
    spot: bool = False,
) -> str:
    """Describe the cost in a line: dollars an hour and, where ``hours`` bound one job, at most.

    ``jobs`` of them run, ``parallel`` at a time.
    """
    each = hourly(instance_type, price) * instances
    count = instances * parallel
    origin = "as given" if price is not None else f"{REGION}, {AS_OF}"
    line = f"cost: {count} x {instance_type}, ${each * parallel:.2f} an hour ({origin})"
    if hours is not None:
        of_each = f" for each of {jobs} jobs" if jobs > 1 else ""
        line += f"; at most {hours:g} h{of_each}, ${each * hours * jobs:.2f}"
    return f"{line}; spot costs less, often a third of that" if spot else line


def price_table() -> str:
    """Give all known prices, for people."""
    rows = [f"US dollars an hour, {REGION}, on demand, {AS_OF}:"]
    rows += [
        f"  {name:16} {instance.dollars:7.3f}{f'  {instance.gpus} GPU' if instance.gpus else ''}"
        for name, instance in INSTANCES.items()
    ]
    rows.append(f"  serverless       {SERVERLESS * 3600:7.3f}  a GB of memory, while it answers")
    return "\n".join(rows)
