"""Percentiles of durations from the buckets of a histogram, linear inside a bucket."""

from __future__ import annotations

from typing import Final

import polars as pl

GROUP: Final = ("source", "model", "deployment", "team", "tenant", "task", "hour", "status")
PERCENTILES: Final = {"histogram_p50_us": 0.5, "histogram_p95_us": 0.95}


def with_percentiles(hours: pl.DataFrame, buckets: pl.DataFrame) -> pl.DataFrame:
    """The hours with the percentiles of all servers of a group; null where nothing tells of them.

    `buckets` has the `requests` of a group that took `bound_us` at most; without a bound all of them. What took longer
    than the last bound took nobody knows how long, so that a percentile there is unknown.
    """
    return hours.join(_percentiles(buckets), on=GROUP, how="left", nulls_equal=True)


def _percentiles(buckets: pl.DataFrame) -> pl.DataFrame:
    ordered = buckets.sort(*GROUP, "bound_us", nulls_last=True).with_columns(
        # A scrape is spread over hours with whole numbers, so that a wider bucket may seem to hold one request less.
        pl.col("requests").cum_max().over(GROUP).alias("within"),
    )
    before = ordered.with_columns(
        pl.col("within").shift(1, fill_value=0).over(GROUP).alias("below"),
        pl.col("bound_us").shift(1, fill_value=0).over(GROUP).alias("from_us"),
        pl.col("within").max().over(GROUP).alias("all"),
    )
    return before.group_by(GROUP, maintain_order=True).agg(
        _at(share).first().round().cast(pl.Int64).alias(name) for name, share in PERCENTILES.items()
    )


def _at(share: float) -> pl.Expr:
    """Where the share of all requests is reached: in the first bucket that holds so many."""
    rank = pl.col("all") * share
    inside = (rank - pl.col("below")) / (pl.col("within") - pl.col("below"))
    value = pl.col("from_us") + (pl.col("bound_us") - pl.col("from_us")) * inside
    return value.filter((pl.col("within") >= rank) & (pl.col("below") < rank))
