"""Exports of Langfuse's observations as JSONL, CSV or Parquet: generations and embeddings count, prompts never land."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any, Final, TypeGuard

import msgspec
import polars as pl

from warehouse.sources.casts.casts import null_if
from warehouse.sources.decode.column_mapping import Layout
from warehouse.sources.decode.records import Batch
from warehouse.sources.reader_protocol import Delivered, Reading
from warehouse.sources.requests.request_casts import COLUMNS
from warehouse.sources.requests.request_reader import Shaped, read_requests
from warehouse.sources.source import Source

NAMES: Final = {
    "request_id": ("id",),
    "type": ("type",),
    "start_at": ("startTime", "start_time"),
    "end_at": ("endTime", "end_time"),
    "first_token_at": ("completionStartTime", "completion_start_time"),
    "usage": ("usageDetails", "usage_details"),
    "old_usage": ("usage",),
    "model": ("providedModelName", "provided_model_name", "model"),
    "level": ("level",),
    "task": ("traceName", "trace_name"),
    "user": ("userId", "user_id"),
    "deployment_id": ("environment",),
    "team": ("team",),
    "trace_id": ("traceId", "trace_id"),
    "parent_span_id": ("parentObservationId", "parent_observation_id"),
}
"""Canonical column -> its name in camel case and in snake case."""

COUNTED: Final = ("GENERATION", "EMBEDDING")
_CACHED: Final = ("input_cached_tokens", "cache_read_input_tokens", "input_cache_read")
_WRITTEN: Final = ("cache_creation_input_tokens", "input_cache_creation")
_USAGE: Final = ("input_tokens", "cached_input_tokens", "cache_write_tokens", "output_tokens")
_OLD_NAMES: Final = {"promptTokens": "input", "completionTokens": "output", "totalTokens": "total"}
_HIDDEN: Final = ("user", "usage", "old_usage")
_HASH_DIGITS: Final = 16


def read(delivered: Delivered, source: Source) -> Reading:
    """The requests of an export; spans and events are accepted and count nothing.

    Raises:
        RejectedFile: as warehouse.sources.decode.records.batches.
    """
    names = {
        name: (source.columns[name],) if name in source.columns else spellings for name, spellings in NAMES.items()
    }
    layout = Layout(names, (("request_id",), ("start_at",), ("type",)), source.constants)
    return read_requests(delivered, source, layout, _shape)


def _shape(batch: Batch) -> Shaped:
    rows = batch.rows.select(
        null_if(cells) if cells.name != "location" else cells for cells in batch.rows.iter_columns()
    )
    is_call = pl.col("type").str.to_uppercase().is_in(COUNTED).fill_null(value=False)
    schema = {**dict.fromkeys(_USAGE, pl.String), "is_beside_by_habit": pl.Boolean}
    usage = pl.DataFrame(
        [_usage(*texts) for texts in rows.select("usage", "old_usage").iter_rows()], schema=schema, orient="row"
    )
    shaped = rows.hstack(usage).with_columns(
        pl.when(is_call).then(pl.lit("1")).otherwise(pl.lit("0")).alias("requests"),
        pl.when(pl.col("level").str.to_uppercase() == "ERROR")
        .then(pl.lit("error"))
        .otherwise(pl.lit("ok"))
        .alias("status"),
        _hashed("user").alias("tenant"),
        pl.col("request_id").alias("span_id"),
        pl.when(is_call).then(pl.lit("call")).otherwise(pl.lit("frame")).alias("span_role"),
    )
    absent = [pl.lit(None, dtype=pl.String).alias(name) for name in COLUMNS if name not in shaped.columns]
    given = {"requests", "status", "tenant", *_USAGE}
    return Shaped(shaped.with_columns(absent), batch.present | given, _HIDDEN)


def _usage(text: str | None, old: str | None) -> tuple[object, ...]:
    """Input, what was cached and written, output, and whether the cache stands beside the input.

    Records of old versions have `usage` alone.

    Parts of other kinds (audio, images) are added unless the input covers them. Where the total is all of input, cache
    and output, these are disjoint; where it is not stated, other rows or the writers' habit decide.
    """
    usage = _object(text) or _of_old_version(_object(old))
    cached, written = (_largest(usage, names) for names in (_CACHED, _WRITTEN))
    given, produced, total = usage.get("input"), usage.get("output"), usage.get("total")
    others = sum(count for key, count in usage.items() if _is_other_part(key) and _is_count(count))
    if _is_count(given) and given < others:
        given += others
    cache = (cached or 0) + (written or 0)
    is_beside = cache > 0 and _is_count(given) and _is_count(total) and total == given + cache + (produced or 0)
    counts = (given, cached, written, produced)
    return (*(None if count is None else str(count) for count in counts), is_beside)


def _of_old_version(usage: Mapping[str, Any]) -> Mapping[str, Any]:
    """Usage as it was written before it had details: in tokens, unless it says that it is in something else."""
    if usage.get("unit") not in {None, "TOKENS"}:
        return {}
    return {_OLD_NAMES.get(name, name): value for name, value in usage.items() if value is not None}


def _is_other_part(key: str) -> bool:
    return key.startswith("input_") and key not in (*_CACHED, *_WRITTEN)


def _is_count(value: object) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool)


def _largest(usage: Mapping[str, Any], names: Sequence[str]) -> Any:  # noqa: ANN401 - any JSON value
    """The largest count under the names, for a zero does not hide another; what is no count is refused later."""
    stated = [usage[name] for name in names if usage.get(name) is not None]
    return next((value for value in stated if not _is_count(value)), max(filter(_is_count, stated), default=None))


def _object(text: str | None) -> Mapping[str, Any]:
    try:
        document = msgspec.json.decode(text or "{}")
    except msgspec.DecodeError:
        return {"input": text}
    return document if isinstance(document, dict) else {"input": text}


def _hashed(name: str) -> pl.Expr:
    return pl.col(name).map_elements(
        lambda person: hashlib.sha256(person.encode()).hexdigest()[:_HASH_DIGITS], return_dtype=pl.String
    )
