"""Why a million tokens costs more or less than before: parts that add up, and the largest of them in words."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from templates.pages.night import Night
from templates.pages.price_driver import rate_cause, rate_parts

OCTOBER, SEPTEMBER = date(2026, 10, 1), date(2026, 9, 1)
RATES = ("used", "idle_share", "shared_share", "amortized_training")


def rates(tokens: int, used: float, idle: float = 0.0, shared: float = 0.0, training: float = 0.0) -> dict[str, Any]:
    """One model's month."""
    amounts = zip(RATES, (used, idle, shared, training), strict=True)
    return {"input_tokens": tokens, "output_tokens": 0} | {f"{name}_usd_per_mtok": rate for name, rate in amounts}


def test_a_model_that_serves_more_of_the_tokens_changes_the_mix_alone() -> None:
    # half at 1 and half at 3 is 2.00; a quarter at 1 and three quarters at 3 is 2.50
    before = {"small": rates(50, 1.0), "large": rates(50, 3.0)}
    now = {"small": rates(25, 1.0), "large": rates(75, 3.0)}
    assert rate_parts(before, now) == {"used": 0.0, "idle": 0.0, "shared": 0.0, "training": 0.0, "mix": 0.5}


def test_a_model_that_did_not_serve_before_is_mix() -> None:
    # 1.00 before; half at 2 and half at 5 is 3.50: the old model's own rate rose by 1 on half of the tokens
    parts = rate_parts({"old": rates(10, 1.0)}, {"old": rates(10, 2.0), "new": rates(10, 5.0)})
    assert (parts["used"], parts["mix"]) == (0.5, 2.0)


MODEL = st.builds(rates, st.integers(1, 9), *[st.floats(0, 9)] * 4)
MONTH = st.dictionaries(st.sampled_from("abcd"), MODEL, min_size=1)


@given(before=MONTH, now=MONTH)
def test_the_parts_add_up_to_the_change(before: dict[str, Any], now: dict[str, Any]) -> None:
    assert sum(rate_parts(before, now).values()) == pytest.approx(mean(now) - mean(before), abs=1e-9)


def mean(month: dict[str, Any]) -> float:
    whole = sum(row["input_tokens"] for row in month.values())
    spent = (row["input_tokens"] * row[f"{name}_usd_per_mtok"] for row in month.values() for name in RATES)
    return sum(spent) / whole


@pytest.mark.parametrize(
    ("before", "now", "words"),
    [
        (rates(9, 1.0, idle=0.5), rates(9, 1.0, idle=0.9), "more idle cost"),
        (rates(9, 1.0, shared=0.9), rates(9, 1.1, shared=0.5), "less shared cost"),
        (rates(9, 1.0, training=3.0), rates(9, 1.0, training=2.0), "less training amortised"),
        (rates(9, 1.0), rates(9, 2.0), "dearer GPU time"),
        (rates(9, 1.0), rates(9, 1.0), ""),
    ],
)
def test_the_largest_part_is_named(before: dict[str, Any], now: dict[str, Any], words: str) -> None:
    rows = [row | {"model_id": "a", "month": month, "fully_loaded_usd_per_mtok": 1.0}
            for month, row in ((SEPTEMBER, before), (OCTOBER, now))]  # fmt: skip
    drivers = [("price", Decimal(70)), ("efficiency", Decimal(30))]
    moved = [{"month": OCTOBER, "account": "direct", "phase": "inference", "driver": name, "change_usd": usd}
             for name, usd in drivers]  # fmt: skip
    subject = pl.DataFrame({"month": [OCTOBER], "previous_month": [SEPTEMBER]})
    tables = {"unit_costs": pl.DataFrame(rows), "variance_bridge": pl.DataFrame(moved), "subject": subject}
    assert rate_cause(Night(tables)) == words


def test_without_a_month_before_there_is_no_cause() -> None:
    rows = [rates(9, 1.0) | {"model_id": "a", "month": OCTOBER, "fully_loaded_usd_per_mtok": 1.0}]
    subject = pl.DataFrame({"month": [OCTOBER], "previous_month": [None]})
    assert rate_cause(Night({"unit_costs": pl.DataFrame(rows), "subject": subject})) == ""
