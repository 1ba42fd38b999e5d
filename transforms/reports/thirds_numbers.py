"""The numbers of page 3."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import polars as pl

from transforms.reports.night import Night
from transforms.reports.number import Number, literal

_number = partial(Number, "thirds")
HEAVY = "status IN ('pretraining_heavy', 'posttraining_heavy', 'inference_heavy')"
JUDGED = "status IN ('balanced', 'pretraining_heavy', 'posttraining_heavy', 'inference_heavy')"
SPEND = "economics.daily_spend"


def thirds_numbers(night: Night) -> Iterator[Number]:
    """How many are outside, what the largest costs too much, and the ledger that everything adds up to."""
    yield _number(
        "models_outside", "Models outside the band", "models", "economics.thirds", "count(*)", "status", HEAVY
    )
    yield _number("models_judged", "Models judged, by age and base", "models", "economics.thirds", "count(*)", "status",
                  JUDGED)  # fmt: skip
    farthest = farthest_model(night.tables["thirds"])
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


def farthest_model(thirds: pl.DataFrame) -> str | None:
    """The model outside the band whose imbalance has cost most."""
    heavy = thirds.filter(pl.col("status").str.ends_with("_heavy"), pl.col("distance_usd").is_not_null())
    ordered = heavy.sort("distance_usd", "model_id", descending=[True, False])
    return str(ordered["model_id"][0]) if ordered.height else None
