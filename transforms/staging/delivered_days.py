"""What the files of bills hold by day: the rows that count, those that are replaced, and those after the night."""

from __future__ import annotations

import polars as pl

from transforms.money import amount, units
from transforms.staging.cost_views import is_told_by_the_other_view, with_both_views
from warehouse.schemas.staging import DeliveredDays

UNIT = ["source", "file_sha256", "account", "billing_period_start"]
KEY = ["charge_day", "source", "file_sha256", "invoice_id", "currency", "is_current"]


def delivered_days(charge_rows: pl.DataFrame, bill_deliveries: pl.DataFrame) -> pl.DataFrame:
    """One day of one file's rows of one invoice and currency; a unit is a source, payer account and period.

    A row of the amortised view whose money the actual view has as well is replaced by that.
    """
    listed = bill_deliveries.rename({"billing_account_id": "account"}).group_by(UNIT).agg(pl.col("is_current").any())
    rows = charge_rows.with_columns(
        pl.col("billing_account_id").fill_null("").alias("account"),
        pl.col("charge_start").dt.date().alias("charge_day"),
    ).join(listed, on=UNIT, how="left")
    rows = rows.join(with_both_views(bill_deliveries), on=["account", "billing_period_start"], how="left").with_columns(
        pl.col("is_current") & ~is_told_by_the_other_view()
    )
    sums = rows.group_by(KEY).agg(pl.len().cast(pl.Int64).alias("rows"), units("billed_cost").sum())
    return DeliveredDays.frame(sums.with_columns(amount("billed_cost"))).sort(KEY)
