"""What each source holds: its files, period, currencies, GPU time and tokens, and how much no rule reaches."""

from __future__ import annotations

from typing import Final

import polars as pl

_HOUR_S: Final = 3600.0
_BILL: Final = ("currencies", "effective_cost", "unmatched_cost", "gpu_hours", "unmatched_gpu_hours")
_USE: Final = ("gpu_hours", "unmatched_gpu_hours")
_TOKENS: Final = ("tokens", "cached_tokens", "unmatched_tokens")


def source_profiles(
    files: pl.DataFrame,
    charges: pl.DataFrame,
    charge_rules: pl.DataFrame,
    training_runs: pl.DataFrame,
    token_usage: pl.DataFrame,
) -> pl.DataFrame:
    """One source: `files, rows, flags`, `first_day, last_day`, what it holds and how much of that no rule reaches.

    Costs of several currencies are not added: they are null then. GPU time is in GPU-hours; what a source of its kind
    does not have is null.
    """
    listed = files.group_by("source").agg(
        pl.col("kind").first(),
        pl.len().cast(pl.Int64).alias("files"),
        pl.col("rows").sum(),
        pl.col("flags").list.explode(keep_nulls=False, empty_as_null=False).unique().sort().alias("flags"),
    )
    parts = [_bills(charges, charge_rules), _runs(training_runs), _requests(token_usage)]
    held = (
        pl.concat(parts, how="diagonal")
        .group_by("source")
        .agg(
            pl.col("first_day").min(),
            pl.col("last_day").max(),
            pl.col("currencies").drop_nulls().first(),
            *(pl.col(name).drop_nulls().first() for name in dict.fromkeys((*_BILL[1:], *_USE, *_TOKENS))),
        )
    )
    return listed.join(held, on="source", how="left").sort("source")


def _bills(charges: pl.DataFrame, charge_rules: pl.DataFrame) -> pl.DataFrame:
    ruled = charges.join(charge_rules.select("charge_id", "account"), on="charge_id", how="left")
    is_credit = (pl.col("account") == "adjustment") & (pl.col("charge_category") == "Credit")
    is_missed = ((pl.col("account") == "unallocated") | is_credit).fill_null(value=False)
    cost = pl.when(pl.col("currency").n_unique().over("source") == 1).then(pl.col("effective_cost").cast(pl.Float64))
    ruled = ruled.with_columns(cost.alias("cost"))
    return ruled.group_by("source").agg(
        pl.col("charge_start").min().dt.date().alias("first_day"),
        pl.col("charge_end").max().dt.offset_by("-1us").dt.date().alias("last_day"),
        pl.col("currency").unique().sort().alias("currencies"),
        _known_sum("cost", pl.lit(value=True)).alias("effective_cost"),
        _known_sum("cost", is_missed).alias("unmatched_cost"),
        pl.col("gpu_hours").sum(),
        pl.col("gpu_hours").filter(is_missed).sum().alias("unmatched_gpu_hours"),
    )


def _known_sum(name: str, when: pl.Expr) -> pl.Expr:
    """The sum of these rows; null where the amount is unknown throughout."""
    return pl.when(pl.col(name).is_not_null().any()).then(pl.col(name).filter(when).sum())


def _runs(training_runs: pl.DataFrame) -> pl.DataFrame:
    hours = pl.col("gpu_seconds") / _HOUR_S
    return training_runs.group_by("source").agg(
        pl.col("started_at").min().dt.date().alias("first_day"),
        pl.col("ended_at").max().dt.date().alias("last_day"),
        hours.sum().alias("gpu_hours"),
        hours.filter(pl.col("model_id").is_null()).sum().alias("unmatched_gpu_hours"),
    )


def _requests(token_usage: pl.DataFrame) -> pl.DataFrame:
    tokens = (pl.col("input_tokens") + pl.col("output_tokens")).cast(pl.Float64)
    return token_usage.group_by("source").agg(
        pl.col("hour").min().dt.date().alias("first_day"),
        pl.col("hour").max().dt.date().alias("last_day"),
        tokens.sum().alias("tokens"),
        pl.col("cached_input_tokens").cast(pl.Float64).sum().alias("cached_tokens"),
        tokens.filter(pl.col("model_id").is_null()).sum().alias("unmatched_tokens"),
    )
