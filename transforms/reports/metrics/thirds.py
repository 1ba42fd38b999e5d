"""The numbers of page 4."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from transforms.reports.metrics.metric import Number, literal
from transforms.reports.metrics.report_facts import Night

_number = partial(Number, "thirds")
VERDICTS = "reports.band_verdicts"
SPEND = "economics.daily_spend"


def thirds_numbers(night: Night) -> Iterator[Number]:
    """How many are outside, what the largest costs too much, and the ledger that everything adds up to."""
    for number_id, title, rows in (
        ("models_outside", "Models outside the band today", "is_outside"),
        ("models_judged", "Models judged: old enough, on an own base, not retired", "is_judged"),
    ):
        yield _number(number_id, title, "models", VERDICTS, "count(*)", rows, rows)
    leading = night.tables["band_verdicts"].filter("is_outside").sort("position")
    if leading.height:
        model = leading["model_id"][0]
        yield _number("distance", f"{model} over a balanced mix", night.currency, "economics.thirds",
                      "sum(distance_usd)", "distance_usd",
                      f"as_of = {literal(night.as_of)} AND model_id = {literal(model)}")  # fmt: skip
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
