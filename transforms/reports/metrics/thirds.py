"""The numbers of page 3."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import polars as pl

from transforms.reports.metrics.metric import Number, literal
from transforms.reports.metrics.report_facts import Night

_number = partial(Number, "thirds")
JUDGED_STATUSES = ("balanced", "pretraining_heavy", "posttraining_heavy", "inference_heavy")
JUDGED = f"status IN ({', '.join(map(literal, JUDGED_STATUSES))})"
SPEND = "economics.daily_spend"


def thirds_numbers(night: Night) -> Iterator[Number]:
    """How many are outside, what the largest costs too much, and the ledger that everything adds up to."""
    band = night.tables["settings"]["dead_band_ratio"].item()
    outside = f"{JUDGED} AND (penalty_ratio > {band!r} OR penalty_ratio IS NULL)"
    yield _number("models_outside", "Models outside the band today", "models", "economics.thirds", "count(*)",
                  "status, penalty_ratio", outside)  # fmt: skip
    yield _number("models_judged", "Models judged, by age and base", "models", "economics.thirds", "count(*)", "status",
                  JUDGED)  # fmt: skip
    farthest = farthest_model(night.tables["thirds"], band)
    if farthest is not None:
        yield _number("distance", f"{farthest} over balance", night.currency, "economics.thirds", "sum(distance_usd)",
                      "distance_usd", f"model_id = {literal(farthest)}")  # fmt: skip
    until = f"charge_date <= {literal(night.as_of)}"
    for number_id, title, accounts in (
        ("lifetime_direct", "Direct cost of all models", "'direct'"),
        ("lifetime_idle_shared", "Idle, unused and shared", "'idle', 'commitment_unused', 'shared'"),
        ("lifetime_unallocated", "Unallocated", "'unallocated'"),
        ("lifetime_adjustment", "Adjustments", "'adjustment'"),
    ):
        yield _number(number_id, title, night.currency, SPEND, "sum(effective_usd)", "effective_usd",
                      f"{until} AND account IN ({accounts})")  # fmt: skip
    yield _number("lifetime_ledger", "The ledger in scope", night.currency, SPEND, "sum(effective_usd)",
                  "effective_usd", f"{until} AND account <> 'out_of_scope'")  # fmt: skip


def farthest_model(thirds: pl.DataFrame, band: float) -> str | None:
    """The judged model outside the band today whose imbalance has cost most."""
    judged = thirds.filter(pl.col("status").is_in(JUDGED_STATUSES), pl.col("distance_usd").is_not_null())
    outside = judged.filter((pl.col("penalty_ratio") > band).fill_null(value=True))
    ordered = outside.sort("distance_usd", "model_id", descending=[True, False])
    return str(ordered["model_id"][0]) if ordered.height else None
