"""Text becomes a moment in UTC, cut to microseconds: ISO 8601, or a number with a unit and an origin."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, Literal

import polars as pl

from warehouse.schemas.columns import INSTANT
from warehouse.sources.casts.casts import Cast, first_reason, null_if, refused
from warehouse.sources.casts.decimals import quantity
from warehouse.sources.casts.timestamps_fast import plain_times
from warehouse.sources.source import Source

Unit = Literal["iso", "s", "ms", "us", "ns"]
EARLIEST: Final = datetime(2015, 1, 1, tzinfo=UTC)
LATEST_END: Final = datetime(2100, 1, 1, tzinfo=UTC)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_PER_MICROSECOND: Final = {  # a count is held in units of 10^-12
    "s": 10**6,
    "ms": 10**9,
    "us": 10**12,
    "ns": 10**15,
}
_MICROSECOND: Final = timedelta(microseconds=1)
_FIRST: Final = datetime(1000, 1, 1, tzinfo=UTC)
_LAST: Final = datetime.max.replace(tzinfo=UTC)
_FARTHEST: Final = 10**17  # microseconds, some 3,000 years
_ISO: Final = (
    r"^[0-9]{4}-[0-9]{2}-[0-9]{2}"
    r"(?:[Tt ](?:[01][0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9](?:\.[0-9]{0,9})?)?"
    r"(?:[Zz]|[+-](?:[01][0-9]|2[0-3])(?::?[0-5][0-9])?)?)?$"
)
_OFFSET: Final = r"(?<sign>[+-])(?<hours>[0-9]{2}):?(?<minutes>[0-9]{2})?$"


@dataclass(frozen=True)
class Clock:
    """How a source writes times: the zone of times without an offset, and unit and origin of numbers."""

    zone: str = "UTC"
    unit: Unit = "iso"
    origin: datetime = _EPOCH


def clock_of(source: Source) -> Clock:
    """The clock that the options of the source name."""
    options = source.options
    origin = datetime.fromisoformat(options.get("time_origin", _EPOCH.isoformat()))
    unit: Unit = options.get("time_unit", "iso")  # type: ignore[assignment]  # settings allow nothing else
    return Clock(options.get("timezone", "UTC"), unit, origin if origin.tzinfo else origin.replace(tzinfo=UTC))


def instants(cells: pl.Series, clock: Clock) -> Cast:
    """Moments in UTC. Reasons: bad_date, ambiguous_time; an empty cell gives null and no reason."""
    plain = plain_times(cells, clock.zone)
    if plain is not None:
        return Cast(plain, pl.Series("reason", [None], dtype=pl.String).new_from_index(0, len(cells)))
    texts = null_if(cells)
    iso = _iso(texts, clock.zone)
    if clock.unit == "iso":
        return _on_the_calendar(iso)
    is_counted = ~texts.str.contains(_ISO).fill_null(value=True)
    return _on_the_calendar(_laid_over(iso, _counted(texts.filter(is_counted), clock), is_counted))


def _on_the_calendar(cast: Cast) -> Cast:
    """Years of four digits only: others exist for a computer, and for nobody who is billed."""
    is_off = ((cast.values < _FIRST) | (cast.values > _LAST)).fill_null(value=False)
    values = pl.select(pl.when(~is_off).then(cast.values).alias("instant")).to_series()
    return Cast(values, first_reason(cast.reasons, refused(is_off, "bad_date")))


def written_days(cells: pl.Series, clock: Clock) -> Cast:
    """The calendar day as it is written, whatever the zone: of a period that is named by its first day."""
    moments = instants(cells, clock)
    days = null_if(cells).str.slice(0, 10).str.to_date("%Y-%m-%d", strict=False)
    counted = moments.values.dt.date()
    is_written = pl.DataFrame({"cell": cells}).select(pl.col("cell").str.contains(_ISO)).to_series()
    choice = pl.when(moments.reasons.is_null()).then(pl.when(is_written).then(days).otherwise(counted))
    return Cast(pl.select(choice.alias("day")).to_series(), moments.reasons)


def start_in_range(starts: pl.Series, ahead: datetime) -> pl.Series:
    """date_out_of_range for starts before 2015 and for those that lie ahead."""
    return refused((starts < EARLIEST) | (starts >= ahead), "date_out_of_range")


def end_in_range(ends: pl.Series) -> pl.Series:
    """date_out_of_range for ends in another century: such a span would be cut into millions of hours."""
    return refused((ends >= LATEST_END).fill_null(value=False), "date_out_of_range")


def in_order(starts: pl.Series, ends: pl.Series) -> pl.Series:
    """end_before_start where both are known and the end is the earlier one."""
    return refused((ends < starts).fill_null(value=False), "end_before_start")


def _iso(texts: pl.Series, zone: str) -> Cast:
    """The offset is obeyed; a time without one is taken for the zone's, and must occur there exactly once."""
    rows = pl.DataFrame({"cell": texts}).with_columns(pl.col("cell").str.contains(_ISO).alias("is_iso"))
    rows = rows.select(_local().alias("local"), pl.col("cell").str.slice(16).alias("tail"))
    moments = rows.select(
        pl.when(pl.col("tail").str.contains(r"[Zz+-]"))
        .then((pl.col("local") - _offset(rows["tail"])).dt.replace_time_zone("UTC"))
        .otherwise(_from_zone(pl.col("local"), zone))
        .alias("instant")
    )["instant"]
    is_bad = rows["local"].is_null() & texts.is_not_null()
    is_ambiguous = rows["local"].is_not_null() & moments.is_null()
    return Cast(moments, first_reason(refused(is_bad, "bad_date"), refused(is_ambiguous, "ambiguous_time")))


def _local() -> pl.Expr:
    """What the clock on the wall shows; null for an impossible date or what is not ISO 8601."""
    cell = pl.col("cell")
    has_seconds = cell.str.slice(16, 1) == ":"
    time = pl.when(has_seconds).then(cell.str.slice(11, 8)).otherwise(cell.str.slice(11, 5) + ":00")
    is_day = cell.str.len_bytes() == len("2026-11-20")
    shown = cell.str.slice(0, 10) + "T" + pl.when(is_day).then(pl.lit("00:00:00")).otherwise(time)
    whole = shown.str.to_datetime("%Y-%m-%dT%H:%M:%S", time_unit="us", strict=False)
    decimals = cell.str.extract(r"\.([0-9]*)").fill_null("")
    microseconds = (decimals + "000000").str.slice(0, 6).cast(pl.Int64)
    return pl.when(pl.col("is_iso")).then(whole + pl.duration(microseconds=microseconds))


def _offset(tails: pl.Series) -> pl.Expr:
    """How far the written time is ahead of UTC."""
    parts = pl.col("tail").str.extract_groups(_OFFSET).struct
    size = pl.duration(
        hours=parts.field("hours").cast(pl.Int64), minutes=parts.field("minutes").cast(pl.Int64).fill_null(0)
    )
    is_needed = tails.str.contains(_OFFSET).any()
    signed = pl.when(parts.field("sign") == "-").then(-size).otherwise(size).fill_null(timedelta(0))
    return signed if is_needed else pl.lit(timedelta(0))


def _from_zone(local: pl.Expr, zone: str) -> pl.Expr:
    zoned = local.dt.replace_time_zone(zone, ambiguous="null", non_existent="null")
    return zoned.dt.convert_time_zone("UTC")


def _counted(texts: pl.Series, clock: Clock) -> Cast:
    """Numbers since the origin; anything else, and what no calendar holds, is bad_date."""
    amounts = quantity(texts)
    microseconds = amounts.values.to_physical() // _PER_MICROSECOND[clock.unit]
    near = pl.DataFrame({"count": microseconds}).select(
        pl.when(pl.col("count").abs() < _FARTHEST).then(pl.col("count")).cast(pl.Int64)
    )
    origin = (clock.origin - _EPOCH) // _MICROSECOND
    moments = (near.to_series() + origin).cast(INSTANT)
    return Cast(moments, refused(moments.is_null() & texts.is_not_null(), "bad_date"))


def _laid_over(iso: Cast, counted: Cast, is_counted: pl.Series) -> Cast:
    """The counted moments in the rows that hold no ISO time."""
    rows = pl.DataFrame({"value": iso.values, "reason": iso.reasons}).with_row_index("row")
    others = rows.filter(is_counted).select("row").with_columns(value=counted.values, reason=counted.reasons)
    both = pl.concat([rows.filter(~is_counted), others]).sort("row")
    return Cast(both["value"], both["reason"])
