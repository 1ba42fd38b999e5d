"""Which delivery of a bill counts: of one account's month the later path, or every file where rows are appended."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

import duckdb
import polars as pl

from warehouse.schemas.raw import BillDeliveries, ChargeRows
from warehouse.sources.source import Source

# Providers cut a month into parts: part-0001, _0_0001, -00001. Numbers without a leading zero may be years or versions.
_PART: Final = re.compile(r"part[-_.]?\d+(?:_0\d{3})?|_\d+_0\d{3}(?=\.|$)|-0\d{4}(?=\.|$)", re.IGNORECASE)
_UNITS: Final = f"""
    SELECT source, coalesce(billing_account_id, '') AS billing_account_id, billing_period_start,
        coalesce(cost_view, '') AS cost_view, file_sha256,
        count(*) AS "rows", sum(billed_cost)::DECIMAL(38, 12) AS billed_cost
    FROM {ChargeRows.qualified()} WHERE source = $source GROUP BY ALL
"""
_UNIT: Final = ("source", "billing_account_id", "billing_period_start", "cost_view")


def delivery_of(file: str) -> str:
    """The delivery that a file is a part of: its path without the part number."""
    folder, _, name = file.rpartition("/")
    return f"{folder}/{_PART.sub('', name)}"


def deliveries(connection: duckdb.DuckDBPyConnection, source: Source, files: Mapping[str, str]) -> pl.DataFrame:
    """The billing units of a source's files (`files`: digest -> last path of it), each current or replaced."""
    units: pl.DataFrame = connection.sql(_UNITS, params={"source": source.name}).pl()
    named = units.with_columns(
        pl.col("file_sha256").replace_strict(files, default=None, return_dtype=pl.String()).alias("file")
    ).drop_nulls("file")
    placed = named.with_columns(
        pl.col("file").map_elements(delivery_of, return_dtype=pl.String()).alias("delivery")
    ).with_columns(pl.col("file").max().over(*_UNIT, "delivery").alias("last"))
    newest = pl.col("last") == pl.col("last").max().over(_UNIT)
    return BillDeliveries.frame(
        placed.with_columns((pl.lit(source.delivery == "append") | newest).alias("is_current"))
    ).sort(*_UNIT, "file")


def superseded(units: pl.DataFrame) -> dict[tuple[str, str], str]:
    """Files of which nothing counts any more, by (source, digest), with the path of what replaced them."""
    winners = units.filter("is_current").group_by(_UNIT).agg(pl.col("file").max().alias("winner"))
    replaced = (
        units.join(winners, on=_UNIT)
        .group_by("source", "file_sha256")
        .agg(pl.col("is_current").any(), pl.col("winner").max())
        .filter(~pl.col("is_current"))
    )
    return {(source, sha256): winner for source, sha256, _, winner in replaced.iter_rows()}


def shrunken(units: pl.DataFrame) -> pl.DataFrame:
    """Current deliveries with under half the rows or cost of the one they replace: file, source and what was found."""
    sums = (
        units.group_by(*_UNIT, "delivery")
        .agg(
            pl.col("rows").sum(),
            pl.col("billed_cost").sum(),
            pl.col("is_current").any(),
            pl.col("file", "file_sha256").sort_by("file").last(),
        )
        .sort(*_UNIT, "file")
    )
    before = [pl.col(name).shift(1).over(_UNIT).alias(f"{name}_before") for name in ("rows", "billed_cost")]
    half_the_rows = pl.col("rows") * 2 < pl.col("rows_before")
    half_the_cost = (pl.col("billed_cost_before") > 0) & (
        pl.col("billed_cost") + pl.col("billed_cost") < pl.col("billed_cost_before")
    )
    return sums.with_columns(before).filter(pl.col("is_current") & (half_the_rows | half_the_cost))
