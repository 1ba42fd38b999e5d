"""How a transform becomes an asset, and a check function an asset check."""

import inspect
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final, Literal

import dagster as dg
import polars as pl

from orchestration.code_digest import code_digest
from orchestration.holds import HOLDS
from orchestration.resources import Warehouse, key, night_of, preview
from warehouse.errors import HeldError
from warehouse.incremental.fingerprints import is_sliced
from warehouse.incremental.plan import Slices, Transform
from warehouse.schemas import CATALOGUE
from warehouse.schemas.table import Table
from warehouse.sources.casts.date_guard import EARLIEST

OWNERS: Final = ["team:finops"]


def nights_from(first: date) -> dg.DailyPartitionsDefinition:
    """One partition a night, from the first day on."""
    return dg.DailyPartitionsDefinition(start_date=first.isoformat(), timezone="UTC")


NIGHTS: Final = nights_from(EARLIEST.date())
"""Every night there can be; the UI offers those since the inbox begins."""


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


def inputs(function: Transform) -> list[type[Table]]:
    """The tables that a function reads: its arguments."""
    return [CATALOGUE[name] for name in inspect.signature(function).parameters]


def _name(table: type[Table]) -> str:
    return table.table_name


def spec(table: type[Table], reads: Sequence[type[Table]] = (), group: str = "") -> dg.AssetSpec:
    """The asset of a table: its description is the meaning of a row, its columns the schema, its group the stage.

    A `group` of another name sets tables apart that other stages read: the graph of groups runs one way.
    """
    columns = [
        dg.TableColumn(
            name=name,
            type=column.sql,
            description=f"{column.description} [{column.unit}]" if column.unit else column.description,
            constraints=dg.TableColumnConstraints(nullable=column.is_nullable),
        )
        for name, column in table.columns().items()
    ]
    return dg.AssetSpec(
        key=key(table),
        deps=[key(read) for read in reads],
        description=inspect.getdoc(table),
        group_name=group or table.table_stage,
        partitions_def=NIGHTS,
        kinds={"duckdb"},
        owners=OWNERS,
        code_version=code_digest(table.table_stage)[:12],
        metadata={"dagster/column_schema": dg.TableSchema(columns=columns)},
    )


@dataclass(frozen=True)
class Check:
    """A function that names offending rows, and the table that is held when it finds any.

    A check of the grain `day` sees each day of the table when it is computed, with what the day was computed from.
    """

    function: Transform
    on: str
    grain: Literal["table", "day"] = "table"

    def spec(self) -> dg.AssetCheckSpec:
        """The blocking check in Dagster's words."""
        return dg.AssetCheckSpec(
            name=self.function.__name__,
            asset=key(CATALOGUE[self.on]),
            description=inspect.getdoc(self.function),
            additional_deps=[key(read) for read in inputs(self.function) if read.table_name != self.on],
            blocking=True,
        )

    def is_daily_on(self, table: type[Table]) -> bool:
        """Whether it sees each day of the table when it is computed."""
        return self.grain == "day" and self.on == table.table_name

    @property
    def name(self) -> str:
        """The noun of the offending rows."""
        return self.function.__name__

    def rows(self, warehouse: Warehouse, seen: pl.DataFrame | None = None) -> pl.DataFrame:
        """The offending rows, or those `seen` in the days that were computed."""
        return self.function(**warehouse.read(map(_name, inputs(self.function)))) if seen is None else seen

    def outcome(self, rows: pl.DataFrame) -> dg.AssetCheckResult:
        """Green where there is no offending row."""
        return dg.AssetCheckResult(
            asset_key=key(CATALOGUE[self.on]),
            check_name=self.name,
            passed=rows.is_empty(),
            metadata={"offending": rows.height, "rows": preview(rows)},
        )


def stage(*functions: Transform, checks: Sequence[Check] = (), name: str = "") -> dg.AssetsDefinition:
    """The assets of one stage, one for each function's table, and the checks that hold them.

    They are one step of the run: Dagster writes some ten events for each step, which for a hundred small tables takes
    longer than the tables. Each table is still an asset of its own that can be selected and looked into.
    """
    computed = {CATALOGUE[function.__name__]: function for function in functions}

    @dg.multi_asset(
        name=name or next(iter(computed)).table_stage,
        specs=[spec(table, inputs(function), name) for table, function in computed.items()],
        check_specs=[check.spec() for check in checks],
        can_subset=True,
    )
    def compute(
        context: dg.AssetExecutionContext, warehouse: Warehouse
    ) -> Iterator[dg.MaterializeResult[None] | dg.AssetCheckResult]:
        daily = DailyTables(warehouse, night_of(context))
        selected = {
            table: function for table, function in computed.items() if key(table) in context.selected_asset_keys
        }
        warehouse.require([read for function in selected.values() for read in inputs(function) if read not in selected])
        holds: list[str] = []
        with warehouse.writing(*selected) as held:
            for table, function in selected.items():
                if is_sliced(table):
                    yield daily.renew(function, [check.function for check in checks if check.is_daily_on(table)])
                else:
                    frames = warehouse.read(read.table_name for read in inputs(function))
                    yield warehouse.write(table, function(**frames))
            for check in checks:
                if check.spec().key in context.selected_asset_check_keys:
                    rows = check.rows(warehouse, daily.doubted(check.function))
                    if check.name in HOLDS and not rows.is_empty():
                        holds.append(HOLDS[check.name](rows.row(0, named=True)))
                    yield check.outcome(rows)
                    if rows.is_empty():
                        continue
                held.add(CATALOGUE[check.on])
        if holds:
            raise HeldError(f"held: {holds[0]}")

    return compute
