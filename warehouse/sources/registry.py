"""FORMATS: the only list of formats. A new format is one record here, one module, one test and one page.

Settings, landing, the second reader of bills, README and docs/formats/ derive from these records.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from warehouse.schemas.raw import ChargeRows
from warehouse.sources.activity import dcgm
from warehouse.sources.billing import (
    aws_cur,
    azure_cost,
    charge_casts,
    focus,
    gcp_billing,
    oci_cost,
    opencost,
    runpod,
)
from warehouse.sources.billing import table as table_bill
from warehouse.sources.billing.control_columns import ControlColumns
from warehouse.sources.billing.control_totals import SecondReader, compare, of_columns
from warehouse.sources.reader_protocol import Delivered, Reading
from warehouse.sources.requests import (
    anthropic_usage,
    envoy_gateway,
    langfuse,
    litellm,
    openai_usage,
    otlp,
    request_casts,
    vllm_metrics,
)
from warehouse.sources.requests import table as table_requests
from warehouse.sources.source import Source
from warehouse.sources.training import (
    hf_trainer,
    megatron,
    mlflow,
    mlperf,
    nanogpt,
    run_casts,
    sacct,
    sidecar,
    table_metrics,
    tensorboard,
    wandb,
)
from warehouse.sources.training import table as table_runs


def _none(_file: str) -> Sequence[str]:
    """Most formats need no file beside the file."""
    return ()


@dataclass(frozen=True)
class Format:
    """One format of one kind of source.

    `title` names it for people; `tier` is the promise (1: proven on real files, 2: on files in the exact layout).
    `read` turns one delivered file into typed rows and refusals. `columns` are what `[source.columns]` and
    `[source.constants]` may name, none where the format names its own. `second_reader` adds a bill up without the
    parsing code of `read`; a format without one is no bill. `version` tells the
    version by the names of columns, in small letters. `side_files` are the paths that may stand beside a file.
    `is_timed_by_path` says that the same bytes under another path are a measurement of another time,
    `is_bought` that every request is to an API that sells tokens.
    """

    kind: str
    name: str
    title: str
    tier: int
    read: Callable[[Delivered, Source], Reading]
    columns: Sequence[str] = ()
    second_reader: SecondReader | None = None
    version: Callable[[Collection[str]], str | None] | None = None
    side_files: Callable[[str], Sequence[str]] = _none
    is_timed_by_path: bool = False
    is_bought: bool = False

    def verify(self, delivered: Delivered, source: Source, read: Reading) -> None:
        """Hold the sums of a bill against those of its second reader.

        Raises:
            OpinionsDifferError: when they differ by as little as one unit.
        """
        if self.second_reader and ChargeRows.table_name in read.frames:
            compare(delivered, read, self.second_reader(delivered, source, read))

    @property
    def page(self) -> str:
        """Where the documentation says how to export it, what the glob must name, what is read and what it lacks."""
        return f"docs/formats/{self.name}.md"


_RECORDS: Final = (
    Format(
        "gpu_billing",
        "focus",
        "FOCUS 1.0–1.4",
        1,
        focus.read,
        columns=tuple(focus.NAMES),
        second_reader=of_columns(ControlColumns(focus.layout, ("billed_cost",), ("effective_cost",))),
        version=focus.version,
    ),
    Format(
        "gpu_billing",
        "table",
        "any table of charges",
        1,
        table_bill.read,
        columns=(*charge_casts.CELLS, *table_bill.EXTRAS),
        second_reader=of_columns(ControlColumns(table_bill.layout, ("billed_cost",), ("effective_cost",))),
    ),
    Format(
        "gpu_billing",
        "aws_cur",
        "AWS Cost and Usage Report, legacy and 2.0",
        1,
        aws_cur.read,
        columns=tuple(aws_cur.NAMES),
        second_reader=of_columns(ControlColumns(aws_cur.layout, ("billed_cost",))),
        version=aws_cur.version,
    ),
    Format(
        "gpu_billing",
        "azure_cost",
        "Azure cost details, actual and amortised",
        1,
        azure_cost.read,
        columns=tuple(azure_cost.NAMES),
        second_reader=of_columns(ControlColumns(azure_cost.layout, ("billed_cost",), ("billed_cost",))),
    ),
    Format(
        "gpu_billing",
        "gcp_billing",
        "Google Cloud billing export, standard and detailed",
        2,
        gcp_billing.read,
        columns=tuple(gcp_billing.NAMES),
        version=gcp_billing.version,
        second_reader=of_columns(
            ControlColumns(gcp_billing.layout, ("billed_cost",), ("billed_cost",), members=("credits", "amount"))
        ),
    ),
    Format(
        "gpu_billing",
        "oci_cost",
        "OCI cost report",
        1,
        oci_cost.read,
        columns=tuple(oci_cost.NAMES),
        second_reader=of_columns(
            ControlColumns(oci_cost.layout, ("billed_cost", "overage"), ("billed_cost", "overage"))
        ),
    ),
    Format(
        "gpu_billing",
        "runpod",
        "RunPod billing history of pods",
        2,
        runpod.read,
        columns=tuple(runpod.NAMES),
        second_reader=of_columns(ControlColumns(runpod.layout, ("billed_cost",), ("billed_cost",))),
    ),
    Format("gpu_billing", "opencost", "OpenCost allocations, a split key", 2, opencost.read),
    Format(
        "training_logs",
        "wandb",
        "Weights & Biases run folders and histories",
        1,
        wandb.read,
        columns=(*table_metrics.COMMON, *table_runs.WIDE),
        side_files=wandb.side_files,
    ),
    Format("training_logs", "mlflow", "MLflow tracking stores (SQLite)", 1, mlflow.read, side_files=mlflow.side_files),
    Format("training_logs", "sacct", "Slurm accounting", 1, sacct.read),
    Format(
        "training_logs",
        "hf_trainer",
        "Hugging Face trainer states",
        1,
        hf_trainer.read,
        side_files=hf_trainer.side_files,
    ),
    Format(
        "training_logs",
        "megatron",
        "Megatron-LM training logs",
        2,
        megatron.read,
        side_files=sidecar.sidecar_paths,
    ),
    Format(
        "training_logs",
        "tensorboard",
        "TensorBoard event files",
        2,
        tensorboard.read,
        side_files=sidecar.sidecar_paths,
    ),
    Format(
        "training_logs",
        "nanogpt",
        "nanoGPT training logs",
        2,
        nanogpt.read,
        side_files=sidecar.sidecar_paths,
    ),
    Format("training_logs", "mlperf", "MLPerf training logs", 1, mlperf.read, side_files=mlperf.side_files),
    Format(
        "training_logs",
        "table",
        "any table of runs or metrics",
        1,
        table_runs.read,
        columns=(*run_casts.COLUMNS, *table_runs.LONG, *table_runs.WIDE, *table_metrics.COMMON),
        side_files=sidecar.sidecar_paths,
    ),
    Format("request_telemetry", "otlp", "OpenTelemetry JSON lines", 1, otlp.read, columns=otlp.COLUMNS),
    Format("request_telemetry", "litellm", "LiteLLM spend logs", 1, litellm.read, columns=tuple(litellm.NAMES)),
    Format(
        "request_telemetry",
        "vllm_metrics",
        "Counters of vLLM and SGLang, scraped",
        1,
        vllm_metrics.read,
        columns=tuple(vllm_metrics.LABELS),
        is_timed_by_path=True,
    ),
    Format(
        "request_telemetry",
        "openai_usage",
        "Pages of OpenAI's usage API",
        2,
        openai_usage.read,
        columns=openai_usage.COLUMNS,
        is_bought=True,
    ),
    Format(
        "request_telemetry",
        "anthropic_usage",
        "Pages of Anthropic's usage report",
        2,
        anthropic_usage.read,
        columns=anthropic_usage.COLUMNS,
        is_bought=True,
    ),
    Format(
        "request_telemetry",
        "langfuse",
        "Langfuse observations",
        2,
        langfuse.read,
        columns=tuple(langfuse.NAMES),
    ),
    Format(
        "request_telemetry",
        "envoy_gateway",
        "Envoy AI Gateway access logs",
        2,
        envoy_gateway.read,
        columns=tuple(envoy_gateway.NAMES),
    ),
    Format(
        "request_telemetry",
        "table",
        "any table of requests",
        1,
        table_requests.read,
        columns=tuple(request_casts.COLUMNS),
    ),
    Format(
        "gpu_activity",
        "dcgm",
        "Activity of GPUs, of DCGM's exporter",
        2,
        dcgm.read,
        columns=tuple(dcgm.COLUMNS),
        is_timed_by_path=True,
    ),
)

FORMATS: Final[Mapping[tuple[str, str], Format]] = MappingProxyType(
    {(record.kind, record.name): record for record in _RECORDS}
)
