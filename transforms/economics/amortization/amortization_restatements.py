"""Closed months of training still to be amortised that are no longer what was published: the restatement lines."""

from __future__ import annotations

from typing import Final

import polars as pl

from transforms.money import amount, units
from warehouse.schemas.economics import AmortizationRestatements

_CELL: Final = ("month", "model_id")
_LINES: Final = ("opening", "additions", "amortized", "written_off")


def amortization_restatements(
    amortization: pl.DataFrame, published_amortization: pl.DataFrame, settings: pl.DataFrame
) -> pl.DataFrame:
    """One closed month of one model whose roll-forward is no longer what the first night after its end reported.

    Late cost and late service move a closed month, another plan does not. Closing moves by opening and additions, less
    what is amortised and written off; a month or model that was not there, or is not any more, counts as nothing.
    """
    night = settings["as_of"].item()
    is_closed = pl.col("month") < pl.col("night").dt.truncate("1mo")
    reported = published_amortization.filter(is_closed, pl.col("night") < night)
    first = reported.group_by("month").agg(reported_on=pl.col("night").min())
    was = reported.join(first, left_on=["month", "night"], right_on=["month", "reported_on"], how="semi").select(
        *_CELL, *(units(f"{line}_usd").alias(f"{line}_was") for line in _LINES)
    )
    now = amortization.join(first, on="month", how="semi").select(
        *_CELL, *(units(f"{line}_usd").alias(f"{line}_now") for line in _LINES)
    )
    both = was.join(now, on=_CELL, how="full", coalesce=True).join(first, on="month").fill_null(0)
    changes = both.with_columns(
        *((pl.col(f"{line}_now") - pl.col(f"{line}_was")).alias(f"{line}_change_usd") for line in _LINES),
        reported_closing_usd=_closing("was"),
        current_closing_usd=_closing("now"),
    )
    money = [f"{line}_change_usd" for line in _LINES]
    moved = changes.filter(pl.any_horizontal(pl.col(name) != 0 for name in money)).with_columns(
        amount(name) for name in (*money, "reported_closing_usd", "current_closing_usd")
    )
    closing = pl.col("current_closing_usd") - pl.col("reported_closing_usd")
    return AmortizationRestatements.frame(moved.with_columns(closing_change_usd=closing).sort(_CELL))


def _closing(side: str) -> pl.Expr:
    opening, additions, amortized, written_off = (pl.col(f"{line}_{side}") for line in _LINES)
    return opening + additions - amortized - written_off
