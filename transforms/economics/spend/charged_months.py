"""What each month cost by charge date, source by source: the other side of what an earlier night reported of it."""

from __future__ import annotations

import polars as pl

from transforms.economics.conversion import converted, rates
from transforms.month_of_charge import IN_SCOPE, KEY, by_month, corrections
from warehouse.schemas.economics import ChargedMonths


def charged_months(
    booked_days: pl.DataFrame, billed_days: pl.DataFrame, fx: pl.DataFrame, settings: pl.DataFrame
) -> pl.DataFrame:
    """One month of charge dates, month of billing, source and currency, up to the night.

    In scope a month's `effective_usd` adds up to what the report says the month cost.
    """
    night, company_currency = settings["as_of"].item(), settings["currency"].item()
    booked = converted(booked_days.filter(pl.col("charge_date") <= night), fx, settings)
    summed = by_month(booked).group_by(KEY).agg(
        pl.col("effective_cost").filter(IN_SCOPE).sum(),
        out_of_scope_cost=pl.col("effective_cost").filter(~IN_SCOPE).sum(),
        effective_usd=pl.col("effective_usd").filter(IN_SCOPE).sum(),
        last_charge_date=pl.col("charge_date").max(),
    )  # fmt: skip
    corrected = corrections(billed_days).group_by(KEY).agg(correction_cost=pl.col("effective_cost").sum())
    own = pl.when(pl.col("currency") == company_currency).then(pl.lit(1).cast(rates(fx).schema["rate"]))
    rows = (
        summed.join(corrected, on=KEY, how="left")
        .join(rates(fx), on=["month", "currency"], how="left")
        .with_columns(rate=own.otherwise("rate"), correction_cost=pl.col("correction_cost").fill_null(0))
    )
    return ChargedMonths.frame(rows.sort(KEY))
