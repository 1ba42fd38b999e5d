"""Every format by kind and name, with its reader."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from warehouse.sources import (
    focus,
    hf_trainer,
    litellm,
    mlflow,
    mlperf,
    opencost,
    otlp,
    sacct,
    table_bill,
    table_requests,
    table_runs,
    wandb,
)
from warehouse.sources.reading import Reader

READERS: Final[Mapping[tuple[str, str], Reader]] = MappingProxyType(
    {
        ("gpu_billing", "focus"): focus,
        ("gpu_billing", "opencost"): opencost,
        ("gpu_billing", "table"): table_bill,
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
