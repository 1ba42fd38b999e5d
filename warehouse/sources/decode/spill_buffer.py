"""Rows read so far: in memory up to a limit, beyond it in Parquet files beside the content."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from warehouse.sources.reader_protocol import Delivered


@dataclass
class HeldRows:
    """The accepted rows of one file, in order; `name` is the raw table, `most` how many stay in memory."""

    delivered: Delivered
    name: str
    empty: pl.DataFrame
    most: int
    held: list[pl.DataFrame] = field(default_factory=list)
    paths: list[Path] = field(default_factory=list)

    def add(self, rows: pl.DataFrame) -> None:
        """Keep some more."""
        self.held.append(rows)
        if sum(frame.height for frame in self.held) > self.most:
            self._put_aside()

    def frames(self) -> dict[str, pl.DataFrame]:
        """All rows, if they never were too many; else none."""
        if self.paths and self.held:
            self._put_aside()
        return {self.name: pl.concat([self.empty, *self.held])}

    def parts(self) -> dict[str, list[Path]]:
        """The files, once `frames` was asked for."""
        return {self.name: self.paths} if self.paths else {}

    def _put_aside(self) -> None:
        path = self.delivered.content.with_name(f"{self.name}-{self.delivered.sha256}-{len(self.paths)}.parquet")
        pl.concat(self.held).write_parquet(path, compression="lz4")
        self.paths.append(path)
        self.held = []
