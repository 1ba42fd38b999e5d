"""LiteLLM spend logs as CSV, JSONL or Parquet; keys, messages, responses and addresses are never looked at."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Final

import polars as pl

from warehouse.sources.casts.casts import null_if
from warehouse.sources.decode.column_mapping import Layout
from warehouse.sources.decode.records import Batch
from warehouse.sources.reader_protocol import Delivered, Reading
from warehouse.sources.requests.request_casts import COLUMNS
from warehouse.sources.requests.request_reader import Shaped, read_requests
from warehouse.sources.source import Source

NAMES: Final = {
    "request_id": "request_id",
    "start_at": "startTime",
    "end_at": "endTime",
    "first_token_at": "completionStartTime",
    "duration_ms": "request_duration_ms",
    "input_tokens": "prompt_tokens",
    "output_tokens": "completion_tokens",
    "model_group": "model_group",
    "model": "model",
    "model_id": "model_id",
    "api_base": "api_base",
    "team": "team_id",
    "end_user": "end_user",
    "user": "user",
    "request_tags": "request_tags",
    "status": "status",
    "cache_hit": "cache_hit",
    "call_type": "call_type",
    "provider": "custom_llm_provider",
    "metadata": "metadata",
}
_HIDDEN: Final = ("metadata", "user", "end_user", "request_tags")
"""Columns that may say more of a person than a quarantine should keep."""

_USAGE: Final = ("$.usage_object", "$.additional_usage_values")
"""Where the metadata keeps what the provider answered; either may be JSON within JSON."""

_CACHED: Final = (
    "$.prompt_tokens_details.cached_tokens",
    "$.input_tokens_details.cached_tokens",
    "$.cache_read_input_tokens",
)
_WRITTEN: Final = (
    "$.prompt_tokens_details.cache_creation_tokens",
    "$.prompt_tokens_details.cache_write_tokens",
    "$.cache_creation_input_tokens",
)
_STORED: Final = r"^a?(?:get|list|retrieve|delete|cancel|poll)_|_(?:get|list|retrieve|delete|cancel|content|status)$"
"""Calls that fetch, list or drop a stored answer: they repeat its tokens and ask no model."""

_APART: Final = ("anthropic", "bedrock", "vertex_ai")
_AS_ANSWERED: Final = "anthropic_messages"
"""Calls logged as Anthropic's API answers them, with disjoint parts; other calls are logged with all of the input."""

_PREFIX: Final = r"^[^/]+/"
_TASK: Final = r'"task:([^"]+)"'
_HASH_DIGITS: Final = 16


def read(delivered: Delivered, source: Source) -> Reading:
    """The requests of a spend log.

    Raises:
        RejectedFile: as warehouse.sources.records.batches.
    """
    names = {column: (source.columns.get(column, name),) for column, name in NAMES.items()}
    layout = Layout(names, (("request_id",), ("start_at",)), source.constants)
    return read_requests(delivered, source, layout, _shape)


def _shape(batch: Batch) -> Shaped:
    rows = batch.rows.select(
        null_if(cells) if cells.name != "location" else cells for cells in batch.rows.iter_columns()
    )
    is_hit = (pl.col("cache_hit").str.to_lowercase() == "true").fill_null(value=False)
    is_stored = pl.col("call_type").str.to_lowercase().str.contains(_STORED).fill_null(value=False)
    usage = _documents(rows["metadata"])
    shaped = rows.with_columns(
        pl.coalesce("model_group", pl.col("model").str.replace(_PREFIX, "")).alias("model"),
        pl.coalesce("model_id", "api_base").alias("deployment_id"),
        pl.coalesce("end_user", _hashed("user")).alias("tenant"),
        pl.col("request_tags").str.extract(_TASK).alias("task"),
        _largest(usage, _CACHED).alias("cached_input_tokens"),
        _largest(usage, _WRITTEN).alias("cache_write_tokens"),
        pl.coalesce("status", _old_status()).alias("status"),
        pl.when(is_stored).then(pl.lit("0")).otherwise(pl.lit("1")).alias("requests"),
        _is_apart().alias("is_beside_by_habit"),
        *_units(),
    ).with_columns(
        pl.when(is_hit).then(pl.lit("0")).when(~is_stored).then(pl.col(name)).alias(name)
        for name in ("input_tokens", "cached_input_tokens", "cache_write_tokens", "output_tokens", "units")
    )
    absent = [pl.lit(None, dtype=pl.String).alias(name) for name in COLUMNS if name not in shaped.columns]
    flags = frozenset({"gateway_cache"}) if rows.select(is_hit.any()).item() else frozenset[str]()
    return Shaped(shaped.with_columns(absent), batch.present | _GIVEN, _HIDDEN, flags)


_GIVEN: Final = frozenset(
    {
        *("deployment_id", "tenant", "task", "status", "requests", "unit_name", "units"),
        *("cached_input_tokens", "cache_write_tokens"),
    }
)


def _documents(metadata: pl.Series) -> list[pl.Series]:
    """The usage in the metadata of each row, from every place that may hold it."""
    documents = _decoded(metadata)
    return [_decoded(_under(documents, path)) for path in _USAGE]


def _under(documents: pl.Series, path: str) -> pl.Series:
    """What each document has under a path; no document is parsed where none holds the names of the path.

    A name may be written with escapes, so that what holds one is always parsed.
    """
    spoken = documents.drop_nulls()
    is_there = spoken.str.contains("\\", literal=True).any() or all(
        spoken.str.contains(f'"{name}"', literal=True).any() for name in path.removeprefix("$.").split(".")
    )
    return (
        documents.str.json_path_match(path)
        if is_there
        else pl.repeat(None, len(documents), dtype=pl.String, eager=True)
    )


def _decoded(documents: pl.Series) -> pl.Series:
    """JSON documents that may stand as texts within JSON."""
    texts = documents.str.strip_chars()
    is_text = texts.str.starts_with('"').fill_null(value=False)
    return texts.zip_with(~is_text, texts.str.json_path_match("$")) if is_text.any() else texts


def _largest(documents: Sequence[pl.Series], paths: Sequence[str]) -> pl.Series:
    """The largest of the counts under the paths: a zero or a null in one place does not hide what another says."""
    counts = pl.DataFrame(
        [
            _under(document, path).alias(f"{number} {path}")
            for number, document in enumerate(documents)
            for path in paths
        ]
    )
    largest = pl.max_horizontal(pl.all().cast(pl.Float64, strict=False)).cast(pl.Int64, strict=False)
    return counts.select(pl.coalesce(largest.cast(pl.String), pl.all())).to_series()


def _is_apart() -> pl.Expr:
    provider = pl.col("provider").str.to_lowercase().is_in(_APART)
    return (provider & (pl.col("call_type").str.to_lowercase() == _AS_ANSWERED)).fill_null(value=False)


def _old_status() -> pl.Expr:
    """Old versions kept no status: what produced tokens was served."""
    produced = pl.col("output_tokens").cast(pl.Float64, strict=False) > 0
    return pl.when(produced).then(pl.lit("success")).otherwise(pl.lit("unknown"))


def _units() -> list[pl.Expr]:
    """What calls deliver that are not measured in text."""
    call = pl.col("call_type").str.to_lowercase()
    name = (
        pl.when(call.str.contains("image"))
        .then(pl.lit("image"))
        .when(call.str.contains("embedding|audio|speech|transcription"))
        .then(pl.lit("request"))
    )
    return [name.alias("unit_name"), pl.when(name.is_not_null()).then(pl.lit("1")).alias("units")]


def _hashed(name: str) -> pl.Expr:
    return pl.col(name).map_elements(
        lambda person: hashlib.sha256(person.encode()).hexdigest()[:_HASH_DIGITS], return_dtype=pl.String
    )
