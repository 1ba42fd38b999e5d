"""Rows that were refused, collected while a file is read."""

from __future__ import annotations

from dataclasses import dataclass, field

import polars as pl

from warehouse.sources.reader_protocol import NOTHING_REFUSED, REFUSED_SCHEMA


@dataclass
class Refusals:
    """The refused rows of one file; nothing of a row's content is kept unless it is given as `raw`."""

    rows: list[tuple[str, str, str, str]] = field(default_factory=list)

    def add(self, location: str, reason: str, detail: str, raw: str = "") -> None:
        """One row refused for one reason of the closed list."""
        self.rows.append((location, reason, raw, detail))

    def __len__(self) -> int:
        return len(self.rows)

    def frame(self) -> pl.DataFrame:
        """The refused rows as every reader returns them."""
        if not self.rows:
            return NOTHING_REFUSED
        named = ("location", "reason", "raw", "detail")
        absent = {name: dtype for name, dtype in REFUSED_SCHEMA.items() if name not in named}
        return pl.DataFrame(self.rows, schema=dict.fromkeys(named, pl.String), orient="row").with_columns(
            pl.lit(None, dtype=dtype).alias(name) for name, dtype in absent.items()
        )
