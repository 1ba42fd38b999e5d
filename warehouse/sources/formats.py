"""Every format by kind and name, with its reader."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from warehouse.sources import mlperf, otlp
from warehouse.sources.reading import Reader

READERS: Final[Mapping[tuple[str, str], Reader]] = MappingProxyType(
    {
        ("training_logs", "mlperf"): mlperf,
        ("request_telemetry", "otlp"): otlp,
    }
)
