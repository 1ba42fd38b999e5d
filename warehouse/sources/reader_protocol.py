"""What every reader receives and returns: one delivered file in, typed rows and refusals out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from types import MappingProxyType

import polars as pl

from warehouse.schemas.findings import Finding
from warehouse.sources.casts.date_guard import starts_before

REFUSED_SCHEMA = {
    "location": pl.String(),
    "reason": pl.String(),
    "raw": pl.String(),
    "detail": pl.String(),
    "currency": pl.String(),
    "billed_cost": pl.Decimal(38, 12),
}


NOTHING_REFUSED = pl.DataFrame(schema=REFUSED_SCHEMA)


class RejectedFile(Exception):  # noqa: N818 - the word of the contract
    """A whole file cannot count: `reason` is a code of the closed list, `detail` says what was found."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail


class FileWithoutRows(RejectedFile):
    """A file that has its header and no row: an export of nothing where others hold the rows, else a failed export."""

    def __init__(self) -> None:
        super().__init__("empty_file", "the file has no row, only a header or white space")


@dataclass(frozen=True)
class Delivered:
    """One regular file of the inbox, hashed and unpacked.

    `content` is a private copy of the decompressed bytes, gone after reading. `side_files` are the files a reader
    asked for (side files, system descriptions) that exist: path below the project directory -> where to open it.
    `is_proved` says that a control file names these bytes by digest, so that nothing of them can be missing. `run_on`
    is the day of the run where that may be long after the night. `copies` are other paths of the same bytes, where
    a path says when something was measured.
    """

    file: str
    sha256: str
    bytes: int
    content: Path
    night_start: datetime
    side_files: Mapping[str, Path] = field(default_factory=lambda: MappingProxyType({}))
    is_proved: bool = False
    run_on: date | None = None
    copies: tuple[str, ...] = ()

    @property
    def ahead(self) -> datetime:
        """The first moment that is too late for a start."""
        return starts_before(self.night_start.date(), self.run_on)


@dataclass(frozen=True)
class Reading:
    """What one file holds.

    `frames` maps a raw table to its rows in that table's columns (`file_sha256` and `source` included); `rows` counts
    every row of the file; `duplicates` those that repeat another row of this same file. What is neither refused,
    duplicate nor blank is accepted. Rows too many to hold lie in `parts`, Parquet files beside the content. `totals` is
    the bill: currency -> billed and effective cost of all accepted rows; `derived_totals` names the one of them that no
    column of the file states. `repeated` are the locations of rows that repeat another one. `counted` says how many
    accepted rows became charges, runs or requests; none means all of them, and for requests the rows of the frame.
    `findings` are what the reader noticed and could not decide.
    """

    rows: int
    frames: Mapping[str, pl.DataFrame]
    refused: pl.DataFrame = field(default_factory=lambda: NOTHING_REFUSED)
    blank: int = 0
    duplicates: int = 0
    foreign_lines: int = 0
    flags: tuple[str, ...] = ()
    rounding_residual: Decimal = Decimal(0)
    parts: Mapping[str, Sequence[Path]] = field(default_factory=lambda: MappingProxyType({}))
    totals: Mapping[str, tuple[Decimal, Decimal]] = field(default_factory=lambda: MappingProxyType({}))
    derived_totals: frozenset[str] = frozenset()
    repeated: pl.Series = field(default_factory=lambda: pl.Series("location", [], dtype=pl.String))
    counted: int | None = None
    findings: Sequence[Finding] = ()
