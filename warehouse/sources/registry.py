"""Every format by kind and name, with its reader."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from warehouse.sources.billing import charge_casts, focus, opencost, table
from warehouse.sources.reader_protocol import Reader
from warehouse.sources.requests import litellm, otlp, request_casts
from warehouse.sources.requests import table as table_requests
from warehouse.sources.training import hf_trainer, mlflow, mlperf, run_casts, sacct, table_metrics, wandb
from warehouse.sources.training import table as table_runs

READERS: Final[Mapping[tuple[str, str], Reader]] = MappingProxyType(
    {
        ("gpu_billing", "focus"): focus,
        ("gpu_billing", "opencost"): opencost,
        ("gpu_billing", "table"): table,
        ("training_logs", "hf_trainer"): hf_trainer,
        ("training_logs", "mlflow"): mlflow,
        ("training_logs", "mlperf"): mlperf,
        ("training_logs", "sacct"): sacct,
        ("training_logs", "table"): table_runs,
        ("training_logs", "wandb"): wandb,
        ("request_telemetry", "otlp"): otlp,
        ("request_telemetry", "table"): table_requests,
        ("request_telemetry", "litellm"): litellm,
    }
)

_CANONICAL: Final[Mapping[tuple[str, str], tuple[str, ...]]] = MappingProxyType(
    {
        ("gpu_billing", "focus"): tuple(focus.NAMES),
        ("gpu_billing", "table"): (*charge_casts.CELLS, *table.EXTRAS),
        ("training_logs", "table"): (*run_casts.COLUMNS, *table_runs.LONG, *table_runs.WIDE, *table_metrics.COMMON),
        ("training_logs", "wandb"): (*table_metrics.COMMON, *table_runs.WIDE),
        ("request_telemetry", "table"): request_casts.COLUMNS,
        ("request_telemetry", "litellm"): tuple(litellm.NAMES),
        ("request_telemetry", "otlp"): otlp.CONSTANTS,
    }
)


def canonical_columns(kind: str, file_format: str) -> tuple[str, ...]:
    """What `[source.columns]` and `[source.constants]` may name, each once; none where the format names its columns."""
    return tuple(dict.fromkeys(_CANONICAL.get((kind, file_format), ())))
