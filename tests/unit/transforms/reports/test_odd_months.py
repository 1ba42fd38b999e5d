"""Months that credits turn round: no ratio over what is not positive, no share beyond the whole."""

from __future__ import annotations

import inspect
from datetime import date
from decimal import Decimal
from typing import Any

import polars as pl
import pytest

from transforms.reports.headline_metrics import headline_metrics
from transforms.reports.metrics.numbers import numbers
from transforms.reports.month_costs import month_classes, month_figures
from transforms.reports.pages import pages
from transforms.reports.quality_checks import quality_checks
from transforms.reports.report_period import subject
from transforms.reports.top_changes import movers
from warehouse.schemas import CATALOGUE

NIGHT = date(2026, 10, 31)
SEPTEMBER, OCTOBER = date(2026, 9, 10), date(2026, 10, 10)


def table(name: str, *written: dict[str, Any]) -> pl.DataFrame:
    """Rows of a table; text that a row leaves out is empty, numbers are 0."""
    schema = CATALOGUE[name]
    if not written:
        return schema.empty()
    blanks = {
        column: 0 if kind.dtype.is_numeric() else False if kind.dtype == pl.Boolean else ""
        for column, kind in schema.columns().items()
        if not kind.is_nullable and (kind.dtype.is_numeric() or kind.dtype in {pl.Boolean, pl.String})
    }
    return schema.frame(pl.DataFrame([blanks | row for row in written], schema_overrides=schema.polars_schema()))


def spend(day: date, usd: int, account: str = "direct", phase: str | None = "inference") -> dict[str, Any]:
    amounts = dict.fromkeys(("billed_cost", "effective_cost", "billed_usd", "effective_usd"), Decimal(usd))
    model = "m" if account == "direct" else None
    return {"charge_date": day, "account": account, "model_id": model, "phase": phase, "currency": "USD", **amounts}


def rate(month: date, per_mtok: int) -> dict[str, Any]:
    priced = {"used_usd_per_mtok": Decimal(per_mtok), "fully_loaded_usd_per_mtok": Decimal(per_mtok)}
    return {"month": month.replace(day=1), "model_id": "m", "requests": 1, "input_tokens": 10, **priced}


def report(spent: list[dict[str, Any]], **given: pl.DataFrame) -> dict[str, Decimal]:
    """Every number of the report of a company that has nothing but this."""
    tables = {"settings": pl.DataFrame([{"as_of": NIGHT, "currency": "USD", "dead_band_ratio": 0.1}]), **given}
    tables["daily_spend"] = table("daily_spend", *spent)
    for function in (subject, month_classes, month_figures, movers, quality_checks, headline_metrics, pages, numbers):
        names = inspect.signature(function).parameters
        read = {name: tables.get(name, CATALOGUE[name].empty()) for name in names}
        tables[function.__name__] = function(**read)
    return dict(tables["numbers"].select("number_id", "value").iter_rows())


def test_nothing_is_so_many_percent_of_a_month_that_a_credit_made_negative() -> None:
    # September −$500, October $300: there is a change of $800 and no ratio; nor of a rate of −$50 to one of $30
    found = report(
        [spend(SEPTEMBER, -500), spend(OCTOBER, 300)],
        unit_costs=table("unit_costs", rate(SEPTEMBER, -50), rate(OCTOBER, 30)),
    )
    assert found["cost_change"] == Decimal(800)
    assert not {"cost_change_ratio", "mtok_change_ratio"} & set(found)
    assert found["inference_ratio"] == Decimal(1)


def test_a_month_in_credit_has_no_shares() -> None:
    # all of −$500 is no 100 % that served users
    found = report([spend(SEPTEMBER, 300), spend(OCTOBER, -500)])
    assert not {"inference_ratio", "named_ratio"} & set(found)
    # from $300 to −$500 is a fall by more than all of it
    assert float(found["cost_change_ratio"]) == pytest.approx(-800 / 300)


def test_a_credit_beside_cost_makes_no_share_beyond_the_whole() -> None:
    # $500 of serving, $100 without a rule and a credit of $550 are a month of $50: neither 1,000 % nor −100 %
    found = report(
        [spend(OCTOBER, 500), spend(OCTOBER, 100, "unallocated", None), spend(OCTOBER, -550, "adjustment", None)]
    )
    assert found["effective_cost"] == Decimal(50)
    assert not {"inference_ratio", "named_ratio"} & set(found)


def test_a_plan_of_nothing_is_exceeded_by_an_amount_and_no_percentage() -> None:
    plan = table("budgets", {"month": date(2026, 10, 1), "model_id": "*", "phase": "*", "usd": Decimal(0)})
    found = report([spend(OCTOBER, 300)], budgets=plan)
    assert found["plan"] == 0
    assert "plan_ratio" not in found


@pytest.mark.parametrize(
    ("failed", "value"), [(0, None), (120, Decimal(120))], ids=["nothing could cost", "a bill names the model"]
)
def test_what_failed_is_not_known_to_be_nothing_where_no_pool_is_named(failed: int, value: Decimal | None) -> None:
    # a run was lost; without a pool no run costs anything, so that $0 would be no finding
    night = {"as_of": NIGHT, "currency": "USD", "dead_band_ratio": 0.1}
    days = table("daily_spend", spend(OCTOBER, 300, "unallocated", None), *_lost(failed))
    lost = table("training_runs", {"run_id": "r", "source": "slurm", "status": "failed"})
    wasted = table("waste", {"month": date(2026, 10, 1), "wasted_usd": Decimal(failed)}) if failed else table("waste")
    read = {"settings": pl.DataFrame([night]), "daily_spend": days, "training_runs": lost, "waste": wasted}
    for function in (subject, month_figures, headline_metrics):
        names = inspect.signature(function).parameters
        read[function.__name__] = function(**{name: read.get(name, CATALOGUE[name].empty()) for name in names})
    row = read["headline_metrics"].filter(metric="idle_and_failed").row(0, named=True)
    assert (row["value"], row["reason"]) == (value, "no_pool")


def _lost(usd: int) -> list[dict[str, Any]]:
    return [spend(OCTOBER, usd, phase="pretraining") | {"is_waste": True}] if usd else []
