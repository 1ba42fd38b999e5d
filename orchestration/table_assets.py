"""How a transform becomes an asset, and a check function an asset check."""

import inspect
from collections.abc import Callable, Sequence
from typing import Final

import dagster as dg
import polars as pl

from orchestration.resources import Warehouse, key
from warehouse.schemas import CATALOGUE
from warehouse.schemas.table import Table
from warehouse.tables import preview

NIGHTS: Final = dg.DailyPartitionsDefinition(start_date="2015-01-01", timezone="UTC")
Transform = Callable[..., pl.DataFrame]


def inputs(function: Transform) -> list[type[Table]]:
    """The tables that a function reads: its arguments."""
    return [CATALOGUE[name] for name in inspect.signature(function).parameters]


def spec(table: type[Table], reads: Sequence[type[Table]] = ()) -> dg.AssetSpec:
    """The asset of a table: its group is the stage, its description the meaning of a row, its columns the schema."""
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
        group_name=table.table_stage,
        partitions_def=NIGHTS,
        kinds={"duckdb"},
        metadata={"dagster/column_schema": dg.TableSchema(columns=columns)},
    )


def table(function: Transform) -> dg.AssetsDefinition:
    """The asset whose table the function computes from the tables it names."""
    written = CATALOGUE[function.__name__]
    reads = inputs(function)

    @dg.multi_asset(name=written.table_name, specs=[spec(written, reads)])
    def compute(warehouse: Warehouse) -> dg.MaterializeResult[None]:
        frames = warehouse.read(read.table_name for read in reads)
        return warehouse.write(written, function(**frames))

    return compute


def check(function: Transform, on: str) -> dg.AssetChecksDefinition:
    """A blocking check on the table named `on`: green when the function finds no offending row."""
    reads = [read.table_name for read in inputs(function)]

    @dg.asset_check(
        asset=key(CATALOGUE[on]),
        name=function.__name__,
        description=inspect.getdoc(function),
        additional_deps=[key(CATALOGUE[name]) for name in reads if name != on],
        blocking=True,
    )
    def offending(warehouse: Warehouse) -> dg.AssetCheckResult:
        rows = function(**warehouse.read(reads))
        return dg.AssetCheckResult(passed=rows.is_empty(), metadata={"offending": rows.height, "rows": preview(rows)})

    return offending
