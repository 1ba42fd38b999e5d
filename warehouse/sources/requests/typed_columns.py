"""Columns of Parquet that are typed already, checked as they are: the same values and reasons as by way of text."""

from __future__ import annotations

from typing import Final

import numpy as np
import polars as pl
import pyarrow as pa

from warehouse.schemas.columns import INSTANT
from warehouse.sources.casts.casts import Cast, first_reason, free_text, key, refused
from warehouse.sources.decode.records import LONGEST_CELL
from warehouse.sources.requests.request_casts import COUNTS, NAMES, SPANS, SUBCOUNTS, TIMES
from warehouse.sources.status_words import request_status

_IDENTITY: Final = "request_id"
_SPACE, _DELETE, _ASCII = 0x20, 0x7F, 0x80
_MICRO: Final = {"duration_s": 1_000_000, "ttft_s": 1_000_000, "duration_ms": 1_000, "ttft_ms": 1_000}
_FARTHEST: Final = 1e12  # microseconds and less are exact in a double with room to spare
_NEAR: Final = 1e-3
_LONGEST_NULL: Final = 4


def typed_cast(name: str, cells: pa.Array, zone: str) -> Cast | None:
    """The column under its canonical name; None where only its text tells what it means."""
    if name in TIMES:
        return _moments(cells, zone)
    if name in (*COUNTS, *SUBCOUNTS) and pa.types.is_integer(cells.type):
        return _counts(cells)
    if name in SPANS and (pa.types.is_integer(cells.type) or pa.types.is_float64(cells.type)):
        return _spans(cells, _MICRO[name])
    if name in (*NAMES, _IDENTITY, "status"):
        return _texts(name, cells)
    return None


def _no_reasons(rows: int) -> pl.Series:
    return pl.Series("reason", [None], dtype=pl.String).new_from_index(0, rows)


def _moments(cells: pa.Array, zone: str) -> Cast | None:
    """Timestamps, cut to microseconds; one without a zone has its source's, which is plain where that is UTC."""
    if not pa.types.is_timestamp(cells.type) or (cells.type.tz is None and zone != "UTC"):
        return None
    series = pl.Series(cells).cast(pl.Datetime("us", cells.type.tz and str(pl.Series(cells).dtype.time_zone)))  # type: ignore[attr-defined]
    zoned = series.dt.replace_time_zone("UTC") if cells.type.tz is None else series.dt.convert_time_zone("UTC")
    return Cast(zoned.cast(INSTANT), _no_reasons(len(cells)))


def _counts(cells: pa.Array) -> Cast:
    """Whole numbers; below zero, or too large to count, they are bad_count."""
    sent = pl.Series(cells)
    values = sent.cast(pl.Int64, strict=False)
    is_negative = (values < 0).fill_null(value=False)
    values = values.set(is_negative, None) if is_negative.any() else values
    is_bad = values.is_null() & sent.is_not_null()
    return Cast(values, refused(is_bad, "bad_count") if is_bad.any() else _no_reasons(len(cells)))


def _spans(cells: pa.Array, scale: int) -> Cast | None:
    """Seconds or milliseconds in microseconds, cut; None where a double does not plainly say which microsecond."""
    sent = pl.Series(cells)
    if sent.dtype != pl.Float64:
        values = sent.cast(pl.Int64, strict=False)
        is_far = ((values.abs() > int(_FARTHEST)) | (values.is_null() & sent.is_not_null())).any()
        return None if is_far else Cast(values * scale, _no_reasons(len(cells)))
    numbers = sent.fill_null(0.0).to_numpy() * scale
    if not np.isfinite(numbers).all() or (np.abs(numbers) > _FARTHEST).any():
        return None
    nearest = np.rint(numbers)
    is_near = np.abs(numbers - nearest) < _NEAR
    if (nearest[is_near] / scale != sent.fill_null(0.0).to_numpy()[is_near]).any():
        return None
    values = pl.Series(np.where(is_near, nearest, np.floor(numbers)).astype(np.int64))
    return Cast(values.zip_with(sent.is_not_null(), pl.Series([None], dtype=pl.Int64)), _no_reasons(len(cells)))


def _texts(name: str, cells: pa.Array) -> Cast | None:
    """Names: plain ASCII is as it is sent; of texts that repeat, each is looked at once."""
    if pa.types.is_dictionary(cells.type):
        distinct = _of_texts(name, pl.Series(cells.dictionary).cast(pl.String))
        places = pl.Series(cells.indices)
        gathered = [column.gather(places) for column in (distinct.values, distinct.reasons)]
        return _with_nulls(name, Cast(gathered[0], gathered[1]))
    if not (pa.types.is_string(cells.type) or pa.types.is_large_string(cells.type)):
        return None
    series = pl.Series(cells).cast(pl.String)
    if name != "status" and _is_plain(cells):
        return _with_nulls(name, Cast(series, _no_reasons(len(cells))))
    return _with_nulls(name, _of_texts(name, series))


def _of_texts(name: str, texts: pl.Series) -> Cast:
    too_long = refused((texts.str.len_bytes() > LONGEST_CELL).fill_null(value=False), "limit")
    if name == "status":
        words = free_text(texts)
        return Cast(request_status(texts), first_reason(words.reasons, too_long))
    cast = key(texts) if name == _IDENTITY else free_text(texts)
    return Cast(cast.values, first_reason(cast.reasons, too_long))


def _with_nulls(name: str, cast: Cast) -> Cast:
    """What a cell without a text means: no identity, an unknown status, or nothing known."""
    if name == "status":
        return Cast(cast.values.fill_null("unknown"), cast.reasons)
    if name != _IDENTITY or cast.values.null_count() == 0:
        return cast
    missing = refused(cast.values.is_null() & cast.reasons.is_null(), "missing_key")
    return Cast(cast.values, first_reason(cast.reasons, missing))


def _is_plain(cells: pa.Array) -> bool:
    """Whether all texts are printable ASCII, none is very long, and none can be a word for null."""
    wide = np.int64 if pa.types.is_large_string(cells.type) else np.int32
    buffers = cells.buffers()
    if not len(cells) or buffers[2] is None:
        return False
    offsets = np.frombuffer(buffers[1], dtype=wide)[cells.offset : cells.offset + len(cells) + 1]
    content = np.frombuffer(buffers[2], dtype=np.uint8)[offsets[0] : offsets[-1]]
    lengths = np.diff(offsets)
    if cells.null_count:
        lengths = lengths[np.asarray(cells.is_valid())]
    is_short = not len(lengths) or lengths.min() <= _LONGEST_NULL or lengths.max() > LONGEST_CELL
    return not is_short and bool(((content > _SPACE) & (content < _DELETE)).all())
