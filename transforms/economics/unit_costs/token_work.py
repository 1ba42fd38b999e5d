"""What each kind of token took: by weight, and by time."""

from __future__ import annotations

from typing import Final

import polars as pl

KINDS: Final = ("input", "cached_input", "output")
_COUNTS: Final = {
    "input": pl.col("input_tokens") - pl.col("cached_input_tokens"),
    "cached_input": pl.col("cached_input_tokens"),
    "output": pl.col("output_tokens"),
}
_ANY: Final = "*"
_MICROSECONDS: Final = 1_000_000


def worked(token_usage: pl.DataFrame, token_weights: pl.DataFrame) -> pl.DataFrame:
    """One month and model: tokens of each kind, the same by weight in thousandths, and microseconds spent on them.

    `is_weighted` where the policy has a weight for any of the month's tokens; tokens without one weigh 1 there.
    """
    finished = token_usage.filter(pl.col("model_id").is_not_null(), pl.col("status") != "pending").with_columns(
        month=pl.col("hour").dt.date().dt.truncate("1mo"), **_COUNTS
    )
    rows = _with_weights(finished, token_weights).with_columns(
        *((pl.col(kind) * pl.col(f"{kind}_weight").fill_null(1000)).alias(f"{kind}_milli") for kind in KINDS),
        input_us=_microseconds(pl.col("ttft_s_sum")),
        cached_input_us=pl.lit(0, dtype=pl.Int64),
        output_us=_microseconds((pl.col("duration_s_sum") - pl.col("ttft_s_sum")).clip(0)),
        is_timed=pl.col("ttft_s_sum").is_not_null(),
    )
    tokens = pl.sum_horizontal(KINDS)
    sums = [*KINDS, *(f"{kind}_milli" for kind in KINDS), *(f"{kind}_us" for kind in KINDS)]
    return rows.group_by("month", "model_id").agg(
        pl.col(sums).sum(),
        is_weighted=pl.col("input_weight").is_not_null().any(),
        all_tokens=tokens.sum(),
        timed_tokens=tokens.filter("is_timed").sum(),
        time_us=pl.sum_horizontal("input_us", "output_us").sum(),
    )


def _microseconds(seconds: pl.Expr) -> pl.Expr:
    return (seconds * _MICROSECONDS).round().cast(pl.Int64).fill_null(0)


def _with_weights(finished: pl.DataFrame, token_weights: pl.DataFrame) -> pl.DataFrame:
    """Adds the weights in thousandths of the deployment's row that is valid, else of the row `*`; NULL without one."""
    own = _valid(finished, token_weights.filter(pl.col("deployment_id") != _ANY), "own")
    default = token_weights.filter(pl.col("deployment_id") == _ANY)
    every = _valid(own.with_columns(every=pl.lit(_ANY)), default.rename({"deployment_id": "every"}), "any", by="every")
    return every.with_columns(
        pl.coalesce(f"own_{kind}_milli", f"any_{kind}_milli").alias(f"{kind}_weight") for kind in KINDS
    )


def _valid(rows: pl.DataFrame, weights: pl.DataFrame, word: str, by: str = "deployment_id") -> pl.DataFrame:
    """The weights of the last row that has begun, unless it is over."""
    far = pl.datetime(1, 1, 1, time_unit="us", time_zone="UTC")
    dated = weights.select(
        by, "valid_to", pl.col("valid_from").fill_null(far).alias("begun"), *(f"{kind}_milli" for kind in KINDS)
    )
    latest = rows.sort("part_start").join_asof(
        dated.sort("begun"), left_on="part_start", right_on="begun", by=by, strategy="backward", check_sortedness=False
    )
    holds = pl.col("valid_to").is_null() | (pl.col("part_start") < pl.col("valid_to"))
    names = {f"{kind}_milli": pl.when(holds).then(f"{kind}_milli").alias(f"{word}_{kind}_milli") for kind in KINDS}
    return latest.with_columns(names.values()).drop("valid_to", "begun", *names)
