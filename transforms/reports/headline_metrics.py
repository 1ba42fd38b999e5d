"""The five numbers of page 1, each against plan, the month before, the year to date and where the year is heading."""

from __future__ import annotations

from datetime import date
from decimal import Decimal, localcontext
from typing import Any, Final

import polars as pl

from transforms.reports.directions import LEAST_BASE_USD, direction
from transforms.reports.year_to_date_and_landing import Year
from warehouse.schemas.reports import HeadlineMetrics

NONE: Final = Decimal(0)
LEAST_TOKENS: Final = 10_000_000
"""Under so many tokens a price of a million is a price of a few requests."""

DIGITS: Final = 60
"""Digits of sums and quotients: the default of 28 would round those of a large bill."""

TWELVE_PLACES: Final = Decimal("0.000000000001")
MEASURED: Final = ("acted", "realised")
Row = dict[str, Any]


def headline_metrics(
    subject: pl.DataFrame,
    month_figures: pl.DataFrame,
    daily_spend: pl.DataFrame,
    budgets: pl.DataFrame,
    spend_outlook: pl.DataFrame,
    waste: pl.DataFrame,
    amortization: pl.DataFrame,
    unit_costs: pl.DataFrame,
    track_record: pl.DataFrame,
) -> pl.DataFrame:
    """Five rows in their order. An amount that nobody can know is null, with the code of what is missing.

    The year's landing is what the year has cost to the night plus the median of the months that are open; it is there
    only where the forecast reaches to December. A plan of the year needs a budget in every month with cost or forecast.
    """
    row = subject.row(0, named=True)
    figures = month_figures.sort("month").to_dicts()
    with localcontext(prec=DIGITS):
        year = Year(row, daily_spend, budgets, spend_outlook)
        rows = [
            _effective_cost(row, figures, year),
            _unit_cost(row, figures, unit_costs),
            _wasted(row, figures, waste),
            _unamortised(row, amortization),
            _savings(track_record),
        ]
        complete = [_directed(one, row["materiality_usd"]) for one in rows]
    schema = HeadlineMetrics.polars_schema()
    return HeadlineMetrics.frame(pl.DataFrame(complete, schema=schema).sort("position"))


def _before(row: Row, figures: list[Row]) -> Row:
    return figures[-2] if row["previous_month"] and len(figures) > 1 else {}


def _effective_cost(row: Row, figures: list[Row], year: Year) -> Row:
    has_bill = row["first_day"] is not None
    return {
        "position": 1, "metric": "effective_cost", "unit": "usd", "is_more_worse": True,
        "value": figures[-1]["effective_usd"] if has_bill else None, "reason": None if has_bill else "no_bill",
        "plan_value": figures[-1]["plan_usd"], "previous_value": _before(row, figures).get("effective_usd"),
        "year_to_date": year.to_date(), "year_to_date_plan": year.to_date_plan(),
        "landing": year.landing(), "landing_plan": year.landing_plan(),
        "landing_reason": None if year.landing() is not None else "not_forecast",
    }  # fmt: skip


def _unit_cost(row: Row, figures: list[Row], unit_costs: pl.DataFrame) -> Row:
    now, before = figures[-1], _before(row, figures)
    rate, reason = _rate(now)
    return {
        "position": 2, "metric": "unit_cost", "unit": "usd_per_mtok", "is_more_worse": True, "value": rate,
        "reason": reason,
        "previous_value": _rate(before)[0] if before else None,
        "year_to_date": _mean_rate(unit_costs, row["month"]), "landing_reason": "not_forecast",
    }  # fmt: skip


def _rate(figures: Row) -> tuple[Decimal | None, str | None]:
    """The price of a million tokens; none where none is known, where tokens are few, or where credits are more."""
    rate = figures["fully_loaded_usd_per_mtok"]
    if not rate:
        return None, "no_priced_tokens"
    if figures["tokens"] < LEAST_TOKENS:
        return None, "few_tokens"
    return (rate, None) if rate > 0 else (None, "credits")


def _mean_rate(unit_costs: pl.DataFrame, month: date) -> Decimal | None:
    """All fully loaded cost of the year over all its tokens that have such a price."""
    rows = unit_costs.filter(
        pl.col("month").is_between(date(month.year, 1, 1), month), pl.col("fully_loaded_usd_per_mtok").is_not_null()
    )
    served = (rows["input_tokens"] + rows["output_tokens"]).to_list()
    if sum(served) < LEAST_TOKENS:
        return None
    rates = zip(rows["fully_loaded_usd_per_mtok"].to_list(), served, strict=True)
    cost = sum((Decimal(rate) * int(count) for rate, count in rates), NONE)
    return (cost / int(sum(served))).quantize(TWELVE_PLACES) if cost > 0 else None


def _wasted(row: Row, figures: list[Row], waste: pl.DataFrame) -> Row:
    idle, failed = figures[-1]["idle_usd"], figures[-1]["waste_usd"]
    sums = dict(waste.group_by("month").agg(pl.col("wasted_usd").sum()).iter_rows())
    reason = "no_run_log" if failed is None else "no_pool" if idle is None else None
    # without a pool no run can cost anything: what failed is then not known, unless a bill names the model itself
    is_known = idle is not None or bool(failed)
    before = _before(row, figures)
    year = [amount for month, amount in sums.items() if month.year == row["month"].year and month <= row["month"]]
    return {
        "position": 3, "metric": "idle_and_failed", "unit": "usd", "is_more_worse": True,
        "value": sums.get(row["month"], NONE) if is_known else None, "reason": reason if is_known else "no_pool",
        "previous_value": sums.get(before["month"], NONE) if before and is_known else None,
        "year_to_date": sum(year, NONE) if is_known and year else None, "landing_reason": "not_forecast",
    }  # fmt: skip


def _unamortised(row: Row, amortization: pl.DataFrame) -> Row:
    balances = dict(amortization.group_by("month").agg(pl.col("closing_usd").sum()).iter_rows())
    now = balances.get(row["month"])
    before = balances.get(row["previous_month"]) if row["previous_month"] else None
    december = balances.get(date(row["month"].year - 1, 12, 1), NONE if balances else None)
    return {
        "position": 4, "metric": "unamortised_training", "unit": "usd", "is_more_worse": None, "value": now,
        "reason": None if now is not None else "no_training", "previous_value": before,
        "year_to_date": now - december if now is not None and december is not None else None,
        "landing_reason": "not_forecast",
    }  # fmt: skip


def _savings(track_record: pl.DataFrame) -> Row:
    measured = track_record.filter(pl.col("state").is_in(MEASURED), pl.col("realised_usd").is_not_null())
    saved = Decimal(measured["realised_usd"].sum()) if measured.height else None
    promised = Decimal(measured["predicted_usd_p50"].sum() or 0) if measured.height else None
    reason = None if saved is not None else "none_followed" if track_record.height else "first_advice"
    return {
        "position": 5, "metric": "savings_realised", "unit": "usd", "is_more_worse": False, "value": saved,
        "reason": reason, "plan_value": promised, "landing_reason": "not_forecast",
    }  # fmt: skip


def _directed(row: Row, materiality: Decimal) -> Row:
    """The row with the direction of each comparison; a rate has no materiality in dollars."""
    is_rate = row["unit"] != "usd"
    limit, base = (NONE, NONE) if is_rate else (materiality, LEAST_BASE_USD)

    def towards(now: str, before: str) -> str | None:
        return direction(row.get(now), row.get(before), limit, base)

    return row | {
        "plan_direction": towards("value", "plan_value"),
        "previous_direction": towards("value", "previous_value"),
        "year_to_date_direction": towards("year_to_date", "year_to_date_plan"),
        "landing_direction": towards("landing", "landing_plan"),
    }
