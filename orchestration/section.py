"""The base of every table of trisect.toml: its keys are typed fields, and a key that is none of them is a fault."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Section(BaseModel):
    """One table of trisect.toml; a value is taken as it is written, never converted."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)
