"""Training runs and their metrics as readers write them down: plain rows in, frames of the raw tables out."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import polars as pl

from warehouse.schemas.columns import INSTANT
from warehouse.schemas.raw import MetricRows, RunRows
from warehouse.schemas.table import Table

ALIASES: Final[Mapping[str, str]] = {
    **dict.fromkeys(("train/loss", "train_loss", "lm loss", "training_loss", "loss"), "loss"),
    **dict.fromkeys(("eval_loss", "val/loss", "validation_loss", "eval/loss", "val_loss"), "val_loss"),
    **dict.fromkeys(
        ("tokens_seen", "num_input_tokens_seen", "num_tokens", "consumed_tokens", "train/tokens", "tokens"), "tokens"
    ),
}


def run_rows(rows: Sequence[Mapping[str, object]]) -> pl.DataFrame:
    """The rows as `raw.run_rows`; instants are microseconds since 1970, absent columns unknown."""
    return RunRows.frame(_plain(RunRows, [{"hosts": [], "is_job": False, **row} for row in rows]))


def metric_rows(file_sha256: str, source: str, rows: Sequence[Mapping[str, object]]) -> pl.DataFrame:
    """The rows as `raw.metric_rows`; whether a value is finite is worked out here."""
    frame = _plain(MetricRows, rows).with_columns(
        pl.lit(file_sha256).alias("file_sha256"),
        pl.lit(source).alias("source"),
        pl.col("value").is_finite().fill_null(value=False).alias("is_finite"),
    )
    return MetricRows.frame(frame)


def _plain(table: type[Table], rows: Sequence[Mapping[str, object]]) -> pl.DataFrame:
    schema = {name: pl.Int64() if dtype == INSTANT else dtype for name, dtype in table.polars_schema().items()}
    return pl.DataFrame(rows, schema=schema, orient="row")


def last_loss(
    values: Iterable[tuple[str, float]], aliases: Mapping[str, str] = ALIASES
) -> tuple[str | None, float | None]:
    """Name and value of the final loss: the last finite validation loss, else the last finite training loss."""
    last: dict[str | None, tuple[str, float]] = {}
    for name, value in values:
        if math.isfinite(value):
            last[aliases.get(name)] = (name, value)
    return last.get("val_loss") or last.get("loss") or (None, None)
