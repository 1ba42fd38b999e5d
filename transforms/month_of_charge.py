"""The month of a charge: that of its date, beside that in which its billing period starts."""

from __future__ import annotations

from typing import Final

import polars as pl

KEY: Final = ("month", "billing_month", "source", "currency")
IN_SCOPE: Final = pl.col("account") != "out_of_scope"


def by_month(booked_days: pl.DataFrame) -> pl.DataFrame:
    """The rows with `month`, that of the charge date, and `billing_month`, that in which the period starts."""
    return booked_days.with_columns(
        month=pl.col("charge_date").dt.truncate("1mo"), billing_month=pl.col("billing_period_start").dt.truncate("1mo")
    )


def corrections(billed_days: pl.DataFrame) -> pl.DataFrame:
    """Charges in scope of class Correction, by the day on which they start."""
    is_correction = (pl.col("charge_class") == "Correction") & pl.col("scope_rule").is_null()
    return by_month(billed_days.filter(is_correction).with_columns(charge_date=pl.col("charge_day")))
