"""Tables that are computed day by day: only the days that changed, in portions that fit into memory."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from datetime import date

import dagster as dg
import polars as pl

from orchestration.code_digest import code_digest
from orchestration.resources import Warehouse
from warehouse.schemas.table import Table
from warehouse.slices import Slices, rows_of

Transform = Callable[..., pl.DataFrame]


class DailyTables:
    """The daily tables of one night; remembers what checks have found in the days that were computed."""

    def __init__(self, warehouse: Warehouse, night: date) -> None:
        self._warehouse = warehouse
        self._slices = Slices(warehouse.connection, code_digest(), night)
        self._doubted: dict[str, list[pl.DataFrame]] = {}

    def renew(
        self, table: type[Table], function: Transform, reads: Sequence[type[Table]], checks: Sequence[Transform]
    ) -> dg.MaterializeResult[None]:
        """Compute the days of the table that changed, each with its checks; what Dagster is told."""
        stale = self._slices.stale(table, reads)
        self._doubted |= {check.__name__: [] for check in checks}
        for days in stale.portions:
            frames = {read.table_name: self._slices.read(read, table, days) for read in reads}
            frames[table.table_name] = rows_of(table, days, function(**frames))
            doubted = [self._checked(check, frames) for check in checks]
            self._slices.write(stale, days, frames[table.table_name], doubted)
        self._slices.forget(stale)
        return self._warehouse.landed(table, days_computed=sum(map(len, stale.portions)), days_gone=len(stale.gone))

    def doubted(self, check: Transform) -> pl.DataFrame | None:
        """The rows that the check has named in the days computed tonight; none where it has not been asked."""
        found = self._doubted.get(check.__name__)
        return None if found is None else pl.concat([pl.DataFrame(), *found], how="diagonal")

    def _checked(self, check: Transform, frames: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
        rows = check(**{name: frames[name] for name in inspect.signature(check).parameters})
        self._doubted[check.__name__].append(rows)
        return rows
