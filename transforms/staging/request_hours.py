"""The reduction of requests to hours, written once for every engine that narwhals speaks to.

It runs as it stands on Polars, DuckDB and Spark, on rows of which each is a request of its own. Whoever reduces a
hundred million rows on one machine takes the parts apart: `in_parts` for every row, and sums and percentiles by the
names of `KEYS`, `SUMS` and `PERCENTILES` in an engine of its own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import Any, Final

import narwhals as nw

Lazy = nw.LazyFrame[Any]

KEYS: Final = (
    *("day", "hour", "part_start", "source", "model"),
    *("deployment", "team", "tenant", "task", "status", "unit_name"),
)
"""What one row of raw.request_hours is about."""

SUMS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "requests": "requests",
        "requests_with_usage": "requests_with_usage",
        "input_tokens": "input_tokens",
        "cached_input_tokens": "cached_input_tokens",
        "output_tokens": "output_tokens",
        "units_whole": "units_whole",
        "units_rest": "units_rest",
        "duration_us": "duration_us",
        "ttft_us": "ttft_us",
        "ttft_known": "ttft_known",
    }
)
"""Sum -> column of `in_parts`; whole numbers, so that no order of rows changes a sum."""

PERCENTILES: Final[Mapping[str, int]] = MappingProxyType({"duration_p50_us": 50, "duration_p95_us": 95})
"""Percentile of `each_duration_us` -> percent: the smallest value that so many percent of the rows do not exceed."""

HISTOGRAMS: Final[Mapping[str, str]] = MappingProxyType(
    {"duration_p50_us": "histogram_p50_us", "duration_p95_us": "histogram_p95_us"}
)
"""Percentile -> column of `in_parts` where buckets of a histogram tell of it; the same in all rows of an hour."""

_MICRO: Final = 1_000_000
_WHOLE: Final = 100


def in_parts(requests: Lazy, boundaries: Sequence[datetime]) -> Lazy:
    """Each request with its hour, the part of the hour since the last boundary, and what of it is summed."""
    start = nw.col("start_at")
    counted = requests.filter((nw.col("requests") > 0) | nw.col("is_growth")).with_columns(
        start.dt.truncate("1h").alias("hour")
    )
    begun = [nw.when(start >= boundary).then(nw.lit(boundary, nw.Datetime("us", "UTC"))) for boundary in boundaries]
    return counted.with_columns(
        (nw.max_horizontal("hour", *begun) if begun else nw.col("hour")).alias("part_start"),
        nw.when(nw.col("has_usage")).then(nw.col("requests")).otherwise(0).alias("requests_with_usage"),
        _wholes(_or_zero("units_micro")).alias("units_whole"),
        (_or_zero("units_micro") % _MICRO).alias("units_rest"),
        nw.when(nw.col("requests") == 1).then(nw.col("duration_us")).alias("each_duration_us"),
        (~nw.col("ttft_us").is_null()).cast(nw.Int64).alias("ttft_known"),
        *[_or_zero(name).alias(name) for name in _COUNTS],
    ).select(*KEYS, "each_duration_us", *SUMS.values(), *HISTOGRAMS.values())


_COUNTS: Final = ("input_tokens", "cached_input_tokens", "output_tokens", "duration_us", "ttft_us")


def _or_zero(name: str) -> nw.Expr:
    return nw.col(name).fill_null(0)


def _wholes(micro: nw.Expr) -> nw.Expr:
    """Whole units of millionths.

    Spark divides whole numbers as floats: from the middle between two quotients no rounding reaches the next one.
    """
    return (micro - micro % _MICRO + _MICRO // 2) // _MICRO


def reduced(requests: Lazy, boundaries: Sequence[datetime]) -> Lazy:
    """The whole reduction; percentiles by rank within the group, where an engine has nothing better."""
    rows = in_parts(requests, boundaries)
    value = nw.col("each_duration_us")
    ranked = rows.with_columns(
        value.count().over(*KEYS).alias("of"),
        value.cum_count().over(*KEYS, order_by="each_duration_us").alias("rank"),
    )
    chosen = ranked.with_columns(
        nw.when((nw.col("rank") == (nw.col("of") * percent + _WHOLE - 1) // _WHOLE) & ~value.is_null())
        .then(value)
        .alias(name)
        for name, percent in PERCENTILES.items()
    )
    sums = [nw.col(column).sum().alias(name) for name, column in SUMS.items()]
    picks = [nw.col(name).max() for name in (*PERCENTILES, *HISTOGRAMS.values())]
    picked = chosen.group_by(*KEYS).agg(*sums, *picks)
    return measured(
        picked.with_columns(nw.coalesce(name, of_buckets).alias(name) for name, of_buckets in HISTOGRAMS.items())
    )


def measured(sums: Lazy) -> Lazy:
    """The sums as raw.request_hours has them: units and seconds, unknown where nothing was known."""
    return sums.with_columns(
        (nw.col("units_whole") + _millionths("units_rest")).alias("units"),
        nw.when(nw.col("ttft_known") > 0).then(_millionths("ttft_us")).alias("ttft_s_sum"),
        _millionths("duration_p50_us").alias("duration_s_p50"),
        _millionths("duration_p95_us").alias("duration_s_p95"),
    )


def _millionths(name: str) -> nw.Expr:
    """A column divided by a million, row by row.

    Divided by a literal, Polars multiplies by its reciprocal where a frame has several rows, and a last digit would
    depend on how many there are.
    """
    return nw.col(name) / (nw.col(name) * 0 + _MICRO)
