"""Plan against actual."""

from __future__ import annotations

from typing import Final

import polars as pl

from transforms.data_cutoff import known_days, last_known_day
from warehouse.schemas.columns import MONEY
from warehouse.schemas.economics import BudgetVariances

_ANY: Final = "*"
_LINE: Final = ("month", "model_id", "phase")


def budget_variances(
    budgets: pl.DataFrame, daily_spend: pl.DataFrame, demand_states: pl.DataFrame, settings: pl.DataFrame
) -> pl.DataFrame:
    """One row of the budget: plan, actual and the difference.

    The row of all models and all phases is compared with all cost in scope, idle and shared included; the others with
    direct cost, which is what their owners decide on. Months after the night's have no actual yet and no row. Rows of
    the same month, model and phase are one plan. A month is complete when it is over and both requests and the bill
    have told of all its days; until then the actual is that of the days known, and of what stands on others already.
    """
    night = settings["as_of"].item()
    planned = budgets.filter(pl.col("month") <= night).group_by(_LINE).agg(budget_usd=pl.col("usd").sum())
    month = pl.col("charge_date").dt.truncate("1mo").alias("month")
    spent = daily_spend.filter(pl.col("charge_date") <= night, pl.col("account") != "out_of_scope").with_columns(month)
    rows = planned.join(_actuals(spent), on=_LINE, how="left").with_columns(
        pl.col("actual_usd").fill_null(pl.lit(0, dtype=MONEY)),
        known_days=known_days(last_known_day(demand_states, settings)),
    )
    variance = pl.col("actual_usd") - pl.col("budget_usd")
    ratio = variance.cast(pl.Float64) / pl.col("budget_usd").cast(pl.Float64)
    compared = rows.with_columns(
        variance_usd=variance,
        variance_ratio=pl.when(pl.col("budget_usd") != 0).then(ratio),
        is_complete=pl.col("known_days") == pl.col("month").dt.month_end().dt.day(),
    )
    return BudgetVariances.frame(compared.sort(_LINE))


def _actuals(spent: pl.DataFrame) -> pl.DataFrame:
    """Every line that a budget can have: all, one model, one phase, one model and phase."""
    usd = pl.col("effective_usd").sum().alias("actual_usd")
    direct = spent.filter(pl.col("account") == "direct")
    lines = [
        spent.group_by("month").agg(usd).with_columns(model_id=pl.lit(_ANY), phase=pl.lit(_ANY)),
        direct.group_by("month", "model_id").agg(usd).with_columns(phase=pl.lit(_ANY)),
        direct.group_by("month", "phase").agg(usd).with_columns(model_id=pl.lit(_ANY)),
        direct.group_by(_LINE).agg(usd),
    ]
    return pl.concat([line.select(*_LINE, "actual_usd") for line in lines]).filter(
        pl.col("model_id").is_not_null(), pl.col("phase").is_not_null()
    )  # fmt: skip
