"""Energy, carbon and price of training, from its time and what a cloud's machine takes."""

from __future__ import annotations

from collections.abc import Sequence

from model_training.documents import table
from model_training.jobs.prices import AS_OF, INSTANCES, REGION
from model_training.report.stages import Stage

CORES = 2
"""vCPUs of the machine; each stage keeps them busy."""
WATTS = 3.5
"""Of a vCPU at full load, on average over AWS's machines. This and the next two:
cloudcarbonfootprint.org, methodology, appendix I to V."""
POWER_USAGE = 1.135
"""What a data centre of AWS takes for each watt of its machines."""
GRAMS_A_KWH = 379.0
"""CO2 equivalents of electricity in us-east-1."""
INSTANCE = "ml.m5.large"
"""A machine of SageMaker's with as many vCPUs."""


def describe_costs(stages: Sequence[Stage]) -> str:
    """A table of the stages in Markdown, and their sum."""
    total = Stage("all", sum(stage.seconds for stage in stages), ())
    rows = [_row(stage) for stage in [*stages, *([total] if len(stages) > 1 else [])]]
    heads = ["stage", "hours", "kWh", "g CO2e", f"dollars on {INSTANCE}"]
    return (
        f"{table(heads, rows)}\n\nAn estimate: {CORES} vCPUs of {WATTS} W at full load, a power "
        f"usage effectiveness of {POWER_USAGE}, {GRAMS_A_KWH:.0f} g a kWh ({REGION}); prices of "
        f"{AS_OF}."
    )


def _row(stage: Stage) -> list[str]:
    hours = stage.seconds / 3600
    energy = hours * CORES * WATTS * POWER_USAGE / 1000  # kWh
    dollars = hours * INSTANCES[INSTANCE].dollars
    cells = (f"{hours:.2f}", f"{energy:.4f}", f"{energy * GRAMS_A_KWH:.1f}", f"{dollars:.2f}")
    return [stage.name, *cells]
