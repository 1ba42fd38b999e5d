"""Costs of a bill's currency in the reporting currency, exact to 10⁻¹²."""

from __future__ import annotations

import polars as pl

from transforms.money import times_rate
from warehouse.schemas.columns import MONEY


def converted(booked_days: pl.DataFrame, fx: pl.DataFrame, settings: pl.DataFrame) -> pl.DataFrame:
    """The booked days with `billed_usd` and `effective_usd`, NULL where `fx` has no rate for the month of charge_date.

    Each of them is converted by itself, so that any grouping of the result adds up to any other.
    The company's own currency has rate 1 by definition, whatever `fx` says.
    """
    company_currency = settings["currency"].item()
    own = booked_days.filter(pl.col("currency") == company_currency)
    foreign = booked_days.filter(pl.col("currency") != company_currency)
    return pl.concat(
        [
            own.with_columns(billed_usd=pl.col("billed_cost"), effective_usd=pl.col("effective_cost")),
            foreign.with_columns(month=pl.col("charge_date").dt.truncate("1mo"))
            .join(rates(fx), on=["month", "currency"], how="left")
            .with_columns(billed_usd=times_rate("billed_cost"), effective_usd=times_rate("effective_cost"))
            .drop("month", "rate"),
        ]
    )


def rates(fx: pl.DataFrame) -> pl.DataFrame:
    """One month and currency with its rate into the company's own currency."""
    return fx.select(pl.col("month").dt.truncate("1mo"), "currency", pl.col("rate").cast(MONEY))
