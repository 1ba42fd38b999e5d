"""Tables that are computed day by day, as Dagster is told of them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import dagster as dg
import polars as pl

from orchestration.code_digest import code_digest
from orchestration.resources import Warehouse
from warehouse.incremental.plan import Slices, Transform
from warehouse.schemas import CATALOGUE


class DailyTables:
    """The daily tables of one night; remembers what checks have found in the days that were computed."""

    def __init__(self, warehouse: Warehouse, night: date) -> None:
        self._warehouse = warehouse
        self._slices = Slices(warehouse.connection, code_digest, night)
        self._doubted: dict[str, pl.DataFrame] = {}

    def renew(self, function: Transform, checks: Sequence[Transform]) -> dg.MaterializeResult[None]:
        """Compute the days of the function's table that changed, each with its checks; what Dagster is told."""
        renewal = self._slices.renew(function, checks)
        self._doubted |= renewal.doubted
        table, gone = CATALOGUE[function.__name__], len(renewal.gone)
        return self._warehouse.landed(table, days_computed=len(renewal.computed), days_gone=gone)

    def doubted(self, check: Transform) -> pl.DataFrame | None:
        """The rows that the check has named in the days computed tonight; none where it has not been asked."""
        return self._doubted.get(check.__name__)
