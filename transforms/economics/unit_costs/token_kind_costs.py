"""A token is not a token: the direct cost of serving split over input, cached input and output by their work."""

from __future__ import annotations

from typing import Final

import polars as pl

from transforms.economics.exact_shares import shared_out
from transforms.economics.unit_costs.token_work import KINDS, worked
from warehouse.schemas.columns import MONEY
from warehouse.schemas.economics import TokenCosts

_CELL: Final = ("month", "model_id")
_TIMED_RATIO: Final = 0.5
_MILLION: Final = 10**6


def token_costs(token_usage: pl.DataFrame, token_weights: pl.DataFrame, unit_costs: pl.DataFrame) -> pl.DataFrame:
    """One month, model and kind of token: its part of the direct cost of serving; the kinds add up to it exactly.

    The work of a kind is its tokens times their weight in token_weights.csv, where the policy has one. Else it is
    measured: the time to the first token is spent on input that was not cached, the rest of a request's time on output;
    where at least half of the tokens come with such times. Else a token counts as a token.
    """
    work = _chosen(worked(token_usage, token_weights))
    cost = unit_costs.select(*_CELL, "used_usd")
    rows = work.join(cost, on=_CELL, how="inner")
    shares = shared_out(rows, group=_CELL, order=("place",), amounts=("used_usd",))
    rate = (2 * pl.col("used_usd").to_physical() * _MILLION + pl.col("tokens")) // (
        2 * pl.when(pl.col("tokens") > 0).then(pl.col("tokens").cast(pl.Int128))
    )
    return TokenCosts.frame(shares.with_columns(used_usd_per_mtok=rate.reinterpret(dtype=MONEY)).sort(*_CELL, "place"))


def _chosen(work: pl.DataFrame) -> pl.DataFrame:
    """One month, model and kind with its weight in the split, in the best measure there is."""
    weighted = work.with_columns(
        basis=pl.when(pl.col("is_weighted")).then(pl.lit("token_weights"))
        .when(pl.col("timed_tokens") >= _TIMED_RATIO * pl.col("all_tokens"), pl.col("time_us") > 0)
        .then(pl.lit("measured_time")).otherwise(pl.lit("equal"))
    )  # fmt: skip
    kinds = [
        weighted.select(
            *_CELL, "basis", kind=pl.lit(kind), place=pl.lit(position), tokens=pl.col(kind),
            weight=pl.when(pl.col("basis") == "token_weights").then(f"{kind}_milli")
            .when(pl.col("basis") == "measured_time").then(f"{kind}_us").otherwise(kind).cast(pl.Int128),
        )
        for position, kind in enumerate(KINDS)
    ]  # fmt: skip
    has_tokens = pl.col("tokens").sum().over(_CELL) > 0
    rows = pl.concat(kinds).filter(has_tokens, pl.col("weight").sum().over(_CELL) > 0)
    whole = pl.col("weight").sum().over(_CELL).cast(pl.Float64)
    return rows.with_columns(work_ratio=pl.col("weight").cast(pl.Float64) / whole)
