"""Cells of requests under their canonical names become typed requests, or reasons why they do not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import polars as pl

from warehouse.schemas.columns import INSTANT, MONEY_SCALE
from warehouse.sources.casts.casts import Cast, Judged, cells_at_fault, first_reason, free_text, key, null_if, refused
from warehouse.sources.casts.decimals import quantity
from warehouse.sources.casts.number_casts import count
from warehouse.sources.casts.timestamps import Clock, in_order, instants, start_in_range
from warehouse.sources.requests.cache_accounting import INSIDE, PARTS, with_accounting
from warehouse.sources.status_words import request_status

TIMES: Final = ("start_at", "hour", "end_at", "first_token_at")
NAMES: Final = ("model", "deployment_id", "team", "tenant", "task", "unit_name", "call_type", "response_id")
COUNTS: Final = (
    *("requests", "input_tokens", "cached_input_tokens", "uncached_input_tokens", "cache_write_tokens"),
    "output_tokens",
)
SUBCOUNTS: Final = ("reasoning_tokens",)
SPANS: Final = ("duration_s", "duration_ms", "ttft_s", "ttft_ms")
UNITS: Final = ("units", "units_per_request", "steps_per_unit")
COLUMNS: Final = ("request_id", "status", *TIMES, *SPANS, *NAMES, *COUNTS, *SUBCOUNTS, *UNITS)
"""What a request may say of itself; reasoning tokens are part of the output and only checked."""

SHOWN: Final = (*TIMES, *SPANS, *COUNTS, *SUBCOUNTS, *UNITS)
"""Columns whose cells name nobody."""

_DIGITS: Final = {**dict.fromkeys(("duration_s", "ttft_s", *UNITS), 6), **dict.fromkeys(("duration_ms", "ttft_ms"), 3)}
"""Decimal digits to a millionth of a second or of a unit."""

_ONE: Final = 10**6
_MOST: Final = 10**15
_FARTHEST: Final = 10**18


@dataclass(frozen=True)
class Typed:
    """Typed requests row by row; why a row is refused, if so, and for which cell, where cells may be shown."""

    rows: pl.DataFrame
    reasons: pl.Series
    faults: pl.Series


def typed(
    cells: pl.DataFrame, present: frozenset[str], clock: Clock, ahead: datetime, cached_by_rule: str | None = INSIDE
) -> Typed:
    """Type every column of every row; of several reasons the first of the closed list counts.

    `cached_by_rule` is what setting or format say of cached tokens; without it the column `is_beside_by_habit` does.
    """
    casts = {name: cast_of(name, cells[name], present, clock) for name in COLUMNS}
    is_beside = pl.lit(cells["is_beside_by_habit"]) if "is_beside_by_habit" in cells.columns else pl.lit(value=False)
    return checked(casts, present, ahead, cached_by_rule, is_beside, cells)


def checked(
    casts: Mapping[str, Cast],
    present: frozenset[str],
    ahead: datetime,
    cached_by_rule: str | None = INSIDE,
    is_beside: pl.Expr | None = None,
    cells: pl.DataFrame | None = None,
) -> Typed:
    """Typed columns as requests: what follows from others is filled in, what contradicts itself is refused.

    `cells` are what the columns were read from: times and numbers of it may be shown.
    """
    rows = pl.DataFrame([cast.values.alias(name) for name, cast in casts.items()])
    units = _units() if present.intersection(UNITS) else pl.lit(None, dtype=pl.Int64).alias("units_micro")
    filled = rows.with_columns(_start_and_counts()).with_columns(_spans()).with_columns(units)
    habit = pl.lit(value=False) if is_beside is None else is_beside
    filled = with_accounting(filled, cached_by_rule, habit, rows["input_tokens"].is_not_null())
    shown: dict[str, pl.Series] = (
        {} if cells is None else {name: cells[name] for name in SHOWN if name in cells.columns}
    )
    judged = [
        *(Judged(name, cast.reasons, shown.get(name)) for name, cast in casts.items() if name in present),
        Judged("start_at", _without_start(casts, filled), shown.get("start_at")),
        Judged("start_at", start_in_range(filled["start_at"], ahead), shown.get("start_at")),
        Judged("end_at", in_order(filled["start_at"], filled["end_at"]), shown.get("end_at")),
    ]
    broken = [refused(filled.select(when).to_series().fill_null(value=False), reason) for reason, when in _RULES]
    reasons = first_reason(*(one.reasons for one in judged), *broken)
    return Typed(filled, reasons, cells_at_fault(reasons, judged))


def _without_start(casts: Mapping[str, Cast], rows: pl.DataFrame) -> pl.Series:
    """bad_date where no start is said at all; what is said and wrong has its reason already."""
    is_silent = casts["start_at"].reasons.is_null() & casts["hour"].reasons.is_null()
    return refused(is_silent & rows["start_at"].is_null(), "bad_date")


def cast_of(name: str, cells: pl.Series, present: frozenset[str], clock: Clock) -> Cast:
    """One column under its canonical name, from text."""
    if name == "status":
        return Cast(_status(cells, present), refused(cells.is_null() & cells.is_not_null(), "limit"))
    if name not in present:
        return Cast(cells.cast(_DTYPES[name]), cells)
    if name in TIMES:
        return instants(cells, clock)
    if name in _DIGITS:
        return _decimal(cells, _DIGITS[name], "bad_decimal" if name in SPANS else "bad_count")
    if name in (*COUNTS, *SUBCOUNTS):
        return count(cells)
    return key(cells) if name == "request_id" else free_text(cells)


def _decimal(cells: pl.Series, digits: int, reason: str) -> Cast:
    """The number times ten to the `digits`, as a whole number; further digits are cut."""
    scaled = quantity(cells).values.to_physical() // 10 ** (MONEY_SCALE - digits)
    near = pl.DataFrame({"scaled": scaled}).select(pl.when(pl.col("scaled").abs() < _FARTHEST).then("scaled"))
    values = near.to_series().cast(pl.Int64)
    return Cast(values, refused(values.is_null() & null_if(cells).is_not_null(), reason))


def _status(cells: pl.Series, present: frozenset[str]) -> pl.Series:
    """Without a status column every request counts as served."""
    if "status" in present:
        return request_status(cells)
    return pl.Series("status", ["ok"], dtype=pl.String).new_from_index(0, len(cells))


def _start_and_counts() -> list[pl.Expr]:
    apart = pl.col("uncached_input_tokens") + pl.col("cached_input_tokens").fill_null(0)
    return [
        pl.coalesce("start_at", "hour").alias("start_at"),
        pl.col("requests").fill_null(1),
        pl.coalesce("input_tokens", apart).alias("input_tokens"),
        pl.coalesce(*(name for name in SPANS if name.startswith("duration"))).alias("duration_us"),
        pl.col("deployment_id").alias("deployment"),
    ]


def _spans() -> list[pl.Expr]:
    waited = (pl.col("first_token_at") - pl.col("start_at")).dt.total_microseconds()
    ttft = pl.coalesce(*(name for name in SPANS if name.startswith("ttft")), waited)
    return [
        pl.coalesce("end_at", pl.col("start_at") + pl.duration(microseconds=pl.col("duration_us"))).alias("end_at"),
        pl.when(ttft >= 0).then(ttft).alias("ttft_us"),
    ]


def _units() -> pl.Expr:
    """Units as stated, else of each request times requests; times steps where those are what is paid for."""
    each = pl.col("units_per_request").cast(pl.Int128) * pl.col("requests")
    steps = pl.col("steps_per_unit").cast(pl.Int128).fill_null(_ONE)
    units = pl.coalesce(pl.col("units").cast(pl.Int128), each) * steps // _ONE
    return pl.when(units.abs() < _FARTHEST).then(units).cast(pl.Int64).alias("units_micro")


_DTYPES: Final = {
    **dict.fromkeys(("request_id", *NAMES), pl.String()),
    **dict.fromkeys(TIMES, INSTANT),
    **dict.fromkeys((*COUNTS, *SUBCOUNTS, *_DIGITS), pl.Int64()),
}
_TOKENS: Final = ("requests", "input_tokens", "cached_input_tokens", "cache_write_tokens", "output_tokens")
_UNSTATED: Final = pl.coalesce("units", "units_per_request").is_not_null() & pl.col("units_micro").is_null()
_RULES: Final = (
    ("end_before_start", pl.col("duration_us") < 0),
    ("bad_count", pl.any_horizontal(pl.col(*_TOKENS) > _MOST) | _UNSTATED | (pl.col("units_micro") < 0)),
    ("token_mismatch", ~pl.col("is_cache_open") & (pl.col("input_tokens").fill_null(0) < PARTS)),
)
