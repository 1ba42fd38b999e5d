"""Training still to be amortised, month by month, and every change of the estimate it is amortised by."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Final

import polars as pl

from transforms.economics.amortization.amortization_schedule import (
    AmortizedMonth,
    End,
    Forecast,
    Month,
    Plan,
    Policy,
    Published,
    roll_forward,
)
from transforms.economics.amortization.estimate_changes import changes
from transforms.economics.amortization.model_lives import ASSUMED_LIFE_DAYS
from transforms.economics.amortization.published_estimates import published_estimates
from transforms.periods import DAYS_PER_MONTH
from warehouse.schemas.columns import MONEY
from warehouse.schemas.economics import Amortization, EstimateChanges

_MONEY: Final = ("opening_usd", "additions_usd", "amortized_usd", "written_off_usd", "closing_usd")
_ANY: Final = "*"


def amortization(
    training_assets: pl.DataFrame,
    lives: pl.DataFrame,
    expected_service: pl.DataFrame,
    model_lives: pl.DataFrame,
    published_amortization: pl.DataFrame,
    settings: pl.DataFrame,
) -> pl.DataFrame:
    """One month of one model's training still to be amortised; the roll-forward closes exactly.

    units_of_production: (C − A) · served / expected, `expected` being what was still to come at the start of the month:
    of lives.csv, else as forecast from the days before the month. straight_line: per day over the life that is left,
    from the first served day. Without an estimate, or one whose standard deviation exceeds its mean, straight line over
    the shorter of the policy's life and the family's median. Estimates change from the month on, never backwards: what
    an earlier night published keeps the estimate, and the end of service, that it was published with.
    """
    histories = _histories(training_assets, lives, expected_service, model_lives, published_amortization, settings)
    rows = [_row(model, month) for model, _, _, months in histories for month in months]
    if not rows:
        return Amortization.empty()
    schema = dict.fromkeys(_MONEY, pl.Int128)
    frame = pl.DataFrame(rows, schema_overrides=schema, infer_schema_length=None).with_columns(
        pl.col(name).reinterpret(dtype=MONEY) for name in _MONEY
    )
    cell = ("month", "model_id")
    service = training_assets.select(*cell, "production_unit", tokens_to_parity=_to_parity())
    return Amortization.frame(frame.join(service, on=cell, how="left").sort(cell))


def estimate_changes(
    training_assets: pl.DataFrame,
    lives: pl.DataFrame,
    expected_service: pl.DataFrame,
    model_lives: pl.DataFrame,
    published_amortization: pl.DataFrame,
    settings: pl.DataFrame,
) -> pl.DataFrame:
    """One change of the estimate by which a model's training is amortised, dated and with its cause."""
    histories = _histories(training_assets, lives, expected_service, model_lives, published_amortization, settings)
    rows = [change for model, unit, plan, months in histories for change in changes(model, plan, unit, months)]
    if not rows:
        return EstimateChanges.empty()
    frame = pl.DataFrame(rows, schema_overrides={"balance_usd": pl.Int128}, infer_schema_length=None)
    return EstimateChanges.frame(
        frame.with_columns(pl.col("balance_usd").reinterpret(dtype=MONEY)).sort("changed_on", "model_id", "cause")
    )


def _to_parity() -> pl.Expr:
    """Units until inference reaches its target share at the latest price; 0 where it has, whatever a unit costs."""
    missing = (pl.col("parity_usd") - pl.col("inference_usd")).cast(pl.Float64)
    has_cost = pl.col("inference_usd") > 0
    return pl.when(has_cost & (missing <= 0)).then(0.0).otherwise(missing.clip(0) / pl.col("served_usd_per_unit"))


def _row(model_id: str, amortized_month: AmortizedMonth) -> dict[str, object]:
    month, estimate = amortized_month.month, amortized_month.estimate
    return {
        "month": month.first,
        "model_id": model_id,
        "method": estimate.method,
        "basis": estimate.basis,
        "opening_usd": amortized_month.opening,
        "additions_usd": month.additions,
        "amortized_usd": amortized_month.amortized,
        "written_off_usd": amortized_month.written_off,
        "closing_usd": amortized_month.closing,
        "tokens_served": month.production,
        "expected_tokens": estimate.expected,
        "expected_days": estimate.days,
        "ends_on": estimate.end.day,
        "life_basis": estimate.end.basis,
    }


def _histories(
    training_assets: pl.DataFrame,
    lives: pl.DataFrame,
    expected_service: pl.DataFrame,
    model_lives: pl.DataFrame,
    published_amortization: pl.DataFrame,
    settings: pl.DataFrame,
) -> Iterator[tuple[str, str, Plan, list[AmortizedMonth]]]:
    """Every model with what it delivers, its plan and its amortised months."""
    night = settings["as_of"].item()
    plans = _plans(lives, expected_service, model_lives, published_estimates(published_amortization, night))
    cells = training_assets.sort("model_id", "month").with_columns(
        pl.col("additions_usd").to_physical(), before=pl.col("production_to_date") - pl.col("production")
    )
    for (model_id,), rows in cells.group_by("model_id", maintain_order=True):
        months = [
            Month(first, min(_month_end(first), night), additions, production, before)
            for first, additions, production, before in rows.select(
                "month", "additions_usd", "production", "before"
            ).iter_rows()
        ]
        plan = plans.get(str(model_id), plans[_ANY])
        yield str(model_id), str(rows["production_unit"][0]), plan, list(roll_forward(months, plan))


def _month_end(first: date) -> date:
    return (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)


def _plans(
    lives: pl.DataFrame,
    expected_service: pl.DataFrame,
    model_lives: pl.DataFrame,
    published: dict[str, dict[date, Published]],
) -> dict[str, Plan]:
    policies: dict[str, list[tuple[date | None, Policy]]] = {}
    for row in lives.sort("valid_from", "method", nulls_last=False).iter_rows(named=True):
        days = None if row["months"] is None else row["months"] * DAYS_PER_MONTH
        policy = Policy(row["method"], days, row["expected_tokens"], row["reason"], row["valid_from"])
        policies.setdefault(row["model_id"], []).append((row["valid_from"], policy))
    forecasts: dict[str, dict[date, Forecast]] = {}
    for row in expected_service.filter(pl.col("quantity") != "inference_usd").iter_rows(named=True):
        forecast = Forecast(row["expected_p50"], row["variation_ratio"], row["ends_on"])
        forecasts.setdefault(row["model_id"], {})[row["known_on"]] = forecast
    plans = {
        row["model_id"]: Plan(
            row["first_served_on"] or row["released_on"], row["retires_on"], row["typical_days"] or ASSUMED_LIFE_DAYS,
            policies.get(row["model_id"], policies.get(_ANY, [])), forecasts.get(row["model_id"], {}),
            published.get(row["model_id"], {}), End(row["ends_on"], row["basis"]),
        )
        for row in model_lives.iter_rows(named=True)
    }  # fmt: skip
    return {**plans, _ANY: Plan(None, None, ASSUMED_LIFE_DAYS, policies.get(_ANY, []), {})}
