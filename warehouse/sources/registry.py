"""Every format that is read, one record each: the only list. Docs, `check` and the second reader derive from it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal

from warehouse.sources.billing import (
    aws_cur,
    azure_cost,
    charge_casts,
    focus,
    gcp_billing,
    oci_cost,
    opencost,
    table,
)
from warehouse.sources.billing.control_columns import ControlColumns
from warehouse.sources.reader_protocol import Reader
from warehouse.sources.requests import litellm, otlp, request_casts
from warehouse.sources.requests import table as table_requests
from warehouse.sources.source import Kind
from warehouse.sources.training import hf_trainer, mlflow, mlperf, run_casts, sacct, table_metrics, wandb
from warehouse.sources.training import table as table_runs


@dataclass(frozen=True)
class Format:
    """One format of one kind of source.

    `title` is what people call it; `tier` 1 is proven on real files, 2 on files made in the exact layout. `reader` is
    the module that reads it, `columns` what `[source.columns]` and `[source.constants]` may name (none where the format
    names its own), `control` the columns of a bill that a second reader adds up, `documentation` its page in docs/.
    """

    kind: Kind
    name: str
    title: str
    tier: Literal[1, 2]
    reader: Reader
    documentation: str
    columns: tuple[str, ...] = ()
    control: ControlColumns | None = None


_FORMATS: Final = (
    Format(
        "gpu_billing",
        "focus",
        "FOCUS Cost and Usage 1.0 to 1.4",
        1,
        focus,
        "formats/focus.md",
        columns=tuple(focus.NAMES),
        control=ControlColumns(focus.layout, "currency", ("billed_cost",), ("effective_cost",)),
    ),
    Format(
        "gpu_billing",
        "table",
        "a bill as any table",
        1,
        table,
        "formats/table.md",
        columns=(*charge_casts.CELLS, *table.EXTRAS),
        control=ControlColumns(table.layout, "currency", ("billed_cost",), ("effective_cost",)),
    ),
    Format(
        "gpu_billing",
        "aws_cur",
        "AWS Cost and Usage Report, legacy and 2.0",
        1,
        aws_cur,
        "formats/aws_cur.md",
        columns=tuple(aws_cur.NAMES),
        control=ControlColumns(aws_cur.layout, "currency", ("billed_cost",)),
    ),
    Format(
        "gpu_billing",
        "azure_cost",
        "Azure cost details, actual and amortised",
        1,
        azure_cost,
        "formats/azure_cost.md",
        columns=tuple(azure_cost.NAMES),
        control=ControlColumns(azure_cost.layout, "currency", ("billed_cost",), ("billed_cost",)),
    ),
    Format(
        "gpu_billing",
        "gcp_billing",
        "Google Cloud billing export, standard and detailed",
        2,
        gcp_billing,
        "formats/gcp_billing.md",
        columns=tuple(gcp_billing.NAMES),
        control=ControlColumns(
            gcp_billing.layout, "currency", ("billed_cost",), ("billed_cost",), members=("credits", "amount")
        ),
    ),
    Format(
        "gpu_billing",
        "oci_cost",
        "OCI cost report",
        1,
        oci_cost,
        "formats/oci_cost.md",
        columns=tuple(oci_cost.NAMES),
        control=ControlColumns(oci_cost.layout, "currency", ("billed_cost", "overage"), ("billed_cost", "overage")),
    ),
    Format("gpu_billing", "opencost", "OpenCost allocations: a split key, no money", 2, opencost, "ledger.md"),
    Format("training_logs", "hf_trainer", "Hugging Face Trainer", 1, hf_trainer, "policy.md"),
    Format("training_logs", "mlflow", "MLflow", 1, mlflow, "policy.md"),
    Format("training_logs", "mlperf", "MLPerf Training logs", 1, mlperf, "policy.md"),
    Format("training_logs", "sacct", "Slurm accounting", 1, sacct, "policy.md"),
    Format(
        "training_logs",
        "table",
        "runs as any table",
        1,
        table_runs,
        "policy.md",
        columns=(*run_casts.COLUMNS, *table_runs.LONG, *table_runs.WIDE, *table_metrics.COMMON),
    ),
    Format(
        "training_logs",
        "wandb",
        "Weights & Biases",
        1,
        wandb,
        "policy.md",
        columns=(*table_metrics.COMMON, *table_runs.WIDE),
    ),
    Format("request_telemetry", "otlp", "OpenTelemetry spans as JSON lines", 1, otlp, "policy.md"),
    Format(
        "request_telemetry",
        "table",
        "requests as any table",
        1,
        table_requests,
        "policy.md",
        columns=request_casts.COLUMNS,
    ),
    Format(
        "request_telemetry",
        "litellm",
        "LiteLLM spend log",
        1,
        litellm,
        "policy.md",
        columns=tuple(litellm.NAMES),
    ),
)

FORMATS: Final[Mapping[tuple[str, str], Format]] = MappingProxyType({(one.kind, one.name): one for one in _FORMATS})
"""By kind and name."""


def canonical_columns(kind: str, file_format: str) -> tuple[str, ...]:
    """What `[source.columns]` and `[source.constants]` may name, each once; none where the format names its columns."""
    found = FORMATS.get((kind, file_format))
    return tuple(dict.fromkeys(found.columns)) if found else ()
