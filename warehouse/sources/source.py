"""One source of the settings: what arrives, in which format, and how its columns are named."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal

Kind = Literal["gpu_billing", "training_logs", "request_telemetry", "gpu_activity"]
Delivery = Literal["replace", "append", "parts"]


def _nothing() -> Mapping[str, str]:
    return MappingProxyType({})


@dataclass(frozen=True)
class Source:
    """A `[[source]]` of trisect.toml; `files` is a glob below the project directory."""

    name: str
    kind: Kind
    format: str
    files: str
    delivery: Delivery = "replace"
    columns: Mapping[str, str] = field(default_factory=_nothing)
    constants: Mapping[str, str] = field(default_factory=_nothing)
    options: Mapping[str, str] = field(default_factory=_nothing)
