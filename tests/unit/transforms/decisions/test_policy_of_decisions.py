"""The cost of capital and the quality gate are the company's own."""

from __future__ import annotations

import datetime as dt
import json
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

from transforms.decisions.portfolio.whatif import Overrides, whatif

if TYPE_CHECKING:
    from conftest import Company


def measured(company: Company, student_quality: float) -> Company:
    """The teacher serves one task for a year, and the student keeps so much of its quality of 1."""
    company.serve("teacher", 1e9, 30, "triage").expect("teacher", 1e9, 365)
    quality = {"quality_metric": "accuracy", "teacher_quality": 1.0, "student_quality": student_quality}
    return company.add(
        "workloads", task="triage", student_model_id="student", measured_on=dt.date(2026, 10, 1), **quality
    )


def routed(company: Company, **settings: float) -> dict[str, Any]:
    """The candidate that moves the task, under these settings."""
    company.settings = {**company.settings, **settings}
    return company.decide("candidates").filter(pl.col("action") == "route", task="triage").row(0, named=True)


def test_a_dearer_capital_makes_the_same_saving_worth_less(company: Company) -> None:
    measured(company, 0.99)
    cheap, dear = (routed(company, discount_ratio=ratio) for ratio in (0.0, 0.5))
    saved, paid = float(cheap["monthly_saving_usd_p50"]), float(cheap["one_off_usd_p50"])

    assert dear["monthly_saving_usd_p50"] == cheap["monthly_saving_usd_p50"]
    # nothing for half a month, then a month on the way: 1/8 of the first month, 7/8 of the second, 11 months in all
    assert float(cheap["net_present_value_usd_p50"]) == pytest.approx(11 * saved - paid, rel=0.02)
    # the same months, each worth 1.5 ^ (−1/12) of the one before
    factors = [1.5 ** (-month / 12) for month in range(1, 13)]
    months = factors[0] * 0.125 + factors[1] * 0.875 + sum(factors[2:])
    assert float(dear["net_present_value_usd_p50"]) == pytest.approx(months * saved - paid, rel=0.02)


def test_the_cost_of_capital_stands_among_the_assumptions(company: Company) -> None:
    card = routed(measured(company, 0.99), discount_ratio=0.25)

    assert json.loads(card["assumptions"])["discount_ratio"] == 0.25


@pytest.mark.parametrize(("gate", "reason"), [(0.97, "under the gate of 97%"), (0.90, "saves ")])
def test_a_student_of_95_percent_passes_where_the_company_asks_for_90(
    company: Company, gate: float, reason: str
) -> None:
    card = routed(measured(company, 0.95), quality_gate_ratio=gate)

    assert reason in card["reason"]
    assert f"at least {gate:.0%} of the quality" in card["quality_gate"]
    assert json.loads(card["assumptions"])["quality_gate_ratio"] == gate


def test_another_assumption_is_tried_at_the_cost_of_capital_of_the_night(company: Company) -> None:
    measured(company, 0.99)
    values = []
    for ratio in (0.0, 0.5):
        company.settings = {**company.settings, "discount_ratio": ratio}
        rows = whatif("teacher", Overrides(demand_ratio=2.0), company.tables())
        wanted = rows.filter(pl.col("action") == "route", pl.col("quantity") == "net_present_value_usd_p50")
        values.append(wanted.item(0, "changed"))

    assert values[1] < 0.85 * values[0]
