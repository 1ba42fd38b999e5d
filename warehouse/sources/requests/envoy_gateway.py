"""Access logs of Envoy AI Gateway as JSON lines: one attempt at a request a line, its keys chosen by the operator."""

from __future__ import annotations

from typing import Final

import polars as pl

from warehouse.sources.casts.casts import null_if
from warehouse.sources.decode.column_mapping import Layout
from warehouse.sources.decode.records import Batch
from warehouse.sources.reader_protocol import Delivered, Reading, RejectedFile
from warehouse.sources.requests.request_casts import COLUMNS
from warehouse.sources.requests.request_reader import Shaped, read_requests
from warehouse.sources.source import Source

NAMES: Final = {
    "request_id": ("x-request-id", "x_request_id", "request_id"),
    "attempt": ("x-envoy-attempt-count", "attempt"),
    "start_at": ("start_time",),
    "duration_ms": ("duration",),
    "status": ("response_code",),
    "model": ("gen_ai.response.model", "gen_ai.request.model", "model"),
    "input_tokens": ("llm_input_token", "gen_ai.usage.input_tokens"),
    "cached_input_tokens": ("llm_cached_input_token", "gen_ai.usage.cache_read.input_tokens"),
    "output_tokens": ("llm_output_token", "gen_ai.usage.output_tokens"),
    "deployment_id": ("upstream_host", "upstream_cluster"),
    "team": ("team",),
    "tenant": ("tenant",),
    "task": ("task",),
}
"""Canonical column -> the keys of the default log and of the documentation's examples, best first."""


def read(delivered: Delivered, source: Source) -> Reading:
    """The requests of an access log; a retry is a request of its own, and carries the tokens that it was answered.

    Raises:
        RejectedFile: as warehouse.sources.decode.records.batches.
    """
    names = {
        name: (source.columns[name],) if name in source.columns else spellings for name, spellings in NAMES.items()
    }
    layout = Layout(names, (("start_at",), ("input_tokens",)), source.constants)
    try:
        return read_requests(delivered, source, layout, _shape)
    except RejectedFile as rejected:
        if rejected.reason != "missing_column":
            raise
        advice = "let the gateway write JSON, one object a line, with the keys of the example in docs"
        raise RejectedFile(rejected.reason, f"{rejected.detail}; {advice}") from None


def _shape(batch: Batch) -> Shaped:
    rows = batch.rows.with_columns(null_if(batch.rows["request_id"]), null_if(batch.rows["attempt"]))
    attempt = pl.when(pl.col("attempt").is_not_null()).then(pl.format("{}#{}", "request_id", "attempt"))
    shaped = rows.with_columns(attempt.otherwise("request_id").alias("request_id"))
    absent = [pl.lit(None, dtype=pl.String).alias(name) for name in COLUMNS if name not in shaped.columns]
    return Shaped(shaped.with_columns(absent), batch.present)
